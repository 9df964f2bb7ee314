# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the registry protocol (v2), as far as copying images from one registry to another needs it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
from urllib.parse import urljoin

import aiohttp

ACCEPT = ", ".join((
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
))
CHUNK = 1024 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=300, sock_connect=10)


class CopyFailed(Exception):
    """What a registry refused or could not do, and which one."""


class Registry:
    """One registry at `base` (`https://host:port`); `token` overrides what the registry's own token service would give.

    Use as a context manager: `async with Registry(...) as registry`.
    """

    def __init__(self, base: str, tls: ssl.SSLContext | bool, username: str = "", password: str = "", token: str = ""):
        self.base, self._tls, self._token = base.rstrip("/"), tls, token
        secret = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._basic = {"Authorization": f"Basic {secret}"} if username or password else {}
        self._tokens: dict[str, str] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Registry:
        self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self

    async def __aexit__(self, *failure) -> None:
        await self._session.close()

    async def tags(self, repository: str) -> list[str]:
        names, path = [], f"/v2/{repository}/tags/list"
        while path:
            async with await self.request("GET", path, repository) as answer:
                await self.demand(answer, 200)
                names += (await answer.json(content_type=None))["tags"] or []
                following = answer.links.get("next")
                path = str(following["url"].relative()) if following else ""
        return names

    async def manifest(self, repository: str, reference: str) -> tuple[str, bytes, str]:
        """(media type, content, digest)."""
        async with await self.request("GET", f"/v2/{repository}/manifests/{reference}", repository, headers={"Accept": ACCEPT}) as answer:
            await self.demand(answer, 200)
            content = await answer.read()
            return answer.headers["Content-Type"].partition(";")[0], content, f"sha256:{hashlib.sha256(content).hexdigest()}"

    async def digest(self, repository: str, reference: str) -> str | None:
        """The digest behind a tag; None when there is none."""
        async with await self.request("HEAD", f"/v2/{repository}/manifests/{reference}", repository, headers={"Accept": ACCEPT}) as answer:
            return answer.headers.get("Docker-Content-Digest") if answer.status == 200 else None

    async def permissions(self, repository: str) -> tuple[bool, bool]:
        """(may read, may write), tried out: the list of tags, and an upload that is given up at once."""
        async with await self.request("POST", f"/v2/{repository}/blobs/uploads/", repository, write=True) as answer:
            write = answer.status == 202
            place = answer.headers.get("Location", "")
        if write:
            (await self.request("DELETE", place, repository, write=True)).release()
        async with await self.request("GET", f"/v2/{repository}/tags/list", repository) as answer:
            # A plain registry does not know a repository before its first push.
            return answer.status == 200 or (answer.status == 404 and write), write

    async def is_dtr(self) -> bool:
        async with await self.request("GET", "/_ping", "") as answer:
            return answer.status == 200 and b'"Healthy"' in await answer.read()

    async def put_blob(self, repository: str, digest: str, source: Registry, source_repository: str) -> None:
        async with await self.request("HEAD", f"/v2/{repository}/blobs/{digest}", repository, write=True) as answer:
            if answer.status == 200:
                return
        async with await self.request("POST", f"/v2/{repository}/blobs/uploads/", repository, write=True) as answer:
            await self.demand(answer, 202)
            place = answer.headers["Location"]
        async with await source.request("GET", f"/v2/{source_repository}/blobs/{digest}", source_repository) as blob:
            await source.demand(blob, 200)
            stream = {"data": blob.content.iter_chunked(CHUNK), "headers": {"Content-Type": "application/octet-stream"}}
            async with await self.request("PATCH", place, repository, write=True, **stream) as answer:
                await self.demand(answer, 202)
                place = answer.headers["Location"]
        end = f"{place}{'&' if '?' in place else '?'}digest={digest}"
        async with await self.request("PUT", end, repository, write=True) as answer:
            await self.demand(answer, 201)

    async def put_manifest(self, repository: str, reference: str, media_type: str, content: bytes) -> None:
        async with await self.request(
            "PUT", f"/v2/{repository}/manifests/{reference}", repository, write=True, data=content, headers={"Content-Type": media_type},
        ) as answer:
            await self.demand(answer, 201)

    async def request(self, verb: str, path: str, repository: str, write: bool = False, **arguments):
        """Send, and once more with what the registry's challenge asks for; a stream goes out once only, with the token of before."""
        url = urljoin(self.base, path)
        headers = arguments.pop("headers", {})
        scope = f"repository:{repository}:{'pull,push' if write else 'pull'}"
        token = self._token or self._tokens.get(scope, "")
        try:
            answer = await self._send(verb, url, headers, token, arguments)
            challenge = answer.headers.get("WWW-Authenticate", "")
            if answer.status == 401 and not token and challenge.lower().startswith("bearer"):
                answer.release()
                token = self._tokens[scope] = await self._fetch_token(challenge, scope)
                answer = await self._send(verb, url, headers, token, arguments)
            return answer
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise CopyFailed(f"{self.base} cannot be reached: {problem or type(problem).__name__}") from problem

    async def _send(self, verb: str, url: str, headers: dict, token: str, arguments: dict):
        authorization = {"Authorization": f"Bearer {token}"} if token else self._basic
        return await self._session.request(verb, url, headers={**headers, **authorization}, ssl=self._tls, **arguments)

    async def _fetch_token(self, challenge: str, scope: str) -> str:
        given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = {"service": given.get("service", ""), "scope": scope}
        async with self._session.get(given["realm"], params=query, headers=self._basic, ssl=self._tls) as answer:
            if answer.status != 200:
                raise CopyFailed(f"{given['realm']} refuses the credentials with {answer.status}")
            body = await answer.json(content_type=None)
            return body.get("token") or body["access_token"]

    async def demand(self, answer, status: int) -> None:
        if answer.status != status:
            raise CopyFailed(f"{answer.method} {answer.url} answered {answer.status}: {(await answer.text())[:300]}")


async def copy(source: tuple[Registry, str], reference: str, target: tuple[Registry, str], tag: str) -> str:
    """Copy an image, or an index with all it lists, between (registry, repository) pairs; its digest.

    Foreign layers stay where they are.
    """
    media_type, content, digest = await source[0].manifest(source[1], reference)
    document = json.loads(content)
    for child in document.get("manifests", []):
        await copy(source, child["digest"], target, child["digest"])
    for blob in [*([document["config"]] if "config" in document else []), *document.get("layers", [])]:
        if "urls" not in blob:
            await target[0].put_blob(target[1], blob["digest"], *source)
    await target[0].put_manifest(target[1], tag, media_type, content)
    return digest
