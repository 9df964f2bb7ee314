# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import pathlib

import pytest
import yaml
from ansible_collections.dockyard.trusted_registry.plugins.filter.dtr_role import FilterModule
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _dtr_role as role

FILTERS = pathlib.Path(__file__).parents[4] / "plugins/filter"
A, B = "a" * 12, "b" * 12


def given(**more):
    """Variables with which nothing is wrong."""
    return {
        "check_mode": False, "version": "2.7.6", "hostname": "dtr.example.com", "external_port": 443, "storage": {}, "log_host": "",
        "log_protocol": "", "tls_source": "self_signed", "tls_certificate_file": "", "tls_key_file": "", "tls_ca_file": "",
        "overlay_subnet": "", "wait_timeout": 900, "ucp_hostname": "ucp.example.com", "ucp_port": 443, "ucp_admin_username": "admin",
        "ucp_admin_password": "sesame", "ucp_ca_path": __file__, "hosts": role.hosts(["dtr-1"], {"dtr-1": {}}), **more}


def info(**more):
    """A result of dtr_cluster_info of one replica that is well."""
    return {
        "message": "1 of 1 replicas are well.",
        "verdict": {"verdict": "nothing", "version": "2.7.6", "healthy": [A], "dead": [], "extra": []},
        "ucp_version": "3.2.5", "ucp_trust": "", "content_trust": False, "admin_scheduling": True,
        "settings": {"dtr_host": "dtr.example.com", "log_level": "INFO", "log_protocol": "internal", "storage_volume": ""},
        "replicas": [{"id": A, "node": "dtr-1", "version": "2.7.6", "address": "192.0.2.1", "http_port": 80, "https_port": 443,
                      "ping": {"state": "healthy", "reason": ""}}], **more}


def declared(**more):
    return {"hostname": "dtr.example.com", "port": 443, "storage": {}, **more}


def test_every_filter_is_documented():
    for name in FilterModule().filters():
        text = yaml.safe_load((FILTERS / f"{name}.yml").read_text(encoding="utf-8"))
        assert text["DOCUMENTATION"]["name"] == name


def test_hosts_take_what_they_set_and_the_usual_values():
    first, second = role.hosts(["dtr-1", "dtr-2"], {"dtr-1": {}, "dtr-2": {"dtr_ucp_node": "n2", "dtr_replica_https_port": "4443"}})
    assert first == {"host": "dtr-1", "node": "dtr-1", "replica_id": "", "http_port": 80, "https_port": 443, "cache_mb": 0}
    assert (second["node"], second["https_port"]) == ("n2", 4443)


def test_nothing_is_wrong_with_good_variables():
    assert role.problems(given()) == []
    assert role.problems(given(ucp_ca_path="/nowhere", check_mode=True)) == []


def several(count, **more):
    names = [f"dtr-{number}" for number in range(1, count + 1)]
    return role.hosts(names, {name: dict(more) for name in names})


@pytest.mark.parametrize(("more", "says"), [
    ({"version": "latest"}, "is no version"),
    ({"hostname": "dtr.example.com:443"}, "is no host name"),
    ({"hostname": "ucp.example.com"}, "is the address of UCP as well"),
    ({"hosts": several(2)}, "2 hosts; a cluster has 1, 3, 5 or 7"),
    ({"hosts": several(3)}, "3 replicas need one store"),
    ({"hosts": several(3, dtr_replica_id=A), "storage": {"volume": "images"}}, "given to another host as well"),
    ({"hosts": several(1, dtr_replica_id="xyz")}, "is no replica id"),
    ({"hosts": several(1, dtr_replica_http_port=443)}, "is its dtr_replica_https_port as well"),
    ({"hosts": several(1, dtr_replica_https_port=70000)}, "is no port"),
    ({"storage": {"s3": {}}}, "give one of volume, nfs and settings"),
    ({"storage": {"volume": "./images"}}, "no name of a volume and no absolute path"),
    ({"storage": {"nfs": {"url": "host:/images"}}}, "nfs has a url"),
    ({"storage": {"nfs": {"url": "nfs://host/images", "opts": "rw"}}}, "nfs has a url"),
    ({"storage": {"settings": {}}}, "settings is a dictionary"),
    ({"log_host": "syslog:514"}, "needs dtr_log_protocol"),
    ({"log_protocol": "tcp"}, "needs dtr_log_host"),
    ({"tls_source": "provided"}, "provided needs"),
    ({"ucp_admin_password": ""}, "ucp_admin_password is missing"),
    ({"ucp_admin_password": "change-me"}, "still the 'change-me'"),
    ({"ucp_ca_path": "/nowhere"}, "there is no file /nowhere"),
    ({"overlay_subnet": "10.1"}, "is no subnet"),
    ({"wait_timeout": -1}, "no number of seconds"),
])
def test_what_is_wrong_is_told_once(more, says):
    found = role.problems(given(**more))
    assert [says in text for text in found].count(True) >= 1, found


@pytest.mark.parametrize(("version", "ucp", "allowed"), [
    ("2.7.6", "3.2.5", True), ("2.8.5", "3.3.7", True), ("2.6.0", "3.1.9", True), ("2.9.1", "3.6.2", True),
    ("2.8.5", "3.2.5", False), ("2.7.6", "3.3.7", False), ("2.10.0", "3.9.0", False),
])
def test_compatibility(version, ucp, allowed):
    assert (role.compatibility(version, ucp, "") == []) == allowed
    assert role.compatibility(version, ucp, f"{version}/{ucp}") == []


def test_upgrade_problems():
    assert role.upgrade_problems(info(ucp_version="3.3.7"), "2.8.5", "") == []
    assert "goes with UCP 3.3" in role.upgrade_problems(info(), "2.8.5", "")[0]
    assert "skips a minor" in role.upgrade_problems(info(ucp_version="3.3.7"), "2.9.1", "")[0]
    assert "signed images" in role.upgrade_problems(info(content_trust=True), "2.7.9", "")[0]
    assert "enable_admin_ucp_scheduling" in role.upgrade_problems(info(admin_scheduling=False), "2.7.9", "")[0]
    dead = {"verdict": "replace", "version": "2.7.6"}
    assert role.upgrade_problems(info(verdict=dead, message="one is dead"), "2.7.9", "") == ["one is dead"]
    assert "no registry to upgrade" in role.upgrade_problems(info(verdict={"verdict": "nothing", "version": ""}), "2.7.9", "")[0]


def test_nothing_differs():
    found = role.drift(info(), declared(log_level="info", log_protocol="internal"), given()["hosts"])
    assert found == {"fields": [], "names": [], "moves_store": [], "replicas": []}


@pytest.mark.parametrize(("more", "field"), [
    ({"port": 4443}, "external_url"),
    ({"log_level": "warn"}, "log_level"),
    ({"http_proxy": "http://proxy:3128"}, "http_proxy"),
    ({"storage": {"volume": "images"}}, "storage_volume"),
    ({"storage": {"nfs": {"url": "nfs://host/images"}}}, "nfs_storage_url"),
])
def test_what_differs(more, field):
    found = role.drift(info(), declared(**more), given()["hosts"])
    assert found["names"] == [field]
    assert found["moves_store"] == ([field] if "storage" in more else [])


def test_what_is_not_declared_does_not_differ():
    now = {"dtr_host": "https://dtr.example.com", "http_proxy": "http://proxy", "log_host": "syslog", "nfs_host": "host",
           "nfs_path": "/images"}
    assert role.drift(info(settings=now), declared(http_proxy=None), given()["hosts"])["fields"] == []
    assert role.drift(info(settings=now), declared(storage={"nfs": {"url": "nfs://host/images"}}), given()["hosts"])["fields"] == []


def test_passwords_of_proxies_are_neither_compared_nor_told():
    now = {"dtr_host": "dtr.example.com", "https_proxy": "http://VALUE_HIDDEN@proxy:3128"}
    assert role.drift(info(settings=now), declared(https_proxy="http://u:secret@proxy:3128"), given()["hosts"])["fields"] == []
    found = role.drift(info(), declared(https_proxy="http://u:secret@proxy:3128"), given()["hosts"])
    assert found["names"] == ["https_proxy"]
    assert "secret" not in str(found)


def test_a_ucp_that_is_not_trusted_and_ports_that_moved():
    hosts = several(1, dtr_replica_https_port=4443)
    found = role.drift(info(ucp_trust="answered 502"), declared(), hosts)
    assert found["names"] == ["ucp_ca"]
    assert found["replicas"] == [{"replica_id": A, "host": "dtr-1", "http_port": 80, "https_port": 4443}]


def test_status_and_table():
    found = role.status(info(), "dtr.example.com")
    assert (found["healthy"], found["members"], found["problems"]) == (1, 1, [])
    lines = role.table(found)
    assert lines[0] == "dtr.example.com 2.7.6: 1 of 1 replicas are well."
    assert lines[2].split() == [A, "dtr-1", "192.0.2.1:443", "2.7.6", "healthy"]
    bad = info(ucp_trust="answered 502", verdict={"verdict": "replace", "version": "2.7.6", "healthy": [A], "dead": [B], "extra": [A]})
    assert len(role.status(bad, "dtr.example.com")["problems"]) == 3


def certified(end):
    return info(replicas=[{**info()["replicas"][0], "certificate_end": end}])


@pytest.mark.parametrize(("end", "says"), [("2027-01-20T12:00:00Z", "ends on 2027-01-20"), ("2026-12-31T12:00:00Z", "ended on 2026-12-31")])
def test_a_certificate_near_its_end_is_told_with_what_to_run(end, says):
    found = role.status(certified(end), "dtr.example.com", 30, datetime.datetime(2027, 1, 1, tzinfo=datetime.timezone.utc))
    assert says in found["problems"][0] and "(dtr-1): run rotate_certificates.yml" in found["problems"][0]
    assert found["problems"][0] in role.table(found)


def test_a_certificate_that_lasts_is_no_problem():
    now = datetime.datetime(2027, 1, 1, tzinfo=datetime.timezone.utc)
    assert role.status(certified("2027-06-01T00:00:00Z"), "dtr.example.com", 30, now)["problems"] == []


def test_ucps_ca_is_told_where_that_is_asked_for():
    assert role.drift(info(), declared(tell_ucp_ca=True), given()["hosts"])["names"] == ["ucp_ca"]


def test_balancers_that_have_a_server():
    servers = {"dtr-1": {"drained": True}, "dtr-2": {"drained": False}}
    results = [{"__dtr_balancer": "lb-1", "backends": {"dtr": {"servers": servers}}}, {"__dtr_balancer": "lb-2", "unreachable": True}]
    for server, drained in (("dtr-1", None), ("dtr-1", True), ("dtr-2", None)):
        assert role.balancers(results, server, drained) == ["lb-1"]
    assert role.balancers(results, "dtr-3") == role.balancers(results, "dtr-2", drained=True) == role.balancers([], "dtr-1") == []
