# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came in and what went out."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass
class Exchange:
    method: str
    path: str
    query: dict
    product: str
    agent: str              # the User-Agent header
    status: int = 0
    request: object = None
    response: object = None
    operation: str = ""
    caller: str = ""
    reached: bool = False   # the handler was called


class Record:
    """`exchanges` are kept when asked for; `writes` are those, other than logging in and out, that could have changed something."""

    def __init__(self, keep: bool):
        self.keep = keep
        self.exchanges: list[Exchange] = []
        self.writes: list[Exchange] = []
        self.reads = self.served = 0

    def begin(self, request, product: str) -> Exchange:
        agent = request.headers.get("User-Agent", "")
        return Exchange(request.method, request.rel_url.raw_path, dict(request.query), product, agent)

    def end(self, exchange: Exchange, status: int, response) -> None:
        exchange.status, exchange.response = status, response
        self.served += 1
        if not self.keep:
            return
        self.exchanges.append(exchange)
        if exchange.method in ("GET", "HEAD"):
            self.reads += 1
        elif exchange.reached and exchange.operation not in ("POST /auth/login", "POST /id/logout", "POST /auth/token"):
            self.writes.append(exchange)
