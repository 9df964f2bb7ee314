# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Push and poll mirroring with other registries, over their own protocol (DTR docs: push mirror, pull mirror).

A remote place is {"remoteHost", "remoteRepository", "remoteCA", "skipTLSVerification", "username", "password", "authToken"}.
"""

from __future__ import annotations

import re
import ssl
from urllib.parse import urlsplit

from . import rules, templates
from .copying import CopyFailed, Registry, copy
from .errors import Refused
from .jobs import Job, JobFailed
from .policy_store import PolicyStore
from .times import stamp

REPOSITORY = re.compile(r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")
HUB = ("index.docker.io", "docker.io", "registry-1.docker.io")


class Mirroring:
    """`push` and `poll` hold the policies; the jobs `push_mirror_tag` and `poll_mirror` do the work."""

    def __init__(self, standin):
        self.standin = standin
        self.push, self.poll = PolicyStore(standin, "push_policy"), PolicyStore(standin, "poll_policy")
        standin.jobs.actions["push_mirror_tag"] = self._push_job
        standin.jobs.actions["poll_mirror"] = self._poll_job
        standin.hooks.on("TAG_PUSH", self._on_push)
        standin.hooks.on("SCAN_COMPLETED", self._on_scan)

    # -- the other side

    async def check(self, remote: dict) -> dict:
        """responses.RemoteRegistryCheck; a registry that cannot be used at all is refused (code: DTR 2.7 API)."""
        try:
            async with remote_registry(remote) as registry:
                read, write = await registry.permissions(remote["remoteRepository"])
                kind = "hub" if urlsplit(registry.base).hostname in HUB else "dtr" if await registry.is_dtr() else "registry"
        except CopyFailed as problem:
            raise _no_permission(str(problem)) from problem
        if not read and not write:
            raise _no_permission(f"{remote['remoteHost']} lets this account neither read nor write {remote['remoteRepository']}")
        return {"permissions": {"read": read, "write": write}, "registryType": kind}

    async def demand(self, remote: dict, permission: str) -> None:
        if not (await self.check(remote))["permissions"][permission]:
            raise _no_permission(f"{remote['remoteHost']} does not let this account {permission} {remote['remoteRepository']}")

    def own_registry(self, repository: str) -> Registry:
        """This DTR, reached as any client reaches it, so that every rule for a push holds here too."""
        access = [{"type": "repository", "name": repository, "actions": ["pull", "push"]}]
        token = self.standin.registry.tokens.issue("", access, trusted=True)
        return Registry(f"https://127.0.0.1:{self.standin.ports['dtr']}", tls=False, token=token)

    # -- push

    def _on_push(self, **facts) -> None:
        self._consider(facts, scanned=False)

    def _on_scan(self, **facts) -> None:
        self._consider(facts, scanned=True)

    def _consider(self, facts: dict, scanned: bool) -> None:
        """Policies with rules on the scan wait for it; the others follow the push."""
        repository = f"{facts['namespace']}/{facts['repository']}"
        tag = self.standin.store.get("tag", f"{repository}/{facts['tag']}")
        for policy in self.push.of(repository):
            if tag and policy["enabled"] and (not scanned or rules.needs_scan(policy["rules"])):
                self.queue_push(policy, tag)

    def queue_push(self, policy: dict, tag: dict) -> None:
        """Queue the mirroring of one tag, if the rules of the policy hold for it."""
        facts = self.standin.policies.facts(policy["localRepository"], tag)
        if rules.matches(policy["rules"], facts, self.standin.clock()):
            parameters = {"repository": policy["localRepository"], "policy": policy["id"], "tag": tag["name"]}
            self.standin.jobs.submit("push_mirror_tag", parameters)

    async def _push_job(self, job: Job) -> None:
        repository, policy_id, name = _needed(job, "repository", "policy", "tag")
        policy = self.standin.store.get("push_policy", f"{repository}/{policy_id}")
        tag = self.standin.store.get("tag", f"{repository}/{name}")
        if policy is None or tag is None:
            job.log("the policy or the tag is gone: nothing to mirror")
            return
        try:
            remote_tag = templates.expand(policy["tagTemplate"], name, self.standin.clock())
            job.log(f"{repository}:{name} -> {policy['remoteHost']}/{policy['remoteRepository']}:{remote_tag}")
            await self.push_tag(repository, tag, policy, remote_tag, policy_id)
        except (CopyFailed, ValueError) as problem:
            self._note(self.push, repository, policy_id, "FAILURE", str(problem))
            raise JobFailed(str(problem)) from problem
        self._note(self.push, repository, policy_id, "SUCCESS", f"{repository}:{name} mirrored")

    async def push_tag(self, repository: str, tag: dict, remote: dict, remote_tag: str, policy_id: str = "") -> dict:
        """Copy one tag to the remote place; responses.Mirroring."""
        async with self.own_registry(repository) as own, remote_registry(remote) as other:
            digest = await copy((own, repository), tag["digest"], (other, remote["remoteRepository"]), remote_tag)
        namespace, name = repository.split("/")
        self.standin.hooks.fire(
            "PUSH_MIRRORING", namespace=namespace, repository=name, tag=tag["name"], digest=digest, actor="",
            remoteHost=remote["remoteHost"], remoteRepository=remote["remoteRepository"], remoteTag=remote_tag,
        )
        return {"digest": digest, "mirroringPolicyID": policy_id, "remoteRepository": remote["remoteRepository"], "remoteTag": remote_tag}

    # -- poll

    async def remember(self, policy: dict) -> dict:
        """The remote's tags as they are now, for a policy that is to mirror later images only: name -> digest."""
        async with remote_registry(policy) as remote:
            return {name: await remote.digest(policy["remoteRepository"], name) for name in await remote.tags(policy["remoteRepository"])}

    async def _poll_job(self, job: Job) -> None:
        """All enabled policies, or the one that is named by the parameters `repository` and `policy`."""
        chosen = job.parameters.get("policy")
        failed = 0
        for policy in self.poll.everywhere():
            if policy["enabled"] and chosen in (None, policy["id"]):
                failed += not await self._poll(policy, job)
        if failed:
            raise JobFailed(f"{failed} policies could not be mirrored")

    async def _poll(self, policy: dict, job: Job) -> bool:
        repository, count = policy["localRepository"], 0
        try:
            async with remote_registry(policy) as remote, self.own_registry(repository) as own:
                seen = dict(policy["seen"])
                for name in await remote.tags(policy["remoteRepository"]):
                    digest = await remote.digest(policy["remoteRepository"], name)
                    if digest is None or seen.get(name) == digest:
                        continue
                    job.log(f"{policy['remoteHost']}/{policy['remoteRepository']}:{name} -> {repository}:{name}")
                    await copy((remote, policy["remoteRepository"]), digest, (own, repository), name)
                    seen[name], count = digest, count + 1
                    self.poll.note(repository, policy["id"], seen=dict(seen))
                    self._polled(policy, name, digest)
        except CopyFailed as problem:
            job.log(f"{repository}: {problem}")
            self._note(self.poll, repository, policy["id"], "FAILURE", str(problem))
            return False
        self._note(self.poll, repository, policy["id"], "SUCCESS", f"{count} tags mirrored")
        return True

    def _polled(self, policy: dict, name: str, digest: str) -> None:
        namespace, repository = policy["localRepository"].split("/")
        origin = {"digest": digest, "mirroringPolicyID": policy["id"], "remoteRepository": policy["remoteRepository"], "remoteTag": name}
        self.standin.tags.note(namespace, repository, name, mirroring=origin)
        self.standin.hooks.fire(
            "POLL_MIRRORING", namespace=namespace, repository=repository, tag=name, digest=digest, actor="",
            remoteHost=policy["remoteHost"], remoteRepository=policy["remoteRepository"], remoteTag=name,
        )

    def _note(self, policies: PolicyStore, repository: str, policy_id: str, code: str, detail: str) -> None:
        """The words for the codes of a status are not documented."""
        now = stamp(self.standin.clock())
        succeeded = {"lastMirroredAt": now} if code == "SUCCESS" else {}
        policies.note(repository, policy_id, lastStatus={"code": code, "detail": detail, "timestamp": now}, **succeeded)


def remote_registry(remote: dict) -> Registry:
    """The registry of a policy; a host without a scheme is taken as https."""
    host = remote["remoteHost"]
    return Registry(
        host if "://" in host else f"https://{host}", _tls(remote), remote["username"], remote["password"] or remote["authToken"],
    )


def check_remote(remote: dict) -> None:
    """`ValueError` for a place that cannot be one."""
    parts = urlsplit(remote["remoteHost"] if "://" in remote["remoteHost"] else f"https://{remote['remoteHost']}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"remoteHost {remote['remoteHost']!r} is not a registry's address such as https://registry.example:5000")
    if not REPOSITORY.fullmatch(remote["remoteRepository"]):
        raise ValueError(f"remoteRepository {remote['remoteRepository']!r} is not a repository's name such as team/app")
    try:
        _tls(remote)
    except ssl.SSLError as problem:
        raise ValueError("remoteCA is not a certificate in PEM") from problem


def _tls(remote: dict) -> ssl.SSLContext | bool:
    if remote["skipTLSVerification"]:
        return False
    context = ssl.create_default_context()
    if remote["remoteCA"]:
        context.load_verify_locations(cadata=remote["remoteCA"])
    return context


def _no_permission(message: str) -> Refused:
    return Refused(400, "REMOTE_REGISTRY_INVALID_PERMISSIONS", f"{message}.")


def _needed(job: Job, *names: str) -> list[str]:
    missing = [name for name in names if not job.parameters.get(name)]
    if missing:
        raise JobFailed(f"the job needs the parameters {', '.join(missing)}")
    return [job.parameters[name] for name in names]
