# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import re
import threading

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_health import first_certificate, probe, verdict


def answer(status=None, body="", served=None, error=""):
    return {"status": status, "body": body, "served": served, "error": error}


@pytest.mark.parametrize(
    "given, expected, options, message",
    [
        (answer(401), 401, {}, ""),
        (answer(200), 200, {}, ""),
        (answer(200), 401, {}, "authentication is off"),
        (answer(401), 200, {}, "no authentication is configured"),
        (answer(503, '{"errors":[{"detail":"storage driver"}]}'), 401, {}, "503 instead of 401.*storage driver"),
        (answer(400, "Client sent an HTTP request to an HTTPS server."), 401, {}, "400 instead of 401: Client sent"),
        (answer(error="Connection refused"), 401, {}, "no answer: Connection refused"),
        (answer(401, served=b"old"), 401, {"certificate": b"new"}, "another certificate"),
        (answer(401, served=b"new"), 401, {"certificate": b"new"}, ""),
        (answer(error="tlsv13 alert certificate required"), 401, {"mutual_tls": True}, "^no answer"),
        (answer(error="[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] x"), 401, {"mutual_tls": True}, ""),
        (answer(401), 401, {"mutual_tls": True}, "without a client certificate"),
    ],
)
def test_verdict(given, expected, options, message):
    found = verdict(given, expected, **options)
    assert bool(re.search(message, found)) if message else found == "", found


def test_probe_asks_below_the_prefix():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(401 if self.path == "/p/v2/" else 404)
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        target = {"address": "127.0.0.1", "port": server.server_port, "name": "r", "prefix": "/p/", "tls": False}
        assert probe(target)["status"] == 401
        # Plain HTTP where TLS is expected is an error, not an answer.
        assert probe(dict(target, tls=True))["status"] is None
    finally:
        server.shutdown()


def test_probe_of_nobody():
    assert "refused" in probe({"address": "127.0.0.1", "port": 1, "name": "r", "tls": False})["error"].lower()


def test_no_certificate_in_a_file(tmp_path):
    (tmp_path / "x").write_text("no", encoding="ascii")
    assert first_certificate(str(tmp_path / "x")) is None and first_certificate("/nonexistent") is None
