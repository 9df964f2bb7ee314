# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found in stores with one thing wrong each, and what of it is repaired."""

from __future__ import annotations

import os
import shutil
import stat

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _registry_store as store_of
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _registry_verify as verify
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_repair import repair
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_store import Store
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.store_factory import StoreFactory

HOUR = 3600


class Site(StoreFactory):
    """team/app with an image, team/multi with an index of two, and base, whose layers nobody else has."""

    def __init__(self, root):
        super().__init__(root)
        self.app = self.image("team/app", "1.0")
        self.children = [self.image("team/multi"), self.image("team/multi", layers=3)]
        self.multi = self.index("team/multi", "latest", self.children)
        self.base = self.image("base", "12")
        self.layer_of_app = self.needs(self.app)[1]

    def look(self, **options):
        return verify.Verification(Store(str(self.root)), **options)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path / "store")


def found(look):
    return [(one.kind, one.repository, one.tag, one.digest) for one in look.findings]


@pytest.mark.parametrize("contents", verify.CONTENTS)
def test_a_whole_store(site, contents):
    look = site.look(contents=contents)
    assert (found(look), look.severity) == ([], "none")
    assert look.unreferenced() == {"blobs": 0, "bytes": 0}
    assert look.hashed == {"none": 0, "sample": 1, "all": 10}[contents]


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "a tag's link is empty": (
        lambda site: site.tag_link("team/app", "1.0").write_text(""), [("tag_malformed", "team/app", "1.0", "")]),
    "a tag's link is gone": (
        lambda site: site.tag_link("team/app", "1.0").unlink(), [("tag_malformed", "team/app", "1.0", "")]),
    "a tag's manifest is not in the repository": (
        lambda site: shutil.rmtree(site.revision_link("team/app", site.app).parent),
        [("tag_dangling", "team/app", "1.0", "APP")]),
    "a revision's link holds another digest": (
        lambda site: site.revision_link("base", site.base).write_text(site.app),
        [("manifest_unlinked", "base", "", "BASE")]),
    "a manifest is gone": (
        lambda site: site.blob_path(site.app).unlink(), [("manifest_missing", "team/app", "", "APP")]),
    "a bit of a manifest is flipped": (
        lambda site: flip(site.blob_path(site.app)), [("manifest_corrupt", "team/app", "", "APP")]),
    "a manifest is cut": (
        lambda site: cut(site.blob_path(site.app)), [("manifest_corrupt", "team/app", "", "APP")]),
    "a layer is gone": (
        lambda site: site.blob_path(site.layer_of_app).unlink(), [("blob_missing", "team/app", "", "LAYER")]),
    "a layer may not be read": (
        lambda site: site.layer_link("team/app", site.layer_of_app).unlink(), [("layer_unlinked", "team/app", "", "LAYER")]),
    "a layer's link is empty": (
        lambda site: site.layer_link("team/app", site.layer_of_app).write_text(""),
        [("layer_unlinked", "team/app", "", "LAYER")]),
    "a link of a layer that nobody needs is empty": (
        lambda site: site.layer_link("base", site.layer("base", b"of before")).write_text(""), [("layer_unlinked", "base", "", "BEFORE")]),
    "a manifest of an index may not be read": (
        lambda site: site.revision_link("team/multi", site.children[0]).unlink(), [("manifest_unlinked", "team/multi", "", "CHILD")]),
    "a manifest of an index was collected": (
        lambda site: [site.revision_link("team/multi", site.children[0]).unlink(), site.blob_path(site.children[0]).unlink()],
        [("child_missing", "team/multi", "", "CHILD")]),
    "a link to a blob that nobody needs": (
        lambda site: site.blob_path(site.layer("base", b"of before")).unlink(), [("layer_dangling", "base", "", "BEFORE")]),
    "a manifest names what is no digest": (
        lambda site: site.manifest("base", {"what": "is this", "layers": [{"digest": "sha256:../../x"}, {"digest": 5}]}),
        [("manifest_unknown", "base", "", "BAD")]),
    "a manifest is gone, and a layer that it may have needed": (
        lambda site: [site.blob_path(digest).unlink() for digest in (site.app, site.layer_of_app)],
        [("manifest_missing", "team/app", "", "APP")]),
    "a revision's link and its manifest are gone": (
        lambda site: [site.revision_link("base", site.base).write_text(""), site.blob_path(site.base).unlink()],
        [("manifest_missing", "base", "", "BASE")]),
    "a repository without anything": (
        lambda site: (site.top / "repositories/empty/_layers").mkdir(parents=True), [("repository_phantom", "empty", "", "")]),
    "something that is no manifest": (
        lambda site: site.manifest("base", {"what": "is this"}), [("manifest_unknown", "base", "", "WHAT")]),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found(site, tmp_path, what):
    damage, expected = DAMAGE[what]
    aside = StoreFactory(tmp_path / "aside")
    damage(site)
    names = {"APP": site.app, "BASE": site.base, "LAYER": site.layer_of_app, "CHILD": site.children[0],
             "BEFORE": aside.blob(b"of before"), "WHAT": aside.manifest("x", {"what": "is this"}),
             "BAD": aside.manifest("x", {"what": "is this", "layers": [{"digest": "sha256:../../x"}, {"digest": 5}]})}
    assert found(site.look()) == [(*rest, names.get(digest, digest)) for *rest, digest in expected]


def test_a_flipped_bit_in_a_layer_is_found_where_all_is_read(site):
    flip(site.blob_path(site.layer_of_app))
    assert found(site.look()) == []
    look = site.look(contents="all")
    assert found(look) == [("blob_corrupt", "", "", site.layer_of_app)] and look.severity == "error"
    assert "has content that hashes to sha256:" in look.findings[0].message


def test_a_sample_is_another_each_time(site):
    flip(site.blob_path(site.layer_of_app))
    assert any(site.look(contents="sample", sample=30.0).findings for _attempt in range(100))


def test_layers_from_elsewhere_need_not_be_there(site):
    site.tag("base", "windows", site.manifest("base", {"schemaVersion": 2, "config": {"digest": site.layer("base", b"{}")}, "layers": [
        {"digest": f"sha256:{'0' * 64}", "urls": ["https://example.com/layer"]}]}))
    assert found(site.look()) == []


def test_what_changes_while_it_is_looked_at_is_no_finding(site, monkeypatch):
    shutil.rmtree(site.blob_path(site.layer_of_app).parent)

    def blobs_then_upload(store, before=Store.blobs):
        known = before(store)
        site.blob(b"layer 0 of team/app:1.0")
        return known

    monkeypatch.setattr(Store, "blobs", blobs_then_upload)
    assert found(site.look()) == []


def test_only_some_repositories(site):
    site.blob_path(site.app).unlink()
    look = site.look(only=["base"], contents="all")
    assert found(look) == [] and look.unreferenced() is None
    assert look.hashed == len(site.needs(site.base))


def test_an_upload_that_ends_meanwhile_is_no_failure(site, monkeypatch):
    (site.top / "repositories/base/_uploads/0d1c").mkdir(parents=True)

    def names_of_before(top, before=store_of._names):
        return [*before(top), "ended"] if top.endswith("_uploads") else before(top)

    monkeypatch.setattr(store_of, "_names", names_of_before)
    assert list(Store(str(site.root)).uploads("base")) == [str(site.top / "repositories/base/_uploads/0d1c")]


def test_what_nobody_needs_is_counted(site):
    site.blob(b"12345")
    assert site.look().unreferenced() == {"blobs": 1, "bytes": 5}


def test_an_upload_is_given_up_after_a_while(site):
    upload = site.top / "repositories/base/_uploads/0d1c"
    upload.mkdir(parents=True)
    (upload / "data").write_bytes(b"half")
    os.utime(upload, (0, 0))
    written = (upload / "data").stat().st_mtime
    assert found(site.look(upload_age=1, now=lambda: written + HOUR / 2)) == []
    late = site.look(upload_age=1, now=lambda: written + 2 * HOUR)
    assert found(late) == [("upload_orphan", "base", "", "")]
    assert repair(Store(str(site.root)), late.findings[0])
    assert not upload.exists()


@pytest.mark.parametrize("what", [
    "a layer may not be read", "a layer's link is empty", "a revision's link holds another digest",
    "a manifest of an index may not be read", "a link to a blob that nobody needs", "a link of a layer that nobody needs is empty",
])
def test_what_is_safe_is_repaired(site, what):
    DAMAGE[what][0](site)
    (only,) = site.look().findings
    assert only.kind in verify.REPAIRABLE
    assert repair(Store(str(site.root)), only)
    assert found(site.look(contents="all")) == []
    assert not repair(Store(str(site.root)), only)


def test_a_link_belongs_to_whom_the_store_belongs(site):
    shutil.rmtree(site.layer_link("team/app", site.layer_of_app).parents[1])
    top = site.layer_link("team/app", site.layer_of_app).parents[2]
    os.chown(top, 1234, 1234)
    top.chmod(0o750)
    for one in site.look().findings:
        assert repair(Store(str(site.root)), one)
    link = site.layer_link("team/app", site.layer_of_app)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in (link, link.parent, link.parents[1])} == {(1234, 1234)}
    assert stat.S_IMODE(link.parent.stat().st_mode) == 0o750
    assert [path.name for path in link.parent.iterdir()] == ["link"]


def test_no_link_is_written_to_damaged_content(site):
    DAMAGE["a layer may not be read"][0](site)
    flip(site.blob_path(site.layer_of_app))
    (only,) = site.look().findings
    assert not repair(Store(str(site.root)), only)
    assert not site.layer_link("team/app", site.layer_of_app).exists()


def test_what_is_not_safe_is_not_touched(site):
    site.blob_path(site.app).unlink()
    with pytest.raises(ValueError, match="cannot be repaired"):
        repair(Store(str(site.root)), site.look().findings[0])
