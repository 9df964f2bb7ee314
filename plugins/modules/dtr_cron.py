#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_cron
short_description: What a Docker Trusted Registry does at regular times
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Makes, changes and deletes the crons of the registry's job runners. There is one cron for each action.
  - Garbage collection has a module of its own, M(dockyard.trusted_registry.dtr_gc).
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._items
options:
  crons:
    description: The crons.
    type: list
    elements: dict
    required: true
    suboptions:
      action:
        description:
          - What is done, such as V(scan_check_all), V(update_vuln_db), V(license_update), V(poll_mirror), V(tag_pruning) or
            V(onlinegc_joblogs).
        type: str
        required: true
      state:
        description: Whether the cron shall exist. Jobs that it has begun go on when it is deleted.
        type: str
        choices: [present, absent]
        default: present
      schedule:
        description:
          - Six fields with blanks between them, in UTC. They are second, minute, hour, day of the month, month and day of the week (V(0) is
            Sunday). The seconds come first, so that a crontab's five fields need a C(0) before them.
          - Or one of V(@yearly), V(@monthly), V(@weekly), V(@daily) and V(@hourly).
          - Needed unless O(crons[].state=absent).
        type: str
      parameters:
        description: What the action takes. New crons have none. The registry shows it to administrators as it is; put no secrets into it.
        type: dict
      retries:
        description: How often a job that fails is tried again. New crons have V(0).
        type: int
      deadline:
        description: How long a job may take until it is asked to end, such as V(1h30m); V("") is no limit, and what new crons have.
        type: str
      stop_timeout:
        description: How long a job may take to end when it is asked to, such as V(30s); V("") is the registry's own limit.
        type: str
      capacity_map:
        description: "What a job takes of a replica's capacity, such as C({scan: 1}). New crons take nothing."
        type: dict
notes:
  - Needs a system administrator. Source of the rules is the DTR 2.7 API and the DTR documentation on the job queue.
  - The crons that the registry makes itself and those of garbage collection are neither reported as undeclared nor removed by
    O(exclusive). They can be declared, and deleted with O(crons[].state=absent).
"""

EXAMPLES = r"""
- name: Check all images again on Sundays at half past two
  dockyard.trusted_registry.dtr_cron:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    crons:
      - action: scan_check_all
        schedule: 0 30 2 * * 0
        deadline: 4h
        retries: 1
"""

RETURN = r"""
changes:
  description: What was made, changed and deleted, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    key:
      description: The action.
      type: str
      sample: scan_check_all
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: updated
    fields:
      description: Options that differed.
      type: list
      elements: str
      sample: [schedule]
counts:
  description: How many were made, changed, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 0, updated: 1, deleted: 0, unchanged: 2}
undeclared:
  description: Actions whose crons exist and were not declared, without those that the registry makes itself.
  returned: success
  type: list
  elements: str
  sample: [scan_check]
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_crons import Crons


def main():
    """Entry point."""
    run_items(_dtr, Crons, {
        "crons": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "action": {"type": "str", "required": True},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                "schedule": {"type": "str"},
                "parameters": {"type": "dict"},
                "retries": {"type": "int"},
                "deadline": {"type": "str"},
                "stop_timeout": {"type": "str"},
                "capacity_map": {"type": "dict"},
            },
        },
    })


if __name__ == "__main__":
    main()
