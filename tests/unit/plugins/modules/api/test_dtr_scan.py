# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import sys
import threading

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_jobs
from api_modules import ModuleFailed, connection, run
from scan_jobs import Slow, prepare

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "lab"))

from images import digest_of, dpkg_layer, image, index, plant, push

NAME = "dtr_scan"
BASE = {"repository": "ops/base", "tag": "1.0"}
BASE_NAME = "ops/base:1.0 linux/amd64"
OLD = {"openssl": "3.0.11-1~deb12u1", "bash": "5.2.15-2+b2"}          # one critical, one minor
OLDER = {"openssl": "3.0.10-1", "zlib1g": "1:1.2.13.dfsg-1"}         # one critical, two major


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(_dtr_jobs, "PAUSES", (0.02, 1.5, 0.2))


@pytest.fixture
def base(standin):
    """An empty image in a registry that can scan."""
    prepare(standin)
    return plant(standin, "ops/base:1.0")


def test_what_is_missing_is_scanned_once(standin, run_module, base):
    planned = run_module(NAME, check=True, images=[BASE])
    assert (planned["changed"], planned["started"], standin.writes) == (True, [BASE_NAME], [])
    done = run_module(NAME, images=[BASE])
    assert (done["changed"], done["started"], done["waiting"]) == (True, [BASE_NAME], False)
    found = done["images"][0]
    assert {name: found[name] for name in ("repository", "tag", "os", "architecture", "digest", "state", "critical", "major", "minor")} == {
        **BASE, "os": "linux", "architecture": "amd64", "digest": base, "state": "completed", "critical": 0, "major": 0, "minor": 0}
    assert done["progress"] == "scans: 1 of 1 images done"
    standin.writes.clear()
    again = run_module(NAME, images=[BASE])
    assert (again["changed"], again["started"], standin.writes) == (False, [], [])


def test_always_waits_for_a_new_result(standin, run_module, base):
    first = run_module(NAME, images=[BASE])["images"][0]
    again = run_module(NAME, images=[BASE], start="always")
    assert again["changed"]
    assert again["images"][0]["checked_at"] > first["checked_at"] == again["images"][0]["checked_after"]


def test_a_scan_under_way_is_waited_for(standin, run_module, base):
    slow = Slow(standin)
    assert run_module(NAME, images=[BASE], wait=False)["images"][0]["state"] == "unscanned"
    standin.writes.clear()
    slow.end_in(0.3)
    done = run_module(NAME, images=[BASE], start="always")
    assert (done["changed"], done["images"][0]["state"], standin.writes) == (False, "completed", [])


def test_none_is_started(standin, run_module, base):
    seen = run_module(NAME, images=[BASE], start="never")
    assert (seen["changed"], seen["images"][0]["state"], standin.writes) == (False, "unscanned", [])


def test_a_result_can_be_too_old(standin, run_module, base):
    run_module(NAME, images=[BASE])
    planned = run_module(NAME, check=True, images=[{**BASE, "checked_after": "2020-01-01T00:00:00Z"}])
    assert planned["started"] == []
    planned = run_module(NAME, check=True, images=[{**BASE, "checked_after": "2099-01-01T00:00:00Z"}])
    assert planned["started"] == [BASE_NAME]


def test_time_over_is_a_failure_or_a_result_and_taken_up_again(standin, run_module, base):
    slow = Slow(standin)
    with pytest.raises(ModuleFailed, match=r"1 scans have not ended in time, .*\nimage .*\nops/base:1.0 linux/amd64 +pending") as failed:
        run_module(NAME, images=[BASE], wait_timeout=1)
    assert failed.value.result["changed"] is True
    begun = run_module(NAME, images=[BASE], wait_timeout=0, on_timeout="return")
    assert (begun["waiting"], begun["progress"]) == (True, f"scans: 0 of 1 images done; {BASE_NAME} is pending")
    slow.end_in(0.2)
    assert run_module(NAME, images=[BASE])["images"][0]["state"] == "completed"


def test_a_registry_that_is_away_for_a_while_is_waited_for(standin, run_module, base):
    slow = Slow(standin)
    run_module(NAME, images=[BASE], wait=False)
    strikes = standin.faults.add(match="GET *", kind="status", status=503, times=4, after=2)
    slow.end_in(0.3)
    assert run_module(NAME, images=[BASE])["images"][0]["state"] == "completed"
    assert strikes.struck == 4


def test_a_registry_that_stays_away(standin, run_module, base):
    standin.faults.add(match="GET *", kind="status", status=503, times=1000)
    seen = run_module(NAME, images=[BASE], start="never", wait_timeout=1, on_timeout="return")
    assert (seen["state"], seen["waiting"], seen["images"][0]["repository"]) == ("unknown", True, "ops/base")
    assert "answered 503" in seen["trouble"]


def test_a_scan_that_fails(standin, run_module, base):
    Slow(standin).end_in(0.2).fails = True
    with pytest.raises(ModuleFailed, match=r"1 of 1 images have no result:\nimage .*\nops/base:1.0 linux/amd64 +failed"):
        run_module(NAME, images=[BASE])


def test_a_tag_that_was_pushed_again(standin, run_module, base):
    Slow(standin)
    threading.Timer(0.3, lambda: plant(standin, "ops/base:1.0", digest=digest_of(b"another"))).start()
    with pytest.raises(ModuleFailed, match=rf"image '{BASE_NAME}': .* has none with the digest {base}; the tag may have been pushed again"):
        run_module(NAME, images=[BASE])


def test_all_platforms_of_a_tag_and_the_limits(standin_with_registry):
    standin = standin_with_registry
    prepare(standin)
    options = connection(standin, NAME)
    push(standin, "ops/base:1.0", index(image(dpkg_layer(OLD)), image(dpkg_layer(OLDER), architecture="arm64")))
    push(standin, "ops/base:good", image(dpkg_layer({"bash": "5.2.15-2+b2"})))
    done = run(NAME, {**options, "images": [BASE, {**BASE, "tag": "good"}]})
    assert [(one["tag"], one["architecture"], one["critical"], one["major"], one["minor"]) for one in done["images"]] == [
        ("1.0", "amd64", 1, 0, 1), ("1.0", "arm64", 1, 2, 0), ("good", "amd64", 0, 0, 1)]
    assert len(done["started"]) == 3
    with pytest.raises(ModuleFailed, match="of 3 images have more vulnerabilities than allowed") as failed:
        run(NAME, {**options, "images": [BASE, {**BASE, "tag": "good"}], "fail_above": {"critical": 0, "major": 1}})
    assert failed.value.result["msg"].splitlines() == [
        "2 of 3 images have more vulnerabilities than allowed (critical 0, major 1) or no result:",
        "image                     critical     major     minor",
        "ops/base:1.0 linux/amd64         1         0         1",
        "ops/base:1.0 linux/arm64         1         2         0",
    ]
    assert len(failed.value.result["images"]) == 3
    arm = {**BASE, "architecture": "arm64"}
    assert run(NAME, {**options, "images": [arm, BASE], "fail_above": {"critical": 1, "major": 2}})["images"][0]["architecture"] == "arm64"


def test_a_gate_needs_results(standin, run_module, base):
    with pytest.raises(ModuleFailed, match=r"1 of 1 images .*\(critical 0\) or no result:\nimage .*\nops/base:1.0 linux/amd64 +unscanned"):
        run_module(NAME, images=[BASE], start="never", fail_above={"critical": 0})
    assert run_module(NAME, check=True, images=[BASE], fail_above={"critical": 0})["started"] == [BASE_NAME]


def test_a_registry_that_cannot_scan(standin, run_module):
    standin.accounts.create({"name": "ops", "isOrg": True})
    run_module("dtr_repository", repositories=[{"name": "ops/base"}])
    plant(standin, "ops/base:1.0")
    standin.writes.clear()
    with pytest.raises(ModuleFailed, match=r"scanning is not enabled\. Set scanning_enabled with dtr_settings"):
        run_module(NAME, images=[BASE])
    run_module("dtr_settings", settings={"scanning_enabled": True})
    standin.writes.clear()
    with pytest.raises(ModuleFailed, match=r"no database of vulnerabilities yet\. Load it with dtr_vulnerability_db"):
        run_module(NAME, images=[BASE])
    standin.misc.features["scanningLicensed"] = False
    with pytest.raises(ModuleFailed, match="the licence does not include scanning"):
        run_module(NAME, images=[BASE])
    assert not standin.writes


def test_starting_needs_write_access(standin, run_module, base):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    run_module("dtr_repository", repositories=[{"name": "ops/base", "visibility": "public"}])
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
        run_module(NAME, images=[BASE], username="mallory", password="s3cret-of-a-user")
    assert run_module(NAME, images=[BASE], start="never", username="mallory", password="s3cret-of-a-user")["images"]


@pytest.mark.parametrize(("options", "says"), [
    ({"images": [{**BASE, "tag": "2.0"}]}, "image 'ops/base:2.0': .* has none. Check repository, tag and platform"),
    ({"images": [{**BASE, "repository": "ops/none"}]}, "image 'ops/none:1.0': .* has none"),
    ({"images": [{**BASE, "os": "windows"}]}, "image 'ops/base:1.0 windows': .* has none"),
    ({"images": [{**BASE, "digest": "sha256:0"}]}, "has none with the digest sha256:0"),
    ({"images": [{**BASE, "checked_after": "yesterday"}]}, r"images\[0\].checked_after: 'yesterday' is no time"),
    ({"images": [BASE], "wait": False, "fail_above": {"critical": 0}}, "fail_above: without wait"),
])
def test_bad_input_changes_nothing(standin, run_module, base, options, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, **options)
    assert not standin.writes


def test_failures(fails):
    fails(NAME, images=[BASE])
