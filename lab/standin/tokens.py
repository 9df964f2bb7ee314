# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens (DTR docs: access tokens; DTR 2.7 API)."""

from __future__ import annotations

import datetime
import uuid

from .answers import Answer
from .auth import token_id
from .errors import Refused, not_authorized
from .paging import page
from .server import operation

NEVER = "0001-01-01T00:00:00Z"
BY_HAND = "user"   # `generatedBy`; the documents name only "auto", the default of the bulk delete


class Tokens:
    def __init__(self, standin):
        self.standin, self.store = standin, standin.store

    def used(self, token: dict) -> None:
        self.store.put("token", token["hashedToken"], {**token, "lastUsed": self.standin.stamp()})

    def create(self, account: dict, label: str, user_agent: str) -> tuple[str, dict]:
        """(the token, which is not kept; what is kept)."""
        token = str(uuid.uuid4())
        kept = {
            "hashedToken": token_id(token), "username": account["name"], "tokenLabel": label, "isActive": True, "lastUsed": NEVER,
            "createdAt": self.standin.stamp(), "generatedBy": BY_HAND, "creatorUa": user_agent,
        }
        return token, self.store.put("token", kept["hashedToken"], kept)


def _shown(token: dict) -> dict:
    return {field: value for field, value in token.items() if field != "username"}


def _account(standin, call) -> dict:
    """Whose tokens are meant: of `username`, which is for administrators when it is somebody else, or the caller's."""
    name = call.query["username"] or call.caller.name
    if name != call.caller.name and not call.caller.is_admin:
        raise not_authorized("Other people's access tokens are for administrators.")
    return standin.accounts.user(name)


def _own(standin, call) -> dict:
    token = standin.store.get("token", call.path["hashedtoken"])
    if not token:
        raise Refused(404, "NO_SUCH_API_TOKEN", f"There is no access token {call.path['hashedtoken']}.")
    if token["username"] != call.caller.name and not call.caller.is_admin:
        raise not_authorized("Other people's access tokens are for administrators.")
    return token


@operation("GET", "/api/v0/api_tokens")
def list_tokens(standin, call):
    """Without `username`: everyone's for administrators, the own ones for others."""
    tokens = standin.store.all("token")
    if call.query["username"] or not call.caller.is_admin:
        name = _account(standin, call)["name"]
        tokens = [token for token in tokens if token["username"] == name]
    return page(call, [_shown(token) for token in tokens], lambda token: token["hashedToken"])


@operation("POST", "/api/v0/api_tokens")
def create_token(standin, call):
    """200, and the only answer with the token itself."""
    account = _account(standin, call)
    token, kept = standin.tokens.create(account, call.body.get("tokenLabel", ""), call.request.headers.get("User-Agent", ""))
    return {**_shown(kept), "token": token}


@operation("DELETE", "/api/v0/api_tokens")
def clean_up(standin, call):
    """By user, last use and origin. The layout of `usedbefore` is not documented: RFC 3339 is taken."""
    name = _account(standin, call)["name"]
    before = _moment(call.query["usedbefore"])
    for key, token in standin.store.items("token"):
        unused = before is None or _moment(token["lastUsed"]) < before
        if token["username"] == name and token["generatedBy"] == call.query["generatedby"] and unused:
            standin.store.delete("token", key)
    return Answer(200)


def _moment(text: str | None) -> datetime.datetime | None:
    if not text:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Refused(400, "INVALID_PARAMETERS", f"usedbefore is {text!r}, has to be a date and time as in RFC 3339.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


@operation("GET", "/api/v0/api_tokens/{hashedtoken}")
def get_token(standin, call):
    return _shown(_own(standin, call))


@operation("PATCH", "/api/v0/api_tokens/{hashedtoken}")
def update_token(standin, call):
    token = _own(standin, call)
    return _shown(standin.store.put("token", token["hashedToken"], {**token, **call.body}))


@operation("DELETE", "/api/v0/api_tokens/{hashedtoken}")
def delete_token(standin, call):
    """200, not 204."""
    standin.store.delete("token", _own(standin, call)["hashedToken"])
    return Answer(200)
