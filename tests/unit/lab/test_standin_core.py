# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import time

import pytest
import requests
from standin import schema
from standin.__main__ import main
from standin.options import Options
from standin.standin import Standin
from standin.store import Store
from standin.tls import Authority
from standin_fixture import PASSWORD, REGISTRY_BINARY, ROOT, Client, running

REPOSITORIES = "/api/v0/repositories"


# The store

def test_store_keeps_documents_over_a_restart(tmp_path):
    store = Store(str(tmp_path / "db"))
    for key in ("b/2", "a/1", "b/1", "c"):
        store.put("thing", key, {"key": key})
    store.put("thing", "b/1", {"key": "changed"})
    assert store.delete("thing", "c") and not store.delete("thing", "c")
    store.close()
    again = Store(str(tmp_path / "db"))
    assert [key for key, _doc in again.items("thing")] == ["a/1", "b/1", "b/2"]
    assert again.all("thing", "b/") == [{"key": "changed"}, {"key": "b/2"}]
    assert again.get("thing", "c") is None and again.get("other", "a/1") is None


# Schemas

SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"}, "size": {"type": "integer"}, "kind": {"type": "string", "enum": ["a", "b"]},
        "at": {"type": "string", "format": "date-time"}, "labels": {"type": "object", "additional": {"type": "string"}},
        "list": {"type": "array", "items": {"ref": "Part"}}, "any": {},
    },
}
PART = {"type": "object", "properties": {"part": {"ref": "Part"}, "on": {"type": "boolean"}}}


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"name": "x", "size": 1, "kind": "a", "at": "2020-01-02T03:04:05Z"}, None),
        ({"name": "x", "labels": {"k": "v"}, "list": [{"on": True}], "any": None}, None),
        ({}, "x: 'name' is a required property"),
        ({"name": 1}, "x.name: 1 is not of type 'string'"),
        ({"name": "x", "size": True}, "x.size: True is not of type 'integer'"),
        ({"name": "x", "size": 1.5}, "x.size: 1.5 is not of type 'integer'"),
        ({"name": "x", "kind": "c"}, "x.kind: 'c' is not one of ['a', 'b']"),
        ({"name": "x", "at": "yesterday"}, f"x.at: 'yesterday' does not match {schema.DATE_TIME!r}"),
        ({"name": "x", "labels": {"k": 1}}, "x.labels.k: 1 is not of type 'string'"),
        ({"name": "x", "list": [{}, {"part": {"on": 1}}]}, "x.list[1].part.on: 1 is not of type 'boolean'"),
        ({"name": "x", "extra": 1}, "x: Additional properties are not allowed ('extra' was unexpected)"),
        ({"name": "x", "list": None}, "x.list: None is not of type 'array'"),
        (["name"], "x: ['name'] is not of type 'object'"),
    ],
)
def test_schema_says_what_is_wrong(value, complaint):
    check = schema.Schemas({"Part": PART}, {}, False).check(SCHEMA)
    assert check(value, "x") == ([complaint] if complaint else [])


def test_schema_merges_parts_and_overrides_what_is_required():
    definitions = {"Part": {**PART, "required": ["on"]}}
    both = {"allOf": [{"ref": "Part"}, {"type": "object", "properties": {"more": {"type": "string"}}}]}
    assert schema.Schemas(definitions, {}, False).check(both)({"more": "x"}, "x") == ["x: 'on' is a required property"]
    assert schema.Schemas(definitions, {"Part": set()}, False).check({"ref": "Part"})({}, "x") == []


def test_schema_takes_null_for_empty_lists_and_maps_where_told_to():
    for empty in ({"type": "array", "items": {}}, {"type": "object", "additional": {}}):
        assert schema.Schemas({}, {}, True).check(empty)(None, "x") == []
        assert len(schema.Schemas({}, {}, False).check(empty)(None, "x")) == 1
    assert len(schema.Schemas({}, {}, True).check(PART)(None, "x")) == 1
    assert schema.Schemas({}, {}, False).check({"type": "string", "nullable": True})(None, "x") == []


# Strictness over HTTP

@pytest.mark.parametrize(
    ("request_", "arguments", "status", "code"),
    [
        ("GET /api/v0/nothing", {}, 404, "NOT_FOUND"),
        (f"PUT {REPOSITORIES}", {}, 405, "NOT_ALLOWED"),
        (f"GET {REPOSITORIES}?pagesize=2", {}, 400, "INVALID_PARAMETERS"),
        (f"GET {REPOSITORIES}?pageSize=two", {}, 400, "INVALID_PARAMETERS"),
        (f"GET {REPOSITORIES}?count=maybe", {}, 400, "INVALID_PARAMETERS"),
        ("GET /api/v0/index/autocomplete", {}, 400, "INVALID_PARAMETERS"),
        (f"POST {REPOSITORIES}/docker-datacenter", {}, 400, "INVALID_JSON"),
        (f"POST {REPOSITORIES}/docker-datacenter", {"json": {"name": "x", "tags": 1}}, 400, "INVALID_JSON"),
        (f"POST {REPOSITORIES}/docker-datacenter", {"json": {"name": "x", "tagLimit": "1"}}, 400, "INVALID_JSON"),
        (f"POST {REPOSITORIES}/docker-datacenter", {"data": "{", "headers": {"Content-Type": "application/json"}}, 400, "INVALID_JSON"),
        (f"POST {REPOSITORIES}/docker-datacenter", {"data": '{"name":"x"}'}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (f"DELETE {REPOSITORIES}/docker-datacenter/x", {"json": {}}, 400, "INVALID_JSON"),
        (f"GET {REPOSITORIES}", {"headers": {"Accept": "text/html"}}, 406, "NOT_ACCEPTABLE"),
    ],
)
def test_what_the_interface_does_not_know_is_refused_and_noted(standin, request_, arguments, status, code):
    standin.expect_violations = True
    dtr = Client(standin.dtr_url, standin.ca_file, "admin")
    verb, path = request_.split(" ")
    answer = dtr(verb, path, status, **arguments).json()
    assert answer["errors"][0]["code"] == code
    assert [(entry["method"], entry["path"]) for entry in standin.violations] == [(verb, path.partition("?")[0])]
    assert standin.writes == []


def test_a_test_fails_on_requests_outside_the_interface(tmp_path):
    with pytest.raises(AssertionError, match="There is no /api/v0/nothing"), running(tmp_path) as standin:
        Client(standin.dtr_url, standin.ca_file, "admin")("GET", "/api/v0/nothing", 404)


def test_an_answer_outside_the_interface_is_noted(standin, dtr):
    standin.store.put("cache", "1", {"id": "1", "name": "x", "host": 5, "more": True})
    dtr("GET", "/api/v0/content_caches")
    assert {entry["why"] for entry in standin.answer_violations} == {
        "answer[0].host: 5 is not of type 'string'", "answer[0]: Additional properties are not allowed ('more' was unexpected)",
    }
    standin.answer_violations.clear()
    standin.exchanges.clear()   # no example for the contract tests


def test_a_mistake_of_the_stand_in_is_an_internal_error(standin, dtr):
    standin.store.put("cache", "1", {})
    dtr("POST", "/api/v0/content_caches", 500, json={"name": "x", "host": "https://x"})
    assert "KeyError" in standin.crashes.pop()


# Who asks

def test_credentials(standin, dtr, dtr_as):
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ann", "password": PASSWORD})
    dtr_as("ann")("GET", REPOSITORIES)
    dtr_as(None)("GET", REPOSITORIES, 401)
    assert dtr_as("ann", "wrong")("GET", REPOSITORIES, 401).json()["errors"][0]["code"] == "NOT_AUTHENTICATED"
    dtr_as("ann", "wrong")("GET", "/_ping", 401)
    dtr_as("bob")("GET", REPOSITORIES, 401)
    dtr_as("docker-datacenter", "")("GET", REPOSITORIES, 401)
    dtr_as("ann")("GET", "/api/v0/meta/settings", 403)
    dtr_as(None)("GET", REPOSITORIES, 401, headers={"Authorization": "Basic ???"})
    dtr_as(None)("GET", REPOSITORIES, 401, headers={"Authorization": "Bearer x"})


def test_passwords_are_not_kept(tmp_path):
    with running(tmp_path, memory=False) as standin:
        Client(standin.dtr_url, standin.ca_file, "admin")("GET", REPOSITORIES)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert tmp_path / "standin.db" in files
    assert not [file for file in files if PASSWORD.encode() in file.read_bytes()]
    assert {oct(file.stat().st_mode)[-3:] for file in files if file.name.endswith(("key.pem", ".db"))} == {"600"}


# Faults

def test_faults(standin, dtr):
    standin.faults.add(match=f"GET {REPOSITORIES}", kind="status", status=503, headers={"Retry-After": "1"}, times=2)
    assert dtr("GET", REPOSITORIES, 503).headers["Retry-After"] == "1"
    dtr("GET", f"{REPOSITORIES}/docker-datacenter")
    dtr("GET", REPOSITORIES, 503)
    dtr("GET", REPOSITORIES)
    standin.faults.add(match="*", kind="delay", seconds=0.2, after=1)
    started = time.monotonic()
    dtr("GET", REPOSITORIES)
    assert time.monotonic() - started < 0.2
    dtr("GET", REPOSITORIES)
    assert time.monotonic() - started >= 0.2
    standin.faults.add(match="GET *", kind="garbage")
    assert "html" in dtr("GET", REPOSITORIES).text
    standin.faults.add(match="GET *", kind="expire_token")
    dtr("GET", REPOSITORIES, 401)
    with pytest.raises(ValueError, match="no fault of kind"):
        standin.faults.add(match="*", kind="earthquake")


def test_a_certificate_of_an_unknown_authority(standin, dtr):
    standin.faults.add(match="*", kind="wrong_ca")
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        dtr("GET", REPOSITORIES)
    standin.faults.clear()
    dtr("GET", REPOSITORIES)


@pytest.mark.parametrize(("late", "created"), [(False, 404), (True, 200)])
def test_a_connection_is_dropped_before_or_after_the_work(standin, dtr, late, created):
    standin.faults.add(match="POST *", kind="drop", late=late)
    with pytest.raises(requests.ConnectionError):
        dtr("POST", f"{REPOSITORIES}/docker-datacenter", 201, json={"name": "x"})
    dtr("GET", f"{REPOSITORIES}/docker-datacenter/x", created)


def test_faults_and_records_by_http(tmp_path):
    with running(tmp_path, faults=True) as standin:
        dtr = Client(standin.dtr_url, standin.ca_file, "admin")
        dtr("POST", "/_standin/faults", json={"match": "GET /api/*", "kind": "status", "status": 500, "times": None})
        dtr("GET", REPOSITORIES, 500)
        dtr("DELETE", "/_standin/faults", 204)
        dtr("GET", REPOSITORIES)
        assert [entry["status"] for entry in dtr("GET", "/_standin/exchanges").json() if entry["path"] == REPOSITORIES] == [500, 200]
        assert dtr("GET", "/_standin/violations").json() == {"violations": [], "answers": [], "crashes": []}
        dtr("POST", "/_standin/faults", 400, json={"kind": "status"})


def test_writes_are_told_from_reads(standin, dtr):
    dtr("GET", REPOSITORIES)
    dtr("POST", f"{REPOSITORIES}/docker-datacenter", 201, json={"name": "x"})
    (write,) = standin.writes
    assert (write.operation, write.status, write.request) == ("POST /api/v0/repositories/{namespace}", 201, {"name": "x"})
    assert write.caller == "admin" and write.response["name"] == "x" and len(standin.exchanges) == 2


# Health and TLS

def test_health(standin, dtr_as):
    nobody = dtr_as(None)
    assert nobody("GET", "/_ping").json() == {"Error": "", "Healthy": True}
    standin.misc.problem = "rethinkdb"
    for path in ("/_ping", "/health"):
        assert nobody("GET", path, 503).json() == {"Error": "rethinkdb", "Healthy": False}
    assert nobody("GET", "/ca").text == pathlib.Path(standin.ca_file).read_text()
    assert nobody("GET", "/nginx_status").text.startswith("Active connections")


def test_only_the_own_ca_is_trusted_and_the_name_counts(standin):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{standin.dtr_url}/_ping", timeout=5)
    context = ssl.create_default_context(cafile=standin.ca_file)
    assert context.check_hostname
    answer = requests.get(f"https://localhost:{standin.ports['dtr']}/_ping", verify=standin.ca_file, timeout=5)
    assert answer.headers["Strict-Transport-Security"]


def test_dtr_takes_client_certificates_when_told_to(tmp_path, standin, dtr, dtr_as):
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ann", "password": PASSWORD})
    authority = Authority(tmp_path / "clients", "Client CA")
    certificate, key = authority.issue("ann", [], client=True)
    (tmp_path / "cert.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(key)

    def info(status):
        client = dtr_as(None)
        client.session.cert = (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
        return client("GET", "/basic_info", status).json()

    assert info(401)
    dtr("POST", "/api/v0/meta/settings", 202, json={"webTLSClientCA": authority.pem, "clientCertAuthEnabled": True})
    answer = info(200)
    assert (answer["User"]["name"], answer["AuthnMethod"]) == ("ann", "TLSClientCertificate")
    assert dtr("GET", "/basic_info").json()["AuthnMethod"] == "Password"
    dtr("POST", "/api/v0/meta/settings", 202, json={"clientCertAuthEnabled": False})
    assert info(401)


# As a process

@pytest.fixture
def process(tmp_path):
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    command = [
        sys.executable, "-m", "standin", "--state", str(tmp_path / "state"), "--admin-password-file", str(tmp_path / "password"),
        "--listen", "127.0.0.1", "--dtr-port", "0", "--ucp-port", "0", "--version", "2.7.9",
    ]
    started = []

    def start(*more):
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "lab")}
        child = subprocess.Popen([*command, *more], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(child)
        words = child.stdout.readline().split()
        assert words[:3] == ["stand-in", "ready:", "DTR"], words
        return child, Client(words[3], words[7], "admin")

    yield start
    for child in started:
        child.kill()
        child.wait()
        child.stdout.close()


def test_process_ends_on_sigterm_and_finds_everything_again(process):
    child, dtr = process()
    dtr("POST", f"{REPOSITORIES}/docker-datacenter", 201, json={"name": "kept"})
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 0
    assert child.stdout.read() == ""
    _child, dtr = process()
    assert [entry["name"] for entry in dtr("GET", REPOSITORIES).json()["repositories"]] == ["kept"]
    assert dtr("GET", "/basic_info").json()["CurrentVersion"] == "2.7.9"
    dtr("GET", "/_standin/exchanges", 404)


def test_process_takes_its_registry_along(process):
    child, dtr = process("--registry-binary", str(REGISTRY_BINARY))
    (registry,) = pathlib.Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    assert "docker-registry" in pathlib.Path(f"/proc/{registry}/cmdline").read_text()
    dtr("GET", "/v2/", 401)
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 0
    assert not pathlib.Path(f"/proc/{registry}").exists()


@pytest.mark.parametrize(("arguments", "says"), [
    (["--admin-password-file", "/none"], "cannot read the administrator's password: .*--admin-password-file"),
    (["--dtr-port", "70000"], "argument --dtr-port: '70000' is no port"),
    (["--version", "latest"], "argument --version: 'latest' is no version"),
])
def test_process_says_what_is_missing(tmp_path, monkeypatch, capsys, arguments, says):
    (tmp_path / "password").write_text(PASSWORD)
    own = ["--state", str(tmp_path), "--admin-password-file", str(tmp_path / "password"), *arguments]
    monkeypatch.setattr(sys, "argv", ["standin", *own])
    with pytest.raises(SystemExit) as ended:
        main()
    assert re.search(says, f"{ended.value} {capsys.readouterr().err}")


def test_a_state_belongs_to_one_stand_in(tmp_path):
    taken = pytest.raises(OSError, match=f"{tmp_path}/standin.db cannot be used .*another stand-in may be running on it")
    with running(tmp_path, memory=False), taken:
        Standin(Options(state=tmp_path, password=PASSWORD))
    Standin(Options(state=tmp_path, password=PASSWORD)).store.close()


def test_a_state_that_is_none(tmp_path):
    (tmp_path / "standin.db").write_text("something else")
    with pytest.raises(OSError, match="not a database"):
        Standin(Options(state=tmp_path, password=PASSWORD))


def test_exchanges_are_json(tmp_path):
    with running(tmp_path, faults=True) as standin:
        dtr = Client(standin.dtr_url, standin.ca_file, "admin")
        dtr("POST", f"{REPOSITORIES}/docker-datacenter", 201, json={"name": "x"})
        assert json.loads(dtr("GET", "/_standin/exchanges").text)[0]["request"] == {"name": "x"}
