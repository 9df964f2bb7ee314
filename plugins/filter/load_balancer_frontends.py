# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._load_balancer import frontends

DOCUMENTATION = r"""
name: load_balancer_frontends
short_description: What a balancer has to listen on for the groups of an inventory
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - For the role P(dockyard.trusted_registry.load_balancer#role), whose O(ignore:load_balancer_frontends) it makes from the groups
    C(ucp_managers), C(dtr_replicas) and C(registries).
positional: hostvars, options
options:
  _input:
    description: Groups with their hosts.
    type: dict
    required: true
  hostvars:
    description: The hosts' variables.
    type: dict
    required: true
  options:
    description: Ports and addresses to listen on. A port of V(0) leaves a frontend out.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what would be listened on
  ansible.builtin.debug:
    msg: "{{ groups | dockyard.trusted_registry.load_balancer_frontends(hostvars, my_ports) }}"
"""

RETURN = r"""
_value:
  description: Frontends with their servers and how those are checked.
  type: list
  elements: dict
  sample:
    - name: dtr
      addresses: []
      port: 443
      servers: [{name: dtr-1, address: 192.0.2.21, port: 443}]
      check: {path: /_ping, name: dtr.example.com}
"""


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"load_balancer_frontends": frontends}
