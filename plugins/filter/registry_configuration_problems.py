# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: registry_configuration_problems
short_description: Everything that is wrong with what is declared of a registry's content
version_added: 0.2.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Judges the variables of the role P(dockyard.trusted_registry.registry_configuration#role) before the first request is sent.
  - It finds names that nobody knows, wrong types and choices, things declared twice, grants of teams that there will not be, rules and
    schedules that the registry could not read, and secrets that are missing.
  - What exists in the registry is not looked at.
options:
  _input:
    description: The role's variables without their prefix, all of them.
    type: dict
    required: true
  given:
    description: Names of all variables with the role's prefix that are set.
    type: list
    elements: str
    required: true
  known:
    description: Names of the role's variables.
    type: list
    elements: str
    required: true
  connection:
    description: Options of the connections, under C(dtr) and C(ucp).
    type: dict
    required: true
  exclusive:
    description: Kinds of things of which undeclared ones are to go.
    type: list
    elements: str
    default: []
  accepted:
    description: By kind, patterns of what may exist without being declared.
    type: dict
    default: {}
  confirm_removal:
    description: The registry and the UCP that may lose undeclared things, as the operator named them; empty texts where not.
    type: list
    elements: str
    default: ["", ""]
"""

EXAMPLES = r"""
- name: Refuse what cannot work
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join('\n') }}"
  vars:
    problems: >-
      {{ tree | dockyard.trusted_registry.registry_configuration_problems(given=given, known=known, connection=connection) }}
"""

RETURN = r"""
_value:
  description: Sentences that say what, where and how to mend; none when all is well. No sentence holds a secret.
  type: list
  elements: str
  sample:
    - "registry_configuration_repositories[3] 'ops/base': 'visiblity' is unknown. Did you mean visibility?"
"""

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._registry_configuration_check import all_problems


def registry_configuration_problems(tree, *, given, known, connection, exclusive=(), accepted=None, confirm_removal=("", "")):
    removal = {"exclusive": exclusive, "accepted": accepted or {}, "confirm": confirm_removal}
    return all_problems(tree, {"given": given, "known": known}, connection, removal)


class FilterModule:
    def filters(self):
        return {"registry_configuration_problems": registry_configuration_problems}
