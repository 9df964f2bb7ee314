# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_rules import (
    covering_network,
    problems,
    registry_of,
    resolved_conflicts,
    warnings,
)


def found(entry, networks=(), dialects=("docker",)):
    return "\n".join(problems([entry], list(networks), list(dialects)))


REFUSED = [
    ({"host": "https://r.example.com"}, "contains a scheme; write the bare name: r.example.com"),
    ({"host": "r.example.com/app"}, "contains a path; write the bare name: r.example.com"),
    ({"host": "r.example.com:5000"}, "contains a port; move it"),
    ({"host": ""}, "has no host"),
    ({"host": "r_1.example.com"}, "neither a DNS name nor an IP address"),
    ({"host": "10.0.0.256", "port": 5000}, "neither a DNS name nor an IP address"),
    ({"host": "r.example.com", "port": 0}, "out of range"),
    ({"host": "r.example.com", "port": 70000}, "out of range"),
    ({"host": "r.example.com", "port": "five"}, "is not a number"),
    ({"host": "registry", "ca": "x"}, "neither a dot nor a port"),
    ({"host": "r.example.com", "client_certificate": "x"}, "client_key is missing"),
    ({"host": "r.example.com", "client_key": "x"}, "client_certificate is missing"),
    ({"host": "r.example.com", "insecure": True, "client_certificate": "x", "client_key": "y"}, "never sent"),
    ({"host": "r.example.com", "insecure": "yes", "ca": "x"}, "never read for an insecure registry"),
    ({"host": "r.example.com", "insecure": True, "mirror_of": ["docker.io"]}, "insecure and a mirror"),
    ({"host": "r.example.com", "mirror_of": ["quay.io"]}, "mirrors of docker.io only"),
    ({"host": "r.example.com", "mirror_of": ["registry-1.docker.io"]}, "write docker.io"),
    ({"host": "r.example.com", "mirror_of": ["https://docker.io"]}, "contains a scheme"),
    ({"host": "r.example.com", "port": 5000, "mirror_of": ["r.example.com:5000"]}, "cannot mirror itself"),
    ({"host": "r.example.com"}, "has no effect for the dialects docker"),
    ({"host": "localhost", "port": 5000, "client_certificate": "x", "client_key": "y"}, "loopback"),
    ({"host": "::1", "port": 5000, "client_certificate": "x", "client_key": "y"}, "loopback"),
]


@pytest.mark.parametrize("entry, message", REFUSED)
def test_refused_with_the_place_and_the_remedy(entry, message):
    text = found(entry)
    assert message in text
    assert text.startswith("registries[0]")


@pytest.mark.parametrize(
    "entry",
    [
        {"host": "r.example.com", "ca": "x"},
        {"host": "registry", "port": "5000", "insecure": "true"},
        {"host": "fd00::1", "port": 5000, "ca": "x"},
        {"host": "[fd00::1]", "port": 5000, "ca": "x"},
        {"host": "localhost", "insecure": True},
        {"host": "r.example.com", "mirror_of": "docker.io"},
        {"host": "r.example.com", "state": "absent"},
    ],
)
def test_accepted(entry):
    assert found(entry) == ""


def test_duplicates_are_found_whatever_the_case_and_the_state():
    text = "\n".join(problems([{"host": "R.example.com", "ca": "x"}, {"host": "r.example.com", "state": "absent"}], [], ["docker"]))
    assert text.startswith("registries[1] (r.example.com): is declared a second time (first in registries[0] (R.example.com))")


@pytest.mark.parametrize(
    "network, message",
    [
        ("10.20.0.1/16", "has host bits set; write 10.20.0.0/16"),
        ("10.20.0.1", "no prefix length"),
        ("r.example.com/16", "not a CIDR"),
        ("0.0.0.0/0", "covers every registry"),
        ("::/0", "covers every registry"),
    ],
)
def test_refused_networks(network, message):
    assert message in "\n".join(problems([], [network], ["docker"]))


def test_networks_need_the_docker_dialect():
    assert "Docker engine only" in "\n".join(problems([], ["10.0.0.0/8"], ["containers"]))


def test_an_address_inside_an_insecure_network_cannot_have_certificates():
    assert "insecure network 10.0.0.0/8" in found({"host": "10.1.2.3", "port": 5000, "ca": "x"}, ["10.0.0.0/8"])
    assert found({"host": "10.1.2.3", "port": 5000, "ca": "x"}, ["192.168.0.0/16", "fd00::/8"]) == ""


def test_a_name_inside_an_insecure_network_is_an_error_with_client_certificates_and_a_warning_with_a_ca():
    def resolve(host):
        return ["fe80::1", "10.1.2.3"]

    mutual = registry_of({"host": "r.example.com", "client_certificate": "x", "client_key": "y"})
    errors, warned = resolved_conflicts([mutual, registry_of({"host": "s.example.com", "ca": "x"})], ["10.0.0.0/8"], resolve)
    assert "r.example.com resolves to 10.1.2.3 in the insecure network 10.0.0.0/8" in errors[0]
    assert "s.example.com" in warned[0]


def test_names_are_not_resolved_without_need():
    def resolve(host):
        raise AssertionError(host)

    registries = [registry_of({"host": "r.example.com", "insecure": True}), registry_of({"host": "s.example.com", "state": "absent"})]
    assert resolved_conflicts(registries, ["10.0.0.0/8"], resolve) == ([], [])
    assert resolved_conflicts([registry_of({"host": "r.example.com", "ca": "x"})], [], resolve) == ([], [])


def test_covering_network_compares_only_the_same_family():
    assert covering_network(["fd00::5"], ["10.0.0.0/8"]) is None
    assert covering_network(["fd00::5"], ["10.0.0.0/8", "fd00::/8"]) == ("fd00::5", "fd00::/8")


def test_unverified_registries_are_named_at_every_run():
    text = "\n".join(warnings([registry_of({"host": "r.example.com", "port": 5000, "insecure": True})], ["10.0.0.0/8"], ["docker"]))
    assert "TLS is not verified" in text and "r.example.com:5000, 10.0.0.0/8" in text


def test_mirrors_the_engine_ignores_are_named():
    registry = registry_of({"host": "m.example.com", "mirror_of": ["docker.io", "quay.io"]})
    assert "mirror of quay.io for the other dialects only" in warnings([registry], [], ["docker", "containerd"])[0]
    assert warnings([registry], [], ["containers"]) == []


def test_the_name_is_what_stands_in_an_image_reference():
    assert registry_of({"host": "fd00::1", "port": 5000}).name == "[fd00::1]:5000"
    assert registry_of({"host": "r.example.com"}).name == "r.example.com"
