# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One leader at a time: a key in etcd that lives as long as the leader's lease."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable

from .etcd import Client, EtcdError
from .ops import if_created, if_modified, putting, ranging
from .store import EPOCH, LEADER

POLL_SECONDS = 2.0     # how often one that waits looks whether the place is free
RENEWALS = 5           # of the lease in its time; the leader also looks whether it was deposed
WATCH_SECONDS = 0.5    # how often it looks how old its lease is
SAFETY = 0.8          # of its lease after which a leader that cannot renew it gives up, before another one may begin


class Election:
    """`campaign` waits until this process leads; from then on `lost` is called, once, when it does not any more.

    `who`: {"id", "node", "address"}, what others read in the key; "ready" comes with `announce`.
    """

    def __init__(self, client: Client, who: dict, ttl: int, lost: Callable[[str], None]):
        self._client, self._who, self._ttl, self._lost = client, who, ttl, lost
        self._lease = 0
        self._renewed = 0.0
        self._ended = threading.Event()
        self.revision = self._epoch = 0

    @property
    def still_leading(self) -> list[dict]:
        """The conditions that hold while this process leads, and knows all that there is to know."""
        return [if_created(LEADER, self.revision), if_modified(EPOCH, self._epoch)]

    def campaign(self) -> None:
        while not self._ended.is_set():
            try:
                if self._try():
                    for work in (self._keep, self._watch):
                        threading.Thread(target=work, name="lease", daemon=True).start()
                    return
            except EtcdError:
                pass   # no quorum at the moment: nobody leads, and this one goes on trying
            self._ended.wait(POLL_SECONDS)

    def announce(self) -> None:
        """From now on the leader can be asked."""
        held, _answer = self._client.txn(self.still_leading, [putting(LEADER, json.dumps({**self._who, "ready": True}), self._lease)])
        if not held:
            self._give_up("another process leads now")

    def resign(self) -> None:
        """Makes room at once, where etcd can be reached."""
        self._ended.set()
        if self._lease:
            with contextlib.suppress(EtcdError):   # else it ends by itself
                self._client.revoke(self._lease)

    def _try(self) -> bool:
        if self._client.get(LEADER):
            return False
        if not self._lease:
            self._renewed = time.monotonic()
            self._lease = self._client.grant(self._ttl)
        elif not self._renew():
            self._lease = 0
            return False
        taken, answer = self._client.txn(
            [if_created(LEADER, 0)], [putting(LEADER, json.dumps({**self._who, "ready": False}), self._lease)], [ranging(LEADER)])
        if taken:
            self.revision = int(answer["header"]["revision"])
            self._epoch = self._epoch_now()
        return taken

    def _epoch_now(self) -> int:
        epoch = self._client.get(EPOCH)
        return epoch.modified if epoch else 0

    def _renew(self) -> bool:
        asked = time.monotonic()   # the lease is counted from later than this
        if self._client.keep_alive(self._lease) <= 0:
            return False
        self._renewed = asked
        return True

    def _keep(self) -> None:
        while not self._ended.wait(self._ttl / RENEWALS):
            try:
                if not self._renew():
                    self._give_up("its lease has ended")
                    return
                key, epoch = self._client.get(LEADER), self._epoch_now()
            except EtcdError:
                continue   # the other thread watches how long that lasts
            if not key or key.created != self.revision:
                self._give_up("another process leads")
            elif epoch != self._epoch:
                self._give_up("the metadata were changed; reading them anew")

    def _watch(self) -> None:
        while not self._ended.wait(WATCH_SECONDS):
            if time.monotonic() - self._renewed > self._ttl * SAFETY:
                self._give_up("etcd cannot be reached, or has no quorum")

    def _give_up(self, why: str) -> None:
        if not self._ended.is_set():
            self._ended.set()
            self._lost(why)
