# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided about jobs; the requests are tested with the modules, against the stand-in."""

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_gc as dtr_gc
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_jobs as dtr_jobs
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError

LONG_AGO, FUTURE = "2020-01-02T03:04:05Z", "2099-01-01T00:00:00Z"


def job(job_id="1", status="done", scheduled=LONG_AGO, **more):
    return {
        "id": job_id, "retryFromID": job_id, "workerID": "0123456789ab", "status": status, "scheduledAt": scheduled,
        "lastUpdated": "2020-01-02T03:05:11.5Z", "action": "onlinegc", "retriesLeft": 0, "retriesTotal": 2, "capacityMap": {},
        "parameters": {}, "deadline": "", "stopTimeout": "", **more,
    }


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(("status", "state", "ended"), [
    ("waiting", "waiting", False), ("running", "running", False), ("done", "done", True), ("canceled", "canceled", True),
    ("errored", "errored", True), ("error", "errored", True), ("cancel_request", "running", False), ("cancel", "canceled", True),
    ("deleted", "deleted", True), ("worker_shutdown", "errored", True), ("worker_dead", "errored", True),
    ("worker_resurrection", "errored", True), ("something new", "something new", False),
])
def test_both_spellings_of_a_state(status, state, ended):
    assert (dtr_jobs.state(job(status=status)), dtr_jobs.ended(job(status=status))) == (state, ended)


def test_a_worker_that_died_just_now_may_be_replaced():
    assert dtr_jobs.state(job(status="worker_dead", lastUpdated=LONG_AGO), "2020-01-02T03:09:04Z") == "lost"
    assert dtr_jobs.state(job(status="worker_dead", lastUpdated=LONG_AGO), "2020-01-02T03:09:10Z") == "errored"


def test_a_job_that_failed_just_now_is_tried_again():
    failed = job(status="errored", lastUpdated=LONG_AGO, retriesLeft=1)
    assert dtr_jobs.state(failed, "2020-01-02T03:04:20Z") == "retrying"
    assert dtr_jobs.state(failed, "2020-01-02T03:04:21Z") == "errored"
    assert dtr_jobs.state({**failed, "retriesLeft": 0}, LONG_AGO) == "errored"


def test_seconds():
    assert dtr_jobs.seconds_of(job()) == 66
    assert dtr_jobs.seconds_of(job(status="waiting", scheduled=FUTURE)) == 0
    assert dtr_jobs.seconds_of(job(status="running")) > 10**8


def test_what_is_under_way():
    later, waiting, running = job("1", "waiting", FUTURE), job("2", "waiting"), job("3", "running")
    assert dtr_jobs.under_way([later, job("4"), job("5", "errored")]) is None
    assert dtr_jobs.under_way([later, waiting, running])["id"] == "3"
    assert dtr_jobs.under_way([later, waiting])["id"] == "2"


def test_the_last_attempt_is_the_successor():
    first, third = job("1", "errored", retriesLeft=2), job("3", "running", retryFromID="1")
    second = job("2", "errored", retriesLeft=1, retryFromID="1")
    jobs = [third, second, job("9"), first]
    assert [dtr_jobs.successor(jobs, one) for one in (first, second, third)] == [third, third, None]


def test_looks_become_rarer():
    clock = Clock()
    seen, trouble = dtr_jobs.follow(lambda: "running", lambda _seen: False, 60, clock, clock.sleep)
    assert (seen, trouble) == ("running", None)
    assert clock.slept[:4] == pytest.approx([0.2, 0.3, 0.45, 0.675])
    assert max(clock.slept) == 5.0
    assert sum(clock.slept) == pytest.approx(60)


def test_one_look_where_there_is_no_time():
    clock = Clock()
    assert dtr_jobs.follow(lambda: "running", lambda _seen: False, 0, clock, clock.sleep) == ("running", None)
    assert clock.slept == []


@pytest.mark.parametrize("status", [None, 429, 500, 502, 503])
def test_what_passes_is_endured(status):
    clock, answers = Clock(), iter(["running", ApiError("away", status), ApiError("away", status), "done"])

    def read():
        answer = next(answers)
        if isinstance(answer, ApiError):
            raise answer
        return answer

    assert dtr_jobs.follow(read, lambda seen: seen == "done", 60, clock, clock.sleep) == ("done", None)


def test_what_does_not_pass_is_told_with_what_was_seen_last():
    clock, away = Clock(), ApiError("away", 503)
    answers = iter(["running"])

    def read():
        for answer in answers:
            return answer
        raise away

    assert dtr_jobs.follow(read, lambda _seen: False, 5, clock, clock.sleep) == ("running", away)
    assert dtr_jobs.follow(read, lambda _seen: False, 5, clock, clock.sleep) == (None, away)


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_refusal_is_not_endured(status):
    clock = Clock()

    def read():
        raise ApiError("no", status)

    with pytest.raises(ApiError, match="no"):
        dtr_jobs.follow(read, lambda _seen: False, 60, clock, clock.sleep)
    assert clock.slept == []


def test_a_certificate_does_not_mend_itself():
    error = ApiError("not trusted")
    error.__cause__ = OSError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate")
    assert not dtr_jobs.passes(error)
    error.__cause__ = OSError("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol")
    assert dtr_jobs.passes(error)


def result(**more):
    return {
        "job_id": "1", "action": "onlinegc", "state": "running", "seconds": 12, "waiting": True, "log": ["a", "b"], "log_lines": 2,
        "trouble": "", **more,
    }


@pytest.mark.parametrize(("fields", "line"), [
    ({}, "onlinegc job 1: running after 12 s: b"),
    ({"log": []}, "onlinegc job 1: running after 12 s"),
    ({"trouble": "away"}, "onlinegc job 1: running after 12 s: away"),
    ({"state": "unknown", "action": "", "trouble": "GET https://registry answered 503."}, "job 1: GET https://registry answered 503."),
])
def test_progress(fields, line):
    assert dtr_jobs.progress(result(**fields)) == line


@pytest.mark.parametrize(("fields", "on_timeout", "says"), [
    ({"state": "done", "waiting": False}, "fail", ""),
    ({}, "return", ""),
    ({}, "fail", "The onlinegc job 1 is running after 12 s, and goes on."),
    ({"trouble": "away"}, "fail", "cannot be asked at the moment: away"),
    ({"state": "errored", "waiting": False}, "return", "ended errored after 12 s. Its log ends with:\na\nb"),
    ({"state": "canceled", "waiting": False, "log": []}, "fail", "Its log ends with:\nnothing"),
    ({"state": "deleted", "waiting": False}, "fail", "was deleted by somebody"),
])
def test_problems(fields, on_timeout, says):
    problem = dtr_jobs.problem_of(result(**fields), {"wait": True, "on_timeout": on_timeout})
    assert says in problem
    assert bool(says) == bool(problem)


@pytest.mark.parametrize(("version", "features", "says"), [
    ("2.7.6", {"onlineGCEnabled": True}, ""),
    ("2.10.0-tp1", {"onlineGCEnabled": True}, ""),
    ("3.0", {"onlineGCEnabled": True}, ""),
    ("2.6.0", {"onlineGCEnabled": False}, "onlineGCEnabled"),
    ("2.6.0", {}, "onlineGCEnabled"),
    ("2.5.9", {"onlineGCEnabled": True}, "version 2.5.9"),
])
def test_where_garbage_collection_refuses_pushes(version, features, says):
    reason = dtr_gc.why_read_only(version, features)
    assert says in reason
    assert bool(says) == bool(reason)


@pytest.mark.parametrize(("lines", "freed"), [
    ([], (None, None, None)),
    (["finished"], (None, None, None)),
    (["freed 12345 bytes: 3 blobs, 2 manifests"], (12345, 3, 2)),
    (["removed 1 manifests, 2 links and 1 blobs, freed 9 bytes", "done in 3 s"], (9, 1, 1)),
    (["freed 1 bytes", "Reclaimed 7 Bytes"], (7, None, None)),
    (["7 bytes uploaded"], (None, None, None)),
])
def test_what_a_log_says_was_freed(lines, freed):
    assert tuple(dtr_gc.freed(lines).values()) == freed
