# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What jobs do, as far as no other service owns the action (DTR docs: job queue)."""

from __future__ import annotations

import asyncio

from .jobs import Job, JobFailed

SLEEP_SECONDS = 60   # DTR docs: troubleshoot batch jobs


class Actions:
    def __init__(self, standin):
        self.standin = standin
        standin.jobs.actions |= {
            "gc": lambda job: standin.gc.run_offline(job.log, job.deadline),
            "onlinegc": lambda job: standin.gc.run(job.log, job.deadline),
            "onlinegc_blobs": lambda job: standin.gc.run(job.log, job.deadline),
            "onlinegc_metadata": lambda job: standin.gc.run_metadata(job.log),
            "onlinegc_joblogs": lambda job: standin.gc.run_joblogs(job.log),
            "license_update": self._update_license,
            "ro_registry": self._make_read_only,
            "sleep": self._sleep,
            "false": self._fail,
        }
        standin.jobs.ends_itself |= {"gc", "onlinegc", "onlinegc_blobs"}

    async def _update_license(self, job: Job) -> None:
        """Nobody sells extensions here, so that there never is one."""
        job.log("no extension of the license was found")

    async def _make_read_only(self, job: Job) -> None:
        self.standin.settings.apply({"readOnlyRegistry": True})
        job.log("the registry is read-only now")

    async def _sleep(self, job: Job) -> None:
        job.log(f"sleeping for {SLEEP_SECONDS} seconds")
        await asyncio.sleep(SLEEP_SECONDS)

    async def _fail(self, job: Job) -> None:
        raise JobFailed("this action always fails")
