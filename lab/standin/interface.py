# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The official interface as data: which paths, query parameters, bodies and answers exist.

`interface/dtr.json` and `ucp.json` are extracts of the official documents (extract.py); `interface/prose.json` holds what
is documented in prose only or was observed in the field, each entry with its source.
"""

from __future__ import annotations

import functools
import json
import pathlib

from .schema import Check, Schemas

FOLDER = pathlib.Path(__file__).parent / "interface"

# The official schemas mark nearly every field of a request as required, while the documents' own examples send a part.
# definition -> (what is really required, where a part is sent)
SUBSETS: dict[str, tuple[set, str]] = {
    "forms.CreateRepo": ({"name"}, "DTR docs: repositories are made with a name and a visibility"),
    "forms.Settings": (set(), "DTR docs: storage backend migration posts readOnlyRegistry alone"),
    "forms.ChangePassword": ({"newPassword"}, "UCP 3.2 API: oldPassword is for the own account only"),
    "tmpforms.JobSubmission": ({"action"}, "DTR docs: jobs are posted with an action alone"),
    "tmpforms.CronCreate": ({"action", "schedule"}, "field observation: crons are posted without maps"),
    "tmpforms.ActionConfigCreate": ({"action"}, "field observation: Go clients leave empty maps out"),
    "forms.CreatePushMirroringPolicy": ({"remoteHost", "remoteRepository"}, "field observation: either password or authToken is sent"),
    "forms.CreatePollMirroringPolicy": ({"remoteHost", "remoteRepository"}, "field observation: either password or authToken is sent"),
    "forms.Webhook": ({"type", "endpoint"}, "DTR docs: webhooks are made with type, key and endpoint"),
    "forms.CreateRemoteRegistryCheck": ({"remoteHost", "remoteRepository"}, "field observation: either password or authToken is sent"),
    "forms.CreateMirroring": ({"remoteHost", "remoteRepository", "remoteTag"}, "field observation: either password or authToken is sent"),
    "forms.WebhookUpdate": ({"id"}, "DTR docs: webhooks are changed with the id and what changes"),
    "forms.WebhookTestPayload": ({"type", "endpoint"}, "DTR docs: webhooks are tested with type and endpoint"),
    "role.Role": ({"name", "operations"}, "UCP docs: the server chooses the id of a role"),
}


MAY_BE_EMPTY = {"forms.SetMembership"}   # UCP 3.2 API: membership is set with or without a body
# The spellings of a job's state in the documents' prose (DTR docs: job queue); the official interface has its own.
JOB_STATES_OF_DOCS = [
    "waiting", "running", "done", "error", "cancel_request", "cancel", "deleted", "worker_dead", "worker_shutdown", "worker_resurrection",
]


class Operation:
    """One verb on one path: `query` {name: {"type", "default", "required", "enum"}}, `answers` {status: Check or None}."""

    def __init__(self, verb: str, path: str, entry: dict, requests: Schemas, answers: Schemas):
        self.verb, self.path, self.id = verb, path, entry.get("id", "")
        self.query: dict[str, dict] = entry.get("query", {})
        self.body: Check | None = requests.check(entry["body"]) if "body" in entry else None
        self.body_required = entry.get("bodyRequired", False) and entry["body"].get("ref") not in MAY_BE_EMPTY
        self.form = entry.get("form", False)
        self.raw = entry.get("raw", False)   # the handler reads the body itself
        self.answers: dict[int, Check | None] = {
            int(status): answers.check(schema) if schema is not None else None for status, schema in entry["answers"].items()
        }


def _accounts_below_enzi(ucp: dict) -> dict:
    """UCP's accounts below /enzi/v0, where DTR answers for them too (field observation: third-party clients of DTR 2.2-2.7 use it)."""
    moved = {}
    for name, entry in ucp["operations"].items():
        verb, path = name.split(" ", 1)
        if path.startswith("/accounts/"):
            moved[f"{verb} /enzi/v0{path}"] = entry
    return moved


@functools.lru_cache(maxsize=None)
def load(product: str, job_spelling: str = "api") -> list[Operation]:
    """Every operation of "dtr" or "ucp"; `job_spelling`: "api", or "docs" for the states of jobs as the prose spells them."""
    documents = {name: json.loads((FOLDER / f"{name}.json").read_text()) for name in ("dtr", "ucp", "prose")}
    required = {name: fields for name, (fields, _source) in SUBSETS.items()}
    own = documents[product]
    schemas = Schemas(own["definitions"], required, False), Schemas(own["definitions"], {}, True)
    entries = {**own["operations"], **documents["prose"][product]}
    if product == "dtr" and job_spelling == "docs":
        own["definitions"]["tmpresponses.Job"]["properties"]["status"]["enum"] = JOB_STATES_OF_DOCS
    operations = [Operation(*name.split(" ", 1), entry, *schemas) for name, entry in entries.items()]
    others = documents["ucp"]["definitions"]
    foreign = Schemas(others, required, False), Schemas(others, {}, True)
    return operations + [Operation(*name.split(" ", 1), entry, *foreign) for name, entry in _accounts_below_enzi(documents["ucp"]).items()]
