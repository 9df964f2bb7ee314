# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearer tokens for /v2/ (Distribution's token authentication; DTR docs: notary audit logs).

Anyone is given a token; its access list holds what the account may do of what was asked for. Distribution verifies the signature, the front
(registry_front.py) looks at the account's rights again each time a token is used.
"""

from __future__ import annotations

import base64
import datetime
import pathlib
import uuid
from urllib.parse import parse_qs

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from .access import rank
from .answers import Answer, Caller
from .auth import token_id
from .errors import Refused
from .registry_proxy import read
from .server import operation
from .tls import Authority

SECONDS = 300
ALGORITHM = "ES256"
FORM_LIMIT = 64 * 1024
NEEDED = {"pull": "read-only", "push": "read-write"}


def parse_scope(scope: str) -> dict:
    """`repository:ns/name:pull,push` -> {"type", "name", "actions"}; a name may hold colons, as in host:port/ns/name."""
    kind, _colon, rest = scope.partition(":")
    name, colon, actions = rest.rpartition(":")
    if not (kind and colon and name):
        raise Refused(400, "INVALID_PARAMETERS", f"{scope!r} is no scope such as repository:ns/name:pull,push.")
    return {"type": kind, "name": name, "actions": actions.split(",")}


class RegistryTokens:
    """Issues and verifies tokens with a key of its own below `folder`."""

    def __init__(self, standin, folder: pathlib.Path):
        self.standin = standin
        certificate_file, key_file = folder / "token.pem", folder / "token-key.pem"
        self.root_file = standin.authority.file
        if not certificate_file.exists():
            self._make(standin.authority, certificate_file, key_file)
        self._key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        self._chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]

    @staticmethod
    def _make(authority: Authority, certificate_file: pathlib.Path, key_file: pathlib.Path) -> None:
        certificate, key = authority.issue("Registry tokens", [])
        key_file.touch(mode=0o600)
        key_file.write_bytes(key)
        certificate_file.write_bytes(certificate)

    @property
    def service(self) -> str:
        """Issuer and audience; what a client names as service is not looked at."""
        return self.standin.options.dtr_host

    def issue(self, account: str, access: list[dict], seconds: int = SECONDS, *, trusted: bool = False) -> str:
        """`access`: [{"type", "name", "actions"}]; `account`: "" for nobody. `trusted`: the stand-in itself, which may do all of it."""
        now = datetime.datetime.now(datetime.timezone.utc)   # Distribution's clock is the machine's, whatever tests shift
        claims = {
            "iss": self.service,
            "sub": account,
            "aud": self.service,
            "iat": now,
            "nbf": now - datetime.timedelta(seconds=10),
            "exp": now + datetime.timedelta(seconds=seconds),
            "jti": uuid.uuid4().hex,
            "access": access,
            "trusted": trusted,
        }
        return jwt.encode(claims, self._key, ALGORITHM, {"x5c": self._chain})

    def verify(self, token: str) -> dict:
        """The claims; `jwt.InvalidTokenError` when the token is not ours or no longer valid."""
        return jwt.decode(token, self._key.public_key(), [ALGORITHM], audience=self.service, issuer=self.service)

    def caller(self, claims: dict) -> Caller | None:
        """Who holds a token; None when the account is gone or inactive by now."""
        if not claims["sub"]:
            return Caller()
        account = self.standin.store.get("account", claims["sub"])
        if not account or not account["isActive"]:
            return None
        return Caller(account["name"], account["id"], account["isAdmin"], "token")

    def granted(self, caller: Caller, wanted: dict) -> dict:
        """The same scope with the actions that the caller may do."""
        if wanted["type"] == "registry":
            allowed = {"*"} if wanted["name"] == "catalog" and not caller.anonymous else set()
        elif wanted["type"] == "repository":
            allowed = self.actions(caller, wanted["name"].removeprefix(f"{self.standin.registry.domain}/"))
        else:
            allowed = set()
        return {**wanted, "actions": [action for action in wanted["actions"] if action in allowed]}

    def actions(self, caller: Caller, path: str) -> set[str]:
        """Of pull and push, what the caller may do with a repository that is there, or that a push would create."""
        namespace, _slash, name = path.partition("/")
        repository, level = self.standin.repositories.get(namespace, name), None
        if repository:
            level = self.standin.access.level(caller, repository)
        elif self.may_create(caller, namespace):
            level = "admin"
        return {action for action, needed in NEEDED.items() if rank(level) >= rank(needed)}

    def may_create(self, caller: Caller, namespace: str) -> bool:
        """Own namespace or an organization that the pusher administers (DTR docs: allow creation on push)."""
        on = self.standin.settings.values.get("createRepositoryOnPush")
        known = self.standin.store.get("account", namespace)
        return bool(on and known) and self.standin.access.rights(caller).namespace(namespace) == "admin"

    def answer(self, caller: Caller, scopes: list[str]) -> Answer:
        access = [self.granted(caller, parse_scope(scope)) for text in scopes for scope in text.split()]
        token = self.issue(caller.name, [entry for entry in access if entry["actions"]])
        issued = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Answer(200, {"token": token, "access_token": token, "expires_in": SECONDS, "issued_at": issued})


def unauthorized(message: str) -> Refused:
    return Refused(401, "UNAUTHORIZED", message)


@operation("GET", "/auth/token", auth="own", plain=True)
def get_token(standin, call):
    """With basic authentication, an access token as `refresh_token` (field observation), or nothing."""
    query = call.request.query
    try:
        caller = standin.auth.caller(call.request, "dtr")
        if caller.anonymous and query.get("refresh_token"):
            caller = _of_access_token(standin, query["refresh_token"])
    except Refused as refused:
        raise unauthorized(refused.message) from None
    return standin.registry.tokens.answer(caller, query.getall("scope", []))


@operation("POST", "/auth/token", auth="own", plain=True)
async def post_token(standin, call):
    """The OAuth 2 form that engines try first: grant type `password`, or `refresh_token` with an access token."""
    form = parse_qs((await read(call.request, FORM_LIMIT)).decode(errors="replace"))
    field = {name: values[0] for name, values in form.items()}
    try:
        if field.get("grant_type") == "refresh_token":
            caller = _of_access_token(standin, field.get("refresh_token", ""))
        elif field.get("grant_type") == "password":
            pair = f"{field.get('username', '')}:{field.get('password', '')}"
            caller = standin.auth.of_basic(base64.b64encode(pair.encode()).decode())
        else:
            raise Refused(400, "INVALID_PARAMETERS", "grant_type has to be password or refresh_token.")
    except Refused as refused:
        raise unauthorized(refused.message) if refused.status == 401 else refused from None
    return standin.registry.tokens.answer(caller, form.get("scope", []))


def _of_access_token(standin, token: str) -> Caller:
    found = standin.store.get("token", token_id(token))
    caller = found and standin.auth.of_token(found["username"], token)
    if not caller:
        raise unauthorized("The refresh token is not valid.")
    return caller
