# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: certificate_problems
short_description: Says why keys and certificates must not be deployed
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Judges whether a key, a certificate and its chain are fit to serve TLS under the names that clients use.
  - The key must belong to the first certificate; the chain must be ordered and, where a CA is given, complete up to it; subject
    alternative names must cover all names, wildcards as in RFC 6125; nothing may be expired, not yet valid, or end within
    O(minimum_days); key usage must allow a TLS server; RSA keys under 2048 bits, odd curves, SHA-1 and MD5 are refused.
  - The filter reads nothing and changes nothing. It needs the Python library cryptography, 42 or newer, on the controller.
options:
  _input:
    description:
      - Dictionaries with C(name), C(names), C(source), C(deploy), and the PEM texts C(certificate), C(key), C(chain), C(ca), with
        C(key_passphrase) where the key is encrypted.
      - P(dockyard.trusted_registry.certificate_material#lookup) makes them from C(certificates_list).
    type: list
    elements: dict
    required: true
  minimum_days:
    description: Fewer remaining days than this are a problem. An entry may bring its own C(minimum_days).
    type: int
    default: 7
  pending:
    description: Names of entries that are yet to be issued; of these only the entry itself is judged.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Refuse a certificate that clients would refuse
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    problems: "{{ material.entries | dockyard.trusted_registry.certificate_problems(minimum_days=14) }}"
"""

RETURN = r"""
_value:
  description: Sentences that say where, what and how to mend. Empty when all is well. No sentence repeats any part of a key.
  type: list
  elements: str
  sample:
    - 'certificates_list entry "web", /pki/web.pem: CN=web expired on 2026-10-01 12:00 UTC; give a current one.'
"""

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _certificates_pem as pem
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_check import material_problems
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_input import (
    entry_problems,
    list_problems,
)


def certificate_problems(entries, minimum_days=7, pending=()):
    if pem.CRYPTOGRAPHY_MISSING:
        return [pem.missing_library()]
    now = pem.now_utc()
    found = list_problems(entries)
    for entry in entries:
        own = entry_problems(entry)
        if not own and entry.get("name") not in pending:
            limit = entry.get("minimum_days")
            own = material_problems(entry, now, minimum_days if limit is None else int(limit))
        found += own
    return found


class FilterModule:
    def filters(self):
        return {"certificate_problems": certificate_problems}
