# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What the role ucp does with which host, from what the hosts show and what is declared. No I/O."""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._swarm_rules import find_node_shown

SANS_LABEL = "com.docker.ucp.SANs"


def plan(hosts):
    """Who is first, who joins, who changes its role.

    hosts: {inventory name: {"role": manager|worker, "seen": result of ucp_cluster_info}}, in inventory order.
    Returns first (host on which the cluster is worked on), fresh (no UCP yet), address, cluster_id, join_managers, join_workers,
    roles ([{node, hostname, role}]), stale (ids of nodes that are down and come back anew), unwell (hosts with UCP that are waited
    for), problems, warnings.
    """
    managers = [host for host, one in hosts.items() if one["role"] == "manager"]
    first = first_manager(hosts, managers)
    if not first:
        told = "no manager is among the hosts of this run: with --limit, name one of the group ucp_managers too."
        return {"first": "", "problems": [told], "warnings": []}
    seen = hosts[first]["seen"]
    joining, problems, roles = [], first_problems(first, seen), []
    for host, one in hosts.items():
        joins, problem, role = place(host, one, first, seen)
        joining += [host] if joins else []
        problems += [problem] if problem else []
        roles += [role] if role else []
    names = {hosts[host]["seen"]["hostname"] for host in joining}
    return {
        "first": first, "fresh": not seen["installed"], "address": seen["swarm"]["address"], "cluster_id": seen["swarm"]["cluster_id"],
        "join_managers": [host for host in joining if host in managers], "join_workers": [host for host in joining if host not in managers],
        "roles": roles, "stale": [node["id"] for node in seen["nodes"] if node["state"] == "down" and node["hostname"] in names],
        "unwell": [host for host, one in hosts.items() if one["seen"]["installed"] and not one["seen"]["healthy"]],
        "problems": problems + twins(hosts), "warnings": warnings(hosts, managers, seen),
    }


def first_manager(hosts, managers):
    """The manager to work on: one with a healthy UCP, else with a UCP, else in a swarm; in a new cluster the first of the inventory."""
    def rank(host):
        seen = hosts[host]["seen"]
        return (not seen["swarm"]["manager"], not seen["installed"], not seen["healthy"], not seen["half_installed"])
    return min(managers, key=rank, default="")


def first_problems(first, seen):
    if seen["swarm"]["state"] == "active" and not seen["swarm"]["manager"]:
        return [f"{first} is a worker of a swarm and no host of ucp_managers is a manager: name the swarm's managers in the group "
                "ucp_managers, or have the hosts leave that swarm."]
    if seen["swarm"]["state"] in ("error", "locked"):
        return [f"{first}: its swarm is in trouble ({seen['swarm']['state']}: {seen['swarm']['error']}): mend that first."]
    if seen["leftovers"]:
        return [leftover_problem(first, seen)]
    return []


def place(host, one, first, cluster):
    """(whether it joins, what stands against it, {node, role} when its role changes) for a host and what the first manager shows."""
    seen = one["seen"]
    if host == first:
        return False, "", None
    if seen["swarm"]["state"] == "inactive":
        return True, leftover_problem(host, seen) if seen["leftovers"] else "", None
    node = find_node_shown(cluster["nodes"], seen["swarm"]["node_id"])
    if not node:
        return False, (f"{host} is a node of another swarm than {first}: if that swarm is not needed, have the host leave it (\"docker "
                       "swarm leave\","
                       " or the module swarm_node), then run again."), None
    return False, "", {"node": node["id"], "hostname": node["hostname"], "role": one["role"]} if node["role"] != one["role"] else None


def leftover_problem(host, seen):
    return (f"{host} is in no swarm, yet has parts of an earlier UCP ({', '.join(seen['containers'][:4])}): remove them with the module "
            "ucp_leftovers, then run again.")


def twins(hosts):
    """Two hosts of one name: the swarm would take them, UCP and DTR would not (UCP docs, consistent host names)."""
    names = {}
    for host, one in hosts.items():
        names.setdefault(one["seen"]["hostname"], []).append(host)
    return [f"{' and '.join(found)} both call themselves {name}: give each its own "
            "host name." for name, found in names.items() if len(found) > 1]


def warnings(hosts, managers, cluster):
    """What is not wrong and not good."""
    told, count = [], len(managers)
    outside = [node for node in cluster["nodes"] if node["hostname"] not in {one["seen"]["hostname"] for one in hosts.values()}]
    count += len([node for node in outside if node["role"] == "manager"])
    if count % 2 == 0:
        told.append(f"{count} managers bear the loss of no more of them than {count - 1} would; 1, 3 or 5 are sensible.")
    down = [node["hostname"] for node in outside if node["state"] == "down"]
    if down:
        told.append(f"nodes that are down and not among the hosts of this run: {', '.join(sorted(down))}. Bring them back, or remove them "
                    "(entry remove_node).")
    engines = sorted({one["seen"]["engine_version"] for one in hosts.values()})
    if len(engines) > 1:
        told.append(f"the engines are of different versions ({', '.join(engines)}); UCP wants the same on all nodes.")
    return told


def node_changes(hosts, nodes, sans):
    """[{node, role, labels}] for swarm_node: labels that are declared and differ, and managers' names in UCP's own certificate.

    hosts: as of plan, with "labels"; nodes: as ucp_cluster_info shows them; sans: names, [] where the certificate is not UCP's own.
    """
    changes = []
    for one in hosts.values():
        node = next((node for node in nodes if node["hostname"] == one["seen"]["hostname"] and node["state"] != "down"), None)
        if node is None:
            continue
        labels = {name: None if text is None else str(text) for name, text in (one.get("labels") or {}).items()}
        if node["role"] == "manager" and sans:
            held = [name for name in node["labels"].get(SANS_LABEL, "").split(",") if name]
            labels[SANS_LABEL] = ",".join(held + [name for name in sans if name not in held])
        differing = {name: text for name, text in labels.items() if node["labels"].get(name) != text}
        if differing:
            changes.append({"node": node["id"], "hostname": node["hostname"], "role": node["role"], "labels": differing})
    return changes
