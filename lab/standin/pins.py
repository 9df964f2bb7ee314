# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What garbage collection must leave alone although nothing refers to it yet: the content of pushes that are under way."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable

KIND = "pin"
FRESH = datetime.timedelta(minutes=5)   # a hold younger than this is not renewed
GRACE = datetime.timedelta(hours=1)   # how long an upload waits for the manifest that refers to it


class Pins:
    """A push holds a digest from the moment it asks for it or uploads it until a manifest refers to it, or the grace has passed.

    While a collection runs, everything that was held at any time of the run stays, because the marks were set before.

    `store`: keeps what is held for the process that takes over (documents of kind pin, by digest: {push: when}).
    """

    def __init__(self, clock: Callable[[], datetime.datetime], store=None):
        self._clock, self._store = clock, store
        self._held: dict[str, dict[str, datetime.datetime]] = {}   # digest -> push -> when
        for digest, kept in store.items(KIND) if store else []:
            self._held[digest] = {push: datetime.datetime.fromisoformat(when) for push, when in kept.items()}
        self._touched: set[str] | None = None                      # None: no collection runs

    def hold(self, push: str, digests: Iterable[str]) -> None:
        """`push` names the client's session: pushes that share a layer do not let go of it for each other."""
        digests, now = list(digests), self._clock()
        for digest in digests:
            holders = self._held.setdefault(digest, {})
            if push not in holders or now - holders[push] > FRESH:
                holders[push] = now
                self._keep(digest)
        self.touch(digests)

    def release(self, push: str, digests: Iterable[str]) -> None:
        for digest in digests:
            holders = self._held.get(digest, {})
            if holders.pop(push, None):
                self._keep(digest)

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
        for digest, holders in list(self._held.items()):
            fresh = {push: when for push, when in holders.items() if when > oldest}
            if fresh != holders:
                self._held[digest] = fresh
                self._keep(digest)

    def _keep(self, digest: str) -> None:
        """What the store has to know of a digest; one that nobody holds is forgotten."""
        holders = self._held[digest]
        if not holders:
            del self._held[digest]
        if self._store and holders:
            self._store.put(KIND, digest, {push: when.isoformat() for push, when in holders.items()})
        elif self._store:
            self._store.delete(KIND, digest)
