#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_gc
short_description: Garbage collection of a Docker Trusted Registry
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Says when the registry frees the space of images that nothing refers to any more, or lets it do so now and waits until it is done.
  - Deleting tags and repositories frees no space; garbage collection does.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._dtr_waits
  - dockyard.trusted_registry._dtr_waits.job
options:
  state:
    description:
      - V(scheduled) has it run at the times of O(schedule), V(unscheduled) never by itself.
      - V(run) runs it now. Where it runs already, or waits for a free worker, no second one is begun; the one that is there is waited for.
    type: str
    choices: [scheduled, unscheduled, run]
    required: true
  schedule:
    description:
      - Six fields with blanks between them, in UTC. They are second, minute, hour, day of the month, month and day of the week (V(0) is
        Sunday), such as C(0 0 1 * * 6). Or one of V(@yearly), V(@monthly), V(@weekly), V(@daily) and V(@hourly).
      - Needed for O(state=scheduled).
    type: str
  deadline:
    description:
      - How long a run may take, such as V(2h) or V(1h30m). What is not done by then is left for the next run. V("") is no limit.
      - A schedule keeps the limit that it has where this is not given; a run that is begun now has no limit then.
    type: str
  read_only_window:
    description:
      - Whether pushes may be refused while garbage is collected. Before DTR 2.6, and where the registry has no garbage collection beside
        pushes, it works in no other way, so that V(false) refuses to run or schedule it there.
    type: bool
    default: false
attributes:
  idempotent:
    support: partial
    details: O(state=run) runs it each time, unless it runs already.
notes:
  - Needs a system administrator. Source of the rules is the DTR 2.7 API and the DTR documentation on garbage collection and the job queue.
    That the limit in time is the deadline of the cron, and that no schedule is the absence of crons, are inferences; the documents describe
    the user interface only.
  - It is refused while the metadata store is migrated (job C(metadatastoremigration)), as the documentation demands.
seealso:
  - module: dockyard.trusted_registry.dtr_cron
  - module: dockyard.trusted_registry.dtr_job
"""

EXAMPLES = r"""
- name: Every Saturday at one, two hours at the most
  dockyard.trusted_registry.dtr_gc:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    state: scheduled
    schedule: 0 0 1 * * 6
    deadline: 2h

- name: Now, and tell what was freed
  dockyard.trusted_registry.dtr_gc:
    state: run
    wait_timeout: 7200
  register: collection

- name: Wait on for a run whose play was ended
  dockyard.trusted_registry.dtr_gc:
    state: run
    job_id: 3f2b6f0e-54b0-4a68-9a52-0d2f2a1c7a11
"""

RETURN = r"""
changes:
  description: What of the schedule was made, changed and deleted, or would be in check mode.
  returned: O(state) is V(scheduled) or V(unscheduled)
  type: list
  elements: dict
  sample: [{key: onlinegc, action: updated, fields: [schedule]}]
job_id:
  description: The job of the run, empty in check mode where none runs.
  returned: O(state=run)
  type: str
  sample: 3f2b6f0e-54b0-4a68-9a52-0d2f2a1c7a11
action:
  description: What the job does, V(onlinegc) beside pushes or V(gc) in a read-only window.
  returned: O(state=run)
  type: str
  sample: onlinegc
taken_up:
  description: Whether the run was under way already.
  returned: O(state=run)
  type: bool
  sample: false
state:
  description:
    - V(waiting), V(running), V(done), V(canceled), V(errored) or V(deleted); V(lost) when its worker died and another may take over,
      V(retrying) when it failed and the next attempt is due, V(unknown) when the registry could not be asked.
  returned: O(state=run)
  type: str
  sample: done
waiting:
  description: Whether it is still under way.
  returned: O(state=run)
  type: bool
  sample: false
seconds:
  description: How long it took, or takes by now, from when it was due.
  returned: O(state=run)
  type: int
  sample: 42
freed:
  description:
    - What the job's log says was freed. A value is null where the log does not tell it; the documents do not say what the log looks like.
  returned: O(state=run)
  type: dict
  contains:
    bytes:
      description: Bytes.
      type: int
      sample: 734003200
    blobs:
      description: Layers and configurations of images.
      type: int
      sample: 12
    manifests:
      description: Manifests.
      type: int
      sample: 4
previous:
  description: The run before this one, empty when there is none in the job history.
  returned: O(state=run) without O(job_id)
  type: dict
  sample: {action: onlinegc, job_id: 0a1b2c3d-0000-4000-8000-000000000001, scheduled_at: "2026-11-21T01:00:00Z", seconds: 66, state: done}
log:
  description: The last lines of the job's log, 20 at the most.
  returned: O(state=run)
  type: list
  elements: str
  sample: ["freed 734003200 bytes: 12 blobs, 4 manifests"]
log_lines:
  description: How many lines the log has.
  returned: O(state=run)
  type: int
  sample: 7
trouble:
  description: Why the registry could not be asked at last, empty when it could.
  returned: O(state=run)
  type: str
  sample: ""
progress:
  description: One line on where it stands.
  returned: O(state=run)
  type: str
  sample: "onlinegc job 3f2b6f0e-54b0-4a68-9a52-0d2f2a1c7a11: running after 20 s: 120 of 400 blobs looked at"
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_gc import collect, freed, reschedule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_jobs import WAIT_ARGUMENTS, wait_for_id


def work(client, params, check_mode):
    """The module's result."""
    if params["state"] != "run":
        return reschedule(client, params, check_mode)
    if params["job_id"] is not None:
        result, lines = wait_for_id(client, {**params, "wait": params["wait"] and not check_mode})
        return {**result, "changed": False, "taken_up": True, "freed": freed(lines), "diff": {"before": {}, "after": {}}}
    return collect(client, params, check_mode)


def main():
    """Entry point."""
    run(_dtr, {
        "state": {"type": "str", "choices": ["scheduled", "unscheduled", "run"], "required": True},
        "schedule": {"type": "str"},
        "deadline": {"type": "str"},
        "read_only_window": {"type": "bool", "default": False},
        "job_id": {"type": "str"},
        "log_offset": {"type": "int", "default": 0},
        **WAIT_ARGUMENTS,
    }, work, required_if=[("state", "scheduled", ["schedule"])])


if __name__ == "__main__":
    main()
