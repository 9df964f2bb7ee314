# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`/accounts/...` of UCP, and the same below `/enzi/v0` on both, where DTR passes it on to UCP (UCP 3.2 API)."""

from __future__ import annotations

from .answers import Answer
from .errors import Refused
from .paging import ucp_page
from .server import operation

FILTERS = {
    "all": lambda account: True,
    "users": lambda account: not account["isOrg"],
    "orgs": lambda account: account["isOrg"],
    "admins": lambda account: not account["isOrg"] and account["isAdmin"],
    "non-admins": lambda account: not account["isOrg"] and not account["isAdmin"],
    "active-users": lambda account: not account["isOrg"] and account["isActive"],
    "inactive-users": lambda account: not account["isOrg"] and not account["isActive"],
}
MEMBER_FILTERS = {
    "all": lambda member: True,
    "admins": lambda member: member["isAdmin"],
    "non-admins": lambda member: not member["isAdmin"],
}
ORDERS = ("name", "fullName")


def on_both(verb: str, path: str, auth: str = "user"):
    """An operation of UCP that DTR answers too."""

    def register(handler):
        operation(verb, f"/accounts/{path}", auth, "ucp")(handler)
        for product in ("dtr", "ucp"):
            operation(verb, f"/enzi/v0/accounts/{path}", auth, product)(handler)
        return handler

    return register


def chosen(filters: dict, name: str):
    if name not in filters:
        raise Refused(400, "INVALID_PARAMETERS", f"filter is {name!r}, has to be one of {', '.join(filters)}.")
    return filters[name]


def _order(text: str) -> tuple[str, bool]:
    """(field, descending). A `+` that was not escaped arrives as a blank."""
    field = text.lstrip("+- ") or "name"
    if field not in ORDERS:
        raise Refused(400, "INVALID_PARAMETERS", f"order is {text!r}, has to be one of {', '.join(ORDERS)}, with + or - before it.")
    return field, text.startswith("-")


@on_both("GET", "", auth="admin")   # administrators only since UCP 3.1.6 (release notes)
def list_accounts(standin, call):
    accounts = standin.store.all("account")
    wanted, (field, descending) = chosen(FILTERS, call.query["filter"]), _order(call.query["order"])
    part = call.query["contains"]
    found = [account for account in accounts if wanted(account) and (part in account["name"] or part in account["fullName"])]
    found.sort(key=lambda account: (account[field], account["name"]), reverse=descending)
    orgs = sum(account["isOrg"] for account in accounts)
    counts = {"usersCount": len(accounts) - orgs, "orgsCount": orgs, "resourceCount": len(accounts)}   # whatever the filter
    answer = ucp_page(call, found, lambda account: account[field], "accounts", descending, **counts)
    answer["accounts"] = [standin.accounts.shown(account) for account in answer["accounts"]]
    return answer


@on_both("POST", "", auth="admin")
def create_account(standin, call):
    return Answer(201, standin.accounts.shown(standin.accounts.create(call.body)))


@on_both("PATCH", "", auth="admin")
def bulk(standin, call):
    """The names of the operations are not documented, so none is carried out: each is refused in its own result."""
    results = []
    for entry in call.body["operations"]:
        error = {"code": "UNKNOWN_OPERATION", "message": f"{entry['op']!r} is not emulated by this stand-in."}
        results.append({"op": entry["op"], "ref": entry.get("ref", ""), "success": False, "error": error})
    return {"results": results}


@on_both("GET", "{accountNameOrID}")
def get_account(standin, call):
    """For administrators, the user itself and the members of the organization, since UCP 3.1.6 (release notes)."""
    account = standin.accounts.demand(call.path["accountNameOrID"])
    if account["name"] != call.caller.name:
        standin.accounts.demand_member(call.caller, account)
    return standin.accounts.shown(account)


@on_both("PATCH", "{accountNameOrID}")
def update_account(standin, call):
    account = standin.accounts.demand(call.path["accountNameOrID"])
    standin.accounts.demand_self_or_admin(call.caller, account)
    return standin.accounts.shown(standin.accounts.update(call.caller, account, call.body))


@on_both("DELETE", "{accountNameOrID}", auth="admin")
def delete_account(standin, call):
    standin.accounts.delete(standin.accounts.demand(call.path["accountNameOrID"]))


@on_both("POST", "{userNameOrID}/changePassword")
def change_password(standin, call):
    user = standin.accounts.user(call.path["userNameOrID"])
    standin.accounts.demand_self_or_admin(call.caller, user)
    return standin.accounts.shown(standin.accounts.change_password(call.caller, user, call.body))


@on_both("GET", "{userNameOrID}/organizations")
def list_user_organizations(standin, call):
    user = standin.accounts.user(call.path["userNameOrID"])
    standin.accounts.demand_self_or_admin(call.caller, user)
    orgs = [
        {"org": standin.accounts.shown(org), "isAdmin": standin.accounts.membership(org, user["name"])["isAdmin"]}
        for org in standin.accounts.organizations_of(user["name"])
    ]
    return ucp_page(call, orgs, lambda entry: entry["org"]["name"], "memberOrgs")


# Public keys

def _shown_key(key: dict) -> dict:
    return {field: value for field, value in key.items() if field != "account"}


def _own_key(standin, call) -> dict:
    account = standin.accounts.demand(call.path["accountNameOrID"])
    standin.accounts.demand_self_or_admin(call.caller, account)
    key = standin.store.get("public_key", call.path["keyID"])
    if not key or key["accountID"] != account["id"]:
        raise Refused(404, "NO_SUCH_PUBLIC_KEY", f"{account['name']} has no public key {call.path['keyID']}.")
    return key


@on_both("GET", "{accountNameOrID}/publicKeys")
def list_public_keys(standin, call):
    account = standin.accounts.demand(call.path["accountNameOrID"])
    keys = [_shown_key(key) for key in standin.store.all("public_key") if key["accountID"] == account["id"]]
    return ucp_page(call, keys, lambda key: key["id"], "accountPublicKeys")


@on_both("POST", "{accountNameOrID}/publicKeys")
def create_public_key(standin, call):
    account = standin.accounts.demand(call.path["accountNameOrID"])
    standin.accounts.demand_self_or_admin(call.caller, account)
    form = call.body
    key = standin.accounts.add_public_key(account, form["publicKey"], form.get("label", ""), form.get("certificates"))
    return Answer(201, _shown_key(key))


@on_both("PATCH", "{accountNameOrID}/publicKeys/{keyID}")
def update_public_key(standin, call):
    key = _own_key(standin, call)
    return _shown_key(standin.store.put("public_key", key["id"], {**key, **call.body}))


@on_both("DELETE", "{accountNameOrID}/publicKeys/{keyID}")
def delete_public_key(standin, call):
    standin.store.delete("public_key", _own_key(standin, call)["id"])


# Members of organizations

def _org_for_members(standin, call) -> dict:
    org = standin.accounts.organization(call.path["orgNameOrID"])
    standin.accounts.demand_member(call.caller, org)
    return org


def _org_for_owners(standin, call) -> dict:
    org = standin.accounts.organization(call.path["orgNameOrID"])
    standin.accounts.demand_self_or_admin(call.caller, org)
    return org


@on_both("GET", "{orgNameOrID}/members")
def list_members(standin, call):
    org = _org_for_members(standin, call)
    return member_page(standin, call, standin.store.all("org_member", f"{org['name']}/"))


def member_page(standin, call, members: list[dict]) -> dict:
    """Ordered by the id of the account, which is what `start` is compared with."""
    wanted = chosen(MEMBER_FILTERS, call.query["filter"])
    ordered = sorted(members, key=lambda member: standin.accounts.demand(member["user"])["id"])
    answer = ucp_page(
        call, [member for member in ordered if wanted(member)], lambda member: standin.accounts.demand(member["user"])["id"], "members",
        resourceCount=len(members),
    )
    answer["members"] = [standin.accounts.shown_member(member) for member in answer["members"]]
    return answer


@on_both("GET", "{orgNameOrID}/members/{memberNameOrID}")
def get_member(standin, call):
    org, user = standin.accounts.organization(call.path["orgNameOrID"]), standin.accounts.user(call.path["memberNameOrID"])
    if call.caller.name != user["name"]:
        standin.accounts.demand_member(call.caller, org)
    member = standin.accounts.membership(org, user["name"])
    if not member:
        raise Refused(404, "NO_SUCH_MEMBER", f"{user['name']} is no member of {org['name']}.")
    return standin.accounts.shown_member(member)


@on_both("PUT", "{orgNameOrID}/members/{memberNameOrID}")
def set_member(standin, call):
    org = _org_for_owners(standin, call)
    user = standin.accounts.user(call.path["memberNameOrID"])
    return standin.accounts.shown_member(standin.accounts.set_member(org, user, call.body))


@on_both("DELETE", "{orgNameOrID}/members/{memberNameOrID}")
def delete_member(standin, call):
    org = _org_for_owners(standin, call)
    standin.accounts.remove_member(org, standin.accounts.user(call.path["memberNameOrID"])["name"])


@on_both("GET", "{orgNameOrID}/members/{memberNameOrID}/teams")
def list_member_teams(standin, call):
    org = _org_for_members(standin, call)
    user = standin.accounts.user(call.path["memberNameOrID"])
    teams = [
        {"team": standin.teams.shown(team), "isAdmin": standin.teams.membership(team, user["name"])["isAdmin"]}
        for team in standin.teams.of_member(org, user["name"])
    ]
    return ucp_page(call, teams, lambda entry: entry["team"]["name"], "memberTeams")


@on_both("GET", "{orgNameOrID}/adminMemberSyncConfig")
def get_admin_sync(standin, call):
    return standin.teams.sync(_org_for_owners(standin, call), None)


@on_both("PUT", "{orgNameOrID}/adminMemberSyncConfig")
def set_admin_sync(standin, call):
    return standin.teams.set_sync(_org_for_owners(standin, call), None, call.body)


# DTR's own ways

@operation("DELETE", "/api/v0/accounts/{namespace}/repositories")
def delete_namespace_repositories(standin, call):
    """In the interface, but removed in 2.6.0 (DTR release notes)."""
    raise Refused(404, "NOT_FOUND", "This was removed in 2.6.0; delete the repositories one by one.")


@operation("DELETE", "/api/v0/accounts/{namespace}", auth="admin")
def delete_namespace(standin, call):
    """The account and every repository in its namespace; 204 also when there is none (DTR 2.7 API)."""
    namespace = call.path["namespace"]
    for repository in standin.store.all("repository", f"{namespace}/"):
        standin.repositories.delete(call.caller, repository)
    account = standin.store.get("account", namespace)
    if account:
        standin.accounts.delete(account)
