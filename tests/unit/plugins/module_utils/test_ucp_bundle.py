# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import stat
import zipfile

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_bundle as bundle
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError

FILES = {"ca.pem": "1", "cert.pem": "2", "key.pem": "3"}


def archive(files, symlink=None):
    """A zip; symlink: an entry that is one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
        if symlink:
            entry = zipfile.ZipInfo(symlink)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            made.writestr(entry, "/etc/passwd")
    return buffer.getvalue()


def test_unpacked_with_folders(tmp_path):
    files = bundle.unpacked(archive({**FILES, "tls/docker/key.pem": "4", "tls/": ""}))
    assert files == {**{name: content.encode() for name, content in FILES.items()}, "tls/docker/key.pem": b"4"}
    bundle.write(str(tmp_path / "b"), files)
    assert (tmp_path / "b/tls/docker/key.pem").read_bytes() == b"4"
    assert stat.S_IMODE((tmp_path / "b/tls/docker").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "b/tls/docker/key.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", [
    "../evil", "/etc/cron.d/evil", "tls/../../evil", "C:\\evil", "..\\evil", "a//b", "~/.ssh/authorized_keys", ".bashrc", "a\nb"])
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(ApiError, match="which is no plain file below its folder"):
        bundle.unpacked(archive({**FILES, name: "x"}))


def test_links_are_refused():
    with pytest.raises(ApiError, match=r"'env.sh', which is no plain file"):
        bundle.unpacked(archive(FILES, symlink="env.sh"))


def test_what_is_too_much_is_not_unpacked():
    with pytest.raises(ApiError, match="more than"):
        bundle.unpacked(archive({**FILES, "kube.yml": b"0" * (bundle.LARGEST + 1)}))


@pytest.mark.parametrize(("content", "says"), [
    (b"<html>", "is no zip archive"), (b"", "is no zip archive"), (archive(FILES)[:60], "is no zip archive"),
    (archive({"ca.pem": "1"}), "has no cert.pem, key.pem"),
], ids=["a page", "nothing", "cut off", "not all"])   # an archive has the time in it, and would name the test anew each time
def test_what_is_no_bundle(content, says):
    with pytest.raises(ApiError, match=says):
        bundle.unpacked(content)


def test_an_interrupted_write_leaves_no_pair_that_looks_whole(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(bundle.os, "replace", lambda _source, target: written.append(target.rsplit("/", 1)[1]))
    bundle.write(str(tmp_path), {name: b"" for name in ("cert.pem", "key.pem", "ca.pem", "env.sh")})
    assert written[-1] == "cert.pem"
