# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run's connection to UCP, and what all commands look at first."""

from __future__ import annotations

import tomllib

from . import cluster, product
from .engine import NOWHERE, Engine, trouble
from .errors import Fatal
from .helper import Helper
from .specs import Place
from .ucp_client import Refused, UcpClient

REGISTRATION = "/_standin/dtr"
MEMORY_KEPT_MB = 1024


class Session:
    """`nodes`: by name; `replicas`: by id, those on nodes that answer."""

    def __init__(self, wares: product.Product, values: dict, log, *, ucp, engine: Engine, helper: Helper):
        self.product, self.values, self.log = wares, values, log
        self.ucp, self.engine, self.helper = ucp, engine, helper
        self.ucp_version = ""
        self.nodes: dict = {}
        self.replicas: dict = {}

    @classmethod
    def connect(cls, wares: product.Product, values: dict, log) -> Session:
        log.info("Validating UCP cert")
        ucp = UcpClient(values["ucp-url"], values.get("ucp-ca", ""), values.get("ucp-insecure-tls", False))
        log.info("Connecting to UCP")
        ucp.sign_in(values["ucp-username"], values["ucp-password"])
        engine = Engine(ucp)
        session = cls(wares, values, log, ucp=ucp, engine=engine, helper=Helper(engine, wares, log))
        session.look()
        return session

    def look(self) -> None:
        self.log.info("health checking ucp")
        try:
            self.ucp.call("GET", "/_ping")
        except Refused as refused:
            raise Fatal(f"UCP at {self.ucp.url} is not healthy: {refused.message}; see its status first") from None
        self.ucp_version = self.ucp.call("GET", "/version")["Version"].removeprefix("ucp/")
        self.nodes = {node["name"]: node for node in self.engine.nodes()}
        self.search()

    def search(self) -> None:
        self.log.info("Searching containers in UCP for DTR replicas")
        self.replicas = cluster.replicas_of(self.engine.containers())
        self.log.debug(f"This cluster contains the replicas: {cluster.listed(self.replicas)}")

    # Checks

    def check_ucp(self) -> None:
        self.log.info("Verifying your system is compatible with DTR")
        problem = product.ucp_problem(self.product.version, self.ucp_version)
        if problem:
            raise Fatal(problem)

    def existing(self) -> cluster.Replica:
        return cluster.existing(self.replicas, self.values["existing-replica-id"])

    def check_version(self, replica: str, version: str) -> None:
        if version != self.product.version:
            raise Fatal(f"Replica {replica} is of version {version}, and this is docker/dtr {self.product.version}: "
                        f"use the image of version {version}")

    def check_images(self, node: str) -> None:
        missing = [name for name in self.product.images() if name not in self.engine.images_of(node)]
        if missing:
            raise Fatal(f"The node {node} has no image {', '.join(missing)}, and nothing can be pulled: load them there first; "
                        "the command `images` lists all that are needed")

    def warn_of_manager(self, node: dict) -> None:
        self.log.info("Checking if the node is okay to install on")
        if node["role"] == "manager":
            self.log.warn(f"The node {node['name']} is a UCP manager. It is recommended to install DTR on worker nodes")
            self.log.warn("DTR and UCP share the node's ports and memory: give ports that UCP does not use")

    def health(self, replica: cluster.Replica, steps: list) -> tuple:
        """(status of the metadata, {id: "" or what is wrong}, results of the steps): the replica's view of all that the metadata know of.

        Without quorum the steps are not done.
        """
        (status, pings), *results = self.helper.run(self.place_of(replica), [{"do": "look", "replicas": [replica.id]}, *steps])
        members = {member["name"].removeprefix("dtr-rethinkdb-"): member["healthy"] for member in status["members"]}
        return status, {
            one: problem or ("" if members.get(one) else "its database is no healthy member of the cluster")
            for one, problem in pings.items()
        }, results

    def check_healthy(self, replica: cluster.Replica, steps: list | None = None) -> tuple:
        """As health(); the replica has to be well and its cluster has to have quorum."""
        status, health, results = self.health(replica, steps or [])
        if not status["quorum"]:
            raise Fatal("The cluster has lost its quorum: start the replicas that are down, or run `emergency-repair` with one of them")
        if health[replica.id]:
            raise Fatal(f"Replica {replica.id} is not healthy: {health[replica.id]}; give a healthy one with --existing-replica-id")
        return status, health, results

    def strangers(self, status: dict) -> list:
        """Replicas whose containers run without being part of the cluster: their node came back after a removal or repair."""
        found = sorted(set(self.replicas) - set(status["replicas"]))
        if found:
            self.log.warn(f"These replicas are not part of the cluster: {' '.join(found)}; `destroy` them")
        return found

    # What is known of a replica

    def place_of(self, replica: cluster.Replica) -> Place:
        place = Place(replica.id, replica.node, self.nodes.get(replica.node, {}).get("address", ""))
        if "nginx" in replica.containers:
            bound = self.engine.inspect(replica.containers["nginx"]["id"])["HostConfig"].get("PortBindings") or {}
            place.http_port, place.https_port = (int(bound[name][0]["HostPort"]) if name in bound else port
                                                 for name, port in (("80/tcp", 80), ("443/tcp", 443)))
        if "rethinkdb" in replica.containers:
            environment = self.engine.inspect(replica.containers["rethinkdb"]["id"])["Config"].get("Env") or []
            place.cache = int(dict(entry.partition("=")[::2] for entry in environment).get("RETHINKDB_CACHE_MB", 0))
        return place

    def cache_for(self, node: str) -> int:
        """MB; half of the node's memory after what is kept back (DTR docs: install)."""
        wanted = self.values.get("replica-rethinkdb-cache-mb", "auto")
        if wanted != "auto":
            return wanted
        size = max(256, (self.nodes[node]["memory"] // (1 << 20) - MEMORY_KEPT_MB) // 2)
        self.log.info(f"Automatically configuring rethinkdb cache size to {size} mb")
        return size

    # UCP

    def register(self, host: str, ca: str, replicas, former: str = "") -> dict:
        """Makes DTR known to UCP; returns how DTR reaches UCP's accounts."""
        body = {"host": host, "ca": ca, "replicas": sorted(replicas), **({"former": former} if former else {})}
        try:
            return self.ucp.call("POST", REGISTRATION, body)["store"]
        except Refused as refused:
            raise Fatal(f"UCP refused the registration of DTR as {host}: {refused.message}") from None

    def license(self) -> dict:
        try:
            found = self.ucp.call("GET", "/api/config/license").get("license_config") or {}
        except Refused as refused:
            if refused.status != 404:
                raise Fatal(f"UCP's license cannot be read: {refused.message}") from None
            found = {}
        found = found if found.get("key_id") else {}   # UCP without a license shows empty fields
        self.log.info("License config copied from UCP." if found else
                      "License config not copied from UCP because UCP has no valid license.")
        return found

    def content_trust(self) -> bool:
        return bool(self._configuration().get("trust_configuration", {}).get("require_content_trust"))

    def check_scheduling(self) -> None:
        """UCP takes the first container on a worker; with it the node counts as DTR's, and the next one is refused. Better said before."""
        if not self._configuration().get("scheduling_configuration", {}).get("enable_admin_ucp_scheduling"):
            raise trouble(Refused(500, NOWHERE))

    def _configuration(self) -> dict:
        return tomllib.loads(self.ucp.call("GET", "/api/ucp/config-toml"))
