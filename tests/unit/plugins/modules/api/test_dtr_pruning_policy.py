# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed

from lab.images import plant

NAME = "dtr_pruning_policy"
OLD = {"field": "updated_at_duration", "operator": "bf", "values": ["720h"]}
BRANCH = {"field": "tag", "operator": "sw", "values": ["branch-"]}
KEY = "web/shop: tag sw branch- & updated_at_duration bf 720h"
SAME = ("changed", "changes", "counts", "diff", "undeclared")


def rule(field, operator, *values):
    return {"field": field, "operator": operator, "values": list(values)}


@pytest.fixture
def shop(standin, run_module):
    """Two repositories."""
    standin.accounts.create({"name": "web", "isOrg": True})
    run_module("dtr_repository", repositories=[{"name": "web/shop"}, {"name": "web/site"}])
    standin.writes.clear()


def ids(standin, repository="web/shop"):
    return [policy["id"] for policy in standin.policies.pruning.of(repository)]


def test_created_then_left_alone(standin, run_module, shop):
    wanted = [{"repository": "web/shop", "rules": [BRANCH, OLD]}, {"repository": "web/site", "rules": [OLD], "enabled": False}]
    planned = run_module(NAME, check=True, policies=wanted)
    assert {write.path for write in standin.writes} == {"/api/v0/repositories/web/shop/pruningPolicies/test"}   # asks only
    standin.writes.clear()
    made = run_module(NAME, policies=wanted)
    assert {key: planned[key] for key in SAME} == {key: made[key] for key in SAME}
    assert made["changes"] == [
        {"key": KEY, "action": "created", "fields": ["enabled", "repository", "rules"]},
        {"key": "web/site: updated_at_duration bf 720h", "action": "created", "fields": ["enabled", "repository", "rules"]}]
    assert made["diff"] == {"before": {}, "after": {
        KEY: {"repository": "web/shop", "rules": [BRANCH, OLD], "enabled": True},
        "web/site: updated_at_duration bf 720h": {"repository": "web/site", "rules": [OLD], "enabled": False}}}
    assert [write.query for write in standin.writes] == [{"initialEvaluation": "false"}] * 2
    standin.writes.clear()
    again = run_module(NAME, policies=wanted)
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 2, [])


def test_order_and_spelling_of_rules_do_not_matter(standin, run_module, shop):
    rules = [rule("vulnerability_all", "gt", "007"), rule("tag", "oo", "b", "a"), OLD]
    run_module(NAME, policies=[{"repository": "web/shop", "rules": rules}])
    standin.writes.clear()
    again = run_module(NAME, policies=[{"repository": "web/shop", "rules": [
        rule("updated_at_duration", "bf", "43200m"), rule("tag", "oo", "a", "b", "a"), rule("vulnerability_all", "gt", 7)]}])
    assert (again["changed"], standin.writes) == (False, [])


def test_only_what_differs_is_changed(standin, run_module, shop):
    run_module(NAME, policies=[{"repository": "web/shop", "rules": [BRANCH, OLD]}, {"repository": "web/site", "rules": [OLD]}])
    before = ids(standin)
    standin.writes.clear()
    changed = run_module(NAME, policies=[
        {"repository": "web/shop", "rules": [BRANCH, OLD], "enabled": False}, {"repository": "web/site", "rules": [OLD]}])
    assert changed["changes"] == [{"key": KEY, "action": "updated", "fields": ["enabled"]}]
    assert changed["diff"] == {"before": {KEY: {"enabled": True}}, "after": {KEY: {"enabled": False}}}
    assert [write.method for write in standin.writes] == ["PUT"]
    assert ids(standin) == before
    assert standin.policies.pruning.get("web/shop", before[0])["enabled"] is False


def test_other_rules_are_another_policy(standin, run_module, shop):
    run_module(NAME, policies=[{"repository": "web/shop", "rules": [OLD]}])
    changed = run_module(NAME, policies=[{"repository": "web/shop", "rules": [BRANCH]}], exclusive=True, confirm_removal=standin.dtr_host)
    assert [(change["action"], change["key"]) for change in changed["changes"]] == [
        ("created", "web/shop: tag sw branch-"), ("deleted", "web/shop: updated_at_duration bf 720h")]
    assert len(ids(standin)) == 1


def test_deleted_and_gone_already(standin, run_module, shop):
    run_module(NAME, policies=[{"repository": "web/shop", "rules": [OLD]}])
    absent = [{"repository": name, "rules": [OLD], "state": "absent"} for name in ("web/shop", "web/site", "web/never")]
    assert run_module(NAME, policies=absent)["counts"] == {"created": 0, "updated": 0, "deleted": 1, "unchanged": 2}
    assert not ids(standin)
    standin.writes.clear()
    assert not run_module(NAME, policies=absent)["changed"]
    assert not standin.writes


def test_a_repetition_on_the_server_is_undeclared(standin, run_module, shop):
    fields = {"repository": "web/shop", "rules": [OLD], "enabled": True, "lastPrunedAt": ""}
    first = min(standin.policies.pruning.create("web/shop", fields)["id"] for number in range(3))
    key = "web/shop: updated_at_duration bf 720h"
    wanted = [{"repository": "web/shop", "rules": [OLD]}]
    found = run_module(NAME, policies=wanted)
    assert (found["changed"], found["undeclared"]) == (False, [f"{key} (duplicate 2)", f"{key} (duplicate 3)"])
    assert run_module(NAME, policies=wanted, exclusive=True, confirm_removal=standin.dtr_host)["counts"]["deleted"] == 2
    assert ids(standin) == [first]


def test_absent_removes_all_repetitions(standin, run_module, shop):
    fields = {"repository": "web/shop", "rules": [OLD], "enabled": True, "lastPrunedAt": ""}
    for enabled in (True, False):
        standin.policies.pruning.create("web/shop", {**fields, "enabled": enabled})
    gone = run_module(NAME, policies=[{"repository": "web/shop", "rules": [OLD], "state": "absent"}])
    assert (gone["counts"]["deleted"], gone["undeclared"], ids(standin)) == (1, [], [])


def test_undeclared_is_reported_and_removed_only_on_confirmation(standin, run_module, shop):
    run_module(NAME, policies=[{"repository": "web/shop", "rules": [OLD]}, {"repository": "web/shop", "rules": [BRANCH]},
                               {"repository": "web/site", "rules": [BRANCH]}])
    wanted = {"policies": [{"repository": "web/shop", "rules": [OLD]}]}
    assert run_module(NAME, **wanted)["undeclared"] == ["web/shop: tag sw branch-"]
    assert run_module(NAME, **wanted, repositories=["web/site"])["undeclared"] == ["web/shop: tag sw branch-", "web/site: tag sw branch-"]
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=rf"remove 2 .*web/shop: tag sw branch-, web/site.*confirm_removal to '{standin.dtr_host}'"):
            run_module(NAME, check=check, **wanted, repositories=["*"], exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, repositories=["*"], exclusive=True, confirm_removal=standin.dtr_host)
    assert removed["changes"] == [
        {"key": f"{name}: tag sw branch-", "action": "deleted", "fields": ["enabled", "repository", "rules"]}
        for name in ("web/shop", "web/site")]
    assert (len(ids(standin)), ids(standin, "web/site")) == (1, [])


def test_every_page_is_read(standin, run_module, shop, monkeypatch):
    wanted = [{"repository": "web/shop", "rules": [rule("tag", "eq", f"t{number}")]} for number in range(37)]
    run_module(NAME, policies=wanted)
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.PAGE", 10)
    assert run_module(NAME, policies=wanted)["counts"]["unchanged"] == 37
    standin.options.paging_headers = False
    assert run_module(NAME, policies=wanted)["counts"]["unchanged"] == 37


def test_check_mode_tells_what_would_be_pruned(standin, run_module, shop, monkeypatch):
    for tag in ("branch-b", "branch-a", "main"):
        plant(standin, f"web/shop:{tag}")
    run_module(NAME, policies=[{"repository": "web/site", "rules": [OLD]}])
    standin.writes.clear()
    wanted = [
        {"repository": "web/shop", "rules": [BRANCH]}, {"repository": "web/shop", "rules": [OLD]},
        {"repository": "web/new", "rules": [BRANCH]},
        {"repository": "web/shop", "rules": [rule("tag", "eq", "main")], "enabled": False}, {"repository": "web/site", "rules": [OLD]}]
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.PAGE", 1)
    assert run_module(NAME, check=True, policies=wanted)["would_prune"] == {
        "web/shop: tag sw branch-": ["branch-a", "branch-b"], "web/shop: updated_at_duration bf 720h": [], "web/new: tag sw branch-": []}
    assert {write.path for write in standin.writes} <= {"/api/v0/repositories/web/shop/pruningPolicies/test",
                                                        "/api/v0/repositories/web/new/pruningPolicies/test"}


def test_existing_tags_are_pruned_at_once_only_when_asked_for(standin, run_module, shop):
    plant(standin, "web/shop:branch-a")
    run_module(NAME, policies=[{"repository": "web/shop", "rules": [BRANCH]}])
    assert standin.tags.find("web", "shop", "branch-a")
    run_module(NAME, policies=[{"repository": "web/shop", "rules": [rule("tag", "c", "ranch")]}], evaluate_existing=True)
    assert not standin.tags.find("web", "shop", "branch-a")


def test_check_mode_plans_for_a_repository_that_does_not_exist_yet(standin, run_module):
    wanted = [{"repository": "new/base", "rules": [OLD]}]
    assert run_module(NAME, check=True, policies=wanted)["counts"]["created"] == 1
    with pytest.raises(ModuleFailed, match=r"pruning policy 'new/base: .*': create failed: .*404.*NO_SUCH"):
        run_module(NAME, policies=wanted)


def test_a_failure_half_way_tells_what_was_done(standin, run_module, shop):
    standin.faults.add(match="POST /api/v0/repositories/*", kind="status", status=500, times=1, after=1)
    wanted = [{"repository": "web/shop", "rules": [rule("tag", "eq", name)]} for name in "abc"]
    with pytest.raises(ModuleFailed, match="1 of 3 changes were made; when the cause is mended, run this again") as failed:
        run_module(NAME, policies=wanted, threads=1)
    assert [change["key"] for change in failed.value.result["changes"]] == ["web/shop: tag eq a"]
    assert run_module(NAME, policies=wanted)["counts"] == {"created": 2, "updated": 0, "deleted": 0, "unchanged": 1}


def test_without_the_right_nothing_changes(standin, run_module, shop):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    run_module("dtr_repository", repositories=[{"name": "web/shop", "visibility": "public"}])
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
        run_module(NAME, policies=[{"repository": "web/shop", "rules": [OLD]}], username="mallory", password="s3cret-of-a-user")
    assert not ids(standin)


@pytest.mark.parametrize(("wanted", "says"), [
    ([{"repository": "shop", "rules": [OLD]}], "'shop' is no repository. Give namespace/name"),
    ([{"repository": "web/shop", "rules": []}], "of 'web/shop': without rules it would delete every tag"),
    ([{"repository": "web/shop", "rules": [rule("tag", "bf", "x")]}], "a rule on tag cannot have the operator 'bf'. Use one of eq, sw"),
    ([{"repository": "web/shop", "rules": [rule("age", "bf", "x")]}], "value of field must be one of"),
    ([{"repository": "web/shop", "rules": [OLD]}, {"repository": "web/shop", "rules": [rule("updated_at_duration", "bf", "43200m")]}],
     r"policies\[0\] and policies\[1\] both stand for 'web/shop: updated_at_duration bf 720h'"),
])
def test_bad_input_changes_nothing(standin, run_module, shop, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, policies=wanted)
    assert not standin.writes


@pytest.mark.parametrize("name", ["web", "", "../..", "Web/shop"])
def test_a_repository_that_cannot_be_one_is_refused(run_module, name):
    with pytest.raises(ModuleFailed, match=f"repositories: '{name}' is no repository. Give namespace/name"):
        run_module(NAME, policies=[], repositories=[name])


def test_failures(fails):
    fails(NAME, policies=[{"repository": "web/shop", "rules": [OLD]}])
