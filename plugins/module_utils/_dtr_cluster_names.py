# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""The names that UCP shows of DTR's containers and volumes, and what they tell of replicas. Pure, standard library only.

Source: DTR docs, architecture (dtr-COMPONENT-ID; through UCP NODE/dtr-COMPONENT-ID).
"""

from __future__ import annotations

import re

CONTAINER = re.compile(r"/?(?P<node>[^/]+)/dtr-(?P<component>[a-z]+(-[a-z]+)?)-(?P<id>[0-9a-f]{12})")
VOLUME = re.compile(r"/?(?P<node>[^/]+)/dtr-(?P<kind>[a-z]+(-[a-z]+)?)-(?P<id>[0-9a-f]{12})")
PHASE2 = re.compile(r"/?(?P<node>[^/]+)/dtr-phase2")
TOOL = re.compile(r"(^|/)(dtr|msr):[^/:]+$")           # docker/dtr:2.7.6, registry.example.com/mirantis/dtr:2.8.5
TAG = re.compile(r":(?P<version>[0-9]+\.[0-9]+\.[0-9]+[^:/]*)$")


def found_replicas(containers, volumes):
    """{id: replica} from UCP's listings of containers and volumes."""
    found = {}
    for container in containers:
        for name in container.get("Names") or []:
            match = CONTAINER.fullmatch(name)
            if match:
                replica = found.setdefault(match["id"], blank(match["id"], match["node"]))
                replica["node"] = match["node"]
                replica["containers"][match["component"]] = container.get("State") or "unknown"
                add_details(replica, match["component"], container)
    for volume in volumes:
        match = VOLUME.fullmatch(volume["Name"])
        if match:
            replica = found.setdefault(match["id"], blank(match["id"], match["node"]))
            replica["volumes"] = sorted({*replica["volumes"], match["kind"]})
    return found


def blank(name, node):
    """A replica of which nothing is known yet."""
    return {"id": name, "node": node, "address": "", "http_port": None, "https_port": None, "version": "", "containers": {}, "volumes": [],
            "ping": {"state": "silent", "reason": "it was not asked"}, "members": None, "members_error": "", "members_later": False,
            "certificate": "", "certificate_end": ""}


def add_details(replica, component, container):
    """Version and ports, as far as this container tells them."""
    match = TAG.search(container.get("Image") or "")
    replica["version"] = replica["version"] or (match["version"] if match else "")
    if component == "nginx":
        public = {port["PrivatePort"]: port["PublicPort"] for port in container.get("Ports") or [] if port.get("PublicPort")}
        replica["http_port"], replica["https_port"] = public.get(80), public.get(443)


def working(containers):
    """Names of installers that run at this moment."""
    names = [(container, (container.get("Names") or [""])[0]) for container in containers if container.get("State") == "running"]
    return sorted(name.lstrip("/") for container, name in names if PHASE2.fullmatch(name) or TOOL.search(container.get("Image") or ""))
