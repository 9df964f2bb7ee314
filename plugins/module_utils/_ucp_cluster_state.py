# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What the engine of a host shows of Universal Control Plane. The state is read from containers, services and volumes, from nothing else.

Names: UCP docs, architecture (containers, volumes); the agents' services are a field observation.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper import version_of
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_lock import LABEL
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._swarm_rules import advice, shown_node

VERSION_LABEL = "com.docker.ucp.version"
WEB_CERTIFICATES = "ucp-controller-server-certs"
AGENTS = re.compile(r"ucp-((manager|worker)-)?agent$")
ONE_SHOT = "ucp-reconcile"   # ends when it is done, and stays as it was then
_PING_LIMIT = 5   # seconds


def observe(engine, controller_port=443):
    """What this host shows, as ucp_cluster_info returns it, and whether UCP was left half-installed."""
    info = engine.info()
    swarm = info.get("Swarm") or {}
    manager = bool(swarm.get("ControlAvailable"))
    containers = {name: one for one in engine.containers() for name in [_name(one)]
                  if re.match(r"ucp-[a-z-]+$", name) and LABEL not in (one.get("Labels") or {})}
    services, trouble = ucp_services(engine) if manager else ([], "")
    volumes = sorted(one["Name"] for one in engine.get("/volumes").get("Volumes") or [])
    state = {
        "hostname": info.get("Name", ""), "engine_version": info.get("ServerVersion", ""), "swarm": shown_swarm(swarm),
        "containers": sorted(containers), "not_running": sorted(name for name, one in containers.items() if one["State"] != "running"),
        "services": services, "volumes": [name for name in volumes if name.startswith("ucp-")],
        "dtr_volumes": [name for name in volumes if name.startswith("dtr-")],
        "version": version(containers, services), "versions": versions(containers, services),
        "other_services": other_services(engine) if manager else [],
        "nodes": [shown_node(node) for node in nodes(engine)] if manager else [],
    }
    state.update(verdict(state, manager, bool(trouble)), healthy=False, problem=trouble)
    if state["installed"] and not trouble:
        state["problem"] = ailment(state, manager) or (ping(engine, controller_port) if manager else "")
        state["healthy"] = not state["problem"]
    state["web_certificate_served"] = served(engine, controller_port) if manager and state["installed"] else None
    return state


def shown_swarm(swarm):
    cluster = swarm.get("Cluster") or {}
    return {
        "state": swarm.get("LocalNodeState") or "inactive", "node_id": swarm.get("NodeID", ""), "address": swarm.get("NodeAddr", ""),
        "manager": bool(swarm.get("ControlAvailable")), "cluster_id": cluster.get("ID", ""), "error": swarm.get("Error", ""),
        "manager_addresses": sorted(one["Addr"] for one in swarm.get("RemoteManagers") or []),
    }


def ucp_services(engine):
    """[{name, version}] of UCP's services, and why they cannot be told: without a quorum of managers nobody knows them."""
    try:
        found = engine.get("/services")
    except EngineError as error:
        return [], advice(error)
    return sorted(({"name": one["Spec"]["Name"], "version": _tag(one)} for one in found if one["Spec"]["Name"].startswith("ucp-")),
                  key=lambda service: service["name"]), ""


def other_services(engine):
    """Names of services that are not UCP's."""
    try:
        return sorted(one["Spec"]["Name"] for one in engine.get("/services") if not one["Spec"]["Name"].startswith("ucp-"))
    except EngineError:
        return []


def nodes(engine):
    try:
        return engine.get("/nodes")
    except EngineError:
        return []


def versions(containers, services):
    """{part: version} of the parts that tell theirs."""
    found = {name: container_version(one) for name, one in containers.items() if name != ONE_SHOT}
    found.update({service["name"]: service["version"] for service in services})
    return {name: text for name, text in sorted(found.items()) if text}


def version(containers, services):
    """The version of UCP here: ucp-proxy's label (CLI docs, support), else what else tells it; "" without UCP."""
    found = versions(containers, services)
    names = ["ucp-proxy", "ucp-controller", *(service["name"] for service in services)]
    return next((found[name] for name in names if name in found), "")


def container_version(container):
    return (container.get("Labels") or {}).get(VERSION_LABEL) or ""


def verdict(state, manager, unknown=False):
    """{installed, half_installed, leftovers, missing}: what of UCP is on this node. unknown: its services cannot be asked for.

    Agents are the last step of an installation: a manager with parts but without them has one that never came to its end, or what is left
    of one that was removed. Volumes do not count: operators may make them beforehand (UCP docs, install).
    """
    member = state["swarm"]["state"] == "active"
    agents = any(AGENTS.match(one["name"]) for one in state["services"])
    parts = state["containers"] or state["services"]
    expected = ["ucp-proxy", "ucp-controller"] if manager else ["ucp-proxy"]
    installed = member and (agents or (unknown and "ucp-controller" in parts) if manager else "ucp-proxy" in parts)
    return {
        "installed": bool(installed), "half_installed": bool(member and manager and parts and not installed and not unknown),
        "leftovers": bool(parts and not member),
        "missing": [name for name in expected if name not in state["containers"]] if installed else [],
    }


def ailment(state, manager):
    """What is wrong with UCP's parts on this node, "" when nothing is."""
    if state["missing"]:
        return f"{', '.join(state['missing'])} has not been started"
    stopped = [name for name in state["not_running"] if name != ONE_SHOT]
    if stopped:
        return f"{', '.join(stopped)} does not run"
    return ""


def ping(engine, port):
    """What this manager says of itself: "" when it is well (UCP docs, monitoring: GET only, 200 or 500)."""
    try:
        context = _context(engine)
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_PING_LIMIT, context=context)
        connection.request("GET", "/_ping")
        answer = connection.getresponse()
        text = answer.read(2000).decode("utf-8", "replace").strip()
        connection.close()
    except (OSError, http.client.HTTPException, ssl.SSLError, socket.timeout) as error:
        return f"https://127.0.0.1:{port}/_ping: {error}"
    return "" if answer.status == 200 else f"https://127.0.0.1:{port}/_ping answers {answer.status}: {text[:300]}"


def web_ca(engine):
    """PEM of the CA of UCP's web certificate, "" when this node has none."""
    return _web_file(engine, "ca.pem")


def served(engine, port):
    """Whether this manager shows the certificate that is in its volume: its bytes are compared, so nothing has to be trusted for it."""
    try:
        shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))
        return shown == ssl.PEM_cert_to_DER_cert(_first_certificate(_web_file(engine, "cert.pem")))
    except (OSError, ValueError):
        return False


def _web_file(engine, name):
    """Text of a file of UCP's web certificate, "" when there is none."""
    volume = engine.find(f"/volumes/{WEB_CERTIFICATES}")
    try:
        with open(os.path.join(volume["Mountpoint"], name), encoding="ascii") as file:
            return file.read()
    except (OSError, TypeError, UnicodeDecodeError):
        return ""


def _first_certificate(pem):
    end = "-----END CERTIFICATE-----"
    return pem[pem.index("-----BEGIN CERTIFICATE-----"):pem.index(end) + len(end)]


def _context(engine):
    """Trusts the CA in UCP's own volume. The name is not looked at: this is the node itself, whose certificate need not know 127.0.0.1."""
    pem = web_ca(engine)
    if not pem:
        raise OSError(f"there is no ca.pem in the volume {WEB_CERTIFICATES}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=pem)
    return context


def _tag(service):
    return version_of((service["Spec"].get("TaskTemplate") or {}).get("ContainerSpec", {}).get("Image", ""))


def _name(container):
    return (container.get("Names") or ["/"])[0].lstrip("/")
