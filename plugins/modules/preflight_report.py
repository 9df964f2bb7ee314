#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_report
short_description: Judge the probes of all hosts, print one table and write one file
version_added: 0.1.0
description:
  - Runs on the controller. Judges what M(dockyard.trusted_registry.preflight_probe) found on each host by what was declared for it,
    and prints the verdicts on all hosts together.
  - Does not fail because of a verdict, so that the report is whole before the first refusal; see RV(hosts).
author:
  - Dockyard contributors (@dockyard)
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  check_mode:
    details: The report file is written in check mode too. It tells about the run and is no part of what the run manages.
  diff_mode:
    support: none
    details: The report is an observation, not a state.
options:
  hosts:
    description: By host name what filter P(dockyard.trusted_registry.preflight_declare#filter) made of its declaration.
    type: dict
    required: true
  probes:
    description: By host name the registered result of M(dockyard.trusted_registry.preflight_probe), a failed one too.
    type: dict
    required: true
  inventory_groups:
    description: The inventory's groups, by which members of clusters are counted.
    type: dict
    default: {}
  path:
    description: File on the controller to write the report to, as JSON. Empty for none. A file that cannot be written is a warning.
    type: str
    default: ""
  show:
    description: Which verdicts to print; V(all) is also what verbosity C(-v) prints.
    type: str
    choices: [problems, all]
    default: problems
  enforce:
    description: Whether a host below the minimum counts as refused in RV(hosts).
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Report on all hosts
  dockyard.trusted_registry.preflight_report:
    hosts: "{{ declarations }}"
    probes: "{{ probes }}"
    inventory_groups: "{{ groups }}"
    path: /srv/reports/preflight.json
  run_once: true
  register: report
"""

RETURN = r"""
verdict:
  description: The worst verdict on any host.
  returned: always
  type: str
  sample: below recommended
summary:
  description: How many hosts got which verdict.
  returned: always
  type: dict
  sample: {unreachable: 0, not probed: 0, below minimum: 0, below recommended: 1, fit: 2}
enforced:
  description: Whether hosts below the minimum are refused.
  returned: always
  type: bool
  sample: true
notes:
  description: What the preflight cannot tell.
  returned: always
  type: list
  elements: str
  sample: []
hosts:
  description: For each host its verdict, its profiles, whether it is refused and with which words, and every single result.
  returned: always
  type: dict
  sample:
    registry-1:
      verdict: below recommended
      profiles: [distribution]
      address: registry-1
      refused: false
      refusal: ""
      counts: {ok: 20, warn: 1, fail: 0, waived: 0, skipped: 1}
      results:
        - check: cpus
          subject: ""
          status: warn
          measured: 1
          minimum: 1
          recommended: 2
          unit: CPUs
          message: 1 CPUs; minimum 1, recommended 2
          mend: give the host more CPUs
          profile: distribution
path:
  description: The file written, empty if none was.
  returned: always
  type: str
  sample: /srv/reports/preflight.json
"""
