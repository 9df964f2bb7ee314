# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: the next answers are late, refused, cut off or without a session."""

from __future__ import annotations

import asyncio
import dataclasses
import fnmatch
import itertools

from .answers import Answer
from .errors import Refused, not_authenticated

KINDS = ("delay", "status", "drop", "expire_token", "garbage", "wrong_ca")


@dataclasses.dataclass
class Fault:
    """`match`: a pattern for "VERB /path", with `*`; `times`: how often it strikes (None: always); `after`: how many it spares first.

    delay: `seconds` later; status: `status`, `headers` and the error envelope with `code`; drop: the connection is reset, after the
    request was carried out when `late`; expire_token: 401; garbage: 200 with a body that is not JSON; wrong_ca: new connections get a
    certificate of an authority that nobody knows, whatever is asked for, until all faults are cleared.
    """

    match: str
    kind: str
    times: int | None = 1
    after: int = 0
    status: int = 503
    code: str = "INTERNAL_ERROR"
    seconds: float = 0.0
    headers: dict = dataclasses.field(default_factory=dict)
    late: bool = False
    id: int = 0
    struck: int = 0


class Faults:
    def __init__(self, listeners):
        self.listeners = listeners
        self.active: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, **settings) -> Fault:
        fault = Fault(**settings, id=next(self._ids))
        if fault.kind not in KINDS:
            raise ValueError(f"no fault of kind {fault.kind!r}; there are {', '.join(KINDS)}")
        if fault.kind == "wrong_ca":
            for listener in self.listeners:
                listener.disguise()
        else:
            self.active.append(fault)
        return fault

    def clear(self) -> None:
        self.active.clear()
        for listener in self.listeners:
            listener.load()

    def take(self, verb: str, path: str) -> Fault | None:
        """The fault that strikes this request, counted down."""
        for fault in self.active:
            if not fnmatch.fnmatchcase(f"{verb} {path}", fault.match):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.struck += 1
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.active.remove(fault)
            return fault
        return None


async def strike(fault: Fault, request) -> Answer | None:
    """What happens before the handler; None: carry the request out."""
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "status":
        refused = Refused(fault.status, fault.code, f"A fault was asked for: {fault.status}.")
        return Answer(fault.status, refused.envelope(), fault.headers)
    elif fault.kind == "expire_token":
        raise not_authenticated("The session has expired.")
    elif fault.kind == "garbage":
        return Answer(200, "<html>not what you asked for</html>", {"Content-Type": "text/html"})
    elif not fault.late:
        request.transport.abort()
        raise ConnectionResetError("a fault was asked for")
    return None
