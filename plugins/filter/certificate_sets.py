# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: certificate_sets
short_description: Makes the sets that certificate_files deploys
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Puts the certificate and its chain into one text, leaf first, drops everything between PEM blocks, and decrypts the key.
  - The result holds private keys. Hand it to M(dockyard.trusted_registry.certificate_files) and keep it out of facts.
options:
  _input:
    description: Entries in which P(dockyard.trusted_registry.certificate_problems#filter) found no problem.
    type: list
    elements: dict
    required: true
  pending:
    description: Names of entries to leave out, because check mode did not issue them.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Deploy
  dockyard.trusted_registry.certificate_files:
    sets: "{{ material.entries | dockyard.trusted_registry.certificate_sets }}"
"""

RETURN = r"""
_value:
  description: The option O(dockyard.trusted_registry.certificate_files#module:sets).
  type: list
  elements: dict
"""

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_plan import deployable


class FilterModule:
    def filters(self):
        return {"certificate_sets": deployable}
