# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What install, join, remove and destroy of docker/dtr refuse, and what they do, on a cluster in memory."""

from __future__ import annotations

import pytest
from dtr_world import FIRST, SECOND, THIRD, World
from standin.dtr_tool import specs
from standin.dtr_tool.commands import destroy, install, join, remove


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


@pytest.fixture
def three(world):
    for identity, node in ((FIRST, "dtr-1"), (SECOND, "dtr-2"), (THIRD, "dtr-3")):
        world.replica(identity, node)
    return world


# install

def test_install_makes_nine_containers_and_registers(world):
    world.run(install, ucp_node="dtr-1", replica_id=FIRST, dtr_external_url="dtr.example.com", ucp_ca="PEM")
    replica = world.replicas()[FIRST]
    assert replica.complete and replica.node == "dtr-1" and replica.version == "2.7.6"
    seed, = world.helper.did("plant")
    assert seed["document"]["settings"]["dtrHost"] == "dtr.example.com" and seed["document"]["settings"]["sso"] is True
    assert seed["document"]["ucp"]["store"]["endpoints"] and seed["document"]["ucp"]["ca"] == "PEM"
    assert [one["ca"] for one in world.ucp.registered] == ["", "CA"]
    assert ("create network", "10.1.0.0/24") in world.engine.done
    assert {("dtr-1", f"dtr-{kind}-{FIRST}") for kind in ("ca", "notary", "postgres", "registry", "rethink")} == set(world.engine.kept)


def test_install_without_an_external_url_is_known_by_its_node_and_port(world):
    world.run(install, ucp_node="dtr-2", replica_https_port=4443)
    settings = world.helper.did("plant")[0]["document"]["settings"]
    assert settings["dtrHost"] == "10.0.0.3:4443" and not settings.get("sso")


def test_install_takes_a_worker_when_no_node_is_named(world):
    world.run(install)
    replica, = world.replicas().values()
    assert replica.node in ("dtr-1", "dtr-2", "dtr-3")


def test_install_on_a_manager_warns(world):
    world.run(install, ucp_node="ucp-1")
    assert world.said.count("level=warning") == 2


def test_install_says_when_there_is_no_license(world):
    world.ucp.documents["/api/config/license"] = {"license_config": {"key_id": "", "private_key": ""}}
    world.run(install, ucp_node="dtr-1")
    assert "no valid license" in world.said
    assert world.helper.did("plant")[0]["document"]["license"] == {}


def test_install_refuses_what_cannot_work(world):
    assert "no node dtr-9; its nodes are: dtr-1" in world.refused(install, ucp_node="dtr-9")
    world.engine.ports["dtr-1"] = {443: "web"}
    assert "port 443 is in use on the node dtr-1 by web" in world.refused(install, ucp_node="dtr-1")
    world.engine.missing["dtr-2"] = {"docker/dtr-rethink:2.7.6"}
    assert "dtr-2 has no image docker/dtr-rethink:2.7.6" in world.refused(install, ucp_node="dtr-2")
    world.engine.dead.add("dtr-3")
    assert "dtr-3 is not ready" in world.refused(install, ucp_node="dtr-3")
    world.ucp.documents["/version"] = {"Version": "ucp/3.1.9"}
    assert "needs UCP 3.2" in world.refused(install, ucp_node="dtr-1")


def test_install_needs_leave_to_run_containers_on_dtrs_nodes(world):
    world.ucp.documents["/api/ucp/config-toml"] = "[scheduling_configuration]\nenable_admin_ucp_scheduling = false\n"
    message = world.refused(install, ucp_node="dtr-1")
    assert message == 'Error response from daemon: {"message": "could not find any nodes on which the container could be created"}'


def test_install_refuses_a_second_cluster(world):
    world.replica(FIRST, "dtr-1")
    assert f"contains the replicas: {FIRST}" in world.refused(install, ucp_node="dtr-2")


def test_install_join_and_upgrade_wait_until_the_replica_is_well(world):
    world.run(install, ucp_node="dtr-1", replica_id=FIRST)
    assert [step["replica"] for step in world.helper.did("await_healthy")] == [FIRST]
    world.known.append(FIRST)
    world.run(join, existing_replica_id=FIRST, ucp_node="dtr-2", replica_id=SECOND)
    assert [step["replica"] for step in world.helper.did("await_healthy")] == [FIRST, SECOND]


def test_nfs_storage_is_a_volume_of_its_own(world):
    world.run(install, ucp_node="dtr-1", replica_id=FIRST, nfs_storage_url={"host": "10.0.0.9", "path": "/dtr"}, nfs_options="rw,nfsvers=4")
    made = next(entry for entry in world.engine.done if entry[0] == "create volume")
    assert made == ("create volume", f"dtr-nfs-registry-{FIRST}", {"type": "nfs", "o": "addr=10.0.0.9,rw,nfsvers=4", "device": ":/dtr"})
    assert world.helper.did("plant")[0]["document"]["settings"]["nfsHost"] == "10.0.0.9"


# join

def test_join_adds_the_member_before_its_database_starts(world):
    world.replica(FIRST, "dtr-1")
    started = []
    world.helper.answers["add_member"] = lambda step: started.extend(entry for entry in world.engine.done if entry[0] == "start")
    world.run(join, existing_replica_id=FIRST, ucp_node="dtr-2", replica_id=SECOND)
    assert not started
    prepare, = world.helper.did("prepare")
    assert prepare["authority"] == {"ca.pem": "A", "ca-key.pem": "K"}
    assert prepare["config"]["etcd"]["join"] is True
    assert prepare["config"]["etcd"]["initial_cluster"] == ",".join(
        f"dtr-rethinkdb-{one}=https://dtr-rethinkdb-{one}.dtr-ol:29015" for one in (FIRST, SECOND))
    order = [step["do"] for _node, step in world.helper.ran]
    wanted = ["reach", "prepare", "add_member", "promote_member", "add_replica", "await_healthy"]
    assert [name for name in order if name in wanted] == wanted
    assert world.replicas()[SECOND].complete
    assert world.ucp.registered[-1]["replicas"] == [FIRST, SECOND]
    assert "even number" in world.said


def test_join_inherits_the_storage(world):
    world.replica(FIRST, "dtr-1", storage=specs.Storage(volume="images"))
    world.metadata["tool", "storage"] = {"volume": "images", "nfs": {}, "options": ""}
    world.run(join, existing_replica_id=FIRST, ucp_node="dtr-2", replica_id=SECOND)
    assert ("dtr-2", "images") in world.engine.kept and ("dtr-2", f"dtr-registry-{SECOND}") not in world.engine.kept


def test_join_without_the_network_test_does_not_test(world):
    world.replica(FIRST, "dtr-1")
    world.run(join, existing_replica_id=FIRST, ucp_node="dtr-2", skip_network_test=True)
    assert not world.helper.did("reach")


def test_join_refuses_an_unhealthy_cluster_unless_unsafe(three):
    three.sick[THIRD] = "/_ping answered 503"
    three.engine.dead.add("dtr-3")
    assert f"not healthy ({THIRD}" in three.refused(join, existing_replica_id=FIRST, ucp_node="ucp-1")
    three.run(join, existing_replica_id=FIRST, ucp_node="ucp-1", unsafe_join=True)
    assert "data may be lost" in three.said


def test_join_refuses_while_a_member_never_started(world):
    world.replica(FIRST, "dtr-1")
    world.extra_members = [{"name": "", "peer": f"https://dtr-rethinkdb-{SECOND}.dtr-ol:29015", "client": "", "healthy": False}]
    assert "never started" in world.refused(join, existing_replica_id=FIRST, ucp_node="dtr-2")


def test_join_refuses_what_cannot_work(three):
    assert f"Replica {'f' * 12} was not found" in three.refused(join, existing_replica_id="f" * 12, ucp_node="ucp-1")
    assert f"has the DTR replica {SECOND} already" in three.refused(join, existing_replica_id=FIRST, ucp_node="dtr-2")
    assert "is in use already" in three.refused(join, existing_replica_id=FIRST, ucp_node="ucp-1", replica_id=SECOND)
    three.sick[FIRST] = "garant"
    assert f"Replica {FIRST} is not healthy: garant" in three.refused(join, existing_replica_id=FIRST, ucp_node="ucp-1")
    three.quorum = False
    assert "lost its quorum" in three.refused(join, existing_replica_id=FIRST, ucp_node="ucp-1")


def test_join_refuses_another_version(world):
    world.replica(FIRST, "dtr-1", version="2.8.5")
    assert "use the image of version 2.8.5" in world.refused(join, existing_replica_id=FIRST, ucp_node="dtr-2")


# remove and destroy

def test_remove_takes_a_dead_replica_out(three):
    three.engine.dead.add("dtr-3")
    three.sick[THIRD] = "gone"
    three.run(remove, existing_replica_id=FIRST, replica_ids=[THIRD])
    assert three.helper.did("remove_replica") == [{"do": "remove_replica", "replica": THIRD}]
    assert "should its node come back" in three.said and "even number" in three.said
    assert three.ucp.registered[-1]["replicas"] == [FIRST, SECOND]


def test_remove_cleans_the_nodes_that_answer(three):
    three.run(remove, existing_replica_id=FIRST, replica_ids=[SECOND, THIRD])
    assert set(three.replicas()) == {FIRST}
    assert {node for node, _name in three.engine.kept} == {"dtr-1"}


def test_remove_takes_unhealthy_members_out_first(three):
    three.sick[THIRD] = "gone"
    three.run(remove, existing_replica_id=FIRST, replica_ids=[SECOND, THIRD])
    assert [step["replica"] for step in three.helper.did("remove_replica")] == [THIRD, SECOND]


def test_remove_refuses_an_unknown_replica_before_it_removes_any(three):
    assert "Nothing was removed" in three.refused(remove, existing_replica_id=FIRST, replica_ids=[SECOND, "f" * 12])


def test_remove_refuses_without_quorum(three):
    three.quorum = False
    assert "lost its quorum" in three.refused(remove, existing_replica_id=FIRST, replica_ids=[SECOND])


def test_destroy_tells_nobody(three):
    three.run(destroy, replica_id=SECOND)
    assert set(three.replicas()) == {FIRST, THIRD}
    assert not three.helper.ran and not three.ucp.registered
    assert ("remove network",) not in three.engine.done


def test_destroy_of_the_last_replica_takes_the_network_along(world):
    world.replica(FIRST, "dtr-1")
    world.engine.kept.append(("dtr-1", "images"))
    world.run(destroy, replica_id=FIRST)
    assert world.engine.here == [] and world.engine.kept == [("dtr-1", "images")] and world.engine.net == {}


def test_destroy_of_volumes_alone(world):
    world.engine.kept.append(("dtr-1", f"dtr-rethink-{FIRST}"))
    world.run(destroy, replica_id=FIRST)
    assert world.engine.kept == []
    assert "nothing was destroyed" in world.refused(destroy, replica_id=FIRST)
