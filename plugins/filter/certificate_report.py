# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: certificate_report
short_description: Reports how long deployed and served certificates remain valid
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - One row for each certificate and CA file of the entries, and for each address in their C(status_addresses).
options:
  _input:
    description: The entries of C(certificates_list).
    type: list
    elements: dict
    required: true
  found:
    description: What M(dockyard.trusted_registry.certificate_files_info) returned.
    type: dict
    required: true
  host:
    description: Name of the host, for the rows.
    type: str
    required: true
  warn_days:
    description: Fewer remaining days than this make the state V(warn).
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Fail when something has expired
  ansible.builtin.assert:
    that: rows | selectattr('state', 'equalto', 'expired') | length == 0
  vars:
    rows: "{{ certificates_list | dockyard.trusted_registry.certificate_report(found, inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description:
    - Rows with C(host), C(name), C(path), C(subject), C(names), C(not_after), C(days_left) and C(state).
    - C(not_after) and C(days_left) are those of the member of the file that ends first.
    - C(state) is V(ok), V(warn), V(expired), V(missing), V(invalid) (no certificate in the file), V(unreachable) (nothing answered
      at the address), or V(stale) (the address serves another certificate than the file holds; a restart is due).
  type: list
  elements: dict
  sample:
    - host: registry-1
      name: distribution
      path: /etc/distribution/tls/certificate.pem
      subject: CN=registry.example.com
      names: [registry.example.com, 192.0.2.5]
      not_after: "2027-12-25T08:00:00Z"
      days_left: 396
      state: ok
"""

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _certificates_pem as pem
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_report import expiry_rows


def certificate_report(entries, found, host, warn_days=30):
    return expiry_rows(entries, found, pem.now_utc(), warn_days, host)


class FilterModule:
    def filters(self):
        return {"certificate_report": certificate_report}
