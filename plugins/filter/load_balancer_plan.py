# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._load_balancer import plan

DOCUMENTATION = r"""
name: load_balancer_plan
short_description: Check what a balancer is to do, and fill in what was not said
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - For the role P(dockyard.trusted_registry.load_balancer#role). Its result holds no secret.
positional: options
options:
  _input:
    description: Frontends.
    type: list
    elements: dict
    required: true
  options:
    description: The role's other variables without their prefix.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Decide
  ansible.builtin.set_fact:
    __load_balancer_plan: "{{ load_balancer_frontends | dockyard.trusted_registry.load_balancer_plan(__load_balancer_options) }}"
"""

RETURN = r"""
_value:
  description: C(errors), C(warnings) and C(frontends).
  type: dict
  sample: {errors: ["load_balancer_frontends[0] (dtr): 70000 is not a port (1 to 65535)"], warnings: [], frontends: []}
"""


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"load_balancer_plan": plan}
