# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""The local engine over its unix socket, as far as bootstrappers and Swarm need it."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import quote, urlencode

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._unix_http import UnixConnection

SOCKET = "/var/run/docker.sock"


class EngineError(Exception):
    """The engine refused or did not answer; one sentence. status: of the answer, 0 when there was none."""

    def __init__(self, message, status=0):
        super().__init__(message)
        self.status = status


class Engine:
    """socket_path: of the engine; timeout: seconds for each answer."""

    def __init__(self, socket_path=SOCKET, timeout=60):
        self.socket_path, self.timeout = socket_path, timeout
        self.host = socket.gethostname()

    def call(self, method, path, body=None, timeout=None, **query):
        """The answer, decoded from JSON where it is JSON. EngineError for any status of 400 and above."""
        address = path + ("?" + urlencode({name: _word(value) for name, value in query.items()}) if query else "")
        connection = UnixConnection(self.socket_path, timeout or self.timeout)
        try:
            connection.request(method, address, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"} if body is not None else {})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise EngineError(f"the Docker engine of {self.host} does not answer on {self.socket_path} ({error}): see that "
                              "docker.service runs and that this user may use the socket.") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise EngineError(_reason(text) or f"the engine answers {method} {path} with {answer.status}", answer.status)
        return _decoded(text)

    def get(self, path, **query):
        return self.call("GET", path, **query)

    def find(self, path, **query):
        """As get; None where there is no such thing."""
        try:
            return self.call("GET", path, **query)
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    def info(self):
        return self.call("GET", "/info")

    def containers(self, filters=None):
        """All containers, running or not, as GET /containers/json lists them."""
        return self.call("GET", "/containers/json", all=True, **({"filters": filters} if filters else {}))

    def image(self, name):
        """GET /images/NAME/json, None when it is not there."""
        return self.find(f"/images/{quote(name, safe='/:@')}/json")

    def container(self, name):
        """GET /containers/NAME/json, None when there is none."""
        return self.find(f"/containers/{quote(name)}/json")


def _word(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def _decoded(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def _reason(text):
    decoded = _decoded(text)
    return (decoded.get("message") or "").strip() if isinstance(decoded, dict) else text.strip()[:500]
