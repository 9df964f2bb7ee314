# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client, the stores and the election, against real etcd members."""

from __future__ import annotations

import threading
import time

import pytest
from cluster_site import READY, TTL, Cluster, eventually, local
from standin.cluster import admin
from standin.cluster.election import Election
from standin.cluster.etcd import Client, EtcdError, NoQuorum, Unreachable
from standin.cluster.ops import if_created, putting
from standin.cluster.store import DOCUMENTS, LEADER, EtcdStore, Mirror, WriteLost


@pytest.fixture
def members(tmp_path):
    """Three members of etcd, nothing else."""
    cluster = Cluster(tmp_path, "ucp", 3)
    for replica in cluster.replicas:
        replica.start("member")
    client = cluster.client()
    eventually(lambda: client.range("health"))
    yield cluster
    cluster.stop()


@pytest.fixture
def lead(members):
    """`lead()` -> (store, list of the reasons why its writer lost the lead, its election)."""
    def begin():
        reasons: list[str] = []
        election = Election(members.client(), {"id": "x", "node": "n", "address": "a"}, TTL, reasons.append)
        election.campaign()
        begun.append(election)
        return EtcdStore(members.client(), election.still_leading, reasons.append), reasons, election
    begun: list[Election] = []
    yield begin
    for election in begun:
        election.resign()


def test_keys(members):
    client = members.client()
    client.put("a/1", "eins")
    client.put("a/2", "zwei \N{SNOWMAN}")
    client.put("b", "")
    assert client.get("a/2").value == "zwei \N{SNOWMAN}"
    assert client.get("b").value == "" and client.get("c") is None
    assert [pair.key for pair in client.list("a/")[0]] == ["a/1", "a/2"]
    assert client.delete("a/1") == 1 and client.delete("a/1") == 0
    taken, _answer = client.txn([if_created("b", 0)], [putting("b", "not this")])
    assert not taken and client.get("b").value == ""


def test_long_lists_come_in_pages_of_one_moment(members):
    client = members.client()
    for start in range(0, 1300, 100):
        client.txn([], [putting(f"n/{number:04}", str(number)) for number in range(start, start + 100)])
    pairs, revision = client.list("n/")
    assert [pair.value for pair in pairs] == [str(number) for number in range(1300)]
    assert max(pair.modified for pair in pairs) <= revision


def test_mistakes_are_told(members):
    with pytest.raises(EtcdError, match="duplicate key"):
        members.client().txn([], [putting("a", "1"), putting("a", "2")])


def test_goes_on_with_another_member(members):
    client = members.client()
    client.put("a", "1")
    members.replicas[0].kill("member")
    assert eventually(lambda: client.get("a")).value == "1"
    eventually(lambda: client.put("a", "2") or True)


def test_says_whether_nobody_is_there_or_nobody_agrees(members):
    client = members.client()
    client.range("health")
    for number in (1, 2):
        members.replicas[number].kill("member")
    time.sleep(2)   # until the last one knows that it is alone
    with pytest.raises(NoQuorum):
        Client([members.replicas[0].config.own_endpoint], client.tls, learns=False).range("health")
    members.replicas[0].kill("member")
    with pytest.raises(Unreachable):
        client.range("health")


def test_a_restart_finds_everything(lead):
    store, _reasons, election = lead()
    store.put("tag", "ann/tools/1.0", {"digest": "x"})
    store.put("tag", "ann/tools/2.0", {"digest": "y"})
    store.put("tag", "ann/tools/1.0", {"digest": "z"})
    assert store.delete("tag", "ann/tools/2.0") and not store.delete("tag", "ann/tools/2.0")
    election.resign()
    after, _reasons, _election = lead()
    assert after.items("tag", "ann/") == [("ann/tools/1.0", {"digest": "z"})]


def test_who_was_deposed_writes_nothing(lead, members):
    store, reasons, _election = lead()
    store.put("a", "b", {"is": "first"})
    members.client().delete(LEADER)
    other, _reasons, _election = lead()
    with pytest.raises(WriteLost):
        store.put("a", "b", {"is": "late"})
    assert reasons
    assert store.get("a", "b") == {"is": "first"}
    assert other.get("a", "b") == {"is": "first"}
    assert admin.get(members.client(), "a", "b") == {"is": "first"}


def test_without_quorum_nothing_is_written_and_the_lead_is_lost(lead, members):
    store, reasons, _election = lead()
    for number in (1, 2):
        members.replicas[number].kill("member")
    with pytest.raises(WriteLost):
        store.put("a", "b", {})
    assert store.get("a", "b") is None
    eventually(lambda: any("etcd" in reason for reason in reasons), TTL + 4)


def test_only_one_leads(lead, members):
    _store, reasons, election = lead()
    turn = threading.Event()
    other = Election(members.client(), {"id": "y", "node": "n", "address": "b"}, TTL, print)
    threading.Thread(target=lambda: (other.campaign(), turn.set()), daemon=True).start()
    assert not turn.wait(TTL + 2)
    assert not reasons
    election.resign()
    assert turn.wait(3)
    other.resign()


def test_the_copy_follows_and_catches_up(lead, members):
    store, _reasons, _election = lead()
    store.put("account", "ann", {"id": 1})
    store.put("job", "1", {})
    changes = []
    mirror = Mirror(members.client(), ("account",), lambda *change: changes.append(change))
    mirror.start()
    assert mirror.items("account") == [("ann", {"id": 1})] and mirror.get("job", "1") is None and not changes
    store.put("account", "bob", {"id": 2})
    store.put("account", "ann", {"id": 1, "isAdmin": True})
    store.delete("account", "bob")
    eventually(lambda: mirror.get("account", "ann") == {"id": 1, "isAdmin": True} and not mirror.get("account", "bob"))
    assert changes == [
        ("account", "bob", None, {"id": 2}), ("account", "ann", {"id": 1}, {"id": 1, "isAdmin": True}), ("account", "bob", {"id": 2}, None),
    ]
    members.replicas[0].kill("member")   # the one that is watched
    eventually(lambda: admin.put(members.client(1), "account", "cid", {"id": 3}) or True, READY)
    eventually(lambda: mirror.get("account", "cid") == {"id": 3})
    with pytest.raises(RuntimeError, match="belongs to UCP"):
        mirror.put("account", "dan", {})
    mirror.close()


def test_export_and_import(lead, members):
    client = members.client()
    with pytest.raises(admin.Wrong, match="has not been set up"):
        admin.export(client)
    admin.put(client, "cluster", "cluster", {"product": "ucp", "version": "3.2.5"})
    for number in range(250):
        client.put(f"{DOCUMENTS}tag/{number}", "{}")
    kept = admin.export(client)
    assert len(kept["documents"]["tag"]) == 250
    admin.put(client, "tag", "new", {})
    admin.import_(client, kept)
    assert admin.export(client) == kept
    with pytest.raises(admin.Wrong, match="no export"):
        admin.import_(client, {"documents": {}})


def test_members_come_as_learners_and_go(members, tmp_path):
    client = members.client()
    peer = local()
    added = admin.patient(lambda: admin.add_member(client, members.name(3), peer, learner=True), READY)
    late = members.make(3, peer, added["initial_cluster"], join=True)
    assert f"{members.name(3)}=https://{peer}" in late.config.etcd.initial_cluster.split(",")
    assert admin.add_member(client, members.name(3), peer)["initial_cluster"].count("=") == 4
    with pytest.raises(admin.Unready, match="not started"):
        admin.promote_member(client, members.name(3))
    members.replicas.append(late)
    late.start("member")
    admin.patient(lambda: admin.promote_member(client, members.name(3)), READY)
    admin.promote_member(client, members.name(3))
    status = eventually(lambda: (found := admin.status(client)) and all(member["healthy"] for member in found["members"]) and found)
    assert [member["learner"] for member in status["members"]] == [False] * 4
    late.kill("member")
    admin.remove_member(client, members.name(3))
    admin.remove_member(client, members.name(3))
    assert len(client.members()) == 3


def test_a_single_survivor_begins_anew(lead, members):
    store, _reasons, _election = lead()
    store.put("a", "b", {"is": "kept"})
    time.sleep(1)   # a majority has it at once, the survivor need not
    for replica in members.replicas:
        replica.kill("member")
    survivor = members.replicas[1]
    survivor.launch("member", "--force-new-cluster")
    client = Client([survivor.config.own_endpoint], survivor.config.client_context(), learns=False)
    assert eventually(lambda: admin.get(client, "a", "b")) == {"is": "kept"}
    assert [member["name"] for member in client.members()] == [members.name(1)]
    survivor.kill("member")
    survivor.start("member")
    assert eventually(lambda: admin.get(client, "a", "b")) == {"is": "kept"}
