# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _distribution_config as config


@pytest.mark.parametrize(
    "arguments, version",
    [
        (("package",), "2.8"),
        (("package", "2.8.3"), "2.8.3"),
        (("binary", "", "https://mirror/registry_3.1.2_linux_amd64.tar.gz"), "3.1.2"),
        (("binary", "", "/srv/registry-2.8.3"), "2.8.3"),
        (("binary", "", "https://10.1.2.3/v3.0.0/registry"), ""),
        (("binary", "3.0.0", "https://10.1.2.3/registry"), "3.0.0"),
        (("container", "", "", "localhost:5000/registry:3.1.2"), "3.1.2"),
        (("container", "", "", "registry:3"), "3"),
        (("container", "", "", "registry:2.8.3@sha256:00"), "2.8.3"),
        (("container", "", "", "localhost:5000/registry"), ""),
        (("container", "", "", "registry:latest"), ""),
    ],
)
def test_declared_version(arguments, version):
    assert config.declared_version(*arguments) == version


def test_merge_is_deep_and_null_removes():
    base = {"http": {"addr": ":1", "debug": {"addr": "x"}}, "log": {"level": "info"}}
    extra = {"http": {"debug": None, "prefix": "/p/"}, "log": {"level": "debug"}}
    assert config.merged(base, extra) == {"http": {"addr": ":1", "prefix": "/p/"}, "log": {"level": "debug"}}
    assert base["http"]["debug"] == {"addr": "x"}


def test_secrets_are_found_wherever_they_stand():
    found = config.secrets(
        {
            "http": {"secret": "one", "tls": {"key": "/path"}},
            "storage": {"s3": {"accesskey": "two", "secretkey": "three", "region": "r"}},
            "notifications": {"endpoints": [{"url": "https://u:four@host/", "headers": {"Authorization": ["five"]}}]},
            "redis": {"password": ""},
        }
    )
    assert found == ["five", "four", "one", "three", "two"]


def test_the_placeholder_is_no_secret():
    assert config.secrets({"http": {"secret": config.HOST_SECRET}}) == []


def test_root_directory():
    assert config.root_directory({"storage": {"filesystem": None, "delete": {}}}) == "/var/lib/registry"
    assert config.root_directory({"storage": {"s3": {}}}) is None
