# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first metadata of a cluster, at its installation."""

from __future__ import annotations

import json
import uuid

from ..auth import hashed
from ..settings import DEFAULTS, STORAGE, check_values
from ..tls import Authority
from .config import Config, private_folder
from .etcd import Client
from .ops import if_created, putting
from .pki import issue
from .replicas import now, replica_key, stamped
from .store import key_of

FIELDS = {
    "dtr": {"settings", "storage", "tls", "names", "ucp", "license", "replica", "documents"},
    "ucp": {"admin", "documents", "replica"},
}
NEEDED = {"dtr": {"settings", "ucp", "replica"}, "ucp": {"admin", "replica"}}


class Refused(ValueError):
    """The seed cannot be used."""


def plant(client: Client, config: Config, given: dict) -> None:
    """Writes everything in one step; refused when the cluster was set up before.

    `given` as in the lab's cluster interface: for DTR settings, ucp, replica and, where wanted, storage, tls, names, license, documents;
    for UCP admin, replica, documents.
    """
    unknown, missing = set(given) - FIELDS[config.product], NEEDED[config.product] - set(given)
    if unknown or missing:
        raise Refused(f"the seed does not know {sorted(unknown)}, lacks {sorted(missing)}")
    documents = (_of_dtr if config.product == "dtr" else _of_ucp)(config, given)
    for kind, docs in given.get("documents", {}).items():
        documents.update({(kind, key): doc for key, doc in docs.items()})
    mark = key_of("cluster", "cluster")
    replica = {**given["replica"], "time": stamped(now()), "problem": "starting"}
    about = {"product": config.product, "version": config.version, "id": str(uuid.uuid4())}
    operations = [putting(key_of(*name), json.dumps(doc)) for name, doc in documents.items()]
    operations += [putting(mark, json.dumps(about)), putting(replica_key(replica["id"]), json.dumps(replica))]
    planted, _answer = client.txn([if_created(mark, 0)], operations)
    if not planted:
        raise Refused("the store already holds a cluster's metadata; destroy that cluster first, or join it")


def _of_dtr(config: Config, given: dict) -> dict:
    """settings, certificates and keys, what DTR knows of UCP."""
    settings = given["settings"]
    unknown = set(settings) - set(DEFAULTS) - {"dtrHost"}
    if unknown or not settings.get("dtrHost"):
        raise Refused(f"settings need dtrHost and do not know {sorted(unknown)}")
    check_values(settings)
    folder = private_folder(f"{config.state}/authority")
    authority = Authority(folder, "DTR CA")
    token, token_key = authority.issue("Registry tokens", [])
    web = given.get("tls") or _own_certificate(authority, settings["dtrHost"], given.get("names", []))
    documents = {
        ("settings", "dtr"): {**DEFAULTS, **settings, "webTLSCA": web["ca"], "webTLSCert": web["certificate"], "replicaID": config.id},
        ("settings", "registry"): given.get("storage") or STORAGE,
        ("tls", "ca"): {"certificate": authority.pem, "key": (folder / "ca-key.pem").read_text()},
        ("tls", "token"): {"certificate": token.decode(), "key": token_key.decode()},
        ("tls", "web"): {name: web[name] for name in ("certificate", "key", "ca")},
        ("ucp", "ucp"): given["ucp"],
    }
    for file in folder.iterdir():
        file.unlink()
    if given.get("license"):
        documents[("license", "dtr")] = given["license"]
    return documents


def _own_certificate(authority: Authority, host: str, names: list[str]) -> dict:
    name = host.partition(":")[0]
    certificate, key = issue(authority, name, [name, *names])
    return {"certificate": certificate, "key": key, "ca": authority.pem}


def _of_ucp(_config: Config, given: dict) -> dict:
    """The first administrator; all else UCP makes when it first starts."""
    admin = given["admin"]
    if not admin.get("username") or not admin.get("password"):
        raise Refused("admin needs username and password")
    account = {
        "name": admin["username"], "id": str(uuid.uuid4()), "fullName": "", "isOrg": False, "isAdmin": True, "isActive": True,
        "isImported": False, "password": hashed(admin["password"]),
    }
    organization = {**account, "name": "docker-datacenter", "id": str(uuid.uuid4()), "isOrg": True, "isAdmin": False, "password": ""}
    return {("account", account["name"]): account, ("account", organization["name"]): organization}
