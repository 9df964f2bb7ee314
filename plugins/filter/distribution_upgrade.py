# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._distribution_plan import upgrade

DOCUMENTATION = r"""
name: distribution_upgrade
short_description: Say what changing the version of a registry costs
version_added: 0.1.0
author: Dockyard contributors (@dockyard)
description:
  - For the role P(dockyard.trusted_registry.distribution#role). The configuration is not looked at here;
    P(dockyard.trusted_registry.distribution_config_problems#filter) does that for the new version.
positional: target, scan, driver
options:
  _input:
    description: The installed version; empty when none is.
    type: str
    required: true
  target:
    description: The version to come.
    type: str
    required: true
  scan:
    description: What M(dockyard.trusted_registry.distribution_store_info) returned; null when the store cannot be read on the host.
    type: dict
  driver:
    description: The storage driver.
    type: str
    default: filesystem
"""

EXAMPLES = r"""
- name: What would the upgrade cost
  ansible.builtin.debug:
    msg: "{{ '2.8.3' | dockyard.trusted_registry.distribution_upgrade('3.1.2', my_scan, 'filesystem') }}"
"""

RETURN = r"""
_value:
  description: C(errors), to be acknowledged before going on, and C(notices).
  type: dict
  sample:
    errors: ["team/old@sha256:9f86...: is a schema1 manifest, which 3.x cannot read; push it again with a current client"]
    notices: []
"""


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"distribution_upgrade": lambda current, target, scan=None, driver="filesystem": upgrade(current, target, scan, driver)}
