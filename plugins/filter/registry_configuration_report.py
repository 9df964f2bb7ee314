# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: registry_configuration_report
short_description: Lays out what differs from its declaration as text
version_added: 0.2.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Lines of text, by kind of thing; one line where all is as declared.
options:
  _input:
    description: What P(dockyard.trusted_registry.registry_configuration_summary#filter) returned.
    type: dict
    required: true
  host:
    description: The registry, for the first line.
    type: str
    required: true
  words:
    description: How C(created), C(updated) and C(deleted) are to be called.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Tell what differs
  ansible.builtin.debug:
    msg: "{{ registry_configuration_status | dockyard.trusted_registry.registry_configuration_report('registry.example.com') }}"
"""

RETURN = r"""
_value:
  description: Lines of text.
  type: list
  elements: str
  sample:
    - "registry.example.com:"
    - "  repositories"
    - "    updated: ops/base (immutable_tags)"
    - "    undeclared: ops/playground"
    - "  11 kinds of things compared, 1 differ, 1 with something undeclared."
"""

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._registry_configuration_report import lines


class FilterModule:
    def filters(self):
        return {"registry_configuration_report": lines}
