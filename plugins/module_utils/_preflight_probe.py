# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""The whole probe of a host: everything that the checks look at, in one dictionary."""

from __future__ import annotations

import ipaddress

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _preflight_host as host
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _preflight_network as network
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._preflight_images import images


def is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def resolve_targets(targets, names):
    """Return by declared target its address and port, the address None where its name has none; IPv4 goes first."""
    found = {}
    for target in targets:
        name, _dummy, port = target.rpartition(" ")
        known = [name] if is_address(name) else sorted(names.get(name, []), key=lambda address: ":" in address)
        found[target] = (known[0] if known else None, int(port))
    return found


def gather(params, engine):
    """Return the probe but for its times."""
    daemon_json = host.daemon_json()
    roots = [root for root in (params["docker_root"], daemon_json.get("data-root"), (engine or {}).get("root")) if root]
    hosts = {target.rpartition(" ")[0] for target in params["targets"]}
    names = network.forward({*params["names"], *(name for name in hosts if not is_address(name))}, params["resolve_timeout"])
    targets = resolve_targets(params["targets"], names)
    pairs = sorted({pair for pair in targets.values() if pair[0]})
    answers = network.connect(pairs, params["connect_timeout"])
    peers = sorted({address for address, _dummy in pairs})
    table = network.routes(host.read("/proc/net/route"))
    primary = network.primary(peers, table, network.interfaces())
    return {
        "memory": host.memory(),
        "cpus": host.cpus(),
        "paths": host.paths(sorted({*params["paths"], *roots})),
        "traces": host.traces(params["traces"]),
        "listeners": network.listeners(params["ports"], engine),
        "connections": {target: answers[pair] if pair[0] else "unresolved" for target, pair in targets.items()},
        "names": names,
        "reverse": network.backward([*peers, *filter(None, [primary.get("address")])], params["resolve_timeout"]),
        "peer_addresses": peers,
        "addresses": network.addresses(),
        "primary": primary,
        "routes": table,
        "hostname": host.hostname(),
        "os": host.system(),
        "kernel": host.kernel(),
        "selinux": host.selinux(),
        "daemon_json": daemon_json,
        "docker_root": params["docker_root"],
        "engine": {key: engine[key] for key in engine if key not in ("bootstrappers", "containers", "published")} if engine else None,
        "images": images(params["image_tools"], params["docker_socket"]) if (engine or {}).get("version") else None,
        "clock": {"synchronised": None if host.in_container() else host.clock_synchronised()},
    }


ARGUMENTS = {
    **{
        name: {"type": "list", "elements": "str", "default": []}
        for name in ("paths", "traces", "ports", "names", "targets", "image_tools")
    },
    "connect_timeout": {"type": "float", "default": 1.0},
    "resolve_timeout": {"type": "float", "default": 2.0},
    "wait": {"type": "int", "default": 0},
    "docker_root": {"type": "path", "default": "/var/lib/docker"},
    "docker_socket": {"type": "path", "default": "/var/run/docker.sock"},
}
