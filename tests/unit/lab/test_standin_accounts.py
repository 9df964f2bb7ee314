# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest
from standin_fixture import PASSWORD, Client, running

ACCOUNTS = "/enzi/v0/accounts/"
NO_SYNC = {
    "enableSync": False, "selectGroupMembers": False, "groupDN": "", "groupMemberAttr": "", "searchBaseDN": "", "searchScopeSubtree": False,
    "searchFilter": "",
}


def user(name, **more):
    return {"name": name, "password": PASSWORD, **more}


def code(answer):
    return answer.json()["errors"][0]["code"]


@pytest.fixture
def ops(dtr):
    """Organization ops with owner olga and member ann; eve is no member; team dev with ann."""
    for name in ("ann", "olga", "eve"):
        dtr("POST", ACCOUNTS, 201, json=user(name))
    dtr("POST", ACCOUNTS, 201, json={"name": "ops", "isOrg": True})
    dtr("PUT", f"{ACCOUNTS}ops/members/olga", json={"isAdmin": True})
    dtr("POST", f"{ACCOUNTS}ops/teams", 201, json={"name": "dev", "description": "developers"})
    dtr("PUT", f"{ACCOUNTS}ops/teams/dev/members/ann", json={})


@pytest.fixture
def ucp(standin):
    """A client of UCP with a session of the administrator."""
    client = Client(standin.ucp_url, standin.ca_file)
    token = client("POST", "/auth/login", json={"username": "admin", "password": PASSWORD}).json()["auth_token"]
    client.session.headers["Authorization"] = f"Bearer {token}"
    return client


def test_a_new_installation(dtr):
    accounts = dtr("GET", ACCOUNTS).json()
    assert [account["name"] for account in accounts["accounts"]] == ["admin", "docker-datacenter"]
    assert (accounts["usersCount"], accounts["orgsCount"], accounts["resourceCount"], accounts["nextPageStart"]) == (1, 1, 2, "")


def test_ucp_and_dtr_have_the_same_accounts(dtr, ucp):
    made = ucp("POST", "/accounts/", 201, json=user("ann", fullName="Ann")).json()
    assert dtr("GET", f"{ACCOUNTS}ann").json() == ucp("GET", f"/accounts/{made['id']}").json() == made
    assert made == {
        "name": "ann", "id": made["id"], "fullName": "Ann", "isOrg": False, "isAdmin": False, "isActive": True, "isImported": False,
    }
    ucp("DELETE", "/accounts/ann", 204)
    assert code(dtr("GET", f"{ACCOUNTS}ann", 404)) == "NO_SUCH_ACCOUNT"


@pytest.mark.parametrize(
    ("form", "status", "expected"),
    [
        ({"name": "admin", "password": "x"}, 409, "ACCOUNT_EXISTS"),
        ({"name": "docker-datacenter", "password": "x"}, 409, "ACCOUNT_EXISTS"),
        ({"name": "admin", "isOrg": True}, 409, "ACCOUNT_EXISTS"),
        ({"name": "ann"}, 400, "INVALID_JSON"),
        ({"name": "a/b", "password": "x"}, 400, "INVALID_JSON"),
    ],
)
def test_what_cannot_be_created(dtr, form, status, expected):
    assert code(dtr("POST", ACCOUNTS, status, json=form)) == expected


def test_users_from_a_directory_need_no_password(dtr, dtr_as):
    assert dtr("POST", ACCOUNTS, 201, json={"name": "ann", "searchLDAP": True}).json()["isImported"] is True
    dtr_as("ann", "")("GET", "/basic_info", 401)


def test_filters_orders_and_pages(dtr):
    dtr("POST", ACCOUNTS, 201, json=user("ann", fullName="Zoe"))
    dtr("POST", ACCOUNTS, 201, json=user("bob", fullName="Al", isAdmin=True))
    dtr("POST", ACCOUNTS, 201, json=user("cid", fullName="Mo", isActive=False))

    def names(query):
        return " ".join(account["name"] for account in dtr("GET", f"{ACCOUNTS}?{query}").json()["accounts"])

    assert names("filter=users") == "admin ann bob cid"
    assert names("filter=orgs") == "docker-datacenter"
    assert names("filter=admins") == "admin bob"
    assert names("filter=non-admins") == "ann cid"
    assert names("filter=active-users") == "admin ann bob"
    assert names("filter=inactive-users") == "cid"
    assert names("filter=users&order=-name") == "cid bob ann admin"
    assert names("filter=users&order=fullName") == "admin bob cid ann"
    assert names("contains=o") == "ann bob cid docker-datacenter"
    assert code(dtr("GET", f"{ACCOUNTS}?filter=some", 400)) == code(dtr("GET", f"{ACCOUNTS}?order=age", 400)) == "INVALID_PARAMETERS"
    for order, expected in (("", "admin ann bob cid docker-datacenter"), ("-name", "docker-datacenter cid bob ann admin")):
        start, seen = "", []
        for _page in itertools.count():
            page = dtr("GET", f"{ACCOUNTS}?order={order}&limit=2&start={start}").json()
            seen += [account["name"] for account in page["accounts"]]
            start = page["nextPageStart"]
            if not start:
                break
        assert " ".join(seen) == expected


def test_accounts_are_for_administrators_and_those_concerned(dtr_as, ops):
    ann, eve = dtr_as("ann"), dtr_as("eve")
    ann("GET", ACCOUNTS, 403)
    ann("POST", ACCOUNTS, 403, json=user("more"))
    ann("DELETE", f"{ACCOUNTS}eve", 403)
    ann("GET", f"{ACCOUNTS}eve", 403)
    ann("GET", f"{ACCOUNTS}ann")
    assert ann("GET", f"{ACCOUNTS}ops").json()["membersCount"] == 2
    eve("GET", f"{ACCOUNTS}ops", 403)
    ann("PATCH", f"{ACCOUNTS}eve", 403, json={"fullName": "x"})
    assert ann("PATCH", f"{ACCOUNTS}ann", json={"fullName": "Ann"}).json()["fullName"] == "Ann"
    ann("PATCH", f"{ACCOUNTS}ann", 403, json={"isAdmin": True})
    ann("PATCH", f"{ACCOUNTS}ops", 403, json={"fullName": "x"})
    dtr_as("olga")("PATCH", f"{ACCOUNTS}ops", json={"fullName": "Operations"})


def test_inactive_users_are_refused(dtr, dtr_as, ops):
    dtr_as("ann")("GET", "/basic_info")
    dtr("PATCH", f"{ACCOUNTS}ann", json={"isActive": False})
    dtr_as("ann")("GET", "/basic_info", 401)
    assert dtr("PATCH", f"{ACCOUNTS}ann", json={"isActive": True}).json()["isAdmin"] is False
    dtr_as("ann")("GET", "/basic_info")


def test_passwords(dtr, dtr_as, ops):
    change = f"{ACCOUNTS}ann/changePassword"
    ann = dtr_as("ann")
    ann("POST", change, 403, json={"newPassword": "new"})
    ann("POST", change, 403, json={"oldPassword": "wrong", "newPassword": "new"})
    ann("POST", change, json={"oldPassword": PASSWORD, "newPassword": "new"})
    ann("GET", "/basic_info", 401)
    dtr_as("ann", "new")("GET", "/basic_info")
    dtr_as("eve")("POST", change, 403, json={"newPassword": "x"})
    dtr("POST", change, json={"newPassword": "newer"})
    dtr_as("ann", "newer")("GET", "/basic_info")
    dtr("POST", f"{ACCOUNTS}ops/changePassword", 404, json={"newPassword": "x"})


def test_members_of_an_organization(dtr, dtr_as, ops):
    members = f"{ACCOUNTS}ops/members"
    listed = dtr("GET", members).json()
    assert {entry["member"]["name"]: entry["isAdmin"] for entry in listed["members"]} == {"ann": False, "olga": True}
    assert listed["resourceCount"] == 2
    assert [entry["member"]["name"] for entry in dtr("GET", f"{members}?filter=admins").json()["members"]] == ["olga"]
    first = dtr("GET", f"{members}?limit=1").json()
    second = dtr("GET", f"{members}?limit=1&start={first['nextPageStart']}").json()
    assert first["nextPageStart"] == second["members"][0]["member"]["id"] and second["nextPageStart"] == ""
    assert dtr("PUT", f"{members}/ann", json={"isAdmin": True}).json()["isAdmin"] is True
    assert dtr("PUT", f"{members}/ann").json()["isAdmin"] is True
    assert dtr("PUT", f"{members}/ann", json={"isAdmin": False}).json()["isAdmin"] is False
    dtr_as("ann")("PUT", f"{members}/eve", 403, json={})
    dtr_as("olga")("PUT", f"{members}/eve", json={})
    assert dtr("GET", f"{members}/eve").json()["member"]["name"] == "eve"
    dtr("DELETE", f"{members}/eve", 204)
    assert code(dtr("GET", f"{members}/eve", 404)) == "NO_SUCH_MEMBER"
    assert code(dtr("PUT", f"{members}/nobody", 404, json={})) == "NO_SUCH_USER"
    dtr("PUT", f"{members}/docker-datacenter", 404, json={})
    dtr("GET", f"{ACCOUNTS}ann/members", 404)
    orgs = dtr_as("ann")("GET", f"{ACCOUNTS}ann/organizations").json()
    assert [(entry["org"]["name"], entry["isAdmin"]) for entry in orgs["memberOrgs"]] == [("ops", False)]


def test_joining_a_team_joins_the_organization_and_leaving_it_leaves_the_teams(dtr, ops):
    dtr("PUT", f"{ACCOUNTS}ops/teams/dev/members/eve", json={"isAdmin": True})
    assert dtr("GET", f"{ACCOUNTS}ops/members/eve").json()["isAdmin"] is False
    teams = dtr("GET", f"{ACCOUNTS}ops/members/eve/teams").json()["memberTeams"]
    assert [(entry["team"]["name"], entry["isAdmin"]) for entry in teams] == [("dev", True)]
    dtr("DELETE", f"{ACCOUNTS}ops/members/eve", 204)
    assert code(dtr("GET", f"{ACCOUNTS}ops/teams/dev/members/eve", 404)) == "NO_SUCH_MEMBER"
    dtr("DELETE", f"{ACCOUNTS}ops/teams/dev/members/ann", 204)
    dtr("GET", f"{ACCOUNTS}ops/members/ann")


def test_teams(dtr, dtr_as, ops):
    teams = f"{ACCOUNTS}ops/teams"
    dev = dtr("GET", f"{teams}/dev").json()
    assert (dev["description"], dev["membersCount"]) == ("developers", 1)
    assert dtr("GET", f"{teams}/{dev['id']}").json() == dev
    assert code(dtr("POST", teams, 409, json={"name": "dev"})) == "TEAM_EXISTS"
    for name in ("qa", "abc"):
        dtr_as("olga")("POST", teams, 201, json={"name": name})
    assert [team["name"] for team in dtr("GET", teams).json()["teams"]] == ["abc", "dev", "qa"]
    assert dtr("GET", f"{teams}?limit=2").json()["nextPageStart"] == "qa"
    assert dtr("GET", f"{ACCOUNTS}ops").json()["teamsCount"] == 3
    renamed = dtr("PATCH", f"{teams}/dev", json={"name": "developers"}).json()
    assert renamed == {**dev, "name": "developers"}
    assert code(dtr("GET", f"{teams}/dev", 404)) == "NO_SUCH_TEAM"
    assert [entry["member"]["name"] for entry in dtr("GET", f"{teams}/developers/members").json()["members"]] == ["ann"]
    dtr("PATCH", f"{teams}/developers", 409, json={"name": "qa"})
    dtr_as("ann")("GET", f"{teams}/qa")
    dtr_as("eve")("GET", teams, 403)
    dtr_as("ann")("DELETE", f"{teams}/qa", 403)
    dtr("DELETE", f"{teams}/qa", 204)
    dtr("DELETE", f"{teams}/qa", 404)


def test_administrators_of_a_team(dtr, dtr_as, ops):
    member = f"{ACCOUNTS}ops/teams/dev/members/eve"
    dtr_as("ann")("PUT", member, 403, json={})
    dtr("PUT", f"{ACCOUNTS}ops/teams/dev/members/ann", json={"isAdmin": True})
    dtr_as("ann")("PUT", member, json={})
    dtr_as("ann")("PATCH", f"{ACCOUNTS}ops/teams/dev", json={"description": "x"})
    dtr_as("eve")("DELETE", member, 403)


def test_synchronized_teams_are_not_edited_by_hand(dtr, ops):
    team, member = f"{ACCOUNTS}ops/teams/dev", f"{ACCOUNTS}ops/teams/dev/members/eve"
    assert dtr("GET", f"{team}/memberSyncConfig").json() == dtr("GET", f"{ACCOUNTS}ops/adminMemberSyncConfig").json() == NO_SYNC
    dtr("PUT", f"{team}/memberSyncConfig", json={**NO_SYNC, "enableSync": True, "groupDN": "cn=dev"})
    assert dtr("GET", f"{team}/memberSyncConfig").json()["groupDN"] == "cn=dev"
    dtr("PUT", member, 400, json={})
    dtr("PUT", f"{team}/memberSyncConfig", json=NO_SYNC)
    dtr("PUT", member, json={})
    dtr("PUT", f"{team}/groupLinkConfig", json={"enableLink": True, "groupName": "dev"})
    assert dtr("GET", f"{team}/groupLinkConfig").json() == {"enableLink": True, "groupName": "dev"}
    dtr("DELETE", member, 400)
    dtr("PUT", f"{ACCOUNTS}ops/adminMemberSyncConfig", json={**NO_SYNC, "searchFilter": "(x=y)"})
    assert dtr("GET", f"{ACCOUNTS}ops/adminMemberSyncConfig").json()["searchFilter"] == "(x=y)"


def test_public_keys(dtr, dtr_as, ops):
    keys = f"{ACCOUNTS}ann/publicKeys"
    made = dtr_as("ann")("POST", keys, 201, json={"publicKey": "PEM", "label": "laptop"}).json()
    assert dtr("GET", keys).json() == {"accountPublicKeys": [made], "nextPageStart": ""}
    assert dtr("PATCH", f"{keys}/{made['id']}", json={"label": "desk"}).json() == {**made, "label": "desk"}
    dtr_as("eve")("DELETE", f"{keys}/{made['id']}", 403)
    dtr("DELETE", f"{ACCOUNTS}eve/publicKeys/{made['id']}", 404)
    dtr("DELETE", f"{keys}/{made['id']}", 204)
    assert dtr("GET", keys).json()["accountPublicKeys"] == []


def test_a_deleted_account_leaves_nothing_behind(standin, dtr, dtr_as, ops):
    token = dtr_as("ann")("POST", "/api/v0/api_tokens", json={}).json()["token"]
    dtr("POST", f"{ACCOUNTS}ann/publicKeys", 201, json={"publicKey": "PEM"})
    dtr("DELETE", f"{ACCOUNTS}ann", 204)
    dtr("DELETE", f"{ACCOUNTS}ann", 404)
    dtr_as("ann", token)("GET", "/basic_info", 401)
    for kind in ("token", "public_key", "team_member"):
        assert standin.store.all(kind) == []
    dtr("POST", ACCOUNTS, 201, json=user("ann"))
    assert dtr("GET", f"{ACCOUNTS}ann/organizations").json()["memberOrgs"] == []
    dtr("DELETE", f"{ACCOUNTS}ops", 204)
    assert standin.store.all("team") == standin.store.all("org_member") == []


def test_bulk_operations_are_refused_one_by_one(dtr):
    (result,) = dtr("PATCH", ACCOUNTS, json={"operations": [{"op": "deactivate", "ref": "ann"}]}).json()["results"]
    assert (result["op"], result["success"], result["error"]["code"]) == ("deactivate", False, "UNKNOWN_OPERATION")


def test_accounts_survive_a_restart(tmp_path):
    for start in range(2):
        with running(tmp_path, memory=False) as standin:
            dtr = Client(standin.dtr_url, standin.ca_file, "admin")
            if start == 0:
                made = dtr("POST", ACCOUNTS, 201, json=user("ann")).json()
            else:
                assert dtr("GET", f"{ACCOUNTS}{made['id']}").json() == made
                Client(standin.dtr_url, standin.ca_file, "ann")("GET", "/basic_info")
