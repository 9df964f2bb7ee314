# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest
from standin.tokens import NEVER
from standin_fixture import PASSWORD

TOKENS = "/api/v0/api_tokens"


@pytest.fixture
def ann(dtr, dtr_as):
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ann", "password": PASSWORD})
    return dtr_as("ann")


def code(answer):
    return answer.json()["errors"][0]["code"]


def test_a_token_is_shown_once_and_replaces_the_password(standin, ann, dtr_as):
    made = ann("POST", TOKENS, json={"tokenLabel": "ci"}).json()
    assert made["tokenLabel"] == "ci" and made["isActive"] is True and made["lastUsed"] == NEVER
    token = made.pop("token")
    assert ann("GET", TOKENS).json() == [made] and token not in str(standin.store.all("token"))
    assert dtr_as("ann", token)("GET", "/basic_info").json()["AuthnMethod"] == "Token"
    dtr_as("admin", token)("GET", "/basic_info", 401)
    used = ann("GET", f"{TOKENS}/{made['hashedToken']}").json()
    assert used["lastUsed"] > made["createdAt"] and {**used, "lastUsed": NEVER} == made


def test_inactive_and_deleted_tokens_are_refused(ann, dtr_as):
    made = ann("POST", TOKENS, json={}).json()
    path, with_token = f"{TOKENS}/{made['hashedToken']}", dtr_as("ann", made["token"])
    assert ann("PATCH", path, json={"isActive": False}).json()["isActive"] is False
    with_token("GET", "/basic_info", 401)
    assert ann("PATCH", path, json={"tokenLabel": "new"}).json()["tokenLabel"] == "new"
    ann("PATCH", path, json={"isActive": True})
    with_token("GET", "/basic_info")
    ann("DELETE", path, 200)
    with_token("GET", "/basic_info", 401)
    assert code(ann("DELETE", path, 404)) == code(ann("GET", path, 404)) == "NO_SUCH_API_TOKEN"


def test_a_token_has_the_rights_of_its_account(dtr, ann, dtr_as):
    with_token = dtr_as("ann", ann("POST", TOKENS, json={}).json()["token"])
    with_token("GET", "/api/v0/meta/settings", 403)
    dtr("PATCH", "/enzi/v0/accounts/ann", json={"isAdmin": True})
    with_token("GET", "/api/v0/meta/settings")
    dtr("PATCH", "/enzi/v0/accounts/ann", json={"isActive": False})
    with_token("GET", "/basic_info", 401)


def test_administrators_see_and_make_the_tokens_of_others(dtr, ann):
    made = dtr("POST", f"{TOKENS}?username=ann", json={}).json()
    dtr("POST", TOKENS, json={})
    assert len(dtr("GET", TOKENS).json()) == 2
    assert [token["hashedToken"] for token in dtr("GET", f"{TOKENS}?username=ann").json()] == [made["hashedToken"]]
    assert [token["hashedToken"] for token in ann("GET", TOKENS).json()] == [made["hashedToken"]]
    (own,) = (token for token in dtr("GET", TOKENS).json() if token["hashedToken"] != made["hashedToken"])
    ann("GET", f"{TOKENS}/{own['hashedToken']}", 403)
    ann("DELETE", f"{TOKENS}/{own['hashedToken']}", 403)
    ann("GET", f"{TOKENS}?username=admin", 403)
    ann("POST", f"{TOKENS}?username=admin", 403, json={})
    assert code(dtr("GET", f"{TOKENS}?username=nobody", 404)) == "NO_SUCH_USER"


def test_pages(ann):
    made = sorted(ann("POST", TOKENS, json={}).json()["hashedToken"] for _number in range(5))
    answer = ann("GET", f"{TOKENS}?pageSize=2&count=true")
    assert answer.headers["X-Resource-Count"] == "5" and answer.headers["X-Next-Page-Start"] == made[2]
    answer = ann("GET", f"{TOKENS}?pageSize=3&pageStart={made[2]}")
    assert [token["hashedToken"] for token in answer.json()] == made[2:] and "X-Next-Page-Start" not in answer.headers


def test_clean_up(standin, ann, dtr_as):
    used, unused = (ann("POST", TOKENS, json={}).json() for _number in range(2))
    ann("DELETE", TOKENS)
    assert len(ann("GET", TOKENS).json()) == 2   # they were not made automatically
    before = standin.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    standin.shift = datetime.timedelta(hours=1)
    dtr_as("ann", used["token"])("GET", "/basic_info")
    ann("DELETE", f"{TOKENS}?generatedby=user&usedbefore={before}")
    assert [token["hashedToken"] for token in ann("GET", TOKENS).json()] == [used["hashedToken"]]
    assert code(ann("DELETE", f"{TOKENS}?usedbefore=yesterday", 400)) == "INVALID_PARAMETERS"
    ann("DELETE", f"{TOKENS}?generatedby=user")
    assert ann("GET", TOKENS).json() == [] and unused["hashedToken"] != used["hashedToken"]
