# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: certificate_store_sets
short_description: Makes the sets that keep what the own CA just issued
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Joins the requests of a plan with the keys and certificates made for them, in the same order.
  - The result holds private keys. Hand it to M(dockyard.trusted_registry.certificate_files) and keep it out of facts.
options:
  _input:
    description: C(issue) of P(dockyard.trusted_registry.certificate_plan#filter).
    type: list
    elements: dict
    required: true
  directory:
    description: Directory that gets one directory for each name.
    type: str
    required: true
  keys:
    description: PEM text of the private keys.
    type: list
    elements: str
    required: true
  certificates:
    description: PEM text of the certificates.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Keep what was issued
  dockyard.trusted_registry.certificate_files:
    directory_mode: '0700'
    sets: "{{ plan.issue | dockyard.trusted_registry.certificate_store_sets('/etc/pki/own/issued/web-1', keys, certificates) }}"
"""

RETURN = r"""
_value:
  description: The option O(dockyard.trusted_registry.certificate_files#module:sets).
  type: list
  elements: dict
"""

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_plan import stored_sets


def certificate_store_sets(requests, directory, keys, certificates):
    return stored_sets(directory, requests, keys, certificates)


class FilterModule:
    def filters(self):
        return {"certificate_store_sets": certificate_store_sets}
