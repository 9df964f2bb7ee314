# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UCP's collections: the tree that nodes and other resources stand in."""

from __future__ import annotations

import uuid

from .answers import Answer
from .errors import Refused
from .server import operation

COLLECTION = "collection"
DEFAULT = "default_collection"
ROOT = "swarm"
PRIVATE = "private"
# id -> (name, parent): UCP docs, resource sets; `swarm` as id of the root is documented, the other ids are the stand-in's.
BUILT_IN = {
    ROOT: ("Swarm", None),
    "system": ("System", ROOT),
    "shared": ("Shared", ROOT),
    PRIVATE: ("Private", "shared"),
    "legacy": ("Legacy", "shared"),
}


class Collections:
    """Collections by id, in the shape of `authz.Collection`."""

    def __init__(self, ucp):
        self.ucp, self.standin, self.store = ucp, ucp.standin, ucp.standin.store

    def seed(self) -> None:
        for identity, (name, parent) in BUILT_IN.items():
            if not self.store.get(COLLECTION, identity):
                self._put(identity, name, self.store.get(COLLECTION, parent) if parent else None)

    def find(self, identity: str) -> dict:
        collection = self.store.get(COLLECTION, identity)
        if not collection:
            raise Refused(404, "NO_SUCH_COLLECTION", f"collection {identity} does not exist")
        return collection

    def by_path(self, path: str) -> dict:
        for collection in self.store.all(COLLECTION):
            if collection["path"] == path:
                return collection
        raise Refused(404, "NO_SUCH_COLLECTION", f"collection {path} does not exist")

    def create(self, name: str, parent_id: str, **labels) -> dict:
        parent = self.find(parent_id)
        if not name or "/" in name:
            raise Refused(400, "INVALID_FORM_FIELD", f"{name!r} cannot be the name of a collection")
        if any(child["name"] == name for child in self.children(parent_id)):
            raise Refused(409, "COLLECTION_EXISTS", f"collection {name} exists in {parent['path']}")
        return self._put(str(uuid.uuid4()), name, parent, **labels)

    def children(self, identity: str) -> list[dict]:
        self.find(identity)
        return [entry for entry in self.store.all(COLLECTION) if entry["parent_ids"][-1:] == [identity]]

    def delete(self, identity: str) -> None:
        """UCP release notes 3.1.0: a collection that a node stands in stays."""
        collection = self.find(identity)
        if identity in BUILT_IN:
            raise Refused(400, "SYSTEM_COLLECTION", f"collection {collection['path']} belongs to the system")
        if self.children(identity):
            raise Refused(409, "COLLECTION_NOT_EMPTY", f"collection {collection['path']} has collections in it")
        if any(node["collection"] == collection["path"] for node in self.ucp.swarm.nodes()):
            raise Refused(409, "COLLECTION_NOT_EMPTY", f"collection {collection['path']} has a node in it")
        self.ucp.grants.forget(objectID=identity)
        self.store.delete(COLLECTION, identity)

    def constrain(self, identity: str, label_constraints: list) -> None:
        now = self.standin.stamp()
        self.store.put(COLLECTION, identity, {**self.find(identity), "label_constraints": label_constraints, "updated_at": now})

    def private_of(self, name: str) -> tuple[dict, bool]:
        """The private collection of a user, made at the first login, and whether this was it."""
        path = f"/Shared/Private/{name}"
        for collection in self.children(PRIVATE):
            if collection["path"] == path:
                return collection, False
        return self.create(name, PRIVATE), True

    def visible(self, caller) -> list[dict]:
        """What the caller has a grant on, with all that lies below; an administrator sees the whole tree."""
        return [entry for entry in self.store.all(COLLECTION) if self.ucp.grants.covers(caller, entry)]

    def _put(self, identity: str, name: str, parent: dict | None, *, label_constraints=(), **legacy) -> dict:
        now = self.standin.stamp()
        above = "" if not parent or parent["path"] == "/" else parent["path"]
        document = {
            "id": identity,
            "name": name,
            "path": f"{above}/{name}" if parent else "/",
            "parent_ids": [*parent["parent_ids"], parent["id"]] if parent else [],
            "label_constraints": list(label_constraints),
            "legacylabelkey": legacy.get("legacy_label_key", ""),
            "legacylabelvalue": legacy.get("legacy_label_value", ""),
            "created_at": now,
            "updated_at": now,
        }
        return self.store.put(COLLECTION, identity, document)


def _seen(standin, call, collection: dict) -> dict:
    if not standin.ucp.grants.covers(call.caller, collection):
        raise Refused(403, "NOT_AUTHORIZED", f"access denied: no grant on collection {collection['path']}")
    return collection


def _part(call, collections: list[dict]) -> list[dict]:
    """From the record `start` on, at most `limit`: the answer is a bare array, so there is no word of what follows."""
    return [entry for entry in collections if entry["id"] >= call.query["start"]][: call.query["limit"]]


@operation("GET", "/collections", product="ucp")
def list_collections(standin, call):
    return _part(call, standin.ucp.collections.visible(call.caller))


@operation("POST", "/collections", auth="admin", product="ucp")
def create_collection(standin, call):
    collection = standin.ucp.collections.create(**call.body)
    return Answer(201, {"id": collection["id"]})


@operation("GET", "/collections/{id}", product="ucp")
def get_collection(standin, call):
    return _seen(standin, call, standin.ucp.collections.find(call.path["id"]))


@operation("DELETE", "/collections/{id}", auth="admin", product="ucp")
def delete_collection(standin, call):
    standin.ucp.collections.delete(call.path["id"])


@operation("PATCH", "/collections/{id}", auth="admin", product="ucp")
def update_collection(standin, call):
    standin.ucp.collections.constrain(call.path["id"], call.body["label_constraints"])
    return Answer(200)


@operation("GET", "/collections/{id}/children", product="ucp")
def collection_children(standin, call):
    _seen(standin, call, standin.ucp.collections.find(call.path["id"]))
    return _part(call, standin.ucp.collections.children(call.path["id"]))


@operation("GET", "/collectionByPath", product="ucp")
def collection_by_path(standin, call):
    return _seen(standin, call, standin.ucp.collections.by_path(call.query["path"]))


@operation("GET", "/defaultCollection/{userID}", product="ucp")
def get_default_collection(standin, call):
    return standin.ucp.collections.find(_default(standin, call))


@operation("PUT", "/defaultCollection/{userID}", product="ucp")
def set_default_collection(standin, call):
    user = _own(standin, call)
    standin.store.put(DEFAULT, user["id"], {"id": standin.ucp.collections.find(call.body["id"])["id"]})
    return Answer(201)


@operation("DELETE", "/defaultCollection/{userID}", product="ucp")
def clear_default_collection(standin, call):
    standin.store.delete(DEFAULT, _own(standin, call)["id"])


@operation("GET", "/defaultCollectionRole", product="ucp")
def default_collection_role(standin, call):
    user = standin.accounts.demand(call.caller.name)
    collection = standin.ucp.collections.find(_default_of(standin, user))
    roles = standin.ucp.grants.roles_of(call.caller, collection)
    return standin.ucp.roles.find(roles[-1] if roles else "none")


def _own(standin, call) -> dict:
    """The account in the path: one's own, or anyone's for an administrator."""
    user = standin.accounts.demand(call.path["userID"])
    if user["name"] != call.caller.name and not call.caller.is_admin:
        raise Refused(403, "NOT_AUTHORIZED", "access denied: this is another user's default collection")
    return user


def _default(standin, call) -> str:
    return _default_of(standin, _own(standin, call))


def _default_of(standin, user: dict) -> str:
    chosen = standin.store.get(DEFAULT, user["id"])
    if chosen:
        return chosen["id"]
    return standin.ucp.collections.by_path(f"/Shared/Private/{user['name']}")["id"]
