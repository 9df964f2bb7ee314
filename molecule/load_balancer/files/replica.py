# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that a balancer meets like a replica of DTR.

`GET /_ping` answers 200, or 503 while /run/ill is there; HEAD answers 404, as UCP does (UCP docs: monitoring); `GET /blob` flows until
/run/enough is there; anything else answers with the host's name.
"""

from __future__ import annotations

import http.server
import os
import socket
import ssl
import time


class Replica(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self._answer(404, b"")

    def do_GET(self):
        if self.path == "/blob":
            self._flow()
        elif self.path == "/_ping":
            ill = os.path.exists("/run/ill")
            self._answer(503 if ill else 200, b'{"Error":"","Healthy":%s}' % (b"false" if ill else b"true"))
        else:
            self._answer(200, socket.gethostname().encode() + b"\n")

    def _flow(self):
        # In chunks, so that a connection that was cut is told from one that ended.
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        piece = socket.gethostname().encode() * 10000
        while not os.path.exists("/run/enough"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            time.sleep(0.5)
        self.wfile.write(b"0\r\n\r\n")

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        """Says nothing."""


server = http.server.ThreadingHTTPServer(("", 443), Replica)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/etc/replica/certificate.pem", "/etc/replica/key.pem")
# The handshake is the handler's: one that takes long must not hold up the others.
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
