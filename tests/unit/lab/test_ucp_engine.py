# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from types import SimpleNamespace

import pytest
from standin.engine import engines as engines_module
from standin.engine.engines import Engines
from standin.engine.extension import EngineRoutes
from standin.engine.registration import Registrations, _packed
from standin.engine.swarm import RealSwarm
from standin.errors import Refused
from standin.routing import Route, Routes


def node(identity, name, role="worker", *, state="ready", availability="active", labels=None):
    return identity, {
        "ID": identity, "Spec": {"Role": role, "Availability": availability, "Labels": labels or {}},
        "Description": {"Hostname": name}, "Status": {"State": state, "Addr": f"10.0.0.{identity[-1]}", "Message": ""},
    }


class Nodes:
    """Nodes whose engines answer from a table: (node, path) -> answer or `Refused`."""

    def __init__(self, *nodes, answers=None):
        self.all = dict(nodes)
        self.reachable = {identity for identity, document in self.all.items() if document["Status"]["State"] == "ready"}
        self.answers, self.asked = answers or {}, []

    def name(self, identity):
        return self.all[identity]["Description"]["Hostname"]

    def by_name(self, name):
        return next((identity for identity in self.all if name in (identity, self.name(identity))), None)

    async def look(self):
        pass

    async def ask(self, identity, verb, path, body=None, *, query=None, timeout=None):
        self.asked.append((identity, verb, path, query))
        answer = self.answers.get((identity, path), Refused(404, "X", "no such thing"))
        if isinstance(answer, Refused):
            raise answer
        return answer

    async def ask_all(self, path, *, query=None, only=None):
        found = []
        for identity in sorted(self.reachable):
            if only in (None, self.name(identity)) and not isinstance(self.answers.get((identity, path), Refused(404, "", "")), Refused):
                found.append((identity, self.answers[identity, path]))
        return found


def site(*nodes, answers=None, allowed=False):
    found = Nodes(*nodes, answers=answers)
    config = SimpleNamespace(document={"scheduling_configuration": {"enable_admin_ucp_scheduling": allowed}})
    ucp = SimpleNamespace(config=config, standin=None)
    standin = SimpleNamespace(ucp=ucp, store=None, options=SimpleNamespace(ucp_version="3.2.5"), replicas=dict)
    ucp.standin = standin
    ucp.swarm = RealSwarm(ucp, found)
    return Engines(standin, found), found


THREE = (node("n1", "ucp-1", "manager"), node("n2", "dtr-1"), node("n3", "dtr-2"))


def place(engines, *constraints):
    return asyncio.run(engines._place(list(constraints)))


def test_containers_go_to_workers_alone_unless_administrators_may():
    engines, _nodes = site(*THREE)
    assert {place(engines) for _try in range(40)} == {"n2", "n3"}
    assert place(engines, ("node", "==", "dtr-2")) == "n3" and place(engines, ("node", "==", "n3")) == "n3"
    with pytest.raises(Refused, match="could not find any nodes on which the container could be created"):
        place(engines, ("node", "==", "ucp-1"))
    engines.standin.ucp.swarm.dtr_nodes.add("n3")
    with pytest.raises(Refused, match="could not find any nodes"):
        place(engines, ("node", "==", "dtr-2"))
    allowed, _nodes = site(*THREE, allowed=True)
    allowed.standin.ucp.swarm.dtr_nodes.add("n3")
    assert place(allowed, ("node", "==", "ucp-1")) == "n1" and place(allowed, ("node", "==", "dtr-2")) == "n3"


def test_nodes_that_are_down_or_drained_get_nothing():
    engines, _nodes = site(node("n1", "a", state="down"), node("n2", "b", availability="drain"), node("n3", "c", labels={"disk": "ssd"}))
    assert place(engines) == "n3" and place(engines, ("disk", "==", "ssd")) == "n3"
    with pytest.raises(Refused, match="could not find any nodes"):
        place(engines, ("disk", "!=", "ssd"))


def test_constraints_are_taken_out_of_the_environment():
    found, rest = engines_module._constraints(["A=1", "constraint:node==dtr-1", "constraint:disk!=ssd"])
    assert (found, rest) == ([("node", "==", "dtr-1"), ("disk", "!=", "ssd")], ["A=1"])
    with pytest.raises(Refused, match="constraint:NAME==VALUE"):
        engines_module._constraints(["affinity:container==x"])


def test_containers_are_listed_with_their_nodes_and_one_node_can_be_asked_for():
    entry = {"Id": "c1", "Names": ["/dtr-api-1"], "Created": 5}
    answers = {("n2", "/containers/json"): [entry], ("n3", "/containers/json"): [{**entry, "Id": "c2", "Created": 9}]}
    engines, nodes = site(*THREE, answers=answers)
    listed = asyncio.run(engines._list_containers({"all": "1"}))
    assert [container["Names"] for container in listed] == [["/dtr-2/dtr-api-1"], ["/dtr-1/dtr-api-1"]]
    only = asyncio.run(engines._list_containers({"filters": json.dumps({"node": ["dtr-1"]})}))
    assert [container["Node"]["Name"] for container in only] == ["dtr-1"]
    nodes.reachable = {"n1", "n3"}
    assert [container["Id"] for container in asyncio.run(engines._list_containers({}))] == ["c2"]


def test_containers_are_found_by_node_and_name_by_id_and_by_a_name_of_their_own():
    engines, nodes = site(*THREE, answers={
        ("n2", "/containers/one/json"): {"Id": "c1"},
        ("n2", "/containers/both/json"): {"Id": "c2"}, ("n3", "/containers/both/json"): {"Id": "c3"},
    })

    def find(ref):
        return asyncio.run(engines._find(ref))

    assert find("dtr-1/anything") == ("n2", "anything") and find("one") == ("n2", "one")
    for ref, message in (("both", "name it NODE/both"), ("none", "No such container: none"), ("nowhere/x", "No such container: nowhere/x")):
        with pytest.raises(Refused, match=message):
            find(ref)
    nodes.reachable.discard("n2")
    with pytest.raises(Refused, match="node dtr-1 cannot be reached"):
        find("dtr-1/anything")


@pytest.mark.parametrize("path, ref, action", [
    ("/containers/dtr-1/dtr-api-0123/json", "dtr-1/dtr-api-0123", "json"), ("/containers/abc/wait", "abc", "wait"),
    ("/containers/dtr-1/x/archive", "dtr-1/x", "archive"),
])
def test_paths_of_containers_hold_nodes(path, ref, action):
    match = engines_module.OF_CONTAINER.fullmatch(path)
    assert (match["ref"], match["action"]) == (ref, action)


def test_volumes_carry_their_node_and_are_removed_where_they_are():
    volume = {"Name": "dtr-ca-1"}
    answers = {(one, path): volume for one in ("n2", "n3") for path in ("/volumes/dtr-ca-1", "/volumes/create")}
    engines, nodes = site(*THREE, answers=answers)
    assert asyncio.run(engines._make_volume({"Name": "dtr-2/dtr-ca-1"})) == {"Name": "dtr-2/dtr-ca-1"}
    assert [asked[0] for asked in nodes.asked] == ["n3"]
    assert [holder for holder, _volume in asyncio.run(engines._holders("dtr-1/dtr-ca-1"))] == ["n2"]
    assert len(asyncio.run(engines._holders("dtr-ca-1"))) == 2
    with pytest.raises(Refused, match="no such volume"):
        asyncio.run(engines._holders("dtr-1/other"))


def test_requests_below_a_version_find_the_engine_and_ucps_own_routes():
    routes = Routes()
    routes.add(Route("GET", "/nodes", "user", None))
    both = EngineRoutes(routes, None)
    assert both.find("GET", "/v1.40/nodes")[0].path == "/nodes"
    for path in ("/containers/json", "/v1.24/containers/json"):
        route, _values, exists = both.find("GET", path)
        assert exists and route.auth == "admin" and route.path == "/containers/json"
    assert both.find("GET", "/v2/x")[2] is False


def test_nodes_say_how_they_are():
    engines, nodes = site(*THREE, node("n4", "dtr-3", state="down"))
    nodes.reachable.discard("n3")
    nodes.all["n4"]["Status"]["Message"] = "heartbeat failure"
    swarm = engines.standin.ucp.swarm
    swarm.standin.replicas = lambda: {"n1": {"health": "OK"}}
    shown = {entry["node"]["ID"]: (entry["node"]["Status"]["Message"], entry["collection"]) for entry in swarm.nodes()}
    assert shown == {
        "n1": ("Healthy UCP manager", "/System"), "n2": ("Healthy UCP worker", "/Shared"),
        "n3": ("[Pending] Completing node registration", "/Shared"), "n4": ("heartbeat failure", "/Shared"),
    }
    swarm.dtr_nodes.add("n2")
    swarm.standin.replicas = lambda: {"n1": {"health": "Replica reported health too long ago: then"}}
    shown = {entry["node"]["ID"]: (entry["node"]["Status"]["Message"], entry["collection"]) for entry in swarm.nodes()}
    assert shown["n1"][0].startswith("Unhealthy UCP Controller") and shown["n2"][1] == "/System"


class Config:
    def __init__(self):
        self.document = {"registries": []}

    def add_registry(self, host, ca):
        others = [entry for entry in self.document["registries"] if entry["host_address"] != host]
        self.document = {"registries": [*others, {"host_address": host, "service_id": f"id of {host}", "ca_bundle": ca}]}

    def replace(self, document):
        self.document = document


def test_a_registration_is_an_entry_of_the_configuration(monkeypatch):
    config = Config()
    registrations = Registrations(SimpleNamespace(ucp=SimpleNamespace(config=config)), Nodes(*THREE))
    monkeypatch.setattr(registrations, "_access", lambda host: {"for": host})
    added = registrations.add({"host": "dtr.example.com", "ca": "CA"})
    assert added == {"service_id": "id of dtr.example.com", "store": {"for": "dtr.example.com"}}
    registrations.add({"host": "new.example.com:8443", "ca": "CA", "former": "dtr.example.com"})
    assert list(registrations.entries()) == ["new.example.com:8443"]
    registrations.remove("new.example.com:8443")
    assert not registrations.entries()
    for action in (lambda: registrations.remove("new.example.com:8443"), lambda: registrations.add({"host": "https://x/", "ca": ""})):
        with pytest.raises(Refused):
            action()


def test_authorities_come_in_the_folder_that_engines_look_in():
    with tarfile.open(fileobj=io.BytesIO(_packed({"dtr.example.com:8443": "CA"}))) as archive:
        assert archive.getnames() == ["certs.d", "certs.d/dtr.example.com:8443", "certs.d/dtr.example.com:8443/ca.crt"]
        assert archive.extractfile("certs.d/dtr.example.com:8443/ca.crt").read() == b"CA"
