# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in as a whole: one store, one process, a listener for DTR and one for UCP."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import threading
import traceback

from aiohttp import web

from . import parts
from .auth import Auth
from .control import add_controls
from .faults import Faults
from .options import Options
from .record import Record
from .server import Front
from .store import Store
from .tls import Authority, Listener


class Standin:
    """Services are attributes (see parts.py). Everything but the constructor runs in the event loop, unless it says otherwise."""

    product: str | None = None   # None: both of them
    cluster = None               # the cluster that this process leads at the moment (cluster/context.py)

    def __init__(self, options: Options):
        self.options = options
        options.state.mkdir(parents=True, exist_ok=True)
        self.store = self._make_store()
        self.shift = datetime.timedelta()   # tests move the clock with it
        self.violations: list[dict] = []
        self.answer_violations: list[dict] = []
        self.crashes: list[str] = []
        self.record = Record(options.record)
        self.auth = Auth(self)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._make_tls()
        self.faults = Faults(self.listeners.values())
        self.services = {}
        for name, service in self.service_classes().items():
            if self.product in (None, *parts.ONLY.get(name, parts.PRODUCTS)):
                self.services[name] = service(self)
                setattr(self, name, self.services[name])
        self.fronts = {product: Front(self, product) for product in parts.PRODUCTS if self.product in (None, product)}
        if options.faults:
            add_controls(self)
        self._open: list[tuple[asyncio.AbstractServer, web.Server]] = []
        self.ports: dict[str, int] = {}

    def service_classes(self) -> dict:
        return parts.SERVICES

    def _make_store(self) -> Store:
        return Store(None if self.options.memory else str(self.options.state / "standin.db"))

    def _make_tls(self) -> None:
        folder, options = self.options.state / "tls", self.options
        folder.mkdir(exist_ok=True)
        self.authority = Authority(folder, "Stand-in CA")
        self.listeners = {"dtr": Listener(folder, "dtr"), "ucp": Listener(folder, "ucp")}
        for product, host in (("dtr", options.dtr_host), ("ucp", options.ucp_host)):
            self.listeners[product].start(self.authority, host, [host, "localhost", "127.0.0.1", *options.san])
        self.listeners["ucp"].accept_clients_of(self.authority.pem)

    # What services ask of it

    def clock(self) -> datetime.datetime:
        """Now, in UTC."""
        return datetime.datetime.now(datetime.timezone.utc) + self.shift

    def stamp(self) -> str:
        """Now, as the products write it."""
        return self.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def later(self, seconds: float, action, *arguments) -> None:
        self.loop.call_later(seconds, action, *arguments)

    def answer_headers(self, product: str) -> dict:
        return {} if product == "dtr" else self.ucp.answer_headers()

    @property
    def dtr_name(self) -> str:
        """Host, with the port where it is not 443: what stands before the slash in an image's name."""
        return _netloc(self.options.dtr_host, self.ports["dtr"])

    @property
    def ucp_name(self) -> str:
        return _netloc(self.options.ucp_host, self.ports["ucp"])

    def public_host(self, http) -> str:
        """What clients are told to come back to: as they named the registry, so that it is reached the same way."""
        return http.host

    def client_certificate(self, http) -> bytes | None:
        """The verified certificate (DER) with which a client came."""
        channel = http.transport and http.transport.get_extra_info("ssl_object")
        return (channel.getpeercert(binary_form=True) if channel else None) or None

    def client_address(self, http) -> str | None:
        return http.remote

    def replicas(self) -> dict[str, dict]:
        """By id: {"node", "http_port", "https_port", "time" (RFC 3339), "health" ("OK", or what is wrong)}."""
        options, problem = self.options, self.misc.problem
        return {options.replica_id: {
            "node": options.dtr_node or options.dtr_host, "http_port": 80, "https_port": self.ports["dtr"], "time": self.stamp(),
            "health": problem or "OK",
        }}

    def manager_identity(self) -> tuple[str, str]:
        """(address, host name) of the manager of UCP that answers."""
        manager = next(entry["node"] for entry in self.ucp.swarm.nodes() if entry["node"]["Spec"]["Role"] == "manager")
        return manager["Status"]["Addr"], manager["Description"]["Hostname"]

    @property
    def web_authority(self) -> str:
        """The authority (PEM) of the certificate that UCP shows."""
        return self.authority.pem

    dtr_host = dtr_name
    ucp_host = ucp_name

    @property
    def dtr_url(self) -> str:
        return f"https://{self.dtr_name}"

    @property
    def ucp_url(self) -> str:
        return f"https://{self.ucp_name}"

    @property
    def ca_file(self) -> str:
        return str(self.authority.file)

    @property
    def admin(self) -> tuple[str, str]:
        return self.options.admin, self.options.password

    @property
    def exchanges(self) -> list:
        return self.record.exchanges

    @property
    def writes(self) -> list:
        return self.record.writes

    # Its life

    async def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        await self._listen()
        for service in self.services.values():
            if hasattr(service, "start"):
                await service.start()

    async def _listen(self) -> None:
        options = self.options
        for product, port in (("dtr", options.dtr_port), ("ucp", options.ucp_port)):
            self.ports[product] = await self._open_port(product, options.listen, port, self.listeners[product].context)

    async def _open_port(self, product: str, host: str, port: int, context: ssl.SSLContext) -> int:
        connections = web.Server(self.fronts[product].handle, access_log=None)
        listener = await self.loop.create_server(connections, host, port, ssl=context, backlog=512)
        self._open.append((listener, connections))
        return listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Ends everything, also when one of the services fails to."""
        for service in reversed(self.services.values()):
            try:
                if hasattr(service, "stop"):
                    await service.stop()
            except Exception:
                self.crashes.append(traceback.format_exc())
        for listener, connections in self._open:
            listener.close()
            if hasattr(connections, "pre_shutdown"):   # aiohttp 3.9: closes idle connections at once
                connections.pre_shutdown()
            await connections.shutdown(1.0)
        self.store.close()


def _netloc(host: str, port: int) -> str:
    return host if port == 443 else f"{host}:{port}"


class Threaded:
    """A stand-in in a thread of its own, for tests: `with Threaded(options) as standin: ...`"""

    def __init__(self, options: Options):
        self.standin = Standin(options)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="standin", daemon=True)

    def run(self, coroutine, timeout: float = 30):
        """Runs a coroutine in the stand-in's loop and returns its result; callable from any other thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def __enter__(self) -> Standin:
        self.thread.start()
        self.standin.run = self.run
        try:
            self.run(self.standin.start())
        except BaseException:
            self.__exit__()
            raise
        return self.standin

    def __exit__(self, *failure) -> None:
        self.run(self.standin.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()
