# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Garbage collection: what no tag leads to is removed from the store, while pushes and pulls go on (DTR docs: garbage collection).

Marks from the tags, through indexes, to the blobs; then sweeps. Each decision to remove and the removal itself happen in one step of the
event loop, and everything a push is about to rely on is held (pins.py) before Distribution hears of it: a push that was accepted loses
nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import Callable, Iterator

from .events import outdated
from .jobs import JobFailed
from .registry import blobs_of

BATCH = 50   # removals between two looks at the clock, the deadline and the other requests
ENDED = ("done", "error", "cancel", "worker_dead", "worker_shutdown")


class OutOfTime(Exception):
    """The deadline has passed; what is left is for the next run."""


def reachable(tags: list[dict], held: list[str], manifests: dict[str, dict]) -> set[str]:
    """The digests of one repository's manifests that a tag or an unfinished push leads to; `manifests`: all of them by digest."""
    found: set[str] = set()
    waiting = [tag["digest"] for tag in tags] + held
    while waiting:
        digest = waiting.pop()
        if digest in manifests and digest not in found:
            found.add(digest)
            waiting += manifests[digest]["children"]
    return found


class Marks:
    """What is in use: manifests and blobs by repository, and all digests of the store."""

    def __init__(self):
        self.manifests: dict[str, set[str]] = {}
        self.blobs: dict[str, set[str]] = {}
        self.all: set[str] = set()

    def add(self, repository: str, manifests: dict[str, dict], used: set[str]) -> None:
        blobs = {blob for digest in used for blob in blobs_of(manifests[digest])}
        self.manifests[repository], self.blobs[repository] = used, blobs
        self.all |= used | blobs


class Collector:
    """`lock_holder`: the replica that collects at the moment, "" for none; `offline`: the registry is read-only while it does."""

    def __init__(self, standin):
        self.standin = standin
        self.lock_holder = ""
        self.offline = False

    # The jobs

    async def run(self, log: Callable[[str], None], deadline: datetime.datetime | None = None) -> dict:
        """`onlinegc`. Ends in good order at the deadline; what it has removed by then stays removed.

        The result: {"manifests", "links", "blobs", "bytes"} removed and "finished". JobFailed when another collection runs.
        """
        if self.lock_holder:
            raise JobFailed(f"replica {self.lock_holder} holds the garbage collection lock; wait until its job has ended")
        removed = {"manifests": 0, "links": 0, "blobs": 0, "bytes": 0, "finished": False}
        self.lock_holder = self.standin.options.replica_id
        self.standin.registry.pins.begin()
        try:
            with contextlib.suppress(OutOfTime):
                marks = await self._mark(log, deadline)
                await self._sweep(marks, removed, deadline)
                removed["finished"] = True
        finally:
            self.standin.registry.pins.end()
            self.lock_holder = ""
            if not removed["finished"]:
                log("stopped before the end; the next run goes on")
            log("freed {bytes} bytes: {blobs} blobs, {manifests} manifests".format(**removed))
        return removed

    async def run_offline(self, log: Callable[[str], None], deadline: datetime.datetime | None = None) -> dict:
        """`gc`: the same with the registry read-only while it runs."""
        self.offline = True
        log("the registry is read-only until this job has ended")
        try:
            return await self.run(log, deadline)
        finally:
            self.offline = False

    async def run_metadata(self, log: Callable[[str], None]) -> dict:
        """`onlinegc_metadata`: tags, manifests and scans of what is not there any more."""
        store, counts = self.standin.store, {}
        there = {
            "tag": lambda key: store.get("repository", key.rpartition("/")[0]),
            "manifest": lambda key: store.get("repository", key.rpartition("/")[0]),
            "scan": lambda key: store.get("manifest", key),
        }
        for kind, is_there in there.items():
            lost = [key for key, _doc in store.items(kind) if not is_there(key)]
            for key in lost:
                store.delete(kind, key)
            counts[kind] = len(lost)
        log(f"forgot {counts['tag']} tags, {counts['manifest']} manifests and {counts['scan']} scans of what is gone")
        return counts

    async def run_joblogs(self, log: Callable[[str], None]) -> dict:
        """`onlinegc_joblogs`: jobs and events beyond what the settings keep (DTR docs: auto-delete job logs, events)."""
        settings = self.standin.settings.values
        jobs = 0
        if settings["jobHistoryCompactionEnabled"]:
            ended = [job for job in self.standin.store.all("job") if job["status"] in ENDED]
            ended.sort(key=lambda job: job["lastUpdated"], reverse=True)
            old = outdated(ended, "lastUpdated", settings["jobHistoryToKeep"], settings["jobHistoryMaxAge"], self.standin.clock())
            for job in old:
                self.standin.jobs.delete(job)
            jobs = len(old)
        counts = {"jobs": jobs, "events": self.standin.events.compact(settings)}
        log(f"forgot {counts['jobs']} jobs and {counts['events']} events")
        return counts

    # Marking

    async def _mark(self, log: Callable[[str], None], deadline: datetime.datetime | None) -> Marks:
        marks, tags = Marks(), 0
        for repository in [f"{found['namespace']}/{found['name']}" for found in self.standin.store.all("repository")]:
            tags += self._mark_repository(marks, repository)
            await self._breathe(deadline)
        manifests = sum(len(used) for used in marks.manifests.values())
        blobs = len(set().union(*marks.blobs.values()))
        log(f"{tags} tags lead to {manifests} manifests and {blobs} blobs")
        return marks

    def _mark_repository(self, marks: Marks, repository: str) -> int:
        parts = repository.split("/")
        tags = self.standin.tags.of_repository(*parts)
        manifests = {manifest["digest"]: manifest for manifest in self.standin.tags.manifests(*parts)}
        held = [digest for digest in manifests if self.standin.registry.pins.held(digest)]
        marks.add(repository, manifests, reachable(tags, held, manifests))
        return len(tags)

    # Sweeping: first what is known, then the links, last the content, so that an interruption leaves nothing that leads nowhere

    async def _sweep(self, marks: Marks, removed: dict, deadline: datetime.datetime | None) -> None:
        for step in (self._sweep_manifests(marks), self._sweep_links(marks), self._sweep_blobs(marks)):
            for position, (what, remove) in enumerate(step):
                if remove:
                    removed["bytes"] += remove() or 0
                    removed[what] += 1
                if position % BATCH == BATCH - 1:
                    await self._breathe(deadline)
            await self._breathe(deadline)

    # The steps yield (what, the removal), and None instead of a removal for what stays: the store is walked in batches.

    def _free(self, digest: str, used: set[str]) -> bool:
        return digest not in used and not self.standin.registry.pins.held(digest)

    def _sweep_manifests(self, marks: Marks) -> Iterator[tuple[str, Callable]]:
        for repository, used in marks.manifests.items():
            parts = repository.split("/")
            for manifest in self.standin.tags.manifests(*parts):
                digest = manifest["digest"]
                if self._free(digest, used) and self.standin.tags.manifest(*parts, digest):
                    yield "manifests", lambda parts=parts, digest=digest: self.standin.tags.drop_manifest(*parts, digest)

    def _sweep_links(self, marks: Marks) -> Iterator[tuple[str, Callable]]:
        files = self.standin.registry.files
        for repository in files.repositories():
            if not self.standin.repositories.get(*repository.split("/")):
                yield "links", lambda repository=repository: files.forget(repository)
                continue
            for listed, used, unlink in (
                (files.revisions, marks.manifests, files.unlink_revision), (files.layers, marks.blobs, files.unlink_layer)
            ):
                for digest in listed(repository):
                    if self._free(digest, used.get(repository, set())):
                        yield "links", lambda repository=repository, digest=digest, unlink=unlink: unlink(repository, digest)

    def _sweep_blobs(self, marks: Marks) -> Iterator[tuple[str, Callable]]:
        files = self.standin.registry.files
        for digest in files.blobs():
            yield "blobs", (lambda digest=digest: files.remove_blob(digest)) if self._free(digest, marks.all) else None

    async def _breathe(self, deadline: datetime.datetime | None) -> None:
        await asyncio.sleep(0)
        if deadline and self.standin.clock() >= deadline:
            raise OutOfTime
