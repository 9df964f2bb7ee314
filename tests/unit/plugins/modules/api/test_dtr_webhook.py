# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.module_utils.basic import AnsibleModule
from api_modules import ModuleFailed

NAME = "dtr_webhook"
SECRET = "s3cret-of-a-user"
PUSH = {"type": "TAG_PUSH", "key": "web/shop", "endpoint": "https://ci.example.com/hook"}
SCAN = {"type": "SCAN_COMPLETED", "endpoint": "https://security.example.com/scans"}
EVENT = {"type": "REPO_EVENT", "key": "web", "endpoint": "https://ci.example.com/hook"}
PUSH_KEY = "TAG_PUSH web/shop https://ci.example.com/hook"
SCAN_KEY = "SCAN_COMPLETED * https://security.example.com/scans"
EVENT_KEY = "REPO_EVENT web https://ci.example.com/hook"
FIELDS = ["active", "endpoint", "key", "skip_tls_verification", "tls_cert", "type"]
SAME = ("changed", "changes", "counts", "diff", "undeclared")


@pytest.fixture
def shop(standin, run_module):
    """Two repositories."""
    standin.accounts.create({"name": "web", "isOrg": True})
    run_module("dtr_repository", repositories=[{"name": "web/shop"}, {"name": "web/site"}])
    standin.writes.clear()


@pytest.fixture
def as_owner(standin, run_module, shop):
    """run_module as a user who owns the organization and administers nothing else."""
    ann = standin.accounts.create({"name": "ann", "password": SECRET})
    standin.accounts.set_member(standin.accounts.find("web"), ann, {"isAdmin": True})
    return lambda **options: run_module(NAME, username="ann", password=SECRET, **options)


def hooks(standin):
    return standin.store.all("webhook")


def asked(standin):
    """Paths that were read since the last clear()."""
    return [exchange.path for exchange in standin.exchanges if exchange.method == "GET"]


def test_created_then_left_alone(standin, run_module, shop):
    with open(standin.ca_file, encoding="utf-8") as file:
        ca = file.read()
    wanted = [{**PUSH, "tls_cert": f"\n{ca}\n"}, {**SCAN, "active": False}, EVENT]
    planned = run_module(NAME, check=True, webhooks=wanted)
    assert not standin.writes
    made = run_module(NAME, webhooks=wanted)
    assert {key: planned[key] for key in SAME} == {key: made[key] for key in SAME}
    assert made["changes"] == [{"key": key, "action": "created", "fields": FIELDS} for key in (PUSH_KEY, SCAN_KEY, EVENT_KEY)]
    rest = {"skip_tls_verification": False, "active": True}
    assert made["diff"] == {"before": {}, "after": {
        PUSH_KEY: {**PUSH, **rest, "tls_cert": ca}, SCAN_KEY: {**SCAN, **rest, "key": "", "tls_cert": "", "active": False},
        EVENT_KEY: {**EVENT, **rest, "tls_cert": ""}}}
    bodies = {write.request["type"]: write.request for write in standin.writes if write.path == "/api/v0/webhooks"}
    assert ("key" in bodies["SCAN_COMPLETED"], bodies["REPO_EVENT"]["key"]) == (False, "web")
    assert {hook["type"]: hook["inactive"] for hook in hooks(standin)} == {"TAG_PUSH": False, "SCAN_COMPLETED": True, "REPO_EVENT": False}
    standin.writes.clear()
    standin.exchanges.clear()
    again = run_module(NAME, webhooks=wanted)
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 3, [])
    assert asked(standin) == ["/basic_info", "/api/v0/webhooks"]


def test_only_what_differs_is_changed(standin, run_module, shop):
    run_module(NAME, webhooks=[PUSH, SCAN])
    before = {hook["type"]: hook["id"] for hook in hooks(standin)}
    standin.writes.clear()
    changed = run_module(NAME, webhooks=[{**PUSH, "active": False, "skip_tls_verification": True}, SCAN])
    assert changed["changes"] == [{"key": PUSH_KEY, "action": "updated", "fields": ["active", "skip_tls_verification"]}]
    assert changed["diff"] == {
        "before": {PUSH_KEY: {"active": True, "skip_tls_verification": False}},
        "after": {PUSH_KEY: {"active": False, "skip_tls_verification": True}}}
    assert [write.path for write in standin.writes] == ["/api/v0/webhooks/update"]
    assert {hook["type"]: hook["id"] for hook in hooks(standin)} == before
    assert {hook["type"]: hook["inactive"] for hook in hooks(standin)} == {"TAG_PUSH": True, "SCAN_COMPLETED": False}


def test_a_query_is_secret_and_another_one_makes_the_webhook_anew(standin, run_module, shop):
    """The fixture run_module looks for the secret in all that is printed."""
    first = {**PUSH, "endpoint": f"{PUSH['endpoint']}?token={SECRET}"}
    made = run_module(NAME, webhooks=[first])
    assert [change["key"] for change in made["changes"]] == [PUSH_KEY]
    assert hooks(standin)[0]["endpoint"] == first["endpoint"]
    assert not run_module(NAME, webhooks=[first])["changed"]
    second = {**PUSH, "endpoint": f"https://robot:{SECRET}@ci.example.com/hook?token=S3-SECRET-KEY"}
    standin.writes.clear()
    for check in (True, False):
        changed = run_module(NAME, check=check, webhooks=[second])
        assert changed["changes"] == [{"key": PUSH_KEY, "action": "updated", "fields": ["endpoint"]}]
        assert changed["diff"] == {
            "before": {PUSH_KEY: {"endpoint": f"{PUSH['endpoint']} (with another query)"}},
            "after": {PUSH_KEY: {"endpoint": PUSH["endpoint"]}}}
    assert [hook["endpoint"] for hook in hooks(standin)] == [second["endpoint"]]
    assert [one.method for one in standin.writes] == ["POST", "DELETE"]   # at no time is there none
    assert not run_module(NAME, webhooks=[second])["changed"]


def test_a_query_stands_in_no_journal(run_module, shop, monkeypatch):
    logged = []
    monkeypatch.setattr(AnsibleModule, "log", lambda module, text, log_args=None: logged.append(f"{text} {log_args}"))
    run_module(NAME, check=True, webhooks=[{**PUSH, "endpoint": f"{PUSH['endpoint']}?token={SECRET}"}])
    run_module("dtr_repository", check=True, repositories=[])
    assert SECRET not in "".join(logged) and "repositories" in "".join(logged)


def test_a_query_stands_in_no_error(standin, run_module, shop):
    standin.faults.add(match="POST /api/v0/webhooks", kind="status", status=500, times=1)
    with pytest.raises(ModuleFailed, match=rf"webhook '{PUSH_KEY}': create failed: .*answered 500"):
        run_module(NAME, webhooks=[{**PUSH, "endpoint": f"{PUSH['endpoint']}?token={SECRET}"}])


def test_deleted_and_gone_already(standin, run_module, shop):
    run_module(NAME, webhooks=[PUSH, SCAN])
    absent = [{**hook, "state": "absent"} for hook in (PUSH, SCAN, EVENT, {**PUSH, "key": "web/never"})]
    assert run_module(NAME, webhooks=absent)["counts"] == {"created": 0, "updated": 0, "deleted": 2, "unchanged": 2}
    assert not hooks(standin)
    standin.writes.clear()
    assert not run_module(NAME, webhooks=absent)["changed"]
    assert not standin.writes


def test_a_repetition_on_the_server_is_undeclared_and_absent_removes_all(standin, run_module, shop):
    run_module(NAME, webhooks=[PUSH])
    for number in range(3):
        standin.store.put("webhook", f"{number}0", {**hooks(standin)[-1], "id": f"{number}0", "endpoint": f"{PUSH['endpoint']}?{number}"})
    found = run_module(NAME, webhooks=[PUSH])   # the one with the declared query counts, whatever its id
    assert (found["changed"], found["undeclared"]) == (False, [f"{PUSH_KEY} (duplicate {number})" for number in (2, 3, 4)])
    gone = run_module(NAME, webhooks=[{**PUSH, "state": "absent"}])
    assert (gone["counts"]["deleted"], gone["undeclared"], hooks(standin)) == (1, [], [])


def test_undeclared_is_reported_and_removed_only_on_confirmation(standin, run_module, shop):
    run_module(NAME, webhooks=[PUSH, {**PUSH, "type": "TAG_PULL"}, {**PUSH, "key": "web/site"}, SCAN])
    wanted = {"webhooks": [PUSH]}
    pull, site = "TAG_PULL web/shop https://ci.example.com/hook", "TAG_PUSH web/site https://ci.example.com/hook"
    assert run_module(NAME, **wanted)["undeclared"] == [pull]
    assert run_module(NAME, **wanted, keys=["web/site"])["undeclared"] == [pull, site]
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=rf"remove 3 .*SCAN_COMPLETED .*{pull}, {site}.*confirm_removal to '{standin.dtr_host}'"):
            run_module(NAME, check=check, **wanted, keys=["*"], exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, keys=["*"], exclusive=True, confirm_removal=standin.dtr_host)
    assert removed["changes"] == [{"key": key, "action": "deleted", "fields": FIELDS} for key in (SCAN_KEY, pull, site)]
    assert [(hook["type"], hook["key"]) for hook in hooks(standin)] == [("TAG_PUSH", "web/shop")]


def test_others_than_administrators_ask_key_by_key(standin, run_module, as_owner):
    run_module(NAME, webhooks=[PUSH, SCAN, {**PUSH, "key": "web/site"}])
    standin.exchanges.clear()
    found = as_owner(webhooks=[PUSH, EVENT], keys=["web/site"])
    assert [(change["key"], change["action"]) for change in found["changes"]] == [(EVENT_KEY, "created")]
    assert found["undeclared"] == ["TAG_PUSH web/site https://ci.example.com/hook"]   # the administrator's
    assert sorted(asked(standin)) == [
        "/api/v0/accounts/web/webhooks", "/api/v0/repositories/web/shop/webhooks", "/api/v0/repositories/web/site/webhooks", "/basic_info"]
    assert as_owner(webhooks=[], keys=["*"])["undeclared"] == [EVENT_KEY]   # what the account itself made
    with pytest.raises(ModuleFailed, match="a webhook without key hears of everything and can be made by a system administrator only"):
        as_owner(webhooks=[SCAN])


def test_check_mode_plans_for_a_repository_that_does_not_exist_yet(standin, run_module, as_owner):
    wanted = [{**PUSH, "key": "web/new"}]
    assert run_module(NAME, check=True, webhooks=wanted)["counts"]["created"] == 1
    assert as_owner(check=True, webhooks=wanted)["counts"]["created"] == 1
    with pytest.raises(ModuleFailed, match=r"webhook 'TAG_PUSH web/new .*': create failed: .*404.*NO_SUCH"):
        run_module(NAME, webhooks=wanted)


def test_a_failure_half_way_tells_what_was_done(standin, run_module, shop):
    standin.faults.add(match="POST /api/v0/webhooks", kind="status", status=500, times=1, after=1)
    wanted = [{**PUSH, "endpoint": f"https://ci.example.com/{name}"} for name in "abc"]
    with pytest.raises(ModuleFailed, match="1 of 3 changes were made; when the cause is mended, run this again") as failed:
        run_module(NAME, webhooks=wanted, threads=1)
    assert failed.value.result["changes"] == [{"key": "TAG_PUSH web/shop https://ci.example.com/a", "action": "created", "fields": FIELDS}]
    assert run_module(NAME, webhooks=wanted)["counts"] == {"created": 2, "updated": 0, "deleted": 0, "unchanged": 1}


def test_without_the_right_nothing_changes(standin, run_module, shop):
    standin.accounts.create({"name": "mallory", "password": SECRET})
    run_module("dtr_repository", repositories=[{"name": "web/shop", "visibility": "public"}])
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
        run_module(NAME, webhooks=[PUSH], username="mallory", password=SECRET)
    assert not hooks(standin)


@pytest.mark.parametrize(("webhook", "says"), [
    ({**PUSH, "key": "web"}, "webhook 'TAG_PUSH web https://ci.example.com/hook': 'web' is no repository. Give namespace/name"),
    ({**EVENT, "key": "web/shop"}, "REPO_EVENT is told of a namespace. Give its name as key, such as web."),
    ({**SCAN, "type": "SCANNER_UPDATE_COMPLETED", "key": "web/shop"}, "is told of the registry as a whole. Leave key out"),
    ({**PUSH, "type": "REPO_CREATED"}, "value of type must be one of"),
    ({**PUSH, "endpoint": f"ci.example.com/hook?token={SECRET}"}, "the endpoint of a webhook is no URL. Give one such as"),
    ({**PUSH, "endpoint": "https://ci.example.com/my hook"}, "the endpoint of a webhook is no URL"),
    ({**PUSH, "endpoint": f"https://[::1/hook?token={SECRET}"}, "the endpoint of a webhook is no URL"),
    ({**PUSH, "endpoint": "https://ci.example.com:99999/hook"}, "the endpoint of a webhook is no URL"),
    ({**PUSH, "endpoint": "https://ci.example.com:0/hook"}, "the endpoint of a webhook is no URL"),
    ({**PUSH, "tls_cert": "/etc/ssl/ca.pem"}, "tls_cert has to be the text of a certificate, PEM"),
    ({**PUSH, "tls_cert": "-----BEGIN CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----"}, "tls_cert has to be .* without a key"),
])
def test_bad_input_changes_nothing(standin, run_module, shop, webhook, says):
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=says):
            run_module(NAME, check=check, webhooks=[webhook])
    assert not standin.writes


def test_twice_the_same_is_refused(standin, run_module, shop):
    with pytest.raises(ModuleFailed, match=r"webhooks\[0\] and webhooks\[1\] both stand for 'TAG_PUSH web/shop https://ci.example.com/hook'"):
        run_module(NAME, webhooks=[PUSH, {**PUSH, "endpoint": f"{PUSH['endpoint']}?token={SECRET}"}])


def test_failures(fails):
    fails(NAME, webhooks=[PUSH])
