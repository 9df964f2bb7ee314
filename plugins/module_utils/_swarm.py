# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""A host as a node of a Swarm: join, leave, and what a manager does with nodes. By the engine's API: a token is on no command line."""

from __future__ import annotations

import os
import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _swarm_rules as rules
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._swarm_rules import SwarmError

_PAUSE = 0.5   # seconds between two looks
PORTS = "see the engine's log, and that ports 2377, 7946 and 4789 are open between the nodes"


class Host:
    """This host's part in a Swarm."""

    def __init__(self, engine, timeout):
        self.engine, self.timeout = engine, timeout
        self.look()

    def look(self):
        info = self.engine.info()
        self.name, self.swarm, self.root = info.get("Name", ""), info.get("Swarm") or {}, info.get("DockerRootDir", "/var/lib/docker")
        return self.state

    @property
    def state(self):
        """inactive, pending, active, error or locked."""
        return self.swarm.get("LocalNodeState") or "inactive"

    @property
    def manager(self):
        return bool(self.swarm.get("ControlAvailable"))

    @property
    def cluster_id(self):
        """Known to managers only, "" elsewhere."""
        return (self.swarm.get("Cluster") or {}).get("ID", "")

    def member(self, token):
        """Whether it belongs to the swarm of this token."""
        wanted = rules.authority_of(token)
        path = os.path.join(self.root, "swarm/certificates/swarm-root-ca.crt")
        try:
            with open(path, "rb") as file:
                return rules.authority_digest(file.read()) == wanted
        except OSError as error:
            raise SwarmError(f"{self.name} is in a swarm whose CA cannot be read ({error}): run as root (become).") from error

    def settled(self):
        """Its state, once the engine has made up its mind."""
        self._until(lambda: self.look() != "pending", "the engine is still \"pending\" in a swarm")
        if self.state in ("error", "locked"):
            raise SwarmError(rules.advice(f"{self.name} is in a swarm that is in trouble ({self.state}: {self.swarm.get('Error', '')})."))
        return self.state

    def initialize(self, options):
        """Make a swarm of this host alone."""
        body = {**_addresses(options), "DefaultAddrPool": options["default_addr_pool"], "SubnetSize": options["subnet_size"]}
        self._call("POST", "/swarm/init", {"Spec": {}, **{name: value for name, value in body.items() if value}})
        self.look()

    def join(self, options):
        """Join the swarm of the managers given."""
        body = {**_addresses(options), "RemoteAddrs": options["remote_addrs"], "JoinToken": options["join_token"]}
        try:
            self._call("POST", "/swarm/join", {name: value for name, value in body.items() if value})
        except SwarmError as error:
            # The engine gives up waiting before it gives up joining.
            if "Timeout was reached" not in str(error):
                raise
        others = ", ".join(options["remote_addrs"])
        self._until(lambda: self.look() == "active", f"{self.name} has not joined the swarm of {others}")

    def leave(self, force=False):
        self._call("POST", "/swarm/leave", force=force)
        self._until(lambda: self.look() == "inactive", f"{self.name} has not left the swarm")

    def nodes(self):
        return self._call("GET", "/nodes")

    def node(self, identity):
        return self._call("GET", f"/nodes/{identity}")

    def update(self, node, wanted):
        """Give a node another Spec: wanted(spec) makes it of the present one, anew when somebody else was quicker."""
        for _attempt in range(5):
            spec = wanted(node["Spec"])
            try:
                self.engine.call("POST", f"/nodes/{node['ID']}/update", spec, version=node["Version"]["Index"])
                return self._settle(node, spec)
            except EngineError as error:
                if "out of sequence" not in str(error):
                    raise SwarmError(rules.advice(error)) from error
            node = self.node(node["ID"])
        raise SwarmError(f"node {node['Description']['Hostname']} is being changed by somebody else all the time: look who, and run again.")

    def remove(self, node):
        """Take a node that is down out of the swarm's list, as a manager out of raft first."""
        name, identity = node["Description"]["Hostname"], node["ID"]
        self._until(lambda: self.node(identity)["Status"]["State"] == "down",
                    f"node {name} is not removed: it has not left the swarm and still runs", "let it leave first, with state=absent on it")
        if rules.is_manager(node):
            self.update(self.node(identity), lambda spec: {**spec, "Role": "worker"})
        self._call("DELETE", f"/nodes/{identity}", force=True)

    def _settle(self, node, spec):
        """Wait until the role is in force: raft takes a moment for it."""
        identity, name = node["ID"], node["Description"]["Hostname"]
        if spec["Role"] == "manager":
            self._until(lambda: rules.reachable(self.node(identity)), f"node {name} was promoted and is not reachable as a manager")
        elif node.get("ManagerStatus"):
            self._until(lambda: not self.node(identity).get("ManagerStatus"), f"node {name} was demoted and still counts as a manager")
        return self.node(identity)

    def _until(self, happened, problem, remedy=PORTS):
        deadline = time.monotonic() + self.timeout
        while not happened():
            if time.monotonic() > deadline:
                reason = f" ({self.swarm['Error']})" if self.swarm.get("Error") else ""
                raise SwarmError(f"{problem} after {self.timeout} s{reason}: {remedy}.")
            time.sleep(_PAUSE)

    def _call(self, method, path, body=None, **query):
        try:
            return self.engine.call(method, path, body, timeout=self.timeout, **query)
        except EngineError as error:
            raise SwarmError(f"{method} {path} on {self.name}: {rules.advice(error)}") from error


def _addresses(options):
    return {"ListenAddr": options["listen_addr"], "AdvertiseAddr": options["advertise_addr"], "DataPathAddr": options["data_path_addr"]}
