# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed

NAME = "dtr_team"
SECRET = "s3cret-of-a-user"
RELEASE = {"name": "ops/release", "description": "May push", "members": ["ann", "ci"]}


@pytest.fixture
def people(standin):
    """An organization, another one, and three users who belong to neither."""
    for name in ("ops", "web"):
        standin.accounts.create({"name": name, "isOrg": True})
    for name in ("ann", "bob", "ci"):
        standin.accounts.create({"name": name, "password": SECRET})


def members(standin, team):
    """Names of the members as the stand-in has them."""
    return [key.rsplit("/", 1)[1] for key, member in standin.store.items("team_member", f"{team}/")]


def test_created_then_left_alone(standin, run_module, people):
    wanted = [RELEASE, {"name": "ops/guests"}, {"name": "web/release", "members": []}]
    planned = run_module(NAME, check=True, teams=wanted)
    assert not standin.writes
    made = run_module(NAME, teams=wanted)
    assert {key: planned[key] for key in ("changed", "changes", "counts", "diff")} == {
        key: made[key] for key in ("changed", "changes", "counts", "diff")}
    assert made["counts"] == {"created": 5, "updated": 0, "deleted": 0, "unchanged": 0}
    assert made["diff"] == {"before": {}, "after": {
        "ops/release": {"description": "May push"}, "ops/release/ann": {"member": True}, "ops/release/ci": {"member": True},
        "ops/guests": {"description": ""}, "web/release": {"description": ""}}}
    assert members(standin, "ops/release") == ["ann", "ci"]
    assert standin.store.get("org_member", "ops/ann") == {"user": "ann", "isAdmin": False}
    assert standin.store.get("team_member", "ops/release/ann")["isAdmin"] is False
    standin.writes.clear()
    again = run_module(NAME, teams=wanted)
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 5, [])


def test_only_what_differs_is_changed(standin, run_module, people):
    run_module(NAME, teams=[RELEASE])
    standin.writes.clear()
    changed = run_module(NAME, teams=[{"name": "ops/release", "description": "May push and pull", "members": ["ann", "bob"]}])
    assert changed["changes"] == [
        {"key": "ops/release", "action": "updated", "fields": ["description"]},
        {"key": "ops/release/bob", "action": "created", "fields": ["member"]}]
    assert changed["diff"] == {
        "before": {"ops/release": {"description": "May push"}},
        "after": {"ops/release": {"description": "May push and pull"}, "ops/release/bob": {"member": True}}}
    assert (changed["undeclared"], members(standin, "ops/release")) == (["ops/release/ci"], ["ann", "bob", "ci"])
    assert len(standin.writes) == 2


def test_members_are_not_looked_at_unless_declared(standin, run_module, people):
    run_module(NAME, teams=[RELEASE])
    result = run_module(NAME, teams=[{"name": "ops/release"}], exclusive=True)
    assert (result["changed"], result["undeclared"], members(standin, "ops/release")) == (False, [], ["ann", "ci"])


def test_deleted_and_gone_already(standin, run_module, people):
    run_module(NAME, teams=[RELEASE])
    gone = run_module(NAME, teams=[{**RELEASE, "name": name, "state": "absent"} for name in ("ops/release", "ops/never", "no/team")])
    assert gone["counts"] == {"created": 0, "updated": 0, "deleted": 1, "unchanged": 2}
    assert standin.store.all("team") == []


def test_undeclared_is_reported_and_removed_only_on_confirmation(standin, run_module, people):
    run_module(NAME, teams=[RELEASE, {"name": "ops/guests", "members": ["bob"]}, {"name": "web/release"}])
    wanted = {"teams": [{**RELEASE, "members": ["ann"]}]}
    assert run_module(NAME, **wanted)["undeclared"] == ["ops/guests", "ops/release/ci"]   # web is no declared organization
    assert run_module(NAME, **wanted, organizations=["web"])["undeclared"] == ["ops/guests", "ops/release/ci", "web/release"]
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=rf"remove 2 .*ops/guests, ops/release/ci.*confirm_removal to '{standin.dtr_host}'"):
            run_module(NAME, check=check, **wanted, exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, exclusive=True, confirm_removal=standin.dtr_host)
    assert removed["changes"] == [
        {"key": "ops/guests", "action": "deleted", "fields": ["description"]},
        {"key": "ops/release/ci", "action": "deleted", "fields": ["member"]}]
    assert [key for key, team in standin.store.items("team")] == ["ops/release", "web/release"]
    assert members(standin, "ops/release") == ["ann"]
    assert standin.store.get("org_member", "ops/ci") is not None   # left the team, not the organization


def test_every_page_is_read(standin, run_module, people, monkeypatch):
    users = [f"u{number:02}" for number in range(13)]
    for user in users:
        standin.accounts.create({"name": user, "password": SECRET})
    wanted = [{"name": f"ops/t{number:02}"} for number in range(17)] + [{"name": "ops/all", "members": users}]
    run_module(NAME, teams=wanted)
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.PAGE", 5)
    assert run_module(NAME, teams=wanted)["counts"]["unchanged"] == 31


def test_check_mode_plans_for_an_organization_that_does_not_exist_yet(standin, run_module):
    wanted = [{"name": "new/release", "members": ["ann"]}]
    assert run_module(NAME, check=True, teams=wanted)["counts"]["created"] == 2
    with pytest.raises(ModuleFailed, match=r"team 'new/release': create failed: .*404.*NO_SUCH_ACCOUNT"):
        run_module(NAME, teams=wanted)


def test_a_failure_half_way_tells_what_was_done(standin, run_module, people):
    with pytest.raises(ModuleFailed, match=r"team 'ops/release/nobody': create failed: .*404.*1 of 2 changes were made") as failed:
        run_module(NAME, teams=[{"name": "ops/release", "members": ["nobody"]}])
    assert [change["key"] for change in failed.value.result["changes"]] == ["ops/release"]
    assert run_module(NAME, teams=[RELEASE])["counts"] == {"created": 2, "updated": 1, "deleted": 0, "unchanged": 0}


def test_an_owner_may_do_it_and_a_stranger_not(standin, run_module, people):
    standin.store.put("org_member", "ops/ann", {"user": "ann", "isAdmin": True})
    assert run_module(NAME, teams=[RELEASE], username="ann", password=SECRET)["counts"]["created"] == 3
    standin.writes.clear()
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'bob' may not do this"):
        run_module(NAME, teams=[RELEASE], username="bob", password=SECRET)
    assert not standin.writes


@pytest.mark.parametrize(("wanted", "says"), [
    ([{"name": "release"}], "'release' is not of the form organization/team"),
    ([{"name": "ops/release/ann"}], "is not of the form organization/team"),
    ([{"name": "ops/re lease"}], "is not of the form organization/team"),
    ([{"name": "ops/.."}], r"'ops/\.\.' is not of the form organization/team"),
    ([{"name": "ops/release", "members": [".."]}], r"'ops/release/\.\.' is not of the form organization/team/user"),
    ([{"name": "ops/release", "members": ["ann", "ops/ann"]}], "'ops/release/ops/ann' is not of the form organization/team/user"),
    ([{"name": "ops/release", "members": ["ann", "ci", "ann"]}], "team 'ops/release': ann stands in members more than once"),
    ([RELEASE, {"name": "ops/a"}, RELEASE], r"teams\[0\] and teams\[2\] both stand for 'ops/release'"),
])
def test_bad_input_changes_nothing(standin, run_module, people, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, teams=wanted)
    assert not standin.writes


@pytest.mark.parametrize("organization", ["ops/release", "", "..", "o ps"])
def test_an_organization_that_cannot_be_one_is_refused(run_module, organization):
    with pytest.raises(ModuleFailed, match=f"organization '{organization}': this cannot be a name"):
        run_module(NAME, teams=[], organizations=[organization])


def test_failures(fails):
    fails(NAME, teams=[RELEASE])
