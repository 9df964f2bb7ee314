# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
import stat

import pytest
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.module_run import run_module
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.store_factory import StoreFactory


@pytest.fixture
def site(tmp_path):
    made = StoreFactory(tmp_path / "store")
    made.app = made.image("team/app", "1.0")
    return made


@pytest.fixture
def look(site):
    return lambda **options: run_module("registry_verify", **{"path": str(site.root), **options})


def test_a_whole_store_and_its_report(site, look, tmp_path):
    found = look(contents="all", report=str(tmp_path / "report.json"))
    assert (found["severity"], found["findings"], found["repaired"], found["changed"]) == ("none", [], [], False)
    assert found["store"] == {
        "repositories": 1, "tags": 1, "manifests": 1, "blobs": 4, "bytes": sum(path.stat().st_size for path in site.top.rglob("data"))}
    assert found["hashed"]["blobs"] == 3
    assert json.loads((tmp_path / "report.json").read_text())["severity"] == "none"
    assert stat.S_IMODE((tmp_path / "report.json").stat().st_mode) == 0o600


def test_damage_fails_with_what_to_do_and_all_that_was_found(site, look):
    for digest in site.needs(site.app):
        site.blob_path(digest).unlink()
    found = look()
    assert found["failed"] and found["counts"] == {"blob_missing": 3}
    assert "needs blob sha256:" in found["msg"] and "Mend: restore the blob from a backup" in found["msg"] and "2 more" in found["msg"]
    assert not look(fail_on="never").get("failed")


def test_warnings_fail_only_where_they_are_to(site, look):
    site.blob_path(site.layer("team/app", b"of before")).unlink()
    assert look()["severity"] == "warning" and not look().get("failed")
    assert look(fail_on="warning")["failed"]


def test_repair_in_check_mode_and_in_earnest(site, look):
    link = site.layer_link("team/app", site.needs(site.app)[0])
    link.unlink()
    would = look(repair=["layer_unlinked"], check=True)
    assert would["changed"] and would["failed"] and len(would["repaired"]) == 1 and not link.exists()
    done = look(repair=["layer_unlinked"])
    assert done["changed"] and done["severity"] == "none" and link.exists()
    assert not look(repair=["layer_unlinked"])["changed"]


def test_check_mode_counts_a_link_that_two_images_lack_once(site, look, tmp_path):
    site.tag("team/app", "2.0", site.manifest("team/app", {"schemaVersion": 2, "layers": [{"digest": site.needs(site.app)[1]}]}))
    site.layer_link("team/app", site.needs(site.app)[1]).unlink()
    found = look(check=True, repair=["layer_unlinked"], fail_on="never", report=str(tmp_path / "report.json"))
    assert len(found["findings"]) == 2 and len(found["repaired"]) == 1
    assert not (tmp_path / "report.json").exists()


def test_many_findings_are_kept_in_the_report_only(site, look, tmp_path):
    for number in range(150):
        site.tag_link("team/app", "1.0").parents[1].with_name(f"tag-{number}").mkdir()
        site.tag("team/app", f"tag-{number}", f"sha256:{number:064x}")
    found = look(fail_on="never", report=str(tmp_path / "report.json"))
    assert len(found["findings"]) == 100 and found["counts"] == {"tag_dangling": 150}
    assert len(json.loads((tmp_path / "report.json").read_text())["findings"]) == 150


@pytest.mark.parametrize(("options", "words"), [
    ({"path": "/nonexistent"}, "/nonexistent holds no store"),
    ({"repositories": ["team/ap"]}, "repositories: team/ap not in the store"),
    ({"sample": 0}, "sample is a share of the blobs in percent"),
    ({"report": "/nonexistent/report.json"}, "cannot read the store, or write what was found: .*No such file"),
])
def test_bad_input(look, options, words):
    found = look(**options)
    assert found["failed"]
    assert re.search(words, found["msg"])
