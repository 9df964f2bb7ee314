# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Jobs of the registry: submitted, waited for, told about. A job is a dictionary as the API gives it (tmpresponses.Job)."""

from __future__ import annotations

import re
import time
from contextlib import closing
from datetime import datetime, timezone

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_schedule import moment

WAIT_ARGUMENTS = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "on_timeout": {"type": "str", "choices": ["fail", "return"], "default": "fail"},
}
# The interface and the documents spell states differently; the interface has no word for a lost worker (DTR docs: job queue).
STATES = {
    "error": "errored", "cancel": "canceled", "worker_shutdown": "errored", "cancel_request": "running",
    "worker_dead": "lost", "worker_resurrection": "lost",
}
ENDED = ("done", "canceled", "errored", "deleted")
LOST_FOR_GOOD = 300    # seconds after which no other replica will take over the job of a dead worker
RETRY_WITHIN = 15      # seconds within which the registry queues the next attempt of a job that failed
NEWEST = 100           # jobs looked at when the ones of an action are asked for
PAUSES = (0.2, 1.5, 5.0)   # seconds: the first between two looks, growth, the longest
JOB_ID = re.compile(r"[A-Za-z0-9_-]+")
TAIL = 20              # lines of a log that are told


def state(job, now=None):
    """waiting, running, done, canceled, errored or deleted; what is unknown as it is.

    Also lost (its worker died, another may take over) and retrying (it failed, the next attempt is about to be queued).
    """
    found = STATES.get(job["status"], job["status"])
    age = seconds_between(job["lastUpdated"], now or utc())
    if found == "lost" and age > LOST_FOR_GOOD:
        return "errored"
    return "retrying" if found == "errored" and job["retriesLeft"] > 0 and age <= RETRY_WITHIN else found


def ended(job):
    """Whether it will not change any more."""
    return state(job) in ENDED


def utc():
    """Now, as the API writes it."""
    return datetime.now(timezone.utc).isoformat()


def seconds_between(start, end):
    """Whole seconds from one RFC 3339 time to another, at least 0."""
    return max(0, round((moment(end) - moment(start)).total_seconds()))


def seconds_of(job):
    """How long it took, or takes by now, from when it was due."""
    return seconds_between(job["scheduledAt"], job["lastUpdated"] if ended(job) else utc())


def submission(action, **fields):
    """tmpforms.JobSubmission, all fields of which are required; fields: those that are not empty, as the API names them."""
    empty = {"parameters": {}, "retries": 0, "capacityMap": {}, "deadline": "", "stopTimeout": "", "scheduledAt": ""}
    return {"action": action, **empty, **fields}


def newest(client, action):
    """The last jobs of an action, the newest first."""
    return client.get("jobs", action=action, start=0, limit=NEWEST)["jobs"] or []


def under_way(jobs):
    """The job that runs, or waits only for a worker, or None; those that are due later do not count."""
    due = [job for job in jobs if state(job) != "waiting" or moment(job["scheduledAt"]) <= moment(utc())]
    live = [job for job in due if not ended(job)]
    return next((job for job in live if state(job) == "running"), live[0] if live else None)


def successor(jobs, job):
    """The last attempt at what this job failed at, None when it was the last itself (DTR 2.7 API: retryFromID)."""
    later = [other for other in jobs if other["retryFromID"] == job["retryFromID"] and other["retriesLeft"] < job["retriesLeft"]]
    return min(later, key=lambda other: other["retriesLeft"], default=None)


def checked_id(job_id):
    """The same; InputError when it cannot stand in an address, above all when it is empty."""
    if not JOB_ID.fullmatch(job_id):
        raise InputError(f"job_id '{job_id}' is no id of a job. Give one as a result named it, or leave job_id out.")
    return job_id


def find(client, job_id):
    """The job with this id; InputError when there is none."""
    job = client.find("jobs", checked_id(job_id))
    if job is None:
        raise InputError(f"job_id '{job_id}': {client.http.base_url} has no such job. It may have been removed with the old job logs;"
                         " take the id from the result that named it.")
    return job


def look(client, job):
    """The job as it is now, or the attempt that followed it."""
    now = client.find("jobs", job["id"])
    if now is None:
        return {**job, "status": "deleted"}
    if state(now) in ("errored", "lost", "retrying") and now["retriesLeft"] > 0:
        return successor(newest(client, now["action"]), now) or now
    return now


def patient(params):
    """A client for looking while time passes: it changes nothing and leaves trying again to the one who waits."""
    return _dtr.connect({**params, "retries": 0}, read_only=True)


def passes(error):
    """Whether an ApiError may be over soon: no answer, too busy, or no quorum; not a certificate or a refusal."""
    if error.status is None:
        return "CERTIFICATE_VERIFY_FAILED" not in str(error.__cause__)
    return error.status == 429 or error.status >= 500


def follow(read, is_over, seconds, clock=time.monotonic, sleep=time.sleep):
    """(what was read last, ApiError of the last try or None), once is_over(it) or the seconds have passed.

    read(): one look, which may raise ApiError; what passes is endured, what was read last is then None if nothing ever was.
    """
    pause, growth, longest = PAUSES
    end = clock() + seconds
    seen, trouble = None, None
    while True:
        try:
            seen, trouble = read(), None
            if is_over(seen):
                return seen, None
        except ApiError as error:
            if not passes(error):
                raise
            trouble = error
        left = end - clock()
        if left <= 0:
            return seen, trouble
        sleep(min(pause, left))
        pause = min(pause * growth, longest)


def follow_job(client, job, seconds):
    """follow() of a job and, where it fails and is tried again, of its next attempts."""
    last = [job]

    def read():
        last[0] = look(client, last[0])
        return last[0]

    return follow(read, ended, seconds)


def log_lines(client, job, offset=0):
    """Lines of the log without the first offset ones; none where there is no log yet."""
    records = client.find("jobs", job["id"], "logs", offset=offset) or []
    return [record["data"].rstrip("\n") for record in sorted(records, key=lambda record: record["lineNum"])]


def wait_for(client, params, job):
    """(result, lines of the log) of a job, waited for as params say; the result has failed and msg where it is a failure.

    params: wait, wait_timeout, on_timeout, log_offset. A job that ended comes with its whole log.
    """
    try:
        job, offset, lines, trouble = watched(client, params, job)
    except ApiError as error:
        told = f"{error} The {job['action']} job {job['id']} is not affected; wait for it again with job_id."
        raise ApiError(told, error.status) from error
    result = {
        "job_id": job["id"], "action": job["action"], "state": state(job), "seconds": seconds_of(job), "waiting": not ended(job),
        "log": lines[-TAIL:], "log_lines": offset + len(lines), "trouble": str(trouble) if trouble else "",
    }
    return judged(result, params), lines


def watched(client, params, job):
    """(job as seen last, lines of its log that were left out, the other lines, ApiError of the last try or None)."""
    first = job["id"]   # what was seen of its log is nothing of the next attempt's
    with closing(patient(params)) as asking:
        trouble, lines = None, []
        if params["wait"] and not ended(job):
            seen, trouble = follow_job(asking, job, params["wait_timeout"])
            job = seen or job
        offset = 0 if ended(job) or job["id"] != first else params["log_offset"]
        if state(job) != "deleted" and not trouble:
            try:
                lines = log_lines(client if ended(job) else asking, job, offset)
            except ApiError as error:
                if ended(job) or not passes(error):
                    raise
                trouble = error
    return job, offset, lines, trouble


def wait_for_id(client, params):
    """wait_for() the job params["job_id"]; who takes a timeout for an answer gets one while the registry does not answer, too."""
    if not (params["wait"] and params["on_timeout"] == "return"):
        return wait_for(client, params, find(client, params["job_id"]))
    with closing(patient(params)) as asking:
        job, trouble = follow(lambda: find(asking, params["job_id"]), bool, params["wait_timeout"])
    if job:
        return wait_for(client, params, job)
    result = {
        "job_id": params["job_id"], "action": params.get("action") or "", "state": "unknown", "seconds": 0, "waiting": True,
        "log": [], "log_lines": params["log_offset"], "trouble": str(trouble),
    }
    return judged(result, params), []


def not_yet(action):
    """The result for a job that check mode does not submit."""
    return {
        "job_id": "", "action": action, "state": "waiting", "seconds": 0, "waiting": False, "log": [], "log_lines": 0, "trouble": "",
        "progress": f"{action} would be started",
    }


def judged(result, params):
    """The result with the line that tells of it, and as a failure where it is one."""
    problem = problem_of(result, params)
    return {**result, "progress": progress(result), **({"failed": True, "msg": problem} if problem else {})}


def progress(result):
    """One line on where a job stands."""
    if result["state"] == "unknown":
        return f"job {result['job_id']}: {result['trouble']}"
    last = result["trouble"] or (result["log"][-1] if result["log"] else "")
    return f"{result['action']} job {result['job_id']}: {result['state']} after {result['seconds']} s{f': {last}' if last else ''}"


def problem_of(result, params):
    """Why a result is a failure, or ""."""
    name = f"The {result['action']} job {result['job_id']}"
    if result["state"] == "deleted":
        return f"{name} was deleted by somebody before it ended. Submit it again."
    if result["state"] in ("errored", "canceled"):
        said = "\n".join(result["log"]) or "nothing"
        return f"{name} ended {result['state']} after {result['seconds']} s. Its log ends with:\n{said}"
    if result["waiting"] and params["wait"] and params["on_timeout"] == "fail":
        trouble = f" The registry cannot be asked at the moment: {result['trouble']}" if result["trouble"] else ""
        return (f"{name} is {result['state']} after {result['seconds']} s, and goes on. Wait for it again with job_id: {result['job_id']}"
                f" and a longer wait_timeout, or end it with dtr_job, state: canceled.{trouble}")
    return ""
