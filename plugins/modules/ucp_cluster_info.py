#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ucp_cluster_info
short_description: What a host shows of Universal Control Plane and its Swarm
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Reads from the host's engine what part it has in the Swarm and in UCP, without an account of UCP's. Nothing is changed.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  check_mode:
    details: Reads the same as without it.
  diff_mode:
    support: none
    details: Nothing is changed.
options:
  controller_port:
    description: Port at which a manager is asked whether it is well.
    type: int
    default: 443
  images:
    description: Images that are looked for on this host, by their names with tags.
    type: list
    elements: str
    default: []
  wait:
    description:
      - Seconds to wait until UCP is well on this host, and until what the other options of waiting ask for. The task fails when it is
        not so by then.
      - Without it the host is looked at once, and nothing fails.
    type: int
    default: 0
  wait_version:
    description: Version that all parts of UCP on this host shall have.
    type: str
  wait_worker:
    description: Whether UCP shall have made a worker of this host, which has no controller.
    type: bool
    default: false
  wait_certificate:
    description: Whether a manager shall show the certificate that is in its volume.
    type: bool
    default: false
  join_tokens:
    description:
      - Whether a manager tells the tokens with which hosts join the Swarm. They are secrets that let anybody into the cluster. Set
        C(no_log) on the task.
    type: bool
    default: false
notes:
  - Needs the engine's socket and, for a manager's health, its folder, so usually root.
  - Names of containers and volumes are those of the UCP documentation; the agents' services are a field observation.
seealso:
  - module: dockyard.trusted_registry.ucp_cluster
  - module: dockyard.trusted_registry.ucp_info
"""

EXAMPLES = r"""
- name: Wait until the manager is well
  dockyard.trusted_registry.ucp_cluster_info:
    wait: 900
"""

RETURN = r"""
hostname:
  description: Name of the engine's host, which is its name in the Swarm.
  returned: success
  type: str
  sample: ucp-1
engine_version:
  description: Version of the engine.
  returned: success
  type: str
  sample: 19.03.5
swarm:
  description: The host's part in a Swarm.
  returned: success
  type: dict
  contains:
    state:
      description: C(inactive), C(pending), C(active), C(error) or C(locked).
      type: str
    node_id:
      description: Its id as a node.
      type: str
    address:
      description: Address by which the others reach it.
      type: str
    manager:
      description: Whether it is a manager.
      type: bool
    cluster_id:
      description: The Swarm's id, told by managers.
      type: str
    manager_addresses:
      description: Where managers are reached.
      type: list
      elements: str
    error:
      description: What is wrong.
      type: str
  sample:
    {state: active, node_id: 24ifsmvkjbyhk, address: 192.0.2.11, manager: true, cluster_id: abajmipo7b4xz5ip2nrla6b11,
     manager_addresses: ["192.0.2.11:2377"], error: ""}
installed:
  description: Whether UCP is there. A manager says so of the cluster, a worker of itself.
  returned: success
  type: bool
  sample: true
half_installed:
  description: Whether a manager has parts of a UCP whose installation did not come to its end.
  returned: success
  type: bool
  sample: false
leftovers:
  description: Whether a host that is in no Swarm has parts of UCP.
  returned: success
  type: bool
  sample: false
version:
  description: Version of UCP on this host, empty without UCP.
  returned: success
  type: str
  sample: 3.2.5
versions:
  description: Version of each part that tells it.
  returned: success
  type: dict
  sample: {ucp-controller: 3.2.5, ucp-proxy: 3.2.5}
healthy:
  description: Whether UCP's parts run here and, on a manager, say that they are well.
  returned: success
  type: bool
  sample: true
problem:
  description: Why not.
  returned: success
  type: str
  sample: ""
missing:
  description: Parts that should be there and are not, as on a host that has just joined.
  returned: success
  type: list
  elements: str
  sample: []
containers:
  description: UCP's containers.
  returned: success
  type: list
  elements: str
  sample: [ucp-controller, ucp-proxy]
not_running:
  description: Those of them that do not run.
  returned: success
  type: list
  elements: str
  sample: []
services:
  description: UCP's services, told by managers.
  returned: success
  type: list
  elements: dict
  sample: [{name: ucp-manager-agent, version: 3.2.5}]
volumes:
  description: UCP's volumes on this host.
  returned: success
  type: list
  elements: str
  sample: [ucp-auth-store-data, ucp-controller-server-certs]
dtr_volumes:
  description: DTR's volumes on this host.
  returned: success
  type: list
  elements: str
  sample: []
other_services:
  description: Names of the Swarm's services that are not UCP's, told by managers.
  returned: success
  type: list
  elements: str
  sample: []
web_certificate_served:
  description: Whether a manager shows the certificate that is in its volume; null on other hosts.
  returned: success
  type: bool
  sample: true
nodes:
  description: The Swarm's nodes, told by managers.
  returned: success
  type: list
  elements: dict
  sample:
    - {id: 24ifsmvkjbyhk, hostname: ucp-1, address: 192.0.2.11, role: manager, availability: active, state: ready, labels: {}, leader: true,
       reachability: reachable}
missing_images:
  description: Those of O(images) that are not on this host.
  returned: success
  type: list
  elements: str
  sample: []
web_ca:
  description: The CA of UCP's web certificate, PEM, told by managers; empty without UCP.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE-----\n..."
web_certificates_path:
  description: Folder of the volume with UCP's web certificate on this host, empty where there is none.
  returned: success
  type: str
  sample: /var/lib/docker/volumes/ucp-controller-server-certs/_data
join_tokens:
  description: The tokens C(worker) and C(manager), with O(join_tokens), told by managers.
  returned: success
  type: dict
  sample: {}
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import Engine, EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_cluster_state import WEB_CERTIFICATES, observe, web_ca

PAUSE = 0.5   # seconds between two looks


class NotSo(Exception):
    """Waited for in vain; one sentence."""


def waited(engine, params):
    """The state, when it is as asked for, or at once where nothing is waited for."""
    deadline = time.monotonic() + params["wait"]
    while True:
        state = observe(engine, params["controller_port"])
        problem = lacking(state, params) if params["wait"] else ""
        if not problem:
            return state
        if time.monotonic() > deadline:
            raise NotSo(f"UCP on {engine.host} is not as it should be after {params['wait']} s: {problem}. See its containers' logs there"
                        " (docker logs ucp-proxy, ucp-controller), and that its ports are open between the nodes.")
        time.sleep(PAUSE)


def lacking(state, params):
    """What is not so yet, "" when nothing is missing."""
    wanted = params["wait_version"]
    others = sorted(name for name, version in state["versions"].items() if wanted and version != wanted)
    if not state["healthy"]:
        return state["problem"] or "it is not installed"
    if others:
        return f"{', '.join(others)} is not of version {wanted}"
    if params["wait_worker"] and "ucp-controller" in state["containers"]:
        return "it still has a controller, though it is to be a worker"
    if params["wait_certificate"] and not state["web_certificate_served"]:
        return "it shows another certificate than the one in its volume"
    return ""


def work(engine, params):
    """The module's result."""
    state = waited(engine, params)
    volume = engine.find(f"/volumes/{WEB_CERTIFICATES}") or {}
    return {
        **state, "changed": False, "missing_images": [name for name in params["images"] if engine.image(name) is None],
        "web_ca": web_ca(engine) if state["swarm"]["manager"] else "", "web_certificates_path": volume.get("Mountpoint", ""),
        "join_tokens": tokens(engine) if params["join_tokens"] and state["swarm"]["manager"] else {},
    }


def tokens(engine):
    """{worker, manager}."""
    found = engine.get("/swarm")["JoinTokens"]
    return {"worker": found["Worker"], "manager": found["Manager"]}


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "controller_port": {"type": "int", "default": 443},
            "images": {"type": "list", "elements": "str", "default": []},
            "wait": {"type": "int", "default": 0},
            "wait_version": {"type": "str"},
            "wait_worker": {"type": "bool", "default": False},
            "wait_certificate": {"type": "bool", "default": False},
            "join_tokens": {"type": "bool", "default": False, "no_log": False},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**work(Engine(), module.params))
    except (EngineError, NotSo) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
