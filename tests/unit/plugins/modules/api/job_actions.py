# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions of the stand-in's job runner that do what a test wants."""

from __future__ import annotations

import asyncio
import threading
import time


class Work:
    """An action that logs its lines and goes on until end() is called, or it has run for `lasts` seconds.

    failures: how many of its first runs fail then.
    """

    def __init__(self, standin, action, lines=("one", "two"), failures=0, lasts=600):
        self.standin, self.lines, self.failures, self.lasts = standin, lines, failures, lasts
        self.released = threading.Event()
        standin.jobs.actions[action] = self.run

    async def run(self, job):
        for line in self.lines:
            job.log(line)
        end = time.monotonic() + self.lasts
        while not self.released.is_set() and time.monotonic() < end:
            await asyncio.sleep(0.02)
        if self.failures:
            self.failures -= 1
            fail = self.standin.jobs.actions["false"]
            await fail(job)

    def end(self):
        """Let it end."""
        self.released.set()
        return self

    def end_when(self, condition):
        """Let it end once condition() is true."""

        def watch():
            while not condition():
                time.sleep(0.01)
            self.released.set()

        threading.Thread(target=watch, daemon=True).start()
        return self

    def end_in(self, seconds):
        """Let it end later."""
        timer = threading.Timer(seconds, self.released.set)
        timer.daemon = True
        timer.start()
        return self


def submit(standin, action, **fields):
    """The id of a job that was submitted by somebody else, once it is running; fields: of the submission form."""

    async def queue():
        return standin.jobs.submit(action, **fields)["id"]

    job_id = standin.run(queue())
    for _attempt in range(200):
        if standin.store.get("job", job_id)["status"] != "waiting":
            return job_id
        time.sleep(0.01)
    raise AssertionError(f"job {job_id} was never begun")


def change(standin, job_id, **fields):
    """Change what the registry says of a job."""

    async def put():
        standin.store.put("job", job_id, {**standin.store.get("job", job_id), **fields})

    standin.run(put())
