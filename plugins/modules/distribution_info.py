#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_info
short_description: Say what stands on a registry host
version_added: 0.1.0
author: Dockyard contributors (@dockyard)
description:
  - Returns the installed version of CNCF Distribution, the state of its service, whether it must restart to run what stands
    on the host and why, and whether it answers as it should. One call, which changes nothing.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._distribution
attributes:
  diff_mode:
    details: Shows what M(dockyard.trusted_registry.distribution_service) would change, with secrets blanked.
options:
  files:
    description: Names and paths of files whose presence is asked for.
    type: dict
    default: {}
  warnings:
    description: Warnings to show with the result.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Look at a registry
  dockyard.trusted_registry.distribution_info:
    config: "{{ my_config | to_nice_yaml }}"
    unit: "{{ lookup('ansible.builtin.template', 'distribution.service.j2') }}"
    executable: /usr/bin/docker-registry
    watched:
      - /etc/distribution/config.yml
    health:
      name: registry.example.com
      certificate: /etc/distribution/tls/certificate.pem
  register: my_registry
"""

RETURN = r"""
version:
  description: The installed version; empty when none is, and for a container.
  returned: always
  type: str
  sample: 2.8.3
running_version:
  description: The version that the service runs, which differs from C(version) until a restart; empty for a container.
  returned: always
  type: str
  sample: 2.8.2
service:
  description: The unit's state.
  returned: always
  type: dict
  sample: {exists: true, active: true, enabled: true, failed: false, stale_unit: false, pid: 4711, result: success}
pending:
  description: Whether M(dockyard.trusted_registry.distribution_service) with the same options would do anything.
  returned: always
  type: bool
  sample: true
differing:
  description: Files that are not as declared, in content, owner or mode.
  returned: always
  type: list
  elements: str
  sample: [/etc/distribution/config.yml]
restart_reasons:
  description: Why the running service must restart to run what stands on the host.
  returned: always
  type: list
  elements: str
  sample: ["/etc/distribution/tls/certificate.pem has changed"]
health:
  description: Whether the registry answers as it should; null when it was not asked.
  returned: always
  type: dict
  sample: {healthy: false, status: 200, problem: "it answers 200 to everybody: authentication is off"}
present:
  description: For each name in O(files) whether the file is there; also C(user).
  returned: always
  type: dict
  sample: {user: true, htpasswd: true}
store:
  description: Size and free space of the file system that holds the store; null when there is none.
  returned: always
  type: dict
  sample: {path: /var/lib/distribution, bytes_total: 64424509440, bytes_free: 32212254720}
container:
  description: The image that runs and the image that the reference names; null without O(container_image).
  returned: always
  type: dict
  sample: {running_image: "sha256:9f86...", image: "sha256:9f86..."}
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_apply import Service
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_args import SERVICE_OPTIONS
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_state import (
    running_executable,
    store_state,
    version_of,
)


def look(params):
    """Everything the module returns."""
    service = Service(params)
    pending = service.survey()
    state = service.seen["service"]
    problem, status = service.health() if state["active"] else ("the service is not active", None)
    version, running = version_of(params["executable"]), running_executable(state["pid"]) if params["executable"] else ""
    if running and running != os.path.realpath(params["executable"]):
        running_version = version_of("/proc/{}/exe".format(state["pid"]))
    else:
        running_version = version if running else ""
    return {
        "changed": False,
        "diff": service.diff,
        "pending": pending or bool(problem),
        "differing": service.todo["writes"] + service.todo["mend"],
        "version": version,
        "running_version": running_version,
        "service": state,
        "restart_reasons": service.seen["restart_reasons"],
        "health": {"healthy": not problem, "status": status, "problem": problem},
        "present": dict({name: os.path.exists(path) for name, path in params["files"].items()}, user=bool(service.owner.ids)),
        "store": store_state(params["store"]) if params["store"] else None,
        "container": service.seen["container"],
    }


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec=dict(
            SERVICE_OPTIONS,
            files={"type": "dict", "default": {}},
            warnings={"type": "list", "elements": "str", "default": []},
        ),
        supports_check_mode=True,
    )
    for text in module.params["warnings"]:
        module.warn(text)
    try:
        result = look(module.params)
    except OSError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
