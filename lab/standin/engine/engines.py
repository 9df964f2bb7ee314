# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UCP's side of the engine's interface: what all nodes have, under one roof (Docker Engine API; names as Docker Swarm had them)."""

from __future__ import annotations

import asyncio
import json
import random
import re
from urllib.parse import quote, unquote, urlencode

import aiohttp

from ..answers import Answer
from ..errors import Refused
from ..registry_proxy import HOP_BY_HOP, pass_back
from .client import VERSION
from .nodes import SLOW_SECONDS, Nodes

NOWHERE = "could not find any nodes on which the container could be created"   # UCP docs, DTR's system requirements
OF_CONTAINER = re.compile(
    r"/containers/(?P<ref>.+?)/(?P<action>json|start|stop|restart|kill|wait|logs|archive|exec|changes|top|stats|rename|pause|unpause|update|resize|export)")
OF_EXEC = re.compile(r"/exec/(?P<ref>[^/]+)/(?P<action>json|start|resize)")
UNLIMITED = {"wait", "logs", "archive", "export", "stats", "exec"}   # last as long as what they wait for
OF_SWARM = ("services", "tasks", "configs", "secrets", "distribution")


class Engines:
    """`serve` answers a request below one of `OWN`; the caller is an administrator."""

    OWN = ("containers", "exec", "images", "volumes", "networks", "info", "events", *OF_SWARM)

    def __init__(self, standin, nodes: Nodes):
        self.standin, self.nodes = standin, nodes
        self._places: dict[str, str] = {}   # id of a container or exec -> node

    async def serve(self, call, path: str):
        """`path`: without version and query."""
        kind = path.split("/")[1]
        if kind in OF_SWARM:
            return await self.forward(call, None, path)
        handler = getattr(self, f"_{kind}", None)
        answer = await handler(call, path) if handler else None
        if answer is None:
            raise Refused(501, "NOT_EMULATED", f"{call.request.method} {path} is not emulated by this stand-in.")
        return answer

    # Passing on

    async def forward(self, call, node: str | None, path: str, body: bytes | None = None):
        """The request as it came, to one engine, and its answer as it comes; what is quick has a time limit."""
        http = call.request
        if "upgrade" in http.headers.get("Connection", "").lower():
            raise Refused(501, "NOT_EMULATED", "attached streams do not pass through this stand-in; run the command on the node itself")
        version = re.match(r"/(v1\.\d+)/", http.rel_url.raw_path)
        query = http.rel_url.raw_query_string
        target = f"/{version.group(1) if version else VERSION}{path}" + (f"?{query}" if query else "")
        drop = HOP_BY_HOP | {"authorization", "content-length"}
        headers = {name: value for name, value in http.headers.items() if name.lower() not in drop}
        data = body if body is not None else http.content if http.body_exists else None
        try:
            limit = None if {path.split("/")[1], path.rpartition("/")[2]} & UNLIMITED else SLOW_SECONDS
            answer = await self.nodes.request(node, http.method, target, data=data, headers=headers, timeout=limit)
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as problem:
            raise Refused(503, "NODE_UNREACHABLE", f"{http.method} {path}: {problem or 'no answer'}") from problem
        return await pass_back(http, answer, {})

    # Containers

    async def _containers(self, call, path: str):
        verb = call.request.method
        if path == "/containers/json" and verb == "GET":
            return Answer(200, await self._list_containers(call.query))
        if path == "/containers/create" and verb == "POST":
            return await self._create(call)
        if match := OF_CONTAINER.fullmatch(path):
            return await self._act(call, match["ref"], match["action"])
        if verb == "DELETE":
            node, ref = await self._find(unquote(path.removeprefix("/containers/")))
            return await self.forward(call, node, f"/containers/{quote(ref)}")
        return None

    async def _act(self, call, where: str, action: str):
        node, ref = await self._find(unquote(where))
        if (call.request.method, action) == ("GET", "json"):
            return Answer(200, await self._inspect(node, ref))
        if (call.request.method, action) == ("POST", "exec"):
            return await self._make_exec(call, node, ref)
        return await self.forward(call, node, f"/containers/{quote(ref)}/{action}")

    async def _list_containers(self, query: dict) -> list[dict]:
        filters, only = _filters(query.get("filters"))
        passed = {name: value for name, value in query.items() if name in ("all", "limit", "size")}
        found = []
        for node, listed in await self.nodes.ask_all("/containers/json", query={**passed, "filters": filters}, only=only):
            name = self.nodes.name(node)
            self._places.update({container["Id"]: node for container in listed})
            about = self._about(node)
            found += [{**container, "Names": [f"/{name}{own}" for own in container["Names"]], "Node": about} for container in listed]
        found.sort(key=lambda container: -container["Created"])
        return found

    async def _inspect(self, node: str, ref: str) -> dict:
        return {**await self.nodes.ask(node, "GET", f"/containers/{quote(ref)}/json"), "Node": self._about(node)}

    def _about(self, node: str) -> dict:
        address = self.nodes.all[node]["Status"]["Addr"]
        return {"ID": node, "Name": self.nodes.name(node), "IP": address, "Addr": f"{address}:12376"}

    async def _find(self, ref: str) -> tuple[str, str]:
        """(node, id or name there) of `NODE/NAME`, an id, its beginning, or a name."""
        place, _slash, name = ref.strip("/").rpartition("/")
        if place:
            node = self.nodes.by_name(place)
            if not node:
                raise Refused(404, "NO_SUCH_CONTAINER", f"No such container: {ref}")
            if node not in self.nodes.reachable:
                raise Refused(500, "NODE_UNREACHABLE", f"node {place} cannot be reached")
            return node, name
        if self._places.get(name) in self.nodes.reachable:
            return self._places[name], name
        holders = await self.nodes.ask_all(f"/containers/{quote(name)}/json")
        if not holders:
            raise Refused(404, "NO_SUCH_CONTAINER", f"No such container: {ref}")
        if len({document["Id"] for _node, document in holders}) > 1:
            raise Refused(409, "AMBIGUOUS", f"several nodes have a container {ref}: name it NODE/{ref}")
        self._places[holders[0][1]["Id"]] = holders[0][0]
        return holders[0][0], name

    async def _create(self, call):
        document = await call.request.json()
        constraints, environment = _constraints(document.get("Env") or [])
        document["Env"] = environment
        node = await self._place(constraints)
        name = call.query.get("name", "")
        target = f"/{VERSION}/containers/create" + (f"?{urlencode({'name': name})}" if name else "")
        async with self.nodes.request(node, "POST", target, json=document, timeout=SLOW_SECONDS) as answer:
            made = await answer.json(content_type=None)
        if answer.status == 201:
            self._places[made["Id"]] = node
            if (document.get("Labels") or {}).get("com.docker.dtr.replica"):
                self.standin.ucp.swarm.dtr_nodes.add(node)
        return Answer(answer.status, made)

    async def _place(self, constraints: list[tuple[str, str, str]]) -> str:
        await self.nodes.look()
        swarm = self.standin.ucp.swarm
        fitting = [
            node for node, document in self.nodes.all.items()
            if node in self.nodes.reachable and document["Spec"]["Availability"] == "active" and swarm.eligible(document)
            and all(_holds(document, *constraint) for constraint in constraints)
        ]
        if not fitting:
            raise Refused(500, "NOWHERE", NOWHERE)
        return random.choice(fitting)

    async def _make_exec(self, call, node: str, ref: str):
        made = await self.nodes.ask(node, "POST", f"/containers/{quote(ref)}/exec", await call.request.json(), timeout=SLOW_SECONDS)
        self._places[made["Id"]] = node
        return Answer(201, made)

    async def _exec(self, call, path: str):
        match = OF_EXEC.fullmatch(path)
        if not match:
            return None
        node = self._places.get(match["ref"])
        if not node:
            holders = await self.nodes.ask_all(f"/exec/{match['ref']}/json")
            if not holders:
                raise Refused(404, "NO_SUCH_EXEC", f"No such exec instance: {match['ref']}")
            node = holders[0][0]
        return await self.forward(call, node, path)

    # Images, volumes, networks

    async def _images(self, call, path: str):
        if path != "/images/json" or call.request.method != "GET":
            return None
        filters, only = _filters(call.query.get("filters"))
        passed = {name: value for name, value in call.query.items() if name in ("all", "digests")}
        listed = await self.nodes.ask_all("/images/json", query={**passed, "filters": filters}, only=only)
        return Answer(200, [{**image, "Node": self._about(node)} for node, images in listed for image in images])

    async def _volumes(self, call, path: str):
        verb, ref = call.request.method, unquote(path.removeprefix("/volumes").strip("/"))
        if verb == "GET" and not ref:
            filters, only = _filters(call.query.get("filters"))
            listed = await self.nodes.ask_all("/volumes", query={"filters": filters}, only=only)
            volumes = [self._named(node, volume) for node, answer in listed for volume in answer["Volumes"] or []]
            return Answer(200, {"Volumes": volumes, "Warnings": None})
        if verb == "POST" and ref == "create":
            return Answer(201, await self._make_volume(await call.request.json()))
        if verb == "GET":
            return Answer(200, self._named(*(await self._holders(ref))[0]))
        if verb == "DELETE":
            force = {"force": call.query.get("force", "0")}
            for node, volume in await self._holders(ref):
                await self.nodes.ask(node, "DELETE", f"/volumes/{quote(volume['Name'])}", query=force, timeout=SLOW_SECONDS)
            return Answer(204)
        return None

    def _named(self, node: str, volume: dict) -> dict:
        return {**volume, "Name": f"{self.nodes.name(node)}/{volume['Name']}"}

    async def _holders(self, ref: str) -> list[tuple[str, dict]]:
        """[(node, volume)]; a name without a node means all that have it."""
        place, _slash, name = ref.rpartition("/")
        holders = await self.nodes.ask_all(f"/volumes/{quote(name)}", only=place or None)
        if not holders:
            raise Refused(404, "NO_SUCH_VOLUME", f"get {ref}: no such volume")
        return holders

    async def _make_volume(self, document: dict) -> dict:
        """`NODE/NAME` on one node, a bare name on all of them, as Docker Swarm did."""
        place, _slash, name = (document.get("Name") or "").rpartition("/")
        places = sorted(self.nodes.reachable)
        if place:
            node = self.nodes.by_name(place)
            if node not in self.nodes.reachable:
                raise Refused(404, "NO_SUCH_NODE", f"node {place} not found")
            places = [node]
        made = [await self.nodes.ask(node, "POST", "/volumes/create", {**document, "Name": name}, timeout=SLOW_SECONDS) for node in places]
        return self._named(places[0], made[0]) if place else made[0]

    async def _networks(self, call, path: str):
        """Those of the swarm; networks of single nodes are shown as NODE/NAME and cannot be changed."""
        verb = call.request.method
        if verb == "GET" and path == "/networks":
            filters, only = _filters(call.query.get("filters"))
            shown = await self.nodes.ask(None, "GET", "/networks", query={"filters": filters})
            found = [network for network in shown if network["Scope"] == "swarm"]
            for node, networks in await self.nodes.ask_all("/networks", query={"filters": filters}, only=only):
                name = self.nodes.name(node)
                found += [{**network, "Name": f"{name}/{network['Name']}"} for network in networks if network["Scope"] == "local"]
            return Answer(200, found)
        change = re.fullmatch(r"/networks/(.+)/(connect|disconnect)", path)
        if change and verb == "POST":
            document = await call.request.json()
            node, ref = await self._find(document["Container"])
            await self.nodes.ask(node, "POST", path, {**document, "Container": ref}, timeout=SLOW_SECONDS)
            return Answer(200)
        if path == "/networks/prune":
            return None
        if verb == "POST" and (await call.request.json()).get("Driver") != "overlay":
            raise Refused(501, "NOT_EMULATED", "only overlay networks are made through this stand-in")
        return await self.forward(call, None, path, await call.request.read() if verb == "POST" else None)

    async def _info(self, call, _path: str):
        info = await self.nodes.ask(None, "GET", "/info")
        answers = [answer for _node, answer in await self.nodes.ask_all("/info")]
        totals = {name: sum(answer[name] for answer in answers)
                  for name in ("Containers", "ContainersRunning", "ContainersPaused", "ContainersStopped", "Images", "NCPU", "MemTotal")}
        own = {"ID": info["Swarm"]["Cluster"]["ID"], "ServerVersion": f"ucp/{self.standin.options.ucp_version}", "OperatingSystem": "linux"}
        return Answer(200, {**info, **totals, **own})


def _filters(text: str | None) -> tuple[dict, str | None]:
    """(what engines understand, the name of one node from Docker Swarm's filter `node`)."""
    try:
        wanted = json.loads(text or "{}")
    except ValueError as problem:
        raise Refused(400, "INVALID_FILTERS", f"invalid filters: {problem}") from None
    only = wanted.pop("node", None)
    if isinstance(only, dict):
        only = list(only)
    return wanted, only[0] if only else None


def _constraints(environment: list[str]) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Docker Swarm's `constraint:NAME==VALUE` and `!=` out of the environment: ([(name, operator, value)], the rest)."""
    found, rest = [], []
    for line in environment:
        match = re.fullmatch(r"constraint:([\w.\-/]+)(==|!=)(.+)", line)
        if match:
            found.append(match.groups())
        elif line.startswith(("constraint:", "affinity:")):
            raise Refused(400, "INVALID_CONSTRAINT", f"{line} is not understood; write constraint:NAME==VALUE")
        else:
            rest.append(line)
    return found, rest


def _holds(node: dict, name: str, operator: str, value: str) -> bool:
    own = {"node": node["Description"]["Hostname"], "node.id": node["ID"], "node.role": node["Spec"]["Role"]}
    actual = own[name] if name in own else node["Spec"].get("Labels", {}).get(name.removeprefix("node.labels."))
    return (actual == value or (name == "node" and node["ID"] == value)) == (operator == "==")
