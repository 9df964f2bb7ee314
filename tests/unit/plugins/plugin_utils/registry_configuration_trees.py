# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

ROLE = pathlib.Path(__file__).resolve().parents[4] / "roles/registry_configuration"
DICTS = ("ucp_config", "settings", "storage", "repository_defaults", "gc")
LISTS = ("ucp_roles", "users", "organizations", "repositories", "namespace_access", "webhooks", "crons", "api_tokens", "ucp_grants")


def a_tree(**declared):
    """All parts of the tree, empty but for the given ones."""
    return {**{part: {} for part in DICTS}, **{part: [] for part in LISTS}, **declared}
