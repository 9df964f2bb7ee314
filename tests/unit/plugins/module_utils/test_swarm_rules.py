# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _swarm_rules as rules
from fake_docker import node

# A CA and the digest that a real engine put into the tokens of its swarm.
TOKEN = "SWMTKN-1-38uopd6xj3hi4yrcmwf2y70l7t4g7s93ncv1k2lsqi6a6ltg1w-8gfjsc5mqdu7m5ty5vrmtlh7l"
CA = b"""-----BEGIN CERTIFICATE-----
MIIBajCCARCgAwIBAgIUG1eUvoaeSuFaJWXBRkPhpRPg0g4wCgYIKoZIzj0EAwIw
EzERMA8GA1UEAxMIc3dhcm0tY2EwHhcNMjYxMTIzMTQ1NDAwWhcNNDYxMTE4MTQ1
NDAwWjATMREwDwYDVQQDEwhzd2FybS1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABJg6ioNL/nkNX6/dzvOIlcOfuq3Dtx4dAKnxGA/UUoBlxXgEUBjzL0BZd2kl
gqAFy8sepvMwZYo4Ej0VAE2nG7qjQjBAMA4GA1UdDwEB/wQEAwIBBjAPBgNVHRMB
Af8EBTADAQH/MB0GA1UdDgQWBBQOKzUZOg8Jum6Ez4dMhua3SiOaejAKBggqhkjO
PQQDAgNIADBFAiEA7smEQhq+BFqFGu8xjGUXJHB+Vr6ZKj8D9UWuI1aAeakCIEwi
ER33SBEZjzIGCj84ihEqH8R91b624PCWL9gQfBGs
-----END CERTIFICATE-----
"""
ALL_WELL = [node("a"), node("b"), node("c"), node("w", "worker")]


def test_a_token_names_the_authority_of_its_swarm():
    assert rules.authority_of(TOKEN) == rules.authority_digest(CA)
    assert rules.authority_of(TOKEN) != rules.authority_digest(CA + b"\n")


@pytest.mark.parametrize("token", [None, "", "SWMTKN-1-short", "{{ token }}"])
def test_what_is_no_token_is_told(token):
    with pytest.raises(rules.SwarmError, match="join_token: this is no join token"):
        rules.authority_of(token)


def managers(*reachable):
    return [node(name, reachability="reachable" if well else "unreachable", state="ready" if well else "down")
            for name, well in zip("abcde", reachable)]


@pytest.mark.parametrize(("nodes", "refusal"), [
    (managers(True), "last manager"),
    (managers(True, True), ""),
    (managers(True, True, True), ""),
    (managers(False, True, True), ""),           # the dead one goes
    (managers(True, False, True), "without a, 1 of 2 managers would be reachable"),
    (managers(True, True, True, True, False), "a is well while e is not"),
    (managers(False, True, True, True, False), ""),
    (managers(False, True, True, False, False), "2 of 4 managers"),
    (managers(False, True, False), "1 of 2 managers"),
])
def test_quorum(nodes, refusal):
    if refusal:
        with pytest.raises(rules.SwarmError, match=refusal):
            rules.refuse_loss_of_quorum(nodes, nodes[0])
    else:
        rules.refuse_loss_of_quorum(nodes, nodes[0])


def test_nodes_are_found_by_id_and_name():
    assert rules.find_node(ALL_WELL, "b")["ID"] == rules.find_node(ALL_WELL, "id-b")["ID"] == "id-b"
    assert rules.find_node(ALL_WELL, "x") is None
    twins = [{**node("w", "worker", "down"), "ID": "old"}, node("w", "worker")]
    assert rules.find_node(twins, "w", gone=True)["ID"] == "old"
    with pytest.raises(rules.SwarmError, match=r"2 nodes named w \(old, id-w\)"):
        rules.find_node(twins, "w")


def test_a_specification_keeps_what_is_not_named():
    spec = {"Role": "worker", "Availability": "active", "Labels": {"keep": "1", "drop": "2"}, "Name": "x"}
    assert rules.changed_spec(spec, labels={"drop": None, "port": 80}) == {**spec, "Labels": {"keep": "1", "port": "80"}}
    assert rules.changed_spec(spec, "manager", "drain") == {**spec, "Role": "manager", "Availability": "drain"}
    with pytest.raises(rules.SwarmError, match=r"com\.docker\.ucp\.collection\.root belongs to UCP"):
        rules.changed_spec(spec, labels={"com.docker.ucp.collection.root": "true"})


@pytest.mark.parametrize(("text", "advice"), [
    ("rpc error: code = 4 desc = context deadline exceeded", "majority of its managers"),
    ("The swarm does not have a leader.", "majority of its managers"),
    ("Swarm is encrypted and needs to be unlocked", "docker swarm unlock"),
    ("something else", "something else"),
])
def test_advice(text, advice):
    assert advice in rules.advice(text)
