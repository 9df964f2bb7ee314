# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one configuration file of a replica or manager, read by each of its processes (JSON)."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import ssl

PRODUCTS = ("dtr", "ucp")


class ConfigError(ValueError):
    """The file cannot be used; the message says why."""


@dataclasses.dataclass
class Etcd:
    """`client`, `peer`: host:port under which others reach this member. `initial_cluster` counts while `data` is empty ("": alone)."""

    name: str
    client: str
    peer: str
    data: str = "/data"
    client_listen: str = "0.0.0.0:28015"
    peer_listen: str = "0.0.0.0:29015"
    initial_cluster: str = ""
    join: bool = False
    heartbeat: int = 500     # milliseconds; generous, because laboratories share few processors
    election: int = 5000


@dataclasses.dataclass
class Backend:
    """`advertise`: host:port at which fronts reach it while it is the leader."""

    advertise: str
    listen: str = "0.0.0.0:4443"


@dataclasses.dataclass
class Front:
    """`listen_*` inside the container, "" for none; `public_*`: the ports of the host."""

    listen_https: str = "0.0.0.0:443"
    listen_http: str = ""
    public_https: int = 443
    public_http: int = 80


@dataclasses.dataclass
class Registry:
    advertise: str
    listen: str = "0.0.0.0:5000"
    storage: str = "/storage"
    binary: str = "docker-registry"


@dataclasses.dataclass
class Config:
    """`id`: replica id, or the node's id in the swarm; `pki`: see pki.py; `ttl`: seconds of the leader's lease."""

    product: str
    version: str
    id: str
    node: str
    pki: str
    etcd: Etcd
    backend: Backend
    front: Front
    registry: Registry | None = None
    state: str = "/tmp/standin"
    web: str = ""         # UCP: folder with ca.pem, cert.pem, key.pem
    client_ca: str = ""   # UCP: folder with ca.pem, ca-key.pem
    ttl: int = 15
    extensions: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def read(cls, path) -> Config:
        try:
            return cls.of(json.loads(pathlib.Path(path).read_text()))
        except (OSError, ValueError) as problem:
            raise ConfigError(f"{path}: {problem}") from None

    @classmethod
    def of(cls, document: dict) -> Config:
        parts = {"etcd": Etcd, "backend": Backend, "front": Front, "registry": Registry}
        made = {name: _made(kind, name, document[name]) for name, kind in parts.items() if document.get(name) is not None}
        config = _made(cls, "the configuration", {**document, **made})
        if config.product not in PRODUCTS:
            raise ConfigError(f"product is {config.product!r}, has to be one of {', '.join(PRODUCTS)}")
        needed = ("registry",) if config.product == "dtr" else ("web", "client_ca")
        missing = [name for name in needed if not getattr(config, name)]
        if missing:
            raise ConfigError(f"{', '.join(missing)} is missing; {config.product} needs it")
        return config

    def write(self, path) -> None:
        """Readable by its owner only; replaces the file in one step."""
        partial = pathlib.Path(f"{path}.new")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(dataclasses.asdict(self), indent=1))
        partial.replace(path)

    @property
    def own_endpoint(self) -> str:
        return f"https://{self.etcd.client}"

    def server_context(self) -> ssl.SSLContext:
        """For listeners that only members of the cluster may talk to."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_verify_locations(f"{self.pki}/ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(f"{self.pki}/node.pem", f"{self.pki}/node-key.pem")
        return context

    def client_context(self) -> ssl.SSLContext:
        """For talking to them."""
        context = ssl.create_default_context(cafile=f"{self.pki}/ca.pem")
        context.load_cert_chain(f"{self.pki}/node.pem", f"{self.pki}/node-key.pem")
        return context


def _made(kind, name: str, document):
    """A dataclass of a document; what it does not know is refused."""
    if not isinstance(document, dict):
        raise ConfigError(f"{name} has to be a mapping")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(document) - set(fields))
    required = {key for key, field in fields.items()
                if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING}
    missing = sorted(required - set(document))
    if unknown or missing:
        wrong = [f"{label} {', '.join(names)}" for label, names in (("does not know", unknown), ("lacks", missing)) if names]
        raise ConfigError(f"{name} {' and '.join(wrong)}")
    return kind(**document)


def address(text: str) -> tuple[str, int]:
    """`host:port` as (host, port)."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal():
        raise ConfigError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def private_folder(path) -> pathlib.Path:
    """The folder, made where it is absent, for nobody else."""
    folder = pathlib.Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o700)
    return folder
