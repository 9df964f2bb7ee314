# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Webhooks of the stand-in: who may subscribe to what, and what arrives at a real endpoint."""

from __future__ import annotations

import http.server
import json
import ssl
import threading

import images
import pytest
from waiting import wait_for

PASSWORD = "stand-in password"
NEVER = "0001-01-01T00:00:00Z"


class Receiver:
    """An endpoint that keeps what it is sent; `statuses` are answered first, then 200."""

    def __init__(self, context: ssl.SSLContext | None = None):
        self.received: list[dict] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(json.loads(body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.end_headers()

            def log_message(self, *_arguments):
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def wait(self, count: int = 1) -> list[dict]:
        wait_for(lambda: len(self.received) >= count)
        return self.received


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def secure(standin, tmp_path):
    """An endpoint with a certificate of the stand-in's authority."""
    certificate, key = standin.authority.issue("hook", ["127.0.0.1"])
    (tmp_path / "hook.pem").write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "hook.pem")
    made = Receiver(context)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def place(dtr):
    """An organization with a repository, its owner ann, and a stranger bob."""
    for name in ("ann", "bob"):
        dtr("POST", "/enzi/v0/accounts/", 201, json={"name": name, "password": PASSWORD, "isActive": True})
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ops", "isOrg": True})
    dtr("PUT", "/enzi/v0/accounts/ops/members/ann", 200, json={"isAdmin": True})
    dtr("POST", "/api/v0/repositories/ops", 201, json={"name": "base"})
    return "ops/base"


def subscribe(dtr, kind: str, endpoint: str, key: str = "", status: int = 201, **more) -> dict:
    body = {"type": kind, "endpoint": endpoint, "tlsCert": "", "skipTLSVerification": False, **more}
    return dtr("POST", "/api/v0/webhooks", status, json={**body, "key": key} if key else body).json()


def jobs_ended(dtr, count: int) -> list[dict]:
    def look():
        jobs = dtr("GET", "/api/v0/jobs?action=webhook").json()["jobs"]
        return jobs if len(jobs) == count and all(job["status"] in ("done", "errored") for job in jobs) else None
    return wait_for(look)


def test_a_pushed_tag_is_told(standin, dtr, place, receiver):
    hook = subscribe(dtr, "TAG_PUSH", receiver.url, place)
    assert len(hook["id"]) == 64 and hook["lastSuccessfulAt"] == NEVER and hook["inactive"] is False
    digest = images.plant(standin, f"{place}:1.0", author="ann")
    [payload] = receiver.wait()
    contents = payload["contents"]
    assert payload["type"] == "TAG_PUSH" and payload["createdAt"]
    assert contents.pop("pushedAt")
    assert contents == {
        "namespace": "ops", "repository": "base", "tag": "1.0", "digest": digest, "os": "linux", "architecture": "amd64", "author": "ann",
        "imageName": f"{standin.dtr_name}/ops/base:1.0",
    }
    jobs_ended(dtr, 1)
    assert dtr("GET", "/api/v0/webhooks").json()[0]["lastSuccessfulAt"] != NEVER


def test_only_the_subscribed_key_and_type(standin, dtr, place, receiver):
    dtr("POST", "/api/v0/repositories/ops", 201, json={"name": "other"})
    subscribe(dtr, "TAG_DELETE", receiver.url, place)
    images.plant(standin, f"{place}:1.0")
    for name in ("ops/other", place):
        images.plant(standin, f"{name}:2.0")
        dtr("DELETE", f"/api/v0/repositories/{name}/tags/2.0", 204)
    [payload] = receiver.wait()
    jobs_ended(dtr, 1)
    assert (payload["contents"]["repository"], payload["contents"]["tag"]) == ("base", "2.0")
    assert payload["contents"]["deletedAt"]


def test_without_a_key_an_administrator_hears_everything(standin, dtr, place, receiver):
    subscribe(dtr, "MANIFEST_PUSH", receiver.url)
    digest = images.plant(standin, f"{place}:1.0")
    [payload] = receiver.wait()
    assert payload["contents"]["imageName"] == f"{standin.dtr_name}/ops/base@{digest}"


def test_repository_events(dtr, place, receiver):
    subscribe(dtr, "REPO_EVENT", receiver.url, "ops")
    dtr("POST", "/api/v0/repositories/ops", 201, json={"name": "new"})
    dtr("PATCH", "/api/v0/repositories/ops/new", 200, json={"immutableTags": True})
    dtr("DELETE", "/api/v0/repositories/ops/new", 204)
    payloads = receiver.wait(3)
    jobs_ended(dtr, 3)
    assert {payload["contents"]["event"] for payload in payloads} == {"REPO_CREATED", "REPO_UPDATED", "REPO_DELETED"}
    assert {(payload["type"], payload["contents"]["author"], payload["contents"]["data"]["name"]) for payload in payloads} == {
        ("REPO_EVENT", "admin", "new"),
    }


def test_a_failed_delivery_is_tried_again(standin, dtr, place, receiver):
    receiver.statuses = [503, 302]
    subscribe(dtr, "TAG_PUSH", receiver.url, place)
    images.plant(standin, f"{place}:1.0")
    assert len(receiver.wait(3)) == 3
    jobs = jobs_ended(dtr, 3)
    assert sorted(job["status"] for job in jobs) == ["done", "errored", "errored"]
    assert len({job["retryFromID"] for job in jobs}) == 1


def test_tls_is_verified(standin, dtr, place, secure):
    trusting = subscribe(dtr, "TAG_PUSH", secure.url, place, tlsCert=standin.authority.pem)
    careless = subscribe(dtr, "TAG_PUSH", secure.url, place, skipTLSVerification=True)
    wary = subscribe(dtr, "TAG_PUSH", secure.url, place)
    images.plant(standin, f"{place}:1.0")
    jobs = jobs_ended(dtr, 2 + 4)   # the wary one is tried three times more
    status = {(job["parameters"]["webhook"], job["status"]) for job in jobs}
    assert status == {(trusting["id"], "done"), (careless["id"], "done"), (wary["id"], "errored")}
    assert len(secure.received) == 2


def test_inactive_and_update(standin, dtr, place, receiver):
    hook = subscribe(dtr, "TAG_PUSH", receiver.url, place)
    body = {"id": hook["id"], "inactive": True, "tlsCert": "", "skipTLSVerification": True}
    [changed] = dtr("POST", "/api/v0/webhooks/update", 200, json=body).json()
    assert changed == {**hook, "inactive": True, "skipTLSVerification": True}
    images.plant(standin, f"{place}:1.0")
    assert dtr("GET", "/api/v0/jobs").json()["jobs"] == []
    dtr("POST", "/api/v0/webhooks/update", 200, json={**body, "inactive": False})
    images.plant(standin, f"{place}:2.0")
    [payload] = receiver.wait()
    assert payload["contents"]["tag"] == "2.0"
    dtr("DELETE", f"/api/v0/webhooks/{hook['id']}", 204)
    dtr("DELETE", f"/api/v0/webhooks/{hook['id']}", 404)
    dtr("POST", "/api/v0/webhooks/update", 404, json=body)


def test_listing(dtr, dtr_as, place):
    own = subscribe(dtr_as("ann"), "TAG_PUSH", "https://hook.example/", place)
    of_namespace = subscribe(dtr, "REPO_EVENT", "https://hook.example/", "ops")
    scanner = subscribe(dtr, "SCANNER_UPDATE_COMPLETED", "https://hook.example/")

    def ids(client, path):
        return {hook["id"] for hook in client("GET", path).json()}

    assert ids(dtr, "/api/v0/webhooks") == {own["id"], of_namespace["id"], scanner["id"]}
    assert ids(dtr, "/api/v0/webhooks?webhookType=REPO_EVENT") == {of_namespace["id"]}
    assert ids(dtr_as("ann"), "/api/v0/webhooks") == {own["id"]}
    assert ids(dtr, "/api/v0/accounts/ops/webhooks") == {own["id"], of_namespace["id"]}
    assert ids(dtr, f"/api/v0/repositories/{place}/webhooks") == {own["id"]}
    dtr("DELETE", f"/api/v0/repositories/{place}", 204)
    assert ids(dtr, "/api/v0/webhooks") == {of_namespace["id"], scanner["id"]}


def test_who_may_subscribe(dtr, dtr_as, place):
    hook = "https://hook.example/"
    subscribe(dtr_as("ann"), "REPO_EVENT", hook, "ops")
    subscribe(dtr_as("bob"), "REPO_EVENT", hook, "ops", status=403)
    subscribe(dtr_as("bob"), "TAG_PUSH", hook, place, status=404)      # bob does not even see it
    subscribe(dtr_as("ann"), "TAG_PUSH", hook, status=403)             # everything is for administrators
    subscribe(dtr_as("ann"), "SCANNER_UPDATE_COMPLETED", hook, status=403)
    subscribe(dtr, "REPO_EVENT", hook, "nobody", status=404)
    own = subscribe(dtr_as("ann"), "TAG_PUSH", hook, place)
    dtr_as("bob")("DELETE", f"/api/v0/webhooks/{own['id']}", 403)
    dtr_as("ann")("DELETE", f"/api/v0/webhooks/{own['id']}", 204)


@pytest.mark.parametrize("kind, key, more", [
    ("TAG_PUSH", "ops", {}),
    ("REPO_EVENT", "ops/base", {}),
    ("SCANNER_UPDATE_COMPLETED", "ops", {}),
    ("TAG_PUSH", "ops/base", {"endpoint": "ftp://hook.example/"}),
    ("TAG_PUSH", "ops/base", {"endpoint": "hook.example"}),
    ("TAG_PUSH", "ops/base", {"tlsCert": "nonsense"}),
])
def test_subscriptions_that_are_refused(dtr, place, kind, key, more):
    answer = subscribe(dtr, kind, key=key, status=400, **{"endpoint": "https://hook.example/", **more})
    assert answer["errors"][0]["code"] == "INVALID_JSON"
    assert dtr("GET", "/api/v0/webhooks").json() == []


def test_an_endpoint_is_tried_out(standin, dtr, receiver, secure):
    def attempt(kind, endpoint, status, **more):
        body = {"type": kind, "endpoint": endpoint, "tlsCert": "", "skipTLSVerification": False, **more}
        return dtr("POST", "/api/v0/webhooks/test", status, json=body)

    attempt("TAG_PUSH", receiver.url, 200, skipTLSVerification=True)
    assert receiver.received[0]["type"] == "TAG_PUSH" and receiver.received[0]["contents"]["tag"] == "latest"
    attempt("REPO_EVENT", secure.url, 200, tlsCert=standin.authority.pem)
    assert "http endpoint" in attempt("TAG_PUSH", receiver.url, 400).json()["errors"][0]["message"]
    assert "cannot be reached" in attempt("TAG_PUSH", secure.url, 400).json()["errors"][0]["message"]
    attempt("NO_SUCH_TYPE", secure.url, 400)
    receiver.statuses = [500]
    assert "answered 500" in attempt("TAG_PUSH", receiver.url, 400, skipTLSVerification=True).json()["errors"][0]["message"]
