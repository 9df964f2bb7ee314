# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of docker/dtr's phase 2 on real databases: set up, look, back up, revert to one replica."""

from __future__ import annotations

import json
import os
import pathlib

import pytest
from cluster_site import ENVIRONMENT, Replica, eventually, free_port
from standin.cluster.config import Config
from standin.dtr_tool import phase2, settings, specs
from standin.dtr_tool.product import Product

IDS = ("0a1b2c3d4e5f", "111111111111", "222222222222")


class Site:
    """Replicas whose folders take the place of the volumes; only their databases run."""

    def __init__(self, folder: pathlib.Path, monkeypatch):
        self.folder, self.monkeypatch, self.members = folder, monkeypatch, {}
        monkeypatch.setattr(phase2, "COPY", folder / "copy")
        for name, value in ENVIRONMENT.items():
            monkeypatch.setitem(os.environ, name, value)

    def at(self, replica: str) -> None:
        """Phase 2 runs on this replica's volumes from now on."""
        ca = self.folder / replica / "ca"
        ca.mkdir(parents=True, exist_ok=True)
        for name, value in (("CA", ca), ("CONFIG", ca / "config.json"), ("DATA", self.folder / replica / "data"),
                            ("FOLDER", self.folder / replica)):
            self.monkeypatch.setattr(phase2, name, value)

    def config(self, replica: str, initial_cluster: str = "", join: bool = False) -> dict:
        config = specs.config(Product("2.7.6", "docker"), specs.Place(replica, "dtr-1", "127.0.0.1"), initial_cluster, join)
        client, peer = (f"127.0.0.1:{free_port()}" for _one in range(2))
        config["etcd"].update(client=client, peer=peer, client_listen=client, peer_listen=peer, data=str(phase2.DATA))
        return {**config, "pki": str(phase2.CA), "state": str(self.folder / replica / "state")}

    def start(self, replica: str) -> None:
        self.members[replica] = Replica(self.folder / replica, Config.read(self.folder / replica / "ca/config.json"))
        self.members[replica].start("member")

    def stop(self, replica: str) -> None:
        self.members.pop(replica).processes["member"].kill()

    def first(self) -> None:
        self.at(IDS[0])
        self.steps({"do": "prepare", "config": self.config(IDS[0]), "names": ["dtr-1"], "authority": {}})
        self.start(IDS[0])
        self.steps({"do": "plant", "document": {
            "settings": {"dtrHost": "dtr.example.com"}, "ucp": {"url": "https://ucp.example.com"}, "names": [],
            "replica": {"id": IDS[0], "node": "dtr-1", "version": "2.7.6", "http_port": 80, "https_port": 443},
            "documents": {settings.TOOL: {"storage": {"volume": "images", "nfs": {}, "options": ""}}},
        }})

    def join(self, replica: str) -> None:
        self.at(IDS[0])
        authority, = self.steps({"do": "authority"})
        members = [f"{one['name']}={one['peer']}" for one in phase2.status()["members"]]
        self.at(replica)
        config = self.config(replica, join=True)
        name, peer = config["etcd"]["name"], config["etcd"]["peer"]
        config["etcd"]["initial_cluster"] = ",".join([*members, f"{name}=https://{peer}"])
        self.steps({"do": "prepare", "config": config, "names": ["dtr-2"], "authority": authority})
        self.at(IDS[0])
        self.steps({"do": "add_member", "name": name, "peer": peer})
        self.start(replica)
        known = {"id": replica, "node": "dtr-2", "version": "2.7.6", "http_port": 80, "https_port": 443}
        self.steps({"do": "promote_member", "name": name}, {"do": "add_replica", "replica": known})

    def steps(self, *steps: dict) -> list:
        """As the container does them, by way of its files."""
        (phase2.FOLDER / "request.json").write_text(json.dumps(steps))
        phase2.main()
        assert not (phase2.FOLDER / "request.json").exists(), "a request may hold keys and must not stay"
        result = json.loads((phase2.FOLDER / "result.json").read_text())
        if result["problem"]:
            raise AssertionError(result["problem"])
        return result["results"]


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = Site(tmp_path, monkeypatch)
    yield site
    for member in site.members.values():
        member.processes["member"].kill()


def test_a_cluster_grows_and_shrinks(site):
    site.first()
    site.join(IDS[1])
    (status, health), = site.steps({"do": "look", "replicas": [IDS[0]]})
    assert status["quorum"] and {member["healthy"] for member in status["members"]} == {True}
    assert set(health) == set(IDS[:2]) and all("cannot be asked" in problem for problem in health.values()), "there is no front here"
    site.steps({"do": "remove_replica", "replica": IDS[1]})
    assert [member["name"] for member in phase2.status()["members"]] == [f"dtr-rethinkdb-{IDS[0]}"]


def test_a_join_that_stopped_half_way_does_not_stop_the_cluster(site):
    site.first()
    site.steps({"do": "add_member", "name": f"dtr-rethinkdb-{IDS[1]}", "peer": f"dtr-rethinkdb-{IDS[1]}.dtr-ol:29015"})
    site.steps({"do": "merge", "kind": "settings", "key": "dtr", "document": {"httpProxy": "http://proxy"}})
    site.steps({"do": "remove_replica", "replica": IDS[1]})
    assert len(phase2.status()["members"]) == 1


def test_a_used_volume_is_not_taken_for_a_new_replica(site):
    site.first()
    with pytest.raises(AssertionError, match=f"destroy --replica-id {IDS[0]}"):
        site.steps({"do": "prepare", "config": site.config(IDS[0]), "names": [], "authority": {}})


def test_without_quorum_one_replica_keeps_everything(site):
    site.first()
    site.join(IDS[1])
    site.join(IDS[2])
    site.at(IDS[0])
    site.steps({"do": "merge", "kind": "settings", "key": "dtr", "document": {"httpProxy": "http://proxy"}})
    site.stop(IDS[1])
    site.stop(IDS[2])
    eventually(lambda: not phase2.status()["quorum"])
    looked = site.steps({"do": "look", "replicas": [IDS[0]]}, {"do": "get", "kind": "settings", "key": "dtr"})
    assert len(looked) == 1 and looked[0][0]["quorum"] is False, "what needs quorum is not tried"
    site.stop(IDS[0])
    version, = site.steps({"do": "check_volumes"})
    assert version == "2.7.6"
    found, = site.steps({"do": "repair", "replica": IDS[0]})
    assert sorted(found["gone"]) == list(IDS[1:]) and found["settings"]["httpProxy"] == "http://proxy"
    assert found["storage"]["volume"] == "images" and found["tls"]["ca"]
    site.start(IDS[0])
    status = eventually(lambda: phase2.status() if phase2.status()["quorum"] else None)
    assert list(status["replicas"]) == [IDS[0]]


def test_volumes_that_cannot_be_used_are_named(site):
    site.first()
    site.stop(IDS[0])
    (phase2.CA / "node-key.pem").unlink()
    with pytest.raises(AssertionError, match=r"volumes of the replica cannot be used.*node-key\.pem"):
        site.steps({"do": "check_volumes"})


def test_an_offline_export_equals_an_online_one(site):
    site.first()
    online, = site.steps({"do": "export"})
    site.stop(IDS[0])
    offline, = site.steps({"do": "export_offline"})
    assert offline == online
    assert online["documents"]["settings"]["dtr"]["dtrHost"] == "dtr.example.com" and "ca-key.pem" in online["authority"]


def test_what_was_saved_can_be_loaded_again(site):
    site.first()
    documents = {"repository": {f"a/r{number}": {"name": f"r{number}"} for number in range(300)}, "tag": {"a/r1/1": {"digest": "d"}}}
    site.steps({"do": "load", "documents": documents})
    export, = site.steps({"do": "export"})
    assert len(export["documents"]["repository"]) == 300
    forgotten, = site.steps({"do": "forget_tags"})
    assert forgotten == 1 and phase2.get("tag", "a/r1/1") is None and phase2.get("repository", "a/r1")


def test_names_that_cannot_be_reached_are_told(site, monkeypatch):
    site.at(IDS[0])
    monkeypatch.setattr(phase2, "REACH_SECONDS", 0.1)
    with pytest.raises(AssertionError, match=r"cannot be reached over the overlay network.*4789/udp"):
        site.steps({"do": "reach", "addresses": [f"127.0.0.1:{free_port()}"]})
