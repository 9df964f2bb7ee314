#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: swarm_node
short_description: A host as a node of a Swarm
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Makes a Swarm of a host, joins a host to one, or has it leave. On a manager, with O(node), changes another node's role, availability and
    labels, or removes a node that is down.
  - Talks to the engine's socket, so that a join token is on no command line.
  - Refuses what would cost the Swarm its quorum, and a host that belongs to another Swarm.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
options:
  state:
    description:
      - V(manager) and V(worker) are a node's role. A host that is in no Swarm joins O(remote_addrs) with O(join_token); without those,
        V(manager) makes a new Swarm. The role of a node that is in the Swarm is changed from a manager only, with O(node).
      - V(absent) has this host leave; a manager has to be demoted first. With O(node), the node is removed from the Swarm's list once it is
        down.
    type: str
    choices: [manager, worker, absent]
    required: true
  node:
    description: Host name or id of the node to act on, from this host, which has to be a manager. Without it, this host itself.
    type: str
  remote_addrs:
    description: Managers to join, as V(address:2377).
    type: list
    elements: str
    default: []
  join_token:
    description: The Swarm's join token for the role, as RV(dockyard.trusted_registry.ucp_cluster_info#module:join_tokens) tells it.
    type: str
  advertise_addr:
    description: Address or interface by which the other nodes reach this one. Docker finds one itself where there is no choice.
    type: str
  listen_addr:
    description: Where the Swarm's control traffic is taken in.
    type: str
    default: 0.0.0.0:2377
  data_path_addr:
    description: Address or interface for the traffic of containers. Default is O(advertise_addr).
    type: str
  default_addr_pool:
    description: For a new Swarm, the networks that overlay networks are taken from. The installer of UCP cannot set this.
    type: list
    elements: str
  subnet_size:
    description: For a new Swarm, the size of each overlay network, as the length of its prefix.
    type: int
  availability:
    description: Whether work is scheduled on the node. Needs a manager.
    type: str
    choices: [active, pause, drain]
  labels:
    description: Labels of the node by name; those that are not named stay, and one without a value (C(null)) is removed. Needs a manager.
    type: dict
  confirm:
    description: Id of the Swarm, to have its last manager leave, which ends it with all services, networks, secrets and configs in it.
    type: str
  timeout:
    description: Seconds for a join, a change of role, or a node that has left to be seen as down.
    type: int
    default: 90
notes:
  - The user on the host has to be allowed to use the engine's socket and to read its folder, so usually root.
  - Sources are Docker's documentation of Swarm and UCP's on joining and scaling.
seealso:
  - module: dockyard.trusted_registry.ucp_cluster
  - module: dockyard.trusted_registry.ucp_cluster_info
"""

EXAMPLES = r"""
- name: A new Swarm
  dockyard.trusted_registry.swarm_node:
    state: manager
    advertise_addr: 192.0.2.11
    default_addr_pool: [10.20.0.0/16]

- name: A worker joins
  dockyard.trusted_registry.swarm_node:
    state: worker
    remote_addrs: ["192.0.2.11:2377"]
    join_token: "{{ cluster.join_tokens.worker }}"
    advertise_addr: 192.0.2.21

- name: It becomes a manager, from one that is
  dockyard.trusted_registry.swarm_node:
    node: ucp-2
    state: manager
    labels: {zone: b}
  delegate_to: ucp-1

- name: A dead node is taken off the list
  dockyard.trusted_registry.swarm_node:
    node: worker-3
    state: absent
  delegate_to: ucp-1
"""

RETURN = r"""
action:
  description: What was done, or would be in check mode. C(none), C(initialized), C(joined), C(updated), C(left) or C(removed).
  returned: success
  type: str
  sample: joined
node:
  description: The node after it, as far as it can be told from here. Managers know all of it, workers their C(id) and C(address).
  returned: success
  type: dict
  sample:
    {id: 24ifsmvkjbyhk, hostname: ucp-2, address: 192.0.2.12, role: manager, availability: active, state: ready, labels: {zone: b},
     leader: false, reachability: reachable}
cluster_id:
  description: Id of the Swarm, told by managers.
  returned: success
  type: str
  sample: abajmipo7b4xz5ip2nrla6b11
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _swarm_rules as rules
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import Engine, EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._swarm import Host
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._swarm_rules import SwarmError


def work(host, params, check_mode):
    """The module's result."""
    host.settled()
    if params["node"]:
        return on_node(host, params, check_mode)
    if params["state"] == "absent":
        return leave(host, params, check_mode)
    action = enter(host, params, check_mode)
    result = {"changed": action != "none", "action": action, "node": {}, "cluster_id": host.cluster_id}
    if host.state == "active":
        result["node"] = {"id": host.swarm.get("NodeID", ""), "hostname": host.name, "address": host.swarm.get("NodeAddr", "")}
    if params["availability"] or params["labels"]:
        if action != "none" and check_mode:
            return result
        spec = on_node(host, {**params, "node": host.swarm["NodeID"]}, check_mode)
        result.update(spec, changed=result["changed"] or spec["changed"], action=action if action != "none" else spec["action"])
    return result


def enter(host, params, check_mode):
    """Make this host a node in its role; the action."""
    wanted = params["state"] == "manager"
    if host.state == "active":
        if params["join_token"] and not host.member(params["join_token"]):
            raise SwarmError(f"{host.name} is a node of another swarm: if it is not needed there, have it leave that one first"
                             " (swarm_node with state=absent), then run again.")
        if host.manager != wanted:
            raise SwarmError(f"{host.name} is a {'manager' if host.manager else 'worker'} of the swarm already: roles are changed from "
                             f"another manager, with node={host.name} and state={params['state']}.")
        return "none"
    if params["remote_addrs"]:
        rules.authority_of(params["join_token"])
        if not check_mode:
            host.join(params)
            if host.manager != wanted:
                raise SwarmError(f"{host.name} joined as a {'manager' if host.manager else 'worker'}, for that is whose token join_token "
                                 f"is: have it leave, and give the token for a {params['state']}.")
        return "joined"
    if not wanted:
        raise SwarmError("remote_addrs: a worker needs the address of a manager to join, such as 192.0.2.11:2377.")
    if not check_mode:
        host.initialize(params)
    return "initialized"


def leave(host, params, check_mode):
    """Have this host leave; a manager only as the last one, and when told so."""
    if host.state == "inactive":
        return {"changed": False, "action": "none", "node": {}, "cluster_id": ""}
    result = {"changed": True, "action": "left", "node": {}, "cluster_id": host.cluster_id}
    if host.manager:
        others = [node for node in host.nodes() if node["ID"] != host.swarm["NodeID"]]
        if any(rules.is_manager(node) for node in others):
            raise SwarmError(f"{host.name} is a manager: demote it first, from another manager (node={host.name}, state=worker), then "
                             "have it leave.")
        if params["confirm"] != host.cluster_id:
            raise SwarmError(f"{host.name} is the last manager: with it goes the swarm {host.cluster_id} with {len(others)} other nodes, "
                             f"all services, networks, secrets and configs. To go on, set confirm to {host.cluster_id}.")
    if not check_mode:
        host.leave(force=host.manager)
    return result


def on_node(host, params, check_mode):
    """What a manager does with a node."""
    if not host.manager:
        raise SwarmError(f"{host.name} is no manager of a swarm: only managers change nodes. Run this on a manager (delegate_to).")
    nodes = host.nodes()
    node = rules.find_node(nodes, params["node"], gone=params["state"] == "absent")
    if params["state"] == "absent":
        return remove(host, nodes, node, check_mode)
    if node is None:
        raise SwarmError(f"node: the swarm has no node {params['node']}; it has "
                         f"{', '.join(sorted(one['Description']['Hostname'] for one in nodes))}.")

    def wanted(spec):
        return rules.changed_spec(spec, params["state"], params["availability"], params["labels"])

    before, after = rules.shown_spec(node["Spec"]), rules.shown_spec(wanted(node["Spec"]))
    if before["role"] == "manager" and after["role"] == "worker":
        rules.refuse_loss_of_quorum(nodes, node)
    if before != after and not check_mode:
        node = host.update(node, wanted)
    return {"changed": before != after, "action": "updated" if before != after else "none", "node": {**rules.shown_node(node), **after},
            "cluster_id": host.cluster_id, "diff": {"before": before, "after": after}}


def remove(host, nodes, node, check_mode):
    """Take a node off the list."""
    if node is not None:
        if rules.is_manager(node):
            rules.refuse_loss_of_quorum(nodes, node)
        if not check_mode:
            host.remove(node)
    return {"changed": node is not None, "action": "removed" if node else "none", "node": rules.shown_node(node) if node else {},
            "cluster_id": host.cluster_id}


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["manager", "worker", "absent"], "required": True},
            "node": {"type": "str"},
            "remote_addrs": {"type": "list", "elements": "str", "default": []},
            "join_token": {"type": "str", "no_log": True},
            "advertise_addr": {"type": "str"},
            "listen_addr": {"type": "str", "default": "0.0.0.0:2377"},
            "data_path_addr": {"type": "str"},
            "default_addr_pool": {"type": "list", "elements": "str"},
            "subnet_size": {"type": "int"},
            "availability": {"type": "str", "choices": ["active", "pause", "drain"]},
            "labels": {"type": "dict"},
            "confirm": {"type": "str"},
            "timeout": {"type": "int", "default": 90},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**work(Host(Engine(), module.params["timeout"]), module.params, module.check_mode))
    except (SwarmError, EngineError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
