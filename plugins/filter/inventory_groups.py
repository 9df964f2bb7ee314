# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: inventory_groups
short_description: Groups of this collection that an inventory has
version_added: 0.1.0
description:
  - Names of the groups whose hosts this collection works on, as far as they exist and have hosts.
  - Ansible warns of a play's groups that do not exist; those of this filter do.
  - A play that uses it in C(hosts) also has Ansible load this collection's filters once instead of in every task of every host.
author: Dockyard contributors (@dockyard)
options:
  _input:
    description: The magic variable C(groups).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Every host of ours
  hosts: "{{ groups | dockyard.trusted_registry.inventory_groups }}"
  tasks: []
"""

RETURN = r"""
_value:
  description: Names of groups, possibly none.
  type: list
  elements: str
"""

GROUPS = ("ucp_managers", "ucp_workers", "dtr_replicas", "registries", "load_balancers", "registry_clients")


def inventory_groups(groups):
    return [name for name in GROUPS if groups.get(name)]


class FilterModule:
    def filters(self):
        return {"inventory_groups": inventory_groups}
