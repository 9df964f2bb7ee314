# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs, crons, action configs and workers over HTTP (DTR 2.7 API). All for administrators: the documents speak of them only.

The code for an absent job, cron, action config or worker is not documented; 404 with a name in the style of the others.
"""

from __future__ import annotations

import uuid

from .errors import Refused
from .jobs import api_view
from .paging import offset_page
from .server import Answer, operation
from .times import moment


def _found(standin, kind: str, key: str, code: str) -> dict:
    doc = standin.store.get(kind, key)
    if doc is None:
        raise Refused(404, code, f"There is no {kind.replace('_', ' ')} {key}.")
    return doc


def _job(standin, call) -> dict:
    return _found(standin, "job", call.path["jobID"], "NO_SUCH_JOB")


def _view(standin, doc: dict) -> dict:
    return api_view(doc, standin.options.job_spelling)


@operation("GET", "/api/v0/jobs", auth="admin")
def list_jobs(standin, call):
    """Newest scheduled first; `running` is any, true or false (the values of the filter are not documented)."""
    action, worker, running = (call.query[name] for name in ("action", "worker", "running"))
    if running not in ("any", "true", "false"):
        raise Refused(400, "INVALID_PARAMETERS", f"running is {running!r}, has to be any, true or false.")
    chosen = [
        doc for doc in standin.store.all("job")
        if action in ("any", doc["action"]) and worker in ("any", doc["workerID"])
        and running in ("any", str(doc["status"] in ("running", "cancel_request")).lower())
    ]
    chosen.sort(key=lambda doc: moment(doc["scheduledAt"]), reverse=True)
    return {"jobs": [_view(standin, doc) for doc in offset_page(call, chosen)]}


@operation("POST", "/api/v0/jobs", auth="admin")
def submit_job(standin, call):
    form = dict(call.body)
    action, parameters = form.pop("action"), form.pop("parameters", None)
    return Answer(202, _view(standin, standin.jobs.submit(action, parameters, **form)))


@operation("GET", "/api/v0/jobs/{jobID}", auth="admin")
def get_job(standin, call):
    return _view(standin, _job(standin, call))


@operation("DELETE", "/api/v0/jobs/{jobID}", auth="admin")
def delete_job(standin, call):
    standin.jobs.delete(_job(standin, call))


@operation("POST", "/api/v0/jobs/{jobID}/cancel", auth="admin")
def cancel_job(standin, call):
    standin.jobs.cancel(_job(standin, call))


@operation("GET", "/api/v0/jobs/{jobID}/logs", auth="admin")
async def job_logs(standin, call):
    """`limit` 0 is all of it; `stream` holds the answer back until the job has ended."""
    offset, limit = call.query["offset"], call.query["limit"]
    if offset < 0 or limit < 0:
        raise Refused(400, "INVALID_PARAMETERS", "offset and limit have to be 0 or more.")
    doc = _job(standin, call)
    if call.query["stream"]:
        await standin.jobs.ended(doc["id"])
    lines = list(enumerate(standin.jobs.log_lines(doc["id"])))[offset:]
    return [{"data": line, "lineNum": number} for number, line in (lines[:limit] if limit else lines)]


@operation("GET", "/api/v0/crons", auth="admin")
def list_crons(standin, _call):
    return {"crons": standin.store.all("cron")}


@operation("POST", "/api/v0/crons", auth="admin")
def put_cron(standin, call):
    return Answer(202, standin.jobs.crons.put(call.body))


@operation("GET", "/api/v0/crons/{action}", auth="admin")
def get_cron(standin, call):
    return _found(standin, "cron", call.path["action"], "NO_SUCH_CRON")


@operation("DELETE", "/api/v0/crons/{action}", auth="admin")
def delete_cron(standin, call):
    _found(standin, "cron", call.path["action"], "NO_SUCH_CRON")
    standin.store.delete("cron", call.path["action"])


@operation("GET", "/api/v0/action_configs", auth="admin")
def list_action_configs(standin, _call):
    return {"actionConfigs": standin.store.all("action_config")}


@operation("POST", "/api/v0/action_configs", auth="admin")
def put_action_config(standin, call):
    action = call.body["action"]
    standin.jobs.check(action, {})
    known = standin.store.get("action_config", action)
    doc = {"id": known["id"] if known else str(uuid.uuid4()), "action": action, "parameters": call.body.get("parameters") or {}}
    return Answer(202, standin.store.put("action_config", action, doc))


@operation("GET", "/api/v0/action_configs/{action}", auth="admin")
def get_action_config(standin, call):
    return _found(standin, "action_config", call.path["action"], "NO_SUCH_ACTION_CONFIG")


@operation("DELETE", "/api/v0/action_configs/{action}", auth="admin")
def delete_action_config(standin, call):
    _found(standin, "action_config", call.path["action"], "NO_SUCH_ACTION_CONFIG")
    standin.store.delete("action_config", call.path["action"])


@operation("GET", "/api/v0/workers", auth="admin")
def list_workers(standin, _call):
    return {"workers": [standin.jobs.worker()]}


@operation("POST", "/api/v0/workers/{id}/capacity", auth="admin")
def set_capacity(standin, call):
    doc = _found(standin, "worker", call.path["id"], "NO_SUCH_WORKER")
    standin.store.put("worker", call.path["id"], {**doc, "capacityMap": call.body["capacityMap"]})
    standin.jobs.wake()
    return Answer(202)
