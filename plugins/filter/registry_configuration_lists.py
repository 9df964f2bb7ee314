# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: registry_configuration_lists
short_description: The lists that the dtr and ucp modules take, out of one tree of variables
version_added: 0.2.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Flattens what the role P(dockyard.trusted_registry.registry_configuration#role) lets an operator write as a tree, organizations with
    their teams and repositories with their grants, policies and webhooks, to one list for each kind of thing.
  - The result may hold passwords. Hand it to the modules, never to a fact or a task that prints it.
positional: []
options:
  _input:
    description: The role's variables without their prefix, all of them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Teams of all declared organizations
  dockyard.trusted_registry.dtr_team:
    teams: "{{ (tree | dockyard.trusted_registry.registry_configuration_lists).teams }}"
"""

RETURN = r"""
_value:
  description: For each kind of thing what its module takes; empty where nothing is declared.
  type: dict
  sample:
    accounts: [{name: ops, type: organization}]
    teams: [{name: ops/release, members: [ann]}]
    repositories: [{name: ops/base, immutable_tags: true}]
    access: [{team: ops/release, repository: ops/base, level: read-write}]
"""

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._registry_configuration_tree import lists


class FilterModule:
    def filters(self):
        return {"registry_configuration_lists": lists}
