# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The swarm as UCP shows it: the engine's own nodes and tokens, with UCP's word on how each node is."""

from __future__ import annotations

from ..errors import Refused
from ..ucp_swarm import COLLECTION_LABEL, Swarm
from .nodes import SLOW_SECONDS, Nodes

CONTAINERS_OF_DTR = "com.docker.dtr.replica"   # their label


class RealSwarm(Swarm):
    """Takes the place of the single-process stand-in's swarm; what reads is as of the last look."""

    def __init__(self, ucp, nodes: Nodes):
        super().__init__(ucp)
        self.engines = nodes
        self.dtr_nodes: set[str] = set()    # ids of the nodes that replicas run on

    def nodes(self) -> list[dict]:
        found = []
        health = {name: replica["health"] for name, replica in self.standin.replicas().items()}
        for node in self.engines.all.values():
            labels = {COLLECTION_LABEL: self._collection(node), **node["Spec"].get("Labels", {})}
            status = {**node["Status"], "Message": self._message(node, health)}
            shown = {**node, "Spec": {**node["Spec"], "Labels": labels}, "Status": status}
            found.append({"node": shown, "collection": labels[COLLECTION_LABEL]})
        return found

    def _collection(self, node: dict) -> str:
        """UCP docs, resource sets: managers and nodes of DTR stand in /System."""
        return "/System" if node["Spec"]["Role"] == "manager" or node["ID"] in self.dtr_nodes else "/Shared"

    def _message(self, node: dict, health: dict) -> str:
        """UCP docs, troubleshoot node messages."""
        role = node["Spec"]["Role"]
        if node["Status"]["State"] != "ready":
            return node["Status"].get("Message") or "heartbeat failure"
        if node["ID"] not in self.engines.reachable:
            return "[Pending] Completing node registration"
        if role == "manager":
            state = health.get(node["ID"], "[Pending] Node is being reconfigured")
            if state != "OK":
                return state if state.startswith("[") else f"Unhealthy UCP Controller: {state}"
        return f"Healthy UCP {role}"

    async def changed_node(self, node: dict, spec: dict, version: int) -> None:
        labels = spec.get("Labels") or {}
        if COLLECTION_LABEL in labels:
            self.ucp.collections.by_path(labels[COLLECTION_LABEL])
        await self.engines.ask(None, "POST", f"/nodes/{node['ID']}/update", spec, query={"version": version}, timeout=SLOW_SECONDS)
        await self.engines.look()

    async def deleted_node(self, node: dict, force: bool) -> None:
        await self.engines.ask(None, "DELETE", f"/nodes/{node['ID']}", query={"force": int(force)}, timeout=SLOW_SECONDS)
        await self.engines.look()

    async def look(self) -> None:
        await self.engines.look()
        listed = await self.engines.ask_all("/containers/json", query={"all": 1, "filters": {"label": [CONTAINERS_OF_DTR]}})
        self.dtr_nodes = {node for node, containers in listed if containers}

    def eligible(self, node: dict) -> bool:
        """Whether a container may be put there (UCP docs, restrict services to worker nodes)."""
        allowed = self.ucp.config.document["scheduling_configuration"].get("enable_admin_ucp_scheduling", False)
        reserved = node["Spec"]["Role"] == "manager" or node["ID"] in self.dtr_nodes
        return allowed or not reserved


async def update_node(standin, call):
    swarm, version = standin.ucp.swarm, _number(call.query, "version")
    node = swarm.node(call.caller, call.path["id"])
    await swarm.changed_node(node, await call.request.json(), version)


async def delete_node(standin, call):
    swarm = standin.ucp.swarm
    await swarm.deleted_node(swarm.node(call.caller, call.path["id"]), call.query.get("force", "0") in ("1", "true", "True"))


def _number(query: dict, name: str) -> int:
    try:
        return int(query[name])
    except (KeyError, ValueError):
        raise Refused(400, "INVALID_PARAMETERS", f"invalid or missing {name}") from None
