# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is this replica or manager well: its etcd, its registry, its backend."""

from __future__ import annotations

import http.client
import ssl

from .config import Config, address
from .etcd import Client, EtcdError

SECONDS = 4.0


class Checks:
    """`problem` names what is not well, as `/_ping` does (DTR docs: load balancer); "" when all is."""

    def __init__(self, config: Config):
        self._config = config
        self._tls = config.client_context()
        self._client = Client([config.own_endpoint], self._tls, SECONDS, learns=False)   # keeps its connection

    def problem(self) -> str:
        dtr = self._config.product == "dtr"
        try:
            self._client.range("health")
        except EtcdError:
            return "rethinkdb" if dtr else "auth-store"
        if dtr and not registry_answers(self._config, self._tls):
            return "registry"
        return ""


def registry_answers(config: Config, tls: ssl.SSLContext) -> bool:
    """This replica's Distribution; it asks for a token, which is answer enough."""
    connection = http.client.HTTPSConnection(*address(config.registry.advertise), timeout=SECONDS, context=tls)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status in (200, 401)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
