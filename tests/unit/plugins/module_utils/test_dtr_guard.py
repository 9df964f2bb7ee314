# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on every state of a cluster that the documents, and the habits of operators, know."""

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_guard as guard
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_guard_state as guard_state

A, B, C, D, E = (letter * 12 for letter in "abcde")
NODES = {A: "dtr-1", B: "dtr-2", C: "dtr-3", D: "dtr-4", E: "dtr-5"}
RUNNING = dict.fromkeys(("api", "garant", "jobrunner", "nginx", "notary-server", "notary-signer", "registry", "rethinkdb", "scanningstore"),
                        "running")
VOLUMES = ["ca", "notary", "postgres", "registry", "rethink"]


def replica(name, state="healthy", members=None, **more):
    """A replica; members: ids, all OK, or {id: health}."""
    said = dict.fromkeys(members, "OK") if isinstance(members, (list, tuple, str)) else members
    if isinstance(members, str):
        said = {letter * 12: "OK" for letter in members}
    return {"id": name, "node": NODES[name], "version": "2.7.6", "containers": dict(RUNNING), "volumes": list(VOLUMES),
            "ping": {"state": state, "reason": "" if state == "healthy" else f"{state} for a reason"}, "members": said, **more}


def cluster(*replicas, down=(), **more):
    nodes = [{"hostname": node, "state": "down" if node in down else "ready"} for node in NODES.values()]
    return {"nodes": nodes, "replicas": list(replicas), "busy": [], "registered": [], **more}


def wanted(count=3, **more):
    hosts = [{"host": f"dtr-{n}.example.com", "node": f"dtr-{n}"} for n in range(1, count + 1)]
    return {"hosts": hosts, "hostname": "dtr.example.com", "version": "2.7.6", "shared_storage": True, "waited": True, **more}


def judge(*replicas, want=3, down=(), facts=None, **more):
    return guard.judge(cluster(*replicas, down=down, **(facts or {})), wanted(want, **more))


def joining(verdict):
    return [one["node"] for one in verdict["join"]]


ALL = {A: "OK", B: "OK", C: "OK"}
LATE = "Replica reported health too long ago: 2020-01-02T03:04:05Z"
HALF = {"containers": {"rethinkdb": "running"}, "members": None}


def test_nothing_there_is_installed():
    found = judge()
    assert (found["verdict"], joining(found)) == ("install", ["dtr-1", "dtr-2", "dtr-3"])


def test_one_of_three_is_there_and_the_others_join():
    found = judge(replica(A, members=[A]))
    assert (found["verdict"], joining(found), found["existing"], found["remove"]) == ("join", ["dtr-2", "dtr-3"], A, [])


def test_all_there_and_well():
    found = judge(*(replica(name, members=ALL) for name in (A, B, C)))
    assert (found["verdict"], found["healthy"], found["dead"], found["lost"]) == ("nothing", [A, B, C], [], [])
    assert guard.sentence(found) == "3 of 3 replicas are well."


@pytest.mark.parametrize("want", (2, 4, 6, 8, 9, 0))
def test_sizes_that_are_none(want):
    found = judge(want=want)
    assert found["verdict"] == "refuse"
    assert "1, 3, 5 or 7" in found["reason"]


def test_several_replicas_want_one_store():
    assert "dtr_storage" in judge(shared_storage=False)["reason"]
    assert judge(want=1, shared_storage=False)["verdict"] == "install"


def test_a_host_that_is_no_node():
    assert "dtr_ucp_node" in guard.judge({**cluster(), "nodes": []}, wanted(1))["reason"]


def test_two_hosts_on_one_node():
    want = wanted(3)
    want["hosts"][1]["node"] = "dtr-1"
    assert "two hosts" in guard.judge(cluster(), want)["reason"]


# A majority is well

def test_one_dead_of_three_is_waited_for_and_then_replaced():
    view = {A: "OK", B: LATE, C: "OK"}
    state = replica(A, members=view), replica(C, members=view)   # UCP lists no containers of a dead node
    assert judge(*state, down=["dtr-2"], facts={"places": {B: "dtr-2"}})["reason"].startswith(f"{B} on dtr-2 is dead")
    assert judge(*state, down=["dtr-2"], waited=False)["verdict"] == "wait"
    found = judge(*state, down=["dtr-2"])
    assert (found["verdict"], found["remove"], found["existing"], found["playbook"]) == ("replace", [B], A, "replace_replica.yml")
    assert joining(found) == []   # its host is down still
    assert "joining first can split" in found["advice"]
    assert LATE in found["reason"]


def test_a_replica_that_was_killed_on_a_host_that_lives_comes_back_to_it():
    view = {A: "OK", B: LATE, C: "OK"}
    dead = replica(B, "silent", containers={name: "exited" for name in RUNNING})
    found = judge(replica(A, members=view), dead, replica(C, members=view))
    assert (found["verdict"], found["remove"], joining(found)) == ("replace", [B], ["dtr-2"])


def test_two_dead_of_five_leave_a_majority():
    view = {A: "OK", B: LATE, C: "OK", D: LATE, E: "OK"}
    found = judge(*(replica(name, members=view) for name in (A, C, E)), want=5)
    assert (found["verdict"], found["remove"], joining(found)) == ("replace", [B, D], ["dtr-2", "dtr-4"])


def test_a_healthy_replica_that_another_calls_late_is_not_dead():
    """The opinion of one replica is old news: each is asked itself (gotchas 5.13)."""
    view = {A: "OK", B: LATE, C: "OK"}
    assert judge(*(replica(name, members=view) for name in (A, B, C)))["verdict"] == "nothing"


def test_a_replica_that_was_forgotten_while_its_host_was_down_is_removed_before_the_host_joins():
    found = judge(replica(A, members=[A]), replica(B, "unhealthy"))
    assert (found["verdict"], found["remove"], joining(found)) == ("replace", [B], ["dtr-2", "dtr-3"])


# A minority is left

def test_two_dead_of_three_is_waited_for_and_then_repaired():
    state = replica(A, "unhealthy")
    assert judge(state, down=["dtr-2", "dtr-3"], waited=False)["verdict"] == "wait"
    found = judge(state, down=["dtr-2", "dtr-3"])
    assert (found["verdict"], found["repair_with"], found["playbook"]) == ("repair", [A], "repair.yml")
    assert len(found["lost"]) == 2
    assert "Bring back dtr-2, dtr-3" in found["advice"]
    assert "Lost would be: the replica on dtr-2" in guard.sentence(found)


def test_volumes_without_containers_can_be_repaired():
    found = judge(replica(A, "silent", containers={}), want=1)
    assert (found["verdict"], found["repair_with"]) == ("repair", [A])


def test_a_majority_that_runs_and_does_not_answer_is_not_repaired():
    found = judge(*(replica(name, "unhealthy") for name in (A, B, C)))
    assert found["verdict"] == "refuse"
    assert "dtr-ol" in found["reason"]
    assert found["repair_with"] == []


def test_stopped_containers_are_started_and_not_repaired():
    stopped = {name: "exited" for name in RUNNING}
    found = judge(replica(A, "unhealthy"), replica(B, "silent", containers=stopped), replica(C, "silent", containers=stopped))
    assert found["verdict"] == "start"
    assert "docker start" in found["advice"]


def test_containers_that_restart_by_themselves_are_not_stopped():
    assert judge(replica(A, "unhealthy", containers={**RUNNING, "api": "restarting"}), want=1)["verdict"] == "refuse"


def test_a_join_that_broke_off_and_took_the_majority_loses_nothing_by_repair():
    found = judge(replica(A, "unhealthy"), replica(B, "silent", **HALF))
    assert (found["verdict"], found["repair_with"], found["lost"], found["discard"]) == ("repair", [A], [], [B])


# Nothing is left

def test_a_registry_that_ucp_knows_and_that_is_gone_is_restored():
    found = judge(facts={"registered": ["dtr.example.com"]})
    assert (found["verdict"], found["playbook"]) == ("restore", "restore.yml")
    assert found["lost"]


def test_a_host_that_is_down_may_hold_a_replica():
    assert judge(down=["dtr-2"], waited=False)["verdict"] == "wait"
    assert "whether it holds a replica" in judge(down=["dtr-2"])["reason"]


def test_a_registry_that_ucp_was_never_told_of_is_discarded_by_its_id_only():
    found = judge(replica(A, "silent"), want=1)
    assert (found["verdict"], found["discard"]) == ("refuse", [])
    assert f"set dtr_discard_replica to {A}" in found["reason"]
    found = judge(replica(A, "silent"), want=1, discard=A)
    assert (found["verdict"], found["discard"], joining(found)) == ("install", [A], ["dtr-1"])
    known = {"registered": ["dtr.example.com"]}
    assert judge(replica(A, "silent"), want=1, discard=A, facts=known)["discard"] == []


# Work that was interrupted

def test_an_installation_that_broke_off_is_made_anew():
    found = judge(replica(A, "silent", **HALF))
    assert (found["verdict"], found["discard"], joining(found)) == ("install", [A], ["dtr-1", "dtr-2", "dtr-3"])


def test_containers_that_were_never_started_are_no_registry():
    found = judge(replica(A, "silent", containers={**RUNNING, "nginx": "created", "registry": "created"}))
    assert (found["verdict"], found["discard"]) == ("install", [A])


@pytest.mark.parametrize("name", ("dtr.example.com", "another.example.com"))
def test_what_ucp_knows_is_never_taken_for_unfinished(name):
    """A reconfiguration makes all containers anew; killed there, it leaves a registry with images that looks unfinished."""
    found = judge(replica(A, "silent", containers={**RUNNING, "nginx": "created"}), facts={"registered": [name]})
    assert (found["verdict"], found["discard"]) == ("start", [])
    assert "docker start" in found["advice"]


def test_a_join_that_broke_off_is_removed_before_the_next():
    found = judge(replica(A, members={A: "OK", B: LATE}), replica(B, "silent", **HALF))
    assert (found["verdict"], found["remove"], joining(found), found["existing"]) == ("join", [B], ["dtr-2", "dtr-3"], A)


def test_an_installer_at_work_is_waited_for():
    assert judge(facts={"busy": ["dtr-1/dtr-phase2"]}, waited=False)["verdict"] == "wait"
    assert "dtr-phase2" in judge(facts={"busy": ["dtr-1/dtr-phase2"]})["reason"]


def test_versions_that_differ_are_an_upgrade_that_broke_off():
    found = judge(replica(A, members=ALL, version="2.8.5"), replica(B, members=ALL), replica(C, members=ALL), version="2.8.5")
    assert (found["verdict"], found["version"]) == ("upgrade", "2.8.5")
    assert "go" in found["advice"]


def test_another_version_is_upgraded_to_and_never_back():
    state = [replica(name, members=ALL) for name in (A, B, C)]
    assert judge(*state, version="2.8.5")["verdict"] == "upgrade"
    assert judge(*state, version="")["verdict"] == "nothing"
    found = judge(*state, version="2.6.9")
    assert found["verdict"] == "refuse"
    assert "no way back" in found["reason"]


# What nobody may touch

def test_two_clusters_are_touched_by_nobody():
    found = judge(replica(A, members=[A]), replica(B, members=[B]))
    assert found["verdict"] == "refuse"
    assert "two clusters" in found["reason"]


def test_a_certificate_of_somebody_else_is_not_taken_for_a_dead_replica():
    found = judge(replica(A, members=[A, B, C]), replica(B, "untrusted"), replica(C, members=[A, B, C]))
    assert found["verdict"] == "refuse"
    assert "dtr_ca_path" in found["reason"]


def test_an_expired_certificate_is_told_with_what_to_run():
    expired = {"ping": {"state": "untrusted", "reason": "certificate verify failed: certificate has expired"}}
    found = judge(*(replica(name, "untrusted", **expired) for name in (A, B, C)))
    assert (found["verdict"], found["expired"]) == ("refuse", [A, B, C])
    assert "rotate_certificates.yml" in guard.sentence(found)
    assert judge(replica(A, "untrusted", **expired), replica(B, "untrusted"), replica(C, members=ALL))["expired"] == []


def test_a_replica_that_cannot_tell_yet_is_waited_for():
    late = replica(A, members=None, members_error="answered 503", members_later=True)
    assert judge(late, waited=False)["verdict"] == "wait"
    assert judge(late)["verdict"] == "refuse"
    assert judge(replica(A, members=None, members_error="answered 401"), waited=False)["verdict"] == "refuse"


def test_a_cluster_that_does_not_tell_of_itself():
    found = judge(replica(A, members=None, members_error="answered 401"))
    assert found["verdict"] == "refuse"
    assert "answered 401" in found["reason"]


def test_undeclared_replicas_are_told_and_count():
    found = judge(*(replica(name, members=ALL) for name in (A, B, C)), want=1)
    assert (found["verdict"], found["extra"]) == ("nothing", [B, C])
    four = wanted(3)
    four["hosts"][2]["node"] = "dtr-4"
    found = guard.judge(cluster(*(replica(name, members=ALL) for name in (A, B, C))), four)
    assert "would be 4 replicas" in found["reason"]


def test_a_host_that_shall_join_and_is_down():
    assert judge(replica(A, members=[A]), down=["dtr-3"], waited=False)["verdict"] == "wait"
    assert "is down" in judge(replica(A, members=[A]), down=["dtr-3"])["reason"]


# Removal

def removal(state, names, **more):
    return guard_state.removal(cluster(*state), wanted(**more), names)


def test_removal_from_three_to_one():
    assert removal([replica(name, members=ALL) for name in (A, B, C)], [B, C]) == {"errors": [], "keep": A}


@pytest.mark.parametrize(("names", "says"), [
    ([B], "2 replicas would stay"),
    ([A, B, C], "no healthy replica would stay"),
    ([E], "is no replica of this cluster"),
])
def test_removals_that_are_refused(names, says):
    found = removal([replica(name, members=ALL) for name in (A, B, C)], names)
    assert len(found["errors"]) == 1
    assert says in found["errors"][0]


def test_removal_may_not_leave_a_minority():
    view = {A: "OK", B: LATE, C: LATE, D: "OK", E: "OK"}
    state = [replica(name, members=view) for name in (A, D, E)]
    assert "no majority" in removal(state, [D, E])["errors"][0]
    assert removal(state, [B, C]) == {"errors": [], "keep": A}


def test_removal_without_a_healthy_replica():
    assert "none can be removed" in removal([replica(A, "unhealthy"), replica(B, "unhealthy")], [B])["errors"][0]
