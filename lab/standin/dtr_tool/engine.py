# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The swarm's nodes, containers, volumes and networks, as UCP shows them: names carry the node in front (`/dtr-1/dtr-api-ID`)."""

from __future__ import annotations

import io
import json
import tarfile
import time

from .errors import Fatal
from .ucp_client import Refused, UcpClient

NETWORK = "dtr-ol"
NOWHERE = "could not find any nodes on which the container could be created"   # DTR docs: system requirements
START_SECONDS = 120
STOP_SECONDS = 30


def trouble(refused: Refused) -> Fatal:
    """The way the engine's client prints it (DTR docs: system requirements)."""
    return Fatal(f"Error response from daemon: {json.dumps({'message': refused.message})}")


class Engine:
    def __init__(self, ucp: UcpClient):
        self.ucp = ucp

    def _do(self, verb: str, path: str, body=None, query=None, *, timeout: float = 60, missing=None):
        """`missing`: the result when the thing is not there; without it, that is fatal as all other refusals."""
        try:
            return self.ucp.call(verb, path, body, query, timeout=timeout)
        except Refused as refused:
            if refused.status == 404 and missing is not None:
                return missing
            raise trouble(refused) from None

    # Nodes

    def nodes(self) -> list:
        """[{"name", "role", "ready", "address", "id", "memory"}], memory in bytes"""
        return [
            {"name": node["Description"]["Hostname"], "id": node["ID"], "role": node["Spec"]["Role"],
             "ready": node["Status"]["State"] == "ready", "address": node["Status"].get("Addr", ""),
             "memory": node["Description"].get("Resources", {}).get("MemoryBytes", 0)}
            for node in self._do("GET", "/nodes")
        ]

    # Containers

    def containers(self) -> list:
        """DTR's, of all nodes that answer: [{"id", "node", "name", "labels", "state"}]"""
        found = []
        for entry in self._do("GET", "/containers/json", query={"all": 1, "filters": json.dumps({"name": ["dtr-"]})}):
            node, _slash, name = entry["Names"][0].lstrip("/").rpartition("/")
            labels = entry.get("Labels") or {}
            found.append({"id": entry["Id"], "node": node, "name": name, "labels": labels, "state": entry.get("State", "")})
        return found

    def used_ports(self, node: str) -> dict:
        """{host port: container} of what the node's containers publish."""
        used = {}
        for entry in self._do("GET", "/containers/json"):
            where, _slash, name = entry["Names"][0].lstrip("/").rpartition("/")
            if where == node:
                used.update({port["PublicPort"]: name for port in entry.get("Ports") or [] if port.get("PublicPort")})
        return used

    def create(self, node: str, name: str, spec: dict) -> str:
        spec = {**spec, "Env": [*spec.get("Env", []), f"constraint:node=={node}"]}
        return self._do("POST", "/containers/create", spec, {"name": name})["Id"]

    def start(self, identity: str) -> None:
        self._do("POST", f"/containers/{identity}/start", timeout=START_SECONDS)

    def stop(self, identity: str) -> None:
        self._do("POST", f"/containers/{identity}/stop", query={"t": STOP_SECONDS}, timeout=STOP_SECONDS + 30, missing="")

    def wait(self, identity: str, seconds: float) -> int:
        """The exit code."""
        return self._do("POST", f"/containers/{identity}/wait", timeout=seconds)["StatusCode"]

    def inspect(self, identity: str) -> dict:
        return self._do("GET", f"/containers/{identity}/json")

    def remove(self, identity: str) -> None:
        self._do("DELETE", f"/containers/{identity}", query={"force": 1}, timeout=START_SECONDS, missing="")

    # Files in a container

    def put(self, identity: str, folder: str, archive) -> None:
        """`archive`: a tar as a binary file."""
        try:
            where = {"path": folder}
            self.ucp.open("PUT", f"/containers/{identity}/archive", archive, kind="application/x-tar", query=where, timeout=600).close()
        except Refused as refused:
            raise trouble(refused) from None

    def get(self, identity: str, path: str):
        """The tar of a path, as the answer of the request: to be read and closed."""
        try:
            return self.ucp.open("GET", f"/containers/{identity}/archive", query={"path": path}, timeout=600)
        except Refused as refused:
            raise trouble(refused) from None

    def read(self, identity: str, path: str) -> bytes:
        with self.get(identity, path) as answer, tarfile.open(fileobj=io.BytesIO(answer.read())) as archive:
            return archive.extractfile(archive.next()).read()

    # Images, volumes, networks

    def images_of(self, node: str) -> set:
        return {
            name for image in self._do("GET", "/images/json") if image.get("Node", {}).get("Name") == node
            for name in image.get("RepoTags") or []
        }

    def volumes(self) -> list:
        """[(node, name)] of DTR's volumes"""
        names = [volume["Name"].partition("/") for volume in self._do("GET", "/volumes").get("Volumes") or []]
        return [(node, name) for node, slash, name in names if slash and name.startswith("dtr-")]

    def create_volume(self, node: str, name: str, options: dict) -> None:
        self._do("POST", "/volumes/create", {"Name": f"{node}/{name}", "Driver": "local", "DriverOpts": options})

    def remove_volume(self, node: str, name: str) -> None:
        self._do("DELETE", f"/volumes/{node}/{name}", query={"force": 1}, missing="")

    def network(self) -> dict:
        """Empty when there is none."""
        return self._do("GET", f"/networks/{NETWORK}", missing={})

    def create_network(self, subnet: str) -> None:
        self._do("POST", "/networks/create", {
            "Name": NETWORK, "Driver": "overlay", "Attachable": True, "CheckDuplicate": True,
            "IPAM": {"Driver": "default", "Config": [{"Subnet": subnet}]},
        })

    def remove_network(self) -> None:
        self._do("DELETE", f"/networks/{NETWORK}", missing="")


def tar_of(files: dict) -> io.BytesIO:
    """A tar of {path: bytes}, readable by root only."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(data), 0o600, int(time.time())
            archive.addfile(entry, io.BytesIO(data))
    stream.seek(0)
    return stream
