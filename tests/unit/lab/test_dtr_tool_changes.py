# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What emergency-repair, reconfigure and upgrade of docker/dtr refuse, and what they do, on a cluster in memory."""

from __future__ import annotations

import pytest
from dtr_world import FIRST, SECOND, THIRD, World
from standin.dtr_tool.commands import emergency_repair, reconfigure, upgrade
from standin.dtr_tool.errors import Fatal
from standin.dtr_tool.product import COMPONENTS


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


@pytest.fixture
def three(world):
    for identity, node in ((FIRST, "dtr-1"), (SECOND, "dtr-2"), (THIRD, "dtr-3")):
        world.replica(identity, node)
    return world


# emergency-repair

def repaired(world):
    world.helper.answers["check_volumes"] = "2.7.6"
    world.helper.answers["repair"] = {
        "gone": [SECOND, THIRD], "storage": {}, "settings": world.metadata["settings", "dtr"], "tls": world.metadata["tls", "web"]}


def test_repair_needs_a_yes(three, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert "--yes" in three.refused(emergency_repair, existing_replica_id=FIRST)


def test_repair_reverts_to_one_replica(three):
    three.quorum = False
    three.engine.dead.add("dtr-3")
    repaired(three)
    three.run(emergency_repair, existing_replica_id=FIRST, y=True)
    assert set(three.replicas()) == {FIRST, THIRD}, "the dead node's containers cannot be reached"
    assert ("dtr-2", f"dtr-rethink-{SECOND}") in three.engine.kept, "volumes stay without --prune"
    order = [step["do"] for _node, step in three.helper.ran]
    assert order == ["check_volumes", "repair", "configure", "await_healthy"]
    assert f"do not answer: {THIRD}" in three.said
    assert three.ucp.registered[-1]["replicas"] == [FIRST]


def test_repair_prunes_and_changes_the_subnet(three):
    repaired(three)
    three.run(emergency_repair, existing_replica_id=FIRST, y=True, prune=True, overlay_subnet="10.9.0.0/24")
    assert {node for node, _name in three.engine.kept} == {"dtr-1"}
    assert [entry for entry in three.engine.done if "network" in entry[0]] == [("remove network",), ("create network", "10.9.0.0/24")]


def test_repair_changes_nothing_when_the_volumes_cannot_be_used(three):
    def broken(step):
        raise Fatal("The volumes of the replica cannot be used")

    three.helper.answers["check_volumes"] = broken
    with pytest.raises(Fatal, match="cannot be used"):
        three.run(emergency_repair, existing_replica_id=FIRST, y=True)
    assert three.engine.done == []


def test_repair_goes_on_where_its_containers_are_gone(world):
    world.engine.kept.append(("dtr-1", f"dtr-rethink-{FIRST}"))
    repaired(world)
    world.run(emergency_repair, existing_replica_id=FIRST, y=True)
    assert world.replicas()[FIRST].complete
    assert world.engine.net


def test_repair_refuses_volumes_of_another_version(three):
    three.helper.answers["check_volumes"] = "2.8.5"
    with pytest.raises(Fatal, match=r"use the image of version 2\.8\.5"):
        three.run(emergency_repair, existing_replica_id=FIRST, y=True)
    assert three.engine.done == []


# reconfigure

def test_reconfigure_changes_only_what_is_given(three):
    three.run(reconfigure, existing_replica_id=FIRST, http_proxy="http://proxy:3128", ucp_ca="new")
    assert three.helper.did("merge") == [{"do": "merge", "kind": "settings", "key": "dtr", "document": {"httpProxy": "http://proxy:3128"}}]
    assert [step["document"]["ca"] for step in three.helper.did("put")] == ["new"]
    assert not [entry for entry in three.engine.done if entry[0] in ("create", "remove")]


def test_reconfigure_restarts_one_replica_after_the_other(three):
    three.run(reconfigure, existing_replica_id=SECOND, http_proxy="http://proxy:3128")
    order = [name.rpartition("-")[2] for action, name in three.engine.done if action == "start"]
    assert order == [SECOND] * 3 + [FIRST] * 3 + [THIRD] * 3


def test_reconfigure_of_ports_makes_the_named_replicas_front_anew(three):
    three.run(reconfigure, existing_replica_id=SECOND, replica_https_port=4443)
    assert [entry for entry in three.engine.done if entry[0] == "create"] == [("create", f"dtr-nginx-{SECOND}")]
    nginx = three.engine.specs[three.replicas()[SECOND].containers["nginx"]["id"]]
    assert nginx["HostConfig"]["PortBindings"]["443/tcp"] == [{"HostPort": "4443"}]
    assert three.helper.did("change_replica")[0]["replica"]["https_port"] == 4443


def test_reconfigure_refuses_a_port_that_is_taken(three):
    three.engine.ports["dtr-2"] = {4443: "web"}
    with pytest.raises(Fatal, match="port 4443 is in use"):
        three.run(reconfigure, existing_replica_id=SECOND, replica_https_port=4443)


@pytest.mark.parametrize(("migrated", "erased"), [(False, 1), (True, 0)])
def test_another_storage_erases_the_tags_unless_migrated(three, migrated, erased):
    three.run(reconfigure, existing_replica_id=FIRST, dtr_storage_volume="images", **({"storage_migrated": True} if migrated else {}))
    assert len(three.helper.did("forget_tags")) == erased
    assert ("all tags are erased" in three.said) is not migrated
    for replica in three.replicas().values():
        assert (replica.node, "images") in three.engine.kept
        assert "images:/storage" in three.engine.specs[replica.containers["registry"]["id"]]["HostConfig"]["Binds"]


def test_the_same_storage_again_erases_nothing(three):
    three.metadata["tool", "storage"] = {"volume": "images", "nfs": {}, "options": ""}
    three.run(reconfigure, existing_replica_id=FIRST, dtr_storage_volume="images")
    assert not three.helper.did("forget_tags")


def test_a_volume_instead_of_cloud_storage_is_another_storage(three):
    three.metadata["settings", "registry"] = {"storage": {"s3": {"bucket": "b"}}}
    three.run(reconfigure, existing_replica_id=FIRST, nfs_storage_url={}, storage_migrated=True)
    assert {"do": "put", "kind": "settings", "key": "registry", "document": {"storage": {"filesystem": {"rootdirectory": "/storage"}}}} \
        in three.helper.did("put")
    assert not three.helper.did("forget_tags")


def test_reconfigure_drops_the_former_host(three):
    three.run(reconfigure, existing_replica_id=FIRST, dtr_external_url="new.example.com")
    assert three.ucp.registered[-1]["former"] == "dtr.example.com"
    assert three.helper.did("merge")[0]["document"] == {"dtrHost": "new.example.com", "sso": True}


def test_reconfigure_refuses_client_certificates_without_authorities(three):
    assert "requires --client-cert-auth-ca" in three.refused(reconfigure, existing_replica_id=FIRST, enable_client_cert_auth=True)


# upgrade

@pytest.fixture
def newer(monkeypatch):
    world = World(monkeypatch, "2.8.5")
    world.ucp.documents["/version"] = {"Version": "ucp/3.3.7"}
    for identity, node in ((FIRST, "dtr-1"), (SECOND, "dtr-2"), (THIRD, "dtr-3")):
        world.replica(identity, node)
    return world


def test_upgrade_goes_from_replica_to_replica(newer):
    newer.run(upgrade, existing_replica_id=SECOND)
    assert {replica.version for replica in newer.replicas().values()} == {"2.8.5"}
    assert newer.helper.did("merge")[-1]["document"] == {"version": "2.8.5"}
    assert {spec["Image"].split("/")[0] for spec in (newer.engine.specs[entry["id"]] for entry in newer.engine.here)} == {"mirantis"}
    made = [name.rpartition("-")[2] for action, name in newer.engine.done if action == "create"]
    assert made == [FIRST] * 9 + [SECOND] * 9 + [THIRD] * 9


def test_upgrade_goes_on_after_an_interruption(newer):
    newer.engine.here = [entry for entry in newer.engine.here if not entry["name"].endswith(FIRST)]
    newer.replica(FIRST, "dtr-1", version="2.8.5", components=COMPONENTS[:4])
    newer.sick[FIRST] = "/_ping cannot be asked"
    newer.run(upgrade, existing_replica_id=SECOND)
    assert all(replica.complete and replica.version == "2.8.5" for replica in newer.replicas().values())
    newer.engine.done.clear()
    newer.sick.clear()
    newer.helper.ran.clear()
    newer.version = "2.8.5"
    newer.run(upgrade, existing_replica_id=SECOND)
    assert not newer.helper.did("merge")
    assert newer.engine.done == [] and "already" in newer.said


def test_upgrade_refuses_what_cannot_work(newer):
    newer.ucp.documents["/api/ucp/config-toml"] = "[trust_configuration]\nrequire_content_trust = true\n"
    assert "Content trust is on" in newer.refused(upgrade, existing_replica_id=FIRST)
    newer.ucp.documents["/api/ucp/config-toml"] = ""
    newer.ucp.documents["/version"] = {"Version": "ucp/3.2.5"}
    assert "upgrade UCP first" in newer.refused(upgrade, existing_replica_id=FIRST)
    newer.ucp.documents["/version"] = {"Version": "ucp/3.3.7"}
    newer.engine.missing["dtr-3"] = {"mirantis/dtr-api:2.8.5"}
    assert "dtr-3 has no image mirantis/dtr-api:2.8.5" in newer.refused(upgrade, existing_replica_id=FIRST)
    newer.sick[THIRD] = "garant"
    assert f"not healthy ({THIRD}: garant)" in newer.refused(upgrade, existing_replica_id=FIRST)
    newer.engine.dead.add("dtr-3")
    assert "nodes that do not answer" in newer.refused(upgrade, existing_replica_id=FIRST)
    newer.quorum = False
    assert "lost its quorum" in newer.refused(upgrade, existing_replica_id=FIRST)


def test_a_replica_that_came_back_after_its_removal_is_left_alone(three):
    three.known.remove(THIRD)
    three.run(reconfigure, existing_replica_id=FIRST, http_proxy="http://proxy:3128")
    assert f"not part of the cluster: {THIRD}" in three.said
    assert not [entry for entry in three.engine.done if THIRD in entry[1]]


def test_upgrade_refuses_a_replica_that_came_back_after_its_removal(newer):
    newer.known.remove(THIRD)
    assert f"{THIRD} are not part of the cluster" in newer.refused(upgrade, existing_replica_id=FIRST)


def test_upgrade_refuses_to_go_back(three):
    three.engine.here.clear()
    three.replica(FIRST, "dtr-1", version="2.8.5")
    assert "cannot be downgraded" in three.refused(upgrade, existing_replica_id=FIRST)
