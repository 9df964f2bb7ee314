# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`example-config`: UCP's configuration file as it is after an installation."""

from __future__ import annotations

from ... import ucp_config_schema as schema


def run(run) -> None:
    print(schema.dump(schema.initial()))
