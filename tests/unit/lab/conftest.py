# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from cluster_fixtures import accounts, api, cluster, dtr_processes, ucp_beside
from registry_site import Site

__all__ = ["accounts", "api", "cluster", "dtr_processes", "ucp_beside"]


@pytest.fixture
def site(standin_with_registry, tmp_path):
    return Site(standin_with_registry, tmp_path)
