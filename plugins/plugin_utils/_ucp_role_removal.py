# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""How a node, or all of UCP, is taken away: what stands against it, and from where it is done. No I/O."""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._ucp_role import first_manager


def removal(hosts, wanted):
    """How a node is taken out: {node, host, manager, alive, was_manager, problem}.

    hosts: as of plan; wanted: inventory or host name of the node. node: its id, "" when the swarm has it no more; host: its inventory name,
    "" when it does not speak; manager: host that the swarm is changed from; alive: whether it is still in the swarm and speaks.
    """
    target = next((host for host, one in hosts.items() if wanted and wanted in (host, one["seen"]["hostname"])), "")
    seen = hosts[target]["seen"] if target else None
    others = {host: one for host, one in hosts.items() if host != target}
    manager = first_manager(others, [host for host, one in others.items() if one["seen"]["swarm"]["manager"]])
    nodes = others[manager]["seen"]["nodes"] if manager else []
    node = node_of(nodes, seen, wanted)
    return {
        "node": node["id"] if node else "", "host": target, "manager": manager, "alive": bool(seen and seen["swarm"]["state"] == "active"),
        "was_manager": bool(node and node["role"] == "manager"), "problem": removal_problem(wanted, seen, node, nodes),
    }


def node_of(nodes, seen, wanted):
    """The node that is meant, None when the swarm has none: of the host's own id, else of the name, the dead one of several."""
    if seen and seen["swarm"]["state"] != "inactive":
        return next((node for node in nodes if node["id"] == seen["swarm"]["node_id"]), None)
    found = [node for node in nodes if node["hostname"] == (seen["hostname"] if seen else wanted)]
    return next((node for node in found if node["state"] == "down"), found[0] if found else None)


def removal_problem(wanted, seen, node, nodes):
    """What stands against a removal, "" when nothing does."""
    if not wanted:
        return "ucp_remove_node: name the node that is to go, by its inventory or host name."
    if not nodes:
        return (f"there is no manager but {wanted} among the hosts of this run: the last one is not removed but uninstalled; with "
                "--limit, name another manager too.")
    if seen and seen["dtr_volumes"]:
        return (f"{wanted} holds a replica of DTR ({', '.join(seen['dtr_volumes'][:2])}): remove the replica first (entry remove_replica "
                "of the role dtr), or its part of the registry is lost.")
    if not node and not seen:
        known = ", ".join(sorted(one["hostname"] for one in nodes))
        return f"ucp_remove_node: {wanted} is neither a node nor a host of this run; nodes are {known}."
    if node and not seen and node["state"] != "down":
        return (f"{wanted} does not speak to Ansible, yet the swarm sees it as {node['state']}: bring the connection back, or shut the "
                "host down, then run again.")
    return ""


def uninstall_plan(hosts, name, confirm, swarm):
    """{first, other_managers, problem} of a removal. name: of the cluster, which confirm has to be; swarm: whether the swarm goes too."""
    managers = [host for host, one in hosts.items() if one["seen"]["swarm"]["manager"]]
    first = first_manager(hosts, managers)
    seen = hosts[first]["seen"] if first else {"nodes": [], "other_services": []}
    problem = ""
    if any(one["seen"]["containers"] or one["seen"]["swarm"]["state"] != "inactive" for one in hosts.values()):
        problem = uninstall_problem(hosts, seen, first, swarm) or unconfirmed(hosts, seen, swarm, "" if confirm == name else name)
    others = [hosts[host]["seen"]["hostname"] for host in managers if host != first]
    return {"first": first, "other_managers": others, "problem": problem}


def uninstall_problem(hosts, seen, first, swarm):
    """What stands against a removal, confirmed or not."""
    if not first and any(one["seen"]["swarm"]["state"] == "active" for one in hosts.values()):
        return "no manager is among the hosts of this run: UCP is removed from one; with --limit, name one."
    replicas = sorted(host for host, one in hosts.items() if one["seen"]["dtr_volumes"])
    if replicas:
        return (f"DTR is still on {', '.join(replicas)}: remove it first (entry uninstall of the role dtr); without UCP it can be used by "
                "nobody. Nothing has been changed.")
    if swarm and seen["other_services"]:
        return (f"the swarm runs services that are not UCP's: {', '.join(seen['other_services'][:10])}. Set ucp_uninstall_swarm to false "
                "to keep it, or remove them. Nothing has been changed.")
    return ""


def unconfirmed(hosts, seen, swarm, name):
    """What would be lost, "" when name, the confirmation that is missing, is empty."""
    if not name:
        return ""
    nodes = ", ".join(sorted(node["hostname"] for node in seen["nodes"])) or ", ".join(sorted(hosts))
    goes = " and dissolves its swarm" if swarm else "; the swarm stays"
    return (f"Removing UCP takes it from {nodes}{goes}. All accounts, organizations, teams, roles, grants, settings, certificates and "
            f"client bundles are lost. To go on, set ucp_uninstall_confirm to {name}. Nothing has been changed.")
