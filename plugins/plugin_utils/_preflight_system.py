# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Checks of the system and the engine on it: pure functions of a host's probe and a profile's limits."""

from __future__ import annotations

import re

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_units import (
    figures,
    judge,
    most_common,
    parse_version,
    result,
    wanted,
)

NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def check_kernel(host, limits):
    release = host.probe["kernel"]["release"]
    minimum, recommended = figures(limits)
    measured = parse_version(release)
    status = judge(measured, *(None if limit is None else parse_version(limit) for limit in (minimum, recommended)))
    yield result(
        "kernel",
        status,
        f"kernel {release}{wanted(minimum, recommended)}",
        measured=release,
        minimum=minimum,
        recommended=recommended,
        mend="upgrade the operating system",
    )


def check_architecture(host, limits):
    machine = host.probe["kernel"]["machine"]
    fits = machine in limits["supported"]
    yield result(
        "architecture",
        "ok" if fits else limits["level"],
        f"{machine}; supported: {', '.join(limits['supported'])}",
        measured=machine,
        mend="use a host of a supported architecture",
    )


def check_os(host, limits):
    system = host.probe["os"]
    versions = limits["supported"].get(system["id"], [])
    fits = any(system["version"] == str(known) or system["version"].startswith(f"{known}.") for known in versions)
    supported = "; ".join(f"{name} {', '.join(map(str, known))}" for name, known in sorted(limits["supported"].items()))
    yield result(
        "os",
        "ok" if fits else limits["level"],
        f"{system['name']}" + ("" if fits else f" is not in the supported list: {supported}"),
        measured=f"{system['id']} {system['version']}".strip(),
        mend="use a supported system, or add yours to the list (preflight_thresholds.<profile>.os.supported)",
    )


def check_selinux(host, limits):
    mode = host.probe.get("selinux") or "absent"
    yield result(
        "selinux",
        limits["level"] if mode == "enforcing" else "ok",
        f"SELinux is {mode}",
        measured=mode,
        mend="run the bootstrappers with --security-opt label=disable, and have container-selinux up to date",
    )


def check_hostname(host, limits):
    current, static = host.probe["hostname"]["current"], host.probe["hostname"]["static"]
    status, mend = limits["level"], f"run `hostnamectl set-hostname {current}`, or the name you want, before anything is installed"
    if current.split(".")[0] == "localhost":
        message = f"the host has no name of its own: it calls itself {current}"
    elif not static:
        message = f"the host name {current} is not fixed: /etc/hostname is empty or absent"
    elif static != current:
        message = f"the host name is {current} now and {static} after the next boot"
    elif not NAME.fullmatch(current):
        message, status = f"the host name {current} is not a DNS name: lower-case letters, digits, hyphens", "warn"
    else:
        message, status = f"the host name is {current}, now and after a boot", "ok"
    yield result("hostname", status, message, measured=current, mend=mend)


def check_hostname_unique(host, limits):
    current = host.probe["hostname"]["current"]
    same = sorted(name for name, other in host.probed.items() if name != host.name and other["hostname"]["current"] == current)
    yield result(
        "hostname_unique",
        limits["level"] if same else "ok",
        f"{', '.join(same)} also called {current}" if same else f"no other host is called {current}",
        measured=current,
        mend="give each host a name of its own",
    )


def _engine(host, check):
    """The engine's answer, or the verdict that stands in for it."""
    engine = host.probe.get("engine")
    if engine and engine.get("version"):
        return engine, None
    if engine:
        return None, result(
            check,
            "warn",
            f"the engine does not answer: {engine['error']}",
            mend="start the engine, or run the preflight as a user who may talk to it",
        )
    return None, result(check, "skipped", "no engine is installed yet")


def check_engine(host, limits):
    engine, instead = _engine(host, "engine")
    if instead:
        yield instead
        return
    minimum, recommended = figures(limits)
    status = judge(parse_version(engine["version"]), *(None if limit is None else parse_version(limit) for limit in (minimum, recommended)))
    yield result(
        "engine",
        status,
        f"engine {engine['version']}{wanted(minimum, recommended)}",
        measured=engine["version"],
        minimum=minimum,
        recommended=recommended,
        mend="upgrade the engine",
    )


def check_storage_driver(host, limits):
    engine, instead = _engine(host, "storage_driver")
    if instead:
        # One missing engine is one line of the report, not two.
        yield {**instead, "status": "skipped"}
        return
    driver = engine["driver"]
    status = "ok" if driver in limits["supported"] else "warn" if driver in limits["tolerated"] else "fail"
    yield result(
        "storage_driver",
        status,
        f"storage driver {driver}; supported: {', '.join(limits['supported'])}",
        measured=driver,
        mend="move the engine to overlay2 (its images must be pulled again)",
    )


def check_userns_remap(host, limits):
    remapped = host.probe.get("daemon_json", {}).get("userns-remap") or (host.probe.get("engine") or {}).get("userns")
    yield result(
        "userns_remap",
        limits["level"] if remapped else "ok",
        "the engine remaps user namespaces (userns-remap)" if remapped else "no userns-remap",
        measured=bool(remapped),
        mend="remove userns-remap from the engine's configuration: UCP and DTR need the real root",
    )


def check_placement(host, limits):
    if "ucp_manager" in host.profiles:
        message, status = "a DTR replica on a UCP manager competes with it for ports and memory", limits["level"]
    elif "ucp_worker" not in host.profiles:
        message, status = "a DTR replica must be a UCP worker, and this host is none", limits["level"]
    else:
        message, status = "a UCP worker", "ok"
    yield result("placement", status, message, mend="put the replicas in ucp_workers and not in ucp_managers")


def check_engine_same(host, limits):
    versions = {
        name: (host.probed[name].get("engine") or {}).get("version")
        for name in host.probed
        if any("engine_same" in profile for profile in host.hosts[name]["profiles"].values())
    }
    own = versions.get(host.name)
    if not own:
        return
    usual = most_common(version for version in versions.values() if version)
    yield result(
        "engine_same",
        "ok" if own == usual else limits["level"],
        f"engine {own}" + ("" if own == usual else f", while most hosts run {usual}"),
        measured=own,
        mend="run the same engine version on every node of the cluster",
    )


def check_members(host, limits):
    count = len(host.groups.get(limits["group"], []))
    allowed = limits["allowed"]
    lost = (count - 1) // 2
    yield result(
        "members",
        "ok" if count in allowed else limits["level"],
        f"group {limits['group']} has {count} hosts"
        + (f", which survive the loss of {lost}" if count in allowed else f"; a quorum wants {', '.join(map(str, allowed))}"),
        subject=limits["group"],
        measured=count,
        unit="hosts",
        mend=f"put one host more or one fewer in {limits['group']}: an even number survives no more losses than the odd one below it",
    )


SYSTEM_CHECKS = {
    "kernel": check_kernel,
    "architecture": check_architecture,
    "os": check_os,
    "selinux": check_selinux,
    "hostname": check_hostname,
    "hostname_unique": check_hostname_unique,
    "engine": check_engine,
    "storage_driver": check_storage_driver,
    "userns_remap": check_userns_remap,
    "engine_same": check_engine_same,
    "placement": check_placement,
    "members": check_members,
}
