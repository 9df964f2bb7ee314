# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a node what its role says: what a manager's and a worker's agent do in each round."""

from __future__ import annotations

import contextlib
import json
import ssl

from ..cluster import admin
from ..cluster.config import Config
from ..cluster.etcd import Client
from ..cluster.replicas import known, replica_key
from ..engine.client import Engine, EngineError, forgiving
from . import certificates, layout
from .layout import Product, Settings

WEB_KIND = "ucp_web"   # the operator's certificate of the web interface: {"number", "ca", "cert", "key"}


class NotYet(Exception):
    """The round cannot be finished; the message says what it waits for."""


def address_of(node: dict) -> str:
    """Under which the other nodes reach it."""
    manager = node.get("ManagerStatus", {}).get("Addr", "")
    return manager.rpartition(":")[0] or node["Status"]["Addr"]


def member_name(node_id: str) -> str:
    return f"ucp-auth-store-{node_id}"


class Containers:
    """The node's containers of UCP, compared by the label that holds the digest of their making."""

    def __init__(self, engine: Engine, product: Product, settings: Settings):
        self.engine, self.product, self.settings = engine, product, settings

    def ensure(self, name: str, document: dict) -> bool:
        """Running, as the document says; whether anything had to be done."""
        present = self.engine.container(name)
        labels = present["Config"]["Labels"] if present else {}
        wanted = {layout.SPEC_LABEL: document["Labels"][layout.SPEC_LABEL], layout.INSTANCE_LABEL: self.settings.id}
        if present and any(labels.get(label) != value for label, value in wanted.items()):
            self.stop(name)
            present = None
        if not present:
            self.engine.create(name, document)
        elif present["State"]["Running"]:
            return False
        self.engine.post(f"/containers/{name}/start")
        return True

    def stop(self, name: str) -> None:
        with forgiving(404, 304):
            self.engine.post(f"/containers/{name}/stop", query={"t": 10}, timeout=40)
        self.engine.remove(name)

    def restart(self, name: str) -> None:
        with forgiving(404):
            self.engine.post(f"/containers/{name}/restart", query={"t": 10}, timeout=40)


class Manager:
    """One round for a manager. `nodes` in it are those of the swarm, as its engine shows them."""

    def __init__(self, engine: Engine, product: Product, settings: Settings):
        self.engine, self.product, self.settings = engine, product, settings
        self.containers = Containers(engine, product, settings)
        self.web = certificates.Web()
        self._votes = False

    def converge(self) -> None:
        own = self.engine.get("/info")["Swarm"]["NodeID"]
        nodes = {node["ID"]: node for node in self.engine.get("/nodes")}
        me = nodes[own]
        self.here = address_of(me)
        host = me["Description"]["Hostname"]
        certificates.place_authorities()
        if certificates.place_identities(host, [host, own, self.here]):
            for name in layout.MANAGER_ONLY:
                self.containers.stop(name)
        self._place_web(me)
        self._configure(me, nodes)
        self.containers.ensure(layout.PROXY, layout.proxy(self.product, self.settings))
        documents = layout.managers_containers(self.product, self.settings)
        self.containers.ensure(layout.STORE, documents[layout.STORE])
        client = self._client([self.here, *self._others(me, nodes)])
        with contextlib.closing(client):
            self._take_vote(me, nodes)
            self._take_part(client, me, nodes)
            self._follow_web(client)
        for name in (layout.API, layout.CONTROLLER):
            self.containers.ensure(name, documents[name])

    # Certificate of the web interface

    def _place_web(self, me: dict) -> None:
        if not self.web.is_operators():
            self.web.issue(me["Description"]["Hostname"], certificates.web_names(me, self.here))

    def _follow_web(self, client: Client) -> None:
        """What came by UCP's interface goes to every manager; what an operator laid into a volume, to managers that join from then on."""
        kept, mark = admin.get(client, WEB_KIND, WEB_KIND), self.web.mark
        own = self.web.is_operators() and "applied" not in mark   # was there before this manager took part
        if kept and kept["number"] > mark.get("applied", 0) and not own:
            self.web.place(kept, kept["number"])
        elif self.web.is_operators() and certificates.digest(self.web.read()) != mark.get("published"):
            number = kept["number"] if kept else 1
            admin.put(client, WEB_KIND, WEB_KIND, {"number": number, **self.web.read()})
            self.web.place(self.web.read(), number)

    # Membership in the store

    def _others(self, me: dict, nodes: dict) -> list[str]:
        return [address_of(node) for node in nodes.values() if node["Spec"]["Role"] == "manager" and node["ID"] != me["ID"]]

    def _client(self, addresses: list[str]) -> Client:
        folder = certificates.VOLUMES / layout.NODE_CERTS
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        context.load_cert_chain(folder / "node.pem", folder / "node-key.pem")
        return Client([f"https://{one}:{layout.STORE_PORT}" for one in addresses], context)

    def _configure(self, me: dict, nodes: dict) -> None:
        """The configuration of all processes; how the member of the store begins is decided once."""
        folders = [certificates.VOLUMES / name for name in layout.IDENTITIES]
        present = folders[1] / "config.json"
        store = json.loads(present.read_text())["etcd"] if present.exists() else {}
        if store.get("name") != member_name(me["ID"]):
            store = self._beginning(me, nodes)
        document = self._document(me, {name: store[name] for name in ("initial_cluster", "join")})
        if self._write(folders, document):
            for name in layout.MANAGER_ONLY:
                self.containers.stop(name)

    def _write(self, folders, document: dict) -> bool:
        Config.of(document)
        written = [certificates.write_if_new(folder / "config.json", json.dumps(document, indent=1)) for folder in folders]
        return any(written)

    def _beginning(self, me: dict, nodes: dict) -> dict:
        """`initial_cluster` and `join` of a member that has no data yet."""
        if not self._is_bootstrapped():
            if self.settings.first != me["ID"]:
                raise NotYet("the first manager has not made the store")
            return {"initial_cluster": "", "join": False}
        with contextlib.closing(self._client(self._others(me, nodes))) as client:
            self._forget(client, me["ID"])
            return {**admin.add_member(client, member_name(me["ID"]), f"{self.here}:{layout.PEER_PORT}", learner=True), "join": True}

    def _is_bootstrapped(self) -> bool:
        return layout.BOOTSTRAPPED in self._secret()["Spec"].get("Labels", {})

    def _secret(self) -> dict:
        return self.engine.named("secrets", layout.CLUSTER_CA)

    def _document(self, me: dict, etcd: dict) -> dict:
        here = self.here
        return {
            "product": "ucp", "version": self.product.version, "id": me["ID"], "node": me["Description"]["Hostname"],
            "pki": "/ca", "state": "/tmp/standin", "web": "/web", "client_ca": "/client-root-ca", "extensions": [layout.EXTENSION],
            "etcd": {
                "name": member_name(me["ID"]), "data": "/data", **etcd,
                "client": f"{here}:{layout.STORE_PORT}", "client_listen": f"0.0.0.0:{layout.STORE_PORT}",
                "peer": f"{here}:{layout.PEER_PORT}", "peer_listen": f"0.0.0.0:{layout.PEER_PORT}",
            },
            "backend": {"listen": f"0.0.0.0:{layout.API_PORT}", "advertise": f"{here}:{layout.API_PORT}"},
            "front": {"listen_https": "0.0.0.0:8080", "listen_http": "", "public_https": self.settings.controller_port, "public_http": 0},
        }

    def _take_vote(self, me: dict, nodes: dict) -> None:
        """A member joins as a learner, so that the store goes on while it starts."""
        if self._votes:
            return
        store = json.loads((certificates.VOLUMES / layout.STORE_CERTS / "config.json").read_text())["etcd"]
        if store["join"]:
            with contextlib.closing(self._client(self._others(me, nodes))) as client:
                admin.promote_member(client, store["name"])
        self._votes = True

    def _take_part(self, client: Client, me: dict, nodes: dict) -> None:
        """Well itself, known to the others, and without those that are no managers any more."""
        if not client.healthy(f"https://{self.here}:{layout.STORE_PORT}"):
            raise NotYet("its member of the store is not well")
        secret = self._secret()
        if layout.BOOTSTRAPPED not in secret["Spec"].get("Labels", {}):
            spec = {**secret["Spec"], "Labels": {**secret["Spec"].get("Labels", {}), layout.BOOTSTRAPPED: me["ID"]}}
            self.engine.post(f"/secrets/{secret['ID']}/update", spec, query={"version": secret["Version"]["Index"]})
        if not admin.get(client, "cluster", "cluster"):
            return   # the tool has still to say who the administrator is
        replicas = known(client)
        mine = {"id": me["ID"], "node": me["Description"]["Hostname"], "version": self.product.version,
                "https_port": self.settings.controller_port, "http_port": 0}
        if me["ID"] not in replicas:
            admin.add_replica(client, mine)
        managers = {node["ID"] for node in nodes.values() if node["Spec"]["Role"] == "manager"}
        members = client.members()
        named = {member["name"].removeprefix("ucp-auth-store-") for member in members if member["name"]}
        for gone in (set(replicas) | named) - managers:
            self._forget(client, gone)
        peers = {f"https://{address_of(node)}:{layout.PEER_PORT}" for node in nodes.values()}
        for member in members:   # added for a node that went before it started
            if not member["name"] and member["peer"] not in peers:
                client.remove_member(member["id"])

    def _forget(self, client: Client, node_id: str) -> None:
        admin.remove_member(client, member_name(node_id))
        client.delete(replica_key(node_id))


class Worker:
    """One round for a worker: the proxy, and nothing of a manager that it may have been."""

    def __init__(self, engine: Engine, product: Product, settings: Settings):
        self.engine, self.product, self.settings = engine, product, settings
        self.containers = Containers(engine, product, settings)
        self.emptied: set[str] = set()

    def converge(self) -> None:
        self.containers.ensure(layout.PROXY, layout.proxy(self.product, self.settings))
        present = [name for name in layout.MANAGER_ONLY if self.engine.container(name)]
        for name in present:
            if name != layout.STORE:
                self.containers.stop(name)
        if layout.STORE in present:
            if self._is_member():
                raise NotYet("the other managers still count this node's member of the store")
            self.containers.stop(layout.STORE)
        self._clear([name for name in layout.MANAGER_VOLUMES if name != layout.NODE_CERTS and self.engine.volume(name)])

    def _is_member(self) -> bool:
        """What its own member, while it runs, knows; one that was removed ends by itself."""
        state = self.engine.container(layout.STORE)["State"]
        if not state["Running"] or state["Restarting"]:
            return False
        code, output = self.engine.execute(layout.STORE, [*layout.STORE_ADMIN, "status", "--timeout", "2"])
        if code:
            return self.engine.container(layout.STORE)["State"]["Running"]
        own = member_name(self.engine.get("/info")["Swarm"]["NodeID"])
        return own in [member["name"] for member in json.loads(output)["members"]]

    def _clear(self, volumes: list[str]) -> None:
        """Ended tasks of the manager's agent keep volumes for a while: those are emptied, once."""
        kept = []
        for name in volumes:
            with forgiving(404):
                try:
                    self.engine.delete(f"/volumes/{name}")
                except EngineError as problem:
                    if problem.status != 409:
                        raise
                    kept.append(name)
        kept = [name for name in kept if name not in self.emptied]
        if not kept:
            return
        document = {
            "Image": self.product.image("ucp-agent"), "Cmd": ["sh", "-c", "find /v -mindepth 2 -delete"],
            "HostConfig": {"Binds": [f"{name}:/v/{name}" for name in kept]},
        }
        code, _out, errors = self.engine.run("ucp-clear", document)
        if code:
            raise NotYet(f"a manager's volumes cannot be emptied: {errors.strip()}")
        self.emptied.update(kept)
