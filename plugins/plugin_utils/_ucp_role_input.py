# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Operators' mistakes in the variables of the role ucp, found before anything is touched."""

from __future__ import annotations

import ipaddress
import json
import os
import re

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper import refused_extra, version_of
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_cluster import NOT_EXTRA
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_cluster_versions import UCP_PATH, parsed

_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$")
_PORTS = ("ucp_controller_port", "ucp_swarm_port", "ucp_swarm_grpc_port", "ucp_kube_apiserver_port")


def problems(given):
    """Sentences, each naming the variable. given: {variable: value}, and groups: {group: hosts}."""
    found = []
    for check in (_version, _groups, _ports, _names, _account, _license, _certificate, _nodes, _rest):
        found += check(given)
    return found


def _version(given):
    version, image = given["ucp_version"], given["ucp_image"]
    if not version:
        return ["ucp_version: say which version, such as 3.2.5."]
    if not parsed(version):
        return [f"ucp_version: {version} is no version like 3.2.5."]
    if parsed(version)[:2] not in UCP_PATH[2:]:
        return [f"ucp_version: {version} is not supported; 3.1 to {UCP_PATH[-1][0]}.{UCP_PATH[-1][1]} are."]
    if image and version_of(image) != version:
        return [f"ucp_image: {image} has another tag than ucp_version says ({version}); make them agree."]
    return []


def _groups(given):
    groups = given["groups"]
    managers = groups.get("ucp_managers") or []
    if not managers:
        return ["ucp_managers: the group has no host; UCP needs at least one manager."]
    found = []
    for name, why in (("ucp_workers", "a node is a manager or a worker"), ("dtr_replicas", "DTR runs on workers, never on UCP's managers")):
        both = [host for host in managers if host in (groups.get(name) or [])]
        if both:
            found.append(f"ucp_managers and {name} both hold {', '.join(both)}: {why}; take it out of one.")
    return found


def _ports(given):
    found = [f"{name}: {given[name]} is not a port." for name in _PORTS if not 1 <= given[name] <= 65535]
    used = {}
    for name in _PORTS:
        used.setdefault(given[name], []).append(name)
    return found + [f"{' and '.join(names)}: the same port {port} for several things; give each its own."
                    for port, names in used.items() if len(names) > 1]


def _names(given):
    found = []
    for name, values in (("ucp_hostname", [given["ucp_hostname"]]), ("ucp_sans", given["ucp_sans"])):
        found += [f"{name}: {value} is not a host name or address; leave out scheme, port and path."
                  for value in values if not (_NAME.match(str(value)) or _address(value))]
    for host, address in given["addresses"].items():
        if address and not (_address(address) or re.match(r"[a-zA-Z][\w.-]{0,14}$", address)):
            found.append(f"ucp_host_address of {host}: {address} is neither an IPv4 address nor the name of an interface.")
    twice = [address for address in given["addresses"].values() if address and _address(address)]
    found += [f"ucp_host_address: {address} is given to several hosts; each has its own."
              for address in sorted({one for one in twice if twice.count(one) > 1})]
    return found


def _account(given):
    return [f"{name}: {what}." for name, what in (
        ("ucp_admin_username", "the administrator needs a name"),
        ("ucp_admin_password", "the administrator's password is missing; keep it in a vault"),
    ) if not given[name]]


def _license(given):
    path = given["ucp_license_file"]
    if not path:
        return []
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        return [f"ucp_license_file: {path} cannot be read on the controller ({error})."]
    try:
        fine = text.startswith("$ANSIBLE_VAULT") or {"key_id", "private_key", "authorization"} <= set(json.loads(text))
    except (TypeError, ValueError):
        fine = False
    return [] if fine else [f"ucp_license_file: {path} is no license file; take docker_subscription.lic as it was downloaded."]


def _certificate(given):
    missing = [name for name in ("ucp_tls_certificate_file", "ucp_tls_key_file", "ucp_tls_ca_file") if not given[name]]
    if given["ucp_tls_source"] == "provided" and missing:
        return [f"ucp_tls_source: provided needs {', '.join(missing)}."]
    if given["ucp_tls_source"] != "self_signed" and given["role"] == "manager" and not given["ucp_api_host"]:
        return [f"ucp_host_address of {host}: with an own "
                "certificate, say the manager's address, for "
                "the API is asked by it and the certificate has "
                "to be for it; or name ucp_api_host." for host, address in given["addresses"].items() if not _address(address)]
    return []


def _nodes(given):
    return [f"ucp_node_labels of {host}: {', '.join(wrong)} belongs to UCP's own bookkeeping; leave it out."
            for host, labels in given["labels"].items()
            for wrong in [sorted(name for name in labels or {} if re.match(r"com\.docker\.ucp\.(collection(\.|$)|SANs$)", name))] if wrong]


def _rest(given):
    found = []
    if not given["ucp_ca_path"]:
        found.append("ucp_ca_path: say where on the controller UCP's CA is kept, with which its name is verified.")
    elif os.path.isdir(os.path.expanduser(given["ucp_ca_path"])):
        found.append(f"ucp_ca_path: {given['ucp_ca_path']} is a folder; name the file.")
    if given["ucp_wait_timeout"] < 1:
        found.append(f"ucp_wait_timeout: {given['ucp_wait_timeout']} is no number of seconds.")
    if given["ucp_worker_batch"] < 1:
        found.append(f"ucp_worker_batch: {given['ucp_worker_batch']} is no number of workers.")
    wrong = refused_extra(given["ucp_install_args"], NOT_EXTRA)
    return found + ([f"ucp_install_args: {wrong.partition(': ')[2]}"] if wrong else [])


def _address(text):
    try:
        ipaddress.IPv4Address(str(text))
    except ValueError:
        return False
    return True
