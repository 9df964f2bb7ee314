# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents in etcd: the leader's own, written through; and a live copy of those of another cluster.

    /standin/doc/KIND/KEY     a document (JSON)
    /standin/leader           who leads, bound to a lease (election.py)
    /standin/epoch            written whenever documents are changed behind the leader's back (admin.py)
    /standin/replica/ID       what the replica last said of itself (replicas.py)
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable

from ..errors import Refused
from ..store import Store
from .etcd import Client, EtcdError
from .ops import KeyValue, deleting, putting

ROOT = "/standin/"
DOCUMENTS = f"{ROOT}doc/"
LEADER = f"{ROOT}leader"
EPOCH = f"{ROOT}epoch"
RETRY_SECONDS = 1.0
# What DTR asks UCP for: who there is, and who belongs where.
KINDS_OF_UCP = ("account", "org_member", "team", "team_member", "public_key", "session", "sync", "link")


def key_of(kind: str, key: str) -> str:
    return f"{DOCUMENTS}{kind}/{key}"


def parse_key(key: str) -> tuple[str, str] | None:
    """(kind, key) of a document's key; None for what is none."""
    if not key.startswith(DOCUMENTS):
        return None
    kind, _slash, rest = key[len(DOCUMENTS):].partition("/")
    return kind, rest


class WriteLost(Refused):
    """The change is not, or not certainly, in etcd; this process is not the leader any more, or there is no quorum."""

    def __init__(self):
        super().__init__(503, "INTERNAL_ERROR", "internal server error")


class EtcdStore(Store):
    """The leader's documents: read from memory, written to etcd first.

    Each change is made on the conditions `still_leading`, so that a process that was deposed changes nothing. After a change that
    failed nobody knows what is in etcd: `lost` is called with the reason, and has to end the process.
    """

    def __init__(self, client: Client, still_leading: list[dict], lost: Callable[[str], None]):
        super().__init__(None)
        self._client, self._still_leading, self._lost = client, still_leading, lost
        pairs, self.revision = client.list(DOCUMENTS)
        for pair in pairs:
            kind, key = parse_key(pair.key)
            self.remember(kind, key, json.loads(pair.value))

    def remember(self, kind: str, key: str, doc: dict) -> None:
        Store.put(self, kind, key, doc)

    def put(self, kind: str, key: str, doc: dict) -> dict:
        with self._lock:
            self._write(putting(key_of(kind, key), json.dumps(doc)))
            return super().put(kind, key, doc)

    def delete(self, kind: str, key: str) -> bool:
        with self._lock:
            if self.get(kind, key) is None:
                return False
            self._write(deleting(key_of(kind, key)))
            return super().delete(kind, key)

    def _write(self, change: dict) -> None:
        try:
            held, _answer = self._client.txn(self._still_leading, [change])
        except EtcdError as problem:
            self._lost(f"cannot write to etcd: {problem}")
            raise WriteLost from problem
        if not held:
            self._lost("another process leads now")
            raise WriteLost


class Mirror(Store):
    """A copy of another cluster's documents, kept up to date by a thread; nobody writes to it.

    `changed(kind, key, before, after)` is called in that thread, None for what was or is not there. While the other cluster cannot be
    reached the last state stays.
    """

    def __init__(self, client: Client, kinds: tuple[str, ...], changed: Callable[[str, str, dict | None, dict | None], None] | None = None):
        super().__init__(None)
        self._client, self._kinds = client, kinds
        self._changed = None   # not while all is read for the first time
        self._ended = threading.Event()
        self.connected = False
        self._revision = self._load()
        self._changed = changed
        self._thread = threading.Thread(target=self._follow, name="mirror", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ended.set()

    def put(self, kind: str, key: str, doc: dict) -> dict:
        raise RuntimeError(f"{kind} {key} belongs to UCP; change it there")

    def delete(self, kind: str, key: str) -> bool:
        raise RuntimeError(f"{kind} {key} belongs to UCP; change it there")

    def _load(self) -> int:
        """Everything anew; returns the revision it is of."""
        pairs, revision = self._client.list(DOCUMENTS)
        current = {parse_key(pair.key): json.loads(pair.value) for pair in pairs if parse_key(pair.key)[0] in self._kinds}
        for kind in self._kinds:
            for key, _doc in self.items(kind):
                if (kind, key) not in current:
                    self._take(kind, key, None)
        for (kind, key), doc in current.items():
            if self.get(kind, key) != doc:
                self._take(kind, key, doc)
        self.connected = True
        return revision

    def _follow(self) -> None:
        """Watches, and reads all anew after an interruption: changes may have been missed."""
        while not self._ended.is_set():
            try:
                for events, _revision in self._client.watch(ROOT, self._revision + 1):
                    for kind_of_event, pair in events:
                        self._apply(kind_of_event, pair)
                    if self._ended.is_set():
                        return
            except EtcdError as problem:
                self.connected = False
                print(f"stand-in: the copy of UCP's accounts is interrupted: {problem}", file=sys.stderr, flush=True)
            self._reload()

    def _reload(self) -> None:
        while not self._ended.is_set():
            try:
                self._revision = self._load()
                return
            except EtcdError:
                time.sleep(RETRY_SECONDS)

    def _apply(self, kind_of_event: str, pair: KeyValue) -> None:
        name = parse_key(pair.key)
        if name and name[0] in self._kinds:
            self._take(*name, None if kind_of_event == "DELETE" else json.loads(pair.value))

    def _take(self, kind: str, key: str, doc: dict | None) -> None:
        before = self.get(kind, key)
        if doc is None:
            super().delete(kind, key)
        else:
            super().put(kind, key, doc)
        if self._changed and before != doc:
            self._changed(kind, key, before, doc)


class CombinedStore:
    """What a service of DTR sees: UCP's kinds from the mirror, all others from DTR's own store."""

    def __init__(self, own: EtcdStore, mirror: Mirror):
        self.own, self.mirror = own, mirror

    def of(self, kind: str) -> Store:
        return self.mirror if kind in KINDS_OF_UCP else self.own

    def get(self, kind: str, key: str) -> dict | None:
        return self.of(kind).get(kind, key)

    def put(self, kind: str, key: str, doc: dict) -> dict:
        return self.of(kind).put(kind, key, doc)

    def delete(self, kind: str, key: str) -> bool:
        return self.of(kind).delete(kind, key)

    def items(self, kind: str, prefix: str = "") -> list[tuple[str, dict]]:
        return self.of(kind).items(kind, prefix)

    def all(self, kind: str, prefix: str = "") -> list[dict]:
        return self.of(kind).all(kind, prefix)

    def close(self) -> None:
        self.mirror.close()
        self.own.close()
