#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ucp_leftovers
short_description: What Universal Control Plane leaves on a host that has left its cluster
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Removes UCP's containers and volumes from a host that is in no Swarm any more, so that it can join another cluster.
  - Images, overlay networks of others and C(/etc/docker/certs.d) stay.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
options:
  keep_volumes:
    description: Volumes to leave, by name, of those that begin with C(ucp-).
    type: list
    elements: str
    default: []
notes:
  - A host that is still a node of a Swarm is refused, for there UCP's parts are in use. Have it leave with
    M(dockyard.trusted_registry.swarm_node).
  - A volume with a driver or options of its own was made by an operator and stays.
  - UCP's network rules stay until the host is restarted (UCP docs, uninstall).
seealso:
  - module: dockyard.trusted_registry.swarm_node
  - module: dockyard.trusted_registry.ucp_cluster
"""

EXAMPLES = r"""
- name: The host forgets the cluster it was in
  dockyard.trusted_registry.ucp_leftovers:
"""

RETURN = r"""
removed:
  description: Names of containers and volumes that were removed, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [ucp-proxy, ucp-node-certs]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import Engine, EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_cluster_apply import leftovers, remove_parts


def main():
    """Entry point."""
    module = AnsibleModule(
        argument_spec={"keep_volumes": {"type": "list", "elements": "str", "default": []}},
        supports_check_mode=True,
    )
    engine, keep = Engine(), module.params["keep_volumes"]
    try:
        swarm = engine.info().get("Swarm") or {}
        if swarm.get("LocalNodeState", "inactive") != "inactive":
            module.fail_json(msg=f"{engine.host} is still a node of a swarm ({swarm['LocalNodeState']}): have it leave first"
                                 " (swarm_node with state=absent), then run again.")
        found = leftovers(engine, keep)
        if found and not module.check_mode:
            remove_parts(engine, services=False, keep=keep)
        module.exit_json(changed=bool(found), removed=found, diff={"before": {"parts": found}, "after": {"parts": []}})
    except EngineError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
