# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _dtr_role


class FilterModule:
    """Ansible's entry point; the documentation of each filter stands beside it in its own file."""

    def filters(self):
        return {
            "dtr_hosts": _dtr_role.hosts,
            "dtr_problems": _dtr_role.problems,
            "dtr_compatibility": _dtr_role.compatibility,
            "dtr_upgrade_problems": _dtr_role.upgrade_problems,
            "dtr_drift": _dtr_role.drift,
            "dtr_status": _dtr_role.status,
            "dtr_table": _dtr_role.table,
            "dtr_balancers": _dtr_role.balancers,
        }
