# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""How long what is deployed, and what is served, remains valid."""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _certificates_pem as pem
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_input import deploy_paths

_COLUMNS = ("host", "name", "path", "names", "not_after", "days_left", "state")
_ABSENT = {"subject": None, "names": [], "not_after": None, "days_left": None}


def expiry_rows(entries, found, now, warn_days, host):
    """One row for each deployed file and each address; `found` is what certificate_files_info returned."""
    texts = {item["path"]: item.get("certificates") or "" for item in found.get("files", []) if item["exists"]}
    rows = []
    for entry in entries:
        paths = deploy_paths(entry)
        blank, deployed = dict(_ABSENT, host=host, name=entry["name"]), None
        for part in ("certificate", "ca"):
            if part in paths and (part == "certificate" or paths[part] in texts or _has_ca(entry)):
                row, first = _row(dict(blank, path=paths[part]), texts.get(paths[part]), now, warn_days)
                rows.append(row)
                deployed = first if part == "certificate" else deployed
        for item in found.get("endpoints", []):
            if item["address"] in (entry.get("status_addresses") or []):
                place = dict(blank, path="tls://" + item["address"])
                rows.append(_served(place, item.get("certificate"), deployed, now, warn_days))
    return rows


def table(rows):
    """The rows as text, the soonest end first within what needs attention."""
    order = {"missing": 0, "unreachable": 0, "invalid": 0, "expired": 1, "stale": 2, "warn": 3, "ok": 4}
    rows = sorted(rows, key=lambda row: (order[row["state"]], row["days_left"] or 0, row["host"], row["name"]))
    lines = [[column.replace("_", " ").upper() for column in _COLUMNS]]
    for row in rows:
        cells = dict(row, names=",".join(row["names"]))
        lines.append([_cell(cells[column]) for column in _COLUMNS])
    widths = [max(len(line[index]) for line in lines) for index in range(len(_COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]


def _has_ca(entry):
    """A provided certificate may come without a CA; then none was deployed and none is missed."""
    return entry.get("source") == "issued" or entry.get("ca") or entry.get("ca_file")


def _cell(value):
    return "-" if value in (None, "") else str(value)


def _row(row, text, now, warn_days):
    """The row completed, and the first certificate of the text."""
    if text is None:
        return dict(row, state="missing"), None
    try:
        chain = pem.load_certificates(text)
    except pem.PemError:
        return dict(row, state="invalid"), None
    # A chain is worth what its shortest member is worth.
    shortest = min(chain, key=lambda certificate: certificate.not_valid_after_utc)
    row.update(
        subject=pem.label(chain[0]),
        names=pem.alternative_names(chain[0]),
        not_after=shortest.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        days_left=pem.days_left(shortest, now),
    )
    row["state"] = "ok"
    if shortest.not_valid_after_utc <= now:
        row["state"] = "expired"
    elif row["days_left"] < warn_days:
        row["state"] = "warn"
    return row, chain[0]


def _served(row, text, deployed, now, warn_days):
    if not text:
        return dict(row, state="unreachable")
    row, served = _row(row, text, now, warn_days)
    if served is not None and deployed is not None and served != deployed and row["state"] != "expired":
        row["state"] = "stale"
    return row
