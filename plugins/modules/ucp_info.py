#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ucp_info
short_description: What a cluster of Universal Control Plane tells of itself
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Returns the version, nodes, health of each manager, the Swarm, configuration, license and certificates.
  - Nothing is changed.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._ucp
attributes:
  check_mode:
    details: Reads the same as without it.
  diff_mode:
    support: none
    details: Nothing is changed.
options:
  gather:
    description: What to return. Fewer parts take fewer requests.
    type: list
    elements: str
    choices: [version, nodes, managers, swarm, config, license, certificates]
    default: [version, nodes, managers, swarm, config, license, certificates]
  with_join_tokens:
    description:
      - Whether RV(swarm) holds the tokens with which machines join as workers and as managers. They are secrets that let anybody into the
        cluster. Set C(no_log) on the task.
    type: bool
    default: false
requirements:
  - cryptography (for V(certificates))
  - tomlkit (for V(managers) and V(config))
notes:
  - V(version) and V(certificates) can be read by every user, V(nodes) as far as the user's grants reach, the others by administrators. A
    part that the account may not see, or that this version of UCP does not have, is null, and RV(not_readable) says why.
  - V(managers) asks each manager by its address, at the controller's port, from where the module runs. A manager whose certificate does not
    hold its address counts as not healthy, for nothing can be said of it.
  - Sources are the UCP 3.2 API and the UCP documentation on monitoring. The endpoint of V(license) is a field observation.
"""

EXAMPLES = r"""
- name: Is the cluster well
  dockyard.trusted_registry.ucp_info:
    host: ucp.example.com
    username: admin
    password: "{{ vault_ucp_password }}"
    ca_path: /etc/ssl/ucp-ca.pem
    gather: [nodes, managers, license]
  register: cluster

- name: All nodes are ready, all managers answer, and the license holds another month
  ansible.builtin.assert:
    that:
      - cluster.not_readable == []
      - cluster.nodes | rejectattr('state', 'equalto', 'ready') | length == 0
      - cluster.managers | rejectattr('healthy') | length == 0
      - cluster.license.days_left > 30
"""

RETURN = r"""
not_readable:
  description: The parts that are null because they could not be read.
  returned: always
  type: list
  elements: dict
  contains:
    part:
      description: Which.
      type: str
    reason:
      description: Why.
      type: str
  sample: []
version:
  description: Versions.
  returned: when in O(gather)
  type: dict
  contains:
    product:
      description: What the server calls itself.
      type: str
    version:
      description: Version of UCP.
      type: str
    api_version:
      description: Version of the API.
      type: str
    engine_version:
      description: Version of the engine that answered.
      type: str
  sample: {product: ucp, version: 3.2.5, api_version: "1.40", engine_version: 19.03.5}
nodes:
  description: The nodes, managers first.
  returned: when in O(gather)
  type: list
  elements: dict
  contains:
    id:
      description: ID in the Swarm.
      type: str
    hostname:
      description: Name.
      type: str
    address:
      description: Where it is reached.
      type: str
    role:
      description: C(manager) or C(worker).
      type: str
    availability:
      description: C(active), C(pause) or C(drain).
      type: str
    state:
      description: C(ready), C(down), C(disconnected) or C(unknown). UCP counts the health of its own parts in.
      type: str
    message:
      description: What UCP says to it. What begins with C([Pending]) passes.
      type: str
    leader:
      description: Whether it leads the managers.
      type: bool
    reachability:
      description: How the other managers see it; null for workers.
      type: str
    labels:
      description: Labels of the node.
      type: dict
    collection:
      description: Path of the collection that it stands in.
      type: str
    engine_version:
      description: Version of its engine.
      type: str
    os:
      description: Such as C(linux).
      type: str
    architecture:
      description: Such as C(x86_64).
      type: str
  sample:
    - {id: 24ifsmvkjbyhk, hostname: ucp-1, address: 192.0.2.11, role: manager, availability: active, state: ready, message: Healthy UCP,
       leader: true, reachability: reachable, labels: {com.docker.ucp.access.label: /System}, collection: /System,
       engine_version: 19.03.5, os: linux, architecture: x86_64}
managers:
  description: Health of each manager, which is only told by itself.
  returned: when in O(gather)
  type: list
  elements: dict
  contains:
    hostname:
      description: Name.
      type: str
    address:
      description: Where it was asked.
      type: str
    healthy:
      description: Whether it said that it is well.
      type: bool
    reason:
      description: What it said, or why it could not be asked; empty when it is healthy.
      type: str
  sample:
    - {hostname: ucp-1, address: 192.0.2.11, healthy: true, reason: ""}
swarm:
  description: The Swarm.
  returned: when in O(gather)
  type: dict
  contains:
    id:
      description: Its ID.
      type: str
    created_at:
      description: When it was made.
      type: str
    join_tokens:
      description: The tokens C(worker) and C(manager), with O(with_join_tokens).
      type: dict
  sample: {id: abajmipo7b4xz5ip2nrla6b11, created_at: "2020-01-02T03:04:05.678901234Z"}
config:
  description:
    - The configuration file as a dictionary, the way M(dockyard.trusted_registry.ucp_config) takes it. Values named like a secret are
      hidden.
  returned: when in O(gather)
  type: dict
  sample: {auth: {backend: managed, sessions: {lifetime_minutes: 60}}}
license:
  description: The license without its secret parts; null when there is none, and where UCP does not tell.
  returned: when in O(gather)
  type: dict
  contains:
    key_id:
      description: Its id.
      type: str
    expires_at:
      description: When it ends.
      type: str
    days_left:
      description: Whole days until then, negative when it has ended.
      type: int
    tier:
      description: Its kind.
      type: str
    max_engines:
      description: How many engines it is for.
      type: int
    auto_refresh:
      description: Whether UCP renews it by itself.
      type: bool
  sample: {key_id: Xyz-1, expires_at: "2027-03-24T00:00:00Z", days_left: 365, tier: Production, max_engines: 50, auto_refresh: true}
certificates:
  description: The certificate that O(host) shows, and those of the CA that it hands out.
  returned: when in O(gather)
  type: list
  elements: dict
  contains:
    source:
      description: C(server) or C(ca).
      type: str
    subject:
      description: Common name, or the whole subject.
      type: str
    issuer:
      description: Common name, or the whole subject, of who signed it.
      type: str
    names:
      description: Names and addresses it is for.
      type: list
      elements: str
    not_after:
      description: When it ends.
      type: str
    days_left:
      description: Whole days until then, negative when it has ended.
      type: int
  sample:
    - {source: server, subject: ucp.example.com, issuer: Example CA, names: [ucp.example.com, 192.0.2.11],
       not_after: "2021-01-02T03:04:05Z", days_left: 365}
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_facts import gather
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_facts import PARTS, READS, swarm


def work(client, params, check_mode):
    """The module's result."""
    parts = {**PARTS, "swarm": (PARTS["swarm"][0], lambda record: swarm(record, params["with_join_tokens"]))}
    return {"changed": False, **gather(client, READS, parts, params["gather"])}


def main():
    """Entry point."""
    run(_ucp, {
        "gather": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
        "with_join_tokens": {"type": "bool", "default": False, "no_log": False},
    }, work)


if __name__ == "__main__":
    main()
