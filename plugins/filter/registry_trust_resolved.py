# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: registry_trust_resolved
short_description: A list of trusted registries with file contents in place of file names
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Reads C(ca_file), C(client_certificate_file) and C(client_key_file) on the controller and returns entries the module
    M(dockyard.trusted_registry.registry_trust) takes.
  - The result holds private keys. Hand it to the module directly, never to a fact or a task that prints it.
positional: _input
options:
  _input:
    description: The list, as the variable C(registry_trust_registries) has it.
    type: list
    elements: dict
    required: true
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
- name: Trust the registries
  dockyard.trusted_registry.registry_trust:
    registries: "{{ registry_trust_registries | dockyard.trusted_registry.registry_trust_resolved(base=inventory_dir) }}"
"""

RETURN = r"""
_value:
  description: The entries.
  type: list
  elements: dict
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._registry_trust import read_files


def registry_trust_resolved(entries, base=".", check_mode=False):
    resolved, found = read_files(list(entries), base, check_mode)
    if found:
        raise AnsibleFilterError("; ".join(found))
    return resolved


class FilterModule:
    def filters(self):
        return {"registry_trust_resolved": registry_trust_resolved}
