# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json

import pytest
from api_modules import ModuleFailed

NAME = "ucp_license"


def license_of(key_id="key-1", expiration="2099-03-24T00:00:00Z", engines=10):
    """The text of a license file."""
    terms = json.dumps({"expiration": expiration, "maxEngines": engines, "tier": "Production"})
    signed = json.dumps({"payload": base64.urlsafe_b64encode(terms.encode()).decode().rstrip("="), "signatures": []})
    authorization = base64.b64encode(signed.encode()).decode()
    return json.dumps({"key_id": key_id, "private_key": "s3cret-of-a-user", "authorization": authorization})


def test_uploaded_then_left_alone(standin, run_module):
    planned = run_module(NAME, check=True, content=license_of())
    assert not standin.writes
    done = run_module(NAME, content=license_of())
    assert {**planned, "invocation": None} == {**done, "invocation": None}
    assert done["diff"] == {"before": {}, "after": {
        "auto_refresh": True, "expires_at": "2099-03-24T00:00:00Z", "key_id": "key-1", "max_engines": 10, "tier": "Production"}}
    assert standin.ucp.license.document == json.loads(license_of())
    standin.writes.clear()
    again = run_module(NAME, content=license_of())
    assert (again["changed"], again["license"], standin.writes) == (False, done["license"], [])


def test_a_longer_license_with_the_same_key(standin, run_module):
    run_module(NAME, content=license_of(expiration="2098-01-01T00:00:00Z"))
    done = run_module(NAME, content=license_of())
    assert done["diff"] == {"before": {"expires_at": "2098-01-01T00:00:00Z"}, "after": {"expires_at": "2099-03-24T00:00:00Z"}}


def test_refreshing_is_set_with_it_and_kept(standin, run_module):
    assert run_module(NAME, content=license_of(), auto_refresh=False)["license"]["auto_refresh"] is False
    assert not run_module(NAME, content=license_of())["changed"]
    assert run_module(NAME, content=license_of("key-2"))["license"]["auto_refresh"] is False
    assert run_module(NAME, content=license_of("key-2"), auto_refresh=True)["fields"] == ["auto_refresh"]


def test_a_server_that_hides_the_authorization(standin, run_module):
    run_module(NAME, content=license_of())
    standin.store.put("license", "ucp", {"key_id": "key-1", "private_key": "", "authorization": ""})
    assert not run_module(NAME, content=license_of())["changed"]
    standin.store.put("license", "ucp", {"key_id": "key-0", "private_key": "", "authorization": ""})
    assert run_module(NAME, content=license_of())["fields"] == ["key_id"]


@pytest.mark.parametrize("option", ["content", "src"])
@pytest.mark.parametrize("value", ["", None])
def test_an_empty_variable(standin, run_module, option, value):
    with pytest.raises(ModuleFailed, match="content and src are empty: is the variable behind it empty"):
        run_module(NAME, **{option: value})
    assert not standin.writes


def test_from_a_file_and_from_a_dictionary(standin, run_module, tmp_path):
    file = tmp_path / "docker_subscription.lic"
    file.write_text(license_of())
    assert run_module(NAME, src=str(file))["changed"]
    assert not run_module(NAME, content=json.loads(license_of()))["changed"]
    with pytest.raises(ModuleFailed, match=r"src: the license file .*missing.lic cannot be read"):
        run_module(NAME, src=str(tmp_path / "missing.lic"))


def test_an_expired_license_is_warned_of(run_module):
    done = run_module(NAME, content=license_of(expiration="2020-01-01T00:00:00Z"))
    assert done["license"]["days_left"] < 0
    assert any("ended at 2020-01-01" in str(warning) for warning in done["warnings"])


@pytest.mark.parametrize("content", ["not JSON", "[]", '{"key_id": "x"}', '{"key_id": "", "private_key": "a", "authorization": "b"}'])
def test_what_is_no_license(standin, run_module, content):
    with pytest.raises(ModuleFailed, match="the license is no license file"):
        run_module(NAME, content=content)
    assert not standin.writes


def test_what_ucp_refuses_is_told(standin, run_module):
    broken = json.dumps({**json.loads(license_of()), "authorization": "e30="})
    with pytest.raises(ModuleFailed, match=r"answered 400 \(invalid license"):
        run_module(NAME, content=broken)
    assert standin.ucp.license.document["key_id"] == ""


def test_a_server_that_does_not_show_what_it_took(standin, run_module, monkeypatch):
    run_module(NAME, content=license_of("old"))
    monkeypatch.setattr(type(standin.ucp.license), "replace", lambda *_: None)
    with pytest.raises(ModuleFailed, match="UCP took the license key-1, yet shows another key_id"):
        run_module(NAME, content=license_of())


def test_without_the_right_nothing_changes(standin, run_module):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    with pytest.raises(ModuleFailed, match=r"answered 403.*'mallory' may not do this"):
        run_module(NAME, content=license_of(), username="mallory", password="s3cret-of-a-user")
    assert not standin.writes


def test_failures(fails):
    fails(NAME, content=license_of())
