# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What the balancer listens on and whom it asks how they are: from the inventory, checked before a host is touched.

Rules of the vendor's load balancer pages: pass TCP through, do not end TLS, ask every node at C(/_ping) with GET, idle time more than ten
minutes, UCP and DTR told apart by address or port.
"""

from __future__ import annotations

import ipaddress
import re

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)*\.?")
_PATH = re.compile(r"/[!-~]*")
_SSH = ("ssh", "smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh", "ansible.builtin.paramiko_ssh")
_EVERYWHERE = ("", "*", "0.0.0.0", "::")
IDLE_MINIMUM = 600


def reached_at(name, variables):
    """Where the balancer finds a host: what was said for it, else what the cluster or Ansible calls it by."""
    for key in ("load_balancer_server_address", "ucp_host_address"):
        if variables.get(key):
            return variables[key]
    if "ansible_host" in variables and variables.get("ansible_connection", "ssh") in _SSH:
        return variables["ansible_host"]
    return name


# Per frontend: the group behind it, the options with its port and address, the variable (and default) with the servers' port, the
# variable with the name clients use, and where the check asks instead of at that port.
_CONTROLLER, _HTTPS = ("ucp_controller_port", 443), ("dtr_replica_https_port", 443)
_KNOWN = {
    "ucp": ("ucp_managers", "ucp_port", "ucp_address", _CONTROLLER, "ucp_hostname", None),
    # The Kubernetes API has no question for strangers; the controller of the same node answers for it.
    "ucp_kube": ("ucp_managers", "ucp_kube_port", "ucp_address", ("ucp_kube_apiserver_port", 6443), "ucp_hostname", _CONTROLLER),
    "dtr": ("dtr_replicas", "dtr_port", "dtr_address", _HTTPS, "dtr_hostname", None),
    "dtr_http": ("dtr_replicas", "dtr_http_port", "dtr_address", ("dtr_replica_http_port", 80), "dtr_hostname", _HTTPS),
    "distribution": (
        "registries",
        "distribution_port",
        "distribution_address",
        ("distribution_port", 5000),
        "distribution_hostname",
        None,
    ),
}


def frontends(groups, hostvars, options):
    """Frontends for the groups there are. A port of 0 leaves one out.

    C(options): C(ucp_port ucp_kube_port ucp_address dtr_port dtr_http_port dtr_address distribution_port distribution_address).
    """
    found = []
    for name, (group, port, address, at, named, asked) in _KNOWN.items():
        members = groups.get(group) or []
        if not members or int(options[port]) == 0:
            continue
        found.append(
            {
                "name": name,
                "addresses": [options[address]] if options[address] else [],
                "port": int(options[port]),
                "servers": [_server(member, hostvars, at, asked) for member in members],
                "check": _check(name, members[0], hostvars, named),
            }
        )
    return found


def _server(member, hostvars, at, asked):
    server = {"name": member, "address": reached_at(member, hostvars[member]), "port": int(_value(hostvars, member, *at))}
    return dict(server, check_port=int(_value(hostvars, member, *asked))) if asked else server


def _check(name, first, hostvars, named):
    check = {"path": "/_ping", "name": _value(hostvars, first, named, first)}
    if name == "distribution":
        # A registry with users answers 401 to a stranger.
        check.update(path="/v2/", statuses=[200, 401])
        check["tls"] = _value(hostvars, first, "distribution_tls_source", "issued") != "disabled_insecure"
    return check


def _value(hostvars, member, variable, default):
    return hostvars[member].get(variable, default)


def shared_problems(groups, hostvars):
    """Why the hosts of C(registries) cannot stand behind one name."""
    members = groups.get("registries") or []
    if len(members) < 2:
        return []
    names = {_value(hostvars, member, "distribution_hostname", member) for member in members}
    if len(names) > 1:
        return [
            f"the hosts of registries serve different names ({', '.join(sorted(names))}): set distribution_hostname to the balancer's name "
            "for all of them, load_balancer_distribution_port to 0, or declare load_balancer_frontends"
        ]
    own = [
        member
        for member in members
        if not hostvars[member].get("distribution_shared_store")
        and "filesystem" in hostvars[member].get("distribution_storage", {"filesystem": {}})
    ]
    if own:
        return [
            f"{', '.join(own)} keep images each on a disk of its own, so a pull would find half of them: give them one store "
            "(distribution_storage), or set load_balancer_distribution_port to 0"
        ]
    return []


def plan(declared, options):
    """C(errors), C(warnings) and the C(frontends) with everything filled in.

    C(options): C(check_type verify ca_file idle_timeout virtual_addresses router_id password host_count).
    """
    errors, warnings = [], []
    if not declared:
        errors.append(
            "load_balancer_frontends: there is nothing to balance; put hosts into ucp_managers, dtr_replicas or registries, or declare "
            "frontends"
        )
    result = [_complete(entry, options) for entry in declared]
    for number, entry in enumerate(result):
        errors += _frontend_problems(f"load_balancer_frontends[{number}]", entry)
        if entry["name"] in [other["name"] for other in result[:number]]:
            errors.append(f"load_balancer_frontends: {entry['name']} is there twice; give each frontend a name of its own")
    errors += _clashes(result)
    errors += _option_problems(options)
    if any(entry["check"]["type"] == "tcp" for entry in result):
        warnings.append("checks of type tcp see only whether a port is open: go back to http as soon as the products are installed")
    lacking = [entry["name"] for entry in result if _asks_tls(entry) and not entry["check"]["ca_file"]]
    if lacking and options["verify"]:
        errors.append(
            f"load_balancer_check_ca_file: the checks of {', '.join(lacking)} need the CA of the servers' certificates; name its file, or "
            "set load_balancer_check_verify to false"
        )
    elif lacking:
        warnings.append("load_balancer_check_verify is false: checks believe any certificate; clients still verify their own connections")
    if options["virtual_addresses"] and options["host_count"] < 2:
        warnings.append("load_balancer_virtual_addresses with a single balancer moves nowhere when it fails; add a second host")
    return {"errors": errors, "warnings": warnings, "frontends": result}


def _asks_tls(entry):
    return entry["check"]["type"] == "http" and entry["check"]["tls"]


def _complete(entry, options):
    check = {"type": options["check_type"], "path": "/_ping", "name": "", "statuses": [200], "tls": True, "ca_file": options["ca_file"]}
    check.update({key: value for key, value in (entry.get("check") or {}).items() if value not in (None, "")})
    if options["check_type"] == "tcp":
        check["type"] = "tcp"
    if not options["verify"]:
        check["ca_file"] = ""
    return {
        "name": str(entry.get("name", "")),
        "addresses": [str(address) for address in entry.get("addresses") or []],
        "port": entry.get("port"),
        "servers": [dict(server) for server in entry.get("servers") or []],
        "check": check,
    }


def _frontend_problems(where, entry):
    found = []
    where = f"{where} ({entry['name']})" if entry["name"] else where
    if not _NAME.fullmatch(entry["name"]):
        found.append(f"{where}: the name may hold letters, digits, dots, dashes and underscores")
    if not _is_port(entry["port"]):
        found.append(f"{where}: {entry['port']} is not a port (1 to 65535)")
    for address in entry["addresses"]:
        if address not in _EVERYWHERE and not _is_address(address):
            found.append(f"{where}: {address} is not an address of the balancer; write a number such as 192.0.2.10, not a name")
    if not entry["servers"]:
        found.append(f"{where}: there is no server; list at least one with name, address and port")
    names = [server.get("name") for server in entry["servers"]]
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        found.append(f"{where}: server {name} is there twice")
    for server in entry["servers"]:
        found += _server_problems(f"{where}, server {server.get('name')}", server)
    return found + _check_problems(where, entry["check"])


def _server_problems(where, server):
    found = []
    if not _NAME.fullmatch(str(server.get("name", ""))):
        found.append(f"{where}: the name may hold letters, digits, dots, dashes and underscores")
    address = str(server.get("address", ""))
    if not _is_address(address) and not _is_host(address):
        found.append(f"{where}: {address} is neither a host name nor an address; write it without scheme, port and path")
    for key in ("port", "check_port"):
        if server.get(key) is not None and not _is_port(server[key]):
            found.append(f"{where}: {key} {server[key]} is not a port (1 to 65535)")
    return found


def _check_problems(where, check):
    found = []
    if not _PATH.fullmatch(str(check["path"])):
        found.append(f"{where}: the check's path {check['path']} must begin with / and hold no space")
    if check["name"] and not _is_address(str(check["name"])) and not _is_host(str(check["name"])):
        found.append(f"{where}: the check's name {check['name']} is not a host name; write it without scheme, port and path")
    wrong = [status for status in check["statuses"] if not 100 <= int(status) <= 599]
    if wrong or not check["statuses"]:
        found.append(f"{where}: the check's statuses must be HTTP statuses such as 200, not {wrong or 'none'}")
    return found


def _clashes(entries):
    """Frontends that want the same port of the same address."""
    found, taken = [], []
    for entry in entries:
        for address in entry["addresses"] or [""]:
            wide = address in _EVERYWHERE
            other = next(
                (name for name, at, port in taken if port == entry["port"] and (wide or at in _EVERYWHERE or at == address)), None
            )
            if other is not None and other != entry["name"]:
                place = f"{'all addresses' if wide else address} port {entry['port']}"
                found.append(
                    f"load_balancer_frontends: {other} and {entry['name']} both want {place}; they must differ in address or port: set "
                    "load_balancer_ucp_port, or load_balancer_ucp_address and load_balancer_dtr_address"
                )
            taken.append((entry["name"], address, entry["port"]))
    return found


def _option_problems(options):
    found = []
    if options["idle_timeout"] <= IDLE_MINIMUM:
        found.append(
            f"load_balancer_idle_timeout: {options['idle_timeout']} s would cut pushes off, since the registry may be silent for ten "
            "minutes; write more than 600"
        )
    for address in options["virtual_addresses"]:
        try:
            if "/" not in str(address):
                raise ValueError
            ipaddress.ip_interface(str(address))
        except ValueError:
            found.append(f"load_balancer_virtual_addresses: {address} is not an address with its prefix length, such as 192.0.2.10/24")
    if not 1 <= options["router_id"] <= 255:
        found.append(f"load_balancer_router_id: {options['router_id']} is none; write 1 to 255, unique in the network")
    password = str(options["password"])
    if options["virtual_addresses"] and not re.fullmatch(r"[A-Za-z0-9_.+-]{8}", password):
        found.append(
            "load_balancer_vrrp_password: virtual addresses need a password of exactly 8 letters, digits or . _ + - (VRRP carries no more)"
            ", the same on all balancers; keep it in a vault"
        )
    return found


def _is_port(value):
    return not isinstance(value, bool) and str(value).isdigit() and 0 < int(value) < 65536


def _is_address(value):
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_host(value):
    # Digits and dots alone are a mistyped address.
    return len(value) <= 253 and _HOST.fullmatch(value) is not None and not re.fullmatch(r"[0-9.]+", value)
