# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scans images (DTR docs: set up vulnerability scans).

A scan goes 3 pending, 2 scanning (reading the layers), 5 checking (against the database), 6 completed; it stays at 4 while
there is no database, and ends at 0 when it failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import pathlib

from . import scan_results, scanner
from .errors import Refused
from .jobs import Job, JobFailed
from .scan_results import CHECKING, COMPLETED, FAILED, PENDING, SCANNED, SCANNING
from .times import NEVER, stamp

UNKNOWN = {"licenses": None, "components": None, "vulnerabilities": None}


class Scanning:
    """`request` queues the scan of a tag; `facts`, `summary` and `find` tell what is known."""

    def __init__(self, standin):
        self.standin, self.store = standin, standin.store
        standin.jobs.actions |= {
            "scan_check": self._scan_job, "scan_check_single": self._layer_job, "scan_check_all": self._all_job,
        }
        standin.hooks.on("TAG_PUSH", self._on_push)
        standin.hooks.on("JOB_ENDED", self._on_job_end)
        standin.hooks.on("SCANNER_UPDATE_COMPLETED", self._on_database)

    # -- what is known

    @property
    def enabled(self) -> bool:
        return bool(self.standin.settings.values.get("scanningEnabled"))

    @property
    def db_version(self) -> int:
        return self.standin.vulnerabilities.version

    def overrides(self) -> list[dict]:
        return self.store.all("override")

    def manifests(self, repository: str, digest: str) -> list[dict]:
        """The images behind a digest: itself, or those that an index lists."""
        manifest = self.store.get("manifest", f"{repository}/{digest}")
        if manifest is None:
            return []
        if not manifest.get("children"):
            return [manifest]
        children = [self.store.get("manifest", f"{repository}/{child}") for child in manifest["children"]]
        return [child for child in children if child]

    def scans(self, repository: str, digest: str) -> list[dict]:
        """The scans, one for each image behind a digest; empty unless all of them have one."""
        manifests = self.manifests(repository, digest)
        found = [self.store.get("scan", f"{repository}/{manifest['digest']}") for manifest in manifests]
        return found if all(found) else []

    def facts(self, repository: str, digest: str) -> dict:
        """What rules ask for (see rules.py); unknown until every image behind the digest is completely checked."""
        scans = self.scans(repository, digest)
        if not scans or any(doc["status"] != COMPLETED for doc in scans):
            return UNKNOWN
        counts = [scan_results.scanned_image(doc, self.overrides(), doc["tag"])["totalVulnCount"] for doc in scans]
        return {
            "licenses": sorted({name for doc in scans for name in scan_results.licenses(doc)}),
            "components": sorted({part["name"] for doc in scans for part in doc["components"]}),
            "vulnerabilities": {name: sum(count[name] for count in counts) for name in scan_results.SEVERITIES},
        }

    def summary(self, namespace: str, repository: str, digest: str, tag: str = "") -> dict | None:
        """responses.OldScanSummary of one image, for the tag that lists it; None before its first scan."""
        doc = self.store.get("scan", f"{namespace}/{repository}/{digest}")
        return scan_results.old_summary(doc, self.overrides(), tag or doc["tag"], self.db_version) if doc else None

    def demand_enabled(self) -> None:
        if not self.enabled:
            raise Refused(400, "SCANNING_NOT_ENABLED", "Scanning is not enabled; set scanningEnabled in the settings.")

    # -- asking for scans

    def _on_push(self, **facts) -> None:
        repository = self.store.get("repository", f"{facts['namespace']}/{facts['repository']}")
        if self.enabled and repository and repository["scanOnPush"]:
            for manifest in self.manifests(f"{facts['namespace']}/{facts['repository']}", facts["digest"]):
                self.request(f"{facts['namespace']}/{facts['repository']}", manifest["digest"], facts["tag"])

    def _on_database(self, **_facts) -> None:
        if self.standin.settings.values.get("scanningEnableAutoRecheck"):
            self.request_all(scan=False, check=True)

    def request(self, repository: str, digest: str, tag: str) -> None:
        """Mark an image as pending and queue its scan."""
        namespace, name = repository.split("/")
        key = f"{repository}/{digest}"
        fresh = {
            "pk": key, "namespace": namespace, "repository": name, "digest": digest, "error": "", "checkedAt": NEVER, "dbVersion": 0,
            "foreign": False, "components": [], "found": {}, "cves": {}, "layers": [],
        }
        self.store.put("scan", key, {**fresh, **(self.store.get("scan", key) or {}), "tag": tag, "status": PENDING})
        minutes = self.standin.settings.values.get("scanningDeadline") or 0   # the unit is not documented
        self.standin.jobs.submit("scan_check", {"key": key}, capacityMap={"scan": 1}, deadline=f"{minutes}m" if minutes else "")

    def request_all(self, scan: bool, check: bool) -> None:
        """All images of all tags once more, or only against the database where they have been read."""
        if scan:
            for key, tag in self.store.items("tag"):
                repository = key.rpartition("/")[0]
                for manifest in self.manifests(repository, tag["digest"]):
                    self.request(repository, manifest["digest"], tag["name"])
        elif check:
            self.standin.jobs.submit("scan_check_all", capacityMap={"scanCheck": 1})

    # -- scanning

    async def _scan_job(self, job: Job) -> None:
        key = job.parameters.get("key", "")
        if self.store.get("scan", key) is None or self.store.get("manifest", key) is None:
            raise JobFailed(f"there is no image {key!r} to scan")
        try:
            await self._read(key, job)
            self._check(key, job)
        except (scanner.ScanError, ValueError, OSError) as problem:
            self._fail(key, str(problem))
            raise JobFailed(str(problem)) from problem

    def _on_job_end(self, **facts) -> None:
        """A scan whose job was canceled, stopped or lost does not stay under way for ever."""
        key = facts["parameters"].get("key", "")
        doc = self.store.get("scan", key) if facts["action"] == "scan_check" else None
        if doc and doc["status"] in (PENDING, SCANNING, CHECKING):
            self._fail(key, f"the job of the scan ended as {facts['status']}")

    async def _read(self, key: str, job: Job) -> None:
        """Read the layers; foreign ones are not in the registry."""
        self._note(key, status=SCANNING)
        manifest = self.store.get("manifest", key)
        layers = [layer for layer in manifest["layers"] if not layer.get("urls")]
        job.log(f"scanning {key}: {len(layers)} layers")
        found = await asyncio.to_thread(_scan_files, [self.standin.registry.files.blob(layer["digest"]) for layer in layers])
        shown = [{name: layer[name] for name in ("digest", "mediaType", "size")} for layer in layers]
        self._note(key, status=SCANNED, components=found, layers=shown, foreign=len(layers) < len(manifest["layers"]), error="")
        job.log(f"{len(found)} components")

    def _check(self, key: str, job: Job) -> None:
        """Match what was found; without a database the scan stays where it is."""
        if not self.db_version:
            job.log("there is no vulnerability database yet: nothing is checked")
            return
        doc = self._note(key, status=CHECKING)
        database = self.standin.vulnerabilities.database
        found = scanner.match(doc["components"], database["advisories"])
        names = {cve for cves in found.values() for cve in cves}
        cves = {item["cve"]: {"cvss": item["cvss"], "summary": item["summary"]} for item in database["advisories"] if item["cve"] in names}
        now = stamp(self.standin.clock())
        done = self._note(key, status=COMPLETED, found=found, cves=cves, dbVersion=database["version"], checkedAt=now)
        job.log(f"checked against version {database['version']}: {len(names)} vulnerabilities")
        self._completed(done)

    def _completed(self, doc: dict) -> None:
        summary = scan_results.old_summary(doc, self.overrides(), doc["tag"], self.db_version)
        names = ("critical", "major", "minor", "last_scan_status", "check_completed_at")
        place = {"namespace": doc["namespace"], "repository": doc["repository"], "tag": doc["tag"]}
        self.standin.events.add("", "SCAN", "TAG", doc["digest"], doc["tag"], f"{doc['namespace']}/{doc['repository']}")
        self.standin.hooks.fire("SCAN_COMPLETED", **place, scanSummary={**place, **{name: summary[name] for name in names}})

    def _fail(self, key: str, error: str) -> None:
        doc = self._note(key, status=FAILED, error=error)
        if doc:
            place = {"namespace": doc["namespace"], "repository": doc["repository"], "tag": doc["tag"]}
            self.standin.events.add("", "FAIL", "SCAN", doc["digest"], doc["tag"], f"{doc['namespace']}/{doc['repository']}", error)
            self.standin.hooks.fire("SCAN_FAILED", **place, error=error)

    def _note(self, key: str, **changes) -> dict | None:
        """Change a scan; the repository may have gone meanwhile, and its scans with it."""
        doc = self.store.get("scan", key)
        return self.store.put("scan", key, {**doc, **changes}) if doc else None

    async def _layer_job(self, job: Job) -> None:
        """Scan all images with the layer of the documented parameter SHA256SUM."""
        digest = job.parameters.get("SHA256SUM", "")
        wanted = digest if digest.startswith("sha256:") else f"sha256:{digest}"
        keys = [key for key, doc in self.store.items("scan") if wanted in {layer["digest"] for layer in doc["layers"]}]
        if not keys:
            raise JobFailed(f"SHA256SUM {digest!r} names no layer of a scanned image")
        for key in keys:
            await self._read(key, job)
            self._check(key, job)

    async def _all_job(self, job: Job) -> None:
        """Match everything that has been read against the database of today."""
        for key, doc in self.store.items("scan"):
            if doc["status"] in (SCANNED, COMPLETED):
                self._check(key, job)
                await asyncio.sleep(0)


def _scan_files(paths: list[pathlib.Path]) -> list[dict]:
    with contextlib.ExitStack() as stack:
        return scanner.scan([stack.enter_context(path.open("rb")) for path in paths])
