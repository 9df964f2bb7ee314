# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed

NAME = "dtr_account"
SECRET = "s3cret-of-a-user"
ANN = {"name": "ann", "password": SECRET, "full_name": "Ann"}
OPS = {"name": "ops", "type": "organization", "owners": ["ann"]}


def owners(standin, org):
    """Names of the owners as the stand-in has them."""
    return [key.split("/")[1] for key, member in standin.store.items("org_member", f"{org}/") if member["isAdmin"]]


def test_created_then_left_alone(standin, run_module):
    wanted = [OPS, ANN, {"name": "ci", "password": SECRET, "admin": True, "active": True}]   # the owner is declared after what it owns
    planned = run_module(NAME, check=True, accounts=wanted)
    assert not standin.writes
    made = run_module(NAME, accounts=wanted)
    assert {key: planned[key] for key in ("changed", "changes", "counts", "diff")} == {
        key: made[key] for key in ("changed", "changes", "counts", "diff")}
    assert made["counts"] == {"created": 3, "updated": 0, "deleted": 0, "unchanged": 0}
    assert made["diff"] == {"before": {}, "after": {
        "ann": {"type": "user", "full_name": "Ann", "active": True, "admin": False, "password": "VALUE_HIDDEN"},
        "ci": {"type": "user", "full_name": "", "active": True, "admin": True, "password": "VALUE_HIDDEN"},
        "ops": {"type": "organization", "full_name": "", "owners": ["ann"]}}}
    assert owners(standin, "ops") == ["ann"]
    standin.writes.clear()
    again = run_module(NAME, accounts=wanted)
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 3, [])


def test_only_what_differs_is_changed(standin, run_module):
    run_module(NAME, accounts=[ANN])
    standin.writes.clear()
    changed = run_module(NAME, accounts=[{"name": "ann", "active": False, "password": "another, not set on an account that exists"}])
    assert changed["changes"] == [{"key": "ann", "action": "updated", "fields": ["active"]}]
    assert changed["diff"] == {"before": {"ann": {"active": True}}, "after": {"ann": {"active": False}}}
    assert [write.request for write in standin.writes] == [{"isActive": False}]
    assert standin.store.get("account", "ann")["fullName"] == "Ann"


def test_owners_are_exactly_the_declared_ones(standin, run_module):
    run_module(NAME, accounts=[ANN, {"name": "bob", "password": SECRET}, OPS])
    standin.writes.clear()
    changed = run_module(NAME, accounts=[{**OPS, "owners": ["bob"]}])
    assert changed["diff"] == {"before": {"ops": {"owners": ["ann"]}}, "after": {"ops": {"owners": ["bob"]}}}
    assert owners(standin, "ops") == ["bob"]
    assert standin.store.get("org_member", "ops/ann") is not None   # still a member
    assert [write.path.rsplit("/", 1)[1] for write in standin.writes] == ["bob", "ann"]   # never without an owner
    run_module(NAME, accounts=[{**OPS, "owners": None}])
    assert owners(standin, "ops") == ["bob"]


def test_password_is_set_only_when_it_is_not_accepted(standin, run_module):
    always = {**ANN, "update_password": "always"}
    run_module(NAME, accounts=[always])
    standin.writes.clear()
    assert run_module(NAME, accounts=[always])["changed"] is False
    other = {**always, "password": "s3cret-of-the-admin"}
    assert run_module(NAME, check=True, accounts=[other])["changes"] == [{"key": "ann", "action": "updated", "fields": ["password"]}]
    assert not standin.writes
    changed = run_module(NAME, accounts=[other])
    assert changed["diff"] == {"before": {"ann": {}}, "after": {"ann": {"password": "VALUE_HIDDEN"}}}
    assert run_module(NAME, accounts=[other])["changed"] is False


def test_the_caller_cannot_shut_itself_out(standin, run_module):
    for wanted, says in (
            ({"state": "absent"}, "'admin' makes the requests and cannot be deleted"),
            ({"active": False}, "cannot be deactivated"),
            ({"admin": False}, "cannot be stripped of its admin rights"),
            ({"password": SECRET, "update_password": "always"}, "its password is another than the declared one")):
        with pytest.raises(ModuleFailed, match=says):
            run_module(NAME, accounts=[{"name": "admin", **wanted}])
    assert not standin.writes
    assert run_module(NAME, accounts=[{"name": "admin", "password": standin.admin[1], "update_password": "always"}])["changed"] is False


def test_deleted_and_gone_already(standin, run_module):
    run_module(NAME, accounts=[ANN])
    gone = run_module(NAME, accounts=[{"name": "ann", "state": "absent"}, {"name": "never", "state": "absent"}])
    assert gone["counts"] == {"created": 0, "updated": 0, "deleted": 1, "unchanged": 1}
    assert standin.store.get("account", "ann") is None


def test_repositories_go_along_only_on_confirmation(standin, run_module):
    run_module(NAME, accounts=[ANN, OPS])
    run_module("dtr_repository", repositories=[{"name": "ops/base"}, {"name": "ops/web"}])
    leaving = [{"name": "ops", "type": "organization", "state": "absent"}]
    standin.writes.clear()
    for check in (True, False):
        for options in ({"accounts": leaving}, {"accounts": leaving, "confirm_removal": "registry.example.com"},
                        {"accounts": [{"name": "ann"}], "exclusive": True}):
            with pytest.raises(ModuleFailed, match=rf"ops cannot go: 2 repos.*ops/base, ops/web.*confirm_removal to '{standin.dtr_host}'"):
                run_module(NAME, check=check, **options)
    assert not standin.writes
    assert run_module(NAME, accounts=leaving, confirm_removal=standin.dtr_host)["counts"]["deleted"] == 1
    assert standin.store.all("repository", "ops/") == []


def test_undeclared_is_reported_and_removed_only_on_confirmation(standin, run_module):
    run_module(NAME, accounts=[ANN, OPS, {"name": "bob", "password": SECRET}, {"name": "carl", "password": SECRET}])
    standin.store.put("account", "carl", {**standin.store.get("account", "carl"), "isImported": True})
    wanted = {"accounts": [{"name": "ann"}]}
    assert run_module(NAME, **wanted)["undeclared"] == ["bob", "ops"]   # not admin, docker-datacenter and the imported carl
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=rf"remove 2 .*bob, ops.*confirm_removal to '{standin.dtr_host}'"):
            run_module(NAME, check=check, **wanted, exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, exclusive=True, confirm_removal=standin.dtr_host)
    assert [(change["key"], change["action"]) for change in removed["changes"]] == [("bob", "deleted"), ("ops", "deleted")]
    assert {account["name"] for account in standin.store.all("account")} == {"admin", "ann", "carl", "docker-datacenter"}


def test_another_administrator_never_removes_itself(standin, run_module):
    run_module(NAME, accounts=[{"name": "root", "password": SECRET, "admin": True}])
    result = run_module(NAME, accounts=[{"name": "admin"}], username="root", password=SECRET, exclusive=True)
    assert (result["changed"], result["undeclared"]) == (False, [])


def test_every_page_is_read(standin, run_module, monkeypatch):
    wanted = [{"name": f"u{number:02}", "password": SECRET} for number in range(23)] + [{**OPS, "owners": [f"u{n:02}" for n in range(11)]}]
    run_module(NAME, accounts=wanted)
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.PAGE", 5)
    assert run_module(NAME, accounts=wanted)["counts"]["unchanged"] == 24


def test_a_failure_half_way_tells_what_was_done(standin, run_module):
    wanted = [{"name": "ann", "password": SECRET}, {**OPS, "owners": ["nobody"]}]
    with pytest.raises(ModuleFailed, match=r"account 'ops': create failed: .*nobody answered 404 .*1 of 2 changes were made") as failed:
        run_module(NAME, accounts=wanted)
    assert [change["key"] for change in failed.value.result["changes"]] == ["ann"]
    fixed = run_module(NAME, accounts=[wanted[0], OPS])
    assert fixed["changes"] == [{"key": "ops", "action": "updated", "fields": ["owners"]}]


def test_without_the_right_nothing_changes(standin, run_module):
    run_module(NAME, accounts=[ANN])
    standin.writes.clear()
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'ann' may not do this"):
        run_module(NAME, accounts=[{"name": "bob", "password": SECRET}], username="ann", password=SECRET)
    assert not standin.writes


@pytest.mark.parametrize(("wanted", "says"), [
    ([{"name": "bob"}], "account 'bob': a new user needs a password"),
    ([{"name": "ops/bob", "password": SECRET}], "account 'ops/bob': this cannot be a name. Give one without spaces and slashes"),
    ([{"name": "ann b", "password": SECRET}], "account 'ann b': this cannot be a name"),
    ([{"name": "..", "password": SECRET}], r"account '\.\.': this cannot be a name"),
    ([{**OPS, "owners": ["../../admin"]}], r"user '\.\./\.\./admin': this cannot be a name"),
    ([{**OPS, "owners": [""]}], "user '': this cannot be a name"),
    ([{"name": "docker-datacenter", "password": SECRET}], "declared as user and exists as organization"),
    ([{"name": "admin", "type": "organization"}], "declared as organization and exists as user"),
    ([{"name": "docker-datacenter", "state": "absent"}], "declared as user and exists as organization"),
    ([{**OPS, "password": SECRET, "admin": True}], "'ops': password, admin does not go with type organization"),
    ([{"name": "bob", "password": SECRET, "owners": ["ann"]}], "'bob': owners does not go with type user"),
    ([ANN, OPS, ANN], r"accounts\[0\] and accounts\[2\] both stand for 'ann'"),
])
def test_bad_input_changes_nothing(standin, run_module, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, accounts=wanted)
    assert not standin.writes


def test_failures(fails):
    fails(NAME, accounts=[ANN])
