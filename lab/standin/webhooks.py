# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Webhooks: who has subscribed to what, what is sent, and how (DTR docs: manage webhooks)."""

from __future__ import annotations

import json
import ssl

import aiohttp

from .jobs import Job, JobFailed
from .times import stamp

GLOBAL_TYPE, NAMESPACE_TYPE = "SCANNER_UPDATE_COMPLETED", "REPO_EVENT"
TAG_TYPES = {"TAG_PUSH": "pushedAt", "TAG_PULL": "pulledAt", "TAG_DELETE": "deletedAt"}
MANIFEST_TYPES = {"MANIFEST_PUSH": "pushedAt", "MANIFEST_PULL": "pulledAt", "MANIFEST_DELETE": "deletedAt"}
REPOSITORY_TYPES = (*TAG_TYPES, *MANIFEST_TYPES, "SCAN_COMPLETED", "SCAN_FAILED", "PROMOTION", "PUSH_MIRRORING", "POLL_MIRRORING")
TYPES = (*REPOSITORY_TYPES, NAMESPACE_TYPE, GLOBAL_TYPE)
REPO_EVENTS = ("REPO_CREATED", "REPO_UPDATED", "REPO_DELETED")
RETRIES = 3
TIMEOUT = aiohttp.ClientTimeout(total=10)


class Webhooks:
    """Turns what happens (`hooks`) into `webhook` jobs, one for each subscription, and delivers them."""

    def __init__(self, standin):
        self.standin = standin
        standin.jobs.actions["webhook"] = self.deliver
        for kind in REPOSITORY_TYPES:
            standin.hooks.on(kind, self._listener(kind))
        for event in REPO_EVENTS:
            standin.hooks.on(event, self._repository_listener(event))
        standin.hooks.on(GLOBAL_TYPE, lambda **facts: self.publish(GLOBAL_TYPE, "", facts))
        standin.hooks.on("REPO_DELETED", self._forget)

    def _listener(self, kind: str):
        def heard(**facts):
            self.publish(kind, f"{facts['namespace']}/{facts['repository']}", self.contents(kind, facts))
        return heard

    def _repository_listener(self, event: str):
        def heard(**facts):
            contents = {
                "namespace": facts["namespace"], "repository": facts["repository"], "event": event,
                "author": facts["actor"], "data": facts["data"],
            }
            self.publish(NAMESPACE_TYPE, facts["namespace"], contents)
        return heard

    def _forget(self, **facts) -> None:
        """Subscriptions to a repository end with it."""
        for doc in self.standin.store.all("webhook"):
            if doc["key"] == f"{facts['namespace']}/{facts['repository']}":
                self.standin.store.delete("webhook", doc["id"])

    def contents(self, kind: str, facts: dict) -> dict:
        """The `contents` of a payload about a repository. Pull, promotion and mirroring have no documented layout."""
        place = {"namespace": facts["namespace"], "repository": facts["repository"]}
        image = f"{self.standin.dtr_name}/{facts['namespace']}/{facts['repository']}"
        if kind in TAG_TYPES or kind in MANIFEST_TYPES:
            about = {name: facts.get(name, "") for name in ("digest", "os", "architecture")}
            tag = {"tag": facts["tag"], "imageName": f"{image}:{facts['tag']}"} if kind in TAG_TYPES else {
                "imageName": f"{image}@{facts['digest']}",
            }
            when = {(TAG_TYPES | MANIFEST_TYPES)[kind]: stamp(self.standin.clock())}
            return {**place, **tag, **about, "author": facts.get("actor", ""), **when}
        return {**place, "imageName": f"{image}:{facts['tag']}", **{name: value for name, value in facts.items() if name not in place}}

    def publish(self, kind: str, key: str, contents: dict) -> None:
        """Queue a delivery to every active subscription; one without a key hears everything of its type."""
        payload = json.dumps(wrap(kind, contents, stamp(self.standin.clock())))
        for doc in self.standin.store.all("webhook"):
            if doc["type"] == kind and doc["key"] in ("", key) and not doc["inactive"]:
                self.standin.jobs.submit("webhook", {"webhook": doc["id"], "payload": payload}, retries=RETRIES)

    def sample(self, kind: str) -> str:
        """A canned payload of a type, for the test of an endpoint."""
        now, place = stamp(self.standin.clock()), {"namespace": "sample", "repository": "image"}
        if kind == GLOBAL_TYPE:
            contents = {"scanner_version": 1, "db_version": 1, "success": True}
        elif kind == NAMESPACE_TYPE:
            contents = {**place, "event": "REPO_CREATED", "author": "sample", "data": {}}
        else:
            contents = self.contents(kind, {**place, "tag": "latest", "digest": "sha256:" + 64 * "0", "actor": "sample"})
        return json.dumps(wrap(kind, contents, now))

    async def deliver(self, job: Job) -> None:
        doc = self.standin.store.get("webhook", job.parameters.get("webhook", ""))
        if doc is None or doc["inactive"]:
            job.log("the subscription is gone or inactive: nothing is sent")
            return
        job.log(f"sending {doc['type']} to {doc['endpoint']}")
        await send(doc, job.parameters["payload"])
        job.log("delivered")
        # Whoever changed the subscription meanwhile keeps the change.
        current = self.standin.store.get("webhook", doc["id"])
        if current:
            self.standin.store.put("webhook", doc["id"], {**current, "lastSuccessfulAt": stamp(self.standin.clock())})


def wrap(kind: str, contents: dict, created_at: str) -> dict:
    return {"type": kind, "createdAt": created_at, "contents": contents}


async def send(webhook: dict, payload: str) -> None:
    """POST a payload to {"endpoint", "tlsCert", "skipTLSVerification"}; `JobFailed` unless the answer is a 2xx."""
    endpoint, headers = webhook["endpoint"], {"Content-Type": "application/json"}
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.post(
            endpoint, data=payload, headers=headers, ssl=_tls(webhook), allow_redirects=False,
        ) as answer:
            if not 200 <= answer.status < 300:
                raise JobFailed(f"{endpoint} answered {answer.status}")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
        raise JobFailed(f"{endpoint} cannot be reached: {problem or type(problem).__name__}") from problem


def _tls(webhook: dict) -> ssl.SSLContext | bool:
    """The certificate given with the subscription is trusted besides the machine's own authorities."""
    if webhook["skipTLSVerification"]:
        return False
    context = ssl.create_default_context()
    if webhook["tlsCert"]:
        context.load_verify_locations(cadata=webhook["tlsCert"])
    return context
