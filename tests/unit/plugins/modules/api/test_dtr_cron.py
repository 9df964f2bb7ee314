# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed

NAME = "dtr_cron"
WHOLE = ["capacity_map", "deadline", "parameters", "retries", "schedule", "stop_timeout"]


def test_created_then_left_alone(standin, run_module):
    wanted = [
        {"action": "scan_check_all", "schedule": "0 30  2 * * sun", "deadline": "90m", "retries": 1, "capacity_map": {"scanCheck": "1"}},
        {"action": "sleep", "schedule": "@weekly", "parameters": {"count": 3, "loud": True}},
    ]
    planned = run_module(NAME, check=True, crons=wanted)
    assert not standin.writes
    made = run_module(NAME, crons=wanted)
    assert {key: planned[key] for key in ("changed", "changes", "counts", "diff")} == {
        key: made[key] for key in ("changed", "changes", "counts", "diff")}
    assert made["counts"] == {"created": 2, "updated": 0, "deleted": 0, "unchanged": 0}
    assert made["diff"] == {"before": {}, "after": {
        "scan_check_all": {
            "schedule": "0 30 2 * * sun", "deadline": "1h30m", "retries": 1, "capacity_map": {"scanCheck": 1}, "parameters": {},
            "stop_timeout": ""},
        "sleep": {
            "schedule": "@weekly", "deadline": "", "retries": 0, "capacity_map": {}, "parameters": {"count": "3", "loud": "true"},
            "stop_timeout": ""},
    }}
    standin.writes.clear()
    again = run_module(NAME, crons=wanted)
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 2, [])


def test_only_what_differs_is_changed(standin, run_module):
    run_module(NAME, crons=[{"action": "sleep", "schedule": "@daily", "deadline": "1h", "retries": 2}])
    standin.writes.clear()
    changed = run_module(NAME, crons=[{"action": "sleep", "schedule": "@hourly", "deadline": "3600s"}])
    assert changed["changes"] == [{"key": "sleep", "action": "updated", "fields": ["schedule"]}]
    assert changed["diff"] == {"before": {"sleep": {"schedule": "@daily"}}, "after": {"sleep": {"schedule": "@hourly"}}}
    assert len(standin.writes) == 1
    cron = standin.store.get("cron", "sleep")
    assert (cron["deadline"], cron["retries"]) == ("1h", 2)


def test_another_spelling_of_a_duration_is_no_change(standin, run_module):
    form = {"action": "sleep", "schedule": "0 0 0 * * *", "deadline": "1h30m0s", "stopTimeout": "0"}
    standin.run(put_cron(standin, form))
    wanted = {"action": "sleep", "schedule": "0 0 0 * * *", "deadline": "90m", "stop_timeout": ""}
    assert run_module(NAME, crons=[wanted])["changed"] is False


async def put_cron(standin, form):
    standin.jobs.crons.put(form)


def test_deleted_and_gone_already(standin, run_module):
    run_module(NAME, crons=[{"action": "sleep", "schedule": "@daily"}])
    gone = run_module(NAME, crons=[{"action": "sleep", "state": "absent"}, {"action": "false", "state": "absent"}])
    assert gone["counts"] == {"created": 0, "updated": 0, "deleted": 1, "unchanged": 1}
    assert standin.store.get("cron", "sleep") is None


def test_undeclared_is_reported_and_removed_only_on_confirmation(standin, run_module):
    own = [{"action": name, "schedule": "@daily"} for name in ("onlinegc", "tag_pruning", "poll_mirror", "license_update")]
    run_module(NAME, crons=[{"action": "sleep", "schedule": "@daily"}, {"action": "false", "schedule": "@daily"}, *own])
    wanted = {"crons": [{"action": "sleep", "schedule": "@daily"}]}
    assert run_module(NAME, **wanted)["undeclared"] == ["false"]
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=rf"remove 1 .*cron: false.*confirm_removal to '{standin.dtr_host}'"):
            run_module(NAME, check=check, **wanted, exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, exclusive=True, confirm_removal=standin.dtr_host)
    assert removed["changes"] == [{"key": "false", "action": "deleted", "fields": WHOLE}]
    assert sorted(key for key, _cron in standin.store.items("cron")) == [
        "license_update", "onlinegc", "poll_mirror", "sleep", "tag_pruning"]


def test_a_failure_half_way_tells_what_was_done(standin, run_module):
    standin.faults.add(match="POST /api/v0/crons", kind="status", status=500, times=1, after=1)
    wanted = [{"action": name, "schedule": "@daily"} for name in ("sleep", "false", "gc")]
    with pytest.raises(ModuleFailed, match="1 of 3 changes were made; when the cause is mended, run this again") as failed:
        run_module(NAME, crons=wanted, threads=1)
    assert failed.value.result["changes"] == [{"key": "sleep", "action": "created", "fields": WHOLE}]
    assert run_module(NAME, crons=wanted)["counts"] == {"created": 2, "updated": 0, "deleted": 0, "unchanged": 1}


def test_an_action_that_the_registry_does_not_know(run_module):
    with pytest.raises(ModuleFailed, match=r"cron 'defrag': create failed: .*400.*no action 'defrag'"):
        run_module(NAME, crons=[{"action": "defrag", "schedule": "@daily"}])


def test_without_the_right_nothing_changes(standin, run_module):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
        run_module(NAME, crons=[{"action": "sleep", "schedule": "@daily"}], username="mallory", password="s3cret-of-a-user")
    assert standin.store.items("cron") == []


@pytest.mark.parametrize(("wanted", "says"), [
    ({"schedule": "30 2 * * 0"}, r"cron 'sleep': schedule '30 2 \* \* 0' has five fields.*Write '0 30 2 \* \* 0'"),
    ({"schedule": "@fortnightly"}, "is no macro. There are @yearly"),
    ({"schedule": "0 0 24 * * *"}, "the hour '24' is not within 0 to 23"),
    ({}, "cron 'sleep': it has no schedule"),
    ({"schedule": "@daily", "deadline": "2 hours"}, "cron 'sleep': deadline: '2 hours' is no duration"),
    ({"schedule": "@daily", "stop_timeout": "10"}, "stop_timeout: '10' is no duration"),
    ({"schedule": "@daily", "capacity_map": {"scan": "much"}}, "cron 'sleep': capacity_map .* is no whole number"),
    ({"schedule": "@daily", "capacity_map": {"scan": 1.5}}, "cron 'sleep': capacity_map .* is no whole number"),
    ({"schedule": "@daily", "capacity_map": {"scan": -1}}, "cron 'sleep': capacity_map .* is no whole number"),
    ({"schedule": "@daily", "capacity_map": {"scan": True}}, "cron 'sleep': capacity_map .* is no whole number"),
    ({"schedule": "@daily", "parameters": {"digest": None}}, "cron 'sleep': parameter 'digest' is no single value"),
    ({"schedule": "@daily", "parameters": {"digest": ["a"]}}, "cron 'sleep': parameter 'digest' is no single value"),
    ({"schedule": "@daily", "retries": -1}, "cron 'sleep': retries: -1 is below 0"),
])
def test_bad_input_changes_nothing(standin, run_module, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, crons=[{"action": "sleep", **wanted}])
    assert not standin.writes


def test_one_action_twice_is_refused(standin, run_module):
    with pytest.raises(ModuleFailed, match=r"crons\[0\] and crons\[1\] both stand for 'sleep'"):
        run_module(NAME, crons=[{"action": "sleep", "schedule": "@daily"}, {"action": "sleep", "schedule": "@hourly"}])
    assert not standin.writes


def test_failures(fails):
    fails(NAME, crons=[{"action": "sleep", "schedule": "@daily"}])
