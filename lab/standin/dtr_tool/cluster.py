# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DTR's replicas as UCP's list of containers shows them, and which node may take a new one: decisions, no requests."""

from __future__ import annotations

import dataclasses
import random
import re
import secrets

from .errors import Fatal
from .product import COMPONENTS, numbers

NAME = re.compile(rf"dtr-({'|'.join(COMPONENTS)})-([0-9a-f]{{12}})")
VOLUME = re.compile(r"dtr-(?:ca|notary|postgres|registry|rethink|nfs-registry)-([0-9a-f]{12})")
VERSION_LABEL, REPLICA_LABEL = "com.docker.dtr.version", "com.docker.dtr.replica"


@dataclasses.dataclass
class Replica:
    """`containers`: by component, as Engine.containers() gives them."""

    id: str
    node: str
    containers: dict = dataclasses.field(default_factory=dict)

    @property
    def version(self) -> str:
        """The lowest of its containers': an interrupted upgrade leaves two."""
        return min(self.versions, key=numbers, default="")

    @property
    def versions(self) -> set:
        return {container["labels"].get(VERSION_LABEL, "") for container in self.containers.values()} - {""}

    @property
    def complete(self) -> bool:
        return set(self.containers) == set(COMPONENTS)


def replicas_of(containers: list) -> dict:
    """{id: Replica}"""
    found = {}
    for container in containers:
        match = NAME.fullmatch(container["name"])
        if match:
            component, identity = match.groups()
            found.setdefault(identity, Replica(identity, container["node"])).containers[component] = container
    return found


def listed(replicas) -> str:
    return " ".join(sorted(replicas)) or "none"


def existing(replicas: dict, identity: str) -> Replica:
    if identity not in replicas:
        raise Fatal(f"Replica {identity} was not found on any node that answers; this cluster contains the replicas: "
                    f"{listed(replicas)}. Give one of them with --existing-replica-id")
    return replicas[identity]


def new_id(wanted: str, taken) -> str:
    """`taken`: ids that containers, volumes or metadata have already."""
    if not wanted:
        return secrets.token_hex(6)
    if wanted in taken:
        raise Fatal(f"Replica ID {wanted} is in use already: give another one with --replica-id, or free it with "
                    f"`destroy --replica-id {wanted}` (`remove` when it is part of a healthy cluster)")
    return wanted


def choose_node(nodes: list, replicas: dict, wanted: str) -> dict:
    """The node for a new replica: the named one, else a random worker without one."""
    taken = {replica.node: replica.id for replica in replicas.values()}
    if not wanted:
        free = [node for node in nodes if node["ready"] and node["role"] == "worker" and node["name"] not in taken]
        if not free:
            raise Fatal("There is no worker node that is ready and has no DTR replica: join one to UCP, or name a node with --ucp-node")
        return random.choice(free)
    found = [node for node in nodes if node["name"] == wanted]
    if not found:
        names = " ".join(sorted(node["name"] for node in nodes))
        raise Fatal(f"UCP has no node {wanted}; its nodes are: {names}. Give one with --ucp-node")
    if not found[0]["ready"]:
        raise Fatal(f"The node {wanted} is not ready: bring it back, or name another one with --ucp-node")
    if wanted in taken:
        raise Fatal(f"The node {wanted} has the DTR replica {taken[wanted]} already: a node takes one only; "
                    "name another one with --ucp-node")
    return found[0]


def even_hint(count: int) -> str:
    """DTR docs, high availability: 1, 3, 5 or 7 replicas; two are worse than one."""
    if count % 2:
        return ""
    return (f"The cluster has {count} replicas now: with an even number it survives no more failures than with {count - 1}; "
            "join one more replica")
