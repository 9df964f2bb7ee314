# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes UCP from the node it runs on: containers and volumes. A task of a global service at uninstall.

    python3 -m standin.ucp_node.cleanup
"""

from __future__ import annotations

import sys
import time

from ..engine.client import Engine, EngineError, forgiving
from . import layout

CONTAINERS = (layout.PROXY, *layout.MANAGER_ONLY, "ucp-clear")
PATIENCE_SECONDS = 60.0


def clean(engine: Engine) -> list[str]:
    """One try; the names of volumes that ended tasks still hold."""
    for name in CONTAINERS:
        engine.remove(name)
    for container in engine.containers(label=[f"{layout.INSTANCE_LABEL}"]):
        engine.remove(container["Id"])
    kept = []
    for name in layout.MANAGER_VOLUMES:
        try:
            with forgiving(404):
                engine.delete(f"/volumes/{name}")
        except EngineError as problem:
            if problem.status != 409:
                raise
            kept.append(name)
    if kept:
        _remove_ended_tasks(engine)
    return kept


def _remove_ended_tasks(engine: Engine) -> None:
    for name in (layout.MANAGER_AGENT, layout.WORKER_AGENT):
        for container in engine.containers(label=[f"com.docker.swarm.service.name={name}"], status=["exited", "dead", "created"]):
            engine.remove(container["Id"])


def main() -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while kept := clean(Engine()):
        if time.monotonic() > limit:
            sys.exit(f"volumes are in use: {', '.join(kept)}")
        time.sleep(1)


if __name__ == "__main__":
    main()
