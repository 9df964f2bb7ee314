# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._distribution_check import problems

DOCUMENTATION = r"""
name: distribution_config_problems
short_description: Find what is wrong with a configuration of CNCF Distribution
version_added: 0.1.0
author: Dockyard contributors (@dockyard)
description:
  - Compares a configuration with what the given version of the registry reads, which the registry itself does not do.
    It ignores unknown keys without a word and panics on some known ones.
positional: version
options:
  _input:
    description: The configuration, as in C(config.yml).
    type: dict
    required: true
  version:
    description: The registry's version, such as V(2.8.3) or V(3.1.2).
    type: str
    required: true
  accepted_cves:
    description: Vulnerabilities whose errors become warnings.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Refuse a configuration that the registry would misread
  ansible.builtin.assert:
    that: my_problems.errors | length == 0
    fail_msg: "{{ my_problems.errors | join('\n') }}"
  vars:
    my_problems: "{{ my_config | dockyard.trusted_registry.distribution_config_problems('3.1.2') }}"
"""

RETURN = r"""
_value:
  description: C(errors) and C(warnings), each a list of messages that begin with the place in the configuration.
  type: dict
  sample:
    errors: ["storage.readonly: unknown key, the registry would ignore it; did you mean storage.maintenance.readonly?"]
    warnings: []
"""


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"distribution_config_problems": lambda config, version, accepted_cves=(): problems(config, version, accepted_cves)}
