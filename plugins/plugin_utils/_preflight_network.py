# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Checks of names, ports, ways and networks: pure functions of the probes of all hosts and a profile's limits."""

from __future__ import annotations

import ipaddress
from fnmatch import fnmatchcase

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_declare import needed_ports
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_units import (
    figures,
    judge,
    most_common,
    result,
    wanted,
)

# Networks of the product itself, which no route of the host's own must be mistaken for.
OWN_INTERFACES = ("docker0", "docker_gwbridge", "br-????????????", "veth*", "cali*", "tunl0", "vxlan.calico", "cni*")


def holder_name(listener):
    """Return who holds a port, the most telling way there is: container, then unit, then process."""
    for kind in ("container", "unit", "process"):
        if listener.get(kind):
            return f"{kind}:{listener[kind]}"
    return ""


def holds(profile, port, listeners):
    """Tell whether every listener on a port is the product itself."""
    patterns = port.get("holders", profile.get("holders", []))
    # The kernel's own sockets (VXLAN) have no process: the overlay network is up, which only the engine can have done.
    return all(listener.get("kernel") or any(fnmatchcase(holder_name(listener), pattern) for pattern in patterns) for listener in listeners)


def listeners_on(probe, port):
    wanted_port = (int(port["port"]), port.get("protocol", "tcp"))
    return [found for found in probe["listeners"] if (found["port"], found["protocol"]) == wanted_port]


def check_ports(host, ports):
    for use, port in ports.items():
        subject = f"{port['port']}/{port.get('protocol', 'tcp')}"
        found = listeners_on(host.probe, port)
        names = sorted({holder_name(listener) for listener in found if not listener.get("kernel")})
        mend = f"stop what holds it, or give {use} another port"
        if not found:
            status, message = "ok", f"{use}: free"
        elif holds(host.profile, port, found):
            status, message = "ok", f"{use}: held by the product itself ({', '.join(names) or 'kernel'})"
        elif "" in names:
            status, message = "warn", f"{use}: in use, and the probe may not see by whom"
            mend = "run the preflight as root (become: true), so that the holder can be named"
        else:
            pids = sorted({str(listener["pid"]) for listener in found if listener.get("pid")})
            status, message = port.get("level", "fail"), f"{use}: held by {', '.join(names)} (pid {', '.join(pids)})"
        yield result("ports", status, message, subject=subject, measured=", ".join(names) or None, mend=mend)


def _peers(host):
    """Yield the hosts that this one must reach, with the ports."""
    for name, declared in host.hosts.items():
        ports = needed_ports(host.declared, declared)
        if name != host.name and ports:
            yield name, declared, ports


def check_resolve_own(host, limits):
    for name in host.declared["names"]:
        found = host.probe["names"].get(name, [])
        outside = [address for address in found if not ipaddress.ip_address(address).is_loopback]
        status, mend = limits["level"], f"give {name} an address in DNS or in /etc/hosts of every host"
        if not found:
            message = f"{name} does not resolve on the host itself"
        elif not outside:
            status, message = "warn", f"{name} resolves to {', '.join(found)} only on the host itself"
            mend = f"let {name} resolve to an address that other hosts reach (mend its line in /etc/hosts)"
        elif not set(outside) & set(host.probe["addresses"]):
            message = f"{name} resolves to {', '.join(outside)}, which is no address of this host"
            mend = f"correct {name} in DNS or /etc/hosts, or declare the right name in preflight_names"
        else:
            status, message = "ok", f"{name} resolves to {', '.join(outside)}"
        yield result("resolve_own", status, message, subject=name, measured=found, mend=mend)


def check_resolve_peers(host, limits):
    missing, wrong, right = [], [], []
    for peer, declared, _dummy in _peers(host):
        there = set(host.probed.get(peer, {}).get("addresses", []))
        for name in declared["names"]:
            found = host.probe["names"].get(name, [])
            if not found:
                missing.append(name)
            elif there and not set(found) & there:
                wrong.append(f"{name} ({', '.join(found)})")
            else:
                right.append(name)
    if missing:
        yield result(
            "resolve_peers",
            limits["level"],
            f"does not resolve here: {', '.join(missing)}",
            measured=missing,
            mend="add the names to DNS or to /etc/hosts; or declare the names in use with preflight_names",
        )
    elif wrong:
        yield result(
            "resolve_peers",
            "warn",
            f"resolves here to an address that its host does not have: {', '.join(wrong)}",
            measured=wrong,
            mend="correct the names in DNS or /etc/hosts, unless address translation stands between",
        )
    elif right:
        yield result("resolve_peers", "ok", f"resolves: {', '.join(right)}", measured=[])


def check_resolve_reverse(host, limits):
    nameless = [address for address, names in host.probe["reverse"].items() if not names]
    own = {name.split(".")[0].lower() for name in [*host.declared["names"], host.probe["hostname"]["current"]]}
    primary = host.probe["primary"].get("address")
    back = host.probe["reverse"].get(primary, [])
    if nameless:
        status, message = limits["level"], f"no name for {', '.join(nameless)}"
    elif back and not own & {name.split(".")[0].lower() for name in back}:
        status, message = limits["level"], f"{primary} leads back to {', '.join(back)}, not to {', '.join(sorted(own))}"
    else:
        status, message = "ok", "addresses lead back to names"
    yield result("resolve_reverse", status, message, measured=nameless, mend="add PTR records, or lines in /etc/hosts")


def check_reach(host, limits):
    for peer, declared, ports in _peers(host):
        address = declared["address"]
        answers = {port: host.probe["connections"].get(f"{address} {port}", "untried") for port in ports}
        blocked = {port: answer for port, answer in answers.items() if answer not in ("open", "refused")}
        kinds = sorted(set(blocked.values()))
        if kinds == ["unresolved"]:
            message = f"{address} does not resolve here, so TCP {', '.join(map(str, blocked))} could not be tried"
        elif blocked:
            message = f"{address} does not answer on TCP {', '.join(map(str, blocked))} ({', '.join(kinds)})"
        else:
            opened = sum(answer == "open" for answer in answers.values())
            message = f"{address} answers on TCP {', '.join(map(str, ports))} ({opened} open, {len(ports) - opened} closed)"
        if kinds == ["unresolved"]:
            mend = f"let {address} resolve on {host.name}, or set preflight_address of {peer}"
        else:
            mend = f"open the way from {host.name} to {address} in host firewalls, security groups and routes"
        yield result("reach", limits["level"] if blocked else "ok", message, subject=peer, measured=answers, mend=mend)


def check_mtu(host, limits):
    minimum, recommended = figures(limits)
    primary = host.probe["primary"]
    if not primary.get("mtu"):
        yield result("mtu", "skipped", "the interface towards the other hosts could not be told")
        return
    yield result(
        "mtu",
        judge(primary["mtu"], minimum, recommended),
        f"MTU {primary['mtu']} on {primary['interface']}{wanted(minimum, recommended)}",
        measured=primary["mtu"],
        minimum=minimum,
        recommended=recommended,
        unit="bytes",
        mend=(
            f"raise it, or set the engine's `mtu` to {primary['mtu']} and that of overlay networks to {primary['mtu'] - 50} "
            "(VXLAN takes 50)"
        ),
    )


def check_mtu_same(host, limits):
    values = {name: probe["primary"]["mtu"] for name, probe in host.probed.items() if probe["primary"].get("mtu")}
    if host.name not in values or len(values) < 2:
        return
    own, usual = values[host.name], most_common(values.values())
    yield result(
        "mtu_same",
        "ok" if own == usual else limits["level"],
        f"MTU {own}" + ("" if own == usual else f", while most hosts have {usual}"),
        measured=own,
        unit="bytes",
        mend="give the interfaces between the hosts one MTU: larger packets vanish silently on the way",
    )


def _networks(probe):
    """Yield the networks that the host talks to: its routes, and peers that only the default route leads to."""
    routes = [
        (ipaddress.ip_network(route["destination"]), route["interface"])
        for route in probe["routes"]
        if not any(fnmatchcase(route["interface"], pattern) for pattern in OWN_INTERFACES)
    ]
    for network, interface in routes:
        if network.prefixlen:
            yield network, f"{network} on {interface}"
    for address in probe["peer_addresses"]:
        network = ipaddress.ip_network(address)
        if network.version == 4 and not any(network.subnet_of(route) for route, _dummy in routes if route.prefixlen):
            yield network, f"host {address}"


def check_address_pools(host, pools):
    for name, pool in pools.items():
        declared = pool["cidr"] if isinstance(pool["cidr"], list) else [pool["cidr"]]
        ranges = [ipaddress.ip_network(cidr) for cidr in declared]
        clashes = [
            label
            for network, label in _networks(host.probe)
            if any(network.version == cidr.version and network.overlaps(cidr) for cidr in ranges)
        ]
        yield result(
            "address_pools",
            pool.get("level", "warn") if clashes else "ok",
            f"pool {', '.join(declared)} " + (f"overlaps {', '.join(clashes)}" if clashes else "is free of the host's routes"),
            subject=name,
            measured=clashes,
            mend=f"give {name} another pool when installing, and say so in preflight_thresholds.<profile>.address_pools.{name}.cidr",
        )


NETWORK_CHECKS = {
    "ports": check_ports,
    "resolve_own": check_resolve_own,
    "resolve_peers": check_resolve_peers,
    "resolve_reverse": check_resolve_reverse,
    "reach": check_reach,
    "mtu": check_mtu,
    "mtu_same": check_mtu_same,
    "address_pools": check_address_pools,
}
