# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that wait, run in slices with a line on the screen after each."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from unittest import mock

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.action import dtr_gc, dtr_job, dtr_scan
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _api_wait

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "lab"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "modules/api"))

from api_modules import connection, run
from images import plant
from job_actions import Work
from scan_jobs import Slow, prepare

ROOT = pathlib.Path(__file__).parents[4]
RUNNING = {"changed": False, "state": "running", "waiting": True, "job_id": "1", "log_lines": 2, "progress": "onlinegc job 1: running"}
DONE = {**RUNNING, "state": "done", "waiting": False, "progress": "onlinegc job 1: done"}
UNKNOWN = {**RUNNING, "state": "unknown", "trouble": "GET https://registry answered 503.", "progress": "unknown"}


class Runs:
    """Stands in for the module: each run takes as long as it may wait and returns the next result."""

    def __init__(self, monkeypatch, results):
        self.results, self.calls, self.now, self.lines = iter(results), [], 1000.0, []
        monkeypatch.setattr(_api_wait.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(_api_wait.display, "display", self.lines.append)

    def __call__(self, module_args=None, task_vars=None, wrap_async=False):
        self.calls.append(module_args)
        self.now += (module_args or {}).get("wait_timeout", 0)
        return next(self.results)

    def of(self, module, args, **task):
        """The result of the action with these options."""
        settings = {"args": args, "async_val": 0, "check_mode": False, "no_log": False, "diff": False, **task}
        action = module.ActionModule(
            mock.MagicMock(**settings), mock.MagicMock(has_native_async=False), mock.MagicMock(), mock.MagicMock(), mock.MagicMock(),
            mock.MagicMock())
        action._execute_module = self
        return action.run(task_vars={})


@pytest.fixture
def runs(monkeypatch):
    return lambda *results: Runs(monkeypatch, results)


def test_slices_until_it_is_done(runs):
    first = {**RUNNING, "changed": True, "taken_up": False, "previous": {"job_id": "0"}, "diff": {"after": "x"}}
    made = runs(first, {**RUNNING, "taken_up": True}, {**DONE, "taken_up": True, "log_lines": 9})
    args = {"state": "run", "on_timeout": "fail"}
    result = made.of(dtr_gc, args)
    assert made.calls == [
        {**args, "wait_timeout": 2, "on_timeout": "return"},
        {**args, "wait_timeout": 10, "on_timeout": "return", "job_id": "1", "log_offset": 2},
        {**args, "wait_timeout": 10, "on_timeout": "return", "job_id": "1", "log_offset": 2},
    ]
    assert made.lines == ["onlinegc job 1: running", "onlinegc job 1: running"]
    assert result == {
        **DONE, "log_lines": 9, "changed": True, "taken_up": False, "previous": {"job_id": "0"}, "diff": {"after": "x"}}


def test_the_last_slice_is_the_module_s_own(runs):
    made = runs(RUNNING, RUNNING, {**RUNNING, "failed": True, "msg": "goes on"})
    assert made.of(dtr_job, {"action": "sleep", "wait_timeout": "15"})["msg"] == "goes on"
    assert [(call["wait_timeout"], call.get("on_timeout")) for call in made.calls] == [(2, "return"), (10, "return"), (3, None)]
    assert len(made.lines) == 2


def test_what_was_begun_stays_told_when_it_fails(runs):
    made = runs({**RUNNING, "changed": True}, {**DONE, "state": "errored", "failed": True, "msg": "ended errored"})
    result = made.of(dtr_job, {"action": "false"})
    assert (result["failed"], result["changed"], result["msg"]) == (True, True, "ended errored")


def test_a_refusal_on_the_way_tells_what_goes_on(runs):
    made = runs(RUNNING, {"failed": True, "msg": "answered 401."})
    assert made.of(dtr_gc, {"state": "run"})["msg"] == "answered 401. Before that: onlinegc job 1: running"


def test_a_registry_that_is_away_is_waited_for_once_it_was_seen(runs):
    made = runs(RUNNING, UNKNOWN, DONE)
    assert made.of(dtr_gc, {"state": "run"})["state"] == "done"
    assert made.lines == ["onlinegc job 1: running", "unknown"]


def test_a_registry_that_was_never_seen_is_a_failure(runs):
    made = runs(UNKNOWN)
    result = made.of(dtr_gc, {"state": "run", "job_id": "1"})
    assert (result["failed"], result["msg"]) == (True, "GET https://registry answered 503.")
    assert len(made.calls) == 1


def test_scans_are_taken_up_with_what_counts(runs):
    image = {"repository": "ops/base", "tag": "1.0", "os": "linux", "architecture": "amd64", "digest": "sha256:1", "checked_after": "x"}
    waiting = {"changed": True, "started": ["a"], "waiting": True, "images": [{**image, "state": "pending"}], "progress": "0 of 1"}
    made = runs(waiting, {**waiting, "changed": False, "started": [], "waiting": False})
    result = made.of(dtr_scan, {"images": [{"repository": "ops/base", "tag": "1.0"}], "start": "always"})
    assert made.calls[1] == {"start": "never", "images": [image], "wait_timeout": 10, "on_timeout": "return"}
    assert (result["changed"], result["started"], result["waiting"]) == (True, ["a"], False)


def test_nothing_is_shown_where_nothing_may_be_logged(runs):
    made = runs(RUNNING, DONE)
    made.of(dtr_gc, {"state": "run"}, no_log=True)
    assert made.lines == []


@pytest.mark.parametrize(("args", "task"), [
    ({"state": "run", "wait": False}, {}),
    ({"state": "run", "wait": "no"}, {}),
    ({"state": "run", "wait_timeout": "long"}, {}),
    ({"state": "run"}, {"check_mode": True}),
    ({"state": "run"}, {"async_val": 60}),
])
def test_what_is_not_waited_for_is_one_run(runs, args, task):
    made = runs(RUNNING)
    assert made.of(dtr_gc, args, **task) == RUNNING
    assert made.calls == [None]


@pytest.mark.parametrize("result", [{"changed": True, "changes": []}, {"failed": True, "msg": "refused"}])
def test_what_does_not_wait_ends_at_once(runs, result):
    made = runs(result)
    assert made.of(dtr_gc, {"state": "scheduled", "schedule": "@daily"}) == result
    assert made.lines == []


@pytest.fixture
def in_process(standin, monkeypatch):
    """in_process(action module, **options): the action over the real module against the stand-in, in short slices; (result, lines)."""
    monkeypatch.setattr(_api_wait, "FIRST_SLICE", 1)
    monkeypatch.setattr(_api_wait, "SLICE", 1)
    lines = []
    monkeypatch.setattr(_api_wait.display, "display", lines.append)

    def of(module, **args):
        name = module.__name__.rpartition(".")[2]
        task = mock.MagicMock(args=args, async_val=0, check_mode=False, no_log=False, diff=False)
        action = module.ActionModule(task, *[mock.MagicMock()] * 5)
        action._execute_module = lambda module_args, task_vars: run(name, {**connection(standin, name), **module_args})
        return action.run(task_vars={}), lines

    return of


def test_a_run_in_slices(standin, in_process):
    Work(standin, "onlinegc", ["looking", "freed 7 bytes"], lasts=2.5)
    result, lines = in_process(dtr_gc, state="run")
    assert (result["state"], result["changed"], result["taken_up"], result["freed"]["bytes"]) == ("done", True, False, 7)
    assert lines[0] == f"onlinegc job {result['job_id']}: running after 1 s: freed 7 bytes"
    assert len(lines) >= 2
    assert len(standin.writes) == 1


def test_a_new_scan_in_slices(standin, in_process):
    prepare(standin)
    plant(standin, "ops/base:1.0")
    images = [{"repository": "ops/base", "tag": "1.0"}]
    first = in_process(dtr_scan, images=images)[0]["images"][0]
    Slow(standin).end_in(1.5)
    standin.writes.clear()
    result, lines = in_process(dtr_scan, images=images, start="always")
    assert lines[0] == "scans: 0 of 1 images done; ops/base:1.0 linux/amd64 is pending"
    assert (result["changed"], result["started"], result["waiting"]) == (True, ["ops/base:1.0 linux/amd64"], False)
    assert result["images"][0]["checked_at"] > first["checked_at"]
    assert len(standin.writes) == 1


def test_progress_on_the_screen_of_the_playbook(standin, tmp_path):
    """The password comes from the environment; no line and no result shows it, even at -vvv."""
    Work(standin, "onlinegc", ["looking", "removed 2 manifests and 5 blobs, freed 3145728 bytes"], lasts=3.5)
    options = tmp_path / "options.json"
    options.write_text(json.dumps({
        "registry_configuration_host": standin.dtr_host, "registry_configuration_username": standin.admin[0],
        "registry_configuration_ca_path": str(standin.ca_file), "garbage_collection_deadline": "2h",
        "ansible_python_interpreter": sys.executable}), encoding="utf-8")
    done = subprocess.run(
        [pathlib.Path(sys.executable).with_name("ansible-playbook"), "-vvv", "-e", f"@{options}", "playbooks/collect_garbage.yml"],
        cwd=ROOT, env={**os.environ, "DTR_PASSWORD": standin.admin[1]}, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    (job,) = standin.store.all("job")
    assert f"onlinegc job {job['id']}: running after " in done.stdout
    assert "Run before: none in the job history" in done.stdout
    assert "Freed: 3.00 MB, 5 blobs, 2 manifests" in done.stdout
    assert (job["status"], job["deadline"]) == ("done", "2h")
    assert standin.admin[1] not in done.stdout + done.stderr
    assert [exchange.operation for exchange in standin.writes] == ["POST /api/v0/jobs"]
