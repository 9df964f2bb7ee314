# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import re

import pytest
import yaml
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _distribution_plan as distribution

SETTINGS = {
    "method": "package",
    "version": "",
    "binary_url": "",
    "binary_sha256": "",
    "container_image": "",
    "hostname": "registry.example.com",
    "address": "",
    "port": 5000,
    "debug_address": "127.0.0.1:5001",
    "tls_source": "issued",
    "tls_certificate_file": "",
    "tls_key_file": "",
    "tls_directory": "/etc/distribution/tls",
    "auth": "htpasswd",
    "users": [{"name": "alice", "password": "sesame"}],
    "htpasswd_cost": 8,
    "htpasswd_path": "/etc/distribution/htpasswd",
    "realm": "registry",
    "token": {},
    "storage": {"filesystem": {"rootdirectory": "/srv"}},
    "delete_enabled": True,
    "shared_store": False,
    "cache": "inmemory",
    "redis": {},
    "http_secret": "",
    "drain_timeout": 30,
    "log_level": "info",
    "extra": {},
    "accepted_cves": [],
    "config_path": "/etc/distribution/config.yml",
    "unit_path": "/etc/systemd/system/distribution.service",
}
SHA = "0123456789ab" + "0" * 52
S3 = {"s3": {"region": "r", "bucket": "b", "accesskey": "access-1", "secretkey": "secret-1"}}


def settings(**changes):
    return dict(copy.deepcopy(SETTINGS), **changes)


def test_defaults_have_no_error_and_warn_of_the_package():
    plan = distribution.plan(SETTINGS)
    assert plan["errors"] == [] and "CVE-2026-33540" in plan["warnings"][0]
    assert plan["major"] == 2 and plan["store"] == "/srv" and plan["executable"] == "/usr/bin/docker-registry"
    assert plan["health"] == {
        "address": "127.0.0.1",
        "port": 5000,
        "name": "registry.example.com",
        "prefix": "/",
        "tls": True,
        "certificate": "/etc/distribution/tls/certificate.pem",
        "mutual_tls": False,
        "expected": 401,
        "debug": "127.0.0.1:5001",
    }
    assert plan["watched"] == [
        "/etc/distribution/config.yml",
        "/etc/distribution/tls/certificate.pem",
        "/etc/distribution/tls/key.pem",
        "/etc/systemd/system/distribution.service",
    ]


def test_the_plan_holds_no_secret_and_the_rendering_names_them():
    given = settings(storage=S3, http_secret="secret-2-long-enough", users=[{"name": "a", "password": "secret-3"}])
    assert "secret-" not in str(distribution.plan(given))
    rendering = distribution.rendering(given)
    assert rendering["secrets"] == ["access-1", "secret-1", "secret-2-long-enough"]
    assert yaml.safe_load(rendering["text"])["storage"]["s3"]["secretkey"] == "secret-1"


def test_extra_configuration_is_merged_and_null_removes():
    text = distribution.rendering(settings(extra={"http": {"debug": None, "prefix": "/p/"}, "catalog": {"maxentries": 5}}))["text"]
    config = yaml.safe_load(text)
    assert "debug" not in config["http"] and config["http"]["prefix"] == "/p/" and config["catalog"] == {"maxentries": 5}
    assert distribution.plan(settings(extra={"http": {"debug": None, "prefix": "/p/"}}))["health"]["prefix"] == "/p/"


def test_a_binary_goes_into_a_directory_of_its_own():
    plan = distribution.plan(settings(method="binary", binary_url="/srv/registry-3.1.2", binary_sha256=SHA))
    assert plan["link"] == "/opt/distribution/current" and plan["link_target"] == "/opt/distribution/0123456789ab"
    assert plan["trial_executable"] == "/opt/distribution/0123456789ab/registry" and plan["major"] == 3


def test_no_trial_where_a_second_registry_would_disturb():
    image = "localhost/registry:3.1.2"
    assert distribution.plan(settings(method="container", container_image=image))["trial"] is False
    assert distribution.plan(settings(extra={"proxy": {"remoteurl": "https://upstream"}}))["trial"] is False
    assert distribution.plan(SETTINGS)["trial"] is True


def test_mutual_tls_is_watched_and_expected():
    plan = distribution.plan(settings(extra={"http": {"tls": {"clientcas": ["/etc/ca.pem"]}}}))
    assert plan["health"]["mutual_tls"] is True and "/etc/ca.pem" in plan["watched"]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"hostname": "https://registry"}, "distribution_hostname.*no scheme"),
        ({"hostname": "registry:5000"}, "distribution_hostname.*no scheme, port"),
        ({"port": 70000}, "distribution_port: 70000 is not a port"),
        ({"method": "binary", "version": "3.1.2"}, "distribution_binary_url"),
        ({"method": "binary", "binary_url": "/x-3.1.2", "binary_sha256": "abc"}, "distribution_binary_sha256.*64"),
        ({"method": "binary", "binary_url": "/x", "binary_sha256": SHA}, "distribution_version: cannot be told"),
        ({"method": "container"}, "distribution_container_image"),
        ({"method": "container", "container_image": "r:3.1.2", "port": 443}, "cannot listen on port 443"),
        ({"method": "container", "container_image": "r:latest"}, "distribution_version: cannot be told"),
        ({"tls_source": "provided"}, "distribution_tls_certificate_file"),
        ({"http_secret": "short"}, "16 characters"),
        ({"shared_store": True, "storage": S3}, "distribution_http_secret: several hosts share this store"),
        ({"htpasswd_cost": 4}, "distribution_htpasswd_cost"),
        ({"users": []}, "nobody could log in"),
        ({"users": [{"name": "a", "state": "absent"}]}, "nobody could log in"),
        ({"users": [{"name": "a:b", "password": "x"}]}, "distribution_users: user a:b"),
        ({"auth": "token"}, "is used only with distribution_auth: htpasswd"),
        ({"auth": "token", "users": []}, "config.yml: auth.token: realm, service, issuer missing"),
        ({"storage": dict(S3, filesystem={})}, "config.yml: storage: needs exactly one driver"),
        ({"extra": {"storage": {"readonly": True}}}, "config.yml: storage.readonly: unknown key"),
        ({"cache": "redis", "redis": {"addr": "r:1"}}, "CVE-2026-35172"),
    ],
)
def test_errors(changes, message):
    errors = distribution.plan(settings(**changes))["errors"]
    assert any(re.search(message, text) for text in errors), errors


@pytest.mark.parametrize(
    "changes, message, expected",
    [
        ({"tls_source": "disabled_insecure"}, "in the clear", 401),
        ({"auth": "anonymous_insecure", "users": []}, "everybody", 200),
    ],
)
def test_what_is_insecure_is_warned_of(changes, message, expected):
    plan = distribution.plan(settings(**changes))
    assert plan["errors"] == [] and any(message in text for text in plan["warnings"])
    assert plan["health"]["expected"] == expected and plan["health"]["tls"] is (changes.get("tls_source") is None)


def scan(schema1=(), complete=True):
    return {"schema1": list(schema1), "schema1_count": len(schema1), "complete": complete, "manifests": 7}


@pytest.mark.parametrize(
    "current, target, found, errors, notices",
    [
        ("", "3.1.2", None, 0, 0),
        ("2.8.2", "2.8.3", None, 0, 0),
        ("2.8.3", "3.1.2", scan(), 0, 2),
        ("2.8.3", "3", scan(), 0, 2),
        ("2.8.2+ds1", "3.1.2", scan(["a@sha256:1", "b@sha256:2"]), 2, 2),
        ("2.8.3", "3.1.2", scan(complete=False), 1, 2),
        ("2.8.3", "3.1.2", None, 1, 2),
        ("3.1.2", "2.8.3", scan(), 0, 1),
        ("3.0.0", "3.1.2", None, 0, 0),
    ],
)
def test_upgrade(current, target, found, errors, notices):
    result = distribution.upgrade(current, target, found, "s3")
    assert (len(result["errors"]), len(result["notices"])) == (errors, notices), result
