# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories (DTR 2.7 API)."""

from __future__ import annotations

import re
import uuid

from .access import rank
from .answers import Answer, Caller
from .errors import Refused, not_authorized
from .paging import page
from .server import operation

NAME = re.compile(r"^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$")
PATH_LIMIT, IMAGE_LIMIT = 56, 255   # DTR docs: manage images: below 56 characters, with the domain at most 255
DEFAULTS = {
    "shortDescription": "",
    "longDescription": "",
    "visibility": "private",
    "scanOnPush": False,
    "immutableTags": False,
    "enableManifestLists": False,
    "tagLimit": 0,
}


def no_such_repository(namespace: str, name: str) -> Refused:
    return Refused(404, "NO_SUCH_REPOSITORY", f"There is no repository {namespace}/{name}.")


def invalid_name(message: str) -> Refused:
    return Refused(400, "INVALID_REPOSITORY_NAME", message)


def check_fields(repository: dict) -> None:
    if repository["visibility"] not in ("public", "private"):
        raise Refused(400, "INVALID_REPOSITORY_VISIBILITY", "The visibility has to be public or private.")
    if repository["tagLimit"] < 0:
        raise Refused(400, "INVALID_JSON", "tagLimit has to be 0 or more.")
    if repository["tagLimit"] and repository["immutableTags"]:   # DTR docs: tag pruning
        raise Refused(400, "INVALID_JSON", "A tag limit needs immutable tags to be off.")


class Repositories:
    def __init__(self, standin):
        self.standin, self.store = standin, standin.store

    def get(self, namespace: str, name: str) -> dict | None:
        return self.store.get("repository", f"{namespace}/{name}")

    def visible(self, caller: Caller, prefix: str = "") -> list[dict]:
        rights = self.standin.access.rights(caller)
        return [repository for repository in self.store.all("repository", prefix) if rights.repository(repository)]

    def demand(self, caller: Caller, namespace: str, name: str, level: str) -> dict:
        """The repository, if the caller has the level on it. One that the caller cannot see does not exist for the caller."""
        repository = self.get(namespace, name)
        has = repository and self.standin.access.level(caller, repository)
        if not has:
            raise no_such_repository(namespace, name)
        if rank(has) < rank(level):
            raise not_authorized(f"This needs {level} on {namespace}/{name}.")
        return repository

    def create(self, caller: Caller, namespace: str, form: dict) -> dict:
        """Makes a repository; checks the name and the fields, not the caller's rights."""
        name = form["name"]
        self._check_name(namespace, name)
        if self.get(namespace, name):
            raise Refused(400, "REPOSITORY_EXISTS", f"There is a repository {namespace}/{name} already.")
        is_org = self.store.get("account", namespace)["isOrg"]
        repository = {
            "id": str(uuid.uuid4()),
            "namespace": namespace,
            "namespaceType": "organization" if is_org else "user",
            **DEFAULTS,
            **form,
            "pulls": 0,
            "pushes": 0,
        }
        check_fields(repository)
        self.store.put("repository", f"{namespace}/{name}", repository)
        self._tell(caller, "CREATE", "REPO_CREATED", repository)
        return repository

    def _check_name(self, namespace: str, name: str) -> None:
        path = f"{namespace}/{name}"
        if not NAME.match(name):
            raise invalid_name(f"{name!r} is no name of a repository: lower case letters, digits, and . _ - between them.")
        if len(path) >= PATH_LIMIT or len(f"{self.standin.dtr_name}/{path}") > IMAGE_LIMIT:
            raise invalid_name(f"{path} has to be below {PATH_LIMIT} characters, with the domain at most {IMAGE_LIMIT}.")

    def update(self, caller: Caller, repository: dict, form: dict) -> dict:
        changed = {**repository, **form}
        check_fields(changed)
        self.store.put("repository", f"{changed['namespace']}/{changed['name']}", changed)
        self._tell(caller, "UPDATE", "REPO_UPDATED", changed)
        return changed

    def delete(self, caller: Caller, repository: dict) -> None:
        """With its tags, manifests, policies and grants; the blobs are left to garbage collection."""
        key = f"{repository['namespace']}/{repository['name']}"
        self.standin.tags.check_unsigned(repository["namespace"], repository["name"])
        self.standin.tags.forget_repository(repository["namespace"], repository["name"])
        for kind in ("scan", "team_access"):
            for entry, _doc in self.store.items(kind, f"{key}/"):
                self.store.delete(kind, entry)
        self.store.delete("repository", key)
        self._tell(caller, "DELETE", "REPO_DELETED", repository)

    def _tell(self, caller: Caller, event: str, hook: str, repository: dict) -> None:
        namespace, name = repository["namespace"], repository["name"]
        self.standin.events.add(caller, event, "REPOSITORY", repository["id"], f"{namespace}/{name}", f"{namespace}/{name}")
        self.standin.hooks.fire(hook, namespace=namespace, repository=name, actor=caller.name, data=repository)


def without_long_description(repository: dict) -> dict:
    return {name: value for name, value in repository.items() if name != "longDescription"}


def _listing(call, repositories: list[dict]) -> Answer:
    answer = page(call, repositories, lambda repository: repository["id"], "repositories")
    answer.body["repositories"] = [without_long_description(repository) for repository in answer.body["repositories"]]
    return answer


@operation("GET", "/api/v0/repositories")
def list_repositories(standin, call):
    return _listing(call, standin.repositories.visible(call.caller))


@operation("GET", "/api/v0/repositories/{namespace}")
def list_namespace_repositories(standin, call):
    namespace = call.path["namespace"]
    standin.accounts.demand(namespace)
    return _listing(call, standin.repositories.visible(call.caller, f"{namespace}/"))


@operation("POST", "/api/v0/repositories/{namespace}")
def create_repository(standin, call):
    namespace = call.path["namespace"]
    standin.accounts.demand(namespace)
    if standin.access.rights(call.caller).namespace(namespace) != "admin":
        raise not_authorized(f"This needs admin on the namespace {namespace}.")
    return Answer(201, standin.repositories.create(call.caller, namespace, call.body))


@operation("GET", "/api/v0/repositories/{namespace}/{reponame}", auth="none")
def get_repository(standin, call):
    return standin.repositories.demand(call.caller, call.path["namespace"], call.path["reponame"], "read-only")


@operation("PATCH", "/api/v0/repositories/{namespace}/{reponame}")
def update_repository(standin, call):
    repository = standin.repositories.demand(call.caller, call.path["namespace"], call.path["reponame"], "admin")
    return standin.repositories.update(call.caller, repository, call.body)


@operation("DELETE", "/api/v0/repositories/{namespace}/{reponame}")
def delete_repository(standin, call):
    """204 also when there is none (DTR 2.7 API)."""
    namespace, name = call.path["namespace"], call.path["reponame"]
    if standin.repositories.get(namespace, name):
        repository = standin.repositories.demand(call.caller, namespace, name, "admin")
        standin.repositories.delete(call.caller, repository)


@operation("POST", "/api/v0/repositories/scan/toggle", auth="admin")
def toggle_scan_on_push(standin, call):
    for key, repository in standin.store.items("repository"):
        standin.store.put("repository", key, {**repository, **call.body})
    return Answer(200)
