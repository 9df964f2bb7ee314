# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._api_wait import WaitingAction

OPTIONS = ("repository", "tag", "os", "architecture", "digest", "checked_after")


class ActionModule(WaitingAction):
    """Show where the scans stand while the module waits for them."""

    def take_up(self, result):
        """Wait on for the same images, with what counts as a result."""
        return {"start": "never", "images": [{name: image[name] for name in OPTIONS} for image in result["images"]]}
