# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The activity stream: who did what to which object (DTR docs: audit repository events; DTR 2.7 API).

The names of the object types are not documented; here they are TAG, MANIFEST, REPOSITORY and whatever else the caller of `add` names.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from . import duration
from .errors import Refused, not_authorized
from .paging import page
from .server import operation

TYPES = ("CREATE", "GET", "UPDATE", "DELETE", "SEND", "FAIL", "SCAN")
LATEST = 2**63


def moment(name: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Refused(400, "INVALID_PARAMETERS", f"{name} is {text!r}, has to be a time such as 2020-01-31T12:00:00Z.")
    return found


def selected(events: list[dict], query: dict) -> list[dict]:
    """The events that fit every filter of the query; filters that are absent or empty fit everything."""
    wanted = {field: query[name] for name, field in (("actorId", "actor"), ("eventType", "type")) if query.get(name)}
    found = [event for event in events if all(event[field] == value for field, value in wanted.items())]
    if query.get("objectType"):
        found = [event for event in found if event["object"]["type"] == query["objectType"]]
    if query.get("publishedBefore"):
        before = moment("publishedBefore", query["publishedBefore"])
        found = [event for event in found if moment("publishedAt", event["publishedAt"]) < before]
    if query.get("publishedAfter"):
        after = moment("publishedAfter", query["publishedAfter"])
        found = [event for event in found if moment("publishedAt", event["publishedAt"]) > after]
    if query.get("excludePull"):
        found = [event for event in found if event["type"] != "GET"]
    return found


class Events:
    """Adds, finds and forgets events."""

    def __init__(self, standin):
        self.standin = standin
        self._last = LATEST

    def add(  # noqa: PLR0917 - the fields of one record, in the order in which they read
        self, actor, type_: str, object_type: str, object_id: str, object_name: str, repository: str, content: str = ""
    ) -> dict:
        """`actor`: a Caller, an account's name, or the name of what acted on its own; `repository`: "ns/name" or ""."""
        name = getattr(actor, "name", actor)
        account = self.standin.store.get("account", name)
        now = self.standin.clock()
        # Later events have smaller ids, so that pages, which are ordered by id, begin with the newest.
        self._last = min(LATEST - int(now.timestamp() * 1e6), self._last - 1)
        event = {
            "id": f"{self._last:016x}",
            "publishedAt": now.isoformat().replace("+00:00", "Z"),
            "actor": account["id"] if account else name,
            "actorType": "user" if account else "system",
            "type": type_,
            "object": {"type": object_type, "id": object_id, "name": object_name, "content": content},
            "repository": repository,
        }
        return self.standin.store.put("event", event["id"], event)

    def of(self, repository: str) -> list[dict]:
        return [event for event in self.standin.store.all("event") if event["repository"] == repository]

    def compact(self, settings: dict) -> int:
        """Forgets what the settings no longer keep, by age or by number; how many events that were (DTR docs: auto-delete)."""
        if not settings["repoEventHistoryCompactionEnabled"]:
            return 0
        keep, max_age = settings["repoEventHistoryToKeep"], settings["repoEventHistoryMaxAge"]
        newest_first = self.standin.store.all("event")
        old = outdated(newest_first, "publishedAt", keep, max_age, self.standin.clock())
        for event in old:
            self.standin.store.delete("event", event["id"])
        return len(old)


def outdated(newest_first: list[dict], field: str, keep: int, max_age: str, now: datetime) -> list[dict]:
    """What is beyond the number to keep or older than the age; either suffices, and 0 or "" sets no limit."""
    oldest = now - duration.parse(max_age) if max_age and duration.parse(max_age) > timedelta(0) else None
    return [
        doc for position, doc in enumerate(newest_first)
        if (keep > 0 and position >= keep) or (oldest and moment(field, doc[field]) < oldest)
    ]


@operation("GET", "/api/v0/events", auth="admin")
def list_events(standin, call):
    """For administrators (DTR docs: since 2.3)."""
    return page(call, selected(standin.store.all("event"), call.query), lambda event: event["id"], wrap="events")


@operation("GET", "/api/v0/repositories/{namespace}/{reponame}/events")
def list_repository_events(standin, call):
    """Pull, promotion and mirroring events are for the repository's administrators (DTR docs: audit repository events)."""
    namespace, name = call.path["namespace"], call.path["reponame"]
    repository = standin.repositories.demand(call.caller, namespace, name, "read-only")
    admin = standin.access.level(call.caller, repository) == "admin"
    if call.query.get("eventType") == "GET" and not admin:
        raise not_authorized("Pull events are for the repository's administrators.")
    events = [event for event in standin.events.of(f"{namespace}/{name}") if admin or event["type"] not in ("GET", "SEND")]
    return page(call, selected(events, call.query), lambda event: event["id"], wrap="events")
