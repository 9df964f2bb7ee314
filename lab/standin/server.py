# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request to its handler and back: faults, authentication, checks against the interface, errors, the record.

A handler is a function or coroutine of (standin, call), marked with `operation`; what it returns becomes the answer: an `Answer`, a JSON
body (200), None (204), or a response of aiohttp.
"""

from __future__ import annotations

import inspect
import json
import traceback

from aiohttp import web

from .answers import Answer, Call, Caller
from .errors import Refused, not_authenticated, not_authorized
from .faults import strike
from .interface import load
from .requests import check_accept, read_body, read_query
from .routing import Route, build

__all__ = ["ROUTES", "Answer", "Call", "Caller", "Front", "Refused", "operation"]

ROUTES: list[tuple[tuple, tuple]] = []
# Sent with every answer since 2.5.1 (DTR release notes).
SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Xss-Protection": "1; mode=block",
}


def operation(verb: str, path: str, auth: str = "user", product: str = "dtr", plain: bool = False):
    """Registers a handler. `auth`: "none" (credentials are optional), "user" (any active account), "admin", or "own" (the
    handler looks at the credentials itself).

    `path` is spelled as in the interface, with the same names in braces. `plain`: outside the interface, nothing is checked and the
    handler deals with the request itself; such a path may end in `{rest+}`.
    """

    def register(handler):
        ROUTES.append(((product, verb, path), (auth, plain, handler)))
        return handler

    return register


class Front:
    """One product's side of the stand-in."""

    def __init__(self, standin, product: str):
        self.standin, self.product = standin, product
        self.routes = build(product, load(product, standin.options.job_spelling), dict(ROUTES))

    async def handle(self, request) -> web.StreamResponse:
        verb, path = request.method, request.rel_url.raw_path
        record = self.standin.record.begin(request, self.product)
        try:
            answer = await self.answer(request, verb, path, record)
        except Refused as refused:
            answer = self.refusal(refused, path)
        except (ConnectionError, web.HTTPException):
            raise
        except Exception:   # a mistake of the stand-in itself: kept for the tests, which fail on it
            self.standin.crashes.append(traceback.format_exc())
            answer = self.refusal(Refused(500, "INTERNAL_ERROR", traceback.format_exc(limit=-1)), path)
        if isinstance(answer, web.StreamResponse):
            self.standin.record.end(record, answer.status, None)
            return answer
        self.standin.record.end(record, answer.status, answer.body)
        return response_of(answer, self.standin.answer_headers(self.product))

    async def answer(self, request, verb: str, path: str, record):
        fault = self.standin.faults.take(verb, path)
        if fault:
            early = await strike(fault, request)
            if early:
                return early
        route, values, exists = self.routes.find(verb, path)
        if route is None or route.handler is None:
            raise self.unknown(verb, path, route, exists)
        record.operation = f"{route.verb} {route.path}"
        answer = await self.serve(route, values, request, record)
        if fault and fault.kind == "drop":
            request.transport.abort()
            raise ConnectionResetError("a fault was asked for")
        return answer

    async def serve(self, route: Route, values: dict, request, record):
        caller = Caller() if route.auth == "own" else self.standin.auth.caller(request, self.product)
        record.caller = caller.name
        if route.auth not in ("none", "own") and caller.anonymous:
            raise not_authenticated("This needs an account.")
        if route.auth == "admin" and not caller.is_admin:
            raise not_authorized("This is for administrators.")
        call = Call(caller, values, {}, None, request, self.product, self.standin.options.paging_headers)
        if route.plain:
            call.query = dict(request.query)
        else:
            await self.check(route, call, record)
        record.reached = True
        answer = route.handler(self.standin, call)
        if inspect.isawaitable(answer):
            answer = await answer
        return answer if isinstance(answer, web.StreamResponse) else self.checked(route, _as_answer(answer))

    async def check(self, route: Route, call: Call, record) -> None:
        """Strict about what the interface names; what does not fit is refused and noted as a violation."""
        try:
            check_accept(route.operation, call.request.headers.get("Accept", "*/*"))
            call.query = read_query(route.operation, call.request.query)
            call.body = await read_body(route.operation, call.request)
        except Refused as refused:
            self.violation(call.request.method, call.request.rel_url.raw_path, refused.message)
            raise
        record.request = call.body

    def checked(self, route: Route, answer: Answer) -> Answer:
        """Own answers are held against the interface where a record is kept, which is in tests; a long list takes a while."""
        if route.plain or isinstance(answer.body, (str, bytes)) or not self.standin.record.keep:
            return answer
        name, answers = f"{route.verb} {route.path}", route.operation.answers
        if answer.status not in answers and answer.status < 400 and any(status < 300 for status in answers):
            self.standin.answer_violations.append({"operation": name, "why": f"{answer.status} is not in the interface"})
        schema = answers.get(answer.status)
        if schema is not None:
            self.standin.answer_violations += [{"operation": name, "why": why} for why in schema(answer.body, "answer")]
        return answer

    def unknown(self, verb: str, path: str, route: Route | None, exists: bool) -> Refused:
        if route is not None:
            refused = Refused(501, "NOT_EMULATED", f"{verb} {path} is not emulated by this stand-in.")
        elif exists:
            refused = Refused(405, "NOT_ALLOWED", f"{path} does not take {verb}.")
        else:
            refused = Refused(404, "NOT_FOUND", f"There is no {path}.")
        self.violation(verb, path, refused.message)
        return refused

    def violation(self, verb: str, path: str, why: str) -> None:
        self.standin.violations.append({"method": verb, "path": path, "why": why})

    def refusal(self, refused: Refused, path: str) -> Answer:
        """UCP's accounts answer with the same envelope as DTR, its other paths as the Engine does (field observation)."""
        if self.product == "dtr" or path.startswith(("/accounts", "/auth", "/enzi", "/id")):
            return Answer(refused.status, refused.envelope())
        return Answer(refused.status, {"message": refused.message})


def _as_answer(value) -> Answer:
    if isinstance(value, Answer):
        return value
    return Answer(204) if value is None else Answer(200, value)


def response_of(answer: Answer, headers: dict) -> web.Response:
    headers = {**SECURITY_HEADERS, **headers, **answer.headers}
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    if isinstance(answer.body, (str, bytes)):
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        headers.setdefault("Content-Type", "text/plain; charset=utf-8")
        return web.Response(status=answer.status, body=body, headers=headers)
    headers.setdefault("Content-Type", "application/json")
    return web.Response(status=answer.status, body=json.dumps(answer.body).encode(), headers=headers)
