# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs, crons, action configs and workers of the stand-in, over HTTP."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import datetime, timedelta

import images
import pytest
from standin.jobs import Job
from standin.store import Store
from standin_fixture import Client, running
from waiting import wait_for

ENDED = {"done", "errored", "canceled", "error", "cancel", "worker_dead", "worker_shutdown"}


def submit(dtr, action: str, **fields) -> dict:
    return dtr("POST", "/api/v0/jobs", 202, json={"action": action, **fields}).json()


def ended(dtr, job: dict) -> dict:
    """The job once it has ended."""
    def look():
        found = dtr("GET", f"/api/v0/jobs/{job['id']}").json()
        return found if found["status"] in ENDED else None
    return wait_for(look)


def lines(dtr, job: dict, query: str = "") -> list[str]:
    return [line["data"] for line in dtr("GET", f"/api/v0/jobs/{job['id']}/logs{query}").json()]


@pytest.fixture
def work(standin):
    """Actions of the test's own: `work.counting`, `work.blocking`."""
    async def counting(job: Job):
        for number in range(5):
            job.log(f"line {number} of {job.parameters.get('name', 'nobody')}")

    async def blocking(job: Job):
        job.log("waiting")
        await asyncio.Event().wait()

    async def stubborn(job: Job):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(60)

    standin.jobs.actions |= {"counting": counting, "blocking": blocking, "stubborn": stubborn}
    return standin


def test_a_job_runs_to_its_end(work, dtr):
    job = submit(dtr, "counting", parameters={"name": "ann"})
    assert job["retryFromID"] == job["id"] and job["status"] == "waiting" and job["retriesTotal"] == 0
    job = ended(dtr, job)
    assert (job["status"], job["workerID"]) == ("done", work.options.replica_id)
    assert lines(dtr, job) == [f"line {number} of ann" for number in range(5)]
    assert lines(dtr, job, "?offset=1&limit=2") == ["line 1 of ann", "line 2 of ann"]
    assert dtr("GET", f"/api/v0/jobs/{job['id']}/logs?offset=4").json() == [{"data": "line 4 of ann", "lineNum": 4}]


def test_a_streamed_log_comes_when_the_job_has_ended(work, dtr):
    job = submit(dtr, "counting")
    assert len(lines(dtr, job, "?stream=true")) == 5


@pytest.mark.parametrize("fields", [
    {"action": "defragment"}, {"action": "counting", "deadline": "10 minutes"}, {"action": "counting", "stopTimeout": "soon"},
    {"action": "counting", "scheduledAt": "tomorrow"}, {"action": "counting", "scheduledAt": "2030-01-01T00:00:00"},
    {"action": "counting", "retries": -1},
])
def test_jobs_that_are_refused(work, dtr, fields):
    answer = dtr("POST", "/api/v0/jobs", 400, json=fields).json()
    assert answer["errors"][0]["code"] == "INVALID_PARAMETERS"
    assert dtr("GET", "/api/v0/jobs").json() == {"jobs": []}


def test_a_failed_job_is_retried_from_the_first(work, dtr):
    first = submit(dtr, "false", retries=2)
    jobs = wait_for(lambda: len(found := dtr("GET", "/api/v0/jobs").json()["jobs"]) == 3 and found)
    jobs = [ended(dtr, job) for job in jobs]
    assert {job["status"] for job in jobs} == {"errored"}
    assert {job["retryFromID"] for job in jobs} == {first["id"]}
    assert sorted((job["retriesLeft"], job["retriesTotal"]) for job in jobs) == [(0, 2), (1, 2), (2, 2)]
    assert lines(dtr, first) == ["failed: this action always fails"]


def test_listing_filters_and_pages(work, dtr):
    now = work.clock()
    made = [
        submit(dtr, "counting", scheduledAt=(now + timedelta(hours=number)).isoformat()) for number in (3, 1, 2)
    ]
    running_job = submit(dtr, "blocking")
    wait_for(lambda: dtr("GET", "/api/v0/jobs?running=true").json()["jobs"])

    def ids(query):
        return [job["id"] for job in dtr("GET", f"/api/v0/jobs{query}").json()["jobs"]]

    newest_first = [made[0]["id"], made[2]["id"], made[1]["id"]]
    assert ids("?action=counting") == newest_first
    assert ids("?action=counting&start=1&limit=1") == newest_first[1:2]
    assert ids("?running=true") == [running_job["id"]] == ids(f"?worker={work.options.replica_id}")
    assert set(ids("?running=false")) == set(newest_first)
    dtr("GET", "/api/v0/jobs?running=maybe", 400)


def test_a_scheduled_job_waits_for_its_time(work, dtr):
    job = submit(dtr, "counting", scheduledAt=(work.clock() + timedelta(hours=1)).isoformat())
    time.sleep(0.3)
    assert dtr("GET", f"/api/v0/jobs/{job['id']}").json()["status"] == "waiting"
    work.shift = timedelta(hours=1, seconds=1)
    assert ended(dtr, job)["status"] == "done"


def test_cancel(work, dtr):
    waiting = submit(dtr, "counting", scheduledAt=(work.clock() + timedelta(hours=1)).isoformat())
    dtr("POST", f"/api/v0/jobs/{waiting['id']}/cancel", 204)
    assert dtr("GET", f"/api/v0/jobs/{waiting['id']}").json()["status"] == "canceled"
    blocked = submit(dtr, "blocking", retries=3)
    wait_for(lambda: lines(dtr, blocked))
    dtr("POST", f"/api/v0/jobs/{blocked['id']}/cancel", 204)
    assert ended(dtr, blocked)["status"] == "canceled"
    assert lines(dtr, blocked) == ["waiting", "canceled"]
    assert len(dtr("GET", "/api/v0/jobs").json()["jobs"]) == 2   # what was canceled is not tried again


def test_delete_stops_and_forgets(work, dtr):
    job = submit(dtr, "blocking")
    wait_for(lambda: lines(dtr, job))
    dtr("DELETE", f"/api/v0/jobs/{job['id']}", 204)
    dtr("GET", f"/api/v0/jobs/{job['id']}", 404)
    dtr("GET", f"/api/v0/jobs/{job['id']}/logs", 404)
    wait_for(lambda: not work.jobs.running())


def test_a_deadline_stops_a_job(work, dtr):
    job = ended(dtr, submit(dtr, "blocking", deadline="200ms"))
    assert job["status"] == "errored"
    assert lines(dtr, job)[-1] == "stopped: the deadline of 0.2 s has passed"


def test_a_worker_hesitates_before_it_claims(tmp_path):
    with running(tmp_path / "standin", claim_delay=30.0) as standin:
        dtr = Client(standin.dtr_url, standin.ca_file, standin.admin[0])
        jobs = [submit(dtr, "false") for _number in range(5)]   # that all of them are claimed within half a second is out of the question
        time.sleep(0.5)
        assert "waiting" in {dtr("GET", f"/api/v0/jobs/{job['id']}").json()["status"] for job in jobs}


def test_canceled_at_once(work, dtr):
    """Also a job whose first line never ran ends."""
    async def submit_and_cancel():
        job = work.jobs.submit("blocking")
        work.jobs._claim(job)
        work.jobs.cancel(work.store.get("job", job["id"]))
        return job
    job = work.run(submit_and_cancel())
    assert ended(dtr, job)["status"] == "canceled"
    wait_for(lambda: work.jobs.running() == 0)


def test_a_job_that_does_not_stop_is_left_behind(work, dtr):
    job = ended(dtr, submit(dtr, "stubborn", deadline="100ms", stopTimeout="100ms"))
    assert job["status"] == "errored"


def test_a_job_waits_for_capacity(work, dtr):
    first, second = (submit(dtr, "blocking", capacityMap={"scan": 1}) for _number in range(2))
    never = submit(dtr, "counting", capacityMap={"unheard": 1})
    wait_for(lambda: lines(dtr, first))
    time.sleep(0.3)
    assert dtr("GET", f"/api/v0/jobs/{second['id']}").json()["status"] == "waiting"
    dtr("POST", f"/api/v0/workers/{work.options.replica_id}/capacity", 202, json={"capacityMap": {"scan": 2}})
    wait_for(lambda: lines(dtr, second))
    assert dtr("GET", "/api/v0/workers").json()["workers"][0]["capacityMap"] == {"scan": 2}
    assert dtr("GET", f"/api/v0/jobs/{never['id']}").json()["status"] == "waiting"
    dtr("POST", "/api/v0/workers/nobody/capacity", 404, json={"capacityMap": {}})


def test_an_action_config_holds_defaults(work, dtr):
    dtr("POST", "/api/v0/action_configs", 202, json={"action": "counting", "parameters": {"name": "bob"}})
    assert dtr("GET", "/api/v0/action_configs/counting").json()["parameters"] == {"name": "bob"}
    assert len(dtr("GET", "/api/v0/action_configs").json()["actionConfigs"]) == 1
    default, own = ended(dtr, submit(dtr, "counting")), ended(dtr, submit(dtr, "counting", parameters={"name": "ann"}))
    assert lines(dtr, default)[0] == "line 0 of bob"
    assert lines(dtr, own)[0] == "line 0 of ann"
    dtr("DELETE", "/api/v0/action_configs/counting", 204)
    dtr("GET", "/api/v0/action_configs/counting", 404)
    dtr("POST", "/api/v0/action_configs", 400, json={"action": "unheard", "parameters": {}})


def test_crons_are_one_per_action_and_fire(work, dtr):
    first = dtr("POST", "/api/v0/crons", 202, json={"action": "counting", "schedule": "@weekly"}).json()
    second = dtr("POST", "/api/v0/crons", 202, json={
        "action": "counting", "schedule": "0 0 * * * *", "retries": 1, "parameters": {"name": "cron"}, "capacityMap": {},
        "deadline": "1h", "stopTimeout": "10s",
    }).json()
    assert second["id"] == first["id"]
    assert [cron for cron in dtr("GET", "/api/v0/crons").json()["crons"] if cron["action"] == "counting"] == [second]
    upcoming = datetime.fromisoformat(second["nextRun"].replace("Z", "+00:00"))
    assert (upcoming.minute, upcoming.second) == (0, 0) and timedelta(0) < upcoming - work.clock() <= timedelta(hours=1)

    work.shift = upcoming - work.clock() + timedelta(hours=2, minutes=30)   # three runs are due: one is made up for
    job = wait_for(lambda: dtr("GET", "/api/v0/jobs?action=counting").json()["jobs"])[0]
    job = ended(dtr, job)
    assert (job["retriesTotal"], job["deadline"], job["stopTimeout"]) == (1, "1h", "10s")
    assert lines(dtr, job)[0] == "line 0 of cron"
    assert len(dtr("GET", "/api/v0/jobs?action=counting").json()["jobs"]) == 1
    later = dtr("GET", "/api/v0/crons/counting").json()["nextRun"]
    assert datetime.fromisoformat(later.replace("Z", "+00:00")) == upcoming + timedelta(hours=3)

    dtr("DELETE", "/api/v0/crons/counting", 204)
    dtr("GET", "/api/v0/crons/counting", 404)
    dtr("DELETE", "/api/v0/crons/counting", 404)


@pytest.mark.parametrize("body", [
    {"action": "unheard", "schedule": "@daily"}, {"action": "gc", "schedule": "0 0 * * *"}, {"action": "gc", "schedule": "0 0 0 31 feb *"},
    {"action": "gc", "schedule": "@daily", "deadline": "long"},
])
def test_crons_that_are_refused(standin, dtr, body):
    before = dtr("GET", "/api/v0/crons").json()
    dtr("POST", "/api/v0/crons", 400, json=body)
    assert dtr("GET", "/api/v0/crons").json() == before


def test_only_administrators(standin, dtr, dtr_as):
    body = {"name": "ann", "password": "stand-in password", "isActive": True}
    dtr("POST", "/enzi/v0/accounts/", 201, json=body)
    for path in ("jobs", "crons", "workers", "action_configs"):
        dtr_as("ann")("GET", f"/api/v0/{path}", 403)
        dtr_as(None)("GET", f"/api/v0/{path}", 401)


def test_garbage_collection(standin_with_registry):
    standin = standin_with_registry
    dtr = Client(standin.dtr_url, standin.ca_file, standin.admin[0])
    dtr("POST", "/api/v0/repositories/admin", 201, json={"name": "base"})
    images.push(standin, "admin/base:1.0", images.image(images.layer({"x": b"x" * 10_000})))
    dtr("DELETE", "/api/v0/repositories/admin/base/tags/1.0", 204)
    for action in ("onlinegc_metadata", "onlinegc_joblogs", "gc"):
        assert ended(dtr, submit(dtr, action))["status"] == "done", action
    images.push(standin, "admin/base:2.0", images.image(images.layer({"y": b"y" * 10_000})))
    dtr("DELETE", "/api/v0/repositories/admin/base/tags/2.0", 204)
    job = ended(dtr, submit(dtr, "onlinegc", deadline="1h"))
    assert job["status"] == "done"
    assert re.fullmatch(r"freed [1-9]\d* bytes: 3 blobs, 1 manifests", lines(dtr, job)[-1])


def test_the_read_only_job(standin, dtr):
    assert ended(dtr, submit(dtr, "ro_registry"))["status"] == "done"
    assert dtr("GET", "/api/v0/meta/settings").json()["readOnlyRegistry"] is True


def test_the_documents_spelling_and_a_restart(tmp_path):
    def started():
        return running(tmp_path / "standin", memory=False, job_spelling="docs")

    with started() as standin:
        dtr = Client(standin.dtr_url, standin.ca_file, standin.admin[0])
        failed = submit(dtr, "false")
        assert ended(dtr, failed)["status"] == "error"
        canceled = submit(dtr, "sleep")
        wait_for(standin.jobs.running)
        dtr("POST", f"/api/v0/jobs/{canceled['id']}/cancel", 204)
        assert ended(dtr, canceled)["status"] == "cancel"
        waiting = submit(dtr, "ro_registry", scheduledAt=(standin.clock() + timedelta(hours=1)).isoformat())
        shut_down, killed = submit(dtr, "sleep"), submit(dtr, "sleep", retries=1)
        wait_for(lambda: standin.jobs.running() == 2)

    store = Store(str(tmp_path / "standin/standin.db"))   # what a crash leaves behind: a job that says it is running
    store.put("job", killed["id"], {**store.get("job", killed["id"]), "status": "running"})
    store.close()

    with started() as standin:
        dtr = Client(standin.dtr_url, standin.ca_file, standin.admin[0])
        assert lines(dtr, failed) == ["failed: this action always fails"]
        assert dtr("GET", f"/api/v0/jobs/{shut_down['id']}").json()["status"] == "worker_shutdown"
        assert dtr("GET", f"/api/v0/jobs/{killed['id']}").json()["status"] == "worker_dead"
        again = wait_for(lambda: dtr("GET", "/api/v0/jobs?running=true").json()["jobs"])
        assert [job["retryFromID"] for job in again] == [killed["id"]]
        standin.shift = timedelta(hours=2)
        assert ended(dtr, waiting)["status"] == "done"
