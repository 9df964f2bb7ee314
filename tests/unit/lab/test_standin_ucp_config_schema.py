# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import re

import pytest
from standin import ucp_config_schema as schema


def changed(path, value):
    """The initial configuration with one value changed; None takes it away."""
    document = copy.deepcopy(schema.initial())
    *sections, name = path.split(".")
    table = document
    for section in sections:
        table = table.setdefault(section, {})
    if value is None:
        del table[name]
    else:
        table[name] = value
    return document


def test_what_a_new_ucp_has_is_valid_and_comes_through_toml():
    assert schema.parse(schema.dump(schema.initial())) == (schema.initial(), [])


def test_lists_of_sections_and_deep_sections_come_through_toml():
    document = schema.initial()
    document["registries"] = [
        {"host_address": "dtr.example.com", "service_id": "abc", "ca_bundle": "-----BEGIN\n\"quoted\" \\ back\n"},
        {"host_address": "b", "service_id": "c"},
    ]
    document["custom_api_server_headers"] = [{"name": "X-Frame", "value": "DENY"}]
    document["user_workload_defaults"] = {"swarm_defaults": {"tasktemplate": {"restartpolicy": {"delay": {"value": "5s"}}}}}
    document["pre_logon_message"] = "Grüße,\ttab"
    assert schema.parse(schema.dump(document)) == (document, [])


@pytest.mark.parametrize(("path", "value", "says"), [
    ("cluster_config", None, "section cluster_config is missing"),
    ("cluster_config.dns", None, "cluster_config.dns is missing"),
    ("cluster_config.controller_port", "443", "cluster_config.controller_port must be a whole number"),
    ("cluster_config.controller_port", True, "cluster_config.controller_port must be a whole number"),
    ("cluster_config.dns", ["8.8.8.8", 8], "cluster_config.dns must be a list of strings"),
    ("cluster_config.swarm_strategy", "anywhere", "cluster_config.swarm_strategy must be one of 'spread', 'binpack', 'random'"),
    ("cluster_config.secure_overlay", True, "unknown key cluster_config.secure_overlay"),
    ("clusterconfig", {}, "unknown section clusterconfig"),
    ("prelogon", "x", "unknown key prelogon"),
    ("auth", "managed", "auth must be a section"),
    ("auth.backend", "saml", "auth.backend must be one of 'managed', 'ldap'"),
    ("auth.sessions.lifetime_minutes", 9, "auth.sessions.lifetime_minutes must be 10 or more"),
    ("auth.sessions.renewal_threshold_minutes", 56, "auth.sessions.renewal_threshold_minutes must be between 0 and lifetime_minutes - 5"),
    ("registries", {"host_address": "x"}, r"registries must be written as [[registries]]"),
    ("registries", [{"host_address": "x"}], "registries[0].service_id is missing"),
    ("registries", [{"host_address": "x", "service_id": "y", "port": 1}], "unknown key registries[0].port"),
    ("custom_api_server_headers", [{"name": "x", "value": 1}], "custom_api_server_headers[0].value must be a string"),
])
def test_what_is_refused(path, value, says):
    found = schema.problems(changed(path, value))
    assert any(re.fullmatch(re.escape(says), problem) for problem in found), found


def test_text_that_is_no_toml():
    document, problems = schema.parse("a = = 1")
    assert document == {}
    assert problems[0].startswith("not TOML: ")
