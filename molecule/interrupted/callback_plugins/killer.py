# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills its own run of ansible-playbook, and all processes of it, as a power failure of the controller would.

KILL_AFTER=TASK: at the first result of that task that is not a skip; KILL_DURING=TASK: KILL_SECONDS (default 2) after its start.
"""

from __future__ import annotations

import os
import signal
import threading

from ansible.plugins.callback import CallbackBase


def kill() -> None:
    os.killpg(0, signal.SIGKILL)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "killer"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_task_start(self, task, is_conditional):
        if task.name == os.environ.get("KILL_DURING"):
            threading.Timer(float(os.environ.get("KILL_SECONDS", "2")), kill).start()

    def v2_runner_on_ok(self, result):
        if result.task.name == os.environ.get("KILL_AFTER"):
            kill()
