# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Garbage collection of DTR: which kind a registry offers, its schedule, a run of it, what its log tells."""

from __future__ import annotations

import re

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import apply_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_crons import GC_ACTIONS, Crons
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_jobs import (
    ended,
    newest,
    not_yet,
    seconds_of,
    state,
    submission,
    under_way,
    wait_for,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_schedule import duration, moment

ONLINE, OFFLINE = GC_ACTIONS
MIGRATION = "metadatastoremigration"
FIRST_ONLINE = (2, 6)
FREED = re.compile(r"\b(?:freed|reclaimed|deleted|removed)\b", re.IGNORECASE)
COUNT = {name: re.compile(rf"\b(\d+) {name}s?\b", re.IGNORECASE) for name in ("byte", "blob", "manifest")}


def why_read_only(version, features):
    """Why garbage collection needs a read-only window here, "" when it needs none.

    version: such as "2.7.6"; features: responses.Features.
    """
    if tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < FIRST_ONLINE:
        return f"version {version} collects garbage only while it refuses pushes (DTR 2.6 and later do it beside them)"
    if not features.get("onlineGCEnabled"):
        return "its garbage collection beside pushes is not enabled (feature onlineGCEnabled), which leaves the one that refuses them"
    return ""


def kind(client, read_only_window):
    """The action that collects garbage here; InputError where it would refuse pushes and that was not allowed."""
    features, info = client.http.each(lambda read: read(), [lambda: client.get("meta", "features"), client.basic_info])
    reason = why_read_only(info["CurrentVersion"], features)
    if reason and not read_only_window:
        raise InputError(f"{client.http.base_url}: {reason}. Set read_only_window: true to accept that pushes fail meanwhile, or"
                         " upgrade it.")
    return OFFLINE if reason else ONLINE


def reschedule(client, params, check_mode):
    """The module's result for a schedule: at most one of the two actions has a cron afterwards."""
    wanted = {}
    if params["state"] == "scheduled":
        if not params["schedule"]:
            raise InputError("schedule is empty: is the variable behind it empty? Give one, or state: unscheduled.")
        wanted = {kind(client, params["read_only_window"]): {"schedule": params["schedule"], "deadline": params["deadline"]}}
    nothing = dict.fromkeys(("schedule", "parameters", "retries", "deadline", "stop_timeout", "capacity_map"))
    crons = [{**nothing, "action": name, **wanted.get(name, {}), "state": "present" if name in wanted else "absent"} for name in GC_ACTIONS]
    result = apply_items(Crons(client, {**params, "crons": crons, "exclusive": False}), check_mode)
    return {name: result[name] for name in ("changed", "changes", "diff")}


def collect(client, params, check_mode):
    """The module's result for a run: of the job that is under way, otherwise of a new one."""
    limit = duration(params["deadline"], "deadline")
    jobs, migrations = past(client)
    migration = under_way(migrations)
    if migration:
        raise InputError(f"{client.http.base_url}: the metadata store is being migrated (job {migration['id']}); no garbage may be"
                         " collected meanwhile. Run this again when it has ended.")
    job = under_way(jobs)
    result = {"changed": False, "taken_up": bool(job), "previous": previous(jobs), "diff": {"before": {}, "after": {}}}
    lines = []
    if not job:
        action = kind(client, params["read_only_window"])
        result.update(changed=True, diff={"before": {}, "after": {action: {"deadline": limit}}})
        if check_mode:
            return {**result, **not_yet(action), "freed": freed([])}
        job = client.post("jobs", body=submission(action, deadline=limit))
    waited, lines = wait_for(client, {**params, "wait": params["wait"] and not check_mode}, job)
    return {**result, **waited, "freed": freed(lines)}


def past(client):
    """(jobs that collect garbage, newest first; jobs that migrate the metadata store)."""
    online, offline, migrations = client.http.each(lambda action: newest(client, action), [ONLINE, OFFLINE, MIGRATION])
    return sorted(online + offline, key=lambda job: moment(job["scheduledAt"]), reverse=True), migrations


def previous(jobs):
    """What is told of the last run that ended, {} when there is none; jobs: newest first."""
    job = next((job for job in jobs if ended(job)), None)
    if not job:
        return {}
    return {
        "job_id": job["id"], "action": job["action"], "state": state(job), "scheduled_at": job["scheduledAt"], "seconds": seconds_of(job),
    }


def freed(lines):
    """{bytes, blobs, manifests} from the last line of a log that tells that something was freed; None where it tells no number."""
    line = next((line for line in reversed(lines) if FREED.search(line) and COUNT["byte"].search(line)), "")
    found = {f"{name}s": pattern.search(line) for name, pattern in COUNT.items()}
    return {name: int(match[1]) if match else None for name, match in found.items()}
