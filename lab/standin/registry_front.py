# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/v2/: decides what a client may do, knows the tags, and lets Distribution store and deliver (Registry HTTP API V2).

Blobs are passed through in pieces. The client's token goes along, so that Distribution verifies it too.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re

import jwt
from aiohttp import web

from . import manifests
from .answers import Answer, Caller
from .errors import Refused
from .registry import blobs_of
from .registry_proxy import forward, put_manifest, read
from .server import operation
from .tags import TAG

PATH = re.compile(
    r"(?P<name>.+)/(?:manifests/(?P<reference>[^/]+)|tags/(?P<tags>list)|blobs/uploads/(?P<upload>[^/]*)|blobs/(?P<digest>[^/]+))"
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MANIFEST_LIMIT = 4 * 1024 * 1024


@dataclasses.dataclass
class Request:
    """What one request to /v2/ is about. `path`: "namespace/repository"."""

    http: web.Request
    path: str
    caller: Caller
    claims: dict
    address: str | None = None   # the client's

    @property
    def parts(self) -> tuple[str, str]:
        namespace, _slash, repository = self.path.partition("/")
        return namespace, repository

    @property
    def push(self) -> str:
        """Names the push that this request belongs to. Clients use one token for a push, and others, for two repositories, to mount."""
        return self.claims["jti"] if len(self.claims["access"]) == 1 else self._mounts

    @property
    def pushes(self) -> tuple[str, str]:
        """All names under which the push of this request may hold something."""
        return self.push, self._mounts

    @property
    def _mounts(self) -> str:
        return f"{self.caller.name}@{self.address} {self.path}"


async def serve(standin, call):
    """Everything below /v2/."""
    http = call.request
    if standin.registry.session is None:
        raise Refused(503, "UNAVAILABLE", "this stand-in was started without a registry binary")
    rest = call.path["rest"]
    if rest == "":
        claims = _claims(standin, http, "")
        return await forward(standin, http) if isinstance(claims, dict) else claims
    if rest == "_catalog" and http.method == "GET":
        return _catalog(standin, http)
    target = PATH.fullmatch(rest)
    if not target:
        raise Refused(404, "NAME_UNKNOWN", f"there is no /v2/{rest}")
    return await _serve_repository(standin, http, target)


for _verb in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
    operation(_verb, "/v2/{rest+}", auth="own", plain=True)(serve)


async def _serve_repository(standin, http: web.Request, target: re.Match):
    if http.method == "DELETE" and target["upload"] is None:
        raise Refused(405, "UNSUPPORTED", "delete tags with the API; manifests and blobs are removed by garbage collection")
    action = "pull" if http.method in ("GET", "HEAD") else "push"
    scope = f"repository:{target['name']}:{'pull' if action == 'pull' else 'pull,push'}"
    claims = _claims(standin, http, scope)
    if not isinstance(claims, dict):
        return claims
    caller = standin.registry.tokens.caller(claims)
    in_token = _actions(claims, target["name"])
    now = in_token if claims["trusted"] else standin.registry.tokens.actions(caller, target["name"]) if caller else set()
    if action not in in_token & now:
        return _challenge(standin, http, scope, "insufficient_scope")
    request = Request(http, target["name"], caller, claims, standin.client_address(http))
    if action == "push" and http.method != "DELETE":
        _prepare_push(standin, request)
    # Who may push and asks whether something is there will rely on the answer.
    holds = "push" in in_token and http.method != "GET"
    if target["reference"]:
        return await _manifest(standin, request, target["reference"], holds)
    if target["tags"]:
        return _tags(standin, request)
    return await _blob(standin, request, target["digest"], holds)


def _actions(claims: dict, name: str) -> set[str]:
    granted = [entry["actions"] for entry in claims["access"] if entry["type"] == "repository" and entry["name"] == name]
    return {action for actions in granted for action in actions}


def _prepare_push(standin, request: Request) -> None:
    if standin.registry.read_only:
        raise Refused(405, "UNSUPPORTED", "the registry is read-only at the moment; pushes are refused, pulls are not")
    namespace, name = request.parts
    if not standin.repositories.get(namespace, name):
        standin.repositories.create(request.caller, namespace, {"name": name, "visibility": "private"})


# Tokens


def _claims(standin, http: web.Request, scope: str) -> dict | Answer:
    """The claims of the request's token, or the answer that asks for one."""
    scheme, _space, token = http.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return _challenge(standin, http, scope)
    try:
        return standin.registry.tokens.verify(token)
    except jwt.InvalidTokenError:
        return _challenge(standin, http, scope, "invalid_token")


def _challenge(standin, http: web.Request, scope: str, error: str = "") -> Answer:
    host = standin.public_host(http)
    fields = {"realm": f"https://{host}/auth/token", "service": host, "scope": scope, "error": error}
    value = ",".join(f'{name}="{text}"' for name, text in fields.items() if text)
    body = Refused(401, "UNAUTHORIZED", "authentication required", scope or None).envelope()
    return Answer(401, body, {"WWW-Authenticate": f"Bearer {value}", "Docker-Distribution-Api-Version": "registry/2.0"})


# Lists


def _cut(http: web.Request, names: list[str], path: str) -> tuple[list[str], dict]:
    """One page of names by `n` and `last`, and the header that leads to the next."""
    last, size = http.query.get("last", ""), http.query.get("n", "")
    names = [name for name in names if name > last]
    if not size:
        return names, {}
    if not size.isdigit() or int(size) < 1:
        raise Refused(400, "PAGINATION_NUMBER_INVALID", f"n is {size!r}, has to be a number above 0")
    shown = names[:int(size)]
    more = len(names) > len(shown)
    return shown, {"Link": f'<{path}?last={shown[-1]}&n={size}>; rel="next"'} if more else {}


def _catalog(standin, http: web.Request):
    """Only the repositories that the account can see."""
    scope = "registry:catalog:*"
    claims = _claims(standin, http, scope)
    if not isinstance(claims, dict):
        return claims
    caller = standin.registry.tokens.caller(claims)
    if not caller or not any(entry["type"] == "registry" and entry["name"] == "catalog" for entry in claims["access"]):
        return _challenge(standin, http, scope, "insufficient_scope")
    names = sorted(f"{found['namespace']}/{found['name']}" for found in standin.repositories.visible(caller))
    shown, headers = _cut(http, names, "/v2/_catalog")
    return Answer(200, {"repositories": shown}, headers)


def _tags(standin, request: Request):
    if request.http.method != "GET":
        raise Refused(405, "UNSUPPORTED", "tags are listed with GET")
    names = [tag["name"] for tag in standin.tags.of_repository(*request.parts)]
    shown, headers = _cut(request.http, names, f"/v2/{request.path}/tags/list")
    return Answer(200, {"name": request.path, "tags": shown}, headers)


# Manifests


async def _manifest(standin, request: Request, reference: str, holds: bool):
    if request.http.method == "PUT":
        return await _put_manifest(standin, request, reference)
    if request.http.method not in ("GET", "HEAD"):
        raise Refused(405, "UNSUPPORTED", f"manifests do not take {request.http.method}")
    digest = standin.tags.resolve(*request.parts, reference)
    if not digest:
        raise Refused(404, "MANIFEST_UNKNOWN", "manifest unknown", {"name": request.path, "reference": reference})
    if holds:
        standin.registry.pins.hold(request.push, [digest])
    answer = await forward(standin, request.http, f"/v2/{request.path}/manifests/{digest}")
    if request.http.method == "GET" and answer.status == 200:
        standin.tags.pulled(*request.parts, reference, digest, request.caller.name)
    return answer


async def _put_manifest(standin, request: Request, reference: str):
    """Distribution gets it under its digest and checks that everything it refers to is there; tags are kept here."""
    body = await read(request.http, MANIFEST_LIMIT)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    by_tag = ":" not in reference
    if by_tag and not TAG.fullmatch(reference):
        raise Refused(400, "TAG_INVALID", f"{reference!r} is no tag")
    if not by_tag and reference != digest:
        raise Refused(400, "DIGEST_INVALID", f"the manifest's digest is {digest}, not {reference}")
    parts = manifests.parse(request.http.headers.get("Content-Type", ""), body)
    needed = [digest, *manifests.stored(parts), *(child["digest"] for child in parts["children"])]
    if by_tag:
        try:
            standin.tags.check_overwrite(*request.parts, reference, digest)
        except Refused:
            _release(standin, request, needed)
            raise
    standin.registry.pins.hold(request.push, needed)
    refused = await put_manifest(standin, request.http, f"/v2/{request.path}/manifests/{digest}", body)
    if refused:
        return refused
    if not standin.repositories.get(*request.parts):   # deleted while Distribution wrote
        raise Refused(404, "NAME_UNKNOWN", f"there is no repository {request.path}")
    config = _config(standin, parts)
    manifest = standin.tags.put_manifest(*request.parts, digest, manifests.describe(parts, config), request.caller.name)
    if by_tag:
        standin.tags.put(*request.parts, reference, digest, request.caller.name)
        standin.tags.count(*request.parts, "pushes")
        _release(standin, request, [member["digest"] for member in standin.tags.family(*request.parts, digest)])
    _release(standin, request, blobs_of(manifest))
    location = f"https://{standin.public_host(request.http)}/v2/{request.path}/manifests/{reference}"
    return Answer(201, b"", {"Location": location, "Docker-Content-Digest": digest, "Docker-Distribution-Api-Version": "registry/2.0"})


def _release(standin, request: Request, digests: list[str]) -> None:
    for push in request.pushes:
        standin.registry.pins.release(push, digests)


def _config(standin, parts: dict) -> dict:
    """The image's configuration; {} for an index and for artifacts whose configuration is something else."""
    if not parts["config"] or parts["config"]["size"] > MANIFEST_LIMIT:
        return {}
    try:
        config = json.loads(standin.registry.files.read(parts["config"]["digest"]))
    except ValueError:
        return {}
    return config if isinstance(config, dict) else {}


# Blobs


async def _blob(standin, request: Request, digest: str | None, holds: bool):
    """What a push asks for or uploads is held, before Distribution hears of it, until a manifest refers to it."""
    http, query = request.http, dict(request.http.query)
    asked = [digest] if digest else [query[name] for name in ("digest", "mount") if name in query]
    if not all(DIGEST.fullmatch(name) for name in asked):
        raise Refused(400, "DIGEST_INVALID", f"{', '.join(asked)}: digests have to be sha256")
    if holds:
        standin.registry.pins.hold(request.push, asked)
    if "mount" in query and not _may_mount(standin, request, query.get("from", "")):
        # The client uploads instead, as the API allows.
        return await forward(standin, http, f"/v2/{request.path}/blobs/uploads/")
    return await forward(standin, http, http.rel_url.raw_path, http.rel_url.raw_query_string)


def _may_mount(standin, request: Request, source: str) -> bool:
    return "pull" in _actions(request.claims, source) & standin.registry.tokens.actions(request.caller, source)
