# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python3 -m standin.cluster.backend CONFIG`: says how this replica is, and does the work of the product while it leads.

Who is deposed ends with status 3, whatever it was doing, and is started again by the engine.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
import threading

from . import admin
from .checks import Checks
from .config import Config, ConfigError
from .context import ClusterStandin
from .election import Election
from .etcd import EtcdError
from .replicas import Heartbeat

DEPOSED = 3
ANSWER_SECONDS = 0.3     # for the answer that tells of the failure
PAUSE_SECONDS = 1.0
LAST_PART = 0.1          # of the lease: ends the process, also where etcd does not answer


def say(text: str) -> None:
    print(f"stand-in: {text}", file=sys.stderr, flush=True)


class Process:
    """One backend from its start to its end."""

    def __init__(self, config: Config):
        self.config = config
        self.checks = Checks(config)
        self.heartbeat = Heartbeat(admin.client_of(config), config, self.checks.problem)
        who = {"id": config.id, "node": config.node, "address": config.backend.advertise}
        self.election = Election(admin.client_of(config), who, config.ttl, self.lost)
        self.standin: ClusterStandin | None = None
        self.extensions: list = []

    def lost(self, why: str) -> None:
        """From any thread. Nothing is tidied up: soon another one is at work."""
        say(f"not the leader any more: {why}")
        for seconds, action in ((ANSWER_SECONDS, self.make_room), (self.config.ttl * LAST_PART, lambda: os._exit(DEPOSED))):
            timer = threading.Timer(seconds, action)
            timer.daemon = True
            timer.start()

    def make_room(self) -> None:
        self.election.resign()
        os._exit(DEPOSED)

    def wait_for_turn(self) -> None:
        """Until the cluster is set up, this replica is well, and nobody else leads."""
        while not self._ready():
            threading.Event().wait(PAUSE_SECONDS)
        self.election.campaign()

    def _ready(self) -> bool:
        try:
            return not self.checks.problem() and admin.get(admin.client_of(self.config), "cluster", "cluster") is not None
        except EtcdError:
            return False

    async def run(self) -> None:
        ended = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, ended.set)
        self.heartbeat.start()
        turn = asyncio.create_task(self._lead())
        stop = asyncio.create_task(ended.wait())
        try:
            done, _pending = await asyncio.wait({turn, stop}, return_when=asyncio.FIRST_COMPLETED)
            if turn in done:
                turn.result()
                await stop
            self.heartbeat.stop()
            if self.standin:
                await self._stop()
        finally:
            self.election.resign()

    async def _lead(self) -> None:
        waiting = asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()

        def work() -> None:
            self.wait_for_turn()
            loop.call_soon_threadsafe(lambda: waiting.done() or waiting.set_result(None))

        threading.Thread(target=work, name="campaign", daemon=True).start()   # a thread that may be left behind at the end
        await waiting
        self.standin = ClusterStandin(self.config, admin.client_of(self.config), self.election.still_leading, self.lost)
        self.extensions = [importlib.import_module(name) for name in self.config.extensions]
        for extension in self.extensions:
            extension.extend(self.standin)
        await self.standin.start()
        for extension in self.extensions:
            if hasattr(extension, "start"):
                await extension.start(self.standin)
        self.election.announce()
        say(f"{self.config.product} {self.config.version}: leading as {self.config.id}")

    async def _stop(self) -> None:
        for extension in reversed(self.extensions):
            if hasattr(extension, "stop"):
                await extension.stop(self.standin)
        await self.standin.stop()
        for crash in self.standin.crashes:
            say(crash)


def main() -> None:
    try:
        process = Process(Config.read(sys.argv[1]))
        asyncio.run(process.run())
    except (ConfigError, IndexError, OSError) as problem:
        say(f"backend: {problem}")
        os._exit(1)
    os._exit(0)   # threads that wait for etcd are left behind


if __name__ == "__main__":
    main()
