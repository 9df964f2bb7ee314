# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job runner: claims jobs when they are due, runs them on the event loop, keeps their logs (DTR docs: job queue).

A job in the store is the documented object; its `status` is spelled as in the documents' prose, because that list is
longer than the API's: waiting, running, cancel_request, done, error, cancel, worker_dead, worker_shutdown.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import traceback
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from . import duration
from .crons import Crons
from .errors import Refused
from .times import moment, stamp

API_SPELLING = {
    "cancel_request": "running", "error": "errored", "cancel": "canceled", "worker_dead": "errored", "worker_shutdown": "errored",
}
LIVE = ("waiting", "running", "cancel_request")
CAPACITY = {"scan": 1, "scanCheck": 1}
HEARTBEAT = timedelta(seconds=30)
POLL_SECONDS = 0.2           # how often the runner looks at a clock that tests may shift
STOP_SECONDS = 10.0          # how long a stopped job may take to clean up, where it does not say so itself
RUNNING_AT_ONCE = 16


class JobFailed(Exception):
    """An action that did not do its work; the message becomes the last line of the log."""


class Job:
    """What an action is given: its parameters, a log, and the moment at which it has to be done."""

    def __init__(self, doc: dict, parameters: dict[str, str], lines: list[str], deadline: datetime | None):
        self.id, self.action, self.parameters, self.deadline = doc["id"], doc["action"], parameters, deadline
        self._lines = lines

    def log(self, line: str) -> None:
        self._lines.append(line)


def api_view(doc: dict, spelling: str) -> dict:
    """A job as the API answers it; `spelling` is "api" (the enumeration of the interface) or "docs" (the prose)."""
    status = doc["status"] if spelling == "docs" else API_SPELLING.get(doc["status"], doc["status"])
    return {**doc, "status": status}


class Jobs:
    """Submits, claims and runs jobs; `actions` maps an action to its coroutine function, filled by the services that own them."""

    def __init__(self, standin):
        self.standin = standin
        self.actions: dict[str, Callable[[Job], Awaitable]] = {}
        self.crons = Crons(self)
        self.ends_itself: set[str] = set()   # actions that end in good order at their deadline, without being stopped
        self._lines: dict[str, list[str]] = {}
        self._tasks: dict[str, asyncio.Task] = {}
        self._claim_at: dict[str, float] = {}
        self._wake: asyncio.Event | None = None
        self._runner: asyncio.Task | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False

    # -- life of the worker

    async def start(self) -> None:
        """Take up what a former run left: its running jobs died with it, its waiting ones are claimed."""
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        if self.worker_id not in dict(self.standin.store.items("worker")):
            first = not self.standin.store.items("worker")
            self.standin.store.put("worker", self.worker_id, {"id": self.worker_id, "capacityMap": dict(CAPACITY)})
            if first:
                self.crons.seed()
        for doc in self.standin.store.all("job"):
            if doc["status"] in ("running", "cancel_request"):
                self._finish(doc, "worker_dead")
        self._runner = asyncio.create_task(self._run())
        self._runner.add_done_callback(self._note_crash)

    def _note_crash(self, task: asyncio.Task) -> None:
        if not task.cancelled() and task.exception():
            self.standin.crashes.append("".join(traceback.format_exception(task.exception())))

    async def stop(self) -> None:
        self._stopping = True
        tasks = [task for task in (self._runner, *self._tasks.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def worker_id(self) -> str:
        return self.standin.options.replica_id

    def wake(self) -> None:
        """Let the runner look at once; safe from any thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    def running(self) -> int:
        """How many jobs run."""
        return len(self._tasks)

    def worker(self) -> dict:
        doc = self.standin.store.get("worker", self.worker_id)
        return {**doc, "status": "running", "heartbeatExpiration": stamp(self.standin.clock() + HEARTBEAT)}

    # -- submitting

    def submit(self, action: str, parameters: dict | None = None, retry_of: dict | None = None, **fields) -> dict:
        """Queue a job; `fields` are those of the submission form, absent ones take their defaults."""
        self.check(action, fields)
        now, job_id = stamp(self.standin.clock()), str(uuid.uuid4())
        retries = fields.get("retries") or 0
        doc = {
            "id": job_id,
            "retryFromID": retry_of["retryFromID"] if retry_of else job_id,
            "workerID": "",
            "status": "waiting",
            "scheduledAt": fields.get("scheduledAt") or now,
            "lastUpdated": now,
            "action": action,
            "retriesLeft": retries,
            "retriesTotal": retry_of["retriesTotal"] if retry_of else retries,
            "capacityMap": fields.get("capacityMap") or {},
            "parameters": parameters or {},
            "deadline": fields.get("deadline") or "",
            "stopTimeout": fields.get("stopTimeout") or "",
        }
        self.standin.store.put("job", job_id, doc)
        self.standin.store.put("waiting_job", job_id, {})
        self.wake()
        return doc

    def check(self, action: str, fields: dict) -> None:
        """Refuse an unknown action and fields that cannot be read; the code for that is not documented."""
        if action not in self.actions:
            raise Refused(400, "INVALID_PARAMETERS", f"There is no action {action!r}; there are {', '.join(sorted(self.actions))}.")
        try:
            for name in ("deadline", "stopTimeout"):
                duration.parse(fields.get(name) or "0")
            if fields.get("scheduledAt") and moment(fields["scheduledAt"]).tzinfo is None:
                raise ValueError(f"scheduledAt {fields['scheduledAt']!r} has no time zone")
        except ValueError as problem:
            raise Refused(400, "INVALID_PARAMETERS", f"{problem}.") from problem
        if (fields.get("retries") or 0) < 0:
            raise Refused(400, "INVALID_PARAMETERS", "retries has to be 0 or more.")

    def cancel(self, doc: dict) -> None:
        """A waiting job ends at once, a running one is asked to; anything else has ended already."""
        if doc["status"] == "waiting":
            self._finish(doc, "cancel")
        elif doc["status"] == "running":
            self._update(doc, status="cancel_request")
            self._loop.call_soon_threadsafe(self._tasks[doc["id"]].cancel)

    def delete(self, doc: dict) -> None:
        self.cancel(doc)
        self.standin.store.delete("job", doc["id"])
        self.standin.store.delete("waiting_job", doc["id"])
        self.standin.store.delete("joblog", doc["id"])

    def log_lines(self, job_id: str) -> list[str]:
        if job_id in self._lines:
            return list(self._lines[job_id])
        return (self.standin.store.get("joblog", job_id) or {"lines": []})["lines"]

    async def ended(self, job_id: str) -> None:
        """Wait until a job has ended or is gone."""
        while (self.standin.store.get("job", job_id) or {"status": "deleted"})["status"] in LIVE:
            await asyncio.sleep(POLL_SECONDS)

    # -- running

    async def _run(self) -> None:
        while not self._stopping:   # wait_for before Python 3.12 swallows a cancellation that meets the end of its wait
            self._wake.clear()
            now = self.standin.clock()
            self.crons.fire(now)
            for doc in self._due(now):
                if len(self._tasks) < RUNNING_AT_ONCE and self._fits(doc) and self._patient(doc["id"]):
                    self._claim(doc)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)

    def _due(self, now: datetime) -> list[dict]:
        waiting = [self.standin.store.get("job", job_id) for job_id, _empty in self.standin.store.items("waiting_job")]
        return sorted((doc for doc in waiting if moment(doc["scheduledAt"]) <= now), key=lambda doc: moment(doc["scheduledAt"]))

    def _patient(self, job_id: str) -> bool:
        """Claiming is a race between replicas, which they soften by waiting up to three seconds."""
        now = self._loop.time()
        return now >= self._claim_at.setdefault(job_id, now + random.uniform(0, self.standin.options.claim_delay))

    def _fits(self, doc: dict) -> bool:
        """A job runs only where its capacity map fits beside what runs already."""
        capacity = dict(self.standin.store.get("worker", self.worker_id)["capacityMap"])
        for job_id in self._tasks:
            running = self.standin.store.get("job", job_id)
            for name, amount in (running or {"capacityMap": {}})["capacityMap"].items():
                capacity[name] = capacity.get(name, 0) - amount
        return all(amount <= capacity.get(name, 0) for name, amount in doc["capacityMap"].items())

    def _claim(self, doc: dict) -> None:
        self.standin.store.delete("waiting_job", doc["id"])
        self._claim_at.pop(doc["id"], None)
        claimed = self._update(doc, status="running", workerID=self.worker_id)
        self._lines[doc["id"]] = []
        task = self._tasks[doc["id"]] = asyncio.create_task(self._attend(claimed))
        # A task that is canceled before its first step runs no line of its own: what has to be done at the end is done here.
        task.add_done_callback(lambda ended: self._ended(claimed, ended))

    async def _attend(self, doc: dict) -> str:
        """Run one job; the status it ends with."""
        config = self.standin.store.get("action_config", doc["action"]) or {"parameters": {}}
        limit = duration.parse(doc["deadline"] or "0")
        deadline = self.standin.clock() + limit if limit else None
        job = Job(doc, {**config["parameters"], **doc["parameters"]}, self._lines[doc["id"]], deadline)
        grace = duration.parse(doc["stopTimeout"]).total_seconds() if doc["stopTimeout"] else STOP_SECONDS
        allowed = (limit.total_seconds() + (grace if doc["action"] in self.ends_itself else 0)) if limit else None
        work = asyncio.create_task(self.actions[doc["action"]](job))
        status = await self._watch(work, job, allowed, grace)
        if status == "error" and work.done() and not work.cancelled() and not isinstance(work.exception(), JobFailed):
            self._note_crash(work)
        return status

    def _ended(self, doc: dict, task: asyncio.Task) -> None:
        """Done, failed, stopped at its deadline, canceled, or gone with the worker."""
        if not task.cancelled():
            self._note_crash(task)
            self._finish(doc, "error" if task.exception() else task.result())
            return
        self._lines[doc["id"]].append("the worker is shutting down" if self._stopping else "canceled")
        self._finish(doc, "worker_shutdown" if self._stopping else "cancel")

    @staticmethod
    async def _watch(work: asyncio.Task, job: Job, allowed: float | None, grace: float) -> str:
        """The status a job ends with; a job that does not stop within `grace` seconds is left behind."""
        try:
            done, _pending = await asyncio.wait({work}, timeout=allowed)
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work}, timeout=grace)
            raise
        if not done:
            job.log(f"stopped: the deadline of {allowed:g} s has passed")
            work.cancel()
            await asyncio.wait({work}, timeout=grace)
            return "error"
        problem = work.exception()
        if problem is not None:
            job.log(f"failed: {problem}" if isinstance(problem, JobFailed) else f"failed: {problem!r}")
            return "error"
        return "done"

    def _finish(self, doc: dict, status: str) -> None:
        """Write the last status and the log; queue another attempt where one is left."""
        job_id = doc["id"]
        self._tasks.pop(job_id, None)
        self._claim_at.pop(job_id, None)
        self.standin.store.delete("waiting_job", job_id)
        lines = self._lines.pop(job_id, [])
        self.standin.hooks.fire("JOB_ENDED", action=doc["action"], parameters=doc["parameters"], status=status)
        if self.standin.store.get("job", job_id) is None:   # deleted meanwhile, with its log
            return
        self.standin.store.put("joblog", job_id, {"lines": lines})
        ended = self._update(doc, status=status)
        if status in ("error", "worker_dead") and ended["retriesLeft"] > 0:
            fields = {name: ended[name] for name in ("capacityMap", "deadline", "stopTimeout")}
            self.submit(ended["action"], ended["parameters"], retry_of=ended, retries=ended["retriesLeft"] - 1, **fields)
        self.wake()

    def _update(self, doc: dict, **changes) -> dict:
        current = self.standin.store.get("job", doc["id"])
        return self.standin.store.put("job", doc["id"], {**current, **changes, "lastUpdated": stamp(self.standin.clock())})
