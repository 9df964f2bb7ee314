# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every trap of traps.yml is met by tests that exist; and what only the order of plays and tasks keeps out of a trap."""

from __future__ import annotations

import ast
import re

import pytest
import yaml

ROWS = {"ordering": 14, "command line": 18}


@pytest.fixture(scope="module")
def traps(root):
    return yaml.safe_load((root / "tests/contract/traps.yml").read_text())


def tasks_of(path):
    """All tasks of a file of tasks or plays, those in blocks included."""
    def flat(entries):
        for entry in entries:
            yield entry
            for name in ("tasks", "block", "rescue", "always"):
                yield from flat(entry.get(name) or [])
    return list(flat(yaml.safe_load(path.read_text())))


def included(path):
    """Names of the task files that a task file leads to, itself included."""
    names = {path.name}
    for task in tasks_of(path):
        for action in ("ansible.builtin.include_tasks", "ansible.builtin.import_tasks"):
            target = task.get(action)
            target = target["file"] if isinstance(target, dict) else target
            if target and "{" not in target:
                names |= included(path.parent / target)
    return names


def test_no_row_is_missing_or_empty(traps):
    assert list(traps) == [f"{section} {number}" for section, count in ROWS.items() for number in range(1, count + 1)]
    for name, row in traps.items():
        assert set(row) - {"waits"} == {"trap", "answer", "tests"}, name
        assert all(row.values()), name


def test_the_documents_know_as_many(contract):
    text = (contract / "gotchas.md").read_text()
    sections = [re.search(rf"^## {number}\. .*?(?=^## )", text, re.MULTILINE | re.DOTALL)[0] for number in (1, 2)]
    assert [len(re.findall(r"^\| \d+ \|", section, re.MULTILINE)) for section in sections] == list(ROWS.values())


def test_every_named_test_exists(root, traps):
    known, missing = {}, []
    for name, row in traps.items():
        for test in row["tests"]:
            path, _colons, function = test.partition("::")
            if path not in known:
                tree = ast.parse((root / path).read_text() if (root / path).is_file() else "")
                known[path] = {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
            missing += [] if function in known[path] and function.startswith("test_") else [f"{name}: {test}"]
    assert missing == []


def test_an_upgrade_takes_ucp_before_dtr_and_looks_at_dtr_first(root):
    """Ordering 2."""
    plays = yaml.safe_load((root / "playbooks/upgrade.yml").read_text())
    order = [(role["name"].rpartition(".")[2], role["tasks_from"]) for play in plays for task in play.get("tasks", [])
             for role in [task["ansible.builtin.include_role"]]]
    assert order == [("dtr", "upgrade_plan"), ("ucp", "upgrade"), ("dtr", "upgrade")]


def test_gates_of_an_installation_do_not_go_through_the_balancer(root):
    """Ordering 9: a replica is asked under its own address, which UCP tells."""
    module = "dockyard.trusted_registry.dtr_cluster_info"
    defaults, = [task["module_defaults"][module] for task in tasks_of(root / "roles/dtr/tasks/cluster.yml") if "module_defaults" in task]
    assert defaults["host"] == "{{ __dtr_ucp_api }}"
    assert "look.yml" in included(root / "roles/dtr/tasks/gate.yml")
    looks = [task[module] for task in tasks_of(root / "roles/dtr/tasks/look.yml") if module in task]
    assert looks and not [look for look in looks if {"host", "port"} & set(look)]


def test_engines_can_be_had_to_restart_one_by_one(root):
    """Ordering 11: whatever may restart an engine is throttled when the operator says so."""
    found = [task for name in ("configure.yml", "install.yml") for task in tasks_of(root / "roles/docker_engine/tasks" / name)
             if {"dockyard.trusted_registry.docker_daemon", "ansible.builtin.apt", "ansible.builtin.package"} & set(task)]
    assert len(found) == 3
    assert [task["name"] for task in found if "docker_engine_serial_restart" not in str(task.get("throttle"))] == []


def test_an_upgrade_of_ucp_writes_no_configuration(root):
    """Ordering 13; the main entry, which does, comes to it behind the step that refuses another version."""
    tasks = root / "roles/ucp/tasks"
    assert "configure.yml" not in included(tasks / "upgrade.yml")
    included_there = [task.get("ansible.builtin.include_tasks") for task in tasks_of(tasks / "main.yml")]
    assert [one["file"] for one in included_there if isinstance(one, dict)] == ["cluster.yml", "configure.yml"]


def test_an_upgrade_of_dtr_ends_with_what_is_left_to_do(root):
    """Ordering 14."""
    tasks = tasks_of(root / "roles/dtr/tasks/do_upgrade.yml")
    told = [task["ansible.builtin.debug"]["msg"] for task in tasks if "ansible.builtin.debug" in task]
    assert len(told) == 1 and "vulnerability database again" in told[0] and "require_content_trust" in told[0]
