# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: registry_trust_problems
short_description: Everything that is wrong with a list of trusted registries
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Checks names, contradictions and certificates on the controller, so that a play stops before it has changed any host.
  - Each problem is one sentence that says what is wrong, where, and how to mend it. No secret appears in it.
positional: _input
options:
  _input:
    description: The list, as the variable C(registry_trust_registries) of the role P(dockyard.trusted_registry.registry_trust#role) has it.
    type: list
    elements: dict
    required: true
  networks:
    description: CIDRs of insecure networks.
    type: list
    elements: str
    default: []
  dialects:
    description: The dialects that will be written.
    type: list
    elements: str
    default: [docker]
  base:
    description: Directory that relative file names are taken from.
    type: path
    default: .
  check_mode:
    description: Take a file that is not there for one that an earlier play would have made, had it not run in check mode.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Refuse a list that cannot work
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join('; ') }}"
  vars:
    problems: "{{ registry_trust_registries | dockyard.trusted_registry.registry_trust_problems(base=inventory_dir) }}"
"""

RETURN = r"""
_value:
  description: The problems; empty when there are none.
  type: list
  elements: str
"""

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._registry_trust import all_problems


def registry_trust_problems(entries, networks=(), dialects=("docker",), base=".", check_mode=False):
    return all_problems(list(entries), list(networks), list(dialects), base, check_mode=check_mode)


class FilterModule:
    def filters(self):
        return {"registry_trust_problems": registry_trust_problems}
