# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dtr-phase2: a container on the replica's node and on dtr-ol, which does there what cannot be done through UCP."""

from __future__ import annotations

import contextlib
import json

from . import specs
from .cluster import REPLICA_LABEL
from .engine import NETWORK, Engine, tar_of
from .errors import Fatal
from .product import Product

NAME = "dtr-phase2"
FOLDER, RESULT = "/phase2", "/phase2/result.json"
SECONDS = 600


class Helper:
    """Runs steps (phase2.py) on a node. Requests and results carry keys: they travel as files, never as arguments, and are not logged."""

    def __init__(self, engine: Engine, product: Product, log):
        self.engine, self.product, self.log = engine, product, log

    def run(self, place, steps: list, *, data: bool = False, ports: bool = False, as_database: bool = False) -> list:
        """The result of each step. `place` names replica and node; `data`: with the database's volume; `ports`: takes the replica's
        host ports, to see that they are free; `as_database`: answers to the name of the replica's database meanwhile."""
        self.clear(place.node)
        binds = [f"dtr-ca-{place.id}:/ca"] + ([f"dtr-rethink-{place.id}:/data"] if data else [])
        host = {"Binds": binds, "NetworkMode": NETWORK, "LogConfig": {"Type": "none", "Config": {}}}
        spec = {
            "Image": self.product.tool, "Entrypoint": ["python3", "-m", "standin.dtr_tool.phase2"], "Cmd": [],
            "Labels": {REPLICA_LABEL: place.id}, "HostConfig": host, "NetworkingConfig": {"EndpointsConfig": {NETWORK: {}}},
        }
        if as_database:
            spec["NetworkingConfig"]["EndpointsConfig"][NETWORK] = {"Aliases": [f"dtr-rethinkdb-{place.id}"]}
        if ports:
            spec.update(specs.published(place))
            host["PortBindings"] = specs.bindings(place)
        self.log.debug(f"starting {NAME} on {place.node}: {', '.join(step['do'] for step in steps)}")
        identity = self.engine.create(place.node, NAME, spec)
        try:
            self.engine.put(identity, "/", tar_of({f"{FOLDER[1:]}/request.json": json.dumps(steps).encode()}))
            self._start(identity, place, ports)
            self.engine.wait(identity, SECONDS)
            return self._outcome(json.loads(self.engine.read(identity, RESULT)))
        finally:
            with contextlib.suppress(Fatal):
                self.engine.remove(identity)

    def clear(self, node: str) -> None:
        """An interrupted run leaves its helper."""
        for container in self.engine.containers():
            if container["name"] == NAME and container["node"] == node:
                self.log.info(f"Waiting for running {NAME} container to finish")
                self.engine.remove(container["id"])

    def _start(self, identity: str, place, ports: bool) -> None:
        try:
            self.engine.start(identity)
        except Fatal as problem:
            if ports and ("already" in str(problem) or "in use" in str(problem)):
                raise Fatal(f"The ports {place.http_port} and {place.https_port} are not both free on the node {place.node} ({problem}): "
                            "free them, or give others with --replica-http-port and --replica-https-port") from None
            raise

    def _outcome(self, result: dict) -> list:
        if result["problem"]:
            raise Fatal(result["problem"])
        return result["results"]
