# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _ucp_role as role
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _ucp_role_removal as removals
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _ucp_status as status


def shown(name, role_="manager", state="ready", **more):
    return {"id": f"id-{name}", "hostname": name, "address": "192.0.2.1", "role": role_, "state": state, "labels": {}, "leader": False,
            "availability": "active", "reachability": "reachable", **more}


def host(name, wanted="manager", swarm="inactive", manager=False, **seen):
    """A host of the inventory, of the name host-NAME."""
    return {"role": wanted, "labels": seen.pop("labels", {}), "seen": {
        "hostname": name, "engine_version": "19.03.5", "installed": False, "half_installed": False, "leftovers": False, "healthy": False,
        "problem": "", "version": "", "containers": [], "dtr_volumes": [], "nodes": [], "other_services": [],
        "swarm": {"state": swarm, "manager": manager, "node_id": f"id-{name}" if swarm == "active" else "",
                  "cluster_id": "c" if manager else "", "address": "192.0.2.1", "error": ""}, **seen}}


NODES = [shown("a"), shown("b"), shown("c"), shown("w", "worker")]


def running(name, wanted="manager", nodes=(), **more):
    manager = more.pop("manager", wanted == "manager")
    return host(name, wanted, "active", manager, installed=True, healthy=more.pop("healthy", True), version="3.2.5",
                nodes=list(nodes or NODES) if manager else [], **more)


def cluster(**changes):
    found = {"host-a": running("a"), "host-b": running("b"), "host-c": running("c"), "host-w": running("w", "worker")}
    return {**found, **changes}


def test_bare_hosts():
    plan = role.plan({"host-w": host("w", "worker"), "host-a": host("a"), "host-b": host("b"), "host-c": host("c")})
    assert plan["first"] == "host-a" and plan["fresh"] and plan["problems"] == plan["warnings"] == []
    assert plan["join_managers"] == ["host-b", "host-c"] and plan["join_workers"] == ["host-w"]


def test_a_cluster_that_is_there_has_nothing_to_join():
    plan = role.plan(cluster())
    assert plan["first"] == "host-a" and not plan["fresh"] and plan["address"] == "192.0.2.1"
    assert not any(plan[name] for name in ("join_managers", "join_workers", "roles", "stale", "unwell", "problems", "warnings"))


def test_the_work_is_done_on_a_manager_that_is_well():
    assert role.plan(cluster(**{"host-a": running("a", healthy=False)}))["first"] == "host-b"
    assert role.plan(cluster(**{"host-a": running("a", healthy=False)}))["unwell"] == ["host-a"]
    assert role.plan({"host-a": host("a"), "host-b": running("b", nodes=[shown("b")])})["first"] == "host-b"


def test_an_installation_cut_short_is_where_the_work_goes_on():
    assert role.plan({"host-a": host("a", swarm="active", manager=True),
                      "host-b": host("b", swarm="active", manager=True, half_installed=True)})["first"] == "host-b"


def test_roles_follow_the_inventory():
    plan = role.plan(cluster(**{"host-w": {**running("w", "worker"), "role": "manager"}, "host-c": {**running("c"), "role": "worker"}}))
    assert plan["roles"] == [{"node": "id-c", "hostname": "c", "role": "worker"}, {"node": "id-w", "hostname": "w", "role": "manager"}]


def test_a_host_that_comes_anew_replaces_its_dead_node():
    nodes = [shown("a"), shown("b", state="down"), shown("c")]
    plan = role.plan({"host-a": running("a", nodes=nodes), "host-b": host("b"), "host-c": running("c", nodes=nodes)})
    assert plan["stale"] == ["id-b"] and plan["join_managers"] == ["host-b"]


@pytest.mark.parametrize(("hosts", "message"), [
    ({"host-w": host("w", "worker")}, "no manager is among the hosts of this run"),
    ({"host-a": host("a", swarm="active")}, "host-a is a worker of a swarm and no host of ucp_managers is a manager"),
    ({"host-a": host("a", swarm="locked")}, "its swarm is in trouble"),
    ({"host-a": host("a", leftovers=True, containers=["ucp-kv"])}, r"host-a is in no swarm, yet has parts of an earlier UCP \(ucp-kv\)"),
    (cluster(**{"host-x": host("x", "worker", leftovers=True, containers=["ucp-kv"])}), "host-x is in no swarm, yet has parts"),
    (cluster(**{"host-x": host("x", "worker", "active")}), "host-x is a node of another swarm than host-a"),
    (cluster(**{"host-x": host("w", "worker")}), "host-w and host-x both call themselves w"),
])
def test_what_stands_against_it(hosts, message):
    (problem,) = role.plan(hosts)["problems"]
    assert __import__("re").search(message, problem)


def test_warnings():
    told = role.plan({"host-a": host("a"), "host-b": {**host("b"), "seen": {**host("b")["seen"], "engine_version": "20.10.1"}}})["warnings"]
    assert "2 managers bear the loss of no more of them than 1" in told[0] and "different versions (19.03.5, 20.10.1)" in told[1]
    nodes = [shown("a"), shown("gone", "worker", "down")]
    assert "not among the hosts of this run: gone" in role.plan({"host-a": running("a", nodes=nodes)})["warnings"][0]


def test_a_limited_run_counts_the_managers_outside_of_it():
    assert role.plan({"host-a": running("a")})["warnings"] == []


def test_labels_that_differ():
    nodes = [shown("a", labels={role.SANS_LABEL: "127.0.0.1,a", "zone": "a"}), shown("w", "worker", labels={"old": "1"})]
    hosts = {"host-a": running("a", labels={"zone": "a", "rack": 7}), "host-w": running("w", "worker", labels={"old": None, "never": None})}
    assert role.node_changes(hosts, nodes, ["a", "ucp.example.com"]) == [
        {"node": "id-a", "hostname": "a", "role": "manager", "labels": {"rack": "7", role.SANS_LABEL: "127.0.0.1,a,ucp.example.com"}},
        {"node": "id-w", "hostname": "w", "role": "worker", "labels": {"old": None}}]
    assert role.node_changes({"host-a": running("a", labels={"zone": "a"})}, nodes, []) == []


def test_removals():
    plan = removals.removal(cluster(), "host-w")
    assert plan == {"node": "id-w", "host": "host-w", "manager": "host-a", "alive": True, "was_manager": False, "problem": ""}
    assert removals.removal(cluster(), "a")["manager"] == "host-b" and removals.removal(cluster(), "a")["was_manager"]
    dead = [shown("a"), shown("c"), shown("d", "worker", "down")]
    assert removals.removal({"host-a": running("a", nodes=dead)}, "d") == {
        "node": "id-d", "host": "", "manager": "host-a", "alive": False, "was_manager": False, "problem": ""}


def test_a_removal_that_was_cut_off_goes_on():
    hosts = cluster(**{"host-w": host("w", "worker", leftovers=True)})
    assert removals.removal(hosts, "host-w")["node"] == "id-w" and not removals.removal(hosts, "host-w")["alive"]
    gone = {"host-a": running("a", nodes=[shown("a")]), "host-w": host("w", "worker", leftovers=True)}
    assert removals.removal(gone, "host-w") == {
        "node": "", "host": "host-w", "manager": "host-a", "alive": False, "was_manager": False, "problem": ""}


@pytest.mark.parametrize(("hosts", "wanted", "message"), [
    (cluster(), "", "name the node"),
    ({"host-a": running("a")}, "a", "the last one is not removed but uninstalled"),
    (cluster(**{"host-w": running("w", "worker", dtr_volumes=["dtr-ca-1"])}), "w", "holds a replica of DTR"),
    (cluster(), "x", "x is neither a node nor a host of this run; nodes are a, b, c, w"),
    ({"host-a": running("a")}, "w", "does not speak to Ansible, yet the swarm sees it as ready"),
])
def test_removals_refused(hosts, wanted, message):
    assert message in removals.removal(hosts, wanted)["problem"]


def test_an_uninstallation():
    assert removals.uninstall_plan(cluster(), "ucp.example.com", "ucp.example.com", True) == {
        "first": "host-a", "other_managers": ["b", "c"], "problem": ""}
    assert removals.uninstall_plan({"host-a": host("a")}, "n", "", True)["problem"] == ""


@pytest.mark.parametrize(("hosts", "confirm", "message"), [
    (cluster(), "", "takes it from a, b, c, w and dissolves its swarm"),
    (cluster(), "other", "set ucp_uninstall_confirm to n"),
    (cluster(**{"host-w": running("w", "worker", dtr_volumes=["dtr-ca-1"])}), "n", "DTR is still on host-w"),
    ({"host-a": running("a", other_services=["shop"])}, "n", "services that are not UCP's: shop"),
    ({"host-w": running("w", "worker")}, "n", "no manager is among the hosts"),
])
def test_an_uninstallation_refused(hosts, confirm, message):
    assert message in removals.uninstall_plan(hosts, "n", confirm, True)["problem"]


def test_status_rows_tables_and_problems():
    nodes = [*NODES[:3], shown("d", "manager", "down"), shown("e", "worker")]
    hosts = {"host-a": running("a", nodes=nodes), "host-b": running("b", nodes=nodes, healthy=False, problem="answers 500"),
             "host-c": running("c", nodes=nodes), "host-n": host("n", "worker")}
    rows = status.rows(hosts, "3.2.6")
    assert [(row["host"], row["node"], row["healthy"]) for row in rows] == [
        ("host-a", "a", True), ("host-b", "b", False), ("host-c", "c", True), ("host-n", "n", False), ("", "d", False), ("", "e", None)]
    table = status.table(rows)
    assert table[0].split() == ["NODE", "HOST", "ROLE", "ADDRESS", "STATE", "VERSION", "UCP"]
    assert "NOT HEALTHY" in table[2] and "not looked at" in table[6]
    told = status.problems(rows, [{"state": "warn", "path": "/p", "host": "host-a", "days_left": 3}, {"state": "ok"}])
    assert {"UCP on b: answers 500", "UCP on n: UCP is not installed", "UCP on d: the node is down"} <= set(told)
    assert "UCP on a: version 3.2.5, and 3.2.6 is declared; run upgrade.yml" in told
    assert "/p on host-a: certificate warn, 3 days left" in told
    assert status.problems(status.rows(cluster(), "3.2.5")) == []


def test_a_cluster_that_cannot_lose_another_manager_is_told():
    nodes = [shown("a"), shown("b"), shown("c", state="down")]
    told = status.problems(status.rows({"host-a": running("a", nodes=nodes), "host-b": running("b", nodes=nodes)}))
    assert "UCP: 2 of 3 managers are up, and the cluster cannot lose another one" in told


def test_a_silent_host_has_one_row():
    nodes = [shown("a"), shown("b", state="down")]
    rows = status.rows({"host-a": running("a", nodes=nodes)}, "3.2.5", {"b": "not\nrunning", "new": "unreachable"})
    assert [(row["host"], row["node"], row["state"]) for row in rows] == [
        ("host-a", "a", "ready"), ("b", "b", "down"), ("new", "new", "silent")]
    told = status.problems(rows)
    assert "UCP on b: the node is down; the host does not answer (not running)" in told
