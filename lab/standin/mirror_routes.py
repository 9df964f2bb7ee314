# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirroring policies, mirroring by hand and the check of a remote registry, over HTTP (DTR 2.7 API)."""

from __future__ import annotations

from . import templates
from .copying import CopyFailed
from .errors import Refused
from .mirroring import check_remote
from .paging import page
from .policy_routes import BASE, repository_of
from .server import Answer, operation
from .times import NEVER

PUSH, POLL, BOTH = f"{BASE}/pushMirroringPolicies", f"{BASE}/pollMirroringPolicies", f"{BASE}/mirroringPolicies"
# What a form may leave out.
REMOTE = {"username": "", "password": "", "authToken": "", "remoteCA": "", "skipTLSVerification": False}
SHOWN = (
    "id", "enabled", "lastMirroredAt", "lastStatus", "localRepository", "remoteCA", "remoteHost", "remoteRepository",
    "skipTLSVerification", "username",
)
FRESH = {"lastMirroredAt": "", "lastStatus": {"code": "", "detail": "", "timestamp": NEVER}}


def poll_view(policy: dict) -> dict:
    """Neither password nor token are ever shown."""
    return {name: policy[name] for name in SHOWN}


def push_view(policy: dict) -> dict:
    return {name: policy[name] for name in (*SHOWN, "rules", "tagTemplate")}


async def _checked(standin, policies, policy: dict, permission: str) -> None:
    try:
        check_remote(policy)
    except ValueError as problem:
        raise policies.invalid(str(problem)) from problem
    await standin.mirroring.demand(policy, permission)


# -- push


async def _check_push(standin, policy: dict) -> None:
    standin.mirroring.push.check_rules(policy["rules"])
    standin.mirroring.push.check_template(policy["tagTemplate"])
    await _checked(standin, standin.mirroring.push, policy, "write")


def _push_now(standin, call, policy: dict) -> None:
    if call.query["initialEvaluation"] and policy["enabled"]:
        for tag in standin.store.all("tag", f"{policy['localRepository']}/"):
            standin.mirroring.queue_push(policy, tag)


@operation("GET", PUSH)
def list_push_policies(standin, call):
    return [push_view(policy) for policy in standin.mirroring.push.of(repository_of(standin, call, "read-only"))]


@operation("POST", PUSH)
async def create_push_policy(standin, call):
    repository = repository_of(standin, call, "admin")
    fields = {**REMOTE, "enabled": True, "rules": [], "tagTemplate": "", **call.body, "localRepository": repository, **FRESH}
    await _check_push(standin, fields)
    policy = standin.mirroring.push.create(repository, fields)
    _push_now(standin, call, policy)
    return Answer(201, push_view(policy))


@operation("GET", f"{PUSH}/{{pushmirroringpolicyid}}")
def get_push_policy(standin, call):
    return push_view(standin.mirroring.push.get(repository_of(standin, call, "read-only"), call.path["pushmirroringpolicyid"]))


@operation("PUT", f"{PUSH}/{{pushmirroringpolicyid}}")
async def update_push_policy(standin, call):
    repository = repository_of(standin, call, "admin")
    policy = {**standin.mirroring.push.get(repository, call.path["pushmirroringpolicyid"]), **call.body}
    await _check_push(standin, policy)
    standin.mirroring.push.put(repository, policy)
    _push_now(standin, call, policy)
    return push_view(policy)


@operation("DELETE", f"{PUSH}/{{pushmirroringpolicyid}}")
def delete_push_policy(standin, call):
    repository = repository_of(standin, call, "admin")
    standin.mirroring.push.get(repository, call.path["pushmirroringpolicyid"])
    standin.mirroring.push.delete(repository, call.path["pushmirroringpolicyid"])


# -- poll


@operation("GET", POLL)
def list_poll_policies(standin, call):
    return [poll_view(policy) for policy in standin.mirroring.poll.of(repository_of(standin, call, "read-only"))]


@operation("POST", POLL)
async def create_poll_policy(standin, call):
    """Without the initial evaluation only what changes on the other side from now on is mirrored."""
    repository = repository_of(standin, call, "admin")
    fields = {**REMOTE, "enabled": True, **call.body, "localRepository": repository, **FRESH, "seen": {}}
    await _checked(standin, standin.mirroring.poll, fields, "read")
    if not call.query["initialEvaluation"]:
        fields["seen"] = await standin.mirroring.remember(fields)
    policy = standin.mirroring.poll.create(repository, fields)
    if policy["enabled"] and call.query["initialEvaluation"]:
        standin.jobs.submit("poll_mirror", {"policy": policy["id"]})
    return Answer(201, poll_view(policy))


@operation("GET", f"{POLL}/{{pollmirroringpolicyid}}")
def get_poll_policy(standin, call):
    return poll_view(standin.mirroring.poll.get(repository_of(standin, call, "read-only"), call.path["pollmirroringpolicyid"]))


@operation("PUT", f"{POLL}/{{pollmirroringpolicyid}}")
async def update_poll_policy(standin, call):
    repository = repository_of(standin, call, "admin")
    known = standin.mirroring.poll.get(repository, call.path["pollmirroringpolicyid"])
    policy = {**known, **call.body}
    await _checked(standin, standin.mirroring.poll, policy, "read")
    if any(policy[name] != known[name] for name in ("remoteHost", "remoteRepository")):
        policy["seen"] = {}
    return poll_view(standin.mirroring.poll.put(repository, policy))


@operation("DELETE", f"{POLL}/{{pollmirroringpolicyid}}")
def delete_poll_policy(standin, call):
    """204 also when there is none (DTR 2.7 API)."""
    standin.mirroring.poll.delete(repository_of(standin, call, "admin"), call.path["pollmirroringpolicyid"])


# -- both together


@operation("GET", BOTH)
def list_mirroring_policies(standin, call):
    """The words for the type are not documented."""
    repository = repository_of(standin, call, "read-only")
    pushing = [{**push_view(policy), "mirroringType": "push"} for policy in standin.mirroring.push.of(repository)]
    polling = [{**poll_view(policy), "mirroringType": "poll"} for policy in standin.mirroring.poll.of(repository)]
    return page(call, pushing + polling, lambda policy: policy["id"])


@operation("DELETE", BOTH)
def delete_mirroring_policies(standin, call):
    """Ids that are not there are passed over: no code for them is documented."""
    repository = repository_of(standin, call, "admin")
    for entry in call.body:
        standin.mirroring.push.delete(repository, entry["id"])
        standin.mirroring.poll.delete(repository, entry["id"])


# -- by hand


def _remote(form: dict) -> dict:
    remote = {**REMOTE, **form}
    try:
        check_remote(remote)
    except ValueError as problem:
        raise Refused(400, "REMOTE_REGISTRY_INVALID_PERMISSIONS", f"{problem}.") from problem
    return remote


@operation("POST", f"{BASE}/tags/{{tag}}/pushMirroring")
async def push_tag(standin, call):
    repository = repository_of(standin, call, "read-only")
    tag = standin.store.get("tag", f"{repository}/{call.path['tag']}")
    if tag is None:
        raise Refused(404, "NO_SUCH_TAG", f"{repository} has no tag {call.path['tag']}.")
    if not templates.TAG.fullmatch(call.body["remoteTag"]):
        raise Refused(400, "INVALID_TAG_NAME", f"{call.body['remoteTag']!r} is not a tag's name.")
    remote = _remote(call.body)
    await standin.mirroring.demand(remote, "write")
    try:
        return Answer(201, await standin.mirroring.push_tag(repository, tag, remote, call.body["remoteTag"]))
    except CopyFailed as problem:
        raise Refused(400, "REMOTE_REGISTRY_INVALID_PERMISSIONS", f"{problem}.") from problem


@operation("POST", "/api/v0/remote/registry")
async def check_remote_registry(standin, call):
    return Answer(201, await standin.mirroring.check(_remote(call.body)))
