# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What playbooks/status.yml says of registries: a table, and what is not as it should be."""

from __future__ import annotations

_COLUMNS = ("HOST", "NAME", "VERSION", "SERVICE", "HEALTH", "STORE", "DECLARED")


def table(registries):
    """The facts distribution_status of all hosts as lines of text, headings first."""
    lines = [_COLUMNS]
    for registry in registries:
        lines.append(
            (
                registry["host"],
                registry["name"],
                registry["version"],
                "active" if registry["active"] else "stopped",
                "healthy" if registry["healthy"] else "NOT HEALTHY",
                registry["driver"],
                "differs: " + ", ".join(registry["differing"]) if registry["differing"] else "as it is",
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]


def problems(registry, certificates):
    """Sentences on what is not as it should be with one registry and the certificates of its host."""
    where = "{} on {}".format(registry["name"], registry["host"])
    found = []
    if not registry["healthy"]:
        found.append("{}: {}".format(where, registry["problem"] or "the service does not run"))
    if registry["differing"]:
        found.append("{}: differs from its declaration in {}; run site.yml".format(where, ", ".join(registry["differing"])))
    found.extend(f"{where}: a restart is due: {reason}; run site.yml" for reason in registry["restart_reasons"])
    for row in certificates:
        if row["state"] != "ok":
            left = "" if row["days_left"] is None else ", {} days left".format(row["days_left"])
            found.append("{} on {}: certificate {}{}".format(row["path"], row["host"], row["state"], left))
    return found
