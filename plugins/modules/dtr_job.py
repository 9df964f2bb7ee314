#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_job
short_description: One job of a Docker Trusted Registry
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Has the registry do something now or later and waits until it is done, ends a job, or removes it with its log.
  - What is to be done again and again is declared with M(dockyard.trusted_registry.dtr_cron). Garbage collection and scans have modules
    of their own, M(dockyard.trusted_registry.dtr_gc) and M(dockyard.trusted_registry.dtr_scan).
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._dtr_waits
  - dockyard.trusted_registry._dtr_waits.job
options:
  state:
    description:
      - V(submitted) queues a job, or waits for the job O(job_id). V(canceled) asks the worker of O(job_id) to end it.
      - V(absent) removes O(job_id) with its log; the registry ends it first where it is under way.
    type: str
    choices: [submitted, canceled, absent]
    default: submitted
  action:
    description:
      - What is to be done, such as V(update_vuln_db), V(license_update), V(scan_check_all), V(poll_mirror), V(tag_pruning) or
        V(onlinegc_blobs).
      - Needed to queue a job.
    type: str
  parameters:
    description: What the action takes, in place of its defaults. The registry shows it to administrators as it is; put no secrets into it.
    type: dict
    default: {}
  job_retries:
    description: How often the registry tries the job again when it fails. The attempts that follow are waited for as well.
    type: int
    default: 0
  capacity_map:
    description: "What it takes of a replica's capacity, such as C({scan: 1})."
    type: dict
    default: {}
  deadline:
    description: How long it may take until it is asked to end, such as V(1h30m); V("") is no limit.
    type: str
    default: ""
  stop_timeout:
    description: How long it may take to end when it is asked to, such as V(30s); V("") is the registry's own limit.
    type: str
    default: ""
  scheduled_at:
    description: When it is due, such as V(2026-12-01T01:00:00Z); V("") is now. O(wait_timeout) begins at once nevertheless.
    type: str
    default: ""
attributes:
  idempotent:
    support: partial
    details: Each run with O(state=submitted) and without O(job_id) queues a job.
notes:
  - Needs a system administrator. Source of the rules is the DTR 2.7 API and the DTR documentation on the job queue.
  - When the connection breaks while a job is queued, it is not known whether it was, and it is not tried again.
"""

EXAMPLES = r"""
- name: Fetch the database of vulnerabilities and wait for it
  dockyard.trusted_registry.dtr_job:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    action: update_vuln_db
    job_retries: 2
    wait_timeout: 1800

- name: End a job
  dockyard.trusted_registry.dtr_job:
    state: canceled
    job_id: 3f2b6f0e-54b0-4a68-9a52-0d2f2a1c7a11
"""

RETURN = r"""
job_id:
  description: The job, or its last attempt; empty in check mode where one would be queued.
  returned: always
  type: str
  sample: 3f2b6f0e-54b0-4a68-9a52-0d2f2a1c7a11
action:
  description: What it does.
  returned: always
  type: str
  sample: update_vuln_db
state:
  description:
    - V(waiting), V(running), V(done), V(canceled), V(errored) or V(deleted); V(lost) when its worker died and another may take over,
      V(retrying) when it failed and the next attempt is due, V(unknown) when the registry could not be asked.
  returned: always
  type: str
  sample: done
waiting:
  description: Whether it is still under way.
  returned: always
  type: bool
  sample: false
seconds:
  description: How long it took, or takes by now, from when it was due.
  returned: always
  type: int
  sample: 42
log:
  description: The last lines of its log, 20 at the most.
  returned: always
  type: list
  elements: str
  sample: [fetching, database version 1234 is in use]
log_lines:
  description: How many lines its log has.
  returned: always
  type: int
  sample: 7
trouble:
  description: Why the registry could not be asked at last, empty when it could.
  returned: always
  type: str
  sample: ""
progress:
  description: One line on where it stands.
  returned: always
  type: str
  sample: "update_vuln_db job 3f2b6f0e-54b0-4a68-9a52-0d2f2a1c7a11: done after 42 s: database version 1234 is in use"
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_crons import numbers, texts, tries
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_jobs import (
    WAIT_ARGUMENTS,
    checked_id,
    ended,
    find,
    not_yet,
    submission,
    wait_for,
    wait_for_id,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_schedule import duration, moment

NOTHING = {"before": {}, "after": {}}


def form(params):
    """The submission that the options declare; InputError when the registry could not read it."""
    try:
        moment(params["scheduled_at"] or "1970-01-01T00:00:00Z")
    except ValueError as error:
        raise InputError(f"scheduled_at: {error}. Give one with a time zone, such as 2026-12-01T01:00:00Z.") from error
    if not params["action"]:
        raise InputError("action is empty: is the variable behind it empty? Name what is to be done, such as update_vuln_db.")
    return submission(
        params["action"], parameters=texts(params["parameters"], "the job"), retries=tries(params["job_retries"], "the job"),
        capacityMap=numbers(params["capacity_map"], "the job"), deadline=duration(params["deadline"], "deadline"),
        stopTimeout=duration(params["stop_timeout"], "stop_timeout"), scheduledAt=params["scheduled_at"])


def submit(client, params, check_mode):
    """Queue a job and wait for it."""
    body = form(params)
    diff = {"before": {}, "after": {name: value for name, value in body.items() if value}}
    if check_mode:
        return {**not_yet(params["action"]), "changed": True, "diff": diff}
    return {**wait_for(client, params, client.post("jobs", body=body))[0], "changed": True, "diff": diff}


def take_up(client, params, check_mode):
    """Wait for a job that is there."""
    return {**wait_for_id(client, params)[0], "changed": False, "diff": NOTHING}


def cancel(client, params, check_mode):
    """End a job that is under way, and wait until it has ended."""
    job = find(client, params["job_id"])
    changed = not ended(job)
    if changed and not check_mode:
        client.post("jobs", job["id"], "cancel")
    result = wait_for(client, params, job)[0]
    if result["state"] in ("canceled", "errored"):   # it ended, which is what was asked for
        result = {name: value for name, value in result.items() if name not in ("failed", "msg")}
    diff = {"before": {"state": "under way"}, "after": {"state": "canceled"}} if changed else NOTHING
    return {**result, "changed": changed, "diff": diff}


def remove(client, params, check_mode):
    """Remove a job with its log."""
    job = client.find("jobs", checked_id(params["job_id"]))
    if job and not check_mode:
        client.delete("jobs", job["id"])
    result = {**not_yet(job["action"] if job else ""), "job_id": params["job_id"], "state": "deleted", "progress": "deleted"}
    return {**result, "changed": bool(job), "diff": {"before": {"job_id": job["id"]}, "after": {}} if job else NOTHING}


def work(client, params, check_mode):
    """The module's result."""
    does = {"canceled": cancel, "absent": remove, "submitted": submit if params["job_id"] is None else take_up}[params["state"]]
    return does(client, {**params, "wait": params["wait"] and not check_mode}, check_mode)


def main():
    """Entry point."""
    run(_dtr, {
        "state": {"type": "str", "choices": ["submitted", "canceled", "absent"], "default": "submitted"},
        "action": {"type": "str"},
        "parameters": {"type": "dict", "default": {}},
        "job_retries": {"type": "int", "default": 0},
        "capacity_map": {"type": "dict", "default": {}},
        "deadline": {"type": "str", "default": ""},
        "stop_timeout": {"type": "str", "default": ""},
        "scheduled_at": {"type": "str", "default": ""},
        "job_id": {"type": "str"},
        "log_offset": {"type": "int", "default": 0},
        **WAIT_ARGUMENTS,
    }, work, required_if=[
        ("state", "submitted", ["action", "job_id"], True), ("state", "canceled", ["job_id"]), ("state", "absent", ["job_id"])])


if __name__ == "__main__":
    main()
