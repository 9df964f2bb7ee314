# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Judge a registry by what it should answer."""

from __future__ import annotations

import http.client
import socket
import ssl

# A registry that demands a client certificate ends an anonymous handshake with one of these.
_CLIENT_CERTIFICATE_WANTED = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "HANDSHAKE_FAILURE")


class _Connection(http.client.HTTPConnection):
    """HTTP, with or without TLS, over TCP or a UNIX socket."""

    def __init__(self, target, timeout):
        super().__init__(target.get("name") or "localhost", timeout=timeout)
        self._target = target

    def connect(self):
        target = self._target
        if target.get("socket"):
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            self.sock.connect(target["socket"])
        else:
            self.sock = socket.create_connection((target["address"], target["port"]), self.timeout)
        if target.get("tls"):
            # The certificate served is compared with the one on this host, which says more than a chain would:
            # it also shows a registry that still serves an older one.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock, server_hostname=target.get("name") or None)


def probe(target, timeout=5, path=""):
    """Ask for C(/v2/) once. C(status) is None when there was no answer; C(served) is the certificate in DER."""
    connection = _Connection(target, timeout)
    try:
        connection.request("GET", path or "{}v2/".format(target.get("prefix") or "/"))
        served = connection.sock.getpeercert(True) if target.get("tls") else None
        answer = connection.getresponse()
        return {"status": answer.status, "body": answer.read(2000).decode("utf-8", "replace"), "served": served, "error": ""}
    except (OSError, http.client.HTTPException) as error:
        return {"status": None, "body": "", "served": None, "error": str(error) or type(error).__name__}
    finally:
        connection.close()


def ailment(debug):
    """What a registry that answers 503 says of its own health at its debug address."""
    host, _colon, port = str(debug).rpartition(":")
    if not port.isdigit():
        return ""
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1"}.get(host, host.strip("[]"))
    said = probe({"address": host, "port": int(port)}, path="/debug/health")["body"].strip()
    return said if said != "{}" else ""


def first_certificate(path):
    """The first certificate of a PEM file in DER; None when there is none to read."""
    try:
        with open(path, encoding="ascii") as stream:
            text = stream.read()
        start, end = text.index(ssl.PEM_HEADER), text.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
        return ssl.PEM_cert_to_DER_cert(text[start:end])
    except (OSError, ValueError):
        return None


def verdict(answer, expected, mutual_tls=False, certificate=None):
    """What is wrong with an answer; empty when it is as it should be."""
    status, body = answer["status"], answer["body"].strip()[:300]
    if status is None:
        refused = mutual_tls and any(word in answer["error"].upper() for word in _CLIENT_CERTIFICATE_WANTED)
        return "" if refused else "no answer: {}".format(answer["error"])
    if certificate and answer["served"] and answer["served"] != certificate:
        return "it serves another certificate than the one on this host"
    if mutual_tls:
        return f"it answers {status} without a client certificate, though http.tls.clientcas is set"
    if status == expected:
        return ""
    reasons = {200: "to everybody: authentication is off", 401: "though no authentication is configured"}
    return "it answers {} {}".format(status, reasons.get(status, f"instead of {expected}: {body}"))
