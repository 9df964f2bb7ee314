# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What the role dtr decides on the controller: its hosts, what is wrong with its variables, what differs. Pure."""

from __future__ import annotations

import datetime
import ipaddress
import os
import re

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import without_userinfo
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_guard_state import SIZES, number
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_replica import path_problem
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_replica_args import REPLICA_ID

VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+([-.][0-9A-Za-z.-]+)?")
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
VOLUME = re.compile(r"/.+|[A-Za-z0-9][A-Za-z0-9_.-]+")
NFS = re.compile(r"nfs://[^/]+/.*")
STORES = ("volume", "nfs", "settings")
# Which UCP a DTR runs on, by minor version. 2.7 with 3.2 is documented (Docker Enterprise 3.0); the others are field observations.
COMPATIBLE = {(2, 6): [(3, 1)], (2, 7): [(3, 2)], (2, 8): [(3, 3)], (2, 9): [(3, 4), (3, 5), (3, 6), (3, 7), (3, 8)]}


def hosts(names, hostvars):
    """[{host, node, replica_id, http_port, https_port, cache_mb}] of inventory names; what a host does not set has the usual value."""
    return [{
        "host": name, "node": mine.get("dtr_ucp_node") or name, "replica_id": mine.get("dtr_replica_id") or "",
        "http_port": int(mine.get("dtr_replica_http_port") or 80), "https_port": int(mine.get("dtr_replica_https_port") or 443),
        "cache_mb": int(mine.get("dtr_rethinkdb_cache_mb") or 0),
    } for name, mine in ((name, hostvars[name]) for name in names)]


def problems(given):
    """Sentences on what is wrong with the role's variables; given: {name without dtr_: value} and hosts."""
    found = []
    for judge in (identity_problems, host_problems, storage_problems, log_problems, tls_problems, ucp_problems, number_problems):
        found += judge(given)
    return found


def identity_problems(given):
    """Version and name."""
    found = []
    if not VERSION.fullmatch(given["version"]):
        found.append(f"dtr_version: '{given['version']}' is no version. Write all three numbers, such as 2.7.6.")
    if not NAME.fullmatch(given["hostname"]):
        found.append(f"dtr_hostname: '{given['hostname']}' is no host name. Give the name that clients use, without https:// and port"
                     " (dtr_external_port).")
    if given["hostname"] and given["hostname"] == given["ucp_hostname"] and given["external_port"] == given["ucp_port"]:
        found.append(f"dtr_hostname: {given['hostname']}:{given['external_port']} is the address of UCP as well. Give the registry another"
                     " name, or another dtr_external_port.")
    return found


def host_problems(given):
    """How many hosts, and what is said of each."""
    found, every = [], given["hosts"]
    if len(every) not in SIZES:
        found.append(f"dtr_replicas: {len(every)} hosts; a cluster has 1, 3, 5 or 7 replicas. An even number is no safer than one less, and"
                     " two stop when either fails.")
    ids = [one["replica_id"] for one in every if one["replica_id"]]
    for one in every:
        if one["replica_id"] and not REPLICA_ID.fullmatch(one["replica_id"]):
            found.append(f"dtr_replica_id of {one['host']}: '{one['replica_id']}' is no replica id. Give 12 hexadecimal digits in lower"
                         " case, or leave it out.")
        if one["replica_id"] and ids.count(one["replica_id"]) > 1:
            found.append(f"dtr_replica_id of {one['host']}: {one['replica_id']} is given to another host as well. Each replica has"
                         " its own.")
        for name in ("http_port", "https_port"):
            if not 0 < one[name] < 65536:
                found.append(f"dtr_replica_{name} of {one['host']}: {one[name]} is no port. Give a number from 1 to 65535.")
        if one["http_port"] == one["https_port"]:
            found.append(f"dtr_replica_http_port of {one['host']} is its dtr_replica_https_port as well ({one['http_port']}). Give two"
                         " ports.")
    return found


def storage_problems(given):
    """The image store."""
    storage, found = given["storage"], []
    unknown = sorted(set(storage) - set(STORES))
    if unknown or len(storage) > 1:
        return [f"dtr_storage: {', '.join(sorted(storage))}; give one of volume, nfs and settings, or nothing for a local volume."]
    if not storage and len(given["hosts"]) > 1:
        found.append(f"dtr_storage: {len(given['hosts'])} replicas need one store that all of them share. Give volume, nfs or settings (an"
                     " object store).")
    if "volume" in storage and not VOLUME.fullmatch(str(storage["volume"])):
        found.append(f"dtr_storage: volume '{storage['volume']}' is no name of a volume and no absolute path.")
    nfs = storage.get("nfs")
    well_formed = isinstance(nfs, dict) and NFS.fullmatch(str(nfs.get("url", ""))) and set(nfs) <= {"url", "options", "async"}
    if "nfs" in storage and not well_formed:
        found.append("dtr_storage: nfs has a url such as nfs://nfs.example.com/images, and where needed options and async.")
    if "settings" in storage and not (isinstance(storage["settings"], dict) and storage["settings"]):
        found.append("dtr_storage: settings is a dictionary like the option storage of the module dtr_settings.")
    return found


def log_problems(given):
    """Where logs go."""
    if given["log_host"] and given["log_protocol"] not in ("tcp", "udp"):
        return [f"dtr_log_host: {given['log_host']} needs dtr_log_protocol, tcp or udp."]
    if given["log_protocol"] in ("tcp", "udp") and not given["log_host"]:
        return [f"dtr_log_protocol: {given['log_protocol']} needs dtr_log_host, the address of the syslog server."]
    return []


def tls_problems(given):
    """The certificate, as far as the role certificates does not judge it."""
    if given["tls_source"] == "provided" and not (given["tls_certificate_file"] and given["tls_key_file"] and given["tls_ca_file"]):
        return ["dtr_tls_source: provided needs dtr_tls_certificate_file, dtr_tls_key_file and dtr_tls_ca_file."]
    return []


def ucp_problems(given):
    """The account for UCP and its CA."""
    found = [f"{name} is missing: the registry is installed through UCP. Give {what}." for name, what in (
        ("ucp_admin_username", "an administrator of UCP"), ("ucp_admin_password", "its password, from a vault"),
        ("ucp_ca_path", "the file with UCP's CA on the controller; the role ucp writes it there")) if not given[name]]
    if given["ucp_admin_password"] == "change-me":
        found.append("ucp_admin_password is still the 'change-me' of the example. Give the password, from a vault.")
    if given["ucp_ca_path"] and not os.path.isfile(given["ucp_ca_path"]) and not given["check_mode"]:
        found.append(f"ucp_ca_path: there is no file {given['ucp_ca_path']} on the controller. Install UCP first (role ucp), which writes"
                     " it, or fetch https://UCP/ca and check it.")
    return found


def number_problems(given):
    """Times and the subnet."""
    found = []
    if given["wait_timeout"] < 0:
        found.append(f"dtr_wait_timeout: {given['wait_timeout']} is no number of seconds. Give 0 or more.")
    if given["overlay_subnet"]:
        try:
            ipaddress.ip_network(given["overlay_subnet"])
        except ValueError:
            found.append(f"dtr_overlay_subnet: '{given['overlay_subnet']}' is no subnet. Give one such as 10.1.0.0/24.")
    return found


def compatibility(version, ucp_version, waived):
    """[] or the sentence that speaks against a DTR on this UCP. waived: "2.9.1/3.9.0", the pair that the operator answers for."""
    known = COMPATIBLE.get(number(version)[:2])
    if waived == f"{version}/{ucp_version}" or (known and number(ucp_version)[:2] in known):
        return []
    told = f"DTR {'.'.join(map(str, number(version)[:2]))} goes with UCP " + " or ".join(".".join(map(str, one)) for one in known or []) \
        if known else f"with which UCP DTR {version} goes is not known to this role"
    return [f"DTR {version} on UCP {ucp_version}: {told}. Bring UCP to the right version first; if the vendor's matrix says that this pair"
            f" is supported, set dtr_compatibility_waived to {version}/{ucp_version}."]


def upgrade_problems(info, version, waived):
    """What speaks against an upgrade to this version now; info: result of dtr_cluster_info."""
    current, found = info["verdict"]["version"], []
    if info["verdict"]["verdict"] not in ("upgrade", "nothing"):
        found.append(info["message"])
    if not current:
        return found or ["there is no registry to upgrade. Install it first (install.yml)."]
    path = path_problem(current, version)
    found += [f"dtr_version: {path}"] if path else compatibility(version, info["ucp_version"], waived)
    if info["content_trust"]:
        found.append("UCP runs only signed images (content trust), which must be off while DTR is upgraded. Set require_content_trust to"
                     " false in ucp_config, upgrade, and set it again.")
    if not info["admin_scheduling"]:
        found.append(SCHEDULING)
    return found


SCHEDULING = ("UCP does not let administrators run containers on nodes of the registry, which installers need. Set"
              " scheduling_configuration.enable_admin_ucp_scheduling in ucp_config.")


def drift(info, declared, every):
    """{fields, replicas, storage}: what the installer's reconfigure has to set.

    info: result of dtr_cluster_info with settings; declared: {hostname, port, storage and {field: value or None}}; every: hosts().
    declared["tell_ucp_ca"]: set UCP's CA in any case, for which CA the registry trusts is shown nowhere.
    fields: [{field, current, declared}] of the cluster; replicas: [{replica_id, host, http_port, https_port}] whose ports differ.
    """
    now = info["settings"] or {}
    wanted = {"external_url": external(declared["hostname"], declared["port"])}
    shown = {"external_url": now.get("dtr_host") or ""}
    for name in ("http_proxy", "https_proxy", "no_proxy", "log_protocol", "log_host", "log_level"):
        if declared.get(name) is not None:
            wanted[name], shown[name] = without_userinfo(declared[name]), without_userinfo(now.get(name) or "")
    if declared.get("storage", {}).get("volume"):
        wanted["storage_volume"], shown["storage_volume"] = declared["storage"]["volume"], now.get("storage_volume") or ""
    if declared.get("storage", {}).get("nfs"):
        wanted["nfs_storage_url"] = declared["storage"]["nfs"]["url"].rstrip("/")
        shown["nfs_storage_url"] = f"nfs://{now['nfs_host']}{now.get('nfs_path') or ''}".rstrip("/") if now.get("nfs_host") else ""
    fields = [{"field": name, "current": shown[name], "declared": value} for name, value in wanted.items()
              if same(name, shown[name]) != same(name, value)]
    if info["ucp_trust"] or declared.get("tell_ucp_ca"):
        current = info["ucp_trust"] or "not shown by the registry"
        fields.append({"field": "ucp_ca", "current": current, "declared": "the CA of ucp_ca_path"})
    return {
        "fields": fields, "names": [one["field"] for one in fields],
        "moves_store": [one["field"] for one in fields if one["field"] in ("storage_volume", "nfs_storage_url")],
        "replicas": ports(info["replicas"], every),
    }


def external(hostname, port):
    """The name with the port where that is not 443."""
    return hostname if int(port) == 443 else f"{hostname}:{port}"


def same(name, value):
    """A value as it compares."""
    if name == "external_url":
        return value.partition("://")[2].rstrip("/") if "://" in value else value
    if name == "log_level":
        return value.lower()
    if name == "log_protocol":
        return value or "internal"
    return value


def ports(replicas, every):
    """[{replica_id, host, http_port, https_port}] of replicas on other ports than their host declares."""
    by_node = {one["node"]: one for one in every}
    found = []
    for replica in replicas:
        host = by_node.get(replica["node"])
        if host and replica["ping"]["state"] == "healthy" and (
                (replica["http_port"], replica["https_port"]) != (host["http_port"], host["https_port"])):
            found.append({"replica_id": replica["id"], "host": host["host"], "http_port": host["http_port"],
                          "https_port": host["https_port"]})
    return found


def status(info, hostname, warn_days=30, now=None):
    """One row on the cluster: {name, version, verdict, healthy, members, message, replicas, problems}; info: result of dtr_cluster_info.

    warn_days: days before its end from which a certificate is a problem; now: aware datetime, for tests.
    """
    verdict = info["verdict"]
    found = [] if verdict["verdict"] == "nothing" else [info["message"]]
    found += [f"replica {name} is on a node of no declared host" for name in verdict["extra"]]
    if info["ucp_trust"]:
        found.append(f"the registry cannot ask UCP for accounts ({info['ucp_trust']})")
    found += certificate_problems(info["replicas"], warn_days, now or datetime.datetime.now(datetime.timezone.utc))
    return {
        "name": hostname, "version": verdict["version"], "verdict": verdict["verdict"], "healthy": len(verdict["healthy"]),
        "members": len(verdict["healthy"]) + len(verdict["dead"]), "message": info["message"], "problems": found,
        "replicas": [{"id": one["id"], "node": one["node"], "version": one["version"], "address": f"{one['address']}:{one['https_port']}",
                      "state": one["ping"]["state"], "reason": one["ping"]["reason"]} for one in info["replicas"]],
    }


def certificate_problems(replicas, warn_days, now):
    """A sentence on each certificate that ends within warn_days; one that has ended is the verdict's where it was seen to be refused."""
    nodes = {}
    for replica in replicas:
        if replica["ping"]["state"] != "untrusted" and replica.get("certificate_end"):
            nodes.setdefault(replica["certificate_end"], []).append(replica["node"])
    found = []
    for text, where in sorted(nodes.items()):
        end = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
        if (end - now).days < int(warn_days):
            word = "ended" if end <= now else "ends"
            found.append(f"the registry's certificate {word} on {text} ({', '.join(where)}): run rotate_certificates.yml")
    return found


def balancers(results, server, drained=None):
    """[host] of the balancers that have a server of this name, in this state where one is asked for.

    results: of the module haproxy_info in a loop over the hosts; what is down, or was not asked, has no servers.
    """
    rows = [(one["__dtr_balancer"], one.get("backends") or {}) for one in results]
    return [host for host, backends in rows if any(
        server in backend["servers"] and drained in (None, backend["servers"][server]["drained"]) for backend in backends.values())]


def table(found):
    """Lines of a table of replicas, under one on the cluster; found: what status() made."""
    rows = [("replica", "node", "address", "version", "state")]
    rows += [(one["id"], one["node"], one["address"], one["version"] or "-", f"{one['state']} {one['reason']}".strip())
             for one in found["replicas"]]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join([*(text.ljust(width) for text, width in zip(row, widths)), row[4]]).rstrip() for row in rows]
    told = [one for one in found["problems"] if one != found["message"]]
    return [f"{found['name']} {found['version'] or 'no version'}: {found['message']}", *told, *(lines if found["replicas"] else [])]
