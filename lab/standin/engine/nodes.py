# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The swarm's nodes and their engines, as a manager reaches them: through its own engine, and through ucp-proxy on each node."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
from urllib.parse import urlencode

import aiohttp
from aiohttp.abc import AbstractResolver

from ..errors import Refused
from ..ucp_node import proxy
from ..ucp_node.layout import PROXY_PORT
from ..ucp_node.rounds import address_of
from .client import SOCKET, VERSION

POLL_SECONDS = 2.0
ANSWER_SECONDS = 3.0      # a node that takes longer to answer a simple question is left out
SLOW_SECONDS = 60.0       # for what changes something


class _Resolver(AbstractResolver):
    """Names are ids of nodes: certificates are verified for those."""

    def __init__(self):
        self.addresses: dict[str, str] = {}

    async def resolve(self, host, port=0, family=socket.AF_INET):
        if host not in self.addresses:
            raise OSError(f"there is no node {host}")
        found = {"hostname": host, "host": self.addresses[host], "port": port}
        return [{**found, "family": socket.AF_INET, "proto": 0, "flags": socket.AI_NUMERICHOST}]

    async def close(self) -> None:
        pass


class Nodes:
    """`all`: the swarm's nodes by id as of the last look, `reachable`: ids of those whose engine answered then."""

    def __init__(self):
        self.all: dict[str, dict] = {}
        self.reachable: set[str] = set()
        self._resolver = _Resolver()
        self._tls: ssl.SSLContext | None = None
        self._seen: list | None = None
        self._remote: aiohttp.ClientSession | None = None
        self._local: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._local = aiohttp.ClientSession(connector=aiohttp.UnixConnector(SOCKET, limit=0), timeout=_timeout(None), auto_decompress=False)
        self._follow_certificates()
        await self.look()

    async def stop(self) -> None:
        for session in (self._remote, self._local):
            if session:
                await session.close()

    # Which nodes there are

    async def look(self) -> None:
        self._follow_certificates()
        # A node that is just joining has said nothing of itself yet.
        listed = [node for node in await self.ask(None, "GET", "/nodes") if node["Description"].get("Hostname")]
        self.all = {node["ID"]: node for node in listed}
        self._resolver.addresses = {node["ID"]: address_of(node) for node in listed}
        answers = await asyncio.gather(*(self._ping(node) for node in self.all))
        self.reachable = {node for node, answered in zip(self.all, answers) if answered}

    async def _ping(self, node: str) -> bool:
        if self.all[node]["Status"]["State"] != "ready":
            return False
        with contextlib.suppress(aiohttp.ClientError, OSError, asyncio.TimeoutError):
            async with self.request(node, "GET", "/_ping", timeout=ANSWER_SECONDS) as answer:
                return answer.status == 200
        return False

    def by_name(self, name: str) -> str | None:
        """The id of a node by host name or id; of several of one name, one that is up."""
        found = [node for node, document in self.all.items() if name in (node, document["Description"]["Hostname"])]
        return next((node for node in found if node in self.reachable), found[0] if found else None)

    def name(self, node: str) -> str:
        return self.all[node]["Description"]["Hostname"]

    # Talking to engines; a node of None means the own engine

    async def ask(self, node: str | None, verb: str, path: str, body=None, *, query=None, timeout: float = ANSWER_SECONDS):
        """Decoded JSON; raises `Refused` with the engine's own words, or 503 when it cannot be reached."""
        text = {name: json.dumps(value) if isinstance(value, (dict, list)) else str(value) for name, value in (query or {}).items()}
        target = f"/{VERSION}{path}" + (f"?{urlencode(text)}" if text else "")
        try:
            async with self.request(node, verb, target, json=body, timeout=timeout) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as problem:
            place = self.name(node) if node in self.all else node or "of the manager"
            raise Refused(503, "NODE_UNREACHABLE", f"engine {place}: {problem or 'no answer'}") from problem
        if answer.status >= 400:
            raise Refused(answer.status, "ENGINE", _message(content))
        return json.loads(content) if content.strip() else None

    def request(self, node: str | None, verb: str, target: str, *, timeout: float | None = None, **options):
        """aiohttp's request, to a path with its version and query."""
        session, base = (self._local, "http://docker") if node is None else (self._remote, f"https://{node}:{PROXY_PORT}")
        return session.request(verb, f"{base}{target}", timeout=_timeout(timeout), allow_redirects=False, **options)

    async def ask_all(self, path: str, *, query=None, only: str | None = None) -> list[tuple[str, object]]:
        """[(node, answer)] of every node that answers, in the order of their names. `only`: a node's name."""
        asked = sorted((node for node in self.reachable if only in (None, node, self.name(node))), key=self.name)
        answers = await asyncio.gather(*(self.ask(node, "GET", path, query=query) for node in asked), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, Refused):
                raise answer
        return [(node, answer) for node, answer in zip(asked, answers) if not isinstance(answer, Refused)]

    def _follow_certificates(self) -> None:
        """The swarm renews them; connections made from then on use the new ones."""
        now = [os.stat(proxy.CERTIFICATES / name).st_mtime_ns for name in ("swarm-node.crt", "swarm-root-ca.crt")]
        if now == self._seen:
            return
        context = proxy.certificates(ssl.create_default_context())
        old = self._remote
        connector = aiohttp.TCPConnector(resolver=self._resolver, ssl=context, use_dns_cache=False, limit=0)
        self._remote = aiohttp.ClientSession(connector=connector, timeout=_timeout(None), auto_decompress=False)
        self._seen = now
        if old:
            asyncio.get_running_loop().call_later(SLOW_SECONDS, lambda: asyncio.ensure_future(old.close()))


def _timeout(total: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=ANSWER_SECONDS)


def _message(content: bytes) -> str:
    try:
        return json.loads(content)["message"]
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace").strip()
