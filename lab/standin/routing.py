# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which handler serves a request."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from urllib.parse import unquote

from .interface import Operation


@dataclasses.dataclass
class Route:
    """`operation`: the entry of the interface, None for plain routes; `handler`: None for what is not emulated."""

    verb: str
    path: str
    auth: str
    handler: Callable | None
    operation: Operation | None = None

    @property
    def plain(self) -> bool:
        return self.operation is None


def segments(path: str) -> list[str]:
    return path.lstrip("/").split("/")


class Routes:
    """`{name}` in a path takes one segment, `{name+}`, last, all that follow (plain routes only)."""

    def __init__(self):
        self._by_length: dict[int, list[tuple[list[str], dict[str, Route]]]] = {}
        self._tails: list[tuple[str, str, dict[str, Route]]] = []
        self._known: dict[str, dict[str, Route]] = {}

    def add(self, route: Route) -> None:
        verbs = self._known.get(route.path)
        if verbs is None:
            verbs = self._known[route.path] = {}
            self._insert(route.path, verbs)
        verbs[route.verb] = route

    def _insert(self, path: str, verbs: dict[str, Route]) -> None:
        tail = re.fullmatch(r"(.*/)\{(\w+)\+\}", path)
        if tail:
            self._tails.append((tail.group(1), tail.group(2), verbs))
            return
        pattern = segments(path)
        same_length = self._by_length.setdefault(len(pattern), [])
        same_length.append((pattern, verbs))
        # Literal segments win over named ones, the earlier the more.
        same_length.sort(key=lambda entry: [part.startswith("{") for part in entry[0]])

    def find(self, verb: str, raw_path: str) -> tuple[Route | None, dict, bool]:
        """(route, values of the named segments, whether the path exists at all)."""
        parts = segments(raw_path)
        exists = False
        for pattern, verbs in self._by_length.get(len(parts), []):
            values = _match(pattern, parts)
            if values is None:
                continue
            if verb in verbs:
                return verbs[verb], values, True
            exists = True
        for start, name, verbs in self._tails:
            if raw_path.startswith(start):
                if verb in verbs:
                    return verbs[verb], {name: raw_path[len(start):]}, True
                exists = True
        return None, {}, exists


def _match(pattern: list[str], parts: list[str]) -> dict | None:
    values = {}
    for wanted, part in zip(pattern, parts):
        if wanted.startswith("{"):
            if not part:
                return None
            values[wanted[1:-1]] = unquote(part)
        elif wanted != part:
            return None
    return values


def build(product: str, interface: list[Operation], handlers: dict) -> Routes:
    """`handlers`: (product, verb, path) -> (auth, plain, handler). A handler for something the interface does not know is a mistake."""
    routes, left = Routes(), {key: value for key, value in handlers.items() if key[0] == product}
    for operation in interface:
        auth, _plain, handler = left.pop((product, operation.verb, operation.path), ("user", False, None))
        routes.add(Route(operation.verb, operation.path, auth, handler, operation))
    for (_product, verb, path), (auth, plain, handler) in left.items():
        if not plain:
            raise LookupError(f"{product} has no {verb} {path}: enter it in interface/prose.json with its source, or make the route plain")
        routes.add(Route(verb, path, auth, handler))
    return routes
