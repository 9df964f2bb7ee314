# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
import tomlkit
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_config as toml
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

TEXT = """\
# kept
pre_logon_message = "hello"   # and this

[auth]
  backend = "managed"
  [auth.sessions]
    lifetime_minutes = 60   # minutes
    per_user_limit = 10

[[registries]]
  host_address = "dtr.example.com"
  service_id = "1"
  ca_bundle = \"\"\"
-----BEGIN
\"\"\"

[[registries]]
  host_address = "old.example.com"
  service_id = "2"

[cluster_config]
  dns = ["8.8.8.8"]
  kv_timeout = 5000
"""


def changed(config, text=TEXT, exclusive=False):
    """(text after the declaration, its Plan)."""
    document = toml.parse(text)
    found, paths = toml.plan(document.unwrap(), config, exclusive)
    return toml.changed_text(document, found, paths), found


def test_only_the_declared_key_changes():
    text, found = changed({"auth": {"sessions": {"lifetime_minutes": 30, "per_user_limit": 10}}})
    assert text == TEXT.replace("lifetime_minutes = 60 ", "lifetime_minutes = 30 ")
    assert found.diff() == {"before": {"auth.sessions": {"lifetime_minutes": 60}}, "after": {"auth.sessions": {"lifetime_minutes": 30}}}


@pytest.mark.parametrize("config", [
    {}, {"auth": {"sessions": {}}}, {"auth": {"sessions": {"lifetime_minutes": 60}}}, {"pre_logon_message": "hello"},
    {"auth": {"backend": None}}, {"registries": [{"host_address": "dtr.example.com", "service_id": "1"}]}, {"registries": []},
    {"registries": [{"host_address": "gone.example.com", "state": "absent"}]},
])
def test_nothing_to_do(config):
    assert changed(config)[1].changes == []


@pytest.mark.parametrize("config", [
    {"pre_logon_message": "bye"},
    {"new_at_the_top": True},
    {"tracking_configuration": {"disable_tracking": True}},
    {"user_workload_defaults": {"swarm_defaults": {"tasktemplate": {"restartpolicy": {"delay": {"value": "5s"}}}}}},
    {"auth": {"saml": {"deep": {"x": 1}}, "backend": "ldap"}},
    {"cluster_config": {"dns": [], "dns_opt": ["a", "b"], "secure-overlay": True}},
    {"registries": [{"host_address": "dtr.example.com", "ca_bundle": "new\nlines\n"}]},
    {"registries": [{"host_address": "new.example.com", "service_id": "3"}]},
    {"custom_api_server_headers": [{"name": "X-A", "value": "1"}, {"name": "X-B", "value": "2"}]},
    {"registries": [{"host_address": "old.example.com", "state": "absent"}]},
])
def test_what_is_written_is_what_was_declared_and_nothing_else(config):
    text, found = changed(config)
    assert found.changes
    assert toml.plan(tomlkit.parse(text).unwrap(), config)[0].changes == []
    before, after = (toml.sections(tomlkit.parse(each).unwrap()) for each in (TEXT, text))
    touched = {change.key for change in found.changes}
    assert {name: values for name, values in before.items() if name not in touched} == {
        name: values for name, values in after.items() if name not in touched}
    assert "# kept" in text


def test_undeclared_entries_of_a_declared_list():
    wanted = {"registries": [{"host_address": "dtr.example.com"}]}
    text, found = changed(wanted)
    assert (found.undeclared, found.changes, text) == (["registries[old.example.com]"], [], TEXT)
    text, found = changed(wanted, exclusive=True)
    assert found.removed_undeclared() == ["registries[old.example.com]"]
    assert "old.example.com" not in text
    assert changed({"auth": {"backend": "ldap"}}, exclusive=True)[1].removed_undeclared() == []


def test_the_last_entry_takes_its_list_along():
    text, _found = changed({"registries": []}, exclusive=True)
    assert "registries" not in tomlkit.parse(text)
    assert "cluster_config" in tomlkit.parse(text)


@pytest.mark.parametrize(("config", "says"), [
    ({"cluster_config": {"kv_timeout": "5000"}}, "kv_timeout of cluster_config is a string, on the server it is a whole number"),
    ({"cluster_config": {"kv_timeout": True}}, "is true or false"),
    ({"cluster_config": {"dns": "8.8.8.8"}}, "dns of cluster_config is a string"),
    ({"auth": "managed"}, "auth of top level is a string, on the server it is a section"),
    ({"auth": {"backend": {"x": 1}}}, "auth.backend is a section, on the server it is a string"),
    ({"registries": {"host_address": "x"}}, "registries must be a list of dictionaries, each with host_address"),
    ({"registries": [{"service_id": "x"}]}, r"registries\[0\] has no host_address"),
    ({"registries": [{"host_address": "a", "service_id": "1"}] * 2}, "two entries of registries stand for 'a'"),
    ({"registries": [{"host_address": "new"}]}, r"registries\[new\] is not there yet: give its service_id"),
    ({"custom_api_server_headers": [{"name": "X"}]}, "give its value"),
    ({"registries": [{"host_address": "a", "state": "gone"}]}, "state must be present or absent"),
])
def test_what_cannot_be_meant(config, says):
    with pytest.raises(InputError, match=says):
        changed(config)


def test_text_that_is_no_toml():
    with pytest.raises(ApiError, match="is no TOML"):
        toml.parse("<html>")


def test_secrets_by_their_name():
    config = {"auth": {"ldap": {"reader_password": "hush", "url": "ldap://x"}}, "list": [{"token": "t"}], "s": {"store_token": True}}
    assert toml.secrets(config) == ["hush", "t"]
    assert toml.public(config) == {"auth": {"ldap": {"reader_password": "VALUE_HIDDEN", "url": "ldap://x"}},
                                   "list": [{"token": "VALUE_HIDDEN"}], "s": {"store_token": True}}
