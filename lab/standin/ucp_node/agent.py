# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent: one on each node, a task of a global service; makes the node what its role says, again and again.

    python3 -m standin.ucp_node.agent manager|worker
"""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time

from ..cluster import admin
from ..cluster.etcd import EtcdError
from ..engine.client import Engine, EngineError
from . import layout
from .rounds import Manager, NotYet, Worker

CONTENT = "the node is what it should be"
CONVERGED = pathlib.Path("/tmp/converged")
PAUSE_SECONDS = 2.0
REST_SECONDS = 4.0     # after a round in which nothing was left to do


def is_paused(engine: Engine) -> bool:
    """UCP release notes 3.2: a label on the node stops reconciliation. Only managers can read labels of nodes."""
    swarm = engine.get("/info")["Swarm"]
    if not swarm["ControlAvailable"]:
        return False
    return engine.get(f"/nodes/{swarm['NodeID']}")["Spec"]["Labels"].get(layout.PAUSE_LABEL) == "true"


def run(role: str) -> None:
    engine = Engine()
    settings = layout.Settings.of(os.environ[layout.SETTINGS])
    kind = Manager if role == "manager" else Worker
    rounds, said = kind(engine, layout.Product.own(), settings), None
    while True:
        try:
            if not is_paused(engine):
                rounds.converge()
            state = CONTENT
            CONVERGED.write_text(str(int(time.time())))
        except (NotYet, admin.Unready, admin.Wrong, EngineError, EtcdError, OSError) as problem:
            state = f"{type(problem).__name__}: {problem}"
        if state != said:
            print(state, flush=True)
            said = state
        time.sleep(REST_SECONDS if state == CONTENT else PAUSE_SECONDS)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_given: sys.exit(0))
    run(sys.argv[1])


if __name__ == "__main__":
    main()
