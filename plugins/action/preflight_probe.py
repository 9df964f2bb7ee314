# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Run the module of this name between two looks at the controller's clock, so that skews can be told from delays."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        sent = time.time()
        result = self._execute_module(task_vars=task_vars)
        return {**result, "controller": {"sent": sent, "received": time.time()}}
