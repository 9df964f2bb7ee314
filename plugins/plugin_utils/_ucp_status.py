# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What playbooks/status.yml says of UCP: rows, a table, and what is not as it should be."""

from __future__ import annotations

_COLUMNS = ("NODE", "HOST", "ROLE", "ADDRESS", "STATE", "VERSION", "UCP")


def rows(hosts, wanted="", silent=None):
    """[{host, node, role, address, state, version, wanted, healthy, problem}], a row a node. hosts: {inventory name: {"role", "seen"}}.

    silent: {inventory name: why it does not answer}. Nodes of hosts that are not in this run come from what the managers list; their host
    is empty.
    """
    listed = {node["id"]: node for one in hosts.values() for node in one["seen"]["nodes"]}
    found = [_row(host, one, listed.get(one["seen"]["swarm"]["node_id"]), wanted) for host, one in hosts.items()]
    known = {one["seen"]["swarm"]["node_id"] for one in hosts.values()}
    others = {node["hostname"]: _stranger(node, wanted) for identity, node in sorted(listed.items()) if identity not in known}
    for host, why in (silent or {}).items():
        row = others.setdefault(host, _stranger({"hostname": host, "role": "-", "address": "", "state": "silent"}, wanted))
        row.update(host=host, healthy=False, problem=f"{row['problem']}; the host does not answer ({' '.join(why.split())[:200]})")
    return found + list(others.values())


def _stranger(node, wanted):
    ready = node["state"] == "ready"
    return {"host": "", "node": node["hostname"], "role": node["role"], "address": node["address"], "state": node["state"], "version": "",
            "wanted": wanted, "healthy": None if ready else False, "problem": "" if ready else f"the node is {node['state']}"}


def _row(host, one, node, wanted):
    seen = one["seen"]
    state = node["state"] if node else seen["swarm"]["state"]
    problem = seen["problem"] or ("" if seen["installed"] else "UCP is not installed")
    if state not in ("ready", "active"):
        problem = problem or f"the node is {state}"
    return {"host": host, "node": seen["hostname"], "role": node["role"] if node else one["role"], "address": seen["swarm"]["address"],
            "state": state, "version": seen["version"], "wanted": wanted, "healthy": not problem, "problem": problem}


def table(found):
    """Rows as lines of text, headings first."""
    lines = [_COLUMNS]
    words = {True: "healthy", False: "NOT HEALTHY", None: "not looked at"}
    for row in found:
        cells = [row[name] or "-" for name in ("node", "host", "role", "address", "state", "version")]
        lines.append((*cells, words[row["healthy"]]))
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]


def problems(found, certificates=()):
    """Sentences on what is not as it should be with the nodes of these rows and the certificates of their hosts."""
    told = [f"UCP on {row['node']}: {row['problem']}" for row in found if row["problem"]]
    told += [f"UCP on {row['node']}: version {row['version']}, and {row['wanted']} is declared; run upgrade.yml"
             for row in found if row["version"] and row["wanted"] and row["version"] != row["wanted"]]
    managers = [row for row in found if row["role"] == "manager"]
    well = [row for row in managers if row["state"] in ("ready", "active")]
    if managers and len(well) == len(managers) // 2 + 1 and len(managers) > len(well):
        told.append(f"UCP: {len(well)} of {len(managers)} managers are up, and the cluster cannot lose another one")
    for row in certificates:
        if row["state"] != "ok":
            left = "" if row["days_left"] is None else f", {row['days_left']} days left"
            told.append(f"{row['path']} on {row['host']}: certificate {row['state']}{left}")
    return told
