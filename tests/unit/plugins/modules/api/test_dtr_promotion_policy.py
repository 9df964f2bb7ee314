# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed

from lab.images import plant

NAME = "dtr_promotion_policy"
STABLE = {"field": "tag", "operator": "ew", "values": ["-stable"]}
CLEAN = {"field": "vulnerability_critical", "operator": "eq", "values": ["0"]}
TO_LIVE = {"repository": "web/shop", "target_repository": "live/shop"}
KEY = "web/shop -> live/shop: tag ew -stable & vulnerability_critical eq 0"
FIELDS = ["enabled", "repository", "rules", "tag_template", "target_repository"]
SAME = ("changed", "changes", "counts", "diff", "undeclared")


@pytest.fixture
def shop(standin, run_module):
    """Two sources and a target."""
    for name in ("web", "live"):
        standin.accounts.create({"name": name, "isOrg": True})
    run_module("dtr_repository", repositories=[{"name": name} for name in ("web/shop", "web/site", "live/shop")])
    standin.writes.clear()


def of(standin, repository="web/shop"):
    return standin.policies.promotion.of(repository)


def test_created_then_left_alone(standin, run_module, shop):
    wanted = [{**TO_LIVE, "rules": [STABLE, CLEAN]}, {**TO_LIVE, "repository": "web/site", "tag_template": "site-%n", "enabled": False}]
    planned = run_module(NAME, check=True, policies=wanted)
    assert not standin.writes
    made = run_module(NAME, policies=wanted)
    assert {key: planned[key] for key in SAME} == {key: made[key] for key in SAME}
    assert made["changes"] == [
        {"key": KEY, "action": "created", "fields": FIELDS},
        {"key": "web/site -> live/shop: every tag", "action": "created", "fields": FIELDS}]
    assert made["diff"] == {"before": {}, "after": {
        KEY: {**TO_LIVE, "rules": [STABLE, CLEAN], "tag_template": "%n", "enabled": True},
        "web/site -> live/shop: every tag": {
            **TO_LIVE, "repository": "web/site", "rules": [], "tag_template": "site-%n", "enabled": False}}}
    assert [write.query for write in standin.writes] == [{"initialEvaluation": "false"}] * 2
    standin.writes.clear()
    again = run_module(NAME, policies=wanted)
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 2, [])


def test_only_what_differs_is_changed(standin, run_module, shop):
    run_module(NAME, policies=[{**TO_LIVE, "rules": [CLEAN, STABLE], "tag_template": "%n-%Y"}])
    before = of(standin)[0]["id"]
    standin.writes.clear()
    assert not run_module(NAME, policies=[{**TO_LIVE, "rules": [STABLE, CLEAN]}])["changed"]   # a template that is not declared stays
    changed = run_module(NAME, policies=[{**TO_LIVE, "rules": [STABLE, CLEAN], "tag_template": "%n-%Y%m"}])
    assert changed["changes"] == [{"key": KEY, "action": "updated", "fields": ["tag_template"]}]
    assert changed["diff"] == {"before": {KEY: {"tag_template": "%n-%Y"}}, "after": {KEY: {"tag_template": "%n-%Y%m"}}}
    assert [write.method for write in standin.writes] == ["PUT"]
    assert (of(standin)[0]["id"], of(standin)[0]["tagTemplate"]) == (before, "%n-%Y%m")


def test_deleted_and_gone_already(standin, run_module, shop):
    run_module(NAME, policies=[{**TO_LIVE, "rules": [STABLE]}])
    absent = [{**TO_LIVE, "repository": name, "rules": [STABLE], "state": "absent"} for name in ("web/shop", "web/site", "web/never")]
    assert run_module(NAME, policies=absent)["counts"] == {"created": 0, "updated": 0, "deleted": 1, "unchanged": 2}
    assert not of(standin)
    standin.writes.clear()
    assert not run_module(NAME, policies=absent)["changed"]
    assert not standin.writes


def test_a_repetition_on_the_server_is_undeclared_and_absent_removes_all(standin, run_module, shop):
    run_module(NAME, policies=[TO_LIVE])
    fields = {name: value for name, value in of(standin)[0].items() if name != "id"}
    standin.policies.promotion.create("web/shop", fields)
    key = "web/shop -> live/shop: every tag"
    found = run_module(NAME, policies=[TO_LIVE])
    assert (found["changed"], found["undeclared"]) == (False, [f"{key} (duplicate 2)"])
    gone = run_module(NAME, policies=[{**TO_LIVE, "state": "absent"}])
    assert (gone["counts"]["deleted"], gone["undeclared"], of(standin)) == (1, [], [])


def test_undeclared_is_reported_and_removed_only_on_confirmation(standin, run_module, shop):
    run_module(NAME, policies=[{**TO_LIVE, "rules": [STABLE]}, TO_LIVE, {**TO_LIVE, "repository": "web/site"}])
    wanted = {"policies": [{**TO_LIVE, "rules": [STABLE]}]}
    others = ["web/shop -> live/shop: every tag", "web/site -> live/shop: every tag"]
    assert run_module(NAME, **wanted)["undeclared"] == others[:1]
    assert run_module(NAME, **wanted, repositories=["web/site"])["undeclared"] == others
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=rf"remove 2 .*{others[0]}, {others[1]}.*confirm_removal to '{standin.dtr_host}'"):
            run_module(NAME, check=check, **wanted, repositories=["*"], exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, repositories=["*"], exclusive=True, confirm_removal=standin.dtr_host)
    assert removed["changes"] == [{"key": key, "action": "deleted", "fields": FIELDS} for key in others]
    assert (len(of(standin)), of(standin, "web/site")) == (1, [])


def test_every_page_of_repositories_is_read(standin, run_module, shop, monkeypatch):
    run_module("dtr_repository", repositories=[{"name": f"web/r{number:02}"} for number in range(23)])
    run_module(NAME, policies=[{**TO_LIVE, "repository": f"web/r{number:02}"} for number in range(23)])
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.PAGE", 5)
    assert len(run_module(NAME, policies=[], repositories=["*"])["undeclared"]) == 23


def test_existing_tags_are_promoted_only_when_asked_for(standin, run_module, shop):
    plant(standin, "web/shop:1-stable")
    run_module(NAME, policies=[{**TO_LIVE, "rules": [STABLE]}])
    assert not standin.tags.find("live", "shop", "1-stable")
    run_module(NAME, policies=[{**TO_LIVE, "rules": [STABLE], "tag_template": "x-%n"}], evaluate_existing=True)
    assert standin.tags.find("live", "shop", "x-1-stable")["digest"] == standin.tags.find("web", "shop", "1-stable")["digest"]


def test_check_mode_plans_for_repositories_that_do_not_exist_yet(standin, run_module):
    wanted = [{"repository": "new/base", "target_repository": "new/live"}]
    assert run_module(NAME, check=True, policies=wanted)["counts"]["created"] == 1
    with pytest.raises(ModuleFailed, match=r"promotion policy 'new/base -> new/live: every tag': create failed: .*404.*NO_SUCH"):
        run_module(NAME, policies=wanted)


def test_a_target_that_does_not_exist_is_told(standin, run_module, shop):
    with pytest.raises(ModuleFailed, match=r"400 \(INVALID_PROMOTION_POLICY: There is no target repository 'live/none'"):
        run_module(NAME, policies=[{**TO_LIVE, "target_repository": "live/none"}])
    assert not of(standin)


def test_a_failure_half_way_tells_what_was_done(standin, run_module, shop):
    standin.faults.add(match="POST /api/v0/repositories/*", kind="status", status=500, times=1, after=1)
    wanted = [{**TO_LIVE, "rules": [{"field": "tag", "operator": "eq", "values": [name]}]} for name in "abc"]
    with pytest.raises(ModuleFailed, match="1 of 3 changes were made; when the cause is mended, run this again") as failed:
        run_module(NAME, policies=wanted, threads=1)
    assert [change["key"] for change in failed.value.result["changes"]] == ["web/shop -> live/shop: tag eq a"]
    assert run_module(NAME, policies=wanted)["counts"] == {"created": 2, "updated": 0, "deleted": 0, "unchanged": 1}


def test_without_the_right_nothing_changes(standin, run_module, shop):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    run_module("dtr_repository", repositories=[{"name": name, "visibility": "public"} for name in ("web/shop", "live/shop")])
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
        run_module(NAME, policies=[TO_LIVE], username="mallory", password="s3cret-of-a-user")
    assert not of(standin)


@pytest.mark.parametrize(("wanted", "says"), [
    ([{**TO_LIVE, "repository": "shop"}], "'shop' is no repository. Give namespace/name"),
    ([{**TO_LIVE, "target_repository": "live"}], "to 'live': 'live' is no repository"),
    ([{**TO_LIVE, "tag_template": "%n-%Q"}], "tag_template '%n-%Q' has the unknown symbol '%Q'. Use %n for"),
    ([{**TO_LIVE, "rules": [{**CLEAN, "values": ["none"]}]}], "vulnerability_critical eq cannot have the value 'none'. Give a whole"),
    ([TO_LIVE, {**TO_LIVE, "enabled": False}], r"policies\[0\] and policies\[1\] both stand for 'web/shop -> live/shop: every tag'"),
])
def test_bad_input_changes_nothing(standin, run_module, shop, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, policies=wanted)
    assert not standin.writes


def test_failures(fails):
    fails(NAME, policies=[TO_LIVE])
