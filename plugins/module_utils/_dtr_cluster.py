# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What UCP, and each replica by itself, tell of a DTR cluster: the facts for the guard.

A replica is known by the containers and volumes that UCP sees on its nodes (DTR docs, architecture: names). Whether it is well is only told
by itself (DTR docs, load balancer: /_ping), never through a balancer.
"""

from __future__ import annotations

import hashlib
import ssl

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _api_certificates as certificates
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr, _dtr_facts, _ucp_facts
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_auth import HTTPBasicAuth, NoAuth
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError, reason
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_http import Http, HTTPAdapter, requests
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_cluster_names import found_replicas, working

PING_TIMEOUT = 5                                         # seconds
ASK_TIMEOUT = 20                                         # seconds; a replica under load answers late, and a dead one not at all


class Named(HTTPAdapter):
    """Goes to an address and insists on a certificate for a name: replicas serve one for the name that all of them share."""

    def __init__(self, name, **more):
        self.name = name
        super().__init__(**more)

    def init_poolmanager(self, *arguments, **more):
        """As HTTPAdapter's."""
        super().init_poolmanager(*arguments, **more, assert_hostname=self.name, server_hostname=self.name)


def replica_http(replica, params, auth=None, timeout=PING_TIMEOUT):
    """An Http to one replica; without dtr_ca_path it looks without verifying, and then no credentials are sent."""
    host = f"[{replica['address']}]" if ":" in replica["address"] else replica["address"]
    ca_path = params["dtr_ca_path"]
    http = Http(f"https://{host}:{replica['https_port']}", auth or NoAuth(), user=params["username"], ca_path=ca_path,
                validate_certs=bool(ca_path), timeout=timeout, retries=0, read_only=True)
    if ca_path:
        http.session.mount("https://", Named(params["hostname"].partition(":")[0]))
    http.session.headers["Host"] = params["hostname"]
    return http


def ping(http):
    """{state, reason} of a replica: healthy, unhealthy with its own reason, silent, or untrusted when its certificate is another's."""
    try:
        answer = http.session.get(f"{http.base_url}/_ping", timeout=http.timeout, verify=http.verify, allow_redirects=False, auth=http.auth)
    except requests.exceptions.SSLError as error:
        return {"state": "untrusted", "reason": reason(str(error))}
    except requests.RequestException as error:
        text = "no answer in time" if "timed out" in str(error).lower() else reason(str(error))
        return {"state": "silent", "reason": f"{http.base_url}: {text}"}
    try:
        said = answer.json()
    except ValueError:
        said = {}
    said = said if isinstance(said, dict) else {}
    if answer.status_code == 200 and said.get("Healthy", True):
        return {"state": "healthy", "reason": ""}
    return {"state": "unhealthy", "reason": said.get("Error") or f"it answered {answer.status_code}"}


def look(client, params):
    """All facts of the cluster, as dtr_cluster_info returns them."""
    reads = [("version", ("version",), {}), ("nodes", ("nodes",), {}), ("containers", ("containers", "json"), {"all": "true"}),
             ("volumes", ("volumes",), {})]
    answers = dict(zip([name for name, address, query in reads], client.http.each(lambda one: client.get(*one[1], **one[2]), reads)))
    config = _ucp_facts.config(client.config_text())
    nodes = _ucp_facts.nodes(answers["nodes"])
    replicas = found_replicas(answers["containers"], answers["volumes"].get("Volumes") or [])
    place(replicas, nodes, params["hosts"])
    client.http.each(lambda one: ask(one, params), replicas.values())
    return {
        "ucp_version": _ucp_facts.version(answers["version"])["version"], "nodes": nodes, "busy": working(answers["containers"]),
        "replicas": sorted(replicas.values(), key=lambda one: one["node"]),
        "registered": [one.get("host_address", "") for one in config.get("registries") or []],
        "registered_ca": registered_ca(config, params["hostname"]),
        "admin_scheduling": bool((config.get("scheduling_configuration") or {}).get("enable_admin_ucp_scheduling")),
        "content_trust": bool((config.get("trust_configuration") or {}).get("require_content_trust")),
        "ucp_trust": ucp_trust(replicas, params), **settings(replicas, params),
        "repositories": repositories(replicas, params) if params["with_repositories"] else None,
    }


def registered_ca(config, hostname):
    """The CA, PEM, that UCP brings to its nodes for this registry (UCP docs, configuration file); "" without one."""
    return next((one.get("ca_bundle") or "" for one in config.get("registries") or [] if one.get("host_address") == hostname), "")


def place(replicas, nodes, hosts):
    """Fill in where each replica is reached; the declared port counts where no running container tells."""
    addresses = {node["hostname"]: node["address"] for node in nodes}
    declared = {host["node"]: host for host in hosts}
    for replica in replicas.values():
        host = declared.get(replica["node"], {})
        replica["address"] = addresses.get(replica["node"], "")
        replica["http_port"] = replica["http_port"] or host.get("http_port") or 80
        replica["https_port"] = replica["https_port"] or host.get("https_port") or 443


def ask(replica, params):
    """Fill in what the replica says of itself, and of the others if it can be trusted with a password."""
    if "nginx" not in replica["containers"] or not replica["address"]:
        replica["ping"]["reason"] = f"it has no container dtr-nginx-{replica['id']}"
        return
    replica["ping"] = ping(replica_http(replica, params))
    if replica["ping"]["state"] != "silent":
        replica.update(shown(replica))
    if replica["ping"]["state"] == "healthy" and params["dtr_ca_path"]:
        try:
            status = direct(replica, params).get("meta", "cluster_status")
            replica["members"] = status["replica_health"]
        except ApiError as error:
            replica["members_error"] = str(error)
            replica["members_later"] = error.status is None or error.status >= 500


def shown(replica):
    """{certificate, certificate_end} that a replica serves: SHA-256 in hexadecimal, and 2030-01-31T12:00:00Z; {} when it shows none."""
    host = f"[{replica['address']}]" if ":" in replica["address"] else replica["address"]
    try:
        pem = certificates.served(f"{host}:{replica['https_port']}", PING_TIMEOUT)
    except ApiError:
        return {}
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    return {"certificate": digest, "certificate_end": certificates.facts(pem)["not_after"]}


def settings(replicas, params):
    """{settings, places} from a replica that is healthy and trusted, None and {} without one.

    settings: as dtr_info returns them; places: {id: node}, which is how the node of a dead replica is known.
    """
    healthy = [one for one in replicas.values() if one["members"] is not None]
    if not healthy:
        return {"settings": None, "places": {}}
    record = direct(healthy[0], params).settings()
    places = {name: one.get("node") or "" for name, one in (record.get("replicaSettings") or {}).items()}
    return {"settings": _dtr_facts.settings(record), "places": places}


def repositories(replicas, params):
    """Names of all repositories, from a replica that is healthy and trusted; None without one."""
    healthy = [one for one in replicas.values() if one["members"] is not None]
    if not healthy:
        return None
    return sorted(f"{one['namespace']}/{one['name']}" for one in direct(healthy[0], params).pages("repositories", key="repositories"))


def direct(replica, params):
    """A Dtr that talks to one replica with the credentials for UCP, which are those for DTR as well."""
    auth = HTTPBasicAuth(params["username"].encode(), params["password"].encode())
    return _dtr.Dtr(replica_http(replica, params, auth, ASK_TIMEOUT))


def ucp_trust(replicas, params):
    """Why DTR cannot ask UCP for accounts, "" when it can, None when that is not known.

    It cannot after UCP's certificate was replaced by one of another CA, until it is told (UCP docs, TLS certificates).
    """
    healthy = [one for one in replicas.values() if one["members"] is not None]
    if not healthy:
        return None
    try:
        direct(healthy[0], params).account("GET", query={"limit": 1})
    except ApiError as error:
        return str(error) if error.status is None or error.status >= 500 else ""
    return ""
