# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._distribution_status import problems, table


class FilterModule:
    def filters(self):
        return {"distribution_problems": problems, "distribution_table": table}
