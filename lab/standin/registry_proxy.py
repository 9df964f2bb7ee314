# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes requests on to Distribution and its answers back, blobs in pieces."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from .answers import Answer
from .errors import Refused
from .server import SECURITY_HEADERS

PIECE = 256 * 1024
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect", "host"}
NOT_PASSED_BACK = HOP_BY_HOP | {"content-length", "date", "server"}


async def read(http: web.Request, limit: int) -> bytes:
    """The whole body; refused when it is larger than the limit, in bytes."""
    body = bytearray()
    async for piece in http.content.iter_chunked(PIECE):
        body += piece
        if len(body) > limit:
            raise Refused(413, "SIZE_INVALID", f"the body is larger than {limit} bytes")
    return bytes(body)


async def put_manifest(standin, http: web.Request, path: str, body: bytes) -> Answer | None:
    """None when Distribution took it, else its answer."""
    headers = _passed(standin, http)
    headers["Content-Length"] = str(len(body))
    try:
        async with standin.registry.session.put(URL(f"{standin.registry.base}{path}", encoded=True), data=body, headers=headers) as answer:
            if answer.status == 201:
                return None
            return Answer(answer.status, await answer.read(), {"Content-Type": answer.content_type})
    except aiohttp.ClientError as problem:
        raise _gone(problem) from problem


def _passed(standin, http: web.Request) -> CIMultiDict:
    """The client's headers, and how it reached us: Distribution builds the addresses of uploads from that."""
    headers = CIMultiDict((name, value) for name, value in http.headers.items() if name.lower() not in HOP_BY_HOP)
    headers.update({"Host": standin.public_host(http), "X-Forwarded-Proto": "https"})
    return headers


def _gone(problem: Exception) -> Refused:
    return Refused(503, "UNAVAILABLE", f"the registry behind does not answer; it is being started again: {problem!r}")


async def forward(standin, http: web.Request, path: str = "/v2/", query: str = "") -> web.StreamResponse:
    """Passes a request on and its answer back, piece by piece."""
    url = URL(f"{standin.registry.base}{path}{'?' + query if query else ''}", encoded=True)
    body = http.content if http.body_exists else None
    try:
        answer = await standin.registry.session.request(http.method, url, data=body, headers=_passed(standin, http), allow_redirects=False)
    except (aiohttp.ClientError, ConnectionError) as problem:
        if http.transport is None or http.transport.is_closing():
            raise ConnectionResetError("the client is gone") from problem
        raise _gone(problem) from problem
    return await pass_back(http, answer, SECURITY_HEADERS)


async def pass_back(http: web.BaseRequest, answer: aiohttp.ClientResponse, headers) -> web.StreamResponse:
    """An answer from behind, piece by piece, with more headers."""
    async with answer:
        response = web.StreamResponse(status=answer.status, headers=headers)
        for name, value in answer.headers.items():
            if name.lower() not in NOT_PASSED_BACK:
                response.headers.add(name, value)
        if "Content-Length" in answer.headers:
            response.content_length = int(answer.headers["Content-Length"])
        await response.prepare(http)
        try:
            async for piece in answer.content.iter_chunked(PIECE):
                await response.write(piece)
        except (aiohttp.ClientError, asyncio.TimeoutError) as problem:
            raise ConnectionResetError("what is behind broke off") from problem
        await response.write_eof()
        return response
