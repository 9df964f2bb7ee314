# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from images import digest_of, image, index, layer, plant
from standin import manifests
from standin.errors import Refused
from standin_fixture import PASSWORD

ROOT = "/api/v0/repositories"
LAYERS = layer({"etc/motd": b"hello"}), layer({"app": b"one"})
SMALL = image(*LAYERS)
INDEX = index(image(layer({"a": b"amd"})), image(layer({"a": b"arm"}), architecture="arm64", os="windows"))


def code(answer) -> str:
    return answer.json()["errors"][0]["code"]


# Manifests

def descriptor(name: str, size: int = 1, **more) -> dict:
    return {"mediaType": f"type of {name}", "digest": f"sha256:{name}", "size": size, **more}


def test_parse_and_describe_an_image():
    parts = manifests.parse(f"{SMALL.media_type}; charset=utf-8", SMALL.manifest)
    assert manifests.stored(parts) == [digest_of(blob) for blob in SMALL.blobs]
    config = {"os": "windows", "os.version": "10.0", "architecture": "amd64", "history": [{"created_by": "CMD", "empty_layer": True}]}
    described = manifests.describe(parts, config)
    assert described["size"] == sum(len(content) for content in LAYERS)
    assert (described["os"], described["osVersion"], described["architecture"]) == ("windows", "10.0", "amd64")
    assert described["dockerfile"] == [{"line": "CMD", "isEmpty": True, "layerDigest": "", "mediaType": "", "size": 0}]
    assert described["configDigest"] == digest_of(SMALL.blobs[0])


def test_foreign_layers_are_not_stored():
    layers = [descriptor("far", urls=["https://far.example/"]), descriptor("near")]
    parts = {"mediaType": "m", "config": descriptor("config"), "layers": layers}
    assert manifests.stored(parts) == ["sha256:config", "sha256:near"]


def test_history_is_matched_with_layers():
    history = [{"created_by": "ADD a"}, {"created_by": "ENV b", "empty_layer": True}, {"created_by": "ADD c"}, {"created_by": "beyond"}]
    lines = manifests.dockerfile(history, [descriptor("a", 5), descriptor("c", 7, urls=["https://far.example/"])])
    assert [(line["line"], line["layerDigest"], line["size"], line["isEmpty"]) for line in lines] == [
        ("ADD a", "sha256:a", 5, False), ("ENV b", "", 0, True), ("ADD c", "sha256:c", 7, False), ("beyond", "", 0, True)
    ]
    assert lines[2]["urls"] == ["https://far.example/"]


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{}", b'{"config": {}, "layers": []}', b'{"config": {"digest": 1, "size": 1}, "layers": []}', b"\xff"
])
def test_unreadable_manifests(body):
    with pytest.raises(Refused) as refused:
        manifests.parse(SMALL.media_type, body)
    assert (refused.value.status, refused.value.code) == (400, "MANIFEST_INVALID")


# The API, on pushed images

def test_tags_of_pushed_images(site):
    site.user("ann")
    site.repository("ann/tools", visibility="public")
    ann = ("ann", PASSWORD)
    site.push("ann/tools:1.0", SMALL, ann)
    site.push("ann/tools:multi", INDEX, ann)
    short, multi = site.dtr("GET", f"{ROOT}/ann/tools/tags").json()
    assert (short["name"], short["digest"], short["author"], short["manifest"]) == ("1.0", SMALL.digest, "ann", {"digest": SMALL.digest})
    assert (multi["name"], multi["digest"]) == ("multi", INDEX.digest)
    whole = site.dtr("GET", f"{ROOT}/ann/tools/tags?includeManifests=true").json()[0]["manifest"]
    assert {name: whole[name] for name in ("os", "architecture", "author", "size", "mediaType", "configDigest")} == {
        "os": "linux", "architecture": "amd64", "author": "ann", "size": sum(map(len, LAYERS)), "mediaType": SMALL.media_type,
        "configDigest": digest_of(SMALL.blobs[0]),
    }
    assert [(line["line"], line["isEmpty"]) for line in whole["dockerfile"]] == [
        ("COPY file-0 /", False), ("COPY file-1 /", False), ("CMD true", True)
    ]
    assert [line["layerDigest"] for line in whole["dockerfile"]] == [*map(digest_of, LAYERS), ""]
    listed = site.dtr("GET", f"{ROOT}/ann/tools/manifests").json()
    assert {manifest["digest"] for manifest in listed} == {SMALL.digest, INDEX.digest, *(child.digest for child in INDEX.children)}


def test_one_tag_has_an_entry_for_each_image(site):
    site.repository("admin/tools")
    site.push("admin/tools:multi", INDEX)
    site.push("admin/tools:same", INDEX)
    at = f"{ROOT}/admin/tools/tags"
    amd, arm = INDEX.children
    found = site.dtr("GET", f"{at}/multi").json()
    assert [(tag["name"], tag["digest"], tag["manifest"]["architecture"]) for tag in found] == [
        ("multi", amd.digest, "amd64"), ("multi", arm.digest, "arm64")
    ]
    assert [tag["digest"] for tag in site.dtr("GET", f"{at}/multi?arch=arm64").json()] == [arm.digest]
    assert [tag["digest"] for tag in site.dtr("GET", f"{at}/multi?os=windows&arch=amd64").json()] == []
    assert {tag["name"] for tag in site.dtr("GET", f"{at}/{INDEX.digest}").json()} == {"multi", "same"}
    assert site.dtr("GET", f"{at}/{arm.digest}").json() == []
    assert code(site.dtr("GET", f"{at}/absent", 404)) == "NO_SUCH_REF"


# The API, without a data plane

@pytest.fixture
def tools(standin, dtr):
    """admin/tools with the tags a to e."""
    dtr("POST", f"{ROOT}/admin", 201, json={"name": "tools"})
    for tag in "bdace":
        plant(standin, f"admin/tools:{tag}")
    return f"{ROOT}/admin/tools/tags"


def test_pages(dtr, tools):
    first = dtr("GET", f"{tools}?pageSize=2&count=true")
    assert [tag["name"] for tag in first.json()] == ["a", "b"]
    assert (first.headers["X-Next-Page-Start"], first.headers["X-Resource-Count"]) == ("c", "5")
    last = dtr("GET", f"{tools}?pageSize=3&pageStart=c")
    assert [tag["name"] for tag in last.json()] == ["c", "d", "e"]
    assert "X-Next-Page-Start" not in last.headers
    manifests_at = tools.replace("/tags", "/manifests")
    assert len(dtr("GET", f"{manifests_at}?pageSize=2").json()) == 2


def test_delete(dtr, dtr_as, standin, tools):
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "eve", "password": PASSWORD})
    eve = dtr_as("eve")
    assert code(eve("DELETE", f"{tools}/a", 404)) == "NO_SUCH_REPOSITORY"
    assert code(dtr_as(None)("DELETE", f"{tools}/a", 401)) == "NOT_AUTHENTICATED"
    dtr("PATCH", f"{ROOT}/admin/tools", json={"visibility": "public", "immutableTags": False})
    assert code(eve("DELETE", f"{tools}/a", 403)) == "NOT_AUTHORIZED"
    assert len(eve("GET", tools).json()) == 5
    dtr("DELETE", f"{tools}/a", 204)
    assert code(dtr("DELETE", f"{tools}/a", 404)) == "NO_SUCH_TAG"
    assert [tag["name"] for tag in dtr("GET", tools).json()] == ["b", "c", "d", "e"]
    assert len(dtr("GET", tools.replace("/tags", "/manifests")).json()) == 5   # until garbage collection


def test_manifests_cannot_be_deleted(dtr, tools):
    assert code(dtr("DELETE", f"{ROOT}/admin/tools/manifests/sha256:{'0' * 64}", 405)) == "NOT_ALLOWED"


def test_signed_tags(dtr, standin, tools):
    standin.tags.sign("admin", "tools", "a")
    asked = f"{tools}/a?domain=dtr.example"
    assert [(tag["inNotary"], tag["hashMismatch"]) for tag in dtr("GET", asked).json()] == [(True, False)]
    assert [tag["inNotary"] for tag in dtr("GET", tools).json()] == [False] * 5
    assert code(dtr("DELETE", f"{tools}/a", 409)) == "TAG_IN_NOTARY"
    assert code(dtr("DELETE", f"{ROOT}/admin/tools", 405)) == "REPOSITORY_CONTAINS_TAGS_IN_NOTARY"
    plant(standin, "admin/tools:a", digest=f"sha256:{'1' * 64}")
    assert [(tag["inNotary"], tag["hashMismatch"]) for tag in dtr("GET", asked).json()] == [(True, True)]


def test_copy_keeps_to_the_rules_of_the_target(dtr, standin, tools):
    dtr("POST", f"{ROOT}/admin", 201, json={"name": "target", "immutableTags": True})
    origin = {"promotionPolicyID": "id", "sourceRepository": "admin/tools", "sourceTag": "a", "string": ""}

    async def copy(source, target, **more):
        return standin.tags.copy(("admin", "tools", source), ("admin", "target", target), "admin", **more)

    standin.run(copy("a", "one", promotion=origin))
    (copied,) = dtr("GET", f"{ROOT}/admin/target/tags/one").json()
    assert (copied["promotion"], copied["digest"]) == (origin, standin.tags.find("admin", "tools", "a")["digest"])
    for source, target, expected in (("b", "one", "UNKNOWN"), ("absent", "two", "NO_SUCH_TAG"), ("a", "-no", "INVALID_TAG_NAME")):
        with pytest.raises(Refused) as refused:
            standin.run(copy(source, target))
        assert refused.value.code == expected


def test_all_tags_can_be_erased(dtr, standin, tools):
    async def forget():
        standin.tags.forget_all()

    standin.run(forget())
    assert dtr("GET", tools).json() == []
    assert standin.store.all("manifest") == []
