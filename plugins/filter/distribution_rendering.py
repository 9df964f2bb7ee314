# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._distribution_plan import rendering

DOCUMENTATION = r"""
name: distribution_rendering
short_description: Render the configuration of a registry
version_added: 0.1.0
author: Dockyard contributors (@dockyard)
description:
  - For the role P(dockyard.trusted_registry.distribution#role). Its result holds secrets; use it in the task that writes the file and
    never keep it in a fact.
options:
  _input:
    description: The role's variables without their prefix.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the configuration
  ansible.builtin.copy:
    content: "{{ (__distribution_settings | dockyard.trusted_registry.distribution_rendering).text }}"
    dest: /etc/distribution/config.yml
    owner: root
    group: distribution
    mode: "0640"
  no_log: true
"""

RETURN = r"""
_value:
  description: The C(text) of the file, and the C(secrets) in it so that they can be kept out of any output.
  type: dict
  sample:
    text: "version: 0.1..."
    secrets: []
"""


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"distribution_rendering": rendering}
