# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grants of teams on repositories and namespaces (DTR 2.7 API)."""

from __future__ import annotations

from .answers import Answer
from .errors import Refused, not_authorized
from .paging import page
from .server import operation


def _refused(message: str) -> Refused:
    """400 without a documented code."""
    return Refused(400, "INVALID_PARAMETERS", message)


def _organization(standin, namespace: str, what: str) -> dict:
    account = standin.accounts.demand(namespace)
    if not account["isOrg"]:
        raise _refused(f"{what} is not owned by an organization.")
    return account


def _team(standin, org: dict, name: str) -> dict:
    """A team of the organization. One of another organization is told apart (DTR 2.7 API: 400)."""
    team = standin.store.get("team", f"{org['name']}/{name}")
    if team:
        return team
    if any(other["name"] == name for other in standin.store.all("team")):
        raise _refused(f"The team {name} does not belong to {org['name']}.")
    raise Refused(404, "NO_SUCH_TEAM", f"There is no team {name} in {org['name']}.")


def _shown_team(standin, call, team: dict) -> dict:
    """DTR names teams by id only."""
    return {"id": team["id"], "clientUserIsMember": bool(standin.teams.membership(team, call.caller.name))}


def _grants(standin, call, kind: str, prefix: str) -> list[dict]:
    """Grants on one thing, as `responses.TeamAccess`; a team may have gone in UCP a moment ago."""
    shown = []
    for key, grant in standin.store.items(kind, f"{prefix}/"):
        team = standin.store.get("team", f"{key.partition('/')[0]}/{grant['team']}")
        if team:
            shown.append({"accessLevel": grant["accessLevel"], "team": _shown_team(standin, call, team)})
    return shown


def _team_id(entry: dict) -> str:
    return entry["team"]["id"]


# On one repository

def _repository(standin, call) -> tuple[dict, str]:
    repository = standin.repositories.demand(call.caller, call.path["namespace"], call.path["reponame"], "admin")
    return repository, f"{repository['namespace']}/{repository['name']}"


@operation("GET", "/api/v0/repositories/{namespace}/{reponame}/teamAccess")
def list_team_access(standin, call):
    repository, path = _repository(standin, call)
    answer = page(call, _grants(standin, call, "team_access", path), _team_id, "teamAccessList")
    answer.body["repository"] = repository
    return answer


@operation("PUT", "/api/v0/repositories/{namespace}/{reponame}/teamAccess/{teamname}")
def grant_team_access(standin, call):
    repository, path = _repository(standin, call)
    org = _organization(standin, repository["namespace"], f"The repository {path}")
    team = _team(standin, org, call.path["teamname"])
    grant = {"team": team["name"], "namespace": repository["namespace"], "name": repository["name"], **call.body}
    standin.store.put("team_access", f"{path}/{team['name']}", grant)
    shown = [entry for entry in _grants(standin, call, "team_access", path) if _team_id(entry) == team["id"]]
    return {"repository": repository, "teamAccessList": shown}


@operation("DELETE", "/api/v0/repositories/{namespace}/{reponame}/teamAccess/{teamname}")
def revoke_team_access(standin, call):
    repository, path = _repository(standin, call)
    _organization(standin, repository["namespace"], f"The repository {path}")
    standin.store.delete("team_access", f"{path}/{call.path['teamname']}")


@operation("GET", "/api/v0/accounts/{orgname}/teams/{teamname}/repositoryAccess")
def list_team_repositories(standin, call):
    """For owners and members of the team."""
    org = _organization(standin, call.path["orgname"], call.path["orgname"])
    team = _team(standin, org, call.path["teamname"])
    if not standin.access.rights(call.caller).owns(org["name"]) and not standin.teams.membership(team, call.caller.name):
        raise not_authorized(f"This is for owners of {org['name']} and members of {team['name']}.")
    shown = [
        {"accessLevel": grant["accessLevel"], "repository": standin.repositories.get(grant["namespace"], grant["name"])}
        for grant in standin.store.all("team_access", f"{org['name']}/") if grant["team"] == team["name"]
    ]
    answer = page(call, shown, lambda entry: entry["repository"]["id"], "repositoryAccessList")
    answer.body["team"] = _shown_team(standin, call, team)
    return answer


@operation("GET", "/api/v0/accounts/{username}/repositoryAccess/{namespace}/{reponame}")
def user_access(standin, call):
    """The effective level of one user; a repository the user cannot see does not exist for the user."""
    user = standin.accounts.user(call.path["username"])
    if not call.caller.is_admin and call.caller.name != user["name"]:
        raise not_authorized(f"This is for administrators and {user['name']}.")
    as_user = standin.accounts.caller(user)
    repository = standin.repositories.demand(as_user, call.path["namespace"], call.path["reponame"], "read-only")
    return {"accessLevel": standin.access.level(as_user, repository), "repository": repository, "user": standin.accounts.shown(user)}


# On a whole namespace

def _namespace(standin, call) -> dict:
    namespace = call.path["namespace"]
    return _organization(standin, namespace, f"The namespace {namespace}")


def _demand_admin(standin, call, org: dict) -> None:
    if standin.access.rights(call.caller).namespace(org["name"]) != "admin":
        raise not_authorized(f"This needs admin on the namespace {org['name']}.")


@operation("GET", "/api/v0/repositoryNamespaces/{namespace}/teamAccess")
def list_namespace_access(standin, call):
    org = _namespace(standin, call)
    standin.accounts.demand_member(call.caller, org)
    answer = page(call, _grants(standin, call, "namespace_access", org["name"]), _team_id, "teamAccessList")
    answer.body["namespace"] = org["name"]
    return answer


def _shown_namespace_access(standin, call, org: dict, team: dict, grant: dict) -> dict:
    return {"accessLevel": grant["accessLevel"], "namespace": org["name"], "team": _shown_team(standin, call, team)}


@operation("GET", "/api/v0/repositoryNamespaces/{namespace}/teamAccess/{teamname}")
def get_namespace_access(standin, call):
    org = _namespace(standin, call)
    grant = standin.store.get("namespace_access", f"{org['name']}/{call.path['teamname']}")
    team = standin.store.get("team", f"{org['name']}/{call.path['teamname']}")
    if not team or not standin.teams.membership(team, call.caller.name):
        _demand_admin(standin, call, org)
    if not grant or not team:
        raise Refused(404, "NO_SUCH_NAMESPACE_TEAM_ACCESS", f"{call.path['teamname']} has no access to the namespace {org['name']}.")
    return _shown_namespace_access(standin, call, org, team, grant)


@operation("PUT", "/api/v0/repositoryNamespaces/{namespace}/teamAccess/{teamname}")
def grant_namespace_access(standin, call):
    org = _namespace(standin, call)
    _demand_admin(standin, call, org)
    team = _team(standin, org, call.path["teamname"])
    grant = standin.store.put("namespace_access", f"{org['name']}/{team['name']}", {"team": team["name"], **call.body})
    return Answer(200, _shown_namespace_access(standin, call, org, team, grant))


@operation("DELETE", "/api/v0/repositoryNamespaces/{namespace}/teamAccess/{teamname}")
def revoke_namespace_access(standin, call):
    org = _namespace(standin, call)
    _demand_admin(standin, call, org)
    standin.store.delete("namespace_access", f"{org['name']}/{call.path['teamname']}")
