# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a balancer listens on, from an inventory, and what is wrong with what an operator says."""

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._load_balancer import (
    frontends,
    plan,
    reached_at,
    shared_problems,
)

PORTS = {
    "ucp_port": 8443,
    "ucp_kube_port": 0,
    "ucp_address": "",
    "dtr_port": 443,
    "dtr_http_port": 0,
    "dtr_address": "",
    "distribution_port": 5000,
    "distribution_address": "",
}
OPTIONS = {
    "check_type": "http",
    "verify": True,
    "ca_file": "/ca.pem",
    "idle_timeout": 3600,
    "virtual_addresses": [],
    "router_id": 84,
    "password": "",
    "host_count": 2,
}
DTR = {"name": "dtr", "port": 443, "servers": [{"name": "dtr-1", "address": "192.0.2.1", "port": 443}]}


def made(groups, hostvars=None, **ports):
    hosts = {host: (hostvars or {}).get(host, {}) for members in groups.values() for host in members}
    return frontends(groups, hosts, dict(PORTS, **ports))


def errors(*declared, **options):
    return plan(list(declared or [DTR]), dict(OPTIONS, **options))["errors"]


def test_each_product_of_the_inventory_gets_a_frontend():
    found = made({"ucp_managers": ["ucp-1"], "dtr_replicas": ["dtr-1", "dtr-2"], "registries": ["registry-1"], "ucp_workers": ["w"]})
    assert [(entry["name"], entry["port"], [server["name"] for server in entry["servers"]]) for entry in found] == [
        ("ucp", 8443, ["ucp-1"]),
        ("dtr", 443, ["dtr-1", "dtr-2"]),
        ("distribution", 5000, ["registry-1"]),
    ]
    assert found[2]["check"] == {"path": "/v2/", "name": "registry-1", "statuses": [200, 401], "tls": True}
    assert made({"registry_clients": ["client-1"]}) == []


def test_a_hosts_own_variables_count():
    variables = {
        "dtr-1": {"dtr_replica_https_port": 4443, "dtr_hostname": "dtr.example.com", "ucp_host_address": "192.0.2.21"},
        "dtr-2": {"load_balancer_server_address": "192.0.2.22", "ucp_host_address": "10.0.0.1"},
    }
    dtr, http = made({"dtr_replicas": ["dtr-1", "dtr-2"]}, variables, dtr_http_port=80, dtr_address="192.0.2.10")
    assert dtr["servers"] == [
        {"name": "dtr-1", "address": "192.0.2.21", "port": 4443},
        {"name": "dtr-2", "address": "192.0.2.22", "port": 443},
    ]
    assert dtr["addresses"] == ["192.0.2.10"] and dtr["check"]["name"] == "dtr.example.com"
    # The redirect says nothing about health: the check asks the same replica over TLS.
    assert http["servers"][0] == {"name": "dtr-1", "address": "192.0.2.21", "port": 80, "check_port": 4443}


def test_the_kubernetes_api_is_judged_by_the_controller():
    kube = made({"ucp_managers": ["ucp-1"]}, {"ucp-1": {"ucp_controller_port": 8443}}, ucp_kube_port=6443)[1]
    assert kube["servers"] == [{"name": "ucp-1", "address": "ucp-1", "port": 6443, "check_port": 8443}]


@pytest.mark.parametrize(
    "variables, address",
    [
        ({}, "one"),
        ({"ansible_host": "192.0.2.9"}, "192.0.2.9"),
        ({"ansible_host": "container", "ansible_connection": "community.docker.docker"}, "one"),
        ({"ansible_host": "192.0.2.9", "ucp_host_address": "10.0.0.1"}, "10.0.0.1"),
    ],
    ids=["nothing said", "SSH", "a container's name", "the cluster's address"],
)
def test_where_a_host_is_reached(variables, address):
    assert reached_at("one", variables) == address


def test_plain_http_is_asked_over_plain_http():
    found = made({"registries": ["one"]}, {"one": {"distribution_tls_source": "disabled_insecure"}})
    assert found[0]["check"]["tls"] is False
    assert errors(*found, ca_file="") == []


@pytest.mark.parametrize(
    "one, two, message",
    [
        ({}, {}, "different names (a, b)"),
        ({"distribution_hostname": "r"}, {"distribution_hostname": "r"}, "a, b keep images each on a disk"),
        ({"distribution_hostname": "r"}, {"distribution_hostname": "r", "distribution_shared_store": True}, "a keep images"),
        (
            {"distribution_hostname": "r", "distribution_storage": {"s3": {}}},
            {"distribution_hostname": "r", "distribution_storage": {"s3": {}}},
            "",
        ),
    ],
    ids=["two names", "two disks", "one disk", "one store"],
)
def test_registries_must_share_a_name_and_a_store(one, two, message):
    found = shared_problems({"registries": ["a", "b"]}, {"a": one, "b": two})
    assert (message in found[0]) if message else found == []
    assert shared_problems({"registries": ["a"]}, {"a": {}}) == []


def test_what_is_not_said_is_filled_in():
    found = plan([dict(DTR, check={"name": "dtr.example.com", "ca_file": "/other.pem", "path": None})], OPTIONS)
    assert found["errors"] == found["warnings"] == []
    assert found["frontends"][0]["check"] == {
        "type": "http",
        "path": "/_ping",
        "name": "dtr.example.com",
        "statuses": [200],
        "tls": True,
        "ca_file": "/other.pem",
    }


def test_unverified_checks_are_a_choice_that_is_told_each_time():
    assert "name its file, or set load_balancer_check_verify to false" in errors(ca_file="")[0]
    found = plan([DTR], dict(OPTIONS, ca_file="/ca.pem", verify=False))
    assert found["errors"] == [] and "checks believe any certificate" in found["warnings"][0]
    assert found["frontends"][0]["check"]["ca_file"] == ""


def test_checks_of_open_ports_hold_for_all_and_are_told():
    found = plan([dict(DTR, check={"type": "http"})], dict(OPTIONS, check_type="tcp", ca_file=""))
    assert found["errors"] == [] and found["frontends"][0]["check"]["type"] == "tcp" and "go back to http" in found["warnings"][0]


@pytest.mark.parametrize(
    "first, second, clash",
    [
        ([], [], True),
        (["192.0.2.1"], ["192.0.2.2"], False),
        (["192.0.2.1"], ["192.0.2.2", "192.0.2.1"], True),
        (["192.0.2.1"], [], True),
        (["0.0.0.0"], ["192.0.2.1"], True),
    ],
)
def test_two_frontends_on_one_port_need_two_addresses(first, second, clash):
    found = errors(dict(DTR, addresses=first), dict(DTR, name="ucp", addresses=second))
    assert bool(found) == clash and all("dtr and ucp both want" in text for text in found)
    assert errors(dict(DTR, addresses=first), dict(DTR, name="ucp", addresses=second, port=8443)) == []


def test_addresses_are_numbers_and_names_are_names():
    assert (
        errors(
            dict(DTR, servers=[{"name": "a", "address": "fd00::1", "port": 1}, {"name": "b", "address": "b.example.com", "port": 65535}])
        )
        == []
    )
    for wrong in ("192.0.2.256", "https://b", "b:443", "", "a b"):
        assert "neither a host name nor an address" in errors(dict(DTR, servers=[{"name": "a", "address": wrong, "port": 1}]))[0]
    for wrong in (0, 65536, True, "https"):
        assert "is not a port" in errors(dict(DTR, port=wrong))[0]


def test_virtual_addresses_want_a_password_and_a_second_host():
    pair = {"virtual_addresses": ["192.0.2.10/24"], "password": "sesame42"}
    assert errors(**pair) == []
    assert "exactly 8 letters" in errors(**{**pair, "password": "sesame"})[0]
    assert "prefix length" in errors(**{**pair, "virtual_addresses": ["192.0.2.10"]})[0]
    assert "moves nowhere" in plan([DTR], dict(OPTIONS, host_count=1, **pair))["warnings"][0]
