# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Which services still hold the files of before."""

from __future__ import annotations

import time

_PROPERTIES = "LoadState,ActiveState,StateChangeTimestampMonotonic"


def services_of(sets, differences):
    """Services of the sets whose content changes."""
    changed = {difference.target.set_name for difference in differences if difference.other_content}
    return sorted({service for one in sets if one["name"] in changed for service in one.get("services") or []})


def waiting_services(sets, differences, run):
    """Services that run since before their files last changed: a run was killed between the two.

    The last change of state counts, not the start, because a reload is such a change as well.
    """
    newest = {}
    for one in sets:
        times = [difference.mtime for difference in differences if difference.target.set_name == one["name"]]
        for service in one.get("services") or []:
            newest[service] = max([newest.get(service, 0.0)] + [mtime for mtime in times if mtime])
    if not newest:
        return []
    names = sorted(newest)
    rc, output, _errors = run(["systemctl", "show", "--property", _PROPERTIES, "--"] + [_unit(name) for name in names])
    if rc != 0:
        return []
    since = _active_since(output, time.time() - time.clock_gettime(time.CLOCK_MONOTONIC))
    return [name for name, moment in zip(names, since) if moment is not None and moment < newest[name]]


def _unit(name):
    return name if "." in name else name + ".service"


def _active_since(output, boot):
    """For each unit, in order: since when it is active, None where it is not."""
    found = []
    for block in output.strip().split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        stamp = values.get("StateChangeTimestampMonotonic", "0")
        active = values.get("LoadState") == "loaded" and values.get("ActiveState") == "active" and stamp.isdigit()
        found.append(boot + int(stamp) / 1e6 if active else None)
    return found
