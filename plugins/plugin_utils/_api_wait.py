# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Progress of modules that wait: a module cannot print while it runs, so it is run in slices and each is told of on the screen."""

from __future__ import annotations

import time

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

display = Display()

DEFAULT_TIMEOUT = 3600   # seconds, as the modules have it
FIRST_SLICE = 2          # seconds; short, so that what was begun is told of soon
SLICE = 10


class WaitingAction(ActionBase):
    """Runs the module of this name until its result is no longer `waiting`, or wait_timeout is over."""

    _supports_check_mode = True
    _supports_async = True

    def take_up(self, result):
        """Options with which the module waits on for what this result tells of, without beginning anything."""
        raise NotImplementedError

    def run(self, tmp=None, task_vars=None):
        """The result of the last slice; what was changed is told by the first."""
        super().run(tmp, task_vars)
        timeout = seconds(self._task.args.get("wait_timeout", DEFAULT_TIMEOUT))
        waits = boolean(self._task.args.get("wait", True), strict=False)
        if self._task.async_val or self._task.check_mode or not waits or timeout is None:
            wrap_async = self._task.async_val and not self._connection.has_native_async
            return self._execute_module(task_vars=task_vars, wrap_async=wrap_async)
        return self._in_slices(timeout, task_vars)

    def _in_slices(self, timeout, task_vars):
        end = time.monotonic() + timeout
        first, seen, more, length = None, None, {}, FIRST_SLICE
        while True:
            left = max(0, round(end - time.monotonic()))
            last = left <= length
            slices = {"wait_timeout": left if last else length, **({} if last else {"on_timeout": "return"})}
            result = self._execute_module(module_args={**self._task.args, **more, **slices}, task_vars=task_vars)
            first = first or result
            if seen and result.get("failed") and "waiting" not in result:   # it could not even look
                result["msg"] = f"{result.get('msg', '')} Before that: {seen['progress']}"
            # Nothing but the time that passes may be a reason to go on: a server that never answered is none.
            if last or result.get("failed") or not result.get("waiting") or (result is first and result.get("state") == "unknown"):
                return merged(first, result)
            if not self._task.no_log:
                display.display(result["progress"])
            seen, more, length = result, self.take_up(result), SLICE


def seconds(value):
    """Seconds as int; None for what the module will refuse."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def merged(first, last):
    """The last result with what only the first could tell: what was begun, and what was there before."""
    if last is first:
        if last.get("state") == "unknown":
            return {**last, "failed": True, "msg": last["trouble"]}
        return last
    told = {name: first[name] for name in ("changed", "diff", "taken_up", "previous", "started") if name in first}
    return {**last, **told}
