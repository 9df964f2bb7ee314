# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database of advisories that scans are checked against (DTR docs: set up vulnerability scans).

It is a JSON file {"version": number, "advisories": [{"cve", "source": "deb"|"apk", "package", "fixed_in", "cvss", "summary"}]}; the
product's own layout is not documented. The shipped one, advisories.json, is made up.
"""

from __future__ import annotations

import asyncio
import io
import json
import pathlib
import tarfile

from .errors import Refused
from .jobs import Job, JobFailed
from .scan_results import FINGERPRINT
from .times import NEVER, stamp

SHIPPED = pathlib.Path(__file__).parent / "advisories.json"
ADVISORY = {"cve": str, "source": str, "package": str, "fixed_in": str, "cvss": (int, float), "summary": str}
EMPTY = {"version": 0, "updatedAt": NEVER, "failed": False, "advisories": []}
# What `state` of the status means is not documented; these are the stand-in's own.
STATE_EMPTY, STATE_READY, STATE_UPDATING = range(3)


class Vulnerabilities:
    """`version` 0 means that no database was ever loaded."""

    def __init__(self, standin):
        self.standin = standin
        self.updating = False
        standin.jobs.actions["update_vuln_db"] = self._fetch
        standin.hooks.on("SETTINGS_CHANGED", self._on_settings)

    @property
    def database(self) -> dict:
        return self.standin.store.get("vulndb", "db") or EMPTY

    @property
    def version(self) -> int:
        return self.database["version"]

    def _on_settings(self, **facts) -> None:
        """Switching scanning or its online mode on fetches the database."""
        before, after = (facts[name].get("scanningEnabled") and facts[name].get("scanningSyncOnline") for name in ("before", "after"))
        if after and not before:
            self.standin.jobs.submit("update_vuln_db")

    async def _fetch(self, job: Job) -> None:
        """The online update; what stands for the vendor's feed is a file, or nothing at all."""
        source = self.standin.options.advisories
        job.log(f"fetching {source or SHIPPED.name}")
        self.updating = True
        try:
            if source == "":
                raise JobFailed("the online feed of advisories cannot be reached")
            self.load(await asyncio.to_thread(pathlib.Path(source or SHIPPED).read_bytes))
        except (JobFailed, OSError, ValueError) as problem:
            self._note_failure()
            raise JobFailed(str(problem)) from problem
        finally:
            self.updating = False
        job.log(f"version {self.version} is in force")

    def upload(self, tar: bytes) -> None:
        """Load `advisories.json` from an uploaded tar; the code for a bad one is the only one documented."""
        if self.updating:
            raise Refused(400, "SCANNING_DB_NOT_READY", "The database is being updated; try again when that has ended.")
        try:
            self.load(_from_tar(tar))
        except ValueError as problem:
            self._note_failure()
            raise Refused(400, "SCANNING_DB_NOT_READY", f"The upload is no vulnerability database: {problem}.") from problem

    def load(self, content: bytes) -> None:
        """Put a database in force; `ValueError` says what is wrong with one that is none."""
        database = json.loads(content)
        _check(database)
        now, replica = stamp(self.standin.clock()), self.standin.options.replica_id
        known = {"version": database["version"], "updatedAt": now, "failed": False, "advisories": database["advisories"]}
        self.standin.store.put("vulndb", "db", known)
        self.standin.hooks.fire(
            "SCANNER_UPDATE_COMPLETED", scanner_version=1, scanner_updated_at=NEVER, db_version=database["version"], db_updated_at=now,
            success=True, replicas={replica: {"db_updated_at": now, "version": "1", "replica_id": replica}},
        )

    def _note_failure(self) -> None:
        self.standin.store.put("vulndb", "db", {**self.database, "failed": True})

    def status(self) -> dict:
        """responses.NautilusStatus."""
        database = self.database
        return {
            "state": STATE_UPDATING if self.updating else STATE_READY if database["version"] else STATE_EMPTY,
            "scanner_version": 1,
            "scannerUpdatedAt": NEVER,
            "db_version": database["version"],
            "db_updated_at": database["updatedAt"],
            "lastDBUpdateFailed": database["failed"],
            "lastVulnOverridesDBUpdateFailed": False,
            "replicas": {self.standin.options.replica_id: FINGERPRINT},
        }


def _from_tar(content: bytes) -> bytes:
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
            for member in archive:
                if member.isfile() and pathlib.PurePosixPath(member.name).name == SHIPPED.name:
                    return archive.extractfile(member).read()
    except tarfile.TarError as problem:
        raise ValueError(f"it is not a tar ({problem})") from problem
    raise ValueError(f"the tar holds no {SHIPPED.name}")


def _check(database) -> None:
    if not isinstance(database, dict) or not isinstance(database.get("version"), int) or database["version"] < 1:
        raise ValueError(f"{SHIPPED.name} needs a version of 1 or more")
    if not isinstance(database.get("advisories"), list):
        raise ValueError(f"{SHIPPED.name} needs a list of advisories")
    for item in database["advisories"]:
        wrong = [name for name, kind in ADVISORY.items() if not isinstance(item, dict) or not isinstance(item.get(name), kind)]
        if wrong:
            raise ValueError(f"an advisory lacks {', '.join(wrong)}: {json.dumps(item)[:100]}")
