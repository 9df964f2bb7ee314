# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import re

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._distribution_check import problems

GOOD = {
    "version": 0.1,
    "storage": {"filesystem": {"rootdirectory": "/srv"}, "delete": {"enabled": True}},
    "http": {"addr": ":5000", "tls": {"certificate": "/c", "key": "/k", "minimumtls": "tls1.2"}},
    "auth": {"htpasswd": {"realm": "r", "path": "/h"}},
}
S3 = {"region": "us-east-1", "regionendpoint": "http://s3:9000", "bucket": "b", "accesskey": "a", "secretkey": "s"}


def changed(path, value, base=None):
    config = copy.deepcopy(base or GOOD)
    section = config
    for key in path.split(".")[:-1]:
        section = section.setdefault(key, {})
    section[path.rsplit(".", 1)[-1]] = value
    return config


@pytest.mark.parametrize("version", ["2.8", "2.8.3", "3.0.0", "v3.1.2", "3"])
def test_a_good_configuration_passes(version):
    assert problems(GOOD, version)["errors"] == []


@pytest.mark.parametrize(
    "version, path, value, message",
    [
        # what the registry would ignore
        ("2.8.3", "storage.readonly", {"enabled": True}, "storage.readonly: unknown key.*did you mean storage.maintenance.readonly"),
        ("2.8.3", "storage.delte", {"enabled": True}, "did you mean delete"),
        ("3.1.2", "http.tls.certificat", "/c", "did you mean certificate"),
        ("2.8.3", "http.drainTimeout", "10s", "did you mean draintimeout"),
        ("2.8.3", "zzz", 1, "zzz: unknown key, the registry would ignore it; known here: auth"),
        ("2.8.3", "http.h2c", {"enabled": True}, "http.h2c: is read by 3.x only"),
        ("2.8.3", "storage.s3.forcepathstyle", True, "is read by 3.x only"),
        ("3.0.0", "tags", {"maxtags": 10}, "tags: is read from 3.1.0 on"),
        # what it panics on or refuses
        ("2.8.3", "storage.maintenance", {"readonly": True}, "storage.maintenance.readonly: must be a map: write {enabled: true}.*panics"),
        ("2.8.3", "storage.maintenance.uploadpurging", {"enabled": True, "age": "1h"}, "needs all four keys, dryrun, interval missing"),
        ("2.8.3", "storage.s3", S3, "needs exactly one driver, has filesystem and s3"),
        ("3.1.2", "http.tls.minimumtls", "tls1.0", "minimumtls: 'tls1.0' is none of tls1.2, tls1.3; 3.x accepts"),
        ("2.8.3", "http.tls.minimumtls", "1.2", "none of tls1.0"),
        ("2.8.3", "http.tls.key", "", "certificate and key go together"),
        ("2.8.3", "http.tls.letsencrypt", {"cachefile": "/x"}, "exclude each other"),
        ("2.8.3", "http.draintimeout", 30, "with its unit"),
        ("2.8.3", "http.draintimeout", "30", "with its unit"),
        ("2.8.3", "http.headers", {"X-Frame-Options": "deny"}, "a map of lists"),
        ("2.8.3", "http.addr", "5000", "http.addr: must be address:port"),
        ("2.8.3", "storage.delete.enabled", "yes", "true or false without quotes"),
        ("2.8.3", "storage.filesystem.maxthreads", 10, "25 or more"),
        ("2.8.3", "auth.token", {"realm": "r", "service": "s", "issuer": "i", "rootcertbundle": "/b"}, "exactly one method"),
        ("2.8.3", "auth", {"silly": {"realm": "r", "service": "s"}}, "lets everybody in"),
        ("2.8.3", "auth", {"token": {"realm": "r", "service": "s"}}, "issuer missing"),
        ("2.8.3", "notifications", {"endpoints": [{"name": "x"}]}, "name and url are needed"),
        ("2.8.3", "proxy", {"username": "u"}, "remoteurl: is missing"),
        ("2.8.3", "http", [], "http: must be a map"),
        # what 3.x dropped
        ("3.1.2", "storage", {"swift": {"container": "c"}}, "the swift driver is gone"),
        ("3.1.2", "storage", {"oss": {"bucket": "c"}}, "the oss driver is gone"),
        ("3.1.2", "redis", {"addr": "r:6379"}, "redis.addr: 3.x reads redis.addrs"),
        ("3.1.2", "redis", {"addrs": ["r:6379"], "pool": {"maxidle": 1}}, "maxactive became poolsize"),
        ("2.8.3", "redis", {"addrs": ["r:6379"]}, "redis.addrs: is read by 3.x only"),
        ("3.1.2", "compatibility", {"schema1": {"enabled": True}}, "schema1 manifests cannot be read"),
        ("3.1.2", "reporting", {"bugsnag": {"apikey": "x"}}, "reporting to bugsnag"),
        # vulnerable combinations
        ("2.8.3", "storage.cache", {"blobdescriptor": "redis"}, "redis is named, but there is no redis.addr"),
    ],
)
def test_errors(version, path, value, message):
    found = problems(changed(path, value), version)["errors"]
    assert any(re.search(message, text) for text in found), found


def test_redis_cache_with_delete_is_refused_below_3_1():
    config = changed("redis", {"addr": "r:6379"}, changed("storage.cache", {"blobdescriptor": "redis"}))
    assert "CVE-2026-35172" in problems(config, "2.8.3")["errors"][0]
    accepted = problems(config, "2.8.3", ["CVE-2026-35172"])
    assert accepted["errors"] == [] and "accepted" in accepted["warnings"][0]
    config["storage"]["delete"]["enabled"] = False
    assert problems(config, "2.8.3")["errors"] == []
    config = changed("redis", {"addrs": ["r:6379"]}, changed("storage.cache", {"blobdescriptor": "redis"}))
    assert "CVE-2026-35172" in problems(config, "3.0.0")["errors"][0]
    assert problems(config, "3.1.0")["errors"] == []


@pytest.mark.parametrize(
    "change, message",
    [
        ({"bucket": None}, "bucket: is missing"),
        ({"region": None}, "region: is missing"),
        ({"secretkey": None}, "go together"),
        ({"chunksize": 1024}, "5 MiB"),
    ],
)
def test_s3(change, message):
    assert problems({"storage": {"s3": S3}}, "2.8.3")["errors"] == []
    found = problems({"storage": {"s3": dict(S3, **change)}}, "2.8.3")["errors"]
    assert any(message in text for text in found)


@pytest.mark.parametrize(
    "version, path, value, message",
    [
        ("2.8.3", "http.debug", {"addr": ":5001"}, "without a password on :5001"),
        ("2.8.3", "http.debug", {"addr": "10.0.0.1:5001"}, "without a password"),
        ("2.8.3", "http.tls.minimumtls", "tls1.1", "3.x does not start with it"),
        ("2.8.3", "proxy", {"remoteurl": "https://x", "username": "u", "password": "p"}, "CVE-2026-33540"),
        ("3.1.0", "proxy", {"remoteurl": "https://x"}, "CVE-2026-85747"),
        ("3.1.0", "storage.delete", {"enabled": False}, "CVE-2026-41888"),
        ("2.8.3", "storage", {"inmemory": None}, "every image is lost"),
    ],
)
def test_warnings(version, path, value, message):
    found = problems(changed(path, value), version)
    assert found["errors"] == [] and any(message in text for text in found["warnings"]), found


@pytest.mark.parametrize("address", ["127.0.0.1:5001", "localhost:5001", "[::1]:5001"])
def test_debug_on_loopback_is_quiet(address):
    assert problems(changed("http.debug", {"addr": address}), "2.8.3")["warnings"] == []


def test_a_secret_never_stands_in_a_message():
    config = changed("storage.s3", dict(S3, secretkey=["hunter2"]), changed("redis", {"password": {"hunter2": 1}}))
    found = problems(config, "2.8.3")
    assert found["errors"] and "hunter2" not in str(found)
