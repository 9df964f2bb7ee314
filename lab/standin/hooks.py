# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened, told to whoever wants to know: scanning, policies, mirroring and webhooks hang on here.

Facts by type, all of them plain values; `actor` is an account's name, or "" where the stand-in itself acted:

- TAG_PUSH, TAG_PULL, TAG_DELETE: namespace, repository, tag, digest, os, architecture, actor
- MANIFEST_PUSH, MANIFEST_PULL, MANIFEST_DELETE: the same without tag
- REPO_CREATED, REPO_UPDATED, REPO_DELETED: namespace, repository, actor, data
- SCAN_COMPLETED: namespace, repository, tag, scanSummary; SCAN_FAILED: the same with error in place of the summary
- SCANNER_UPDATE_COMPLETED: the contents of the webhook of that name
- PROMOTION, PUSH_MIRRORING, POLL_MIRRORING: namespace, repository, tag, digest, actor, and where the image went or came from
- JOB_ENDED: action, parameters, status
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Callable


class Hooks:
    """Subscribers are plain functions, called at once, or coroutine functions, run beside what fired.

    A subscriber's failure never undoes what happened; it is kept in `standin.crashes`, on which tests fail.
    """

    def __init__(self, standin):
        self.standin = standin
        self._subscribers: dict[str, list[Callable]] = {}
        self._running: set[asyncio.Task] = set()

    def on(self, type_: str, subscriber: Callable) -> None:
        self._subscribers.setdefault(type_, []).append(subscriber)

    def fire(self, type_: str, **facts) -> None:
        """Only on the stand-in's event loop."""
        for subscriber in self._subscribers.get(type_, []):
            try:
                outcome = subscriber(**facts)
            except Exception:
                self.standin.crashes.append(traceback.format_exc())
                continue
            if inspect.isawaitable(outcome):
                task = asyncio.ensure_future(outcome)
                self._running.add(task)
                task.add_done_callback(self._ended)

    async def settled(self) -> None:
        """Waits until nothing that was fired is still being dealt with."""
        while self._running:
            await asyncio.wait(self._running)

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()

    def _ended(self, task: asyncio.Task) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception():
            self.standin.crashes.append("".join(traceback.format_exception(task.exception())))
