# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that fit, for the preflight's tests to spoil: the catalogue is the role's own."""

from __future__ import annotations

import copy
import functools
import re
from pathlib import Path

import yaml
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_declare import declare_host
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_report import Host

GIB = 1024**3
GB = 1000**3
DATA = Path(__file__).parents[4] / "roles" / "preflight" / "vars" / "main.yml"

IMAGES = {
    "ucp": ["docker/ucp:3.2.5", "docker/ucp-agent:3.2.5", "docker/ucp-auth:3.2.5"],
    "dtr": ["docker/dtr:2.7.6", "docker/dtr-api:2.7.6"],
}

TEMPLATED = (
    (r'"\{\{ \w+ \| default\((\d+)\) \}\}"', r"\1"),
    (r'"\{\{ distribution_debug_address [^"]*"', "5001"),
    (r"\{\{ __preflight_tools.ucp \}\}", "docker/ucp:3.2.5"),
    (r"\{\{ __preflight_tools.dtr \}\}", "docker/dtr:2.7.6"),
    (r"\{\{ bundle_file \| default\(''\) \}\}", ""),
    (r'"\{\{ __preflight_balancer_ports \}\}"', "{dtr: {port: 443, from: [linux_host]}}"),
    (r"\{\{ preflight_docker_root \}\}", "/var/lib/docker"),
    (r"\{\{ __preflight_distribution_root \}\}", "/var/lib/distribution"),
)


@functools.lru_cache(maxsize=None)
def catalogue():
    """Return the role's profiles with the default of every templated value in its place."""
    text = DATA.read_text(encoding="utf-8")
    for expression, value in TEMPLATED:
        text = re.sub(expression, value, text)
    assert "{{" not in text.partition("\n__preflight_profiles:")[2], "a templated value without a stand-in"
    return yaml.safe_load(text)["__preflight_profiles"]


def probe(name="one", address="192.0.2.11", **changes):
    """Return the probe of a host that every profile finds fit; changes are merged into it at any depth."""
    space = {
        "measured_at": "/var/lib",
        "mount": "/",
        "fstype": "ext4",
        "d_type": True,
        "total": 200 * GB,
        "free": 100 * GB,
        "inodes_total": 10_000_000,
        "inodes_free": 9_000_000,
    }
    fit = {
        "memory": {"total": 32 * GIB, "available": 30 * GIB, "swap": 0, "cgroup_limit": None},
        "cpus": {"usable": 8, "quota": None},
        "paths": {path: dict(space) for path in ("/var/lib/docker", "/var/lib/kubelet", "/var/lib/distribution")},
        "traces": [],
        "listeners": [],
        "connections": {},
        "names": {name: [address]},
        "reverse": {address: [name]},
        "peer_addresses": [],
        "addresses": ["127.0.0.1", address],
        "primary": {"interface": "eth0", "mtu": 1500, "address": address},
        "routes": [
            {"destination": "0.0.0.0/0", "interface": "eth0"},
            {"destination": "192.0.2.0/24", "interface": "eth0"},
            {"destination": "172.17.0.0/16", "interface": "docker0"},
        ],
        "hostname": {"current": name, "static": name},
        "os": {"id": "rhel", "version": "8.9", "name": "Red Hat Enterprise Linux 8.9"},
        "kernel": {"release": "5.14.0-427.el9", "machine": "x86_64"},
        "selinux": None,
        "daemon_json": {},
        "docker_root": "/var/lib/docker",
        "engine": {"version": "20.10.24", "driver": "overlay2", "root": "/var/lib/docker", "userns": False, "swarm": "inactive"},
        "images": {
            "present": [*IMAGES["ucp"], *IMAGES["dtr"]],
            "lists": {f"{product} {names[0]}": {"names": names} for product, names in IMAGES.items()},
        },
        "clock": {"started": 1000.4, "finished": 1000.5, "synchronised": True},
        "controller": {"sent": 1000.0, "received": 1001.0},
    }
    return spoil(fit, copy.deepcopy(changes))


def spoil(fit, changes):
    """Lay changes on a probe at any depth; unlike in thresholds a null is a value here."""
    for key, value in changes.items():
        fit[key] = spoil(fit[key], value) if isinstance(value, dict) and isinstance(fit.get(key), dict) else value
    return fit


def declare(profiles, name="one", address="192.0.2.11", thresholds=None, waive=()):
    declared = declare_host(catalogue(), profiles=profiles, thresholds=thresholds or {}, waive=waive, names=[name], address=address)
    assert declared["errors"] == []
    return declared


def host(profile, changes=None, *, hosts=None, probes=None, groups=None, thresholds=None, profiles=None):
    """Return what a check sees: host C(one), alone or with others."""
    declared = declare(profiles or [profile], thresholds=thresholds)
    return Host(
        name="one",
        declared=declared,
        profile_name=profile,
        hosts={"one": declared, **(hosts or {})},
        probed={"one": probe(**(changes or {})), **(probes or {})},
        groups=groups or {},
    )
