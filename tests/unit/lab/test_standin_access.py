# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from standin_fixture import PASSWORD

ROOT = "/api/v0/repositories"
LEVELS = ("read-only", "read-write", "admin")


@pytest.fixture
def ops(dtr):
    """Organization ops with an owner (olga), team dev (ann), team qa (ann, bob), repositories base and open; eve belongs to nothing."""
    for name in ("ann", "bob", "olga", "eve"):
        dtr("POST", "/enzi/v0/accounts/", 201, json={"name": name, "password": PASSWORD})
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ops", "isOrg": True})
    dtr("PUT", "/enzi/v0/accounts/ops/members/olga", json={"isAdmin": True})
    teams = {}
    for team, members in (("dev", ("ann",)), ("qa", ("ann", "bob"))):
        teams[team] = dtr("POST", "/enzi/v0/accounts/ops/teams", 201, json={"name": team}).json()
        for member in members:
            dtr("PUT", f"/enzi/v0/accounts/ops/teams/{team}/members/{member}", json={})
    dtr("POST", f"{ROOT}/ops", 201, json={"name": "base"})
    dtr("POST", f"{ROOT}/ops", 201, json={"name": "open", "visibility": "public"})
    return teams


def code(answer):
    return answer.json()["errors"][0]["code"]


def level(dtr, user, repository="ops/base"):
    """Effective level of a user; None when the repository does not exist for the user."""
    answer = dtr.session.get(f"{dtr.url}/api/v0/accounts/{user}/repositoryAccess/{repository}", timeout=5)
    assert answer.status_code in (200, 404)
    return answer.json()["accessLevel"] if answer.status_code == 200 else None


def test_levels_add_up(dtr, ops):
    access = f"{ROOT}/ops/base/teamAccess"
    users = ("admin", "olga", "ann", "bob", "eve")
    assert [level(dtr, user) for user in users] == ["admin", "admin", None, None, None]
    dtr("PUT", f"{access}/dev", json={"accessLevel": "read-write"})
    dtr("PUT", f"{access}/qa", json={"accessLevel": "read-only"})
    assert [level(dtr, user) for user in users] == ["admin", "admin", "read-write", "read-only", None]
    dtr("PUT", "/api/v0/repositoryNamespaces/ops/teamAccess/qa", json={"accessLevel": "admin"})
    assert [level(dtr, user) for user in users] == ["admin", "admin", "admin", "admin", None]
    assert [level(dtr, user, "ops/open") for user in users] == ["admin", "admin", "admin", "admin", "read-only"]
    dtr("DELETE", "/api/v0/repositoryNamespaces/ops/teamAccess/qa", 204)
    dtr("DELETE", f"{access}/dev", 204)
    assert [level(dtr, user) for user in users] == ["admin", "admin", "read-only", "read-only", None]


@pytest.mark.parametrize("granted", LEVELS)
def test_what_each_level_may_do(dtr, dtr_as, ops, granted):
    dtr("PUT", f"{ROOT}/ops/base/teamAccess/dev", json={"accessLevel": granted})
    ann, may = dtr_as("ann"), granted == "admin"
    ann("GET", f"{ROOT}/ops/base")
    ann("PATCH", f"{ROOT}/ops/base", 200 if may else 403, json={"immutableTags": False})
    ann("GET", f"{ROOT}/ops/base/teamAccess", 200 if may else 403)
    ann("POST", f"{ROOT}/ops", 403, json={"name": "more"})
    ann("DELETE", f"{ROOT}/ops/base", 204 if may else 403)


def test_what_cannot_be_seen_does_not_exist(dtr, dtr_as, ops):
    def visible(client):
        return {entry["name"] for entry in client("GET", f"{ROOT}/ops").json()["repositories"]}

    eve, nobody = dtr_as("eve"), dtr_as(None)
    assert visible(eve) == {"open"} and visible(dtr_as("olga")) == {"base", "open"}
    assert code(eve("GET", f"{ROOT}/ops/base", 404)) == "NO_SUCH_REPOSITORY"
    assert code(eve("PATCH", f"{ROOT}/ops/base", 404, json={"immutableTags": True})) == "NO_SUCH_REPOSITORY"
    eve("DELETE", f"{ROOT}/ops/base", 404)
    nobody("GET", f"{ROOT}/ops/base", 404)
    nobody("GET", f"{ROOT}/ops/open")
    nobody("GET", ROOT, 401)
    eve("DELETE", f"{ROOT}/ops/open", 403)


def test_owner_and_namespace_admin_create(dtr, dtr_as, ops):
    dtr_as("olga")("POST", f"{ROOT}/ops", 201, json={"name": "by-owner"})
    dtr_as("ann")("POST", f"{ROOT}/ops", 403, json={"name": "by-team"})
    dtr("PUT", "/api/v0/repositoryNamespaces/ops/teamAccess/dev", json={"accessLevel": "admin"})
    dtr_as("ann")("POST", f"{ROOT}/ops", 201, json={"name": "by-team"})


def test_grants_are_listed(dtr, dtr_as, ops):
    access = f"{ROOT}/ops/base/teamAccess"
    granted = dtr("PUT", f"{access}/dev", json={"accessLevel": "read-only"}).json()
    assert granted["teamAccessList"] == [{"accessLevel": "read-only", "team": {"id": ops["dev"]["id"], "clientUserIsMember": False}}]
    dtr("PUT", f"{access}/dev", json={"accessLevel": "read-write"})
    dtr("PUT", f"{access}/qa", json={"accessLevel": "read-only"})
    listed = dtr("GET", f"{access}?count=true&pageSize=1")
    assert listed.headers["X-Resource-Count"] == "2" and listed.json()["repository"]["name"] == "base"
    both = dtr("GET", access).json()["teamAccessList"]
    assert {entry["team"]["id"]: entry["accessLevel"] for entry in both} == {ops["dev"]["id"]: "read-write", ops["qa"]["id"]: "read-only"}
    mine = dtr_as("ann")("GET", "/api/v0/accounts/ops/teams/dev/repositoryAccess").json()
    assert mine["team"] == {"id": ops["dev"]["id"], "clientUserIsMember": True}
    assert [(entry["accessLevel"], entry["repository"]["name"]) for entry in mine["repositoryAccessList"]] == [("read-write", "base")]
    dtr_as("bob")("GET", "/api/v0/accounts/ops/teams/dev/repositoryAccess", 403)
    dtr_as("eve")("GET", "/api/v0/accounts/ann/repositoryAccess/ops/base", 403)


def test_namespace_grants(dtr, dtr_as, ops):
    access = "/api/v0/repositoryNamespaces/ops/teamAccess"
    team = {"id": ops["dev"]["id"], "clientUserIsMember": False}
    granted = dtr("PUT", f"{access}/dev", json={"accessLevel": "read-write"}).json()
    assert granted == {"accessLevel": "read-write", "namespace": "ops", "team": team}
    assert dtr("GET", access).json() == {"namespace": "ops", "teamAccessList": [{"accessLevel": "read-write", "team": team}]}
    assert dtr_as("ann")("GET", f"{access}/dev").json()["team"]["clientUserIsMember"] is True
    dtr_as("bob")("GET", f"{access}/dev", 403)
    dtr_as("eve")("GET", access, 403)
    assert code(dtr("GET", f"{access}/qa", 404)) == "NO_SUCH_NAMESPACE_TEAM_ACCESS"
    dtr_as("ann")("PUT", f"{access}/dev", 403, json={"accessLevel": "admin"})
    dtr("DELETE", f"{access}/dev", 204)
    dtr("DELETE", f"{access}/dev", 204)
    assert dtr("GET", access).json()["teamAccessList"] == []


def test_grants_need_an_organization_and_one_of_its_teams(standin, dtr, dtr_as, ops):
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "other", "isOrg": True})
    dtr("POST", "/enzi/v0/accounts/other/teams", 201, json={"name": "theirs"})
    dtr("POST", f"{ROOT}/ann", 201, json={"name": "mine"})
    grant = {"json": {"accessLevel": "read-only"}}
    dtr("PUT", f"{ROOT}/ops/base/teamAccess/theirs", 400, **grant)
    assert code(dtr("PUT", f"{ROOT}/ops/base/teamAccess/none", 404, **grant)) == "NO_SUCH_TEAM"
    dtr("PUT", f"{ROOT}/ann/mine/teamAccess/dev", 400, **grant)
    dtr("DELETE", f"{ROOT}/ann/mine/teamAccess/dev", 400)
    dtr("PUT", "/api/v0/repositoryNamespaces/ann/teamAccess/dev", 400, **grant)
    assert code(dtr("GET", "/api/v0/repositoryNamespaces/none/teamAccess", 404)) == "NO_SUCH_ACCOUNT"
    standin.expect_violations = True
    dtr("PUT", f"{ROOT}/ops/base/teamAccess/dev", 400, json={"accessLevel": "all"})


def test_a_renamed_team_keeps_its_grants_and_a_deleted_one_loses_them(dtr, ops):
    dtr("PUT", f"{ROOT}/ops/base/teamAccess/dev", json={"accessLevel": "read-write"})
    dtr("PUT", "/api/v0/repositoryNamespaces/ops/teamAccess/qa", json={"accessLevel": "read-only"})
    dtr("PATCH", "/enzi/v0/accounts/ops/teams/dev", json={"name": "developers"})
    assert level(dtr, "ann") == "read-write"
    dtr("DELETE", f"/enzi/v0/accounts/ops/teams/{ops['dev']['id']}", 204)
    assert level(dtr, "ann") == "read-only"
    dtr("DELETE", "/enzi/v0/accounts/ops/teams/qa", 204)
    assert level(dtr, "ann") is None
    assert dtr("GET", f"{ROOT}/ops/base/teamAccess").json()["teamAccessList"] == []
