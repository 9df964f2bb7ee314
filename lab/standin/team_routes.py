# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`/accounts/{org}/teams/...` of UCP, and the same below `/enzi/v0` on DTR (UCP 3.2 API)."""

from __future__ import annotations

from .account_routes import member_page, on_both
from .answers import Answer
from .errors import Refused
from .paging import ucp_page


def _for_members(standin, call) -> tuple[dict, dict]:
    """(organization, team), for administrators and members of the organization."""
    org = standin.accounts.organization(call.path["orgNameOrID"])
    standin.accounts.demand_member(call.caller, org)
    return org, standin.teams.demand(org, call.path["teamNameOrID"])


def _for_team_admins(standin, call) -> tuple[dict, dict]:
    org = standin.accounts.organization(call.path["orgNameOrID"])
    team = standin.teams.demand(org, call.path["teamNameOrID"])
    standin.teams.demand_admin(call.caller, org, team)
    return org, team


@on_both("GET", "{orgNameOrID}/teams")
def list_teams(standin, call):
    org = standin.accounts.organization(call.path["orgNameOrID"])
    standin.accounts.demand_member(call.caller, org)
    teams = standin.store.all("team", f"{org['name']}/")
    answer = ucp_page(call, teams, lambda team: team["name"], "teams", resourceCount=len(teams))
    answer["teams"] = [standin.teams.shown(team) for team in answer["teams"]]
    return answer


@on_both("POST", "{orgNameOrID}/teams")
def create_team(standin, call):
    org = standin.accounts.organization(call.path["orgNameOrID"])
    standin.accounts.demand_self_or_admin(call.caller, org)
    return Answer(201, standin.teams.shown(standin.teams.create(org, call.body)))


@on_both("GET", "{orgNameOrID}/teams/{teamNameOrID}")
def get_team(standin, call):
    return standin.teams.shown(_for_members(standin, call)[1])


@on_both("PATCH", "{orgNameOrID}/teams/{teamNameOrID}")
def update_team(standin, call):
    org, team = _for_team_admins(standin, call)
    return standin.teams.shown(standin.teams.update(org, team, call.body))


@on_both("DELETE", "{orgNameOrID}/teams/{teamNameOrID}")
def delete_team(standin, call):
    org = standin.accounts.organization(call.path["orgNameOrID"])
    standin.accounts.demand_self_or_admin(call.caller, org)
    standin.teams.delete(org, standin.teams.demand(org, call.path["teamNameOrID"]))


@on_both("GET", "{orgNameOrID}/teams/{teamNameOrID}/members")
def list_team_members(standin, call):
    org, team = _for_members(standin, call)
    return member_page(standin, call, standin.store.all("team_member", f"{org['name']}/{team['name']}/"))


@on_both("GET", "{orgNameOrID}/teams/{teamNameOrID}/members/{memberNameOrID}")
def get_team_member(standin, call):
    org, team = _for_members(standin, call)
    user = standin.accounts.user(call.path["memberNameOrID"])
    member = standin.teams.membership(team, user["name"])
    if not member:
        raise Refused(404, "NO_SUCH_MEMBER", f"{user['name']} is no member of {org['name']}/{team['name']}.")
    return standin.accounts.shown_member(member)


@on_both("PUT", "{orgNameOrID}/teams/{teamNameOrID}/members/{memberNameOrID}")
def set_team_member(standin, call):
    org, team = _for_team_admins(standin, call)
    user = standin.accounts.user(call.path["memberNameOrID"])
    return standin.accounts.shown_member(standin.teams.set_member(org, team, user, call.body))


@on_both("DELETE", "{orgNameOrID}/teams/{teamNameOrID}/members/{memberNameOrID}")
def delete_team_member(standin, call):
    org, team = _for_team_admins(standin, call)
    standin.teams.remove_member(org, team, standin.accounts.user(call.path["memberNameOrID"])["name"])


@on_both("GET", "{orgNameOrID}/teams/{teamNameOrID}/memberSyncConfig")
def get_member_sync(standin, call):
    return standin.teams.sync(*_for_team_admins(standin, call))


@on_both("PUT", "{orgNameOrID}/teams/{teamNameOrID}/memberSyncConfig")
def set_member_sync(standin, call):
    return standin.teams.set_sync(*_for_team_admins(standin, call), call.body)


@on_both("GET", "{orgNameOrID}/teams/{teamNameOrID}/groupLinkConfig")
def get_group_link(standin, call):
    return standin.teams.link(*_for_team_admins(standin, call))


@on_both("PUT", "{orgNameOrID}/teams/{teamNameOrID}/groupLinkConfig")
def set_group_link(standin, call):
    return standin.teams.set_link(*_for_team_admins(standin, call), call.body)
