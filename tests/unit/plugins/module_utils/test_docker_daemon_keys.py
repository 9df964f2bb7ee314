# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_keys import FLAGS, KEYS, validate


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"insecure-registry": ["a"]},
            "name of the flag, which the engine ignores in a file; the key is insecure-registries",
        ),
        ({"no-such-key": 1}, "no-such-key: no configuration option"),
        ({"debug": "true"}, "debug: must be true or false, not 'true'"),
        ({"mtu": "1400"}, "mtu: must be a whole number"),
        ({"mtu": True}, "mtu: must be a whole number"),
        ({"labels": "a=b"}, "labels: must be a list of strings"),
        ({"labels": ["a"]}, "'a' must have the form key=value"),
        ({"labels": ["a=1", "a=2"]}, "'a' stands twice with different values"),
        ({"log-opts": {"max-file": 3}}, "log-opts: max-file must be a string in quotes, not 3"),
        ({"log-level": "verbose"}, "log-level: must be one of debug"),
        ({"insecure-registries": ["ftp://a"]}, "'ftp://a' is not host"),
        ({"insecure-registries": ["a/b"]}, "'a/b' is not host"),
        ({"insecure-registries": ["a:99999"]}, "'a:99999' has no valid port"),
        ({"registry-mirrors": ["m.example.com"]}, "must be a URL"),
        ({"registry-mirrors": ["https://u:p@m.example.com"]}, "must not carry a query, a fragment or credentials"),
        ({"default-runtime": "nvidia"}, "'nvidia' is not among runtimes"),
        ({"runtimes": {"runc": {"path": "/x"}}}, "reserved"),
        ({"hosts": ["/run/docker.sock"]}, "must begin with unix://"),
        ({"exec-opts": ["systemd"]}, "'systemd' must have the form key=value"),
        ({"default-address-pools": [{"base": "10.0.0.0/8"}]}, "a list of maps with base and size"),
        ({"data-root": "docker"}, "must be an absolute path"),
        ({"proxies": {"http-proxy": "http://p"}}, "needs engine 23.0, this one is 20.10"),
        ({"http-proxy": "http://p"}, "http-proxy: the engine ignores this key at the top of the file; put it into proxies"),
    ],
)
def test_what_the_engine_would_reject_is_named(config, message):
    assert any(message in error for error in validate(config, (20, 10))), validate(config, (20, 10))


@pytest.mark.parametrize(
    "config",
    [
        {"insecure-registries": ["a.example.com", "a:5000", "10.0.0.0/8", "::1/128", "[::1]:5000", "http://b:80"]},
        {"registry-mirrors": ["https://m.example.com", "http://m:5000/"]},
        {"default-shm-size": "64M"},
        {"default-shm-size": 67108864},
        {"default-runtime": "kata", "runtimes": {"kata": {"path": "/usr/bin/kata"}}},
        {"default-runtime": "io.containerd.kata.v2"},
        {"log-opts": {"max-file": "3"}, "default-ulimits": {"nofile": {"Name": "nofile", "Hard": 1, "Soft": 1}}},
        {"hosts": ["fd://", "tcp://0.0.0.0:2376"], "features": {"buildkit": True}},
    ],
)
def test_what_the_engine_accepts_is_accepted(config):
    assert validate(config, (20, 10)) == []


def test_an_engine_that_validates_itself_judges_unknown_keys():
    assert validate({"key-of-tomorrow": 1}, (29, 1), engine_validates=True) == []


def test_every_flag_leads_to_a_key_and_neutral_values_are_valid():
    assert all(key in KEYS for key in FLAGS.values())
    assert FLAGS["H"] == "hosts" and FLAGS["insecure-registry"] == "insecure-registries" and FLAGS["s"] == "storage-driver"
    assert validate({name: key.neutral for name, key in KEYS.items() if key.neutral is not None}) == []
