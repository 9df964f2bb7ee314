# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: registry_configuration_summary
short_description: What differs from its declaration, and what nobody declared
version_added: 0.2.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Brings the results of the dtr and ucp modules together.
positional: []
options:
  _input:
    description: The result of each module by the kind of thing it makes; those that were skipped do not count.
    type: dict
    required: true
  accepted:
    description: By kind, patterns of what may exist without being declared, such as V(sandbox/*).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Is all as declared?
  ansible.builtin.assert:
    that: (results | dockyard.trusted_registry.registry_configuration_summary).as_declared
  vars:
    results: {teams: "{{ teams }}", access: "{{ access }}"}
"""

RETURN = r"""
_value:
  description:
    - C(differs) holds by kind what was or would be created, updated and deleted, C(undeclared) by kind what exists and is not declared.
    - C(compared) lists the kinds that were looked at. C(as_declared) is whether there is nothing to tell.
  type: dict
  sample:
    differs:
      repositories: [{key: ops/base, action: updated, fields: [immutable_tags]}]
    undeclared:
      repositories: [ops/playground]
    compared: [repositories]
    as_declared: false
"""

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._registry_configuration_report import summary


class FilterModule:
    def filters(self):
        return {"registry_configuration_summary": summary}
