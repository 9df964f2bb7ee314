# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on all hosts: verdicts, waivers, refusals, words."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_report import build, render
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.plugin_utils.preflight_hosts import GIB, declare, probe

ONE, TWO = "192.0.2.11", "192.0.2.12"
SMALL = {"memory": {"total": GIB // 4}}
LEAN = {"memory": {"total": GIB}}
DEBIAN = {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12"}


def registry(**changes):
    return probe("one", ONE, os=DEBIAN, **changes)


def report(one, waive=(), enforce=True, **others):
    hosts = {"one": declare(["distribution"], "one", ONE, waive=waive)}
    probes = {"one": one}
    for name, (profiles, seen) in others.items():
        hosts[name] = declare(profiles, name, TWO)
        probes[name] = seen
    return build(hosts, probes, {}, enforce)


def text(built, show_all=False):
    return "\n".join(render(built, show_all))


@pytest.mark.parametrize(
    "changes,verdict,refused",
    [({}, "fit", False), (LEAN, "below recommended", False), (SMALL, "below minimum", True)],
)
def test_verdicts(changes, verdict, refused):
    built = report(registry(**changes))
    entry = built["hosts"]["one"]
    assert (built["verdict"], entry["verdict"], entry["refused"], bool(entry["refusal"])) == (verdict, verdict, refused, refused)
    assert built["summary"][verdict] == 1
    assert sum(entry["counts"].values()) == len(entry["results"])


def test_a_refusal_gives_every_reason_and_its_mend():
    held = [{"port": 5000, "protocol": "tcp", "pid": 9, "process": "nc", "kernel": False}]
    refusal = report(registry(**SMALL, listeners=held))["hosts"]["one"]["refusal"]
    assert refusal.splitlines() == [
        "one is below minimum (distribution); nothing was changed on it.",
        "- memory: 256 MiB of RAM; minimum 512 MiB, recommended 2 GiB. Mend: give the host more memory.",
        "- ports 5000/tcp: registry: held by process:nc (pid 9). Mend: stop what holds it, or give registry another port.",
        "To accept this knowingly: preflight_waive: [memory, ports]; other limits: preflight_thresholds.",
    ]


@pytest.mark.parametrize("waive,verdict", [(["memory"], "fit"), (["disk"], "below minimum"), (["ports:5000/tcp", "memory"], "fit")])
def test_a_waived_failure_stays_in_sight(waive, verdict):
    built = report(registry(**SMALL), waive=waive)
    assert built["verdict"] == verdict
    if verdict == "fit":
        assert "WAIVED  memory" in text(built)
        assert "(waived fail)" in text(built)


def test_a_waiver_of_one_port_waives_no_other():
    held = [{"port": port, "protocol": "tcp", "pid": 9, "process": "nc", "kernel": False} for port in (5000, 5001)]
    entry = report(registry(listeners=held), waive=["ports:5001/tcp"])["hosts"]["one"]
    assert {one["subject"]: one["status"] for one in entry["results"] if one["check"] == "ports"} == {
        "5000/tcp": "fail",
        "5001/tcp": "waived",
    }


def test_without_enforcement_nobody_below_the_minimum_is_refused():
    built = report(registry(**SMALL), enforce=False)
    assert (built["verdict"], built["hosts"]["one"]["refused"], built["enforced"]) == ("below minimum", False, False)


@pytest.mark.parametrize(
    "seen,verdict,reason",
    [
        ({"unreachable": True, "msg": "no route to host"}, "unreachable", "no route to host"),
        ({"failed": True, "msg": "MODULE FAILURE", "module_stderr": "/usr/bin/python3: not found\n"}, "not probed", "not found"),
        ({}, "not probed", "no answer"),
    ],
)
@pytest.mark.parametrize("enforce", [True, False])
def test_a_host_that_could_not_be_looked_at_is_always_refused(seen, verdict, reason, enforce):
    built = report(registry(), enforce=enforce, two=(["registry_client"], seen))
    entry = built["hosts"]["two"]
    assert (built["verdict"], entry["verdict"], entry["refused"]) == (verdict, verdict, True)
    assert reason in entry["refusal"]
    assert built["hosts"]["one"]["verdict"] == "fit"


def test_of_several_profiles_the_strictest_counts():
    hosts = {"one": declare(["ucp_worker", "dtr"], "one", ONE)}
    built = build(hosts, {"one": probe("one", ONE, memory={"total": 8 * GIB})}, {"dtr_replicas": ["one"]})
    memory = [one for one in built["hosts"]["one"]["results"] if one["check"] == "memory"]
    assert [(one["status"], one["profile"], one["minimum"]) for one in memory] == [("fail", "dtr", 16 * GIB)]


def test_the_table_shows_what_is_not_well_and_all_on_request():
    built = report(registry(**LEAN))
    shown = text(built)
    assert shown.startswith("Preflight of 1 host(s): 1 below recommended\n")
    assert "one   WARN    memory  1 GiB of RAM; minimum 512 MiB, recommended 2 GiB" in shown
    assert "mend: give the host more memory" in shown
    assert "kernel" not in shown
    assert "OK      kernel" in text(built, show_all=True)


def test_columns_are_aligned():
    lines = render(report(registry(**SMALL)))
    head = next(line for line in lines if "STATUS" in line)
    row = next(line for line in lines if "256 MiB" in line)
    assert head.index("STATUS") == row.index("FAIL ")
    assert head.index("FOUND") == row.index("256 MiB")


def test_datagrams_are_said_once_to_be_beyond_proof():
    hosts = {name: declare(["ucp_worker"], name, address) for name, address in (("one", ONE), ("two", TWO))}
    built = build(hosts, {"one": probe("one", ONE), "two": probe("two", TWO)}, {})
    assert len(built["notes"]) == 1
    assert built["notes"][0].startswith("UDP 4789, 7946: ")
    assert text(built).count("UDP") == 1


def test_the_report_is_json():
    assert json.loads(json.dumps(report(registry())))["verdict"] == "fit"


def test_a_play_without_hosts_is_no_error():
    assert build({}, {}, {})["verdict"] == "fit"
