# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bundles: made from an engine, read, verified, taken apart; damaged, cut and half-made ones refused."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import os
import pathlib
import signal
import subprocess
import sys
import tarfile
import time

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _bundle, _container_images
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bundle import Bundle, BundleError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bundle_write import Writer, make
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import Docker, ImageError
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins import docker_archive
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.docker_archive import ALL, FakeDocker, identity

PRODUCTS = {"ucp": {"version": "3.2.5", "tool": "docker/ucp:3.2.5"}, "dtr": {"version": "2.7.6", "tool": "docker/dtr:2.7.6"}}


@pytest.fixture
def engine(tmp_path, monkeypatch):
    fake = FakeDocker(tmp_path / "engine", images=ALL)
    monkeypatch.setenv("PATH", str(fake.folder))
    monkeypatch.setattr(Docker, "run", lambda _docker, *arguments, timeout=60: fake.run(*arguments))
    return fake


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "requests-2.whl").write_bytes(b"wheel")
    (tmp_path / "collections").mkdir()
    collection(tmp_path / "collections" / "a-b-1.0.0.tar.gz", b"{}")
    return {"python": str(tmp_path / "wheels"), "collections": str(tmp_path / "collections")}


def collection(path, manifest):
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("MANIFEST.json")
        member.size, member.mtime = len(manifest), time.time_ns() % 10**9   # two builds differ
        tar.addfile(member, io.BytesIO(manifest))


def build(folder, folders=None, **more):
    return make(Docker, str(folder / "bundle.tar"), **{"products": PRODUCTS, "folders": folders or {}, **more})


@pytest.fixture
def bundle(engine, tmp_path, folders):
    build(tmp_path, folders)
    return tmp_path / "bundle.tar"


def test_a_bundle_holds_it_all(engine, tmp_path, folders):
    result = build(tmp_path, folders)
    assert result["changed"] and result["pulled"] == 0
    with tarfile.open(tmp_path / "bundle.tar") as tar:
        assert tar.getnames() == [
            "images/ucp-3.2.5.tar.gz", "images/dtr-2.7.6.tar.gz",
            "collections/a-b-1.0.0.tar.gz", "python/requests-2.whl", "manifest.json", "SHA256SUMS",
        ]
        sums = dict(reversed(line.split("  ")) for line in tar.extractfile("SHA256SUMS").read().decode().splitlines())
        assert set(sums) == set(tar.getnames()) - {"SHA256SUMS"}
        for name, expected in sums.items():
            assert hashlib.sha256(tar.extractfile(name).read()).hexdigest() == expected, name
    dtr = result["manifest"]["products"]["dtr"]
    assert dtr["images"] == [
        {"name": name, "id": "sha256:" + identity(name), "size": 1000} for name in ("docker/dtr-api:2.7.6", "docker/dtr:2.7.6")
    ]
    assert (dtr["version"], dtr["tool"], dtr["unpacked"] % 512) == ("2.7.6", "docker/dtr:2.7.6", 0)
    assert result["manifest"]["created"].endswith("Z")
    assert os.listdir(tmp_path).count("bundle.tar.part") == 0
    with Bundle(tmp_path / "bundle.tar") as read:
        assert read.manifest == result["manifest"] and read.problems() == []


def test_sizes_beyond_eight_gigabytes_fit_the_header_left_for_them():
    writer = Writer(io.BytesIO())
    assert len(writer._header("images/x.tar", 0)) == len(writer._header("images/x.tar", 9 << 30)) == 512
    assert tarfile.TarInfo.frombuf(writer._header("images/x.tar", 9 << 30), "utf-8", "strict").size == 9 << 30


def test_the_same_again_is_no_change(engine, tmp_path, folders):
    before = build(tmp_path, folders)["manifest"]
    collection(tmp_path / "collections" / "a-b-1.0.0.tar.gz", b"{}")
    again = build(tmp_path, folders)
    assert (again["changed"], again["manifest"]) == (False, before)
    assert len(engine.called("save")) == 2


@pytest.mark.parametrize("difference", ["wheel", "collection", "image", "product", "compression", "cut"])
def test_what_differs_is_made_anew(engine, tmp_path, folders, difference):
    build(tmp_path, folders)
    more = {}
    if difference == "wheel":
        (tmp_path / "wheels" / "requests-2.whl").write_bytes(b"other")
    elif difference == "collection":
        collection(tmp_path / "collections" / "a-b-1.0.0.tar.gz", b"{ }")
    elif difference == "image":
        engine.set(ids={"docker/dtr:2.7.6": "f" * 64})
    elif difference == "product":
        more["products"] = {"ucp": PRODUCTS["ucp"]}
    elif difference == "compression":
        more["compress"] = False
    else:
        os.truncate(tmp_path / "bundle.tar", 3000)
    assert build(tmp_path, folders, **more)["changed"]
    assert not build(tmp_path, folders, **more)["changed"]


def test_without_compression_the_archives_are_plain(engine, tmp_path):
    result = build(tmp_path, compress=False)
    entry = result["manifest"]["products"]["ucp"]
    assert entry["archive"] == "images/ucp-3.2.5.tar"
    assert result["manifest"]["files"][entry["archive"]]["size"] == entry["unpacked"]
    with Bundle(tmp_path / "bundle.tar") as read:
        assert read.problems() == []


def test_check_mode_runs_no_tool_and_writes_nothing(engine, tmp_path):
    result = build(tmp_path, check_mode=True)
    assert result["changed"] and engine.calls == [] and not (tmp_path / "bundle.tar").exists()
    build(tmp_path)
    assert build(tmp_path, check_mode=True)["changed"] is False
    assert build(tmp_path, check_mode=True, products={"ucp": {**PRODUCTS["ucp"], "version": "3.2.6"}})["changed"]


def test_missing_images_are_pulled(engine, tmp_path):
    engine.set(images=["docker/ucp:3.2.5"])
    assert build(tmp_path)["pulled"] == 3
    assert [call[-1] for call in engine.called("pull")] == ["docker/ucp-agent:3.2.5", "docker/dtr:2.7.6", "docker/dtr-api:2.7.6"]


@pytest.mark.parametrize(
    "changes,pull,message",
    [
        ({"images": []}, False, "docker/ucp:3.2.5 is not in this host's engine"),
        ({"images": [], "faults": {"pull": {"message": "access forbidden"}}}, True, "cannot be pulled: access forbidden; log in"),
        ({"faults": {"save": {"code": 1}}}, True, "docker save failed"),
        ({"faults": {"save": {"stop": 4096}}}, True, "docker save ended too early"),
        ({"lists": {"docker/ucp:3.2.5": ["what?"]}}, True, "it printed 'what\\?'"),
        ({"errors": ["Cannot connect"]}, True, "the engine does not answer"),
    ],
)
def test_what_fails_leaves_no_bundle(engine, tmp_path, changes, pull, message):
    engine.set(**changes)
    with pytest.raises((BundleError, ImageError), match=message):
        build(tmp_path, pull=pull)
    assert not [name for name in os.listdir(tmp_path) if name.startswith("bundle")]


def test_a_failure_keeps_the_bundle_that_was_there(engine, bundle, tmp_path):
    before = bundle.read_bytes()
    engine.set(faults={"save": {"code": 1}})
    with pytest.raises(BundleError):
        build(tmp_path)
    assert bundle.read_bytes() == before


def test_a_killed_run_leaves_nothing_that_looks_complete(engine, tmp_path):
    engine.set(layer=4 << 20, faults={"save": {"stop": 3 << 20}})
    engine.write(hang=60)
    code = (
        # The engine itself answers at once: only what docker save writes comes from the command that hangs.
        "import pathlib, docker_archive\n"
        "from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bundle_write import make\n"
        "from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import Docker\n"
        f"Docker.run = lambda _docker, *words, timeout=60: (lambda code, out, err: (code, out.decode(), err))"
        f"(*docker_archive.serve(pathlib.Path({str(engine.folder)!r}), list(words)))\n"
        f"make(Docker, {str(tmp_path / 'bundle.tar')!r}, products={PRODUCTS!r}, folders={{}}, compress=False)\n"
    )
    here = str(pathlib.Path(docker_archive.__file__).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, *filter(None, sys.path)])}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, start_new_session=True) as run:
        part, deadline = tmp_path / "bundle.tar.part", time.monotonic() + 60
        while not (part.exists() and part.stat().st_size > 512):
            assert run.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGKILL)
    assert not (tmp_path / "bundle.tar").exists()
    with pytest.raises(BundleError, match=r"is no bundle|is incomplete"):
        Bundle(part)
    engine.set(faults={})
    engine.write()
    assert build(tmp_path)["changed"]
    assert not part.exists()


def test_two_at_once(engine, tmp_path):
    with open(tmp_path / "bundle.tar.part", "w", encoding="utf-8") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BundleError, match="another run is writing"):
            build(tmp_path)


@pytest.fixture
def vendor(tmp_path):
    def vendor(names, name, pack=gzip.compress):
        path = tmp_path / name
        path.write_bytes(pack(docker_archive.archive(names, layer=os.urandom(5000))))
        return str(path)

    return vendor


UCP, DTR = ["docker/ucp-agent:3.2.5", "docker/ucp:3.2.5"], ["docker/dtr-api:2.7.6", "docker/dtr:2.7.6"]


@pytest.mark.parametrize("compress,endings", [(True, (".tar.gz", ".tar.gz")), (False, (".tar.gz", ".tar"))])
def test_ready_archives_need_no_engine(tmp_path, vendor, monkeypatch, compress, endings):
    monkeypatch.setattr(_container_images.shutil, "which", lambda *_args, **_kwargs: None)
    archives = [vendor(UCP, "ucp_images.tar.gz"), vendor(DTR, "dtr_images.tar", bytes)]
    result = build(tmp_path, archives=archives, compress=compress)
    products = result["manifest"]["products"]
    assert result["changed"] and not build(tmp_path, archives=archives, compress=compress)["changed"]
    assert (products["ucp"]["archive"], products["dtr"]["archive"]) == ("images/ucp-3.2.5" + endings[0], "images/dtr-2.7.6" + endings[1])
    assert products["dtr"]["images"] == [{"name": name, "id": "sha256:" + identity(name)} for name in DTR]
    assert products["dtr"]["unpacked"] == os.path.getsize(archives[1]) and products["dtr"]["listed"] is False
    with Bundle(tmp_path / "bundle.tar") as read:
        assert read.problems() == []
        # What is packed already goes in as it is.
        assert pathlib.Path(read.extract("ucp", tmp_path)[0]).read_bytes() == pathlib.Path(archives[0]).read_bytes()


def test_an_archive_for_one_product_and_the_engine_for_the_other(engine, tmp_path, vendor):
    products = build(tmp_path, archives=[vendor(DTR, "dtr.tar")])["manifest"]["products"]
    assert (products["ucp"]["listed"], products["dtr"]["listed"]) == (True, False)


def test_archives_of_another_version(engine, tmp_path, vendor):
    engine.set(images=[], faults={"pull": {"message": "no way out"}})
    message = r"docker/ucp:3\.2\.5 is in no archive of bundle_image_archives \(there are docker/dtr-api:2\.7\.6, .* no way out"
    with pytest.raises(BundleError, match=message):
        build(tmp_path, archives=[vendor(DTR, "dtr.tar")])


def test_archives_that_cannot_be_used(tmp_path, vendor):
    cut = vendor(UCP, "cut.tar", lambda data: data[:-1024])
    for path, message in ((cut, "cut.tar is truncated"), (str(tmp_path / "no.tar"), "there is no archive")):
        with pytest.raises(BundleError, match=message):
            build(tmp_path, archives=[path])
    assert not (tmp_path / "bundle.tar").exists()


def test_every_cut_is_seen(bundle):
    whole = bundle.read_bytes()
    end = whole.rstrip(b"\0")
    for cut in [*range(512, len(end), 4096), len(end) - 1]:
        bundle.write_bytes(whole[:cut])
        with pytest.raises(BundleError, match=r"is incomplete|is no bundle"):
            Bundle(bundle)


@pytest.mark.parametrize("name", ["images/dtr-2.7.6.tar.gz", "python/requests-2.whl", "manifest.json"])
def test_a_damaged_member_is_named(bundle, name, tmp_path):
    with tarfile.open(bundle) as tar:
        place = tar.getmember(name).offset_data + 3
    with open(bundle, "r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 1]))
    if name == "manifest.json":
        with pytest.raises(BundleError, match="the checksum of its manifest is wrong"):
            Bundle(bundle)
        return
    with Bundle(bundle) as read:
        found = read.problems()
        assert len(found) == 1 and name in found[0]
        if name.startswith("images/"):
            with pytest.raises(BundleError, match=f"the checksum of {name} is wrong; nothing was loaded"):
                read.extract("dtr", tmp_path)
            assert not (tmp_path / "dtr-2.7.6.tar.gz").exists() and not (tmp_path / "dtr-2.7.6.tar.gz.part").exists()


def test_foreign_and_missing_members_are_named(bundle, tmp_path):
    with tarfile.open(bundle) as old, tarfile.open(tmp_path / "other.tar", "w") as new:
        for member in old:
            if member.name != "python/requests-2.whl":
                new.addfile(member, old.extractfile(member))
        new.addfile(tarfile.TarInfo("python/evil.whl"))
    with Bundle(tmp_path / "other.tar") as read:
        assert read.problems() == ["python/evil.whl is in no checksum", "python/requests-2.whl is missing"]


def test_a_bundle_of_another_format(engine, tmp_path, monkeypatch):
    build(tmp_path)
    monkeypatch.setattr(_bundle, "FORMAT", 2)
    with pytest.raises(BundleError, match="has format 1, this collection reads 2"):
        Bundle(tmp_path / "bundle.tar")


def test_no_bundle(tmp_path):
    with pytest.raises(BundleError, match=r"there is no bundle .*; playbooks/bundle.yml makes one"):
        Bundle(tmp_path / "no.tar")


def test_an_archive_is_taken_out_once(bundle, tmp_path):
    with Bundle(bundle) as read:
        path, written = read.extract("dtr", tmp_path)
        assert (os.path.basename(path), written) == ("dtr-2.7.6.tar.gz", True)
        assert hashlib.sha256((tmp_path / "dtr-2.7.6.tar.gz").read_bytes()).hexdigest() == read.sums["images/dtr-2.7.6.tar.gz"]
        assert read.extract("dtr", tmp_path) == (path, False)
        (tmp_path / "dtr-2.7.6.tar.gz").write_bytes(b"half")
        assert read.extract("dtr", tmp_path) == (path, True)


def test_no_room_to_take_it_out(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(_bundle, "free_space", lambda path: 10)
    with Bundle(bundle) as read, pytest.raises(BundleError, match=r"has 0 MB free, and images/ucp-3\.2\.5\.tar\.gz"):
        read.extract("ucp", tmp_path)


def test_a_product_it_does_not_hold(engine, tmp_path):
    build(tmp_path, products={"ucp": PRODUCTS["ucp"]})
    message = "holds no images of dtr, only of ucp; make one with dtr_version set"
    with Bundle(tmp_path / "bundle.tar") as read, pytest.raises(BundleError, match=message):
        read.product("dtr")
