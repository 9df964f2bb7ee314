# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trusted registries: a DTR makes itself known to UCP, reads UCP's store from then on, and every node's engine trusts its certificate.

The route is the stand-in's own: how docker/dtr registers is not documented. UCP's docs say that the CA comes to /etc/docker/certs.d.
"""

from __future__ import annotations

import asyncio
import io
import pathlib
import tarfile
from urllib.parse import quote

from ..answers import Answer
from ..cluster import pki
from ..errors import Refused
from ..ucp_node.layout import PROXY, STORE_PORT
from ..ucp_node.rounds import address_of
from .client import VERSION
from .nodes import SLOW_SECONDS

CLUSTER_CA = pathlib.Path("/cluster-root-ca")
TRUST = "/etc/docker/certs.d"


class Registrations:
    """What stands in UCP's configuration below `registries` is registered. `follow` brings those CAs to the nodes."""

    def __init__(self, standin, nodes):
        self.standin, self.nodes = standin, nodes
        self._placed: dict[str, dict[str, str]] = {}   # node -> what was brought there since this manager leads

    def entries(self) -> dict[str, dict]:
        return {entry["host_address"]: entry for entry in self.standin.ucp.config.document.get("registries", [])}

    def add(self, given: dict) -> dict:
        host, ca = given.get("host"), given.get("ca", "")
        if not isinstance(host, str) or not host or "/" in host or not isinstance(ca, str):
            raise Refused(400, "INVALID_JSON", "host (name, with the port where it is not 443) and ca (PEM) are needed")
        if given.get("former") not in (None, host) and given["former"] in self.entries():
            self.remove(given["former"])
        if self.entries().get(host, {}).get("ca_bundle", "") != ca or host not in self.entries():
            self.standin.ucp.config.add_registry(host, ca)
        return {"service_id": self.entries()[host]["service_id"], "store": self._access(host)}

    def remove(self, host: str) -> None:
        if host not in self.entries():
            raise Refused(404, "NO_SUCH_REGISTRY", f"{host} is not registered")
        config = self.standin.ucp.config
        config.replace({**config.document, "registries": [entry for name, entry in self.entries().items() if name != host]})

    def _access(self, host: str) -> dict:
        """A client certificate for UCP's store, and where that is."""
        authority = pki.Authority(CLUSTER_CA, "UCP Cluster Root CA")
        certificate, key = pki.issue(authority, f"dtr {host}", [])
        managers = [address_of(node) for node in self.nodes.all.values() if node["Spec"]["Role"] == "manager"]
        return {
            "endpoints": [f"https://{address}:{STORE_PORT}" for address in managers], "ca": authority.pem,
            "certificate": certificate, "key": key,
        }

    async def follow(self) -> None:
        """Every reachable node has the CA of every registered DTR, and of none that was removed since this manager leads."""
        wanted = {host: entry["ca_bundle"] for host, entry in self.entries().items() if entry.get("ca_bundle")}
        stale = [node for node in self.nodes.reachable if self._placed.get(node) != wanted]
        await asyncio.gather(*(self._place(node, wanted) for node in stale))

    async def _place(self, node: str, wanted: dict[str, str]) -> None:
        before = self._placed.get(node, {})
        target = f"/{VERSION}/containers/{PROXY}/archive?path=/etc/docker"
        async with self.nodes.request(node, "PUT", target, data=_packed(wanted), timeout=SLOW_SECONDS) as answer:
            if answer.status != 200:
                return   # its agent is just making the container anew
        for host in before.keys() - wanted.keys():
            made = await self.nodes.ask(node, "POST", f"/containers/{PROXY}/exec", {"Cmd": ["rm", "-rf", f"{TRUST}/{host}"]})
            await self.nodes.ask(node, "POST", f"/exec/{quote(made['Id'])}/start", {"Detach": True})
        self._placed[node] = dict(wanted)


def _packed(authorities: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in ("certs.d", *(f"certs.d/{host}" for host in authorities)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
        for host, ca in authorities.items():
            file = tarfile.TarInfo(f"certs.d/{host}/ca.crt")
            file.size, file.mode = len(ca.encode()), 0o644
            archive.addfile(file, io.BytesIO(ca.encode()))
    return made.getvalue()


async def register(standin, call):
    return standin.registrations.add(await call.request.json())


def unregister(standin, call):
    standin.registrations.remove(call.path["host"])
    return Answer(204)
