# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UCP: its services in one place, login, identity, health and version."""

from __future__ import annotations

from .answers import Answer
from .errors import Refused, not_authenticated
from .server import operation
from .ucp_bundle import Bundles
from .ucp_collections import Collections
from .ucp_config import Config, License
from .ucp_grants import EVERYONE, Grants
from .ucp_roles import Roles
from .ucp_sessions import Sessions
from .ucp_swarm import ENGINE_VERSION, Swarm

API_VERSION = "1.40"


class Ucp:
    """The services of UCP. `problem`: why `/_ping` answers 500; empty while the manager is well."""

    def __init__(self, standin):
        self.standin = standin
        self.config, self.license, self.sessions = Config(self), License(self), Sessions(self)
        self.roles, self.collections, self.grants = Roles(self), Collections(self), Grants(self)
        self.swarm, self.bundles = Swarm(self), Bundles(self)
        self.problem = ""
        standin.auth.sessions = self.sessions
        self._seed()

    def _seed(self) -> None:
        """What a new UCP has; does nothing where it is there already."""
        new = not self.standin.store.all("collection")   # the configuration may be there already (docker/ucp install --existing-config)
        self.config.seed()
        self.roles.seed()
        self.collections.seed()
        self.swarm.seed(self.standin.options.nodes)
        if new:
            self.grants.put(self.standin.accounts.demand(EVERYONE)["id"], "shared", "scheduler")

    def login(self, caller) -> str:
        """A session; the first one makes the user's private collection, with the role that the configuration gives new users."""
        collection, made = self.collections.private_of(caller.name)
        if made and not caller.is_admin:
            role = self.config.document.get("auth", {}).get("default_new_user_role", "restrictedcontrol")
            self.grants.put(caller.id, collection["id"], "fullcontrol" if role == "admin" else role)
        return self.sessions.open(caller.name)

    def answer_headers(self) -> dict:
        """Headers of each answer: the manager's identity unless it is switched off, and the configured ones."""
        document = self.config.document
        own = {header["name"]: header["value"] for header in document.get("custom_api_server_headers", [])}
        if document["cluster_config"].get("exclude_server_identity_headers"):
            return own
        address, name = self.standin.manager_identity()
        return {"X-Server-Ip": address, "X-Server-Name": name, **own}


@operation("POST", "/auth/login", auth="none", product="ucp")
def login(standin, call):
    """The meaning of `token` in the body is not documented: only name and password count."""
    caller = standin.auth.of_password(call.body.get("username", ""), call.body.get("password", ""))
    if not caller:
        raise not_authenticated("invalid username or password")
    return {"auth_token": standin.ucp.login(caller)}


@operation("GET", "/id/", product="ucp")
def identity(standin, call):
    return standin.accounts.shown(standin.accounts.demand(call.caller.name))


@operation("POST", "/id/logout", product="ucp")
def logout(standin, call):
    standin.ucp.sessions.close(call.request.headers.get("Authorization", "").removeprefix("Bearer "))


@operation("GET", "/_ping", auth="none", product="ucp")
def ping(standin, call):
    if standin.ucp.problem:
        raise Refused(500, "UNHEALTHY", standin.ucp.problem)
    return Answer(200, "OK")


@operation("HEAD", "/_ping", auth="none", product="ucp")
def head_ping(standin, call):
    """UCP docs, monitoring: HEAD is answered with 404."""
    return Answer(404)


@operation("GET", "/ca", auth="none", product="ucp")
def ca(standin, call):
    return Answer(200, standin.web_authority, {"Content-Type": "application/x-pem-file"})


@operation("GET", "/version", product="ucp")
def version(standin, call):
    ucp = standin.options.ucp_version
    return {
        "Platform": {"Name": "Docker Enterprise"},
        "Components": [{"Name": "Engine", "Version": ENGINE_VERSION}, {"Name": "Universal Control Plane", "Version": ucp}],
        "Version": f"ucp/{ucp}", "ApiVersion": API_VERSION, "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64",
    }


@operation("GET", "/info", product="ucp")
def info(standin, call):
    """The part of the Engine's document that says what the Swarm is."""
    nodes = [entry["node"] for entry in standin.ucp.swarm.nodes()]
    managers = [node for node in nodes if node["Spec"]["Role"] == "manager"]
    swarm = {
        "NodeID": managers[0]["ID"], "NodeAddr": managers[0]["Status"]["Addr"], "LocalNodeState": "active", "ControlAvailable": True,
        "Nodes": len(nodes), "Managers": len(managers), "Error": "",
    }
    return {"Name": managers[0]["Description"]["Hostname"], "ServerVersion": f"ucp/{standin.options.ucp_version}", "Swarm": swarm}
