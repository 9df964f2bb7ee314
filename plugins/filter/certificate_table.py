# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: certificate_table
short_description: Lays out an expiry report as text
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Lines of equal columns; what needs attention comes first.
options:
  _input:
    description: Rows of P(dockyard.trusted_registry.certificate_report#filter), of any number of hosts.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the report of all hosts
  ansible.builtin.debug:
    msg: "{{ rows | flatten | dockyard.trusted_registry.certificate_table }}"
  vars:
    rows: "{{ ansible_play_hosts | map('extract', hostvars, 'certificates_status') }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: Lines of text, the headings first.
  type: list
  elements: str
"""

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_report import table


class FilterModule:
    def filters(self):
        return {"certificate_table": table}
