# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Webhook subscriptions over HTTP (DTR 2.7 API; DTR docs: manage webhooks)."""

from __future__ import annotations

import secrets
import ssl
from urllib.parse import urlsplit

from .errors import Refused, not_authorized
from .jobs import JobFailed
from .server import Answer, operation
from .times import NEVER, stamp
from .webhooks import GLOBAL_TYPE, NAMESPACE_TYPE, TYPES, send


def _invalid(message: str) -> Refused:
    return Refused(400, "INVALID_JSON", message)


def _administers(standin, call, doc: dict) -> bool:
    """Administrators everything; a key by its repository's admins, or its namespace's owners."""
    if call.caller.is_admin:
        return True
    namespace, slash, _name = doc["key"].partition("/")
    if slash:
        repository = standin.store.get("repository", doc["key"])
        return bool(repository) and standin.access.level(call.caller, repository) == "admin"
    return bool(namespace) and standin.access.rights(call.caller).owns(namespace)


def _check_target(form: dict) -> None:
    endpoint = urlsplit(form["endpoint"])
    if endpoint.scheme not in ("http", "https") or not endpoint.hostname:
        raise _invalid(f"The endpoint {form['endpoint']!r} is not an http or https address.")
    _check_certificate(form)


def _check_certificate(form: dict) -> None:
    if form["tlsCert"]:
        try:
            ssl.create_default_context().load_verify_locations(cadata=form["tlsCert"])
        except ssl.SSLError as problem:
            raise _invalid("tlsCert is not a certificate in PEM.") from problem


def _check_key(standin, call, form: dict) -> None:
    """Each type has its scope; only administrators leave the key out, and hear of everything then."""
    kind, key = form["type"], form["key"]
    if kind == GLOBAL_TYPE and key:
        raise _invalid(f"{kind} is for the whole of DTR and takes no key.")
    if not key:
        if not call.caller.is_admin:
            raise not_authorized("Only administrators subscribe without a key.")
        return
    namespace, slash, name = key.partition("/")
    standin.accounts.demand(namespace)
    if bool(slash) == (kind == NAMESPACE_TYPE):
        raise _invalid(f"{kind} takes {'a namespace' if kind == NAMESPACE_TYPE else 'namespace/repository'} as its key, not {key!r}.")
    if slash:
        standin.repositories.demand(call.caller, namespace, name, "admin")
    elif not standin.access.rights(call.caller).owns(namespace):
        raise not_authorized(f"This is for the owners of {namespace}.")


@operation("GET", "/api/v0/webhooks")
def list_webhooks(standin, call):
    kind = call.query["webhookType"]
    if kind not in ("any", *TYPES):
        raise _invalid(f"There is no webhook type {kind!r}.")
    docs = [doc for doc in standin.store.all("webhook") if kind in ("any", doc["type"])]
    return [doc for doc in docs if call.caller.is_admin or doc["authorID"] == call.caller.id]


@operation("POST", "/api/v0/webhooks")
def create_webhook(standin, call):
    form = {"key": "", "tlsCert": "", "skipTLSVerification": False, **call.body}
    _check_target(form)
    _check_key(standin, call, form)
    doc = {
        "id": secrets.token_hex(32), "authorID": call.caller.id, "createdAt": stamp(standin.clock()), "lastSuccessfulAt": NEVER,
        "inactive": False, **form,
    }
    return Answer(201, standin.store.put("webhook", doc["id"], doc))


@operation("POST", "/api/v0/webhooks/test")
async def test_webhook(standin, call):
    """Plain HTTP can only be tried with skipTLSVerification (DTR docs: manage webhooks)."""
    form = {"tlsCert": "", "skipTLSVerification": False, **call.body}
    if form["type"] not in TYPES:
        raise _invalid(f"There is no webhook type {form['type']!r}.")
    _check_target(form)
    if form["endpoint"].startswith("http://") and not form["skipTLSVerification"]:
        raise _invalid("An http endpoint can only be tested with skipTLSVerification.")
    try:
        await send(form, standin.webhooks.sample(form["type"]))
    except JobFailed as problem:
        raise _invalid(f"The test failed: {problem}.") from problem
    return Answer(200)


@operation("POST", "/api/v0/webhooks/update")
def update_webhook(standin, call):
    """Answers with an array, although it is about one subscription (DTR 2.7 API)."""
    doc = standin.store.get("webhook", call.body["id"])
    if doc is None:
        raise Refused(404, "NO_SUCH_WEBHOOK", f"There is no webhook {call.body['id']}.")
    if not _administers(standin, call, doc):
        raise not_authorized("This is for administrators of what the webhook is about.")
    changed = {**doc, **call.body}
    _check_certificate(changed)
    return [standin.store.put("webhook", doc["id"], changed)]


@operation("DELETE", "/api/v0/webhooks/{webhook}")
def delete_webhook(standin, call):
    doc = standin.store.get("webhook", call.path["webhook"])
    if doc is None:
        raise Refused(404, "NO_SUCH_WEBHOOK", f"There is no webhook {call.path['webhook']}.")
    if not _administers(standin, call, doc):
        raise not_authorized("This is for administrators of what the webhook is about.")
    standin.store.delete("webhook", doc["id"])


@operation("GET", "/api/v0/accounts/{namespace}/webhooks")
def list_namespace_webhooks(standin, call):
    """Those of the namespace and of its repositories."""
    namespace = call.path["namespace"]
    standin.accounts.demand(namespace)
    if not standin.access.rights(call.caller).owns(namespace):
        raise not_authorized(f"This is for the owners of {namespace}.")
    return [doc for doc in standin.store.all("webhook") if doc["key"].partition("/")[0] == namespace]


@operation("GET", "/api/v0/repositories/{namespace}/{reponame}/webhooks")
def list_repository_webhooks(standin, call):
    namespace, name = call.path["namespace"], call.path["reponame"]
    standin.repositories.demand(call.caller, namespace, name, "admin")
    return [doc for doc in standin.store.all("webhook") if doc["key"] == f"{namespace}/{name}"]
