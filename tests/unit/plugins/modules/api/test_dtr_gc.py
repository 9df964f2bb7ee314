# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import sys

import pytest
from api_modules import ModuleFailed, connection, run
from job_actions import Work, submit

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "lab"))

from images import image, layer, push

NAME = "dtr_gc"
SATURDAYS = {"state": "scheduled", "schedule": "0 0 1 * * 6", "deadline": "2h"}
LOG = ("looking at 3 repositories", "removed 4 manifests, 9 links and 12 blobs, freed 734003200 bytes")


@pytest.fixture
def offline(standin):
    """A registry that cannot collect garbage beside pushes."""
    standin.misc.features["onlineGCEnabled"] = False


def crons(standin):
    return {action: (cron["schedule"], cron["deadline"]) for action, cron in standin.store.items("cron")}


def test_scheduled_then_left_alone(standin, run_module):
    planned = run_module(NAME, check=True, **SATURDAYS)
    assert not standin.writes
    made = run_module(NAME, **SATURDAYS)
    assert {key: planned[key] for key in ("changed", "changes", "diff")} == {key: made[key] for key in ("changed", "changes", "diff")}
    assert crons(standin) == {"onlinegc": ("0 0 1 * * 6", "2h")}
    assert made["diff"]["after"]["onlinegc"] == {
        "schedule": "0 0 1 * * 6", "deadline": "2h", "parameters": {}, "retries": 0, "stop_timeout": "", "capacity_map": {}}
    standin.writes.clear()
    again = run_module(NAME, **SATURDAYS)
    assert (again["changed"], standin.writes) == (False, [])


def test_only_what_differs_is_changed(standin, run_module):
    run_module(NAME, **SATURDAYS)
    changed = run_module(NAME, state="scheduled", schedule="@daily")
    assert changed["diff"] == {"before": {"onlinegc": {"schedule": "0 0 1 * * 6"}}, "after": {"onlinegc": {"schedule": "@daily"}}}
    assert crons(standin) == {"onlinegc": ("@daily", "2h")}
    run_module(NAME, state="scheduled", schedule="@daily", deadline="")
    assert crons(standin) == {"onlinegc": ("@daily", "")}


def test_unscheduled_and_not_scheduled_anyway(standin, run_module):
    run_module(NAME, **SATURDAYS)
    run_module("dtr_cron", crons=[{"action": "gc", "schedule": "@daily"}, {"action": "sleep", "schedule": "@daily"}])
    gone = run_module(NAME, state="unscheduled")
    assert sorted(change["key"] for change in gone["changes"]) == ["gc", "onlinegc"]
    assert list(crons(standin)) == ["sleep"]
    assert run_module(NAME, state="unscheduled")["changed"] is False


def test_the_schedule_of_the_other_kind_goes(standin, run_module):
    run_module("dtr_cron", crons=[{"action": "gc", "schedule": "@daily"}])
    run_module(NAME, **SATURDAYS)
    assert crons(standin) == {"onlinegc": ("0 0 1 * * 6", "2h")}


@pytest.mark.parametrize("options", [SATURDAYS, {"state": "run"}])
@pytest.mark.parametrize("check", [True, False])
def test_a_read_only_window_has_to_be_allowed(standin, run_module, offline, options, check):
    with pytest.raises(ModuleFailed, match=r"onlineGCEnabled.*Set read_only_window: true to accept that pushes fail"):
        run_module(NAME, check=check, **options)
    assert not standin.writes


def test_an_old_version_needs_a_read_only_window(standin, run_module):
    standin.options.version = "2.5.14"
    with pytest.raises(ModuleFailed, match=r"version 2\.5\.14 collects garbage only while it refuses pushes"):
        run_module(NAME, state="run")
    standin.options.version = "2.10.1"
    assert run_module(NAME, check=True, state="run")["action"] == "onlinegc"


def test_in_a_read_only_window(standin, run_module, offline):
    Work(standin, "gc", LOG).end()
    assert run_module(NAME, **SATURDAYS, read_only_window=True)["changes"][0]["key"] == "gc"
    assert run_module(NAME, state="run", read_only_window=True)["action"] == "gc"


def test_run_now(standin, run_module):
    Work(standin, "onlinegc", LOG).end()
    planned = run_module(NAME, check=True, state="run", deadline="1h")
    assert (planned["changed"], planned["job_id"], planned["previous"], standin.writes) == (True, "", {}, [])
    done = run_module(NAME, state="run", deadline="1h")
    assert planned["diff"] == done["diff"] == {"before": {}, "after": {"onlinegc": {"deadline": "1h"}}}
    assert (done["changed"], done["taken_up"], done["state"], done["waiting"]) == (True, False, "done", False)
    assert done["freed"] == {"bytes": 734003200, "blobs": 12, "manifests": 4}
    assert done["log"] == list(LOG)
    assert standin.store.get("job", done["job_id"])["deadline"] == "1h"
    again = run_module(NAME, state="run")
    assert {key: again["previous"][key] for key in ("job_id", "action", "state")} == {
        "job_id": done["job_id"], "action": "onlinegc", "state": "done"}


def test_a_log_that_does_not_tell(standin, run_module):
    Work(standin, "onlinegc", ["finished"]).end()
    assert run_module(NAME, state="run")["freed"] == {"bytes": None, "blobs": None, "manifests": None}


def test_no_second_run_beside_the_first(standin, run_module):
    work = Work(standin, "onlinegc", LOG)
    job_id = submit(standin, "onlinegc")
    planned = run_module(NAME, check=True, state="run")
    assert (planned["changed"], planned["taken_up"], planned["job_id"], planned["state"]) == (False, True, job_id, "running")
    work.end_in(0.3)
    done = run_module(NAME, state="run")
    assert (done["changed"], done["taken_up"], done["job_id"], done["freed"]["bytes"]) == (False, True, job_id, 734003200)
    assert len(standin.store.all("job")) == 1


def test_time_over_and_taken_up_again(standin, run_module):
    work = Work(standin, "onlinegc", LOG)
    with pytest.raises(ModuleFailed, match=r"The onlinegc job \S+ is running after \d+ s, and goes on") as failed:
        run_module(NAME, state="run", wait_timeout=1)
    assert failed.value.result["changed"] is True
    begun = run_module(NAME, state="run", wait_timeout=0, on_timeout="return")
    assert (begun["waiting"], begun["job_id"]) == (True, failed.value.result["job_id"])
    work.end()
    done = run_module(NAME, state="run", job_id=begun["job_id"])
    assert (done["changed"], done["taken_up"], done["state"], done["freed"]["blobs"]) == (False, True, "done", 12)


def test_a_run_that_fails(standin, run_module):
    standin.jobs.actions["onlinegc"] = standin.jobs.actions["false"]
    with pytest.raises(ModuleFailed, match=r"The onlinegc job \S+ ended errored after \d+ s. Its log ends with:\nfailed: this action"):
        run_module(NAME, state="run")


def test_not_during_the_migration_of_the_metadata(standin, run_module):
    Work(standin, "metadatastoremigration")
    submit(standin, "metadatastoremigration")
    with pytest.raises(ModuleFailed, match=r"the metadata store is being migrated \(job \S+\)"):
        run_module(NAME, state="run")
    assert not standin.writes


def test_real_bytes_are_freed(standin_with_registry):
    standin = standin_with_registry
    standin.accounts.create({"name": "ops", "isOrg": True})
    options = connection(standin, NAME)
    run("dtr_repository", {**options, "repositories": [{"name": "ops/base"}]})
    shared, own = layer({"shared": b"s" * 1000}), layer({"own": bytes(range(256)) * 4000})
    push(standin, "ops/base:1", image(shared))
    push(standin, "ops/base:2", image(shared, own))
    run("dtr_tag", {**options, "tags": [{"repository": "ops/base", "name": "2", "state": "absent"}]})
    done = run(NAME, {**options, "state": "run"})
    assert done["freed"]["bytes"] >= len(own)
    assert (done["freed"]["blobs"], done["freed"]["manifests"]) == (3, 1)   # layer, configuration, and the manifest itself
    assert run(NAME, {**options, "state": "run"})["freed"] == {"bytes": 0, "blobs": 0, "manifests": 0}


def test_without_the_right_nothing_changes(standin, run_module):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    for options in (SATURDAYS, {"state": "run"}):
        with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
            run_module(NAME, **options, username="mallory", password="s3cret-of-a-user")
    assert crons(standin) == {}
    assert standin.store.all("job") == []


@pytest.mark.parametrize(("options", "says"), [
    ({"state": "scheduled"}, "state is scheduled but all of the following are missing: schedule"),
    ({"state": "scheduled", "schedule": "0 1 * * 6"}, r"schedule '0 1 \* \* 6' has five fields"),
    ({"state": "scheduled", "schedule": "@daily", "deadline": "120"}, "deadline: '120' is no duration"),
    ({"state": "run", "deadline": "120"}, "deadline: '120' is no duration"),
    ({"state": "run", "job_id": "none-such"}, "has no such job"),
    ({"state": "run", "job_id": ""}, "job_id '' is no id of a job"),
    ({"state": "scheduled", "schedule": None}, "schedule is empty"),
    ({"state": "scheduled", "schedule": ""}, "schedule is empty"),
])
def test_bad_input_changes_nothing(standin, run_module, options, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, **options)
    assert not standin.writes


@pytest.mark.parametrize("options", [SATURDAYS, {"state": "run"}], ids=["scheduled", "run"])
def test_failures(fails, options):
    fails(NAME, **options)
