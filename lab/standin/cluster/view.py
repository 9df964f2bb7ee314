# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a front has to know of its cluster, read anew every other second by a thread."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys
import threading
import time

from . import admin
from .config import Config
from .etcd import EtcdError
from .ops import ranging
from .replicas import age, replica_key
from .store import LEADER, key_of, parse_key

POLL_SECONDS = 2.0
HURRY_SECONDS = 0.4      # between two polls when somebody waits
STALE_SECONDS = 8.0      # after which what was read last does not count any more
BEAT_LIMIT = 16.0        # seconds since the own backend was heard of
LED_LIMIT = 40.0         # seconds without a leader, after which no replica is well; a change of leaders takes less


@dataclasses.dataclass(frozen=True)
class Tls:
    """What a listener shows and asks for (PEM); `clients`: authorities of client certificates, "" for none."""

    certificate: str
    key: str
    clients: str = ""


@dataclasses.dataclass(frozen=True)
class Leader:
    address: str
    revision: int    # tells one term from the next


class View:
    """`leader`, `tls` and `documents` are None or empty until they were read; `problem()` is what `/_ping` names."""

    def __init__(self, config: Config):
        self.config = config
        self._client = admin.client_of(config)
        self.leader: Leader | None = None
        self.documents: dict[tuple[str, str], dict] = {}
        self._beat: dict | None = None
        self._read = self._led = float("-inf")
        self._wake = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="view", daemon=True).start()

    def hurry(self) -> None:
        """Read anew at once: the leader does not answer."""
        self._wake.set()

    @property
    def current(self) -> bool:
        return time.monotonic() - self._read < STALE_SECONDS

    def problem(self) -> str:
        dtr = self.config.product == "dtr"
        if not self.current:
            return f"internal server error: {'rethinkdb' if dtr else 'auth-store'}"
        leaderless = time.monotonic() - self._led > LED_LIMIT
        if leaderless or not self._beat or age(self._beat) > BEAT_LIMIT:
            return "garant" if dtr else "auth-api"
        return self._beat["problem"]

    @property
    def tls(self) -> Tls | None:
        return self._tls_of_dtr() if self.config.product == "dtr" else self._tls_of_ucp()

    def _tls_of_dtr(self) -> Tls | None:
        web, settings = self.documents.get(("tls", "web")), self.documents.get(("settings", "dtr"))
        if not web or not settings:
            return None
        return Tls(web["certificate"], web["key"], settings["webTLSClientCA"] if settings["clientCertAuthEnabled"] else "")

    def _tls_of_ucp(self) -> Tls | None:
        web = pathlib.Path(self.config.web)
        try:
            files = (web / "cert.pem", web / "key.pem", pathlib.Path(self.config.client_ca, "ca.pem"))
            return Tls(*(file.read_text() for file in files))
        except FileNotFoundError:
            return None

    def _run(self) -> None:
        while True:
            try:
                self._poll()
            except EtcdError as problem:
                if self.current:
                    print(f"stand-in: the metadata cannot be read: {problem}", file=sys.stderr, flush=True)
            time.sleep(HURRY_SECONDS)
            self._wake.wait(POLL_SECONDS - HURRY_SECONDS)
            self._wake.clear()

    def _poll(self) -> None:
        asked = time.monotonic()
        keys = [key_of(*name) for name in (("tls", "web"), ("settings", "dtr"), ("ucp", "ucp"))]
        found = self._client.ranges([ranging(key) for key in (LEADER, replica_key(self.config.id), *keys)])
        leader, beat, documents = found[0], found[1], found[2] + found[3] + found[4]
        who = json.loads(leader[0].value) if leader else {"ready": False}
        self.leader = Leader(who["address"], leader[0].created) if who["ready"] else None
        self._led = asked if self.leader else self._led
        self._beat = json.loads(beat[0].value) if beat else None
        self.documents = {parse_key(pair.key): json.loads(pair.value) for pair in documents}
        self._read = asked
