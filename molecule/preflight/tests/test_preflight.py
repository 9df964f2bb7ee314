# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three hosts, one report: what it says, that it comes before the refusal, and that nothing is changed either way."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from lab_run import run_playbook

HERE = Path(__file__).parents[1]
CHECKOUT = HERE.parents[1]
INVENTORY = CHECKOUT / ".lab" / "molecule-preflight" / "inventory" / "hosts.yml"
NODES = ("registry-1", "registry-2", "client-1")


class Run:
    """One run of a playbook: its exit code, its words and its report."""

    def __init__(self, folder, *arguments, playbook=HERE / "install.yml"):
        self.file = folder / "report.json"
        self.code, self.output = run_playbook("preflight", playbook, *arguments, preflight_report_file=str(self.file))

    @property
    def report(self):
        return json.loads(self.file.read_text(encoding="utf-8"))

    def found(self, host, check):
        """Return the statuses of one check of one host by subject."""
        return {one["subject"]: one["status"] for one in self.report["hosts"][host]["results"] if one["check"] == check}


@pytest.fixture(scope="module")
def refused(tmp_path_factory, node):
    for name in NODES:
        node(name).run_test("touch /run/before")
    return Run(tmp_path_factory.mktemp("refused"))


def test_a_host_below_the_minimum_is_refused(refused):
    assert refused.code == 2, refused.output
    assert refused.report["verdict"] == "below minimum"
    assert {name: entry["verdict"] for name, entry in refused.report["hosts"].items()} == {
        "registry-1": "fit",
        "registry-2": "below minimum",
        "client-1": "below minimum",
    }


def test_the_report_names_all_that_is_wrong_before_the_first_refusal(refused):
    table, refusal, rest = refused.output.partition("TASK [dockyard.trusted_registry.preflight : Refuse hosts below the minimum]")
    assert refusal
    assert "fatal:" not in table
    for line in (
        ("registry-2", "FAIL", "memory"),
        ("registry-2", "FAIL", "ports 5000/tcp", "held by unit:squatter.service"),
        ("registry-2", "WARN", "hostname", "other-name after the next boot"),
        ("registry-2", "WARN", "resolve_peers", "does not resolve here: registry-1"),
        ("client-1", "FAIL", "reach registry-2", "does not answer on TCP 5000 (filtered)"),
        ("client-1", "WARN", "memory", "recommended 1000 PiB"),
        ("client-1", "WARN", "cpus"),
        ("client-1", "WARN", "disk /var/lib/docker"),
    ):
        assert any(all(word in found for word in line) for found in table.splitlines()), (line, table)
    assert "mend: " in table
    # The refusal itself gives every reason again, and only of the hosts refused.
    assert "registry-2 is below minimum (distribution); nothing was changed on it." in rest
    assert "client-1 is below minimum (registry_client)" in rest
    assert "registry-1 is below" not in rest


def test_the_report_as_json(refused):
    assert oct(refused.file.stat().st_mode & 0o777) == "0o644"
    assert refused.report["summary"] == {"unreachable": 0, "not probed": 0, "below minimum": 2, "below recommended": 0, "fit": 1}
    assert refused.found("registry-1", "memory") == {"": "ok"}
    assert refused.found("registry-1", "ports") == {"5000/tcp": "ok", "5001/tcp": "ok"}
    assert refused.found("registry-1", "reach") == {"registry-2": "ok"}
    assert refused.found("client-1", "reach") == {"registry-1": "ok", "registry-2": "fail"}
    memory = next(one for one in refused.report["hosts"]["registry-2"]["results"] if one["check"] == "memory")
    assert memory["unit"] == "bytes"
    assert 0 < memory["measured"] < memory["minimum"] == 1000 * 1024**5


@pytest.mark.parametrize("name", NODES)
def test_nothing_is_changed(refused, node, name):
    assert not node(name).file("/etc/installed").exists
    newer = node(name).run_test("find /etc /usr /opt /var/lib -xdev -newer /run/before -type f -not -path '/var/lib/systemd/*'")
    assert newer.stdout == ""
    assert "changed=0" in refused.output
    assert "changed=1" not in refused.output


def test_hosts_that_fit_pass_though_below_the_recommended(tmp_path):
    run = Run(tmp_path, "--limit", "roomy:tight", "--check")
    assert run.code == 0, run.output
    assert {name: entry["verdict"] for name, entry in run.report["hosts"].items()} == {
        "registry-1": "fit",
        "client-1": "below recommended",
    }


def test_what_is_waived_passes_and_is_shown(tmp_path):
    waived = ["memory", "ports:5000/tcp", "resolve_peers", "reach"]
    run = Run(tmp_path, "--check", "-e", json.dumps({"preflight_waive": waived}))
    assert run.code == 0, run.output
    assert run.found("registry-2", "memory") == {"": "waived"}
    assert "preflight of registry-2: waived by preflight_waive: memory, resolve_peers, ports 5000/tcp, reach registry-1" in run.output
    assert "preflight of client-1: waived by preflight_waive: memory, reach registry-2" in run.output


def test_without_enforcement_there_is_only_the_report(tmp_path):
    run = Run(tmp_path, "--check", "-e", '{"preflight_enforce": false}')
    assert run.code == 0, run.output
    assert run.report["verdict"] == "below minimum"
    assert "preflight of registry-2: below minimum, and accepted because preflight_enforce is false" in run.output


def test_a_host_that_cannot_be_reached_is_in_the_report(tmp_path):
    ghost = tmp_path / "ghost.yml"
    # Through the engine's API, as over SSH, Ansible knows a host that is not there from a command that failed.
    there = {"ansible_host": "dockyard-preflight-no-such-node", "ansible_connection": "community.docker.docker_api"}
    ghost.write_text(json.dumps({"registries": {"hosts": {"ghost-1": there}}}), encoding="utf-8")
    # Even where nothing is enforced: nobody knows what that host would have said.
    run = Run(tmp_path, "-i", str(ghost), "-e", '{"preflight_enforce": false, "preflight_waive": ["resolve_peers", "reach"]}')
    assert run.code == 2, run.output
    assert run.report["hosts"]["ghost-1"]["verdict"] == "unreachable"
    assert run.report["hosts"]["registry-1"]["verdict"] == "fit"
    assert "ghost-1 is unreachable" in run.output


def test_a_host_without_python_is_in_the_report(tmp_path):
    run = Run(tmp_path, "--limit", "roomy", "-e", "ansible_python_interpreter=/no/python3")
    assert run.code == 2, run.output
    assert run.report["hosts"]["registry-1"]["verdict"] == "not probed"
    assert "registry-1 is not probed" in run.output


def test_an_inventory_without_our_hosts_is_refused(tmp_path):
    empty = tmp_path / "empty.yml"
    empty.write_text("{all: {hosts: {other-1: {}}}}\n", encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "-i", str(empty), str(CHECKOUT / "playbooks" / "preflight.yml")],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert "No host in any of the groups ucp_managers" in done.stdout + done.stderr
