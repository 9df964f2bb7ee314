# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in that scans, as fast and as well as a test wants."""

from __future__ import annotations

import asyncio
import threading

from api_modules import connection, run


def prepare(standin):
    """Scanning is on, its database is there, and there is a repository."""
    standin.accounts.create({"name": "ops", "isOrg": True})
    options = connection(standin, "dtr_scan")
    run("dtr_repository", {**options, "repositories": [{"name": "ops/base"}]})
    run("dtr_settings", {**options, "settings": {"scanning_enabled": True}})
    run("dtr_job", {**options, "action": "update_vuln_db"})
    standin.writes.clear()


class Slow:
    """Scans wait until they are released; fails: and end without a result then."""

    def __init__(self, standin):
        self.standin, self.released, self.fails = standin, threading.Event(), False
        self.scan = standin.jobs.actions["scan_check"]
        standin.jobs.actions["scan_check"] = self.run

    async def run(self, job):
        while not self.released.is_set():
            await asyncio.sleep(0.02)
        if self.fails:
            change(self.standin, job.parameters["key"], status=0)
        else:
            await self.scan(job)

    def end(self):
        self.released.set()
        return self

    def end_in(self, seconds):
        timer = threading.Timer(seconds, self.released.set)
        timer.daemon = True
        timer.start()
        return self


def change(standin, key, **fields):
    standin.store.put("scan", key, {**standin.store.get("scan", key), **fields})
