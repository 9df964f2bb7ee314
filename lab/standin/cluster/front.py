# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python3 -m standin.cluster.front CONFIG`: what clients talk to on each replica or manager.

It ends TLS with the certificate of the cluster, answers for its own health, and passes everything else on to the leader; what DTR is asked
about accounts goes to UCP.
"""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import ssl
import sys
import tempfile
import time

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from ..registry_proxy import HOP_BY_HOP, pass_back
from .config import Config, ConfigError, address, private_folder
from .context import ADDRESS_HEADER, CERTIFICATE_HEADER
from .view import Leader, Tls, View

PATIENCE_SECONDS = 5.0    # how long a request waits for a leader
PAUSE_SECONDS = 0.3
CONNECT_SECONDS = 2.0
API_VERSION = {"Api-Version": "1.40"}   # UCP is a Docker engine to Docker clients, which ask for it here
TLS_SECONDS = 1.0         # how often a new certificate is looked for
OWN_HEADERS = {CERTIFICATE_HEADER.lower(), ADDRESS_HEADER.lower()}


class NotSent(Exception):
    """Nobody took the request."""


def served_context(tls: Tls, folder) -> ssl.SSLContext:
    """For the clients' side. Keys are loaded from files only (ssl), so there is one for a moment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".pem") as file:   # mode 0600
        file.write(f"{tls.key.rstrip()}\n{tls.certificate}")
        file.flush()
        context.load_cert_chain(file.name)
    if tls.clients:
        context.load_verify_locations(cadata=tls.clients)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


class Links:
    """One pool of connections for each term of a leader, so that none is used that belongs to a former one."""

    def __init__(self, tls: ssl.SSLContext):
        self._tls = tls
        self._current: tuple[Leader | None, aiohttp.ClientSession | None] = (None, None)

    async def to(self, leader: Leader) -> aiohttp.ClientSession:
        known, session = self._current
        if known == leader and session:
            return session
        made = session_with(self._tls)
        self._current = (leader, made)
        if session:
            asyncio.get_running_loop().call_later(PATIENCE_SECONDS, lambda: asyncio.ensure_future(session.close()))
        return made

    async def close(self) -> None:
        if self._current[1]:
            await self._current[1].close()


def session_with(tls) -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, limit=0), timeout=timeout, auto_decompress=False)


class Front:
    """`handle` serves the TLS listener, `handle_plain` the one without."""

    def __init__(self, config: Config, view: View):
        self.config, self.view = config, view
        self.links = Links(config.client_context())

    # The TLS side

    async def handle(self, http: web.BaseRequest) -> web.StreamResponse:
        if http.path == "/_ping" or (http.path == "/health" and self.config.product == "dtr"):
            return self.ping(http)
        try:
            if self.config.product == "dtr" and http.path.startswith("/enzi/"):
                return await self.to_ucp(http)
            return await self.to_leader(http)
        except NotSent as problem:
            print(f"stand-in: {http.method} {http.path}: {problem}", file=sys.stderr, flush=True)
            return self.failure()

    def ping(self, http: web.BaseRequest) -> web.Response:
        """Of this replica alone (DTR docs: load balancer; UCP docs: monitoring)."""
        problem = self.view.problem()
        if self.config.product == "ucp":
            if http.method == "HEAD":
                return web.Response(status=404)
            if problem:
                return web.Response(status=500, text=json.dumps({"message": problem}))
            return web.Response(text="OK", headers=API_VERSION)
        return web.json_response({"Error": problem, "Healthy": not problem}, status=503 if problem else 200)

    def failure(self) -> web.Response:
        """Nobody leads (DTR docs, repair a cluster: internal server error)."""
        message = "internal server error"
        body = {"errors": [{"code": "INTERNAL_ERROR", "message": message}]} if self.config.product == "dtr" else {"message": message}
        return web.json_response(body, status=503)

    async def to_leader(self, http: web.BaseRequest) -> web.StreamResponse:
        """To whoever leads; waits a while for somebody who does, as long as nobody took the request."""
        limit, why = time.monotonic() + PATIENCE_SECONDS, "there is no leader"
        while time.monotonic() < limit:
            leader = self.view.leader if self.view.current else None
            if leader:
                try:
                    session = await self.links.to(leader)
                    return await self.pass_on(http, session, f"https://{leader.address}", self._headers(http))
                except NotSent as problem:
                    why = str(problem)
            self.view.hurry()
            await asyncio.sleep(PAUSE_SECONDS)
        raise NotSent(why)

    async def to_ucp(self, http: web.BaseRequest) -> web.StreamResponse:
        ucp = self.view.documents.get(("ucp", "ucp"))
        if not ucp:
            raise NotSent("DTR knows no UCP")
        tls = False if ucp.get("insecure") else ssl.create_default_context(cadata=ucp["ca"] or None)
        headers = self._headers(http)
        headers["Host"] = URL(ucp["url"]).authority
        async with session_with(tls) as session:
            return await self.pass_on(http, session, ucp["url"].rstrip("/"), headers)

    async def pass_on(self, http: web.BaseRequest, session: aiohttp.ClientSession, base: str, headers: CIMultiDict) -> web.StreamResponse:
        """NotSent: it may be sent again, because it was not taken, or because it changes nothing."""
        url = URL(f"{base}{http.rel_url.raw_path_qs}", encoded=True)
        body = http.content if http.body_exists else None
        try:
            answer = await session.request(http.method, url, data=body, headers=headers, allow_redirects=False)
        except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError) as problem:
            raise NotSent(f"{base}: {problem}") from problem
        except (aiohttp.ClientError, ConnectionError) as problem:
            if http.transport is None or http.transport.is_closing():
                raise ConnectionResetError("the client is gone") from problem
            if http.method in ("GET", "HEAD") and body is None:
                raise NotSent(f"{base}: {problem!r}") from problem
            print(f"stand-in: {http.method} {http.path}: {base} broke off: {problem!r}", file=sys.stderr, flush=True)
            return self.failure()
        return await pass_back(http, answer, {})

    def _headers(self, http: web.BaseRequest) -> CIMultiDict:
        """The client's, without what only a front may say."""
        left_out = HOP_BY_HOP | OWN_HEADERS
        headers = CIMultiDict((name, value) for name, value in http.headers.items() if name.lower() not in left_out)
        headers.update({"Host": http.host, "X-Forwarded-Proto": "https", ADDRESS_HEADER: http.remote or ""})
        channel = http.transport and http.transport.get_extra_info("ssl_object")
        certificate = channel.getpeercert(binary_form=True) if channel else None
        if certificate:
            headers[CERTIFICATE_HEADER] = base64.b64encode(certificate).decode()
        return headers

    # The other side

    async def handle_plain(self, http: web.BaseRequest) -> web.StreamResponse:
        """Health is told here too; everything else is sent to the TLS side."""
        if http.path == "/_ping":
            return self.ping(http)
        settings = self.view.documents.get(("settings", "dtr"), {})
        name = settings.get("dtrHost") or self._name(http)
        return web.Response(status=308, headers={"Location": f"https://{name}{http.rel_url.raw_path_qs}"})

    def _name(self, http: web.BaseRequest) -> str:
        host = http.host.partition(":")[0]
        return host if self.config.front.public_https == 443 else f"{host}:{self.config.front.public_https}"


class Server:
    """The listeners; the TLS one is opened anew for another certificate, while its connections go on."""

    def __init__(self, config: Config):
        self.config, self.view = config, View(config)
        self.front = Front(config, self.view)
        self._folder = private_folder(f"{config.state}/front")
        self._connections: list[web.Server] = []
        self._tls: Tls | None = None
        self._listener: asyncio.AbstractServer | None = None

    async def run(self) -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, ended.set)
        self.view.start()
        if self.config.front.listen_http:
            await loop.create_server(self._made(self.front.handle_plain), *address(self.config.front.listen_http), backlog=512)
        keeper = asyncio.create_task(self._keep(self._made(self.front.handle)))
        stop = asyncio.create_task(ended.wait())
        await asyncio.wait({keeper, stop}, return_when=asyncio.FIRST_COMPLETED)
        if keeper.done():
            keeper.result()
        keeper.cancel()
        for connections in self._connections:
            await connections.shutdown(1.0)
        await self.front.links.close()

    def _made(self, handler) -> web.Server:
        connections = web.Server(handler, access_log=None)
        self._connections.append(connections)
        return connections

    async def _keep(self, connections: web.Server) -> None:
        while True:
            tls = self.view.tls
            if tls and tls != self._tls:
                await self._serve(connections, tls)
            await asyncio.sleep(TLS_SECONDS)

    async def _serve(self, connections: web.Server, tls: Tls) -> None:
        """A pair that does not fit, such as of files that are just being replaced, is left alone; the former one stays."""
        try:
            context = served_context(tls, self._folder)
        except (ssl.SSLError, ValueError) as problem:
            print(f"stand-in: the certificate cannot be served: {problem}", file=sys.stderr, flush=True)
            return
        host, port = address(self.config.front.listen_https)
        before = self._listener
        self._listener = await asyncio.get_running_loop().create_server(
            connections, host, port, ssl=context, backlog=512, reuse_port=True)
        self._tls = tls
        if before:
            before.close()


def main() -> None:
    try:
        asyncio.run(Server(Config.read(sys.argv[1])).run())
    except (ConfigError, IndexError, OSError) as problem:
        sys.exit(f"front: {problem}")


if __name__ == "__main__":
    main()
