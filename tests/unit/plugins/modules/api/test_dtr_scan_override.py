# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed
from scan_jobs import prepare
from scanned_images import LAYER, scanned

NAME = "dtr_scan_override"
SECRET = "s3cret-of-a-user"
FIRST = {"layer": LAYER, "component": "openssl", "version": "3.0.11-1", "cve": "CVE-2099-0001"}
SECOND = {"layer": LAYER, "component": "bash", "version": "5.2.15-2", "cve": "CVE-2099-0003"}
FIRST_KEY = f"{LAYER}/openssl/3.0.11-1/CVE-2099-0001"
SECOND_KEY = f"{LAYER}/bash/5.2.15-2/CVE-2099-0003"
FIELDS = ["component", "cve", "layer", "notes", "version"]


@pytest.fixture
def base(standin):
    """An image that was scanned."""
    prepare(standin)
    return scanned(standin, "ops/base:1.0")


def counts(standin, dtr):
    """The counts of the image as the registry tells them."""
    [summary] = dtr("GET", "/api/v0/imagescan/scansummary/repositories/ops/base/1.0").json()
    return tuple(summary["scannedImage"]["totalVulnCount"].values())


def test_hidden_then_left_alone(standin, run_module, dtr, base):
    assert counts(standin, dtr) == (1, 1, 1)
    wanted = [{**FIRST, "notes": "Does not apply"}, SECOND]
    planned = run_module(NAME, check=True, overrides=wanted)
    assert not standin.writes
    made = run_module(NAME, overrides=wanted)
    assert {key: planned[key] for key in ("changed", "changes", "counts", "diff")} == {
        key: made[key] for key in ("changed", "changes", "counts", "diff")}
    assert made["counts"] == {"created": 2, "updated": 0, "deleted": 0, "unchanged": 0}
    assert made["diff"] == {"before": {}, "after": {FIRST_KEY: {**FIRST, "notes": "Does not apply"}, SECOND_KEY: {**SECOND, "notes": ""}}}
    assert counts(standin, dtr) == (0, 1, 0)
    standin.writes.clear()
    again = run_module(NAME, overrides=wanted)
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 2, [])


def test_other_notes_are_set_anew(standin, run_module, base):
    run_module(NAME, overrides=[{**FIRST, "notes": "Old"}, {**SECOND, "notes": "Stays"}])
    standin.writes.clear()
    changed = run_module(NAME, overrides=[{**FIRST, "notes": "New"}, SECOND])
    assert changed["changes"] == [{"key": FIRST_KEY, "action": "updated", "fields": ["notes"]}]
    assert changed["diff"] == {"before": {FIRST_KEY: {"notes": "Old"}}, "after": {FIRST_KEY: {"notes": "New"}}}
    assert [exchange.method for exchange in standin.writes] == ["DELETE", "POST"]
    assert sorted(doc["notes"] for doc in standin.store.all("override")) == ["New", "Stays"]


def test_shown_again_and_gone_already(standin, run_module, dtr, base):
    run_module(NAME, overrides=[FIRST])
    gone = run_module(NAME, overrides=[{**FIRST, "state": "absent"}, {**SECOND, "state": "absent"}])
    assert gone["counts"] == {"created": 0, "updated": 0, "deleted": 1, "unchanged": 1}
    assert standin.store.all("override") == []
    assert counts(standin, dtr) == (1, 1, 1)


def test_one_that_is_there_twice_goes_as_one(standin, run_module, base):
    run_module(NAME, overrides=[FIRST])
    [known] = standin.store.all("override")
    standin.store.put("override", "another", {**known, "pk": "another"})
    run_module(NAME, overrides=[{**FIRST, "state": "absent"}])
    assert standin.store.all("override") == []


def test_undeclared_is_reported_and_removed_only_on_confirmation(standin, run_module, base):
    run_module(NAME, overrides=[FIRST, SECOND])
    wanted = {"overrides": [FIRST]}
    assert run_module(NAME, **wanted)["undeclared"] == [SECOND_KEY]
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=rf"remove 1 .*CVE-2099-0003.*confirm_removal to '{standin.dtr_host}'"):
            run_module(NAME, check=check, **wanted, exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, exclusive=True, confirm_removal=standin.dtr_host)
    assert removed["changes"] == [{"key": SECOND_KEY, "action": "deleted", "fields": FIELDS}]
    assert [doc["cve"] for doc in standin.store.all("override")] == ["CVE-2099-0001"]


def test_a_layer_that_was_never_scanned(standin, run_module, base):
    other = {**SECOND, "layer": "sha256:" + "0" * 64}
    with pytest.raises(ModuleFailed, match=r"'sha256:0000.*: create failed: .*404 .NO_SUCH_LAYER.*1 of 2 changes were made") as failed:
        run_module(NAME, overrides=[FIRST, other], threads=1)
    assert failed.value.result["changes"] == [{"key": FIRST_KEY, "action": "created", "fields": FIELDS}]


def test_without_the_right_nothing_changes(standin, run_module, base):
    standin.accounts.create({"name": "mallory", "password": SECRET})
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
        run_module(NAME, overrides=[FIRST], username="mallory", password=SECRET)
    assert standin.store.all("override") == []


@pytest.mark.parametrize(("wanted", "says"), [
    ([{**FIRST, "cve": None}], r"overrides\[0\]\.cve is required but empty"),
    ([{**FIRST, "layer": "base"}], "override of CVE-2099-0001: layer 'base' is no digest"),
    ([FIRST, {**FIRST, "notes": "x"}], r"overrides\[0\] and overrides\[1\] both stand for 'sha256:.*/CVE-2099-0001'"),
])
def test_bad_input_changes_nothing(standin, run_module, base, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, overrides=wanted)
    assert not standin.writes


def test_failures(fails):
    fails(NAME, overrides=[FIRST])
