# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives of images: whole ones are read, all others refused with what is wrong with them."""

from __future__ import annotations

import gzip
import hashlib
import io

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._image_archive import ArchiveError, inspect
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.docker_archive import archive, identity

NAMES = ["docker/dtr:2.7.6", "docker/dtr-api:2.7.6"]
WHOLE = archive(NAMES, layer=bytes(range(256)) * 40)


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress], ids=["plain", "gzip"])
def test_a_whole_archive(pack):
    packed = pack(WHOLE)
    found = inspect(io.BytesIO(packed), "here.tar")
    assert found.images == {name: "sha256:" + identity(name) for name in NAMES}
    assert (found.size, found.unpacked) == (len(packed), len(WHOLE))
    assert found.sha256 == hashlib.sha256(packed).hexdigest()


def test_an_archive_of_newer_engines():
    found = inspect(io.BytesIO(archive(NAMES, config="blobs/sha256/{}")), "here.tar")
    assert found.images == {name: "sha256:" + identity(name) for name in NAMES}


# Every cut at a block's boundary is one that a tar reader takes for an end.
@pytest.mark.parametrize("cut", [0, 1, 2, 512, 1000, 1024, 1536, 5000, 10240, len(WHOLE) - 1024, len(WHOLE) - 512, len(WHOLE) - 1])
@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress], ids=["plain", "gzip"])
def test_a_truncated_archive(pack, cut):
    with pytest.raises(ArchiveError, match=r"^here\.tar (is truncated|has no manifest)"):
        inspect(io.BytesIO(pack(WHOLE[:cut])), "here.tar")


@pytest.mark.parametrize("cut", [1, 10, 100, 1000])
def test_truncated_gzip(cut):
    packed = gzip.compress(WHOLE)
    with pytest.raises(ArchiveError, match=r"here\.tar is truncated"):
        inspect(io.BytesIO(packed[:-cut]), "here.tar")


def test_damaged_gzip():
    packed = bytearray(gzip.compress(WHOLE))
    packed[-6] ^= 1
    with pytest.raises(ArchiveError, match="CRC"):
        inspect(io.BytesIO(bytes(packed)), "here.tar")


@pytest.mark.parametrize("data", [b"not an archive", b"\x1f\x8b", b"x" * 4096])
def test_something_else(data):
    with pytest.raises(ArchiveError, match="no archive of docker save"):
        inspect(io.BytesIO(data), "here.tar")


@pytest.mark.parametrize(
    "leave_out,message",
    [
        ("manifest.json", "has no manifest.json"),
        ("abc/layer.tar", "lacks abc/layer.tar, a part of docker/dtr:2.7.6"),
        (identity(NAMES[1]) + ".json", "a part of docker/dtr-api:2.7.6"),
    ],
)
def test_an_archive_without_a_part(leave_out, message):
    with pytest.raises(ArchiveError, match=message):
        inspect(io.BytesIO(archive(NAMES, leave_out=[leave_out])), "here.tar")


def test_a_disk_that_fails_is_no_bad_archive():
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        inspect(Broken(), "here.tar")
