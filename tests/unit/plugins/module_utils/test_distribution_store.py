# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _distribution_store as store


def push(root, repository, content):
    digest = hashlib.sha256(content).hexdigest()
    version = root / "docker/registry/v2"
    link = version / "repositories" / repository / "_manifests/revisions/sha256" / digest / "link"
    data = version / "blobs/sha256" / digest[:2] / digest / "data"
    for path, text in ((link, f"sha256:{digest}".encode()), (data, content)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return digest


def test_schema1_is_found_in_nested_repositories(tmp_path):
    old = json.dumps({"schemaVersion": 1, "name": "team/old"}).encode()
    push(tmp_path, "team/app", json.dumps({"schemaVersion": 2}).encode())
    digest = push(tmp_path, "team/app/old", old)
    found = store.describe(str(tmp_path), 10)
    assert found["repositories"] == ["team/app", "team/app/old"] and found["schema1"] == [f"team/app/old@sha256:{digest}"]
    assert found["manifests"] == 2 and found["blobs"] == 2 and found["complete"]
    assert found["bytes"] == len(old) + len(json.dumps({"schemaVersion": 2}))


def test_an_empty_or_missing_store():
    found = store.describe("/nonexistent", 10)
    assert found["repository_count"] == found["manifests"] == found["bytes"] == 0 and found["complete"]


def test_time_is_kept(tmp_path):
    push(tmp_path, "a", b"{}")
    assert not store.describe(str(tmp_path), -1)["complete"]


def test_what_is_no_manifest_of_schema1():
    assert not any(store.is_schema1(content) for content in (b"", b"[1]", b"no json", b'{"schemaVersion": 2}'))
