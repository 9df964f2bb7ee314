#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_balancer_config
short_description: Bring HAProxy or keepalived to a configuration without losing connections
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - For the role P(dockyard.trusted_registry.load_balancer#role). Tests a configuration with the program that is to read it, puts it in
    place, and has it read by a reload, which leaves open connections and virtual addresses where they are.
  - When HAProxy does not take it, the old configuration is put back.
  - A reload that a killed run owes is made up for. Servers that are drained stay drained.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
options:
  service:
    description: Whose configuration it is.
    type: str
    choices: [haproxy, keepalived]
    required: true
  config:
    description: The text of C(/etc/haproxy/haproxy.cfg) or C(/etc/keepalived/keepalived.conf).
    type: str
    required: true
  files:
    description: Files that the configuration names. Their names change with their content.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where.
        type: path
        required: true
      content:
        description: What.
        type: str
        required: true
  unit:
    description: Lines that are laid over the service's unit. A change restarts the service.
    type: str
    default: ""
  secrets:
    description: Secrets in O(config), to be blanked in whatever the module says.
    type: list
    elements: str
    default: []
  replace_foreign:
    description: Whether a configuration may be replaced that is neither this collection's nor the package's. A copy is kept beside it.
    type: bool
    default: false
  timeout:
    description: Seconds for the service to run with the new configuration.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Balance as declared
  dockyard.trusted_registry.load_balancer_config:
    service: haproxy
    config: "{{ lookup('ansible.builtin.template', 'haproxy.cfg.j2') }}"
"""

RETURN = r"""
action:
  description: What it took, V(reload), V(start), V(restart), V(enable), or nothing.
  returned: success
  type: str
  sample: reload
differing:
  description: Files that were not as declared.
  returned: success
  type: list
  elements: str
  sample: [/etc/haproxy/haproxy.cfg]
"""

import os
import shutil

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _balancer_service as balancer
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._haproxy import HaproxyError


def refuse(service, module):
    """What must not be touched, or cannot work; None when all is well."""
    path = service.known["config"]
    if service.foreign() and not module.params["replace_foreign"]:
        return (
            f"{path} is somebody else's, and replacing it would end what it serves; look at it, then set load_balancer_replace_confirm to "
            "the inventory name of this host. Nothing was changed"
        )
    if module.check_mode:
        return None
    if not service.state["exists"]:
        return f"there is no {service.name}.service on this host; install the package {service.name}"
    version = balancer.haproxy_version() if service.name == "haproxy" else balancer.OLDEST_HAPROXY
    if version < balancer.OLDEST_HAPROXY:
        return f"HAProxy here is {'.'.join(map(str, version))}; 2.2 or later is needed: Debian 11, Ubuntu 22.04 and Enterprise Linux 9"
    return None


def diffs(service):
    return [
        {
            "before_header": path,
            "after_header": path,
            "before": (service.before[path] or b"").decode("utf-8", "replace"),
            "after": service.wanted[path],
        }
        for path in service.differing
    ]


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "str", "choices": ["haproxy", "keepalived"], "required": True},
            "config": {"type": "str", "required": True},
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {"path": {"type": "path", "required": True}, "content": {"type": "str", "required": True}},
            },
            "unit": {"type": "str", "default": ""},
            "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
            "replace_foreign": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    try:
        service = balancer.Service(module.params)
        problem = refuse(service, module)
        if problem:
            module.fail_json(msg=f"{problem}.")
        action = service.action()
        if action and not module.check_mode:
            foreign = service.foreign()
            service.check()
            if foreign:
                path = service.known["config"]
                shutil.copy2(path, f"{path}.before-{os.stat(path).st_mtime_ns // 10**9}")
            service.apply(action)
        module.exit_json(changed=bool(action), action=action, differing=service.differing, diff=diffs(service))
    except (balancer.ServiceError, HaproxyError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
