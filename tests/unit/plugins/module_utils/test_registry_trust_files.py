# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_files import (
    Places,
    desired_state,
    hosts_toml,
    registries_conf,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_rules import DIALECTS, registry_of

CA = "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n"
CA2 = "-----BEGIN CERTIFICATE-----\nQg==\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nQw==\n-----END PRIVATE KEY-----\n"
SECURE = registry_of({"host": "s.example.com", "port": 5000, "ca": CA})
MUTUAL = registry_of({"host": "m.example.com", "port": 5001, "ca": CA, "client_certificate": CA2, "client_key": KEY})
PLAIN = registry_of({"host": "p.example.com", "port": 5002, "insecure": True})
MIRROR = registry_of({"host": "mirror.example.com", "ca": CA, "mirror_of": ["docker.io", "quay.io"]})


def state(*registries, dialects=("docker",), networks=()):
    return desired_state(list(registries), list(networks), list(dialects), Places())


def test_docker_reads_one_directory_per_registry_and_a_key_is_for_root_alone():
    files = state(SECURE, MUTUAL, PLAIN).files
    assert {path: (file.mode, file.secret) for path, file in files.items()} == {
        "/etc/docker/certs.d/s.example.com:5000/ca.crt": (0o644, False),
        "/etc/docker/certs.d/m.example.com:5001/ca.crt": (0o644, False),
        "/etc/docker/certs.d/m.example.com:5001/client.cert": (0o644, False),
        "/etc/docker/certs.d/m.example.com:5001/client.key": (0o600, True),
    }


def test_docker_lists():
    lists = state(SECURE, PLAIN, MIRROR, networks=["10.0.0.0/8"]).lists
    assert lists == {
        "insecure-registries": ["p.example.com:5002", "10.0.0.0/8"],
        "registry-mirrors": ["https://mirror.example.com"],
    }


def test_an_entry_declared_absent_is_absent_everywhere():
    gone = registry_of({"host": "p.example.com", "port": 5002, "insecure": True, "state": "absent"})
    desired = state(gone, dialects=DIALECTS)
    assert desired.files == {}
    assert desired.lists == {"insecure-registries": [], "registry-mirrors": []}
    assert desired.absent_lists["insecure-registries"] == ["p.example.com:5002"]
    assert "/etc/containers/certs.d/p.example.com:5002" in desired.absent_directories


def test_line_ends_of_other_systems_do_not_reach_the_host():
    crlf = registry_of({"host": "s.example.com", "ca": CA.replace("\n", "\r\n") + "\r\n"})
    assert [file.content for file in state(crlf).files.values()] == [CA]


def test_registries_conf_has_one_section_per_name():
    upstream = registry_of({"host": "quay.io", "insecure": True})
    text = registries_conf([PLAIN, upstream, MIRROR])
    assert text.count("[[registry]]") == 3
    assert text.count('prefix = "quay.io"') == 1
    assert 'prefix = "quay.io"\nlocation = "quay.io"\ninsecure = true\n\n[[registry.mirror]]\nlocation = "mirror.example.com"' in text
    assert registries_conf([SECURE]) is None


def test_hosts_toml_of_a_secure_and_of_an_insecure_registry():
    mutual = hosts_toml(MUTUAL.name, MUTUAL, [], "/d")
    assert 'server = "https://m.example.com:5001"' in mutual
    assert 'client = [["/d/m.example.com:5001/client.cert", "/d/m.example.com:5001/client.key"]]' in mutual
    plain = hosts_toml(PLAIN.name, PLAIN, [], "/d")
    assert 'server = "http://p.example.com:5002"' in plain
    assert '[host."https://p.example.com:5002"]' in plain and "skip_verify = true" in plain
    assert "skip_verify" not in mutual


def test_containerd_mirrors_stand_with_the_upstream_in_the_order_declared():
    second = registry_of({"host": "second.example.com", "port": 5000, "mirror_of": ["docker.io"]})
    files = state(MIRROR, second, dialects=["containerd"]).files
    text = files["/etc/containerd/certs.d/docker.io/hosts.toml"].content
    assert 'server = "https://registry-1.docker.io"' in text
    assert text.index("mirror.example.com") < text.index("second.example.com")
    assert 'ca = "/etc/containerd/certs.d/mirror.example.com/ca.crt"' in text
    assert "/etc/containerd/certs.d/quay.io/hosts.toml" in files


def test_what_is_written_is_toml():
    tomllib = pytest.importorskip("tomllib", reason="tomllib came with Python 3.11")
    hosts = tomllib.loads(hosts_toml("docker.io", None, [MIRROR, MUTUAL], "/d"))
    assert list(hosts["host"]) == ["https://mirror.example.com", "https://m.example.com:5001"]
    conf = tomllib.loads(registries_conf([PLAIN, MIRROR]))
    assert [section["prefix"] for section in conf["registry"]] == ["p.example.com:5002", "docker.io", "quay.io"]
    assert conf["registry"][1]["mirror"] == [{"location": "mirror.example.com"}]


def test_the_system_store_gets_one_file_per_distinct_certificate():
    bundle = registry_of({"host": "b.example.com", "ca": "# comment\n" + CA + CA2})
    files = state(SECURE, MUTUAL, bundle, PLAIN, dialects=["system"]).files
    assert sorted(file.content for file in files.values()) == [CA, CA2]
    assert all(path.startswith("/usr/local/share/ca-certificates/dockyard-registry-") and path.endswith(".crt") for path in files)
