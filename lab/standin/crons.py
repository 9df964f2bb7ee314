# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Periodic jobs: one cron for each action (DTR 2.7 API)."""

from __future__ import annotations

import uuid
from datetime import datetime

from . import cron
from .errors import Refused
from .times import moment, stamp

# DTR docs: pruning policies run every 15 minutes, poll mirroring every 30.
DEFAULTS = {"tag_pruning": "0 */15 * * * *", "poll_mirror": "0 */30 * * * *"}


class Crons:
    """`jobs` is what they submit to."""

    def __init__(self, jobs):
        self.jobs, self.standin = jobs, jobs.standin

    def seed(self) -> None:
        """What a new installation comes with."""
        if self.standin.options.default_crons:
            for action, schedule in DEFAULTS.items():
                self.put({"action": action, "schedule": schedule})

    def put(self, form: dict) -> dict:
        """A second cron of an action replaces the first and keeps its id."""
        action = form["action"]
        self.jobs.check(action, form)
        try:
            upcoming = cron.next_run(cron.parse(form["schedule"]), self.standin.clock())
        except cron.ScheduleError as problem:
            raise Refused(400, "INVALID_PARAMETERS", f"{problem}.") from problem
        known = self.standin.store.get("cron", action)
        return self.standin.store.put("cron", action, {
            "id": known["id"] if known else str(uuid.uuid4()),
            "action": action,
            "schedule": form["schedule"],
            "retries": form.get("retries") or 0,
            "capacityMap": form.get("capacityMap") or {},
            "parameters": form.get("parameters") or {},
            "deadline": form.get("deadline") or "",
            "stopTimeout": form.get("stopTimeout") or "",
            "nextRun": stamp(upcoming),
        })

    def fire(self, now: datetime) -> None:
        """Queue what is due, once however long the worker slept."""
        for doc in self.standin.store.all("cron"):
            if moment(doc["nextRun"]) <= now:
                upcoming = cron.next_run(cron.parse(doc["schedule"]), now)
                self.standin.store.put("cron", doc["action"], {**doc, "nextRun": stamp(upcoming)})
                fields = {name: doc[name] for name in ("retries", "capacityMap", "deadline", "stopTimeout")}
                self.jobs.submit(doc["action"], doc["parameters"], **fields)
