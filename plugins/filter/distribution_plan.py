# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._distribution_plan import plan

DOCUMENTATION = r"""
name: distribution_plan
short_description: Decide everything the role distribution does on a host
version_added: 0.1.0
author: Dockyard contributors (@dockyard)
description:
  - For the role P(dockyard.trusted_registry.distribution#role). Turns its variables into the paths, the files to watch and the
    expected health, or into a list of what is wrong with them. Its result holds no secret.
options:
  _input:
    description: The role's variables without their prefix.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Decide
  ansible.builtin.set_fact:
    __distribution_plan: "{{ __distribution_settings | dockyard.trusted_registry.distribution_plan }}"
"""

RETURN = r"""
_value:
  description: C(errors) and C(warnings); without errors also what is to stand on the host.
  type: dict
  sample:
    errors: ["distribution_port: 70000 is not a port"]
    warnings: []
"""


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"distribution_plan": plan}
