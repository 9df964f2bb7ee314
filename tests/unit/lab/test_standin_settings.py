# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import ssl
import time

import pytest
from standin.tls import Authority
from standin_fixture import PASSWORD, Client, running

SETTINGS = "/api/v0/meta/settings"
STORAGE = "/api/v0/admin/settings/registry"


def code(answer):
    return answer.json()["errors"][0]["code"]


def served_certificate(standin):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", standin.ports["dtr"]), 5) as plain, context.wrap_socket(plain) as channel:
        return ssl.DER_cert_to_PEM_cert(channel.getpeercert(binary_form=True))


def test_a_part_is_changed_and_the_rest_stays(standin, dtr):
    before = dtr("GET", SETTINGS).json()
    assert before["dtrHost"] == standin.dtr_name and before["replicaSettings"] == {
        "0123456789ab": {"HTTPPort": 80, "HTTPSPort": standin.ports["dtr"], "node": "127.0.0.1"},
    }
    answer = dtr("POST", SETTINGS, 202, json={"readOnlyRegistry": True, "jobHistoryMaxAge": "72h30m", "dtrHost": "dtr.example.com:8443"})
    assert answer.content == b""
    assert dtr("GET", SETTINGS).json() == {
        **before, "readOnlyRegistry": True, "jobHistoryMaxAge": "72h30m", "dtrHost": "dtr.example.com:8443",
    }


def test_what_was_read_can_be_written_without_what_is_read_only(standin, dtr):
    before = dtr("GET", SETTINGS).json()
    read_only = {
        "replicaSettings", "replicaID", "httpProxy", "httpsProxy", "noProxy", "logProtocol", "logHost", "logLevel", "storageVolume",
        "nfsHost", "nfsPath",
    }
    dtr("POST", SETTINGS, 202, json={name: value for name, value in before.items() if name not in read_only})
    assert dtr("GET", SETTINGS).json() == before
    standin.expect_violations = True
    for name in read_only:
        assert code(dtr("POST", SETTINGS, 400, json={name: before[name]})) == "INVALID_JSON"


def test_changes_take_effect_later(tmp_path):
    with running(tmp_path, settings_delay=0.3) as standin:
        dtr = Client(standin.dtr_url, standin.ca_file, "admin")
        dtr("POST", SETTINGS, 202, json={"createRepositoryOnPush": True})
        assert dtr("GET", SETTINGS).json()["createRepositoryOnPush"] is False
        deadline = time.monotonic() + 5
        while not dtr("GET", SETTINGS).json()["createRepositoryOnPush"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize(
    "form",
    [
        {"jobHistoryMaxAge": "3 days"}, {"repoEventHistoryMaxAge": "-1h"}, {"jobHistoryToKeep": -1}, {"dtrHost": "https://dtr.example.com"},
        {"dtrHost": ""}, {"dtrHost": "dtr.example.com/path"}, {"webTLSCert": "text"}, {"webTLSKey": "text"}, {"webTLSCA": "text"},
        {"webTLSClientCA": "text"},
    ],
)
def test_invalid_settings(dtr, form):
    before = dtr("GET", SETTINGS).json()
    assert code(dtr("POST", SETTINGS, 400, json={**form, "sso": True})) == "INVALID_SETTINGS"
    assert dtr("GET", SETTINGS).json() == before


def test_settings_are_for_administrators(dtr, dtr_as):
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ann", "password": PASSWORD})
    for path in (SETTINGS, STORAGE, "/api/v0/meta/cluster_status", "/api/v0/meta/alerts"):
        assert code(dtr_as("ann")("GET", path, 403)) == "NOT_AUTHORIZED"
    dtr_as("ann")("POST", SETTINGS, 403, json={"sso": True})


def test_a_new_certificate_is_served_and_kept(tmp_path):
    authority = Authority(tmp_path / "ca", "Operator's CA")
    certificate, key = (part.decode() for part in authority.issue("localhost", ["localhost", "127.0.0.1"]))
    other_certificate, other_key = (part.decode() for part in authority.issue("localhost", ["localhost"]))
    with running(tmp_path / "standin", memory=False) as standin:
        dtr = Client(standin.dtr_url, standin.ca_file, "admin")
        assert dtr("GET", SETTINGS).json()["webTLSCert"] == served_certificate(standin)
        for pair in ((certificate, other_key), (certificate, ""), (other_certificate, key)):
            assert code(dtr("POST", SETTINGS, 400, json={"webTLSCert": pair[0], "webTLSKey": pair[1]})) == "INVALID_SETTINGS"
        dtr("POST", SETTINGS, 202, json={"webTLSCert": certificate, "webTLSKey": key, "webTLSCA": authority.pem})
        assert served_certificate(standin) == certificate
        dtr = Client(standin.dtr_url, str(authority.file), "admin")
        shown = dtr("GET", SETTINGS).json()
        assert (shown["webTLSCert"], shown["webTLSCA"]) == (certificate, authority.pem) and "webTLSKey" not in shown
        assert dtr("GET", "/ca").text == authority.pem
    with running(tmp_path / "standin", memory=False) as standin:
        assert served_certificate(standin) == certificate
        Client(standin.dtr_url, str(authority.file), "admin")("GET", SETTINGS)


def test_own_certificate_is_made_anew_for_more_names(tmp_path):
    with running(tmp_path) as standin:
        first = served_certificate(standin)
    with running(tmp_path) as standin:
        assert served_certificate(standin) == first
    with running(tmp_path, san=("registry.example.com",)) as standin:
        assert served_certificate(standin) != first
        assert Client(standin.dtr_url, standin.ca_file, "admin")("GET", SETTINGS).json()["webTLSCert"] == served_certificate(standin)


def test_settings_changes_are_told(standin, dtr):
    told = []
    standin.hooks.on("SETTINGS_CHANGED", lambda before, after: told.append((before["sso"], after["sso"])))
    dtr("POST", SETTINGS, 202, json={"sso": True})
    assert told == [(False, True)]


def test_another_storage_backend_erases_tags_unless_metadata_is_kept(standin, dtr):
    assert dtr("GET", STORAGE).json() == {"storage": {"filesystem": {"rootdirectory": "/storage"}}}
    s3 = {"storage": {"s3": {"bucket": "images"}}}

    dtr("POST", "/api/v0/repositories/docker-datacenter", 201, json={"name": "base"})

    def tags_after(form):
        for kind in ("tag", "manifest"):
            standin.store.put(kind, "docker-datacenter/base/x", {})
        dtr("PUT", STORAGE, 202, json=form)
        return len(standin.store.all("tag")) + len(standin.store.all("manifest"))

    assert tags_after({**s3, "keep_metadata": True}) == 2
    assert dtr("GET", STORAGE).json() == s3
    assert tags_after(s3) == 2
    assert tags_after({"storage": {"filesystem": {"rootdirectory": "/storage"}}}) == 0


def test_features_cluster_status_and_alerts(standin, dtr):
    features = dtr("GET", "/api/v0/meta/features").json()
    assert features["scanningEnabled"] is False and features["onlineGCEnabled"] is True and features["ucpHost"] == standin.ucp_name
    dtr("POST", SETTINGS, 202, json={"scanningEnabled": True, "readOnlyRegistry": True, "disableBackupWarning": True})
    assert dtr("GET", "/api/v0/meta/features").json()["scanningEnabled"] is True
    status = dtr("GET", "/api/v0/meta/cluster_status").json()
    assert status["replica_health"] == {"0123456789ab": "OK"} and status["replica_readonly"] == {"0123456789ab": True}
    assert status["gc_lock_holder"] == "" and status["rethink_system_tables"]["current_issues"] == []
    standin.misc.problem = "rethinkdb"
    assert dtr("GET", "/api/v0/meta/cluster_status").json()["replica_health"] == {"0123456789ab": "rethinkdb"}
    assert dtr("GET", "/api/v0/meta/alerts").json() == []
    assert dtr("GET", "/api/v0/accounts/language").json() == {"language": "en"}


def test_content_caches(dtr, dtr_as):
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ann", "password": PASSWORD})
    caches, own = "/api/v0/content_caches", "/api/v0/accounts/ann/settings"
    made = dtr("POST", caches, 201, json={"name": "north", "host": "https://north.example.com"}).json()
    assert dtr_as("ann")("GET", caches).json() == [made] and dtr("GET", f"{caches}/{made['id']}").json() == made
    dtr_as("ann")("POST", caches, 403, json={"name": "x", "host": "https://x"})
    for form in ({"name": "north", "host": "https://x"}, {"name": "", "host": "https://x"}, {"name": "x", "host": "x"}):
        dtr("POST", caches, 400, json=form)
    assert dtr_as("ann")("GET", own).json() == {"ContentCacheUUID": ""}
    dtr_as("ann")("PATCH", own, json={"contentCacheUUID": made["id"]})
    assert dtr("GET", own).json() == {"ContentCacheUUID": made["id"]}
    assert code(dtr("PATCH", own, 400, json={"contentCacheUUID": "none"})) == "INVALID_USER_SETTINGS"
    dtr_as("ann")("GET", "/api/v0/accounts/admin/settings", 403)
    assert code(dtr("GET", "/api/v0/accounts/nobody/settings", 404)) == "NO_SUCH_USER"
    dtr("DELETE", f"{caches}/{made['id']}", 204)
    dtr("DELETE", f"{caches}/{made['id']}", 204)
    assert code(dtr("GET", f"{caches}/{made['id']}", 404)) == "NO_SUCH_CONTENT_CACHE"
