# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.modules.dtr_access import in_scope, reads
from api_modules import ModuleFailed

NAME = "dtr_access"
SECRET = "s3cret-of-a-user"
PUSH = {"team": "ops/release", "repository": "ops/base", "level": "read-write"}
PULL = {"team": "ops/guests", "namespace": "ops", "level": "read-only"}


@pytest.fixture
def ops(run_module):
    """An organization with three teams and three repositories, and another one with one of each."""
    run_module("dtr_account", accounts=[{"name": name, "type": "organization"} for name in ("ops", "web")])
    run_module("dtr_team", teams=[{"name": name} for name in ("ops/release", "ops/guests", "ops/others", "web/release")])
    run_module("dtr_repository", repositories=[{"name": name} for name in ("ops/base", "ops/tools", "ops/site", "web/shop")])


def test_granted_then_left_alone(standin, run_module, ops):
    wanted = [PUSH, PULL, {"team": "web/release", "repository": "web/shop", "level": "admin"}]
    standin.writes.clear()
    planned = run_module(NAME, check=True, access=wanted)
    assert not standin.writes
    made = run_module(NAME, access=wanted)
    assert {key: planned[key] for key in ("changed", "changes", "counts", "diff")} == {
        key: made[key] for key in ("changed", "changes", "counts", "diff")}
    assert made["counts"] == {"created": 3, "updated": 0, "deleted": 0, "unchanged": 0}
    assert made["diff"] == {"before": {}, "after": {
        "ops/release on ops/base": {"level": "read-write"}, "ops/guests on ops": {"level": "read-only"},
        "web/release on web/shop": {"level": "admin"}}}
    assert standin.store.get("team_access", "ops/base/release")["accessLevel"] == "read-write"
    assert standin.store.get("namespace_access", "ops/guests")["accessLevel"] == "read-only"
    standin.writes.clear()
    again = run_module(NAME, access=wanted)
    assert (again["changed"], again["counts"]["unchanged"], again["undeclared"], standin.writes) == (False, 3, [], [])


def test_only_what_differs_is_changed(standin, run_module, ops):
    run_module(NAME, access=[PUSH, PULL])
    standin.writes.clear()
    changed = run_module(NAME, access=[{**PUSH, "level": "admin"}, {**PULL, "level": "read-write"}])
    assert changed["changes"] == [
        {"key": "ops/release on ops/base", "action": "updated", "fields": ["level"]},
        {"key": "ops/guests on ops", "action": "updated", "fields": ["level"]}]
    assert changed["diff"] == {
        "before": {"ops/release on ops/base": {"level": "read-write"}, "ops/guests on ops": {"level": "read-only"}},
        "after": {"ops/release on ops/base": {"level": "admin"}, "ops/guests on ops": {"level": "read-write"}}}
    assert len(standin.writes) == 2


def test_revoked_and_gone_already(standin, run_module, ops):
    run_module(NAME, access=[PUSH, PULL])
    gone = run_module(NAME, access=[
        {**PUSH, "state": "absent"}, {"team": "ops/guests", "namespace": "ops", "state": "absent"},
        {**PUSH, "repository": "ops/site", "state": "absent"}, {"team": "never/here", "namespace": "never", "state": "absent"}])
    assert gone["counts"] == {"created": 0, "updated": 0, "deleted": 2, "unchanged": 2}
    assert standin.store.all("team_access") == standin.store.all("namespace_access") == []


def test_undeclared_is_reported_and_removed_only_on_confirmation(standin, run_module, ops):
    others = [{"team": "ops/others", "repository": name, "level": "read-only"} for name in ("ops/base", "ops/tools")]
    more = [{"team": "ops/release", "repository": "ops/site", "level": "admin"}, {**PULL, "team": "ops/release"}]
    run_module(NAME, access=[PUSH, PULL, *others, *more, {"team": "web/release", "namespace": "web", "level": "admin"}])
    wanted = {"access": [PUSH]}
    # What release has elsewhere and others have on base; not what neither the team nor the target of a declared grant is.
    undeclared = ["ops/others on ops/base", "ops/release on ops", "ops/release on ops/site"]
    assert run_module(NAME, **wanted)["undeclared"] == undeclared
    assert run_module(NAME, access=[], teams=["ops/guests"], repositories=["ops/tools"])["undeclared"] == [
        "ops/guests on ops", "ops/others on ops/tools"]
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=rf"remove 3 .*{', '.join(undeclared)}.*confirm_removal to '{standin.dtr_host}'"):
            run_module(NAME, check=check, **wanted, exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, exclusive=True, confirm_removal=standin.dtr_host)
    assert removed["changes"] == [{"key": key, "action": "deleted", "fields": ["level"]} for key in undeclared]
    assert [key for key, grant in standin.store.items("team_access")] == ["ops/base/release", "ops/tools/others"]
    assert [key for key, grant in standin.store.items("namespace_access")] == ["ops/guests", "web/release"]


def test_many_teams_are_read_by_the_declared_ones_with_the_same_answer(standin, run_module, ops):
    run_module("dtr_team", teams=[{"name": f"ops/t{number:02}"} for number in range(20)])
    run_module(NAME, access=[PUSH, {"team": "ops/t07", "repository": "ops/base", "level": "admin"},
                             {"team": "ops/release", "repository": "ops/site", "level": "admin"},
                             {"team": "ops/t07", "repository": "ops/site", "level": "admin"}])
    standin.exchanges.clear()
    result = run_module(NAME, access=[PUSH])
    assert (result["changed"], result["undeclared"]) == (False, ["ops/release on ops/site", "ops/t07 on ops/base"])
    assert len(standin.exchanges) == 4   # names of the teams, one team, one repository, one namespace


def test_every_page_is_read(standin, run_module, ops, monkeypatch):
    names = [f"ops/r{number:02}" for number in range(23)]
    run_module("dtr_repository", repositories=[{"name": name} for name in names])
    run_module("dtr_team", teams=[{"name": f"ops/t{number:02}"} for number in range(12)])
    wanted = [{"team": "ops/release", "repository": name, "level": "read-only"} for name in names]
    wanted += [{"team": f"ops/t{number:02}", "namespace": "ops", "level": "read-only"} for number in range(12)]
    run_module(NAME, access=wanted)
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.PAGE", 5)
    assert run_module(NAME, access=wanted)["counts"]["unchanged"] == 35


def test_check_mode_plans_for_what_does_not_exist_yet(standin, run_module, ops):
    wanted = [{**PUSH, "repository": "ops/new"}, {"team": "new/all", "namespace": "new", "level": "read-only"}, {**PUSH, "team": "ops/new"}]
    assert run_module(NAME, check=True, access=wanted)["counts"]["created"] == 3
    with pytest.raises(ModuleFailed, match=r"access 'ops/release on ops/new': create failed: .*404.*NO_SUCH_REPOSITORY"):
        run_module(NAME, access=wanted, threads=1)


def test_without_the_right_nothing_changes(standin, run_module, ops):
    standin.accounts.create({"name": "mallory", "password": SECRET})
    standin.writes.clear()
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
        run_module(NAME, access=[PUSH], username="mallory", password=SECRET)
    assert not standin.writes


@pytest.mark.parametrize(("wanted", "says"), [
    ([{"team": "release", "repository": "ops/base", "level": "admin"}], "'release' is not of the form organization/team"),
    ([{"team": "ops/release", "repository": "base", "level": "admin"}], "'base' is not of the form namespace/name"),
    ([{"team": "ops/release", "namespace": "ops/base", "level": "admin"}], "namespace 'ops/base': this cannot be a name"),
    ([{"team": "ops/release", "repository": "web/shop", "level": "admin"}], "'ops/release' to 'web/shop': only teams of 'web' can have it"),
    ([{"team": "ops/release", "level": "admin"}], "one of the following is required: repository, namespace"),
    ([{**PUSH, "namespace": "ops"}], "mutually exclusive: repository|namespace"),
    ([{"team": "ops/release", "repository": "ops/base"}], "state is present but all of the following are missing: level"),
    ([PUSH, PULL, PUSH], r"access\[0\] and access\[2\] both stand for 'ops/release on ops/base'"),
])
def test_bad_input_changes_nothing(standin, run_module, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, access=wanted)
    assert not standin.writes


TEAMS = {"ops": {"a": {"id": "1"}, "b": {"id": "2"}, "c": {"id": "3"}}}
NAMES = {"1": "ops/a", "2": "ops/b", "3": "ops/c"}


@pytest.mark.parametrize(("listings", "teams", "targets", "asked"), [
    ({"ops": {}}, {"ops/a"}, {"ops/base"}, []),
    (TEAMS, {"ops/a"}, {"ops/base"}, [("team", "ops/a"), ("repository", "ops/base"), ("namespace", "ops")]),
    (TEAMS, {"ops/a"}, {"ops"}, [("team", "ops/a"), ("namespace", "ops")]),
    (TEAMS, {"ops/a", "ops/new"}, {"ops/x", "ops/y"}, [("team", "ops/a"), ("team", "ops/b"), ("team", "ops/c"), ("namespace", "ops")]),
])
def test_reads_as_little_as_possible(listings, teams, targets, asked):
    assert reads(listings, teams, targets) == [(kind, name, NAMES) for kind, name in asked]


def test_failures(fails):
    fails(NAME, access=[PUSH])


def test_a_team_whose_name_has_spaces_does_not_stop_the_others():
    assert in_scope("ops/on call on fire on ops/base", set(), {"ops/base"})
    assert not in_scope("ops/on call on fire on ops/base", {"ops/release"}, {"ops"})
