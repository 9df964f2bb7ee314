# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to UCP: verified TLS, a session of an administrator, the engine's error messages."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.parse

from .errors import Fatal

CONNECT_SECONDS = 15.0
TRIES = 5             # a manager that is failing over answers again within seconds
PAUSE_SECONDS = 2.0
OTHER_NAMES = (62, 64)   # of OpenSSL: the name, or the address, is not the certificate's
PASSING = (502, 503, 504)


class Refused(Exception):
    """An answer of 400 or more: `status` and UCP's `message`."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status, self.message = status, message


class UcpClient:
    """`address`: (host, port). All requests are for the root of UCP's address space."""

    def __init__(self, address: tuple, ca: str, insecure: bool):
        self.host, self.port = address
        self.headers = {}
        self.context = ssl.create_default_context(cadata=ca or None)
        if insecure:
            self.context.check_hostname = False
            self.context.verify_mode = ssl.CERT_NONE

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    def sign_in(self, username: str, password: str) -> None:
        try:
            answer = self.call("POST", "/auth/login", {"username": username, "password": password})
        except Refused as refused:
            raise Fatal(f"Unable to sign in to UCP at {self.url} as {username}: {refused.message}; check --ucp-username and "
                        "--ucp-password") from None
        self.headers = {"Authorization": f"Bearer {answer['auth_token']}"}
        if not self.call("GET", "/id/").get("isAdmin"):
            raise Fatal(f"The UCP user {username} is not an administrator: give the name of one with --ucp-username")

    def call(self, verb: str, path: str, body=None, query: dict | None = None, *, timeout: float = 60):
        """The decoded answer; `Refused` from 400 on, `Fatal` when UCP cannot be reached. Reading is tried again while UCP fails over."""
        data = None if body is None else json.dumps(body).encode()
        with self.open(verb, path, data, query=query, timeout=timeout) as answer:
            text = answer.read()
        if "json" in (answer.getheader("Content-Type") or "") and text:
            return json.loads(text)
        return text.decode()

    def open(self, verb: str, path: str, data=None, *, kind: str = "application/json", query: dict | None = None, timeout: float = 60):
        """The answer, to be read and closed by the caller; `data` is bytes or a binary file."""
        again, target = verb == "GET", path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        for attempt in range(TRIES):
            last = not again or attempt == TRIES - 1
            try:
                answer = self._send(verb, target, data, kind=kind, timeout=timeout)
            except ssl.SSLCertVerificationError as problem:
                raise Fatal(self._untrusted(problem)) from None
            except (OSError, http.client.HTTPException) as problem:
                if last:
                    raise Fatal(f"Unable to reach UCP at {self.url}: {problem or type(problem).__name__}; check --ucp-url") from None
            else:
                if answer.status < 400:
                    return answer
                refused = Refused(answer.status, message_of(answer.read()) or f"{answer.status} {answer.reason}")
                if last or answer.status not in PASSING:
                    raise refused
            time.sleep(PAUSE_SECONDS)
        raise AssertionError("the last attempt returns or raises")

    def _send(self, verb, target, data, *, kind, timeout):
        connection = http.client.HTTPSConnection(self.host, self.port, context=self.context, timeout=CONNECT_SECONDS)
        connection.connect()
        connection.sock.settimeout(timeout)
        headers = dict(self.headers)
        if data is not None:
            headers["Content-Type"] = kind
        connection.request(verb, target, data, headers, encode_chunked=hasattr(data, "read"))
        return connection.getresponse()

    def _untrusted(self, problem: ssl.SSLCertVerificationError) -> str:
        if problem.verify_code in OTHER_NAMES:
            return f"UCP at {self.url} has a certificate for other names ({problem.verify_message}): give --ucp-url with one of them"
        return (f"UCP at {self.url}: x509: certificate signed by unknown authority ({problem.verify_message}); give UCP's CA with "
                f"--ucp-ca \"$(cat ca.pem)\", which {self.url}/ca offers")


def message_of(body: bytes) -> str:
    """Engine style, or that of the accounts' API."""
    try:
        document = json.loads(body)
        return document["message"] if "message" in document else document["errors"][0]["message"]
    except (ValueError, KeyError, IndexError, TypeError):
        return body.decode(errors="replace").strip()
