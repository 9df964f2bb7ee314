# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three ways in which the products cut lists into pages."""

from __future__ import annotations

import bisect
from collections.abc import Callable

from .answers import Answer
from .errors import Refused


def page(call, items: list, key: Callable, wrap: str | None = None) -> Answer:
    """By `pageStart`, `pageSize` and `count` (DTR 2.7 API).

    `key(item)` is the id of a record; the records are ordered by it. The id of the first record of the next page goes into
    `X-Next-Page-Start`, with `count` the total into `X-Resource-Count` (both names: field observation).
    """
    start, size = call.query.get("pageStart") or "", call.query["pageSize"]
    if size < 1:
        raise Refused(400, "INVALID_PARAMETERS", "pageSize has to be at least 1.")
    ordered = sorted(items, key=key)
    first = bisect.bisect_left(ordered, start, key=key) if start else 0
    headers = {}
    if first + size < len(ordered):
        headers["X-Next-Page-Start"] = key(ordered[first + size])
    if call.query.get("count"):
        headers["X-Resource-Count"] = str(len(ordered))
    shown = ordered[first:first + size]
    return Answer(200, {wrap: shown} if wrap else shown, headers if call.paging_headers else {})


def offset_page(call, items: list) -> list:
    """By `start` and `limit`, two numbers (DTR's jobs)."""
    start, limit = call.query["start"], call.query["limit"]
    if start < 0 or limit < 0:
        raise Refused(400, "INVALID_PARAMETERS", "start and limit have to be 0 or more.")
    return items[start:start + limit]


def ucp_page(call, items: list, key: Callable, wrap: str, descending: bool = False, **more) -> dict:
    """By `start`, an order marker, and `limit`; the body carries `nextPageStart`, empty at the end (UCP 3.2 API).

    The items come in the order they are listed in; `key(item)` is what `start` is compared with.
    """
    start, limit = call.query.get("start") or "", call.query["limit"]
    if limit < 1:
        raise Refused(400, "INVALID_PARAMETERS", "limit has to be at least 1.")
    first = next((position for position, item in enumerate(items) if _reached(key(item), start, descending)), len(items)) if start else 0
    following = items[first + limit:first + limit + 1]
    return {wrap: items[first:first + limit], "nextPageStart": key(following[0]) if following else "", **more}


def _reached(marker: str, start: str, descending: bool) -> bool:
    return marker <= start if descending else marker >= start
