# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._ucp_role import node_changes, plan
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._ucp_role_input import problems
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._ucp_role_removal import removal, uninstall_plan


class FilterModule:
    def filters(self):
        return {
            "ucp_plan": plan, "ucp_node_changes": node_changes, "ucp_input_problems": problems, "ucp_removal": removal,
            "ucp_uninstall_plan": uninstall_plan,
        }
