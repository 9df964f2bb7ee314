# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in dtr-phase2: the steps of /phase2/request.json, one after the other; results go to /phase2/result.json.

A step is {"do": name, ...arguments}. The first that fails ends the run; its message becomes the result's `problem`.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import time

from ..cluster import admin, pki, seed
from ..cluster.config import Config, ConfigError, address
from ..cluster.etcd import EtcdError, putting
from ..cluster.store import key_of

FOLDER = pathlib.Path("/phase2")
CA = pathlib.Path("/ca")
CONFIG = CA / "config.json"
DATA = pathlib.Path("/data")
COPY = pathlib.Path("/tmp/data")
PATIENCE = 60.0        # seconds for etcd to answer, and for names on the overlay network to be known
REACH_SECONDS = 30.0


class Failed(Exception):
    """A step could not be done."""


def client():
    return admin.client_of(Config.read(CONFIG))


def patient(work, seconds: float = PATIENCE):
    return admin.patient(lambda: work(client()), seconds)


# Files of the replica

def prepare(config: dict, names: list, authority: dict) -> dict:
    """The replica's identity and configuration. `authority`: of the cluster to join; empty for a new cluster."""
    if (DATA / "member").exists():
        raise Failed(f"The volume dtr-rethink-{config['id']} holds the data of an earlier replica: free it with `destroy --replica-id "
                     f"{config['id']}`, or give another --replica-id")
    for name, text in authority.items():
        pki.write_private(CA / name, text)
    own = pki.Authority(CA, f"DTR internal CA of {config['id']}")
    pki.identity(CA, f"dtr-{config['id']}", names, own)
    configure(config)
    return {"ca": own.pem}


def configure(config: dict) -> None:
    """`config`: what changes; parts are merged."""
    present = json.loads(CONFIG.read_text()) if CONFIG.exists() else {}
    merged = {**present, **{
        name: {**present[name], **value} if isinstance(value, dict) and name in present else value for name, value in config.items()
    }}
    Config.of(merged).write(CONFIG)


def authority() -> dict:
    return {name: (CA / name).read_text() for name in ("ca.pem", "ca-key.pem")}


def check_volumes() -> str:
    """What is needed to start a replica from its volumes has to be there; returns the version."""
    for file in (CA / "ca.pem", CA / "ca-key.pem", CA / "node.pem", CA / "node-key.pem", CONFIG, DATA / "member" / "snap" / "db"):
        try:
            with file.open("rb") as stream:
                stream.read(1)
        except OSError as problem:
            raise Failed(f"The volumes of the replica cannot be used: {problem}; try another replica") from None
    return Config.read(CONFIG).version


# The network

def reach(addresses: list) -> None:
    """Connects to each host:port; names on the overlay network become known within seconds."""
    for target in addresses:
        end = time.monotonic() + REACH_SECONDS
        while True:
            try:
                socket.create_connection(address(target), 3).close()
                break
            except OSError as problem:
                if time.monotonic() > end:
                    raise Failed(f"{target} cannot be reached over the overlay network: {problem}; check that the nodes reach each other "
                                 "on the ports 7946/tcp, 7946/udp and 4789/udp") from None
                time.sleep(1)


def look(replicas: list) -> tuple:
    """(status of the metadata, {id: "" or what is wrong}), the latter asked from each replica itself; `replicas`: also these."""
    found = status()
    asked = sorted({*replicas, *found["replicas"]})
    with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
        return found, dict(zip(asked, pool.map(lambda replica: _ping(f"dtr-nginx-{replica}.dtr-ol"), asked), strict=True))


def await_healthy(replica: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while problem := _ping(f"dtr-nginx-{replica}.dtr-ol"):
        if time.monotonic() > end:
            raise Failed(f"Replica {replica} is not healthy after {seconds} seconds: {problem}; look at the logs of its containers on its "
                         "node, then `remove` or `destroy` it and try again")
        time.sleep(1)


def _ping(host: str) -> str:
    try:
        connection = http.client.HTTPConnection(host, 80, timeout=8)
        connection.request("GET", "/_ping")
        answer = connection.getresponse()
        body = answer.read()
        return "" if answer.status == 200 else json.loads(body).get("Error") or f"/_ping answered {answer.status}"
    except (OSError, ValueError, http.client.HTTPException) as problem:
        return f"/_ping cannot be asked: {problem}"


# Metadata

def status() -> dict:
    return admin.patient(lambda: admin.status(client()), 10)


def plant(document: dict) -> dict:
    """The first metadata; returns the web certificate that is in them."""
    patient(lambda etcd: seed.plant(etcd, Config.read(CONFIG), document))
    return get("tls", "web")


def get(kind: str, key: str):
    return patient(lambda etcd: admin.get(etcd, kind, key))


def put(kind: str, key: str, document: dict) -> None:
    patient(lambda etcd: admin.put(etcd, kind, key, document))


def merge(kind: str, key: str, document: dict) -> dict:
    """Changes some fields; returns the whole."""
    whole = {**(get(kind, key) or {}), **document}
    put(kind, key, whole)
    return whole


def add_member(name: str, peer: str) -> dict:
    return patient(lambda etcd: admin.add_member(etcd, name, peer, learner=True))


def add_replica(replica: dict) -> None:
    patient(lambda etcd: admin.add_replica(etcd, replica))


def change_replica(replica: dict) -> None:
    patient(lambda etcd: admin.change_replica(etcd, replica))


def remove_replica(replica: str) -> None:
    patient(lambda etcd: admin.remove_replica(etcd, replica))


def export() -> dict:
    return {**patient(admin.export), "authority": authority()}


def load(documents: dict) -> None:
    """{kind: {key: document}}"""
    operations = [putting(key_of(kind, key), json.dumps(doc)) for kind, docs in documents.items() for key, doc in docs.items()]
    patient(lambda etcd: admin.change(etcd, operations))


def forget_tags() -> int:
    return patient(admin.forget_tags)


def promote_member(name: str) -> None:
    """Until the member has started and votes."""
    try:
        patient(lambda etcd: admin.promote_member(etcd, name))
    except (EtcdError, admin.Wrong) as problem:
        raise Failed(f"The database {name} has not joined the cluster: {problem}; look at its log on its node, then `remove` the "
                     "replica") from None


# etcd, run here

@contextlib.contextmanager
def database(config: pathlib.Path):
    """The replica's database as the only member of its cluster, until the end of the block."""
    process = subprocess.Popen([sys.executable, "-m", "standin.cluster.member", str(config), "--force-new-cluster"])
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _alone(etcd) -> None:
    shown = admin.status(etcd)
    if not shown["quorum"] or len(shown["members"]) != 1:
        raise EtcdError("the database has not become the only member of its cluster")


def repair(replica: str) -> dict:
    """Reverts the cluster to this replica, with all that its volume knows; returns its web certificate and the replicas that are gone."""
    with database(CONFIG):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                patient(_alone, 5)
                break
            except EtcdError:
                if time.monotonic() > end:
                    raise
                time.sleep(1)
        others = [name for name in admin.status(client())["replicas"] if name != replica]
        for name in others:
            remove_replica(name)
        return {"gone": others, "settings": get("settings", "dtr"), "tls": get("tls", "web"), "storage": get("tool", "storage")}


def export_offline() -> dict:
    """Export from a copy of the stopped database."""
    shutil.copytree(DATA, COPY, dirs_exist_ok=True)
    copy = Config.read(CONFIG)
    copy.etcd.data = str(COPY)
    copy.write("/tmp/config.json")
    with database(pathlib.Path("/tmp/config.json")):
        return export()


STEPS = {step.__name__: step for step in (
    prepare, configure, authority, check_volumes, reach, look, await_healthy, plant, get, put, merge, add_member, promote_member,
    add_replica, change_replica, remove_replica, export, export_offline, load, forget_tags, repair,
)}


def perform(steps: list) -> dict:
    results = []
    for step in steps:
        arguments = {name: value for name, value in step.items() if name != "do"}
        try:
            results.append(STEPS[step["do"]](**arguments))
            if step["do"] == "look" and not results[-1][0]["quorum"]:
                break   # the others would wait for it in vain
        except (Failed, ConfigError, admin.Wrong, seed.Refused, EtcdError, OSError, subprocess.SubprocessError) as problem:
            return {"results": results, "problem": f"{problem} (phase 2: {step['do']})"}
    return {"results": results, "problem": ""}


def main() -> None:
    request = FOLDER / "request.json"
    steps = json.loads(request.read_text())
    request.unlink()   # it may hold keys
    result = perform(steps)
    pki.write_private(FOLDER / "result.json", json.dumps(result))


if __name__ == "__main__":
    main()
