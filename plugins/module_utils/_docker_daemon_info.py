# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Compare a daemon.json with what the engine says of itself in /info. No I/O."""

from __future__ import annotations

import ipaddress
import os.path
import re
from collections import namedtuple

# differing: key -> {declared, running}; equal: keys proven to run as declared. A key in neither cannot be seen in /info.
Drift = namedtuple("Drift", "differing equal")

# What an absent key means, where that is the same on every engine.
_DEFAULTS = {
    "data-root": "/var/lib/docker",
    "debug": False,
    "default-runtime": "runc",
    "experimental": False,
    "insecure-registries": [],
    "labels": [],
    "live-restore": False,
    "log-driver": "json-file",
    "registry-mirrors": [],
}
_MASKED = re.compile(r"(?<=://)[^/@]*@")


def drift(effective, info, keys):
    """Judge `keys`; `effective` is file and flags together, as the engine reads them."""
    differing, equal = {}, set()
    for key in keys:
        value = effective.get(key, _DEFAULTS.get(key))
        if key not in _COMPARE or value is None:
            continue
        verdict = _COMPARE[key](value, info, effective)
        if verdict is None:
            continue
        declared, running = verdict
        if declared == running:
            equal.add(key)
        else:
            differing[key] = {"declared": _plain(declared), "running": _plain(running)}
    return Drift(differing, equal)


def _plain(value):
    return sorted(value) if isinstance(value, (set, frozenset)) else value


def _field(name):
    return lambda value, info, effective: (value, info[name]) if name in info else None


def _network(text):
    try:
        return str(ipaddress.ip_network(text, strict=False)) if "/" in text else None
    except ValueError:
        return None


def _insecure_registries(value, info, effective):
    registry = info.get("RegistryConfig") or {}
    declared = set()
    for item in value:
        name = re.sub(r"^https?://", "", item)
        declared.add(_network(name) or ("docker.io" if name == "index.docker.io" else name))
    # The engine always trusts loopback and says so.
    loopback = {"127.0.0.0/8", "::1/128"}
    running = {_network(item) or item for item in registry.get("InsecureRegistryCIDRs") or []}
    running |= {name for name, index in (registry.get("IndexConfigs") or {}).items() if not index.get("Secure", True)}
    return declared - loopback, running - loopback


def _registry_mirrors(value, info, effective):
    running = (info.get("RegistryConfig") or {}).get("Mirrors") or []
    return [item.rstrip("/") + "/" for item in value], [item.rstrip("/") + "/" for item in running]


def _labels(value, info, effective):
    return set(value), set(info.get("Labels") or [])


def _data_root(value, info, effective):
    running = info.get("DockerRootDir", "")
    if effective.get("userns-remap"):
        running = re.sub(r"/\d+\.\d+$", "", running)
    declared = os.path.normpath(effective.get("graph", value))
    # The engine reports the target of a link.
    return (declared, declared) if os.path.realpath(declared) == os.path.realpath(running) else (declared, running)


def _runtimes(value, info, effective):
    known = info.get("Runtimes") or {}
    running = {name: (known.get(name) or {}).get("path", "") for name in value}
    declared = {name: runtime.get("path", "") for name, runtime in value.items()}
    return declared, running


def _exec_opts(value, info, effective):
    options = dict(item.split("=", 1) for item in value if "=" in item)
    if set(options) != {"native.cgroupdriver"}:
        return None
    return options["native.cgroupdriver"], info.get("CgroupDriver")


def _proxy(name):
    return lambda value, info, effective: _proxies({name: value}, info, effective)


def _proxies(value, info, effective):
    fields = {"http-proxy": "HttpProxy", "https-proxy": "HttpsProxy", "no-proxy": "NoProxy"}
    if not set(value) <= set(fields) or not all(fields[name] in info for name in value):
        return None
    # The engine masks credentials: only the rest can be compared, and its being equal is no proof.
    declared = {name: _MASKED.sub("", item) for name, item in value.items()}
    running = {name: _MASKED.sub("", info[fields[name]]) for name in value}
    return None if declared == running and _MASKED.search(str(value)) else (declared, running)


def _pools(value, info, effective):
    if "DefaultAddressPools" not in info:
        return None
    return (
        {"{} {}".format(pool["base"], pool["size"]) for pool in value},
        {"{} {}".format(pool["Base"], pool["Size"]) for pool in info["DefaultAddressPools"] or []},
    )


def _userns(value, info, effective):
    return (True, any(option.startswith("name=userns") for option in info.get("SecurityOptions") or [])) if value else None


_COMPARE = {
    "data-root": _data_root,
    "debug": _field("Debug"),
    "default-address-pools": _pools,
    "default-runtime": _field("DefaultRuntime"),
    "exec-opts": _exec_opts,
    "experimental": _field("ExperimentalBuild"),
    "http-proxy": _proxy("http-proxy"),
    "https-proxy": _proxy("https-proxy"),
    "insecure-registries": _insecure_registries,
    "labels": _labels,
    "live-restore": _field("LiveRestoreEnabled"),
    "log-driver": _field("LoggingDriver"),
    "no-proxy": _proxy("no-proxy"),
    "proxies": _proxies,
    "registry-mirrors": _registry_mirrors,
    "runtimes": _runtimes,
    "storage-driver": _field("Driver"),
    "userns-remap": _userns,
}
