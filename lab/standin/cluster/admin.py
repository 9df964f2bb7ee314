# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's metadata from outside: `python3 -m standin.cluster.admin CONFIG ACTION`. JSON comes on stdin and goes to stdout.

What changes documents deposes the leader, which reads all of them anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

from . import seed
from .config import Config, ConfigError
from .etcd import Client, EtcdError, NoQuorum, Uncertain, Unreachable
from .ops import deleting, putting
from .replicas import age, known, now, replica_key, stamped
from .store import DOCUMENTS, EPOCH, LEADER, key_of, parse_key

FORMAT = 1
BATCH = 100            # operations in one transaction; etcd takes 128
PAUSE_SECONDS = 0.5
VOTES = "can only promote a learner"
UNHEALTHY = "unhealthy cluster"   # etcd looks at the last five seconds
FIELDS = {"id": str, "node": str, "version": str, "https_port": int, "http_port": int}


class Wrong(ValueError):
    """Input or state with which the action cannot be done."""


class Unready(EtcdError):
    """Too early."""


def client_of(config: Config) -> Client:
    """Of the cluster's own etcd, this replica's member first."""
    others = [part.partition("=")[2] for part in config.etcd.initial_cluster.split(",") if part]
    hosts = [peer.removeprefix("https://").rpartition(":")[0] for peer in others]
    port = config.etcd.client.rpartition(":")[2]
    return Client([config.own_endpoint, *(f"https://{host}:{port}" for host in hosts)], config.client_context())


# Looking

def status(client: Client) -> dict:
    """Also without quorum, as far as one member answers."""
    members = client.members()
    healthy = {member["name"]: bool(member["client"]) and client.healthy(member["client"]) for member in members}
    shown = [{**member, "healthy": healthy[member["name"]]} for member in members]
    if not any(healthy.values()):
        return {"members": shown, "quorum": False, "leader": None, "replicas": {}, "version": None}
    leader, about = client.get(LEADER), client.get(key_of("cluster", "cluster"))
    replicas = {name: {**replica, "age": round(age(replica), 1)} for name, replica in known(client).items()}
    return {
        "members": shown, "quorum": True, "leader": leader and json.loads(leader.value), "replicas": replicas,
        "version": about and json.loads(about.value)["version"],
    }


def get(client: Client, kind: str, key: str) -> dict | None:
    pair = client.get(key_of(kind, key))
    return pair and json.loads(pair.value)


def export(client: Client) -> dict:
    """All documents as they were at one moment."""
    documents: dict[str, dict] = {}
    for pair in client.list(DOCUMENTS)[0]:
        kind, key = parse_key(pair.key)
        documents.setdefault(kind, {})[key] = json.loads(pair.value)
    about = documents.get("cluster", {}).get("cluster")
    if not about:
        raise Wrong("the metadata are empty: this cluster has not been set up")
    return {"format": FORMAT, "product": about["product"], "version": about["version"], "documents": documents}


# Documents

def change(client: Client, operations: list[dict]) -> None:
    """In one step as far as etcd takes them in one. From the first one on the leader can write nothing any more, and makes room."""
    parts = [operations[start:start + BATCH] for start in range(0, len(operations), BATCH)]
    for part in parts:
        client.txn([], [putting(EPOCH, stamped(now())), *part])


def put(client: Client, kind: str, key: str, document: dict) -> None:
    change(client, [putting(key_of(kind, key), json.dumps(document))])


def delete(client: Client, kind: str, key: str) -> None:
    change(client, [deleting(key_of(kind, key))])


def import_(client: Client, given: dict) -> None:
    """Replaces all documents. The mark of a set-up cluster comes last, so that an interrupted import is not taken for a cluster."""
    documents = given.get("documents")
    if given.get("format") != FORMAT or not isinstance(documents, dict) or "cluster" not in documents.get("cluster", {}):
        raise Wrong("this is no export of a cluster's metadata; take what the action `export` printed")
    about = documents["cluster"]["cluster"]
    change(client, [deleting(key_of("cluster", "cluster"))])
    change(client, [deleting(DOCUMENTS, f"{DOCUMENTS[:-1]}0")])
    pairs = [(kind, key, doc) for kind, docs in documents.items() for key, doc in docs.items() if kind != "cluster"]
    change(client, [putting(key_of(kind, key), json.dumps(doc)) for kind, key, doc in pairs])
    put(client, "cluster", "cluster", about)


def forget_tags(client: Client) -> int:
    """What another storage backend without the content of the former one leaves: repositories without tags (how many there were)."""
    documents = export(client)["documents"]
    lost = [(kind, key) for kind in ("tag", "manifest", "scan") for key in documents.get(kind, {})]
    if lost:
        change(client, [deleting(key_of(*name)) for name in lost])
    return sum(kind == "tag" for kind, _key in lost)


# Replicas and members

def _checked(given: dict, needed: bool) -> dict:
    wrong = [name for name, kind in FIELDS.items() if (needed or name in given) and not isinstance(given.get(name), kind)]
    unknown = sorted(set(given) - set(FIELDS))
    if wrong or unknown or not given.get("id"):
        raise Wrong(f"a replica has {', '.join(FIELDS)}; wrong or missing: {', '.join([*wrong, *unknown]) or 'id'}")
    return given


def add_replica(client: Client, given: dict) -> None:
    _checked(given, True)
    client.put(replica_key(given["id"]), json.dumps({**given, "time": stamped(now()), "problem": "starting"}))


def change_replica(client: Client, given: dict) -> None:
    """The running processes say the same as soon as they have the new configuration."""
    pair = client.get(replica_key(_checked(given, False)["id"]))
    if not pair:
        raise Wrong(f"there is no replica {given['id']}; there are {', '.join(known(client)) or 'none'}")
    client.put(pair.key, json.dumps({**json.loads(pair.value), **given}))


def add_member(client: Client, name: str, peer: str, learner: bool = False) -> dict:
    """`initial_cluster` for the new member's configuration; the same again when it was added before and never started.

    A learner has no vote until it is promoted, so that nothing stands still when it never starts.
    """
    url = f"https://{peer}"
    if url not in [member["peer"] for member in client.members()]:
        try:
            client.add_member(url, learner)
        except EtcdError as problem:
            if UNHEALTHY in str(problem):
                raise Unready(f"not all members are well, or they have not been for a few seconds: {problem}") from problem
            raise
    parts = [f"{name if member['peer'] == url else member['name']}={member['peer']}" for member in client.members()]
    return {"initial_cluster": ",".join(parts)}


def promote_member(client: Client, name: str) -> None:
    """Nothing when it has its vote already."""
    found = next((member for member in client.members() if member["name"] == name), None)
    if not found:
        raise Unready(f"the member {name} has not started yet")
    if found["learner"]:
        try:
            client.promote_member(found["id"])
        except Unreachable:
            raise
        except EtcdError as problem:
            if VOTES not in str(problem):   # the list came from a member that had not heard of it
                raise Unready(f"the member {name} does not know everything yet: {problem}") from problem


def remove_member(client: Client, name: str) -> None:
    """Nothing when it is not there; a member that never started has no name, only an address."""
    for member in client.members():
        host = member["peer"].removeprefix("https://").rpartition(":")[0]
        if name == member["name"] or (not member["name"] and host.split(".")[0] == name):
            _remove(client, member["id"])


def _remove(client: Client, member: str) -> None:
    try:
        client.remove_member(member)
    except EtcdError as problem:
        if UNHEALTHY in str(problem):
            raise Unready(f"the others would not be enough, or have not been well for a few seconds: {problem}") from problem
        raise


def remove_replica(client: Client, replica: str) -> None:
    remove_member(client, f"dtr-rethinkdb-{replica}")
    client.delete(replica_key(replica))


# The command

def patient(action: Callable[[], object], seconds: float):
    """Tries again while etcd cannot be reached or has no quorum."""
    limit = time.monotonic() + seconds
    while True:
        try:
            return action()
        except (Unreachable, NoQuorum, Uncertain, Unready):
            if time.monotonic() > limit:
                raise
            time.sleep(PAUSE_SECONDS)


def _read() -> dict:
    try:
        document = json.load(sys.stdin)
    except ValueError as problem:
        raise Wrong(f"stdin is no JSON: {problem}") from None
    if not isinstance(document, dict):
        raise Wrong("stdin has to be a JSON object")
    return document


ACTIONS = {   # name: (number of words after it, whether it reads stdin, what it does)
    "status": (0, False, status),
    "seed": (0, True, lambda client, given, config: seed.plant(client, config, given)),
    "add-replica": (0, True, add_replica),
    "change-replica": (0, True, change_replica),
    "remove-replica": (1, False, remove_replica),
    "add-member": (2, False, add_member),
    "add-learner": (2, False, lambda client, name, peer: add_member(client, name, peer, learner=True)),
    "promote-member": (1, False, promote_member),
    "remove-member": (1, False, remove_member),
    "get": (2, False, get),
    "put": (2, True, put),
    "delete": (2, False, delete),
    "forget-tags": (0, False, forget_tags),
    "export": (0, False, export),
    "import": (0, True, import_),
}


def run(config: Config, action: str, words: list[str], timeout: float):
    """What the action returns."""
    count, reads, work = ACTIONS[action]
    if len(words) != count:
        raise Wrong(f"{action} takes {count} words after it, not {len(words)}")
    given = [_read()] if reads else []
    extra = [config] if action == "seed" else []
    return patient(lambda: work(client_of(config), *words, *given, *extra), timeout)


def main() -> None:
    parser = argparse.ArgumentParser("admin", description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("action", choices=sorted(ACTIONS))
    parser.add_argument("words", nargs="*")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds to wait for etcd")
    arguments = parser.parse_args()
    try:
        result = run(Config.read(arguments.config), arguments.action, arguments.words, arguments.timeout)
    except (ConfigError, Wrong, seed.Refused, EtcdError, OSError) as problem:
        sys.exit(f"admin: {problem}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
