# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_jobs
from api_modules import ModuleFailed
from job_actions import Work, change, submit

NAME = "dtr_job"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(_dtr_jobs, "PAUSES", (0.02, 1.5, 0.2))


@pytest.fixture
def docs_spelling(standin):
    """States as the documents spell them, which the interface does not know: no answer of these tests is held against it."""
    standin.options.job_spelling = "docs"
    yield
    standin.answer_violations.clear()
    standin.exchanges.clear()


@pytest.fixture(params=["api", "docs"])
def spelling(request):
    """Both spellings of a job's states."""
    if request.param == "docs":
        request.getfixturevalue("docs_spelling")


def test_submitted_and_waited_for(standin, run_module, spelling):
    Work(standin, "toil", lines=[f"step {number}" for number in range(30)]).end_in(0.3)
    done = run_module(NAME, action="toil", parameters={"depth": 3}, deadline="90s")
    job = standin.store.all("job")[0]
    assert (done["changed"], done["state"], done["waiting"], done["trouble"]) == (True, "done", False, "")
    assert (done["job_id"], done["action"]) == (job["id"], "toil")
    assert (job["parameters"], job["deadline"]) == ({"depth": "3"}, "1m30s")
    assert done["log"] == [f"step {number}" for number in range(10, 30)]
    assert done["log_lines"] == 30
    assert done["progress"] == f"toil job {job['id']}: done after {done['seconds']} s: step 29"
    assert done["diff"] == {"before": {}, "after": {"action": "toil", "parameters": {"depth": "3"}, "deadline": "1m30s"}}
    assert [exchange.request for exchange in standin.writes] == [{
        "action": "toil", "parameters": {"depth": "3"}, "retries": 0, "capacityMap": {}, "deadline": "1m30s", "stopTimeout": "",
        "scheduledAt": ""}]


def test_check_mode_submits_nothing(standin, run_module):
    planned = run_module(NAME, check=True, action="sleep")
    assert (planned["changed"], planned["job_id"], planned["progress"]) == (True, "", "sleep would be started")
    assert planned["diff"]["after"] == {"action": "sleep"}
    assert not standin.writes


def test_not_waited_for(standin, run_module):
    Work(standin, "toil")
    begun = run_module(NAME, action="toil", wait=False)
    assert begun["changed"]
    assert begun["waiting"]
    assert begun["state"] in ("waiting", "running")


def test_a_job_that_fails_tells_the_end_of_its_log(run_module, spelling):
    with pytest.raises(ModuleFailed, match=r"The false job \S+ ended errored after \d+ s. Its log ends with:\nfailed: this") as failed:
        run_module(NAME, action="false")
    assert failed.value.result["changed"] is True
    assert failed.value.result["state"] == "errored"


def test_the_next_attempts_are_followed(standin, run_module, spelling):
    Work(standin, "toil", failures=2).end()
    done = run_module(NAME, action="toil", job_retries=2)
    assert done["state"] == "done"
    jobs = standin.store.all("job")
    assert sorted(job["retriesLeft"] for job in jobs) == [0, 1, 2]
    assert done["job_id"] == next(job["id"] for job in jobs if job["retriesLeft"] == 0)


def test_the_log_of_the_next_attempt_is_seen_from_its_beginning(standin, run_module):
    work = Work(standin, "toil", failures=1)
    job_id = submit(standin, "toil", retries=1)
    Work(standin, "toil", lines=["anew"])
    work.end()
    looked = run_module(NAME, job_id=job_id, log_offset=2, wait_timeout=1, on_timeout="return")
    assert (looked["log"], looked["log_lines"]) == (["anew"], 1)


def test_requests_are_tried_again_whatever_the_job_s_own_retries(standin, run_module):
    Work(standin, "toil").end()
    standin.faults.add(match="POST /api/v0/jobs", kind="status", status=503, times=2)
    assert run_module(NAME, action="toil")["state"] == "done"
    assert [job["retriesTotal"] for job in standin.store.all("job")] == [0]


def test_attempts_end_when_none_is_left(standin, run_module):
    Work(standin, "toil", failures=9).end()
    with pytest.raises(ModuleFailed, match="ended errored"):
        run_module(NAME, action="toil", job_retries=1)
    assert len(standin.store.all("job")) == 2


def test_time_over_is_a_failure_or_a_result_and_taken_up_again(standin, run_module):
    work = Work(standin, "toil")
    with pytest.raises(ModuleFailed, match=r"job \S+ is running after \d+ s, and goes on. Wait for it again with job_id: \S+") as failed:
        run_module(NAME, action="toil", wait_timeout=1)
    job_id = failed.value.result["job_id"]
    standin.writes.clear()
    looked = run_module(NAME, job_id=job_id, wait_timeout=0, on_timeout="return")
    assert (looked["waiting"], looked["state"], looked["changed"], looked["log_lines"]) == (True, "running", False, 2)
    work.end_in(0.2)
    done = run_module(NAME, job_id=job_id, log_offset=2)
    assert (done["state"], done["changed"], done["log"]) == ("done", False, ["one", "two"])
    assert not standin.writes


def test_the_log_goes_on_where_it_was(standin, run_module):
    Work(standin, "toil", lines=["one", "two", "three"])
    job_id = submit(standin, "toil")
    looked = run_module(NAME, job_id=job_id, log_offset=2, wait=False)
    assert (looked["log"], looked["log_lines"]) == (["three"], 3)
    assert run_module(NAME, job_id=job_id, log_offset=3, wait=False)["log"] == []


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "status", "status": 500}, {"kind": "drop"}])
def test_a_registry_that_is_away_for_a_while_is_waited_for(standin, run_module, fault):
    work = Work(standin, "toil")
    job_id = submit(standin, "toil")
    strikes = standin.faults.add(match="GET *", times=4, after=2, **fault)
    work.end_when(lambda: strikes.struck == 4)
    assert run_module(NAME, job_id=job_id)["state"] == "done"


def test_a_registry_that_stays_away(standin, run_module):
    Work(standin, "toil")
    job_id = submit(standin, "toil")
    standin.faults.add(match="GET *", kind="status", status=503, times=1000, after=1)
    with pytest.raises(ModuleFailed, match=r"is running after \d+ s, and goes on.* cannot be asked at the moment: .*answered 503"):
        run_module(NAME, job_id=job_id, wait_timeout=1)
    looked = run_module(NAME, job_id=job_id, wait_timeout=1, on_timeout="return")
    assert (looked["state"], looked["waiting"], looked["log_lines"]) == ("unknown", True, 0)
    assert "answered 503" in looked["trouble"]


def test_a_refusal_while_waiting_is_not_waited_out(standin, run_module):
    Work(standin, "toil")
    job_id = submit(standin, "toil")
    standin.faults.add(match="GET *", kind="expire_token", times=1000, after=1)
    with pytest.raises(ModuleFailed, match=f"answered 401.* The toil job {job_id} is not affected; wait for it again with job_id"):
        run_module(NAME, job_id=job_id, wait_timeout=60)


def test_a_dead_worker_s_job_may_be_taken_over(standin, run_module, docs_spelling):
    work = Work(standin, "toil")
    job_id = submit(standin, "toil")
    change(standin, job_id, status="worker_dead")
    assert run_module(NAME, job_id=job_id, wait_timeout=0, on_timeout="return")["state"] == "lost"

    def taken_over():
        change(standin, job_id, status="running")
        work.end()

    threading.Timer(0.3, taken_over).start()
    assert run_module(NAME, job_id=job_id)["state"] == "done"


def test_a_job_deleted_meanwhile(standin, run_module):
    Work(standin, "toil")
    job_id = submit(standin, "toil")

    async def delete():
        standin.jobs.delete(standin.store.get("job", job_id))

    threading.Timer(0.3, lambda: standin.run(delete())).start()
    with pytest.raises(ModuleFailed, match="was deleted by somebody before it ended") as failed:
        run_module(NAME, job_id=job_id)
    assert failed.value.result["state"] == "deleted"


def test_canceled(standin, run_module, spelling):
    Work(standin, "toil")
    job_id = submit(standin, "toil")
    planned = run_module(NAME, check=True, state="canceled", job_id=job_id)
    assert planned["changed"]
    assert not standin.writes
    done = run_module(NAME, state="canceled", job_id=job_id)
    assert (done["changed"], done["state"], done["diff"]) == (True, "canceled", planned["diff"])
    standin.writes.clear()
    assert run_module(NAME, state="canceled", job_id=job_id)["changed"] is False
    assert not standin.writes


def test_removed_and_gone_already(standin, run_module):
    Work(standin, "toil").end()
    job_id = run_module(NAME, action="toil")["job_id"]
    assert run_module(NAME, check=True, state="absent", job_id=job_id)["changed"]
    assert standin.store.get("job", job_id)
    assert run_module(NAME, state="absent", job_id=job_id)["changed"]
    assert standin.store.get("job", job_id) is None
    assert run_module(NAME, state="absent", job_id=job_id)["changed"] is False


def test_later(standin, run_module):
    begun = run_module(NAME, action="sleep", scheduled_at="2099-01-01T00:00:00Z", wait=False)
    assert (begun["state"], begun["seconds"]) == ("waiting", 0)
    assert standin.store.get("job", begun["job_id"])["scheduledAt"] == "2099-01-01T00:00:00Z"


def test_a_submission_whose_answer_is_lost_is_not_repeated(standin, run_module):
    Work(standin, "toil").end()
    standin.faults.add(match="POST /api/v0/jobs", kind="drop", late=True)
    with pytest.raises(ModuleFailed, match="Whether the change was made is not known"):
        run_module(NAME, action="toil")
    time.sleep(0.2)
    assert len(standin.store.all("job")) == 1


def test_without_the_right_nothing_changes(standin, run_module):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
        run_module(NAME, action="sleep", username="mallory", password="s3cret-of-a-user")
    assert standin.store.all("job") == []


@pytest.mark.parametrize(("wanted", "says"), [
    ({}, "state is submitted but any of the following are missing: action, job_id"),
    ({"state": "canceled"}, "missing: job_id"),
    ({"job_id": "none-such"}, "job_id 'none-such': .* has no such job"),
    ({"job_id": "none-such", "state": "canceled"}, "has no such job"),
    ({"job_id": "", "action": "sleep"}, "job_id '' is no id of a job.*as a result named it"),
    ({"job_id": "../crons/sleep", "state": "absent"}, "is no id of a job"),
    ({"job_id": "a/cancel", "state": "canceled"}, "is no id of a job"),
    ({"action": "", "job_id": None}, "action is empty"),
    ({"action": "sleep", "parameters": {"a": {"b": "c"}}}, "the job: parameter 'a' is no single value"),
    ({"action": "sleep", "deadline": "soon"}, "deadline: 'soon' is no duration"),
    ({"action": "sleep", "scheduled_at": "tomorrow"}, "scheduled_at: 'tomorrow' is no time"),
    ({"action": "sleep", "scheduled_at": "2099-01-01T00:00:00"}, "is no time"),
    ({"action": "sleep", "job_retries": -1}, "the job: retries: -1 is below 0"),
    ({"action": "sleep", "capacity_map": {"scan": "much"}}, "the job: capacity_map"),
])
def test_bad_input_changes_nothing(standin, run_module, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, **wanted)
    assert not standin.writes


def test_failures(fails):
    fails(NAME, job_id="0a1b2c3d")
