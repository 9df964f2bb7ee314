# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of a command line mean for the metadata: pure functions."""

from __future__ import annotations

import dataclasses

from .. import settings as product_settings
from . import specs

# option -> field of the settings
FIELDS = {
    "http-proxy": "httpProxy", "https-proxy": "httpsProxy", "no-proxy": "noProxy", "log-protocol": "logProtocol", "log-host": "logHost",
    "log-level": "logLevel", "client-cert-auth-ca": "webTLSClientCA", "enable-client-cert-auth": "clientCertAuthEnabled",
}
DEFAULT_SUBNET = "10.1.0.0/24"   # field observation
LOCAL = product_settings.STORAGE
TOOL = "tool"   # the kind of what the tool itself keeps in the metadata
# What belongs to the old cluster, not to its data; accounts are UCP's.
NOT_RESTORED = ("cluster", "ucp", "worker", TOOL)


def changed(values: dict, current: dict) -> dict:
    """The fields of the settings that the given options change."""
    wanted = {FIELDS[name]: values[name] for name in FIELDS if name in values}
    if "dtr-external-url" in values:
        wanted.update(dtrHost=values["dtr-external-url"], sso=True)
    return {name: value for name, value in wanted.items() if current.get(name) != value}


def of_storage(storage: specs.Storage) -> dict:
    """The fields that show the storage."""
    return {"storageVolume": storage.volume, "nfsHost": storage.nfs.get("host", ""), "nfsPath": storage.nfs.get("path", "")}


def web(values: dict) -> dict:
    """The given web certificate; empty when none is given."""
    if "dtr-cert" not in values:
        return {}
    return {"certificate": values["dtr-cert"], "key": values["dtr-key"], "ca": values.get("dtr-ca", "")}


def storage(values: dict, backup: dict | None) -> specs.Storage:
    """--dtr-use-default-storage: cloud storage stays in the settings of the storage; images on a node's disk are on the local volume."""
    return specs.Storage() if backup and values.get("dtr-use-default-storage") else specs.Storage.given(values)


def new_storage(values: dict, current: specs.Storage) -> specs.Storage:
    """After a reconfigure; without any of the storage's options it stays."""
    return specs.Storage.given(values) if names_storage(values) else current


def names_storage(values: dict) -> bool:
    return bool({"dtr-storage-volume", "nfs-storage-url"} & set(values))


def ucp(values: dict, url: str) -> dict:
    """What DTR knows of UCP's address and how it verifies it."""
    if not values.get("ucp-ca") and not values.get("ucp-insecure-tls"):
        return {"url": url}
    return {"url": url, "ca": values.get("ucp-ca", ""), "insecure": values.get("ucp-insecure-tls", False)}


def host_of(place: specs.Place) -> str:
    """Without an external URL: the node."""
    return place.address if place.https_port == 443 else f"{place.address}:{place.https_port}"


def restored(backup: dict | None) -> dict:
    """The documents of a backup that come back as they are, by kind and key."""
    old = (backup or {}).get("documents", {})
    documents = {kind: docs for kind, docs in old.items() if kind not in (*NOT_RESTORED, "settings", "tls")}
    documents["tls"] = {key: doc for key, doc in old.get("tls", {}).items() if key != "web"}
    return {kind: docs for kind, docs in documents.items() if docs}


def seed(session, place: specs.Place, store: specs.Storage, backup: dict | None) -> dict:
    """The first metadata, without what UCP has yet to give (cluster/seed.py)."""
    values, old = session.values, (backup or {}).get("documents", {})
    before = old.get("settings", {}).get("dtr", {})
    kept = {name: value for name, value in before.items() if name in (*product_settings.DEFAULTS, "dtrHost")}
    own = {**kept, **of_storage(store)}
    own.setdefault("dtrHost", host_of(place))
    own.update(changed(values, own))
    tool = {"storage": dataclasses.asdict(store), "pprof": {"enabled": values.get("enable-pprof", False)}}
    document = {
        "settings": own, "names": [place.address, place.node], "documents": {TOOL: tool},
        "ucp": {"ca": "", "insecure": False, **ucp(values, session.ucp.url)},
        "replica": {**place.known, "version": session.product.version},
    }
    tls = web(values) or old.get("tls", {}).get("web")
    if tls:
        document["tls"] = tls
    if backup and values.get("dtr-use-default-storage"):
        document["storage"] = old["settings"]["registry"]
    return document
