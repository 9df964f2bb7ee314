# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.modules import dtr_cluster_info
from api_modules import ModuleFailed, connection, run
from standin.answers import Answer
from standin.routing import Route
from standin_fixture import running

NAME = "dtr_cluster_info"
A, B = "0123456789ab", "b" * 12   # the first is the stand-in's own
COMPONENTS = ("api", "garant", "jobrunner", "nginx", "notary-server", "notary-signer", "registry", "rethinkdb", "scanningstore")
NODES = ({"hostname": "m1", "role": "manager", "address": "127.0.0.1"}, {"hostname": "dtr-1", "role": "worker", "address": "127.0.0.1"},
         {"hostname": "dtr-2", "role": "worker", "address": "127.0.0.2"}, {"hostname": "dtr-3", "role": "worker", "address": "127.0.0.3"})


@pytest.fixture
def standin(tmp_path):
    """A UCP that lists what stands in standin.containers and standin.volumes, and one DTR."""
    with running(tmp_path / "standin", nodes=NODES) as started:
        started.containers, started.volumes = [], []
        answer(started, "/containers/json", lambda: started.containers)
        answer(started, "/volumes", lambda: {"Volumes": started.volumes, "Warnings": []})
        yield started


def answer(standin, path, make):
    """UCP answers a GET with what make() returns."""
    routes = standin.fronts["ucp"].routes
    routes.add(Route("GET", path, "admin", lambda standin, call: Answer(200, make()), routes.find("GET", path)[0].operation))


def replica(standin, name, node, port, components=COMPONENTS):
    """A replica in UCP's listings."""
    for component in components:
        ports = [{"PrivatePort": 443, "PublicPort": port, "Type": "tcp"}] if component == "nginx" else []
        standin.containers.append(container(f"/{node}/dtr-{component}-{name}", f"docker/dtr-{component}:2.7.6", ports))
    standin.volumes += [{"Name": f"{node}/dtr-{kind}-{name}", "Driver": "local", "Mountpoint": "", "Labels": {}, "Options": {},
                         "Scope": "local"} for kind in ("ca", "rethink")]


def container(name, image, ports=()):
    return {"Id": "c" * 64, "Names": [name], "Image": image, "State": "running", "Ports": list(ports)}


def hosts(count):
    return [{"host": f"dtr-{number}", "node": f"dtr-{number}"} for number in range(1, count + 1)]


@pytest.fixture
def look(standin):
    """look(count): the module with so many declared hosts."""

    def ask(count=1, **options):
        given = {**connection(standin, NAME), "host": standin.ucp_host, "hostname": standin.dtr_host, "version": "2.7.6",
                 "shared_storage": True, "dtr_ca_path": str(standin.ca_file), "hosts": hosts(count), **options}
        return run(NAME, {name: value for name, value in given.items() if value is not None})

    return ask


@pytest.fixture
def one(standin):
    """The stand-in's replica is there."""
    replica(standin, A, "dtr-1", standin.ports["dtr"])


def test_nothing_is_there(standin, look):
    found = look(3)
    assert (found["verdict"]["verdict"], found["replicas"], found["changed"]) == ("install", [], False)
    assert not standin.writes


def test_a_single_replica_that_is_well(standin, look, one):
    found = look()
    assert (found["verdict"]["verdict"], found["message"]) == ("nothing", "1 of 1 replicas are well.")
    replica = found["replicas"][0]
    assert (replica["id"], replica["node"], replica["version"], replica["https_port"]) == (A, "dtr-1", "2.7.6", standin.ports["dtr"])
    assert (replica["ping"], replica["members"]) == ({"state": "healthy", "reason": ""}, {A: "OK"})
    assert (len(replica["certificate"]), found["ucp_trust"], found["ucp_version"]) == (64, "", "3.2.5")
    assert found["settings"]["dtr_host"] == standin.settings.values["dtrHost"]
    assert "web_tls_key" not in found["settings"]
    assert not standin.writes
    assert not standin.store.all("session")


def test_the_ca_may_come_as_text(standin, look, one):
    text = pathlib.Path(standin.ca_file).read_text(encoding="utf-8")
    assert look(dtr_ca=text, dtr_ca_path=None)["verdict"]["verdict"] == "nothing"


def test_a_certificate_for_another_name_is_not_trusted(standin, look, one):
    found = look(hostname="dtr.example.com")
    assert found["replicas"][0]["ping"]["state"] == "untrusted"
    assert found["verdict"]["verdict"] == "refuse"


def test_without_a_ca_nobody_gets_the_password(standin, look, one):
    found = look(dtr_ca_path=None)
    assert (found["replicas"][0]["ping"]["state"], found["replicas"][0]["members"], found["settings"]) == ("healthy", None, None)
    assert "dtr_ca_path" in found["message"]


def test_a_replica_that_is_not_well_says_why(standin, look, one):
    standin.misc.problem = "rethinkdb"
    assert look()["verdict"]["verdict"] == "wait"
    found = look(waited=True)
    assert found["replicas"][0]["ping"] == {"state": "unhealthy", "reason": "rethinkdb"}
    assert found["verdict"]["verdict"] == "refuse"


def test_it_is_waited_for(standin, look, one, monkeypatch):
    standin.misc.problem = "registry"

    def sleep(seconds):
        standin.misc.problem = ""

    monkeypatch.setattr(dtr_cluster_info.time, "sleep", sleep)
    assert look(wait_timeout=60)["verdict"]["verdict"] == "nothing"


def test_who_replaces_does_not_wait_for_the_dead(standin, look, one):
    replica(standin, B, "dtr-2", 9)
    assert look(3)["verdict"]["verdict"] == "wait"
    assert look(3, wait_for="any", wait_timeout=900)["verdict"]["verdict"] == "replace"


def test_the_wait_ends(standin, look, one, monkeypatch):
    standin.misc.problem = "registry"
    monkeypatch.setattr(dtr_cluster_info, "PAUSE", 0.1)
    assert look(wait_timeout=1)["verdict"]["verdict"] == "refuse"


def test_a_replica_that_does_not_answer_is_silent(standin, look, one):
    replica(standin, B, "dtr-2", 9)
    found = look(3)
    silent = found["replicas"][1]
    assert (silent["id"], silent["ping"]["state"]) == (B, "silent")
    assert "127.0.0.2:9" in silent["ping"]["reason"]


def test_a_half_made_replica_is_not_asked(standin, look, one):
    replica(standin, B, "dtr-2", 9, components=["rethinkdb"])
    found = look(3)
    assert (found["verdict"]["verdict"], found["verdict"]["remove"], found["verdict"]["existing"]) == ("join", [B], A)
    assert [host["node"] for host in found["verdict"]["join"]] == ["dtr-2", "dtr-3"]


def test_an_installer_at_work(standin, look):
    standin.containers.append(container("/dtr-1/dtr-phase2", "docker/dtr:2.7.6"))
    found = look()
    assert (found["busy"], found["verdict"]["verdict"]) == (["dtr-1/dtr-phase2"], "wait")


def test_repositories(standin, dtr, look, one):
    dtr("POST", "/api/v0/repositories/admin", 201, json={"name": "probe", "visibility": "private"})
    assert look(with_repositories=True)["repositories"] == ["admin/probe"]
    assert look()["repositories"] is None


def test_removal(standin, look, one):
    assert "no healthy replica would stay" in look(remove=[A])["removal"]["errors"][0]


def test_a_token_does_not_do(standin, look):
    with pytest.raises(ModuleFailed, match="username and password are needed"):
        look(token="t", password=None)


def test_failures(standin, fails, look):
    fails(NAME, **{"host": standin.ucp_host, "hostname": "dtr", "hosts": hosts(1)})
