# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _distribution_store as store
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.store_factory import StoreFactory


def test_schema1_is_found_in_nested_repositories(tmp_path):
    made = StoreFactory(tmp_path)
    made.image("team/app", "1", layers=1)
    old = made.manifest("team/app/old", {"schemaVersion": 1, "fsLayers": [{"blobSum": made.layer("team/app/old", b"x")}]})
    found = store.describe(str(tmp_path), 10)
    assert found["repositories"] == ["team/app", "team/app/old"] and found["schema1"] == [f"team/app/old@{old}"]
    assert found["manifests"] == 2 and found["blobs"] == 5 and found["complete"]
    assert found["bytes"] == sum(path.stat().st_size for path in made.top.rglob("data"))


def test_an_empty_or_missing_store():
    found = store.describe("/nonexistent", 10)
    assert found["repository_count"] == found["manifests"] == found["bytes"] == 0 and found["complete"]


def test_time_is_kept(tmp_path):
    StoreFactory(tmp_path).image("a", "1")
    assert not store.describe(str(tmp_path), -1)["complete"]


@pytest.mark.parametrize("content", [None, b"", b"[1]", b"no json", b'{"schemaVersion": 2, "layers": []}'])
def test_what_is_no_manifest_of_schema1(tmp_path, content):
    path = tmp_path / "data"
    if content is not None:
        path.write_bytes(content)
    assert not store.is_schema1(str(path))
