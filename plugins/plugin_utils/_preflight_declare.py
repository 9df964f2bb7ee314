# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""From what an operator declares to what one host is judged by, and to what its probe must look at."""

from __future__ import annotations

import ipaddress
from copy import deepcopy

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import LISTS
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_units import parse_size, parse_version

# What a profile holds beside checks.
ATTRIBUTES = ("holders", "traces")
OPTIONAL = ("minimum", "recommended", "maximum", "tolerance", "level")
LEVELS = ("warn", "fail")


def _number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is not a number")


def _port(value):
    if not str(value).isdigit() or not 0 < int(value) < 65536:
        raise ValueError(f"{value!r} is not a port (1 to 65535)")


def _level(value):
    if value not in LEVELS:
        raise ValueError(f"{value!r} is not a level; choose {' or '.join(LEVELS)}, or null to leave the check out")


def _list(value):
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is not a list")


def _map(value):
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not a dictionary")


def _boolean(value):
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")


def _protocol(value):
    if value not in ("tcp", "udp"):
        raise ValueError(f"{value!r} is neither tcp nor udp")


def _networks(value):
    for cidr in value if isinstance(value, list) else [value]:
        ipaddress.ip_network(cidr)


_LEVEL = {"level": _level}
_SIZES = {"minimum": parse_size, "recommended": parse_size}
_NUMBERS = {"minimum": _number, "recommended": _number}
_SECONDS = {"maximum": _number, "recommended": _number}
_VERSIONS = {"minimum": parse_version, "recommended": parse_version}
_LISTED = {"supported": _list, "level": _level}

# Every check by name with the parameters it takes. Those of KEYED are dictionaries of such parameters: by use, pool or product.
CHECKS = {
    "memory": {**_SIZES, "tolerance": _number},
    "cpus": _NUMBERS,
    "disk": {"path": str, **_SIZES},
    "inodes": _NUMBERS,
    "filesystem": {"paths": _list, "supported": _list, "level": _level},
    "swap": _LEVEL,
    "kernel": _VERSIONS,
    "architecture": _LISTED,
    "os": {"supported": _map, "level": _level},
    "selinux": _LEVEL,
    "engine": _VERSIONS,
    "storage_driver": {"supported": _list, "tolerated": _list},
    "userns_remap": _LEVEL,
    "hostname": _LEVEL,
    "hostname_unique": _LEVEL,
    "resolve_own": _LEVEL,
    "resolve_peers": _LEVEL,
    "resolve_reverse": _LEVEL,
    "clock_synchronised": _LEVEL,
    "clock_controller": _SECONDS,
    "clock_hosts": _SECONDS,
    "ports": {"port": _port, "protocol": _protocol, "from": _list, "holders": _list, "level": _level},
    "reach": _LEVEL,
    "mtu": _NUMBERS,
    "mtu_same": _LEVEL,
    "address_pools": {"cidr": _networks, "level": _level},
    "engine_same": _LEVEL,
    "images": {"tool": str, "tool_only": _boolean, "bundle": str, "level": _level},
    "members": {"group": str, "allowed": _list, "level": _level},
    "placement": _LEVEL,
}
KEYED = ("disk", "ports", "address_pools", "images")


def merge(base, over):
    """Return C(base) with C(over) laid on it, dictionaries merged at every depth, null removing a key."""
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, dict) else {}, value)
        else:
            merged[key] = deepcopy(value)
    return merged


def lineage(catalogue, name):
    """Return a profile's name after those it extends, the root first."""
    parent = catalogue[name].get("extends")
    return [*(lineage(catalogue, parent) if parent else []), name]


def resolve_profile(catalogue, name, thresholds):
    """Return a profile with all it extends and the operator's thresholds for itself and for what it extends.

    So one line for C(base) reaches every profile, and a profile's own data still wins over it where both speak.
    """
    profile = {}
    for ancestor in lineage(catalogue, name):
        profile = merge(merge(profile, catalogue[ancestor]), thresholds.get(ancestor) or {})
    profile.pop("extends", None)
    return profile


def derive_profiles(group_names, group_profiles):
    """Return the profiles that follow from a host's groups, or the one that suits any host."""
    found = [profile for group, profile in group_profiles.items() if group in group_names]
    return found or ["linux_host"]


def _parameter_errors(where, parameters, given):
    if not isinstance(given, dict):
        return [f"{where} is {given!r}; write a dictionary of {', '.join(parameters)}"]
    errors = []
    for name, value in given.items():
        if name not in parameters:
            errors.append(f"{where} has no parameter '{name}'; it takes {', '.join(parameters)}")
            continue
        if value is None:
            continue
        try:
            parameters[name](value)
        except ValueError as error:
            errors.append(f"{where}.{name}: {error}")
    return errors


def threshold_errors(catalogue, thresholds):
    """Return what is wrong with the operator's thresholds, each with its place and its mend."""
    errors = []
    for profile, checks in thresholds.items():
        where = f"preflight_thresholds.{profile}"
        if profile not in catalogue:
            errors.append(f"{where}: there is no profile '{profile}'; choose from {', '.join(catalogue)}")
            continue
        if not isinstance(checks, dict):
            errors.append(f"{where} is {checks!r}; write a dictionary of checks")
            continue
        for check, given in checks.items():
            if check in ATTRIBUTES or (check in CHECKS and given is None):
                continue
            if check not in CHECKS:
                errors.append(f"{where}: there is no check '{check}'; choose from {', '.join(CHECKS)}")
            elif check not in KEYED:
                errors += _parameter_errors(f"{where}.{check}", CHECKS[check], given)
            elif not isinstance(given, dict):
                errors.append(f"{where}.{check} is {given!r}; write a dictionary")
            else:
                for key, inner in given.items():
                    if inner is not None:
                        errors += _parameter_errors(f"{where}.{check}.{key}", CHECKS[check], inner)
    return errors


def declare_host(catalogue, *, profiles, thresholds, waive, names, address):
    """Return what one host is judged by, and the errors in what was declared."""
    errors = [
        f"preflight_profiles: there is no profile '{name}'; choose from {', '.join(catalogue)}"
        for name in profiles
        if name not in catalogue
    ]
    errors += threshold_errors(catalogue, thresholds)
    errors += [
        f"preflight_waive: there is no check '{name}'; choose from {', '.join(CHECKS)}"
        for name in waive
        if str(name).partition(":")[0] not in CHECKS
    ]
    if errors:
        return {"errors": errors}
    full = {name: resolve_profile(catalogue, name, thresholds) for name in profiles}
    return {
        "errors": [error for name in full for error in _parameters_of_profile(name, full[name])],
        "profiles": full,
        "kinds": sorted({kind for name in profiles for kind in lineage(catalogue, name)}),
        "waive": [str(name) for name in waive],
        "names": [name for name in names if not is_address(name)],
        "address": address,
    }


def _parameters_of_profile(name, profile):
    """What an operator adds must be complete, and what templating produced must be valid."""
    errors = []
    for use, port in profile.get("ports", {}).items():
        errors += _parameter_errors(f"{name}.ports.{use}", CHECKS["ports"], port)
        if "port" not in port:
            errors.append(f"preflight_thresholds.{name}.ports.{use} names no port; add port: NUMBER")
    for use, disk in profile.get("disk", {}).items():
        if "path" not in disk:
            errors.append(f"preflight_thresholds.{name}.disk.{use} names no path; add path: DIRECTORY")
    for pool, declared in profile.get("address_pools", {}).items():
        if "cidr" not in declared:
            errors.append(f"preflight_thresholds.{name}.address_pools.{pool} names no network; add cidr: NETWORK/BITS")
    for product, wanted in profile.get("images", {}).items():
        if product not in LISTS:
            errors.append(f"preflight_thresholds.{name}.images.{product}: there is no such product; choose from {', '.join(LISTS)}")
        elif "tool" not in wanted:
            errors.append(f"preflight_thresholds.{name}.images.{product} names no tool; add tool: IMAGE")
    for check, given in profile.items():
        if check in CHECKS and check not in KEYED and given:
            missing = [parameter for parameter in CHECKS[check] if parameter not in (*OPTIONAL, *given)]
            errors += [f"preflight_thresholds.{name}.{check} lacks {parameter}; add it, or null the check" for parameter in missing]
    return errors


def is_address(text):
    """Tell an IP address from a name."""
    try:
        ipaddress.ip_address(str(text))
    except ValueError:
        return False
    return True


def needed_ports(host, peer):
    """Return the TCP ports of C(peer) that C(host) must reach."""
    return sorted(
        {
            int(port["port"])
            for profile in peer["profiles"].values()
            for port in profile.get("ports", {}).values()
            if port.get("protocol", "tcp") == "tcp" and set(port.get("from", [])) & set(host["kinds"])
        }
    )


def probe_arguments(declared, name, docker_root):
    """Return the arguments of the probe of one host, given the declarations of every host of the play."""
    host = declared[name]
    peers = {peer: needed_ports(host, other) for peer, other in declared.items() if peer != name}
    profiles = list(host["profiles"].values())
    ports = [port for profile in profiles for port in profile.get("ports", {}).values()]
    paths = {disk["path"] for profile in profiles for disk in profile.get("disk", {}).values()}
    tools = {(product, wanted["tool"]) for profile in profiles for product, wanted in profile.get("images", {}).items()}
    paths.update(path for profile in profiles for path in profile.get("filesystem", {}).get("paths", []))
    return {
        "paths": sorted(filter(None, paths)),
        "traces": sorted({trace for profile in profiles for trace in profile.get("traces", [])}),
        "ports": sorted({f"{int(port['port'])}/{port.get('protocol', 'tcp')}" for port in ports}),
        "names": sorted({*host["names"], *(peer for other in peers if peers[other] for peer in declared[other]["names"])}),
        "targets": [f"{declared[peer]['address']} {port}" for peer in peers for port in peers[peer]],
        "image_tools": sorted(f"{product} {tool}" for product, tool in tools if tool),
        "docker_root": docker_root,
    }
