# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed

NAME = "ucp_config"
SESSIONS = {"auth": {"sessions": {"lifetime_minutes": 30, "renewal_threshold_minutes": 20}}}
DTR = {"host_address": "dtr.example.com", "service_id": "1"}


def test_set_then_left_alone(standin, run_module):
    before = standin.ucp.config.document
    planned = run_module(NAME, check=True, config=SESSIONS)
    assert not standin.writes
    done = run_module(NAME, config=SESSIONS)
    assert [planned[key] for key in ("changed", "changes", "diff")] == [done[key] for key in ("changed", "changes", "diff")]
    assert done["changes"] == [{"key": "auth.sessions", "action": "updated", "fields": ["lifetime_minutes"]}]
    assert done["diff"] == {"before": {"auth.sessions": {"lifetime_minutes": 60}}, "after": {"auth.sessions": {"lifetime_minutes": 30}}}
    assert done["message"]
    assert len(standin.writes) == 1
    sessions = {**before["auth"]["sessions"], "lifetime_minutes": 30}
    assert standin.ucp.config.document == {**before, "auth": {**before["auth"], "sessions": sessions}}
    standin.writes.clear()
    assert not run_module(NAME, config=SESSIONS)["changed"]
    assert not standin.writes


def test_lists_are_merged_by_their_key(standin, run_module):
    header = {"name": "X-Color", "value": "blue"}
    run_module(NAME, config={"registries": [DTR, {**DTR, "host_address": "old.example.com"}], "custom_api_server_headers": [header]})
    changed = run_module(NAME, config={"registries": [{"host_address": "dtr.example.com", "ca_bundle": "pem\n"}]})
    assert changed["changes"] == [{"key": "registries[dtr.example.com]", "action": "updated", "fields": ["ca_bundle"]}]
    assert changed["undeclared"] == ["registries[old.example.com]"]
    removed = run_module(NAME, config={"registries": [{"host_address": "old.example.com", "state": "absent"}]})
    assert [(change["key"], change["action"]) for change in removed["changes"]] == [("registries[old.example.com]", "deleted")]
    assert standin.ucp.config.document["registries"] == [{**DTR, "ca_bundle": "pem\n"}]
    assert standin.ucp.config.document["custom_api_server_headers"] == [header]


def test_undeclared_entries_go_only_on_confirmation(standin, run_module):
    run_module(NAME, config={"registries": [DTR, {**DTR, "host_address": "old.example.com"}]})
    standin.writes.clear()
    wanted = {"config": {"registries": [DTR]}, "exclusive": True}
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=r"would remove 1 .*registries\[old.example.com\].*confirm_removal"):
            run_module(NAME, check=check, **wanted)
    assert not standin.writes
    run_module(NAME, **wanted, confirm_removal=standin.ucp_host)
    assert standin.ucp.config.document["registries"] == [DTR]


def test_what_ucp_refuses_is_told_and_changes_nothing(standin, run_module):
    before = standin.ucp.config.document
    with pytest.raises(ModuleFailed, match=r"answered 400.*unknown key cluster_config.bogus"):
        run_module(NAME, config={"cluster_config": {"bogus": 1}})
    assert standin.ucp.config.document == before


def test_bad_input_sends_nothing(standin, run_module):
    with pytest.raises(ModuleFailed, match="kv_timeout of cluster_config is a string, on the server it is a whole number"):
        run_module(NAME, config={"cluster_config": {"kv_timeout": "5000"}})
    assert not standin.writes


def test_a_server_that_does_not_show_what_it_took(standin, run_module, monkeypatch):
    monkeypatch.setattr(type(standin.ucp.config), "replace", lambda *_: None)
    with pytest.raises(ModuleFailed, match=r"UCP took the configuration, yet still shows other values of auth.sessions: lifetime_minutes"):
        run_module(NAME, config=SESSIONS)


def test_values_named_like_a_secret_are_hidden(standin, run_module, monkeypatch):
    monkeypatch.setattr("standin.ucp_config_schema.problems", lambda _document: [])   # the documented keys hold no secret
    done = run_module(NAME, config={"auth": {"ldap": {"reader_password": "s3cret-of-a-user"}}})
    assert done["diff"]["after"]["auth.ldap"] == {"reader_password": "VALUE_HIDDEN"}
    assert standin.ucp.config.document["auth"]["ldap"]["reader_password"] == "s3cret-of-a-user"


def test_without_the_right_nothing_changes(standin, run_module):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    with pytest.raises(ModuleFailed, match=r"answered 403.*'mallory' may not do this"):
        run_module(NAME, config=SESSIONS, username="mallory", password="s3cret-of-a-user")
    assert not standin.writes


def test_failures(fails):
    fails(NAME, config=SESSIONS)
