# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed

from lab.images import plant

NAME = "dtr_tag"
RELEASE = {"repository": "web/shop", "name": "1.0-rc", "state": "promoted", "target_repository": "live/shop", "target_tag": "1.0"}
SAME = ("changed", "changes", "counts", "diff")


@pytest.fixture
def shop(standin, run_module):
    """A source with three tags, and a target."""
    for name in ("web", "live"):
        standin.accounts.create({"name": name, "isOrg": True})
    run_module("dtr_repository", repositories=[{"name": "web/shop"}, {"name": "live/shop"}])
    for tag in ("1.0-rc", "2.0-rc", "old"):
        plant(standin, f"web/shop:{tag}")
    standin.writes.clear()


def digest(standin, tag, repository="web/shop"):
    found = standin.tags.find(*repository.split("/"), tag)
    return found and found["digest"]


def absent(tag):
    return {"repository": "web/shop", "name": tag, "state": "absent"}


def test_promoted_and_deleted_then_left_alone(standin, run_module, shop):
    wanted = [RELEASE, {**RELEASE, "name": "2.0-rc", "target_tag": None}, absent("old")]
    first, second, old = (digest(standin, tag) for tag in ("1.0-rc", "2.0-rc", "old"))
    planned = run_module(NAME, check=True, tags=wanted)
    assert not standin.writes
    made = run_module(NAME, tags=wanted)
    assert {key: planned[key] for key in SAME} == {key: made[key] for key in SAME}
    assert made["changes"] == [
        {"key": "live/shop:1.0", "action": "created", "fields": ["digest"]},
        {"key": "live/shop:2.0-rc", "action": "created", "fields": ["digest"]},
        {"key": "web/shop:old", "action": "deleted", "fields": ["digest"]}]
    assert made["diff"] == {
        "before": {"web/shop:old": {"digest": old}}, "after": {"live/shop:1.0": {"digest": first}, "live/shop:2.0-rc": {"digest": second}}}
    assert "undeclared" not in made
    assert [write.query for write in standin.writes if write.method == "DELETE"] == [{"domain": standin.dtr_host}]
    assert (digest(standin, "1.0", "live/shop"), digest(standin, "2.0-rc", "live/shop"), digest(standin, "old")) == (first, second, None)
    standin.writes.clear()
    again = run_module(NAME, tags=wanted)
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 3, [])


def test_a_target_of_another_image_is_overwritten(standin, run_module, shop):
    before, after = plant(standin, "live/shop:1.0"), digest(standin, "1.0-rc")
    changed = run_module(NAME, tags=[RELEASE])
    assert changed["changes"] == [{"key": "live/shop:1.0", "action": "updated", "fields": ["digest"]}]
    assert changed["diff"] == {"before": {"live/shop:1.0": {"digest": before}}, "after": {"live/shop:1.0": {"digest": after}}}
    assert (len(standin.writes), digest(standin, "1.0", "live/shop")) == (1, after)


def test_a_target_of_the_same_image_is_left_alone(standin, run_module, shop):
    plant(standin, "live/shop:1.0", digest=digest(standin, "1.0-rc"))
    assert not run_module(NAME, tags=[RELEASE])["changed"]
    assert not standin.writes


def test_an_immutable_target_is_not_overwritten(standin, run_module, shop):
    before = plant(standin, "live/shop:1.0")
    run_module("dtr_repository", repositories=[{"name": "live/shop", "immutable_tags": True}])
    with pytest.raises(ModuleFailed, match=r"'live/shop:1.0': update failed: .*cannot be overwritten because .*live/shop is an immutable"):
        run_module(NAME, tags=[RELEASE])
    assert digest(standin, "1.0", "live/shop") == before


def test_a_move_can_be_repeated(standin, run_module, shop):
    wanted = [RELEASE, absent("1.0-rc")]
    assert run_module(NAME, tags=wanted)["counts"] == {"created": 1, "updated": 0, "deleted": 1, "unchanged": 0}
    standin.writes.clear()
    assert run_module(NAME, tags=wanted)["counts"] == {"created": 0, "updated": 0, "deleted": 0, "unchanged": 2}
    assert not standin.writes


def test_what_does_not_exist_cannot_be_promoted(standin, run_module, shop):
    plant(standin, "live/shop:1.0")
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=r"tag 'web/shop:3.0-rc' does not exist and cannot be promoted. Push it first"):
            run_module(NAME, check=check, tags=[{**RELEASE, "name": "3.0-rc"}, absent("old")])
    assert not standin.writes


def test_a_signed_tag_is_not_deleted(standin, run_module, shop):
    standin.tags.sign("web", "shop", "2.0-rc")
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=r"tag 'web/shop:2.0-rc' is signed and cannot be deleted. Remove its trust data first"):
            run_module(NAME, check=check, tags=[absent("old"), absent("2.0-rc")])
    assert not standin.writes
    assert digest(standin, "old")


@pytest.fixture
def outdated(monkeypatch):
    """The listing shows two tags as they were a moment ago."""
    listing = [{"name": tag, "digest": "sha256:1", "inNotary": False} for tag in ("2.0-rc", "gone")]
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.Dtr.pages", lambda *parts, **more: listing)


def test_a_tag_deleted_meanwhile_counts_as_deleted(standin, run_module, shop, outdated):
    assert run_module(NAME, tags=[absent("gone")])["counts"]["deleted"] == 1


def test_a_tag_signed_meanwhile_is_told(standin, run_module, shop, outdated):
    standin.tags.sign("web", "shop", "2.0-rc")
    with pytest.raises(ModuleFailed, match=r"delete failed: tag 'web/shop:2.0-rc' is signed.* 0 of 1 changes were made"):
        run_module(NAME, tags=[absent("2.0-rc")])
    assert digest(standin, "2.0-rc")


def test_gone_already(standin, run_module, shop):
    gone = [absent("never"), {**absent("x"), "repository": "web/never"}]
    assert run_module(NAME, tags=gone)["counts"]["unchanged"] == 2
    assert not standin.writes


def test_every_page_is_read(standin, run_module, shop, monkeypatch):
    for number in range(37):
        plant(standin, f"web/shop:t{number}")
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.PAGE", 10)
    wanted = [absent(f"t{number}") for number in range(37)]
    assert run_module(NAME, check=True, tags=wanted)["counts"]["deleted"] == 37
    standin.options.paging_headers = False
    assert run_module(NAME, tags=wanted)["counts"]["deleted"] == 37


def test_a_failure_half_way_tells_what_was_done(standin, run_module, shop):
    standin.faults.add(match="DELETE /api/v0/repositories/*", kind="status", status=500, times=1, after=1)
    wanted = [absent(tag) for tag in ("1.0-rc", "2.0-rc", "old")]
    with pytest.raises(ModuleFailed, match="1 of 3 changes were made; when the cause is mended, run this again") as failed:
        run_module(NAME, tags=wanted, threads=1, retries=0)
    assert failed.value.result["changes"] == [{"key": "web/shop:1.0-rc", "action": "deleted", "fields": ["digest"]}]
    assert run_module(NAME, tags=wanted)["counts"] == {"created": 0, "updated": 0, "deleted": 2, "unchanged": 1}


def test_without_the_right_nothing_changes(standin, run_module, shop):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    run_module("dtr_repository", repositories=[{"name": "web/shop", "visibility": "public"}])
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
        run_module(NAME, tags=[absent("old")], username="mallory", password="s3cret-of-a-user")
    assert digest(standin, "old")


@pytest.mark.parametrize(("wanted", "says"), [
    ([{**RELEASE, "repository": "shop"}], "'shop' is no repository"),
    ([{**RELEASE, "target_repository": "live"}], "target of tag 'web/shop:1.0-rc': 'live' is no repository"),
    ([{**RELEASE, "target_tag": "a b"}], "'a b' is no tag. Give up to 128"),
    ([{"repository": "web/shop", "name": "old", "state": "promoted"}], "promoted but all of the following are missing: target_repository"),
    ([{**RELEASE, "target_repository": None}], "target of tag 'web/shop:1.0-rc': '' is no repository"),
    ([{**absent("old"), "target_tag": "x"}], "state absent deletes and has no target_tag. Leave that out, or set state to promoted"),
    ([{"repository": "web/shop", "name": "old"}], "missing required arguments: state"),
    ([RELEASE, {**RELEASE, "name": "2.0-rc"}], r"tags\[0\] and tags\[1\] both stand for 'live/shop:1.0'"),
])
def test_bad_input_changes_nothing(standin, run_module, shop, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, tags=wanted)
    assert not standin.writes


def test_failures(fails):
    fails(NAME, tags=[absent("old")])
