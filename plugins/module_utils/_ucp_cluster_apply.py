# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Bring a cluster of Universal Control Plane to a version, or remove it, by the vendor's tool; then see on the engine that it is so."""

from __future__ import annotations

import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_cluster as rules
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_cluster import ClusterError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_cluster_state import (
    WEB_CERTIFICATES,
    observe,
    ucp_services,
)

_PAUSE = 1.0   # seconds between two looks
_TOLD = 400   # lines of the tool's log in a result


class Cluster:
    """params: the module's options; tool: a Bootstrapper of kind ucp."""

    def __init__(self, params, tool, wanted):
        self.params, self.tool, self.engine, self.wanted = params, tool, tool.engine, wanted
        self.log = []

    def look(self):
        return observe(self.engine, self.params["controller_port"] or 443)

    def plan(self, state):
        """The Step for what is there, and the arguments of the tool for it."""
        if self.params["state"] == "absent":
            step = rules.absent_step(state, self.engine.host)
            return step, ["uninstall-ucp", *rules.uninstall_flags(self.params, "ID")] if step.action == "uninstall" else []
        step = rules.present_step(state, self.wanted, self.params["upgrade"], self.engine.host)
        if step.action in ("install", "mend"):
            self._demand_administrator("a new UCP needs its first administrator")
            return step, ["install", *rules.install_flags(self.params)]
        if step.action == "upgrade":
            self._demand_administrator("an upgrade signs in")
            return step, ["upgrade", *rules.upgrade_flags(self.params, "ID")]
        return step, []

    def carry_out(self, step, state):
        """Do it; the state after it."""
        getattr(self, "_" + step.action)(state)
        return self.look() if self.params["state"] == "absent" else self.healthy()

    def told(self):
        return self.log[-_TOLD:]

    def _none(self, state):
        """Nothing to do, and what is there may be on its way up."""

    def _install(self, state):
        self._run("install", rules.install_flags(self.params), rules.INSTALL_ENVIRONMENT)

    def _mend(self, state):
        self._clean(state)
        self._install(state)

    def _upgrade(self, state):
        self._run("upgrade", rules.upgrade_flags(self.params, self._identity()), rules.UPGRADE_ENVIRONMENT)

    def _uninstall(self, state):
        identity = self._identity()
        rules.refuse_unconfirmed(state, self.params["confirm"], self._names(), identity)
        self._run("uninstall-ucp", rules.uninstall_flags(self.params, identity), rules.UNINSTALL_ENVIRONMENT)
        left = self.look()
        if left["installed"] or left["half_installed"]:
            parts = ", ".join(left["containers"] + [one["name"] for one in left["services"]])
            raise ClusterError(f"uninstall-ucp ended well, yet {parts} are still on {self.engine.host}: run it again.")

    def _clean(self, state):
        """What the documents give for a failed uninstall (UCP docs, uninstall): services, containers, then volumes, by their names."""
        if self.params["state"] == "absent":
            rules.refuse_unconfirmed(state, self.params["confirm"], self._names(), "")
        keep = [WEB_CERTIFICATES] if self.params["external_server_cert"] else []
        remove_parts(self.engine, services=True, keep=keep)

    def healthy(self):
        """The state, waited for until UCP is well here: after an installation, and after a start of the host, that takes minutes."""
        deadline = time.monotonic() + self.params["timeout"]
        while True:
            state = self.look()
            if state["healthy"]:
                return state
            if time.monotonic() > deadline:
                raise ClusterError(f"UCP on {self.engine.host} is not well after {self.params['timeout']} s "
                                   f"({state['problem'] or 'it is not there'}): see its containers' logs (docker logs ucp-controller), "
                                   "and that its ports are open between the managers.")
            time.sleep(_PAUSE)

    def _identity(self):
        words = self._run("id", [], {}, payload=True).split()
        if not words:
            raise ClusterError(f"{self.tool.name} id told no id on {self.engine.host}: is UCP well there? See docker logs ucp-controller.")
        return words[-1]

    def _names(self):
        return [name for name in (self.params["cluster_name"], self.engine.host) if name]

    def _run(self, command, flags, names, payload=False):
        outcome = self.tool.run(command, flags, env=rules.environment(self.params, names), payload=payload)
        self.log += [{"level": "plain", "text": f"{self.tool.name} {command}, {outcome.seconds} s"}, *outcome.log]
        return outcome.output

    def _demand_administrator(self, why):
        missing = [name for name in ("admin_username", "admin_password") if not self.params[name]]
        if missing:
            raise ClusterError(f"{' and '.join(missing)}: {why}. Give the administrator's name and password.")


def remove_parts(engine, services, keep=()):
    """Remove UCP's services (on a manager), containers and volumes from this host."""
    for service in ucp_services(engine)[0] if services else []:
        engine.call("DELETE", f"/services/{service['name']}")
    for container in _containers(engine):
        _gone(engine, f"/containers/{container['Id']}", force=True)
    for name in _volumes(engine, keep):
        _gone(engine, f"/volumes/{name}", force=True)


def leftovers(engine, keep=()):
    """Names of UCP's containers and volumes on this host."""
    return sorted(one["Names"][0].lstrip("/") for one in _containers(engine)) + _volumes(engine, keep)


def _containers(engine):
    """Those of UCP's parts, and of its services' tasks."""
    return [one for one in engine.containers() if any(name.lstrip("/").startswith("ucp-") for name in one.get("Names") or [])]


def _volumes(engine, keep):
    """Without those that have a driver or options of their own, which somebody prepared, and those of keep."""
    return sorted(one["Name"] for one in engine.get("/volumes").get("Volumes") or []
                  if one["Name"].startswith("ucp-") and one["Name"] not in keep and one["Driver"] == "local" and not one.get("Options"))


def _gone(engine, path, **query):
    try:
        engine.call("DELETE", path, **query)
    except EngineError as error:
        if error.status not in (404, 409):   # gone already, or going: a service's task ends with its service
            raise
