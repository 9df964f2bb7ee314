# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json

import pytest
from api_modules import ModuleFailed, connection, run
from standin_fixture import running

NAME = "ucp_info"
PARTS = {"version", "nodes", "managers", "swarm", "config", "license", "certificates"}
NODES = (
    {"hostname": "m1", "role": "manager", "address": "127.0.0.1"},
    {"hostname": "m2", "role": "manager", "address": "127.0.0.2"},
    {"hostname": "w1", "role": "worker", "address": "10.1.0.2", "state": "down", "message": "heartbeat failure", "availability": "drain",
     "labels": {"zone": "a"}},
)


@pytest.fixture
def standin(tmp_path):
    """Two managers, of which one answers under its address, at the port of the stand-in."""
    with running(tmp_path / "standin", nodes=NODES) as started:
        document = copy.deepcopy(started.ucp.config.document)
        document["cluster_config"]["controller_port"] = started.ports["ucp"]
        started.store.put("config", "toml", document)
        yield started


@pytest.fixture
def info(run_module):
    """info("nodes"): that part; info(): everything."""

    def ask(part=None, **options):
        found = run_module(NAME, **({"gather": [part]} if part else {}), **options)
        return found[part] if part else found

    return ask


def test_everything_is_read_and_nothing_written(standin, info):
    for check in (True, False):
        found = info(check=check)
        assert found["not_readable"] == []
        assert set(found) - PARTS == {"changed", "invocation", "not_readable"}
    assert not standin.writes
    assert not standin.store.all("session")


def test_version_and_swarm(standin, info):
    assert info("version") == {"product": "ucp", "version": "3.2.5", "api_version": "1.40", "engine_version": "19.03.5"}
    swarm = standin.store.get("swarm", "swarm")
    assert info("swarm") == {"id": swarm["ID"], "created_at": swarm["CreatedAt"]}
    assert info("swarm", with_join_tokens=True)["join_tokens"] == {
        "worker": swarm["JoinTokens"]["Worker"], "manager": swarm["JoinTokens"]["Manager"]}


def test_join_tokens_stand_nowhere_else(standin, info):
    assert "SWMTKN" not in json.dumps(info())


def test_nodes(info):
    m1, m2, w1 = info("nodes")
    assert [(node["hostname"], node["role"], node["leader"]) for node in (m1, m2, w1)] == [
        ("m1", "manager", True), ("m2", "manager", False), ("w1", "worker", False)]
    assert (w1["state"], w1["message"], w1["availability"], w1["labels"]["zone"], w1["collection"]) == (
        "down", "heartbeat failure", "drain", "a", "/Shared")


def test_a_manager_that_names_itself_is_found_where_others_see_it(standin, info):
    node = next(node for node in standin.store.all("node") if node["Description"]["Hostname"] == "m1")
    seen_by_others = {**node["ManagerStatus"], "Addr": "192.0.2.7:2377"}
    standin.store.put("node", node["ID"], {**node, "Status": {**node["Status"], "Addr": "0.0.0.0"}, "ManagerStatus": seen_by_others})
    assert info("nodes")[0]["address"] == "192.0.2.7"


def test_health_is_what_each_manager_says(standin, info):
    m1, m2 = info("managers")
    assert (m1["hostname"], m1["healthy"], m1["reason"]) == ("m1", True, "")
    assert (m2["hostname"], m2["healthy"]) == ("m2", False)
    assert "127.0.0.2" in m2["reason"]
    standin.ucp.problem = "rethinkdb has no quorum"
    m1, _m2 = info("managers")
    assert (m1["healthy"], "rethinkdb has no quorum" in m1["reason"]) == (False, True)


def test_configuration_hides_what_is_named_like_a_secret(standin, info):
    document = copy.deepcopy(standin.ucp.config.document)
    document["auth"]["ldap"] = {"reader_password": "s3cret-of-a-user"}
    standin.store.put("config", "toml", document)
    found = info("config")
    assert found["auth"]["ldap"] == {"reader_password": "VALUE_HIDDEN"}
    assert found["cluster_config"]["controller_port"] == standin.ports["ucp"]


def test_no_license_and_one(standin, info):
    assert info("license") is None
    standin.store.put("license", "ucp", {"key_id": "key-1", "private_key": "s3cret-of-a-user", "authorization": "x"})
    assert info("license") == {
        "key_id": "key-1", "expires_at": None, "days_left": None, "tier": None, "max_engines": None, "auto_refresh": True}


def test_certificates(info):
    server, authority = info("certificates")
    assert (server["source"], server["issuer"], authority["source"], authority["subject"]) == ("server", "Stand-in CA", "ca", "Stand-in CA")
    assert "127.0.0.1" in server["names"]
    assert 700 < server["days_left"] < 731


def test_a_user_sees_some_and_is_told_what_not(standin):
    standin.accounts.create({"name": "ann", "password": "s3cret-of-a-user"})
    found = run(NAME, {**connection(standin, NAME), "username": "ann", "password": "s3cret-of-a-user"})
    assert found["version"]["version"] == "3.2.5"
    assert [node["hostname"] for node in found["nodes"]] == ["w1"]
    assert {entry["part"] for entry in found["not_readable"]} == {"managers", "swarm", "config", "license"}
    assert all("403" in entry["reason"] for entry in found["not_readable"])
    assert found["swarm"] is None


def test_unknown_part(info):
    with pytest.raises(ModuleFailed, match="value of gather must be one or more of"):
        info("weather")


def test_failures(fails):
    fails(NAME, gather=["nodes"])
