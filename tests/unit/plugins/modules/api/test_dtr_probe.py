# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip
import hashlib
import json

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_probe
from api_modules import ModuleFailed, connection, run
from standin_fixture import Client

NAME = "dtr_probe"


def as_admin(standin):
    return Client(standin.dtr_url, standin.ca_file, standin.admin[0])


@pytest.fixture
def probe(standin_with_registry):
    """probe(**options): the module on a stand-in with a real registry behind it, and a repository admin/probe."""
    standin = standin_with_registry
    as_admin(standin)("POST", "/api/v0/repositories/admin", 201, json={"name": "probe", "visibility": "private"})
    return lambda check=False, **options: run(NAME, {**connection(standin, NAME), "repository": "admin/probe", **options}, check)


def test_the_image_is_one():
    config = json.loads(_dtr_probe.CONFIG)
    layer = gzip.decompress(_dtr_probe.LAYER)
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]


def test_push_and_pull(standin_with_registry, probe):
    first, second = probe(), probe(tag="again")
    assert first["digest"] == second["digest"] == _dtr_probe.digest(_dtr_probe.manifest())
    assert (first["changed"], first["seconds"] > 0) == (False, True)
    tags = as_admin(standin_with_registry)("GET", "/api/v0/repositories/admin/probe/tags").json()
    assert sorted(tag["name"] for tag in tags) == ["again", "dockyard-probe"]


def test_check_mode_pushes_nothing(standin_with_registry, probe):
    assert probe(check=True)["digest"] == ""
    assert as_admin(standin_with_registry)("GET", "/api/v0/repositories/admin/probe/tags").json() == []


def test_a_read_only_registry_is_found_out(standin_with_registry, probe):
    as_admin(standin_with_registry)("POST", "/api/v0/meta/settings", 202, json={"readOnlyRegistry": True})
    with pytest.raises(ModuleFailed, match="answered 40"):
        probe()


def test_another_image_comes_back(probe, monkeypatch):
    monkeypatch.setattr(_dtr_probe.Client, "call", lambda client, method, path, **more: type("A", (), {"content": b"x", "headers": {}})())
    monkeypatch.setattr(_dtr_probe.Client, "push_blob", lambda client, blob: None)
    with pytest.raises(ModuleFailed, match="gave back another image"):
        probe()


def test_a_repository_that_is_none(probe):
    with pytest.raises(ModuleFailed, match="is no name"):
        probe(repository="probe")
    with pytest.raises(ModuleFailed, match="answered 40"):
        probe(repository="admin/never")


def test_failures(fails):
    fails(NAME, repository="admin/probe")
