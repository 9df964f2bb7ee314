# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._load_balancer import shared_problems

DOCUMENTATION = r"""
name: load_balancer_store_problems
short_description: Find why registries cannot stand behind one name
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Hosts of the group C(registries) can be balanced when they serve one name from one store. The filter says where they do not.
positional: hostvars
options:
  _input:
    description: Groups with their hosts.
    type: dict
    required: true
  hostvars:
    description: The hosts' variables.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse to balance registries that differ
  ansible.builtin.assert:
    that: groups | dockyard.trusted_registry.load_balancer_store_problems(hostvars) | length == 0
"""

RETURN = r"""
_value:
  description: What is wrong, a sentence each.
  type: list
  elements: str
  sample: []
"""


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"load_balancer_store_problems": shared_problems}
