# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What a UCP cluster tells of itself."""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _api_certificates as certificates
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_config as toml
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_license as license_file
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

COLLECTION = "com.docker.ucp.access.label"   # label with the path of the collection that a node stands in (UCP docs, resource sets)
NOWHERE = ("0.0.0.0", "127.0.0.1", "")       # what an engine may say of itself in place of an address
PING_TIMEOUT = 5                             # seconds


def node(record):
    """A node of the listing by the names of this collection."""
    spec, description, manager = record["Spec"], record["Description"], record.get("ManagerStatus") or {}
    labels = spec.get("Labels") or {}
    return {
        "id": record["ID"], "hostname": description["Hostname"], "address": address(record), "role": spec["Role"],
        "availability": spec["Availability"], "state": record["Status"]["State"], "message": record["Status"].get("Message", ""),
        "leader": bool(manager.get("Leader")), "reachability": manager.get("Reachability"), "labels": labels,
        "collection": labels.get(COLLECTION), "engine_version": (description.get("Engine") or {}).get("EngineVersion"),
        "os": (description.get("Platform") or {}).get("OS"), "architecture": (description.get("Platform") or {}).get("Architecture"),
    }


def address(record):
    """Where a node is reached: what the Swarm sees, for a manager that names itself there what the other managers see."""
    seen = record["Status"].get("Addr", "")
    listening = (record.get("ManagerStatus") or {}).get("Addr", "").rpartition(":")[0].strip("[]")
    return listening if seen in NOWHERE and listening else seen


def nodes(records):
    """All nodes, managers first, by name."""
    return sorted((node(record) for record in records), key=lambda found: (found["role"] != "manager", found["hostname"]))


def version(record):
    """Versions of UCP, of the API and of the engine; the version begins with the product, such as ucp/3.2.5."""
    product, slash, number = record["Version"].partition("/")
    components = {part["Name"]: part["Version"] for part in record.get("Components") or []}
    return {
        "product": product if slash else "", "version": number if slash else product, "api_version": record.get("ApiVersion"),
        "engine_version": components.get("Engine"),
    }


def swarm(record, with_join_tokens=False):
    """The Swarm; its join tokens, which let machines in, only when they are asked for."""
    found = {"id": record["ID"], "created_at": record.get("CreatedAt")}
    if with_join_tokens:
        found["join_tokens"] = {role.lower(): token for role, token in record["JoinTokens"].items()}
    return found


def config(text):
    """The configuration as a dictionary, values named like a secret hidden."""
    if toml.MISSING:
        raise InputError("the Python library tomlkit is needed where this module runs. Install it, such as with the package"
                         " python3-tomlkit.")
    return toml.public(toml.parse(text).unwrap())


def license_of(answer):
    """The license without its secret parts; None when there is none."""
    return license_file.shown(answer.get("license_config"), answer.get("auto_refresh"))


def certificates_of(served, authority):
    """The certificate that the server shows, and those of its CA."""
    certificates.need_cryptography()
    found = [("server", served)] + [("ca", pem) for pem in certificates.split(authority)]
    return [{"source": source, **certificates.facts(pem)} for source, pem in found]


def managers(pings):
    """Health of each manager; pings: [(node, reason or "")]."""
    return [{"hostname": one["hostname"], "address": one["address"], "healthy": not reason, "reason": reason} for one, reason in pings]


def ping_all(client):
    """[(node, reason)] of the managers, asked one by one; the reason is "" when they say that they are well."""
    port = config(client.config_text())["cluster_config"]["controller_port"]
    found = [one for one in nodes(client.get("nodes")) if one["role"] == "manager"]
    return list(zip(found, client.http.each(lambda one: ping(client, one["address"], port), found)))


def ping(client, host, port):
    """Why a manager is not well, "" when it is."""
    name = f"[{host}]" if ":" in host else host
    try:
        client.beside(f"{name}:{port}", PING_TIMEOUT).call("GET", "/_ping", raw=True)
    except ApiError as error:
        return str(error)
    return ""


READS = {
    "version": lambda client: client.get("version"),
    "nodes": lambda client: client.get("nodes"),
    "pings": ping_all,
    "swarm": lambda client: client.get("swarm"),
    "config": lambda client: client.config_text(),
    "license": lambda client: client.get(*license_file.ADDRESS),
    "served": lambda client: certificates.served(client.http.base_url[len("https://"):], client.http.timeout),
    "ca": lambda client: client.call("GET", "/ca", raw=True).data.decode(),
}
PARTS = {
    "version": (("version",), version),
    "nodes": (("nodes",), nodes),
    "managers": (("pings",), managers),
    "swarm": (("swarm",), swarm),
    "config": (("config",), config),
    "license": (("license",), license_of),
    "certificates": (("served", "ca"), certificates_of),
}
