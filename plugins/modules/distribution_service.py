#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_service
short_description: Bring a registry service to its declared configuration, or leave the old one running
version_added: 0.1.0
author: Dockyard contributors (@dockyard)
description:
  - Writes the configuration and the unit of CNCF Distribution, starts the service, restarts it only when what it runs
    differs from what stands on the host, and waits until it answers as it should.
  - Before anything is changed the new configuration is started beside the running service, on a socket that nobody uses.
  - When the service does not come up afterwards, what last ran well is put back.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._distribution
options:
  trial:
    description: Whether to try the configuration beside the running service first.
    type: bool
    default: true
  trial_executable:
    description: The binary to try it with.
    type: str
    default: ""
  remote_store:
    description: Whether the trial waits for an answer of the store.
    type: bool
    default: false
  announced:
    description: Watched files that an earlier task of this run changes; in check mode they have not changed yet.
    type: list
    elements: path
    default: []
  timeout:
    description: Seconds to wait for the service to answer as it should.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Run the registry as declared
  dockyard.trusted_registry.distribution_service:
    config: "{{ my_config | to_nice_yaml }}"
    unit: "{{ lookup('ansible.builtin.template', 'distribution.service.j2') }}"
    executable: /usr/bin/docker-registry
    trial_executable: /usr/bin/docker-registry
    watched:
      - /etc/distribution/config.yml
      - /etc/distribution/tls/certificate.pem
    health:
      name: registry.example.com
"""

RETURN = r"""
action:
  description: What was done with the service, V(none), V(start) or V(restart).
  returned: success
  type: str
  sample: restart
restart_reasons:
  description: Why it was restarted.
  returned: success
  type: list
  elements: str
  sample: ["/etc/distribution/config.yml is to change"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_apply import ApplyError, Service
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_args import SERVICE_OPTIONS


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec=dict(
            SERVICE_OPTIONS,
            trial={"type": "bool", "default": True},
            trial_executable={"type": "str", "default": ""},
            remote_store={"type": "bool", "default": False},
            announced={"type": "list", "elements": "path", "default": []},
            timeout={"type": "int", "default": 30},
        ),
        supports_check_mode=True,
    )
    try:
        module.exit_json(**Service(module.params).apply(module.check_mode, module.params["announced"]))
    except (ApplyError, OSError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
