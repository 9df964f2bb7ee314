# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of a replica, in the shape that the engine's API creates them from (DTR docs: architecture)."""

from __future__ import annotations

import dataclasses

from .cluster import REPLICA_LABEL, VERSION_LABEL
from .engine import NETWORK
from .product import COMPONENTS, Product

CONFIG = "/ca/config.json"
SECOND = 1_000_000_000
# The working parts; the others are there by name and idle.
COMMANDS = {
    "rethinkdb": ["python3", "-m", "standin.cluster.member", CONFIG],
    "registry": ["python3", "-m", "standin.cluster.registry", CONFIG],
    "api": ["python3", "-m", "standin.cluster.backend", CONFIG],
    "nginx": ["python3", "-m", "standin.cluster.front", CONFIG],
}
NOTARY, SCANS = ("notary-server", "notary-signer"), ("scanningstore",)


@dataclasses.dataclass
class Storage:
    """Where the images are. Kept in metadata, so that joined replicas inherit it. All empty: a local volume.

    `volume`: name or absolute path; `nfs`: {"host", "path"}; `options`: of the NFS volume, word for word.
    """

    volume: str = ""
    nfs: dict = dataclasses.field(default_factory=dict)
    options: str = ""

    def source(self, replica: str) -> str:
        if self.nfs:
            return f"dtr-nfs-registry-{replica}"
        return self.volume or f"dtr-registry-{replica}"

    def volume_options(self) -> dict:
        """Of the local driver, for the NFS volume."""
        options = ",".join(part for part in (f"addr={self.nfs['host']}", self.options) if part)
        return {"type": "nfs", "o": options, "device": f":{self.nfs['path']}"}

    @classmethod
    def given(cls, values: dict) -> Storage:
        options = values.get("nfs-options") or ("rw,nfsvers=4,async" if values.get("async-nfs") else "")
        return cls(values.get("dtr-storage-volume", ""), values.get("nfs-storage-url") or {}, options)


@dataclasses.dataclass
class Place:
    """One replica to be: where it runs and what is its own."""

    id: str
    node: str
    address: str
    http_port: int = 80
    https_port: int = 443
    cache: int = 0      # MB

    @property
    def known(self) -> dict:
        """What the metadata has to know about it."""
        return {"id": self.id, "node": self.node, "http_port": self.http_port, "https_port": self.https_port}

    def names(self) -> list:
        """Everything that others call it by."""
        own = [f"dtr-{component}-{self.id}" for component in COMPONENTS]
        return [*own, *(f"{name}.{NETWORK}" for name in own), self.node, self.address]


def config(product: Product, place: Place, initial_cluster: str = "", join: bool = False) -> dict:
    """The configuration of the replica's processes (cluster/config.py)."""

    def at(component: str, port: int) -> str:
        return f"dtr-{component}-{place.id}.{NETWORK}:{port}"

    return {
        "product": "dtr", "version": product.version, "id": place.id, "node": place.node, "pki": "/ca", "state": "/tmp/standin",
        "etcd": {"name": f"dtr-rethinkdb-{place.id}", "data": "/data", "client": at("rethinkdb", 28015),
                 "peer": at("rethinkdb", 29015), "initial_cluster": initial_cluster, "join": join},
        "backend": {"advertise": at("api", 4443)},
        "front": {"listen_https": "0.0.0.0:443", "listen_http": "0.0.0.0:80",
                  "public_https": place.https_port, "public_http": place.http_port},
        "registry": {"advertise": at("registry", 5000), "storage": "/storage"},
    }


def container(product: Product, place: Place, component: str, storage: Storage) -> dict:
    binds = [f"dtr-ca-{place.id}:/ca" + ("" if component == "api" else ":ro")]
    if component == "rethinkdb":
        binds.append(f"dtr-rethink-{place.id}:/data")
    if component in ("registry", "api"):
        binds.append(f"{storage.source(place.id)}:/storage")
    if component in NOTARY:
        binds = [f"dtr-notary-{place.id}:/notary"]
    if component in SCANS:
        binds = [f"dtr-postgres-{place.id}:/postgres"]
    name = f"dtr-{component}-{place.id}"
    spec = {
        "Image": product.image(component),
        "Cmd": COMMANDS.get(component, ["python3", "-m", "standin.cluster.idle", name]),
        "Hostname": place.id,
        "Env": [f"DTR_VERSION={product.version}", f"DTR_REPLICA_ID={place.id}"],
        "Labels": labels(product, place.id),
        "HostConfig": {"Binds": binds, "NetworkMode": NETWORK, "RestartPolicy": {"Name": "unless-stopped"}},
        "NetworkingConfig": {"EndpointsConfig": {NETWORK: {}}},
    }
    if component == "rethinkdb":
        spec["Env"].append(f"RETHINKDB_CACHE_MB={place.cache}")
    if component == "nginx":
        spec.update(published(place))
        spec["HostConfig"]["PortBindings"] = bindings(place)
        spec["Healthcheck"] = {
            "Test": ["CMD", "python3", "-S", "/opt/standin/standin/dtr_tool/healthcheck.py"],
            "Interval": 30 * SECOND, "Timeout": 20 * SECOND, "StartPeriod": 60 * SECOND, "Retries": 3,
        }
    return spec


def labels(product: Product, replica: str) -> dict:
    """The text of the project is a field observation."""
    return {
        VERSION_LABEL: product.version, REPLICA_LABEL: replica,
        "com.docker.compose.project": f"Docker Trusted Registry {product.version} - (Replica {replica})",
    }


def published(place: Place) -> dict:
    return {"ExposedPorts": {"80/tcp": {}, "443/tcp": {}}}


def bindings(place: Place) -> dict:
    return {"80/tcp": [{"HostPort": str(place.http_port)}], "443/tcp": [{"HostPort": str(place.https_port)}]}
