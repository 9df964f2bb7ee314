# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _distribution_state as state

FILES = {"/etc/config.yml": "aa", "/etc/key.pem": "bb"}


def test_nothing_to_restart_for():
    assert state.restart_reasons(dict(FILES), FILES, "/usr/bin/r", "/usr/bin/r") == []


@pytest.mark.parametrize(
    "recorded, running, message",
    [
        (None, "/usr/bin/r", "is not recorded"),
        ({"/etc/config.yml": "aa", "/etc/key.pem": "xx"}, "/usr/bin/r", "/etc/key.pem has changed"),
        ({"/etc/config.yml": "aa"}, "/usr/bin/r", "/etc/key.pem has changed"),
        (dict(FILES, **{"/etc/old.pem": "cc"}), "/usr/bin/r", "/etc/old.pem is no longer used"),
        (dict(FILES), "/usr/bin/r (deleted)", "/usr/bin/r has been replaced"),
        (dict(FILES), "/opt/distribution/old/registry", "/usr/bin/r has been replaced"),
    ],
)
def test_reasons_to_restart(recorded, running, message):
    assert [message in text for text in state.restart_reasons(recorded, FILES, running, "/usr/bin/r")] == [True]


def test_a_watched_file_that_is_gone_is_a_change():
    assert state.restart_reasons(FILES, dict(FILES, **{"/etc/key.pem": None})) == ["/etc/key.pem has changed"]


def test_record_of_sha256sum():
    value = hashlib.sha256(b"x").hexdigest()
    assert state.recorded_digests(f"{value}  /etc/a b\n".encode()) == {"/etc/a b": value}
    assert state.recorded_digests(None) is None


@pytest.mark.parametrize(
    "words, version",
    [
        ("registry github.com/docker/distribution v2.8.3", "2.8.3"),
        ("docker-registry github.com/docker/distribution 2.8.2+ds1", "2.8.2+ds1"),
        ("registry github.com/distribution/distribution/v3 v3.1.2", "3.1.2"),
        ("registry github.com/distribution/distribution/v3 v3.0.0-rc.3", "3.0.0-rc.3"),
        ("nonsense", ""),
    ],
)
def test_version_of(tmp_path, words, version):
    binary = tmp_path / "registry"
    binary.write_text(f"#!/bin/sh\necho '{words}'\n", encoding="utf-8")
    binary.chmod(0o755)
    assert state.version_of(str(binary)) == version


def test_version_of_nothing():
    assert state.version_of("") == state.version_of("/nonexistent") == ""
