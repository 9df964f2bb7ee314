# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _api_certificates, _dtr_facts
from ansible_collections.dockyard.trusted_registry.plugins.modules.dtr_settings import FIELDS, READ_ONLY
from api_modules import ModuleFailed

NAME = "dtr_info"
SECRET = "s3cret-of-a-user"
FOR_EVERYONE = {"version", "features", "scanning"}


@pytest.fixture
def info(run_module):
    """info(*parts, **options): what the module returns; all parts when none is named."""
    return lambda *parts, **options: run_module(NAME, **({"gather": list(parts)} if parts else {}), **options)


def test_all_parts_are_read_and_nothing_is_written(standin, info):
    result = info()
    assert (result["changed"], result["not_readable"], standin.writes) == (False, [], [])
    assert set(_dtr_facts.PARTS) <= set(result)
    assert not [part for part in _dtr_facts.PARTS if result[part] is None]
    assert "diff" not in result
    steady = set(_dtr_facts.PARTS) - {"replicas", "workers"}   # which hold the time of the last heartbeat
    checked = info(check=True)
    assert {part: checked[part] for part in steady} == {part: result[part] for part in steady}


def test_only_what_is_asked_for_is_read(standin, info):
    result = info("version")
    assert result["version"] == standin.options.version
    assert not (set(_dtr_facts.PARTS) - {"version"}) & set(result)
    assert [exchange.path for exchange in standin.exchanges] == ["/basic_info"]


def test_replicas(standin, info):
    [replica] = info("replicas")["replicas"]
    assert replica.pop("seen_at").startswith(str(datetime.datetime.now(datetime.timezone.utc).year))
    assert replica == {
        "id": standin.options.replica_id, "node": standin.options.dtr_host, "http_port": 80, "https_port": standin.ports["dtr"],
        "health": "OK", "healthy": True, "read_only": False}
    standin.misc.problem = "rethinkdb"
    found = info("replicas", "issues")
    assert (found["replicas"][0]["health"], found["replicas"][0]["healthy"]) == ("rethinkdb", False)
    assert [issue["description"] for issue in found["issues"]] == ["rethinkdb"]


def test_settings_have_the_names_of_their_module(standin, info):
    standin.store.put("settings", "dtr", {**standin.settings.values, "httpProxy": f"http://ann:{SECRET}@proxy.example.com:3128"})
    settings = info("settings")["settings"]
    assert set(settings) == {*FIELDS, *READ_ONLY, "replica_id"} - {"web_tls_key"}
    assert settings["http_proxy"] == "http://VALUE_HIDDEN@proxy.example.com:3128"
    assert settings["dtr_host"] == standin.settings.values["dtrHost"]


def test_secrets_of_the_storage_are_hidden(standin, info):
    bucket = {"bucket": "images", "accesskey": "AKIA", "secretkey": SECRET, "sessiontoken": ""}
    standin.store.put("settings", "registry", {"storage": {"s3": bucket, "delete": {"enabled": True}}})
    shown = {**bucket, "accesskey": "VALUE_HIDDEN", "secretkey": "VALUE_HIDDEN"}
    assert info("storage")["storage"] == {"storage": {"s3": shown, "delete": {"enabled": True}}}


def test_storage_that_the_version_does_not_have(standin, info):
    standin.faults.add(match="GET /api/v0/admin/settings/registry", kind="status", status=404, times=1)
    result = info("storage", "version")
    assert (result["storage"], result["version"]) == (None, standin.options.version)
    [reason] = result["not_readable"]
    assert reason["part"] == "storage"
    assert "/api/v0/admin/settings/registry answered 404" in reason["reason"]


def test_garbage_collection(standin, run_module, info):
    assert info("gc")["gc"] == {"schedule": None, "lock_holder": "", "runs": []}
    run_module("dtr_gc", state="scheduled", schedule="0 0 1 * * 6", deadline="3h")
    run_module("dtr_gc", state="run")
    run_module("dtr_gc", state="run")
    found = info("gc")["gc"]
    assert found["schedule"].pop("next_run") > "2020"
    assert found["schedule"] == {"action": "onlinegc", "schedule": "0 0 1 * * 6", "deadline": "3h"}
    assert [(run["action"], run["state"], run["freed"]) for run in found["runs"]] == [
        ("onlinegc", "done", {"bytes": 0, "blobs": 0, "manifests": 0})] * 2
    assert found["runs"][0]["scheduled_at"] >= found["runs"][1]["scheduled_at"]
    standin.faults.add(match="GET /api/v0/jobs/*/logs", kind="status", status=404, times=2)   # old logs are removed
    assert info("gc")["gc"]["runs"][0]["freed"] == {"bytes": None, "blobs": None, "manifests": None}


def test_scanning(standin, dtr, run_module, info):
    off = info("scanning", "features")
    assert off["scanning"] == {
        "licensed": True, "enabled": False, "db_version": 0, "db_updated_at": None, "db_age_days": None, "last_update_failed": None,
        "scanner_version": None, "state": None}
    assert off["features"]["online_gc_enabled"] is True
    run_module("dtr_settings", settings={"scanning_enabled": True})
    dtr("PUT", "/api/v0/imagescan/scan/update?online=true")
    on = info("scanning")["scanning"]
    assert (on["enabled"], on["db_age_days"], on["last_update_failed"]) == (True, 0, False)
    assert on["db_version"] > 0


def test_certificates(standin, info):
    found = info("certificates")["certificates"]
    assert [certificate["setting"] for certificate in found] == ["web_tls_cert", "web_tls_ca"]
    assert "127.0.0.1" in found[0]["names"]
    assert found[0]["issuer"] == found[1]["subject"] == found[1]["issuer"]
    assert found[0]["days_left"] > 0
    assert "BEGIN CERTIFICATE" not in json.dumps(found)


def test_certificates_without_the_library(info, monkeypatch):
    monkeypatch.setattr(_api_certificates, "MISSING", "Traceback")
    result = info("certificates", "version")
    assert result["certificates"] is None
    assert "cryptography is needed" in result["not_readable"][0]["reason"]


def test_workers_and_alerts(standin, info):
    result = info("workers", "alerts")
    [worker] = result["workers"]
    assert (worker["id"], worker["status"]) == (standin.options.replica_id, "running")
    assert set(worker) == {"id", "status", "capacity_map", "heartbeat_expiration"}
    assert result["alerts"][0]["id"] == "backup"


def test_an_ordinary_user_is_told_what_is_out_of_reach(standin, info):
    standin.accounts.create({"name": "ann", "password": SECRET})
    result = info(username="ann", password=SECRET)
    assert {entry["part"] for entry in result["not_readable"]} == set(_dtr_facts.PARTS) - FOR_EVERYONE
    assert all(result[part] is None for part in set(_dtr_facts.PARTS) - FOR_EVERYONE)
    assert all(result[part] for part in FOR_EVERYONE)
    assert "403 (NOT_AUTHORIZED" in result["not_readable"][0]["reason"]


def test_a_server_at_fault_is_no_part_that_cannot_be_read(standin, info):
    standin.faults.add(match="GET /api/v0/workers", kind="status", status=500, times=1)
    with pytest.raises(ModuleFailed, match="/api/v0/workers answered 500"):
        info()


def test_unknown_part(info):
    with pytest.raises(ModuleFailed, match=r"value of gather must be one or more of: version, replicas.*Got no match for: weather"):
        info("weather")


def test_failures(fails):
    fails(NAME)


@pytest.mark.parametrize(("name", "shown"), [
    ("webTLSClientCA", "web_tls_client_ca"), ("webTLSCA", "web_tls_ca"), ("dtrHost", "dtr_host"), ("onlineGCEnabled", "online_gc_enabled"),
    ("replicaID", "replica_id"),
    ("db_version", "db_version"), ("ucpHost", "ucp_host"), ("metadataStoreOptedIn", "metadata_store_opted_in"),
])
def test_names(name, shown):
    assert _dtr_facts.snake_name(name) == shown


STATUS = {"replica_health": {"a": "OK"}, "replica_readonly": {"a": True}, "replica_timestamp": {"a": "t"}, "rethink_system_tables": {}}


def test_a_replica_without_health_is_not_healthy():
    nodes = {"b": {"HTTPPort": 80, "HTTPSPort": 443, "node": "n2"}}
    assert _dtr_facts.replicas(STATUS, {"replicaSettings": nodes}) == [
        {"id": "a", "node": None, "http_port": None, "https_port": None, "health": "OK", "healthy": True, "read_only": True,
         "seen_at": "t"},
        {"id": "b", "node": "n2", "http_port": 80, "https_port": 443, "health": None, "healthy": False, "read_only": None, "seen_at": None}]


def test_issues_stand_in_one_of_two_places():
    assert _dtr_facts.issues(STATUS) == []
    assert _dtr_facts.issues({**STATUS, "rethink_system_tables": {"current_issues": [1]}}) == [1]
    assert _dtr_facts.issues({**STATUS, "current_issues": [2]}) == [2]


@pytest.mark.parametrize(("updated", "age"), [
    ("2020-01-02T03:04:05.123456789Z", 2), ("2020-01-05T03:04:04Z", 0), ("0001-01-01T00:00:00Z", None)])
def test_age_of_the_database(updated, age):
    features = {"scanningLicensed": True, "scanningEnabled": True, "db_version": 1}
    status = {"db_version": 2, "db_updated_at": updated, "lastDBUpdateFailed": False, "scanner_version": 3, "state": 0}
    found = _dtr_facts.scanning(features, status, "2020-01-05T03:04:05Z")
    assert (found["db_age_days"], found["db_updated_at"]) == (age, updated if age is not None else None)


@pytest.mark.parametrize(("tree", "shown"), [
    ({"azure": {"accountkey": "x", "container": "c"}}, {"azure": {"accountkey": "VALUE_HIDDEN", "container": "c"}}),
    ({"swift": {"password": "x", "url": "https://u:p@h/v3"}}, {"swift": {"password": "VALUE_HIDDEN", "url": "https://VALUE_HIDDEN@h/v3"}}),
    ({"gcs": {"credentials": {"private_key": "x", "type": "t"}}}, {"gcs": {"credentials": {"private_key": "VALUE_HIDDEN", "type": "t"}}}),
    ({"hosts": [{"secret": "x"}, "https://u:p@h/"], "n": 3}, {"hosts": [{"secret": "VALUE_HIDDEN"}, "https://VALUE_HIDDEN@h/"], "n": 3}),
])
def test_what_is_hidden(tree, shown):
    assert _dtr_facts.without_secrets(tree) == shown
