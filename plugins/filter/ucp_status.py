# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._ucp_status import problems, rows, table


class FilterModule:
    def filters(self):
        return {"ucp_rows": rows, "ucp_table": table, "ucp_problems": problems}
