# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import stat

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_scan_facts as facts
from ansible_collections.dockyard.trusted_registry.plugins.modules import dtr_scan_info
from api_modules import ModuleFailed, connection, run
from scan_jobs import change, prepare
from scanned_images import BASH, LAYER, OPENSSL, images, scanned

NAME = "dtr_scan_info"
SECRET = "s3cret-of-a-user"
BASE = {"repository": "ops/base", "tag": "1.0"}
TAGS = "POST /api/v0/imagescan/scansummary/tags"


@pytest.fixture
def base(standin):
    """A scanned image in a registry that can scan; its digest."""
    prepare(standin)
    digest = scanned(standin, "ops/base:1.0")
    standin.exchanges.clear()
    return digest


def sent(standin):
    """The operations of the requests."""
    return [exchange.operation for exchange in standin.exchanges]


def counts(found):
    return found["critical"], found["major"], found["minor"]


def test_counts_of_an_image(standin, run_module, base):
    images.plant(standin, "ops/base:new")
    result = run_module(NAME, images=[BASE, {**BASE, "tag": "new"}])
    assert (result["changed"], result["cut"], len(result["images"])) == (False, False, 2)
    assert result["images"][0] == {
        **BASE, "digest": base, "os": "linux", "architecture": "amd64", "state": "completed", "critical": 1, "major": 1, "minor": 1,
        "checked_at": "2026-01-02T03:04:05Z", "should_rescan": False, "layers": None, "licenses": None, "components": None, "cut": False}
    assert (result["images"][1]["state"], counts(result["images"][1])) == ("unscanned", (0, 0, 0))
    assert run_module(NAME, check=True, images=[BASE, {**BASE, "tag": "new"}])["images"] == result["images"]
    assert not standin.writes


def test_counts_of_many_images_in_one_request(standin, run_module, base):
    small = {BASH: ["CVE-2099-0003"]}
    digests = {name: scanned(standin, f"ops/base:{name}", small, digest=images.digest_of(name.encode())) for name in "abc"}
    wanted = [{**BASE, "digest": base}, *({**BASE, "tag": name, "digest": digest} for name, digest in digests.items())]
    for check in (True, False):
        standin.exchanges.clear()
        result = run_module(NAME, check=check, images=[*wanted, {**BASE, "tag": "d", "digest": images.digest_of(b"none")}])
        assert sent(standin) == [TAGS]
    assert [(found["tag"], found["state"], counts(found)) for found in result["images"]] == [
        ("1.0", "completed", (1, 1, 1)), *((name, "completed", (0, 0, 1)) for name in "abc"), ("d", "unknown", (None, None, None))]
    assert (result["images"][0]["digest"], result["images"][0]["os"], result["changed"]) == (base, None, False)


def test_several_images_of_one_tag_are_told_apart(standin, run_module, base):
    other = scanned(standin, "ops/base:1.0", {OPENSSL: ["CVE-2099-0001"]}, digest=images.digest_of(b"arm"), architecture="arm64")
    result = run_module(NAME, images=[{**BASE, "digest": base}, {**BASE, "digest": other}, BASE])
    assert [(found["digest"], counts(found)) for found in result["images"]] == [
        (base, (1, 1, 1)), (other, (1, 0, 0)), (other, (1, 0, 0))]   # the tag itself stands for the later one
    assert sent(standin).count(TAGS) == 2


def test_details(standin, run_module, base):
    [found] = run_module(NAME, images=[BASE], details=True)["images"]
    assert (found["layers"], found["licenses"], found["cut"], counts(found)) == ([LAYER], ["MIT"], False, (1, 1, 1))
    assert found["components"] == [
        {"name": "openssl", "version": "3.0.11-1", "layer": LAYER, "critical": 1, "major": 1, "minor": 0,
         "cves": [{"cve": "CVE-2099-0001", "cvss": 9.8}, {"cve": "CVE-2099-0002", "cvss": 5.3}]},
        {"name": "bash", "version": "5.2.15-2", "layer": LAYER, "critical": 0, "major": 0, "minor": 1,
         "cves": [{"cve": "CVE-2099-0003", "cvss": 2.1}]}]
    [short] = run_module(NAME, images=[BASE], details=True, limit=1)["images"]
    assert ([part["name"] for part in short["components"]], short["cut"]) == (["openssl"], True)
    [whole] = run_module(NAME, images=[BASE], details=True, limit=0)["images"]
    assert (len(whole["components"]), whole["cut"]) == (2, False)


def test_details_of_what_was_never_scanned(standin, run_module, base):
    images.plant(standin, "ops/base:new")
    [found] = run_module(NAME, images=[{**BASE, "tag": "new"}], details=True)["images"]
    assert (found["state"], found["components"]) == ("unscanned", None)


@pytest.mark.parametrize(("search", "finds"), [
    ({"cve": "CVE-2099-0001"}, (["1.0", "old"], ["openssl"])),
    ({"cve": "CVE-2099-9999"}, ([], [])),
    ({"component": "bash"}, (["1.0"], ["bash"])),
    ({"component": "none"}, ([], [])),
    ({"layer": LAYER}, (["1.0"], [])),
    ({"layer": "sha256:" + "0" * 64}, ([], [])),
    ({"license": "GPL 2+?#%"}, ([], [])),
    ({"license": "GPL-2"}, (["old"], [])),
])
def test_searches(standin, run_module, base, search, finds):
    tags, components = finds
    scanned(standin, "ops/base:old", {OPENSSL: ["CVE-2099-0001"]}, layer=images.digest_of(b"old"), licenses=["GPL-2"])
    result = run_module(NAME, **search)
    assert sorted(found["tag"] for found in result["images"]) == tags
    assert sorted({part["name"] for found in result["images"] for part in found["components"]}) == components
    if tags == ["1.0"]:
        [found] = result["images"]
        assert (found["digest"], found["state"], counts(found), found["should_rescan"]) == (base, "completed", (1, 1, 1), False)


@pytest.mark.parametrize("headers", [True, False])
def test_more_than_a_page_of_images(standin, run_module, base, monkeypatch, headers):
    standin.options.paging_headers = headers
    for number in range(6):
        scanned(standin, f"ops/base:t{number}")
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.PAGE", 3)
    result = run_module(NAME, cve="CVE-2099-0001", limit=0)
    assert (len(result["images"]), len({found["tag"] for found in result["images"]}), result["cut"]) == (7, 7, False)
    for limit, cut in ((7, False), (6, True), (1, True)):
        result = run_module(NAME, cve="CVE-2099-0001", limit=limit)
        assert (len(result["images"]), result["cut"]) == (limit, cut)


def test_a_result_from_an_older_database_is_told(standin, run_module, base):
    change(standin, f"ops/base/{base}", dbVersion=0)
    assert run_module(NAME, cve="CVE-2099-0001")["images"][0]["should_rescan"] is True


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_report(standin, run_module, base, tmp_path, kind):
    file = tmp_path / "report"
    wanted = {"export": {**BASE, "format": kind, "dest": str(file)}}
    planned = run_module(NAME, check=True, **wanted)
    assert (planned["changed"], planned["dest"], file.exists()) == (True, str(file), False)
    assert run_module(NAME, **wanted)["changed"] is True
    report = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    if kind == "csv":
        assert report.splitlines()[0] == b"component,version,cve,cvss,severity,summary"
        assert len(report.splitlines()) == 4
    else:
        assert json.loads(report)["manifestDigest"] == base
    written = file.stat().st_mtime_ns, file.stat().st_ino
    assert run_module(NAME, **wanted)["changed"] is False
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == written
    change(standin, f"ops/base/{base}", found={"deb/openssl@3.0.11-1": ["CVE-2099-0001"]})
    assert run_module(NAME, check=True, **wanted)["changed"] is True
    assert file.read_bytes() == report
    assert run_module(NAME, **wanted)["changed"] is True
    assert file.read_bytes() != report
    assert not standin.writes


def test_a_report_that_is_none(standin, run_module, base, tmp_path, monkeypatch):
    monkeypatch.setattr(dtr_scan_info, "TYPES", {"json": "text/xml"})
    with pytest.raises(ModuleFailed, match=r"answered with application/json.* where text/xml was due"):
        run_module(NAME, export={**BASE, "dest": str(tmp_path / "report")})
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(("dest", "says"), [
    ("missing/report", "missing/report' cannot be written"), (".", "cannot be written. Give a file in a folder that exists")])
def test_a_file_that_cannot_be_written(run_module, base, tmp_path, dest, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, export={**BASE, "dest": str(tmp_path / dest)})


def test_all_platforms_of_a_tag(standin_with_registry, tmp_path):
    standin = standin_with_registry
    prepare(standin)
    options = connection(standin, NAME)
    old, older = images.dpkg_layer({"openssl": "3.0.11-1~deb12u1"}), images.dpkg_layer({"openssl": "3.0.10-1", "zlib1g": "1:1.2.13.dfsg-1"})
    images.push(standin, "ops/base:1.0", images.index(images.image(old), images.image(older, architecture="arm64")))
    run("dtr_scan", {**options, "images": [BASE]})
    found = run(NAME, {**options, "images": [BASE], "details": True})["images"]
    assert [(one["architecture"], counts(one), one["layers"], [part["name"] for part in one["components"]]) for one in found] == [
        ("amd64", (1, 0, 0), [images.digest_of(old)], ["openssl"]), ("arm64", (1, 2, 0), [images.digest_of(older)], ["openssl", "zlib1g"])]
    [arm] = run(NAME, {**options, "images": [{**BASE, "architecture": "arm64"}], "details": True})["images"]
    assert arm == found[1]
    many = run(NAME, {**options, "images": [{**BASE, "digest": one["digest"]} for one in found]})["images"]
    assert [counts(one) for one in many] == [(1, 0, 0), (1, 2, 0)]
    with pytest.raises(ModuleFailed, match="2 images are scanned under this tag"):
        run(NAME, {**options, "export": {**BASE, "dest": str(tmp_path / "report")}})
    assert run(NAME, {**options, "export": {**BASE, "architecture": "arm64", "dest": str(tmp_path / "report")}})["changed"]


def test_only_what_the_account_may_see(standin, run_module, base):
    standin.accounts.create({"name": "mallory", "password": SECRET})
    mine = {"username": "mallory", "password": SECRET}
    assert run_module(NAME, cve="CVE-2099-0001", **mine)["images"] == []
    assert run_module(NAME, images=[{**BASE, "digest": base}], **mine)["images"][0]["state"] == "unknown"
    with pytest.raises(ModuleFailed, match=r"image 'ops/base:1.0': .* has none"):
        run_module(NAME, images=[BASE], **mine)


def test_a_registry_that_does_not_scan(standin, run_module, tmp_path):
    for options in ({"cve": "CVE-2099-0001"}, {"export": {**BASE, "dest": str(tmp_path / "report")}}):
        with pytest.raises(ModuleFailed, match=r"scanning is not enabled, so that nothing is known of images\. Set scanning_enabled"):
            run_module(NAME, **options)


def test_no_images_are_no_images(run_module):
    assert run_module(NAME, images=[])["images"] == []


@pytest.mark.parametrize(("options", "says"), [
    ({}, "nothing to look for: give one of images, cve, component, layer, license, export"),
    ({"cve": ""}, "nothing to look for"),
    ({"cve": "CVE-1", "layer": LAYER}, "cve and layer to look for: give one"),
    ({"component": "@scope/part"}, "component '@scope/part': a name with a slash cannot be asked for"),
    ({"images": [{**BASE, "tag": "2.0"}]}, r"image 'ops/base:2\.0': .* has none"),
    ({"images": [{**BASE, "digest": images.digest_of(b"x")}], "details": True}, "has none with the digest"),
    ({"images": [{**BASE, "tag": None}]}, r"images\[0\]\.tag is required but empty"),
    ({"export": {**BASE, "tag": "2.0", "dest": "/tmp/report"}}, "answered 404.*NO_SUCH_TAG"),
])
def test_bad_input(standin, run_module, base, options, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, **options)


@pytest.mark.parametrize("options", [{"cve": "CVE-2099-0001"}, {"images": [{**BASE, "digest": LAYER}]}], ids=["get", "post"])
def test_failures(fails, options):
    fails(NAME, **options)


def test_a_component_belongs_to_the_layer_that_names_it():
    part = {"componentPK": "b", "name": "bash", "version": "5", "vulnCount": {"critical": 0, "major": 0, "minor": 1}, "cves": ["CVE-1"]}
    found = {"layers": [{"digest": "first", "components": ["a"]}, {"digest": "second", "components": ["b"]}], "cves": []}
    told = {"name": "bash", "version": "5", "critical": 0, "major": 0, "minor": 1, "cves": [{"cve": "CVE-1", "cvss": None}]}
    assert facts.component(part, found) == {**told, "layer": "second"}
    assert facts.component({**part, "componentPK": "c"}, found) == {**told, "layer": None}


def test_batches_have_no_name_twice():
    items = [{**BASE, "digest": digest} for digest in "aabbc"] + [{**BASE, "tag": "2.0", "digest": "a"}]
    assert [[(item["tag"], item["digest"]) for item in batch] for batch in facts.batches(items)] == [
        [("1.0", "a"), ("2.0", "a")], [("1.0", "b")], [("1.0", "c")]]
    assert facts.batches([]) == []
