# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UCP's view of the Swarm: nodes, their roles and labels, and the join tokens."""

from __future__ import annotations

import json
import secrets
import string

from .answers import Answer
from .errors import Refused
from .server import operation

NODE = "node"
SWARM = "swarm"
COLLECTION_LABEL = "com.docker.ucp.access.label"
# What a stand-in has that was told nothing about nodes.
SEED = ({"hostname": "ucp-1", "role": "manager", "address": "10.0.0.1"}, {"hostname": "dtr-1", "role": "worker", "address": "10.0.0.11"})
ENGINE_VERSION = "19.03.5"
_LETTERS = string.ascii_lowercase + string.digits


def _identity(length: int = 25) -> str:
    """The way Swarm names things."""
    return "".join(secrets.choice(_LETTERS) for _letter in range(length))


class Swarm:
    """Nodes by id, in the shape of the Engine API. A change raises `Version.Index`, and asks for the index that it was made for."""

    def __init__(self, ucp):
        self.ucp, self.standin, self.store = ucp, ucp.standin, ucp.standin.store

    def seed(self, nodes) -> None:
        """`nodes`: `{"hostname", "role", "address"}` and, where wanted, `"id"`, `"availability"`, `"labels"`, `"state"`, `"message"`."""
        if self.standin.cluster or self.store.get(SWARM, SWARM):   # in a cluster the swarm is a real one
            return
        now = self.standin.stamp()
        self.store.put(SWARM, SWARM, {
            "ID": _identity(), "CreatedAt": now, "UpdatedAt": now, "Version": {"Index": 10}, "RootRotationInProgress": False,
            "Spec": {"Name": "default", "Labels": {}, "Orchestration": {"TaskHistoryRetentionLimit": 5}},
            "JoinTokens": {"Worker": self._token(), "Manager": self._token()},
        })
        for index, node in enumerate(nodes or SEED):
            self._add(node, index, now)

    def nodes(self) -> list[dict]:
        """Every node as `{"node": ..., "collection": path}`."""
        return [{"node": node, "collection": node["Spec"]["Labels"][COLLECTION_LABEL]} for node in self.store.all(NODE)]

    def visible(self, caller) -> list[dict]:
        grants, collections = self.ucp.grants, self.ucp.collections
        return [entry["node"] for entry in self.nodes() if grants.covers(caller, collections.by_path(entry["collection"]))]

    def node(self, caller, identity: str) -> dict:
        """By id or by host name."""
        for node in self.visible(caller):
            if identity in (node["ID"], node["Description"]["Hostname"]):
                return node
        raise Refused(404, "NO_SUCH_NODE", f"node {identity} not found")

    def update_node(self, node: dict, spec: dict, version: int) -> None:
        self._check_version(node, version)
        labels = {COLLECTION_LABEL: "/Shared", **spec.get("Labels", {})}
        self.ucp.collections.by_path(labels[COLLECTION_LABEL])
        if spec.get("Role", "worker") == "worker" and self._managers() == [node["ID"]]:
            raise Refused(400, "LAST_MANAGER", "attempting to demote the last manager of the swarm")
        changed = {**node, "Spec": {"Role": "worker", "Availability": "active", **spec, "Labels": labels}}
        if changed["Spec"]["Role"] == "manager":
            changed.setdefault("ManagerStatus", {"Leader": False, "Reachability": "reachable", "Addr": f"{node['Status']['Addr']}:2377"})
        else:
            changed.pop("ManagerStatus", None)
        self.store.put(NODE, node["ID"], self._touched(changed))

    def delete_node(self, node: dict, force: bool) -> None:
        if self._managers() == [node["ID"]]:
            raise Refused(500, "LAST_MANAGER", f"node {node['ID']} is the last manager of the swarm")
        if node["Status"]["State"] != "down" and not force:
            raise Refused(500, "NODE_NOT_DOWN", f"node {node['ID']} is not down and can't be removed")
        self.store.delete(NODE, node["ID"])

    def update(self, spec: dict, version: int, rotate: list[str]) -> None:
        """`rotate`: of "Worker", "Manager"."""
        swarm = self.store.get(SWARM, SWARM)
        self._check_version(swarm, version)
        tokens = {**swarm["JoinTokens"], **{name: self._token() for name in rotate}}
        self.store.put(SWARM, SWARM, self._touched({**swarm, "Spec": spec, "JoinTokens": tokens}))

    def _managers(self) -> list[str]:
        return [node["ID"] for node in self.store.all(NODE) if node["Spec"]["Role"] == "manager"]

    def _check_version(self, thing: dict, version: int) -> None:
        if thing["Version"]["Index"] != version:
            raise Refused(500, "OUT_OF_SEQUENCE", "rpc error: code = Unknown desc = update out of sequence")

    def _touched(self, thing: dict) -> dict:
        return {**thing, "Version": {"Index": thing["Version"]["Index"] + 1}, "UpdatedAt": self.standin.stamp()}

    def _token(self) -> str:
        return f"SWMTKN-1-{_identity(50)}-{_identity()}"

    def _add(self, node: dict, index: int, now: str) -> None:
        manager = node["role"] == "manager"
        labels = {COLLECTION_LABEL: "/System" if manager else "/Shared", **node.get("labels", {})}
        document = {
            "ID": node.get("id") or _identity(), "Version": {"Index": 20 + index}, "CreatedAt": now, "UpdatedAt": now,
            "Spec": {"Role": node["role"], "Availability": node.get("availability", "active"), "Labels": labels},
            "Description": {
                "Hostname": node["hostname"], "Platform": {"Architecture": "x86_64", "OS": "linux"},
                "Resources": {"NanoCPUs": 4_000_000_000, "MemoryBytes": 16 << 30}, "Engine": {"EngineVersion": ENGINE_VERSION},
            },
            "Status": {"State": node.get("state", "ready"), "Message": node.get("message", "Healthy UCP"), "Addr": node["address"]},
        }
        if manager:
            document["ManagerStatus"] = {"Leader": not self._managers(), "Reachability": "reachable", "Addr": f"{node['address']}:2377"}
        self.store.put(NODE, document["ID"], document)


@operation("GET", "/nodes", product="ucp")
def list_nodes(standin, call):
    wanted = _filters(call.query.get("filters"))
    return [node for node in standin.ucp.swarm.visible(call.caller) if all(_passes(node, name, values) for name, values in wanted.items())]


def _filters(text: str | None) -> dict[str, list]:
    """`{"role": ["manager"]}`: the Engine API's filters, as JSON in the query; `id`, `name`, `role` and `node.label` are emulated."""
    try:
        wanted = json.loads(text or "{}")
    except ValueError as error:
        raise Refused(500, "INVALID_FILTERS", f"invalid filters: {error}") from None
    if unknown := wanted.keys() - {"id", "name", "role", "node.label"}:
        raise Refused(500, "INVALID_FILTERS", f"invalid filter {', '.join(sorted(unknown))}")
    return wanted


def _passes(node: dict, name: str, values: list) -> bool:
    """One of the values holds. Ids and names match by their beginning, as in the Engine."""
    labels = [*node["Spec"]["Labels"], *(f"{label}={value}" for label, value in node["Spec"]["Labels"].items())]
    has = {"id": [node["ID"]], "name": [node["Description"]["Hostname"]], "role": [node["Spec"]["Role"]], "node.label": labels}[name]
    same = str.startswith if name in ("id", "name") else str.__eq__
    return any(same(own, value) for own in has for value in values)


@operation("GET", "/nodes/{id}", product="ucp")
def get_node(standin, call):
    return standin.ucp.swarm.node(call.caller, call.path["id"])


@operation("POST", "/nodes/{id}/update", auth="admin", product="ucp")
def update_node(standin, call):
    standin.ucp.swarm.update_node(standin.ucp.swarm.node(call.caller, call.path["id"]), call.body or {}, call.query["version"])
    return Answer(200)


@operation("DELETE", "/nodes/{id}", auth="admin", product="ucp")
def delete_node(standin, call):
    standin.ucp.swarm.delete_node(standin.ucp.swarm.node(call.caller, call.path["id"]), call.query["force"])
    return Answer(200)


@operation("GET", "/swarm", auth="admin", product="ucp")
def get_swarm(standin, call):
    return standin.store.get(SWARM, SWARM)


@operation("POST", "/swarm/update", auth="admin", product="ucp")
def update_swarm(standin, call):
    if call.query["rotateManagerUnlockKey"]:
        raise Refused(400, "NOT_EMULATED", "the stand-in has no unlock key")
    rotate = [name for name in ("Worker", "Manager") if call.query[f"rotate{name}Token"]]
    standin.ucp.swarm.update(call.body, call.query["version"], rotate)
    return Answer(200)
