# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._api_wait import WaitingAction


class ActionModule(WaitingAction):
    """Show where garbage collection stands while the module waits for it."""

    def take_up(self, result):
        """Wait on for the job, with what of its log was not seen."""
        return {"job_id": result["job_id"], "log_offset": result["log_lines"]}
