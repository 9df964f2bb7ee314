# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _swarm
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._swarm_rules import SwarmError
from ansible_collections.dockyard.trusted_registry.plugins.modules import swarm_node
from fake_docker import FakeEngine, node
from test_swarm_rules import CA, TOKEN

DEFAULTS = {
    "node": None, "remote_addrs": [], "join_token": None, "advertise_addr": None, "listen_addr": "0.0.0.0:2377", "data_path_addr": None,
    "default_addr_pool": None, "subnet_size": None, "availability": None, "labels": None, "confirm": None,
}
OUT, WORKER = {}, {"LocalNodeState": "active", "NodeID": "id-w"}
MANAGER = {"LocalNodeState": "active", "NodeID": "id-a", "ControlAvailable": True, "Cluster": {"ID": "cluster"}}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(_swarm, "_PAUSE", 0.01)


@pytest.fixture
def host(tmp_path):
    """host(swarm, nodes=[...], then=swarm after a change)."""
    def make(swarm, nodes=(), then=None):
        (tmp_path / "swarm/certificates").mkdir(parents=True, exist_ok=True)
        (tmp_path / "swarm/certificates/swarm-root-ca.crt").write_bytes(CA)
        state = {"swarm": swarm, "nodes": list(nodes)}
        engine = FakeEngine({"/info": lambda: {"Name": "a", "DockerRootDir": str(tmp_path), "Swarm": state["swarm"]},
                             "/nodes": lambda: state["nodes"]})

        def change(body):
            state["swarm"] = then if then is not None else state["swarm"]

        for verb in ("init", "join", "leave"):
            engine.on[f"POST /swarm/{verb}"] = change
        for one in nodes:
            engine.answers[f"/nodes/{one['ID']}"] = one
        return _swarm.Host(engine, 1)
    return make


def run(target, state, check_mode=False, **params):
    return swarm_node.work(target, {**DEFAULTS, "state": state, **params}, check_mode)


def test_a_host_outside_makes_a_swarm(host):
    target = host(OUT, then=MANAGER)
    result = run(target, "manager", advertise_addr="192.0.2.1", default_addr_pool=["10.9.0.0/16"], subnet_size=26)
    assert (result["changed"], result["action"], result["cluster_id"]) == (True, "initialized", "cluster")
    assert target.engine.sent == [("POST", "/swarm/init", {
        "Spec": {}, "ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "192.0.2.1", "DefaultAddrPool": ["10.9.0.0/16"], "SubnetSize": 26}, {})]


def test_check_mode_sends_nothing(host):
    for target, params in ((host(OUT), {}), (host(OUT), {"remote_addrs": ["m:2377"], "join_token": TOKEN})):
        assert run(target, "manager", check_mode=True, **params)["changed"] and target.engine.sent == []
    target = host(WORKER)
    assert run(target, "absent", check_mode=True)["action"] == "left" and target.engine.sent == []


def test_a_host_joins_by_the_api(host):
    target = host(OUT, then=WORKER)
    assert run(target, "worker", remote_addrs=["m:2377"], join_token=TOKEN)["action"] == "joined"
    assert target.engine.sent[0][2] == {"ListenAddr": "0.0.0.0:2377", "RemoteAddrs": ["m:2377"], "JoinToken": TOKEN}


def test_a_second_run_changes_nothing(host):
    target = host(WORKER)
    result = run(target, "worker", remote_addrs=["m:2377"], join_token=TOKEN)
    assert (result["changed"], result["action"], result["node"]["id"], target.engine.sent) == (False, "none", "id-w", [])


@pytest.mark.parametrize(("swarm", "state", "params", "message"), [
    (WORKER, "worker", {"join_token": TOKEN.replace("38u", "39u"), "remote_addrs": ["m:1"]}, "of another swarm: .*leave that one first"),
    (WORKER, "manager", {}, "is a worker of the swarm already: roles are changed from another manager"),
    (MANAGER, "worker", {}, "is a manager of the swarm already"),
    (OUT, "worker", {}, "remote_addrs: a worker needs"),
    (OUT, "worker", {"remote_addrs": ["m:1"], "join_token": "x"}, "no join token"),
    (WORKER, "worker", {"node": "b"}, "is no manager of a swarm"),
    ({"LocalNodeState": "locked", "Error": "swarm is locked"}, "manager", {}, "docker swarm unlock"),
    ({"LocalNodeState": "pending", "Error": "x"}, "manager", {}, r"still \"pending\" in a swarm after 1 s \(x\)"),
])
def test_refusals(host, swarm, state, params, message):
    target = host(swarm)
    with pytest.raises(SwarmError, match=message):
        run(target, state, **params)
    assert target.engine.sent == []


def test_the_token_of_the_other_role_is_noticed(host):
    with pytest.raises(SwarmError, match="joined as a worker, for that is whose token"):
        run(host(OUT, then=WORKER), "manager", remote_addrs=["m:2377"], join_token=TOKEN)


def test_leaving(host):
    target = host(WORKER, then=OUT)
    assert run(target, "absent")["action"] == "left" and target.engine.sent[0][3] == {"force": False}
    assert run(host(OUT), "absent")["changed"] is False
    with pytest.raises(SwarmError, match="demote it first"):
        run(host(MANAGER, [node("a"), node("b")]), "absent")
    lonely = host(MANAGER, [node("a"), node("w", "worker")], then=OUT)
    with pytest.raises(SwarmError, match="with it goes the swarm cluster with 1 other nodes"):
        run(lonely, "absent", confirm="other")
    assert run(lonely, "absent", confirm="cluster")["action"] == "left" and lonely.engine.sent[0][3] == {"force": True}


def test_a_manager_labels_and_promotes(host):
    worker = node("w", "worker", labels={"zone": "a"})
    target = host(MANAGER, [node("a"), worker])

    def update(body, identity):
        target.engine.answers["/nodes/id-w"] = {**worker, "Spec": body, "ManagerStatus": {"Reachability": "reachable"}}

    target.engine.on["POST /nodes/(.*)/update"] = update
    result = run(target, "manager", node="w", labels={"zone": "b"}, availability="drain")
    assert result["diff"] == {"before": {"role": "worker", "availability": "active", "labels": {"zone": "a"}},
                              "after": {"role": "manager", "availability": "drain", "labels": {"zone": "b"}}}
    assert target.engine.sent[0][3] == {"version": 7} and result["node"]["labels"] == {"zone": "b"}
    assert run(target, "worker", node="w", labels={"zone": "a"})["changed"] is False


def test_a_change_that_somebody_else_outran_is_made_anew(host):
    target, tries = host(MANAGER, [node("a"), node("w", "worker")]), []

    def update(body, identity):
        tries.append(body)
        if len(tries) == 1:
            target.engine.answers["/nodes/id-w"] = node("w", "worker", labels={"new": "1"}, index=8)
            raise EngineError("rpc error: code = Unknown desc = update out of sequence", 500)

    target.engine.on["POST /nodes/(.*)/update"] = update
    run(target, "worker", node="w", labels={"zone": "b"})
    assert tries[1]["Labels"] == {"new": "1", "zone": "b"} and target.engine.sent[1][3] == {"version": 8}


def test_a_dead_node_is_removed_and_a_live_one_is_not(host):
    target = host(MANAGER, [node("a"), node("w", "worker", "down")])
    assert run(target, "absent", node="w")["action"] == "removed"
    assert target.engine.sent == [("DELETE", "/nodes/id-w", None, {"force": True})]
    assert run(target, "absent", node="gone")["changed"] is False
    with pytest.raises(SwarmError, match="it has not left the swarm and still runs after 1 s: let it leave first"):
        run(host(MANAGER, [node("a"), node("w", "worker")]), "absent", node="w")


def test_a_dead_manager_is_demoted_before_it_is_removed(host):
    dead = node("b", "manager", "down", "unreachable")
    target = host(MANAGER, [node("a"), dead, node("c")])
    demoted = {"/nodes/id-b": {**dead, "ManagerStatus": None}}
    target.engine.on["POST /nodes/id-b/update"] = lambda body: target.engine.answers.update(demoted)
    run(target, "absent", node="b")
    assert [call[:2] for call in target.engine.sent] == [("POST", "/nodes/id-b/update"), ("DELETE", "/nodes/id-b")]
    assert target.engine.sent[0][2]["Role"] == "worker"


def test_lost_quorum_is_told_with_the_way_back(host):
    target = host(MANAGER)
    target.engine.answers["/nodes"] = EngineError("rpc error: code = DeadlineExceeded desc = context deadline exceeded", 500)
    with pytest.raises(SwarmError, match="force-new-cluster"):
        run(target, "worker", node="w")
