# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import tarfile

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.modules import distribution_binary as binary

SCRIPT = b"#!/bin/sh\necho registry github.com/distribution/distribution/v3 v3.1.2\n"


def release(path, name="registry", content=SCRIPT):
    with tarfile.open(path, "w:gz") as archive:
        for member, data in (("LICENSE", b"x"), (name, content)):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def params(folder, version="3.1.2"):
    return {"archive": str(folder / "download"), "directory": str(folder / "home"), "version": version}


@pytest.mark.parametrize("name", ["registry", "./registry", "registry_3.1.2/registry"])
def test_a_release_is_unpacked(tmp_path, name):
    release(tmp_path / "download", name)
    assert binary.install(params(tmp_path)) == "3.1.2"
    assert (tmp_path / "home/registry").read_bytes() == SCRIPT and not (tmp_path / "download").exists()


def test_a_bare_binary_is_taken_as_it_is(tmp_path):
    (tmp_path / "download").write_bytes(SCRIPT)
    assert binary.install(params(tmp_path, "3")) == "3.1.2"


@pytest.mark.parametrize(
    "name, content, version, message",
    [
        ("other", SCRIPT, "3.1.2", "no file named registry"),
        ("registry", SCRIPT, "2.8.3", "is 3.1.2, not 2.8.3"),
        ("registry", b"\x7fELF no", "3.1.2", "does not run"),
    ],
)
def test_a_wrong_release_leaves_nothing(tmp_path, name, content, version, message):
    release(tmp_path / "download", name, content)
    with pytest.raises((ValueError, OSError), match=message):
        binary.install(params(tmp_path, version))
    assert not (tmp_path / "home").exists() and not (tmp_path / "home.new").exists()


@pytest.mark.parametrize(
    "found, expected, result",
    [
        ("3.1.2", "3.1.2", True),
        ("3.1.2", "3.1", True),
        ("3.1.2", "3", True),
        ("2.8.2+ds1", "2.8.2", True),
        ("3.0.0-rc.3", "3.0.0", True),
        ("3.10.0", "3.1", False),
        ("3.1.2", "v3.1.2", True),
    ],
)
def test_is_version(found, expected, result):
    assert binary.is_version(found, expected) is result
