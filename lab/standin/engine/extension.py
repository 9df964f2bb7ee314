# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the leading manager adds to UCP's services: real engines behind the engine's interface, DTR's registrations, the web certificate."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import sys
import tempfile

import aiohttp

from ..answers import Answer
from ..errors import Refused
from ..routing import Route
from ..ucp_node.rounds import WEB_KIND
from ..ucp_node.web_check import problem
from . import registration, swarm
from .engines import Engines
from .nodes import POLL_SECONDS, SLOW_SECONDS, Nodes
from .registration import Registrations

VERSIONED = re.compile(r"^/v1\.\d+(?=/)")


class EngineRoutes:
    """UCP's routes, also below a version as Docker clients write it, with those of the engine before them."""

    def __init__(self, routes, engines: Engines):
        self._routes, self._engines = routes, engines

    def add(self, route: Route) -> None:
        self._routes.add(route)

    def find(self, verb: str, raw_path: str):
        path = VERSIONED.sub("", raw_path)
        if path.split("/")[1] in Engines.OWN:
            async def handler(_standin, call):
                return await self._engines.serve(call, path)
            return Route(verb, path, "admin", handler), {}, True
        return self._routes.find(verb, path)


def extend(standin) -> None:
    nodes = Nodes()
    standin.ucp.swarm = swarm.RealSwarm(standin.ucp, nodes)
    standin.engines, standin.registrations = Engines(standin, nodes), Registrations(standin, nodes)
    front = standin.fronts["ucp"]
    front.routes = EngineRoutes(front.routes, standin.engines)
    for verb, path, handler in (
        ("GET", "/swarm", get_swarm), ("POST", "/swarm/update", update_swarm),
        ("POST", "/nodes/{id}/update", swarm.update_node), ("DELETE", "/nodes/{id}", swarm.delete_node),
        ("POST", "/api/nodes/certs", put_certificates),
        ("POST", "/_standin/dtr", registration.register), ("DELETE", "/_standin/dtr/{host}", registration.unregister),
    ):
        front.routes.add(Route(verb, path, "admin", handler))


async def start(standin) -> None:
    await standin.engines.nodes.start()
    standin.engine_watch = asyncio.ensure_future(_watch(standin))


async def stop(standin) -> None:
    standin.engine_watch.cancel()
    await standin.engines.nodes.stop()


async def _watch(standin) -> None:
    said = None
    while True:
        state = ""
        try:
            await standin.ucp.swarm.look()
            await standin.registrations.follow()
        except (Refused, aiohttp.ClientError, OSError, asyncio.TimeoutError) as trouble:
            state = f"{type(trouble).__name__}: {trouble}"
        if state and state != said:
            print(f"stand-in: nodes: {state}", file=sys.stderr, flush=True)
        said = state
        await asyncio.sleep(POLL_SECONDS)


async def get_swarm(standin, call):
    return Answer(200, await standin.engines.nodes.ask(None, "GET", "/swarm"))


async def update_swarm(standin, call):
    await standin.engines.nodes.ask(None, "POST", "/swarm/update", await call.request.json(), query=call.query, timeout=SLOW_SECONDS)
    return Answer(200)


async def put_certificates(standin, call):
    """A certificate for the web interface of all managers (field observation for address and fields)."""
    given = await call.request.json()
    files = {name: given.get(name) if isinstance(given.get(name), str) else "" for name in ("ca", "cert", "key")}
    wrong = problem(files) or _mismatch(files)
    if wrong:
        raise Refused(400, "INVALID_CERTIFICATE", f"invalid certificate: {wrong}")
    kept = standin.store.get(WEB_KIND, WEB_KIND)
    standin.store.put(WEB_KIND, WEB_KIND, {"number": kept["number"] + 1 if kept else 1, **files})
    return Answer(200)


def _mismatch(files: dict) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file, contextlib.suppress(ssl.SSLError):
        file.write(f"{files['key']}\n{files['cert']}")
        file.flush()
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file.name)
        return ""
    return "cert and key do not fit"
