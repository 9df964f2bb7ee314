# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and checks what a request carries, against its entry of the interface."""

from __future__ import annotations

import json

from .errors import Refused
from .interface import Operation

TRUE, FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


def _typed(name: str, text, kind: str):
    try:
        if kind in ("integer", "int"):
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        raise Refused(400, "INVALID_PARAMETERS", f"{name} is {text!r}, has to be {kind}.") from None
    if kind == "boolean":
        if text not in TRUE + FALSE:
            raise Refused(400, "INVALID_PARAMETERS", f"{name} is {text!r}, has to be boolean.")
        return text in TRUE
    return text


def _default(parameter: dict):
    default = parameter.get("default")
    return _typed("the default", default, parameter.get("type", "string")) if isinstance(default, str) else default


def check_accept(operation: Operation, accept: str) -> None:
    """Only of operations that answer with JSON."""
    kinds = {part.partition(";")[0].strip() for part in accept.split(",")}
    if any(operation.answers.values()) and not kinds & {"*/*", "application/*", "application/json"}:
        raise Refused(406, "NOT_ACCEPTABLE", f"{operation.verb} {operation.path} answers with application/json, not with {accept}.")


def read_query(operation: Operation, given) -> dict:
    """Only documented names; typed; what is absent has its default, or None."""
    for name in given:
        if name not in operation.query:
            raise Refused(400, "INVALID_PARAMETERS", f"{name} is not a parameter of {operation.verb} {operation.path}.")
    query = {}
    for name, parameter in operation.query.items():
        if name in given:
            query[name] = _typed(name, given[name], parameter.get("type", "string"))
        elif parameter.get("required"):
            raise Refused(400, "INVALID_PARAMETERS", f"{name} is missing.")
        else:
            query[name] = _default(parameter)
    return query


async def read_body(operation: Operation, request):
    """The JSON of the body, checked; None without one. Forms and raw bodies are left to the handler."""
    if operation.form or operation.raw:
        return None
    text = await request.content.read()
    if not text:
        if operation.body and operation.body_required:
            raise Refused(400, "INVALID_JSON", f"{operation.verb} {operation.path} needs a body.")
        return None
    if operation.body is None:
        raise Refused(400, "INVALID_JSON", f"{operation.verb} {operation.path} takes no body.")
    # The documents' own login example sends its JSON without naming it.
    if operation.path != "/auth/login" and request.content_type != "application/json":
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", f"the body is {request.content_type}, has to be application/json.")
    try:
        body = json.loads(text)
    except ValueError as error:
        raise Refused(400, "INVALID_JSON", f"the body is not JSON: {error}") from None
    complaints = operation.body(body, "body")
    if complaints:
        raise Refused(400, "INVALID_JSON", "; ".join(complaints))
    return body
