# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each replica or manager says of itself every few seconds, and what the others make of it."""

from __future__ import annotations

import contextlib
import datetime
import json
import threading
from collections.abc import Callable

from .config import Config
from .etcd import Client, EtcdError
from .ops import end_of, if_there, putting
from .store import ROOT

REPLICAS = f"{ROOT}replica/"
BEAT_SECONDS = 4.0     # also what keeps watches busy (etcd.py)
OLD_SECONDS = 25.0     # after which a replica counts as unhealthy


def replica_key(replica: str) -> str:
    return f"{REPLICAS}{replica}"


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def stamped(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def age(replica: dict) -> float:
    """Seconds since the replica was heard of."""
    return (now() - datetime.datetime.fromisoformat(replica["time"].replace("Z", "+00:00"))).total_seconds()


def health(replica: dict) -> str:
    """"OK", or what is wrong with it (field observation for the words of one that is not heard of)."""
    if age(replica) > OLD_SECONDS:
        return f"Replica reported health too long ago: {replica['time']}"
    return replica["problem"] or "OK"


def known(client: Client) -> dict[str, dict]:
    """All replicas by id."""
    pairs, _more, _revision = client.range(REPLICAS, end_of(REPLICAS))
    return {pair.key[len(REPLICAS):]: json.loads(pair.value) for pair in pairs}


class Heartbeat:
    """Writes this replica's document, as long as the cluster knows the replica. `problem()`: what is wrong with it, "" for nothing."""

    def __init__(self, client: Client, config: Config, problem: Callable[[], str]):
        self._client, self._problem = client, problem
        self._id = config.id
        self._facts = {
            "id": config.id, "node": config.node, "version": config.version,
            "https_port": config.front.public_https, "http_port": config.front.public_http,
        }
        self._ended = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def beat(self) -> bool:
        """False when the cluster does not know this replica (any more)."""
        document = {**self._facts, "time": stamped(now()), "problem": self._problem()}
        held, _answer = self._client.txn([if_there(replica_key(self._id))], [putting(replica_key(self._id), json.dumps(document))])
        return held

    def _run(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(EtcdError):   # its age tells the others
                self.beat()
            self._ended.wait(BEAT_SECONDS)
