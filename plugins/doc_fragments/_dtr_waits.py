# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """How a module waits for work of the registry."""

    DOCUMENTATION = r"""
options:
  wait:
    description: Whether to wait for the end of the work. While it goes on, a line on where it stands is shown every ten seconds.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait at the most. The work itself is not ended by it.
      - A registry that does not answer for a while, with 503 or with broken connections, is waited for as well.
    type: int
    default: 3600
  on_timeout:
    description:
      - What it means when O(wait_timeout) is over before the work is. V(fail) is a failure, V(return) is a result in which RV(waiting)
        is true.
    type: str
    choices: [fail, return]
    default: fail
attributes:
  action:
    description: Has an action plugin of the same name, which shows the progress; elsewhere the module waits by itself.
    support: full
  async:
    description: Can be used with C(async); the progress is then not shown.
    support: full
"""

    JOB = r"""
options:
  job_id:
    description:
      - The job to wait for, in place of a new one, as RV(job_id) of an earlier run named it. It takes a run up again whose play was
        ended or ran out of time.
    type: str
  log_offset:
    description: Lines at the beginning of the log that RV(log) leaves out while the job is under way, because they were seen before.
    type: int
    default: 0
"""
