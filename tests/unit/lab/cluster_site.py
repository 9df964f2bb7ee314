# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole clusters of the stand-in on this machine: real etcd, real Distribution, one process each, as in the containers of a replica."""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import requests
from standin.cluster import admin, pki
from standin.cluster.config import Backend, Config, Etcd, Front, Registry
from standin.cluster.etcd import EtcdError
from standin.tls import Authority
from standin_fixture import PASSWORD, ROOT

TTL = 4          # seconds of a leader's lease, shorter than in the lab
READY = 30.0     # seconds that anything may take to come up
ENVIRONMENT = {**os.environ, "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "lab")}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def local() -> str:
    return f"127.0.0.1:{free_port()}"


def eventually(check, seconds: float = READY):
    """What `check` returns as soon as that is true; it may fail until then."""
    limit, problem = time.monotonic() + seconds, None
    while time.monotonic() < limit:
        try:
            found = check()
            if found:
                return found
        except (AssertionError, OSError, EtcdError, requests.RequestException) as caught:
            problem = caught
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:g} s: {check}: {problem!r}")


class Replica:
    """The folder and the processes of one replica or manager. `parts`: member, registry, backend, front."""

    def __init__(self, folder: pathlib.Path, config: Config):
        self.folder, self.config = folder, config
        self.processes: dict[str, subprocess.Popen] = {}
        self.parts = ("member", *(("registry",) if config.registry else ()), "backend", "front")
        config.write(folder / "config.json")

    @property
    def id(self) -> str:
        return self.config.id

    @property
    def url(self) -> str:
        return f"https://{self.config.front.listen_https}"

    def start(self, *parts: str) -> None:
        for part in parts or self.parts:
            self.launch(part)

    def launch(self, part: str, *words: str) -> None:
        command = [sys.executable, "-m", f"standin.cluster.{part}", str(self.folder / "config.json"), *words]
        with (self.folder / f"{part}.log").open("ab") as log:
            self.processes[part] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT, start_new_session=True)

    def kill(self, *parts: str) -> None:
        """At once, as power failures do."""
        for part in parts or self.parts:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.processes[part].pid, signal.SIGKILL)
            self.processes[part].wait()

    def log(self, part: str) -> str:
        return (self.folder / f"{part}.log").read_text()


class Restarting(threading.Thread):
    """What an engine does with containers that ended by themselves with an error."""

    def __init__(self, replicas: list[Replica]):
        super().__init__(daemon=True)
        self.replicas, self.ended = replicas, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.3):
            for replica in list(self.replicas):
                for part, process in list(replica.processes.items()):
                    if (process.poll() or 0) > 0:
                        replica.start(part)


class Balancer(threading.Thread):
    """Passes connections on to one replica after the other, leaving out those that take none."""

    def __init__(self, targets):
        super().__init__(daemon=True)
        self.targets = targets
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.turn = itertools.count()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _where = self.socket.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        targets = self.targets()
        start = next(self.turn)
        for position in range(len(targets)):
            host, port = targets[(start + position) % len(targets)].split(":")
            with contextlib.suppress(OSError):
                server = socket.create_connection((host, int(port)), timeout=2)
                server.settimeout(None)
                threading.Thread(target=self.pump, args=(client, server), daemon=True).start()
                self.pump(server, client)
                return
        client.close()

    @staticmethod
    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


class Cluster:
    """Several replicas (dtr) or managers (ucp)."""

    def __init__(self, folder: pathlib.Path, product: str, count: int):
        self.folder, self.product = folder, product
        self.authority = Authority(folder / "ca", f"{product} internal")
        peers = [local() for _number in range(count)]
        together = ",".join(f"{self.name(number)}=https://{peer}" for number, peer in enumerate(peers))
        self.replicas = [self.make(number, peer, together) for number, peer in enumerate(peers)]
        self.keeper = Restarting(self.replicas)

    def name(self, number: int) -> str:
        return f"dtr-rethinkdb-{self.id(number)}" if self.product == "dtr" else f"manager-{number}"

    @staticmethod
    def id(number: int) -> str:
        return f"{number:012x}"

    def make(self, number: int, peer: str, together: str, join: bool = False) -> Replica:
        folder = self.folder / str(number)
        folder.mkdir()
        pki.identity(folder, self.name(number), [], self.authority)
        client = local()
        return Replica(folder, Config(
            product=self.product, version="2.7.6" if self.product == "dtr" else "3.2.5",
            id=self.id(number), node=f"{self.product}-{number}",
            pki=str(folder), state=str(folder / "state"), ttl=TTL,
            etcd=Etcd(self.name(number), client, peer, str(folder / "data"), client, peer, together, join, 100, 1000),
            backend=Backend(address := local(), address),
            front=Front(local(), local()),
            registry=Registry(address := local(), address, str(self.folder / "storage")) if self.product == "dtr" else None,
            web=str(self.folder / "web") if self.product == "ucp" else "",
            client_ca=str(self.folder / "client-ca") if self.product == "ucp" else "",
        ))

    def replica(self, number: int) -> dict:
        """As the metadata know it."""
        config = self.replicas[number].config
        port = int(config.front.listen_https.rpartition(":")[2])
        return {"id": config.id, "node": config.node, "version": config.version, "https_port": port, "http_port": 80}

    def start(self, seed: dict) -> None:
        for replica in self.replicas:
            replica.start()
        client = self.client()
        admin.patient(lambda: admin.seed.plant(client, self.replicas[0].config, {**seed, "replica": self.replica(0)}), READY)
        for number in range(1, len(self.replicas)):
            admin.add_replica(client, self.replica(number))
        self.keeper.start()

    def client(self, number: int = 0):
        return admin.client_of(self.replicas[number].config)

    def leader(self) -> Replica:
        """Whoever has a say and answers."""
        status = eventually(lambda: next(found for number in range(len(self.replicas)) if (found := self.try_status(number))))
        return next(replica for replica in self.replicas if replica.id == status["leader"]["id"])

    def try_status(self, number: int) -> dict | None:
        try:
            status = admin.status(self.client(number))
        except EtcdError:
            return None
        return status if status["leader"] else None

    def stop(self) -> None:
        self.keeper.ended.set()
        if self.keeper.is_alive():   # else it starts again what is being ended
            self.keeper.join()
        for replica in self.replicas:
            replica.kill(*replica.processes)


def ucp_cluster(folder: pathlib.Path, count: int = 1) -> Cluster:
    folder.mkdir()
    cluster = Cluster(folder, "ucp", count)
    web = Authority(folder / "web-ca", "UCP Cluster Root CA")
    Authority(folder / "client-ca", "UCP Client Root CA")
    certificate, key = pki.issue(web, "ucp", ["localhost", "127.0.0.1"])
    (folder / "web").mkdir()
    for name, text in (("ca.pem", web.pem), ("key.pem", key), ("cert.pem", certificate)):
        (folder / "web" / name).write_text(text)
    cluster.ca_file = str(folder / "web/ca.pem")
    cluster.start({"admin": {"username": "admin", "password": PASSWORD}})
    return cluster


def dtr_cluster(folder: pathlib.Path, ucp: Cluster, count: int = 3) -> Cluster:
    """With a balancer before it, whose address is its public name."""
    folder.mkdir()
    cluster = Cluster(folder, "dtr", count)
    cluster.balancer = Balancer(lambda: [replica.config.front.listen_https for replica in cluster.replicas])
    cluster.balancer.start()
    certificate, key = pki.issue(ucp.authority, "dtr", [])
    endpoints = [replica.config.own_endpoint for replica in ucp.replicas]
    store = {"endpoints": endpoints, "ca": ucp.authority.pem, "certificate": certificate, "key": key}
    registration = {"url": ucp.replicas[0].url, "ca": pathlib.Path(ucp.ca_file).read_text(), "insecure": False, "store": store}
    cluster.start({"settings": {"dtrHost": cluster.balancer.address}, "ucp": registration, "names": ["localhost", "127.0.0.1"]})
    cluster.ca_file = str(folder / "dtr-ca.pem")
    pathlib.Path(cluster.ca_file).write_text(admin.get(cluster.client(), "tls", "ca")["certificate"])
    return cluster


class Target:
    """A DTR, or one replica of it, as images.py wants it."""

    def __init__(self, cluster: Cluster, address: str = ""):
        self.dtr_name = address or cluster.balancer.address
        self.dtr_url, self.ca_file, self.admin = f"https://{self.dtr_name}", cluster.ca_file, ("admin", PASSWORD)
