# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two halves of the preflight that run on the controller."""

from __future__ import annotations

import json
import os
from unittest import mock

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.action import preflight_probe, preflight_report
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.plugin_utils.preflight_hosts import GIB, declare, probe


def action(module, arguments, check_mode=False):
    task = mock.MagicMock(action="preflight", args=arguments, async_val=0, check_mode=check_mode, diff=False)
    return module.ActionModule(task, mock.MagicMock(), mock.MagicMock(), mock.MagicMock(), mock.MagicMock(), mock.MagicMock())


@pytest.fixture
def screen(monkeypatch):
    shown = mock.MagicMock(verbosity=0)
    monkeypatch.setattr(preflight_report, "display", shown)
    return shown


def lines(calls):
    return "\n".join(call.args[0] for call in calls.call_args_list)


def arguments(memory=32 * GIB, waive=(), **more):
    return {
        "hosts": {"one": declare(["distribution"], waive=waive)},
        "probes": {"one": probe(memory={"total": memory})},
        **more,
    }


def test_the_probe_is_timed_by_the_controllers_clock(monkeypatch):
    ticks = iter([100.0, 101.5])
    monkeypatch.setattr(preflight_probe.time, "time", lambda: next(ticks))
    probing = action(preflight_probe, {})
    monkeypatch.setattr(probing, "_execute_module", lambda **_arguments: {"changed": False, "clock": {}})
    assert probing.run(task_vars={}) == {"changed": False, "clock": {}, "controller": {"sent": 100.0, "received": 101.5}}


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_report_is_printed_and_written_in_check_mode_too(screen, tmp_path, check_mode):
    path = tmp_path / "report.json"
    result = action(preflight_report, arguments(path=str(path)), check_mode).run(task_vars={})
    assert result["changed"] is False
    assert result["path"] == str(path)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written.pop("generated").endswith("+00:00")
    assert written["hosts"] == result["hosts"]
    assert oct(path.stat().st_mode & 0o777) == "0o644"
    assert os.listdir(tmp_path) == ["report.json"]
    assert "Preflight of 1 host(s)" in lines(screen.display)


def test_no_path_no_file(screen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert action(preflight_report, arguments()).run(task_vars={})["path"] == ""
    assert os.listdir(tmp_path) == []


def test_a_report_that_cannot_be_written_is_a_warning(screen, tmp_path):
    result = action(preflight_report, arguments(path=str(tmp_path / "no" / "report.json"))).run(task_vars={})
    assert result["path"] == ""
    assert "cannot be written" in lines(screen.warning)


@pytest.mark.parametrize("verbosity,show,all_shown", [(0, "problems", False), (0, "all", True), (1, "problems", True)])
def test_verbosity_shows_all(screen, verbosity, show, all_shown):
    screen.verbosity = verbosity
    action(preflight_report, arguments(show=show)).run(task_vars={})
    assert ("hostname_unique" in lines(screen.display)) is all_shown


def test_what_is_waived_or_not_enforced_is_warned_about_at_every_run(screen):
    action(preflight_report, arguments(memory=1, waive=["memory"])).run(task_vars={})
    assert "preflight of one: waived by preflight_waive: memory" in lines(screen.warning)
    action(preflight_report, arguments(memory=1, enforce=False)).run(task_vars={})
    assert "below minimum, and accepted because preflight_enforce is false" in lines(screen.warning)
