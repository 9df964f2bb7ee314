# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What the registry does at regular times: one cron for each action (DTR 2.7 API: crons)."""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_schedule import DIGITS, duration, schedule

GC_ACTIONS = ("onlinegc", "gc")
# The registry makes these itself, or dtr_gc does (DTR docs: job queue, jobs that run by themselves).
OWN = (
    *GC_ACTIONS, "onlinegc_metadata", "onlinegc_joblogs", "onlinegc_events", "tag_pruning", "poll_mirror", "license_update",
    "update_vuln_db", "nautilus_update_db", "update_db", "vuln_db_update",
)


class Crons(Items):
    """Keys are actions."""

    noun = "cron"
    option = "crons"
    fields = {
        "schedule": "schedule", "parameters": "parameters", "retries": "retries", "deadline": "deadline",
        "stop_timeout": "stopTimeout", "capacity_map": "capacityMap",
    }
    defaults = {"parameters": {}, "retries": 0, "deadline": "", "stop_timeout": "", "capacity_map": {}}

    def key(self, item):
        return item["action"]

    def declared(self, item):
        where = f"cron '{item['action']}'"
        if item["schedule"] is None:
            if item["state"] == "present":
                raise InputError(f"{where}: it has no schedule. Give one, or state: absent.")
            return {"state": "absent"}
        return {
            "state": item["state"],
            "schedule": schedule(item["schedule"], where),
            "parameters": given(item["parameters"], texts, where),
            "retries": given(item["retries"], tries, where),
            "deadline": given(item["deadline"], duration, f"{where}: deadline"),
            "stop_timeout": given(item["stop_timeout"], duration, f"{where}: stop_timeout"),
            "capacity_map": given(item["capacity_map"], numbers, where),
        }

    def current(self, declared):
        return {record["action"]: self.seen(record) for record in self.client.get("crons")["crons"] or []}

    def seen(self, record):
        where = f"cron '{record['action']}' as the registry has it"
        return {
            "schedule": " ".join(record["schedule"].split()),
            "parameters": record.get("parameters") or {},
            "retries": record.get("retries") or 0,
            "deadline": duration(record.get("deadline"), where),
            "stop_timeout": duration(record.get("stopTimeout"), where),
            "capacity_map": record.get("capacityMap") or {},
        }

    def protected(self):
        return OWN

    def create(self, change):
        self.client.post("crons", body={"action": change.key, **self.body(change.after)})

    update = create   # the same request: there is one cron for each action

    def delete(self, change):
        self.client.delete("crons", change.key)


def given(value, function, *more):
    """function(value, *more), None where nothing was declared."""
    return None if value is None else function(value, *more)


def texts(parameters, where):
    """Parameters with the values as text, which is all that the registry takes; InputError."""
    for name, value in parameters.items():
        if value is None or isinstance(value, (dict, list)):
            raise InputError(f"{where}: parameter '{name}' is no single value. Give text, a number, true or false, or leave it out.")
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in parameters.items()}


def tries(retries, where):
    """How often something is tried again; InputError."""
    if retries < 0:
        raise InputError(f"{where}: retries: {retries} is below 0. Give 0 for none.")
    return retries


def numbers(capacity_map, where):
    """A capacity map with whole numbers; InputError."""
    if any(isinstance(value, bool) or not DIGITS.fullmatch(str(value)) for value in capacity_map.values()):
        raise InputError(f"{where}: capacity_map {capacity_map} has a value that is no whole number. Give numbers, such as scan: 1.")
    return {name: int(value) for name, value in capacity_map.items()}
