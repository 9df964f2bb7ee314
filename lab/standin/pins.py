# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What garbage collection must leave alone although nothing refers to it yet: the content of pushes that are under way."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable

GRACE = datetime.timedelta(hours=1)   # how long an upload waits for the manifest that refers to it


class Pins:
    """A push holds a digest from the moment it asks for it or uploads it until a manifest refers to it, or the grace has passed.

    While a collection runs, everything that was held at any time of the run stays, because the marks were set before.
    """

    def __init__(self, clock: Callable[[], datetime.datetime]):
        self._clock = clock
        self._held: dict[str, dict[str, datetime.datetime]] = {}   # digest -> push -> when
        self._touched: set[str] | None = None                      # None: no collection runs

    def hold(self, push: str, digests: Iterable[str]) -> None:
        """`push` names the client's session: pushes that share a layer do not let go of it for each other."""
        digests, now = list(digests), self._clock()
        for digest in digests:
            self._held.setdefault(digest, {})[push] = now
        self.touch(digests)

    def release(self, push: str, digests: Iterable[str]) -> None:
        for digest in digests:
            holders = self._held.get(digest, {})
            holders.pop(push, None)
            if not holders:
                self._held.pop(digest, None)

    def touch(self, digests: Iterable[str]) -> None:
        """For what is referred to at once: only a collection that is running has to know."""
        if self._touched is not None:
            self._touched.update(digests)

    def held(self, digest: str) -> bool:
        if self._touched is not None and digest in self._touched:
            return True
        oldest = self._clock() - GRACE
        return any(when > oldest for when in self._held.get(digest, {}).values())

    def begin(self) -> None:
        """A collection starts. What is held now may be recorded and let go of after its repository was marked."""
        self._touched = {digest for digest in self._held if self.held(digest)}

    def end(self) -> None:
        self._touched = None
        oldest = self._clock() - GRACE
        fresh = {digest: {push: when for push, when in holders.items() if when > oldest} for digest, holders in self._held.items()}
        self._held = {digest: holders for digest, holders in fresh.items() if holders}
