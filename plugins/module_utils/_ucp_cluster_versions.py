# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Versions of UCP and DTR: the upgrade path, and who names the images. No I/O."""

from __future__ import annotations

import re

# UCP docs, upgrade: one step of this row at a time, none skipped. From 3.4 on it is Mirantis Kubernetes Engine, with the same rule.
UCP_PATH = [(2, 2), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4), (3, 5), (3, 6), (3, 7)]
# The first versions of each line that the vendor published under its new name (field observation).
_RENAMED = {"ucp": {(3, 2): 8, (3, 3): 2}, "dtr": {(2, 7): 8, (2, 8): 2}}


def parsed(version):
    """(major, minor, patch) of a version like 3.2.5 or 3.2.5-rc1, None when it is none."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)(-[\w.]+)?$", str(version))
    return tuple(int(part) for part in found.groups()[:3]) if found else None


def organization(product, version):
    """docker or mirantis."""
    major, minor, patch = parsed(version)
    lines = _RENAMED[product]
    if (major, minor) in lines:
        return "mirantis" if patch >= lines[major, minor] else "docker"
    return "mirantis" if (major, minor) > max(lines) else "docker"


def upgrade_problem(current, wanted):
    """Why UCP cannot go from one version to the other, "" when it can."""
    old, new = parsed(current), parsed(wanted)
    if not (old and new):
        return f"{current or 'the present version'} to {wanted}: these are no versions like 3.2.5."
    if new < old:
        return f"UCP {current} cannot go back to {wanted}: only a restore of a backup of {wanted} brings that version back."
    known = [line for line in UCP_PATH if old[:2] < line <= new[:2]]
    if len(known) > 1:
        steps = ", then ".join(f"{major}.{minor}" for major, minor in known)
        return f"UCP {current} cannot go to {wanted} at once: upgrade to {steps}, with DTR's upgrade after each."
    if not known and new[:2] != old[:2]:
        return (f"whether UCP {current} can go to {wanted} is not documented: the path is "
                f"{' '.join('.'.join(map(str, line)) for line in UCP_PATH)}.")
    return ""
