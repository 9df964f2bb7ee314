# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What the keys of daemon.json are: their type, their flag, whether a reload is enough, and how a value is judged."""

from __future__ import annotations

import ipaddress
import re
from collections import namedtuple
from urllib.parse import urlsplit

# kind: str, int, bool, size (str or int), list (of str), map (str to str), object
# flag: the command-line flag when its name differs from the key; short: its one-letter form
# since: first engine (major, minor) that knows the key, where that is later than 19.03
# live: a reload applies it.  neutral: the value that undoes it live; the engine keeps the old value of an absent key
Key = namedtuple("Key", "kind flag short since live neutral", defaults=(None, None, None, False, None))

KEYS = {
    "allow-direct-routing": Key("bool", since=(28, 2)),
    "allow-nondistributable-artifacts": Key("list", live=True, neutral=[]),
    "api-cors-header": Key("str"),
    "authorization-plugins": Key("list", flag="authorization-plugin", live=True, neutral=[]),
    "bip": Key("str"),
    "bip6": Key("str", since=(28, 0)),
    "bridge": Key("str", short="b"),
    "bridge-accept-fwmark": Key("str", since=(28, 4)),
    "builder": Key("object"),
    "cdi-spec-dirs": Key("list", flag="cdi-spec-dir", since=(25, 0)),
    "cgroup-parent": Key("str"),
    "cluster-advertise": Key("str"),
    "cluster-store": Key("str"),
    "cluster-store-opts": Key("map", flag="cluster-store-opt"),
    "containerd": Key("str"),
    "containerd-namespace": Key("str"),
    "containerd-plugins-namespace": Key("str"),
    "cpu-rt-period": Key("int"),
    "cpu-rt-runtime": Key("int"),
    "cri-containerd": Key("bool"),
    "data-root": Key("str"),
    "debug": Key("bool", short="D", live=True, neutral=False),
    "default-address-pools": Key("pools", flag="default-address-pool"),
    "default-cgroupns-mode": Key("str", since=(20, 10)),
    "default-gateway": Key("str"),
    "default-gateway-v6": Key("str"),
    "default-ipc-mode": Key("str"),
    "default-network-opts": Key("object", flag="default-network-opt", since=(24, 0)),
    "default-runtime": Key("str", live=True, neutral="runc"),
    "default-shm-size": Key("size", live=True, neutral="64M"),
    "default-ulimits": Key("object", flag="default-ulimit"),
    "deprecated-key-path": Key("str"),
    "dns": Key("list"),
    "dns-opts": Key("list", flag="dns-opt"),
    "dns-search": Key("list"),
    "exec-opts": Key("list", flag="exec-opt"),
    "exec-root": Key("str"),
    "experimental": Key("bool"),
    "features": Key("object", live=True),
    "firewall-backend": Key("str", since=(29, 0)),
    "fixed-cidr": Key("str"),
    "fixed-cidr-v6": Key("str"),
    "graph": Key("str", short="g"),
    "group": Key("str", short="G"),
    "host-gateway-ip": Key("str", since=(20, 10)),
    "host-gateway-ips": Key("list", flag="host-gateway-ip", since=(28, 0)),
    "hosts": Key("list", flag="host", short="H"),
    "http-proxy": Key("str", since=(23, 0)),
    "https-proxy": Key("str", since=(23, 0)),
    "icc": Key("bool"),
    "init": Key("bool"),
    "init-path": Key("str"),
    "insecure-registries": Key("list", flag="insecure-registry", live=True, neutral=[]),
    "ip": Key("str"),
    "ip-forward": Key("bool"),
    "ip-forward-no-drop": Key("bool", since=(28, 0)),
    "ip-masq": Key("bool"),
    "ip6tables": Key("bool", since=(20, 10)),
    "iptables": Key("bool"),
    "ipv6": Key("bool"),
    "labels": Key("list", flag="label", live=True, neutral=[]),
    "live-restore": Key("bool", live=True, neutral=False),
    "log-driver": Key("str"),
    "log-format": Key("str", since=(25, 0)),
    "log-level": Key("str", short="l"),
    "log-opts": Key("map", flag="log-opt"),
    "max-concurrent-downloads": Key("int", live=True),
    "max-concurrent-uploads": Key("int", live=True),
    "max-download-attempts": Key("int", since=(20, 10), live=True),
    "metrics-addr": Key("str"),
    "mtu": Key("int"),
    "network-control-plane-mtu": Key("int"),
    "network-diagnostic-port": Key("int", live=True),
    "no-new-privileges": Key("bool"),
    "no-proxy": Key("str", since=(23, 0)),
    "node-generic-resources": Key("list", flag="node-generic-resource"),
    "oom-score-adjust": Key("int"),
    "pidfile": Key("str", short="p"),
    "proxies": Key("object", since=(23, 0)),
    "raw-logs": Key("bool"),
    "registry-mirrors": Key("list", flag="registry-mirror", live=True, neutral=[]),
    "rootless": Key("bool"),
    "runtimes": Key("object", flag="add-runtime", live=True, neutral={}),
    "seccomp-profile": Key("str"),
    "selinux-enabled": Key("bool"),
    "shutdown-timeout": Key("int", live=True, neutral=15),
    "storage-driver": Key("str", short="s"),
    "storage-opts": Key("list", flag="storage-opt"),
    "swarm-default-advertise-addr": Key("str"),
    "swarm-raft-election-tick": Key("int"),
    "swarm-raft-heartbeat-tick": Key("int"),
    "tls": Key("bool"),
    "tlscacert": Key("str"),
    "tlscert": Key("str"),
    "tlskey": Key("str"),
    "tlsverify": Key("bool"),
    "userland-proxy": Key("bool"),
    "userland-proxy-path": Key("str"),
    "userns-remap": Key("str"),
}

# Flags, but in the file members of the key proxies.
_PROXIES = ("http-proxy", "https-proxy", "no-proxy")

FLAGS = {}
for _name, _key in KEYS.items():
    FLAGS.setdefault(_key.flag or _name, _name)
    if _key.short:
        FLAGS[_key.short] = _name

_KINDS = {
    "str": (str, "a string"),
    "int": (int, "a whole number"),
    "bool": (bool, "true or false"),
    "size": ((str, int), "a size such as 64M or a number of bytes"),
    "list": (list, "a list of strings"),
    "map": (dict, "a map of strings"),
    "object": (dict, "a map"),
    "pools": (list, "a list of maps with base and size"),
}


def neutral(key):
    return KEYS[key].neutral if key in KEYS else None


def is_live(key, before, after):
    """Whether a reload applies this change of one key."""
    if key == "features":
        # The engine reads most features only when it starts; the builder asks for its own at each build.
        before, after = before or {}, after or {}
        return all(before.get(name) == after.get(name) for name in set(before) | set(after) if name != "buildkit")
    return key in KEYS and KEYS[key].live


def validate(config, version=None, engine_validates=False, flags=None):
    """The mistakes in a daemon.json, and in flags as keys beside it, as a list of sentences.

    Whether an unknown key is a mistake is left to an engine that validates itself.
    """
    errors = [f"{name}: the engine ignores this key at the top of the file; put it into proxies" for name in config if name in _PROXIES]
    for name, value in dict(flags or {}, **config).items():
        if name not in KEYS:
            if name in FLAGS:
                errors.append(f"{name}: this is the name of the flag, which the engine ignores in a file; the key is {FLAGS[name]}")
            elif not engine_validates:
                errors.append(f"{name}: no configuration option of the engine has this name")
            continue
        since = KEYS[name].since
        if version and since and version < since and not engine_validates:
            errors.append(f"{name}: needs engine {since[0]}.{since[1]}, this one is {version[0]}.{version[1]}")
        elif KEYS[name].kind == "map" and isinstance(value, dict):
            # The usual slip is a bare number, as in max-file: 3.
            errors.extend(
                f"{name}: {option} must be a string in quotes, not {item!r}" for option, item in value.items() if not isinstance(item, str)
            )
        elif not _is_kind(value, KEYS[name].kind):
            errors.append(f"{name}: must be {_KINDS[KEYS[name].kind][1]}, not {value!r}")
        elif name in _CHECKS:
            errors.extend(f"{name}: {problem}" for problem in _CHECKS[name](value))
    errors.extend(_cross_checks(dict(flags or {}, **config)))
    return errors


def _is_kind(value, kind):
    expected = _KINDS[kind][0]
    if isinstance(value, bool) and kind != "bool":
        return False
    if not isinstance(value, expected):
        return False
    if kind == "list":
        return all(isinstance(item, str) for item in value)
    if kind == "pools":
        return all(isinstance(item, dict) and set(item) == {"base", "size"} for item in value)
    return True


def _insecure_registries(items):
    for item in items:
        name = re.sub(r"^https?://", "", item)
        try:
            ipaddress.ip_network(name, strict=False)
            continue
        except ValueError:
            pass
        host, _colon, port = name.rpartition(":") if re.search(r":[^\]:]*$", name) else (name, "", "")
        if "://" in name or "/" in name or not host or host.startswith("-") or host.endswith("-") or re.search(r"\s", name):
            yield f"{item!r} is not host, host:port or a network in CIDR form"
        elif _colon and not (port.isdigit() and 0 < int(port) < 65536):
            yield f"{item!r} has no valid port"


def _registry_mirrors(items):
    for item in items:
        url = urlsplit(item)
        if url.scheme not in ("http", "https") or not url.netloc:
            yield f"{item!r} must be a URL that begins with https:// or http://"
        elif url.query or url.fragment or "@" in url.netloc:
            yield "a mirror must not carry a query, a fragment or credentials"


def _pairs(items):
    for item in items:
        if not re.match(r"^[^=\s][^=]*=", item):
            yield f"{item!r} must have the form key=value"


def _labels(items):
    yield from _pairs(items)
    seen = {}
    for item in items:
        name, _equals, value = item.partition("=")
        if seen.setdefault(name, value) != value:
            yield f"{name!r} stands twice with different values"


def _one_of(*values):
    return lambda value: [] if value in values else ["must be one of {}, not {!r}".format(", ".join(values), value)]


def _not_negative(value):
    return [] if value >= 0 else ["must not be negative"]


def _absolute(value):
    return [] if value.startswith("/") else [f"must be an absolute path, not {value!r}"]


def _runtimes(items):
    for name, runtime in items.items():
        if name == "runc":
            yield "the name runc is reserved for the engine's own runtime"
        elif not isinstance(runtime, dict) or not (runtime.get("path") or runtime.get("runtimeType")):
            yield f"{name} must be a map with a path or a runtimeType"


def _hosts(items):
    for item in items:
        if not re.match(r"^(unix|tcp|fd|npipe|ssh)://", item):
            yield f"{item!r} must begin with unix://, tcp:// or fd://"


_CHECKS = {
    "data-root": _absolute,
    "exec-opts": _pairs,
    "exec-root": _absolute,
    "hosts": _hosts,
    "insecure-registries": _insecure_registries,
    "labels": _labels,
    "log-format": _one_of("text", "json"),
    "log-level": _one_of("debug", "info", "warn", "error", "fatal"),
    "max-concurrent-downloads": _not_negative,
    "max-concurrent-uploads": _not_negative,
    "max-download-attempts": _not_negative,
    "mtu": _not_negative,
    "registry-mirrors": _registry_mirrors,
    "runtimes": _runtimes,
}


def _cross_checks(config):
    runtime = config.get("default-runtime")
    known = config.get("runtimes") or {}
    if isinstance(runtime, str) and runtime not in {"runc", *known} and not runtime.startswith("io.containerd."):
        yield f"default-runtime: {runtime!r} is not among runtimes"
