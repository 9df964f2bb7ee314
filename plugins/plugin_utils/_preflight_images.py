# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Check of the images where none can be pulled: what any host's tool lists has to be on every host."""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import familiar
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_units import result

SHOWN = 5


def _wanted(host, product, limits):
    """Return the images that a host must have, and the complaints of tools that did not list them."""
    tool = familiar(limits["tool"])
    if limits.get("tool_only"):
        return [tool], []
    key = f"{product} {limits['tool']}"
    answers = [((probe.get("images") or {}).get("lists") or {}).get(key) or {} for probe in host.probed.values()]
    names = {name for answer in answers for name in answer.get("names", [])}
    return sorted(names), [answer["error"] for answer in answers if "error" in answer]


def _verdict(host, product, limits):
    """Return status, message and figure for one product."""
    found = host.probe.get("images")
    if not found:
        return "skipped", "no engine is installed yet, or it does not answer", None
    if "error" in found:
        return limits["level"], found["error"], None
    wanted, complaints = _wanted(host, product, limits)
    if not wanted:
        return limits["level"], complaints[0] if complaints else f"no host has {limits['tool']}, which lists the images of {product}", None
    missing = [name for name in wanted if name not in found["present"]]
    if not missing:
        return "ok", f"all {len(wanted)} images of {product} are here" if len(wanted) > 1 else f"{wanted[0]} is here", 0
    shown = ", ".join(missing[:SHOWN]) + (f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else "")
    present = {name: set((probe.get("images") or {}).get("present", [])) for name, probe in host.probed.items() if name != host.name}
    elsewhere = [name for name in present if set(missing) <= present[name]]
    where = f"; they are on {', '.join(sorted(elsewhere))}" if elsewhere else ""
    return limits["level"], f"{len(missing)} of {len(wanted)} images are missing: {shown}{where}", len(missing)


def check_images(host, limits):
    for product, declared in limits.items():
        if not declared.get("tool"):
            continue  # its images can be pulled
        status, message, missing = _verdict(host, product, declared)
        if status == declared["level"] and declared.get("bundle"):
            status, message = "skipped", f"{message}; the role bundle is to bring them from {declared['bundle']}"
        yield result(
            "images",
            status,
            message,
            subject=product,
            measured=missing,
            unit="images missing",
            mend=f"bring the images with the role bundle (bundle_file) or docker load on {host.name}, or let them be pulled (ucp_pull)",
        )


IMAGE_CHECKS = {"images": check_images}
