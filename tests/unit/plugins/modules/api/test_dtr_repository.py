# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from api_modules import ModuleFailed, run

NAME = "dtr_repository"
FIELDS = ["enable_manifest_lists", "immutable_tags", "long_description", "scan_on_push", "short_description", "tag_limit", "visibility"]


@pytest.fixture
def ops(standin):
    """An organization to put repositories into."""
    standin.accounts.create({"name": "ops", "isOrg": True})
    return "ops"


def test_created_then_left_alone(standin, run_module, ops):
    wanted = [{"name": "ops/base", "immutable_tags": True, "long_description": "# Base"}, {"name": "ops/web", "tag_limit": 5}]
    planned = run_module(NAME, check=True, repositories=wanted)
    assert not standin.writes
    made = run_module(NAME, repositories=wanted)
    assert {key: planned[key] for key in ("changed", "changes", "counts", "diff")} == {
        key: made[key] for key in ("changed", "changes", "counts", "diff")}
    assert made["counts"] == {"created": 2, "updated": 0, "deleted": 0, "unchanged": 0}
    assert made["diff"]["before"] == {}
    assert made["diff"]["after"]["ops/web"] == {
        "visibility": "private", "immutable_tags": False, "scan_on_push": False, "tag_limit": 5, "enable_manifest_lists": False,
        "short_description": "", "long_description": ""}
    standin.writes.clear()
    again = run_module(NAME, repositories=wanted)
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 2, [])


def test_only_what_differs_is_changed(standin, run_module, ops):
    run_module(NAME, repositories=[{"name": "ops/base", "scan_on_push": True, "short_description": "Base"}])
    standin.writes.clear()
    changed = run_module(NAME, repositories=[{"name": "ops/base", "visibility": "public"}])
    assert changed["changes"] == [{"key": "ops/base", "action": "updated", "fields": ["visibility"]}]
    assert changed["diff"] == {"before": {"ops/base": {"visibility": "private"}}, "after": {"ops/base": {"visibility": "public"}}}
    assert len(standin.writes) == 1
    assert standin.store.get("repository", "ops/base")["shortDescription"] == "Base"


def test_deleted_and_gone_already(standin, run_module, ops):
    run_module(NAME, repositories=[{"name": "ops/base"}])
    gone = run_module(NAME, repositories=[{"name": "ops/base", "state": "absent"}, {"name": "ops/never", "state": "absent"}])
    assert gone["counts"] == {"created": 0, "updated": 0, "deleted": 1, "unchanged": 1}
    assert standin.store.get("repository", "ops/base") is None


def test_undeclared_is_reported_and_removed_only_on_confirmation(standin, run_module, ops):
    run_module(NAME, repositories=[{"name": "ops/base"}, {"name": "ops/playground"}])
    wanted = {"repositories": [{"name": "ops/base"}]}
    assert run_module(NAME, **wanted)["undeclared"] == ["ops/playground"]
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=rf"remove 1 .*ops/playground.*confirm_removal to '{standin.dtr_host}'"):
            run_module(NAME, check=check, **wanted, exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, exclusive=True, confirm_removal=standin.dtr_host)
    assert removed["changes"] == [{"key": "ops/playground", "action": "deleted", "fields": FIELDS}]


def test_undeclared_is_looked_for_in_the_given_namespaces_only(standin, run_module, ops):
    standin.accounts.create({"name": "web", "isOrg": True})
    run_module(NAME, repositories=[{"name": name} for name in ("ops/base", "ops/playground", "web/shop")])
    wanted = {"repositories": [{"name": "ops/base"}], "namespaces": ["web"]}
    seen = run_module(NAME, **wanted)
    assert (seen["counts"]["unchanged"], seen["changed"], seen["undeclared"]) == (1, False, ["web/shop"])
    removed = run_module(NAME, **wanted, exclusive=True, confirm_removal=standin.dtr_host)
    assert [change["key"] for change in removed["changes"]] == ["web/shop"]
    assert run_module(NAME, repositories=[{"name": "ops/base"}], namespaces=["*"])["undeclared"] == ["ops/playground"]


@pytest.mark.parametrize("namespace", ["", "..", "ops/base", "o ps"])
def test_a_namespace_that_cannot_be_one_is_refused(run_module, namespace):
    with pytest.raises(ModuleFailed, match=f"namespace '{namespace}': this cannot be a name"):
        run_module(NAME, repositories=[], namespaces=[namespace])


def test_every_page_is_read(standin, run_module, ops, monkeypatch):
    wanted = [{"name": f"ops/r{number:03}"} for number in range(57)]
    run_module(NAME, repositories=wanted)
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.PAGE", 10)
    assert run_module(NAME, repositories=wanted)["counts"]["unchanged"] == 57
    standin.options.paging_headers = False   # they are a field observation: a server without them must be read to its end as well
    assert run_module(NAME, repositories=wanted)["counts"]["unchanged"] == 57


def test_check_mode_plans_for_a_namespace_that_does_not_exist_yet(standin, run_module):
    assert run_module(NAME, check=True, repositories=[{"name": "new/base"}])["counts"]["created"] == 1
    with pytest.raises(ModuleFailed, match=r"repository 'new/base': create failed: .*404.*NO_SUCH_ACCOUNT.*has to be there") as failed:
        run_module(NAME, repositories=[{"name": "new/base"}])
    assert failed.value.result["changed"] is False


def test_what_somebody_else_makes_meanwhile_is_told(standin, run_module, ops, monkeypatch):
    pages = _dtr.Dtr.pages

    def overtaken(client, *parts, **more):
        monkeypatch.setattr(_dtr.Dtr, "pages", pages)
        records = pages(client, *parts, **more)
        run_module(NAME, repositories=[{"name": "ops/base"}])
        return records

    monkeypatch.setattr(_dtr.Dtr, "pages", overtaken)
    with pytest.raises(ModuleFailed, match=r"REPOSITORY_EXISTS.*somebody else made it meanwhile.*Run this again"):
        run_module(NAME, repositories=[{"name": "ops/base"}])
    assert run_module(NAME, repositories=[{"name": "ops/base"}])["changed"] is False


def test_a_change_whose_answer_is_lost_may_have_been_made(standin, run_module, ops):
    standin.faults.add(match="POST /api/v0/repositories/*", kind="drop", late=True)
    with pytest.raises(ModuleFailed, match="Whether the change was made is not known") as failed:
        run_module(NAME, repositories=[{"name": "ops/base"}])
    assert failed.value.result["changed"] is True


def test_a_failure_half_way_tells_what_was_done(standin, run_module, ops):
    standin.faults.add(match="POST /api/v0/repositories/*", kind="status", status=500, times=1, after=1)
    wanted = [{"name": "ops/a"}, {"name": "ops/b"}, {"name": "ops/c"}]
    with pytest.raises(ModuleFailed, match="1 of 3 changes were made; when the cause is mended, run this again") as failed:
        run_module(NAME, repositories=wanted, threads=1)
    assert failed.value.result["changes"] == [{"key": "ops/a", "action": "created", "fields": FIELDS}]
    assert run_module(NAME, repositories=wanted)["counts"] == {"created": 2, "updated": 0, "deleted": 0, "unchanged": 1}


def test_without_the_right_nothing_changes(standin, run_module, ops):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
        run_module(NAME, repositories=[{"name": "ops/base"}], username="mallory", password="s3cret-of-a-user")
    assert standin.store.get("repository", "ops/base") is None


@pytest.mark.parametrize(("wanted", "says"), [
    ([{"name": None}], r"repositories\[0\]\.name is required but empty: is the variable behind it empty"),
    ([{"name": "base"}], "'base': the name must be namespace/name"),
    ([{"name": "Ops/base"}], "'Ops/base': the name must be"),
    ([{"name": "ops/" + "x" * 60}], "at most 55 characters"),
    ([{"name": "ops/base", "tag_limit": -1}], "'ops/base': tag_limit -1 is less than 0. Give 0 for no limit"),
    ([{"name": "ops/base", "immutable_tags": True, "tag_limit": 3}], "tag_limit 3 and immutable_tags exclude each other"),
    ([{"name": "ops/base"}, {"name": "ops/web"}, {"name": "ops/base"}],
     r"repositories\[0\] and repositories\[2\] both stand for 'ops/base'"),
])
def test_bad_input_changes_nothing(standin, run_module, ops, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, repositories=wanted)
    assert not standin.writes


def test_failures(fails):
    fails(NAME, repositories=[{"name": "ops/base"}])


def test_a_missing_host_is_told_with_the_places_to_give_it(monkeypatch):
    monkeypatch.delenv("DTR_HOST", raising=False)
    with pytest.raises(ModuleFailed, match=r"missing required arguments: host\. Give it in the task, in module_defaults, or .* DTR_HOST"):
        run(NAME, {"repositories": []})
