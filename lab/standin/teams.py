# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Teams of organizations (UCP 3.2 API)."""

from __future__ import annotations

import uuid

from .accounts import NAME, invalid
from .answers import Caller
from .errors import Refused, not_authorized

NO_SYNC = {
    "enableSync": False, "selectGroupMembers": False, "groupDN": "", "groupMemberAttr": "", "searchBaseDN": "", "searchScopeSubtree": False,
    "searchFilter": "",
}
NO_LINK = {"enableLink": False, "groupName": ""}


class Teams:
    """Documents: team ("org/team"), team_member ("org/team/user"), sync ("org" or "org/team-id"), link ("org/team-id")."""

    def __init__(self, standin):
        self.standin, self.store = standin, standin.store

    def find(self, org: dict, name_or_id: str) -> dict | None:
        by_name = self.store.get("team", f"{org['name']}/{name_or_id}")
        return by_name or next((team for team in self.store.all("team", f"{org['name']}/") if team["id"] == name_or_id), None)

    def demand(self, org: dict, name_or_id: str) -> dict:
        team = self.find(org, name_or_id)
        if not team:
            raise Refused(404, "NO_SUCH_TEAM", f"There is no team {name_or_id} in {org['name']}.")
        return team

    def shown(self, team: dict) -> dict:
        members = self.store.items("team_member", f"{team['org']}/{team['name']}/")
        return {**{field: team[field] for field in ("orgID", "name", "id", "description")}, "membersCount": len(members)}

    def demand_admin(self, caller: Caller, org: dict, team: dict) -> None:
        """An administrator, an owner of the organization or an administrator of the team."""
        member = self.membership(team, caller.name)
        if not (member and member["isAdmin"]) and not self.standin.access.rights(caller).owns(org["name"]):
            raise not_authorized(f"This is for administrators of {org['name']}/{team['name']}.")

    def create(self, org: dict, form: dict) -> dict:
        self._check_name(org, form["name"])
        team = {"org": org["name"], "orgID": org["id"], "id": str(uuid.uuid4()), "description": "", **form}
        return self.store.put("team", f"{org['name']}/{team['name']}", team)

    def _check_name(self, org: dict, name: str) -> None:
        if not NAME.match(name):
            raise invalid(f"{name!r} is no name of a team.")
        if self.find(org, name):
            raise Refused(409, "TEAM_EXISTS", f"There is a team {org['name']}/{name} already.")

    def update(self, org: dict, team: dict, form: dict) -> dict:
        """A new name takes members and grants along."""
        changed = {**team, **form}
        old, new = f"{org['name']}/{team['name']}", f"{org['name']}/{changed['name']}"
        if new != old:
            self._check_name(org, changed["name"])
            self._move_members(old, new)
            self.rename_grants(org["name"], team["name"], changed["name"])
            self.store.delete("team", old)
        return self.store.put("team", new, changed)

    def _move_members(self, old: str, new: str) -> None:
        for key, member in self.store.items("team_member", f"{old}/"):
            self.store.put("team_member", f"{new}/{member['user']}", member)
            self.store.delete("team_member", key)

    def _grants(self, org: str, team: str) -> list[tuple[str, str, dict]]:
        """What the team may do in DTR: (kind, key, document)."""
        kinds = ("team_access", "namespace_access")
        grants = [(kind, key, grant) for kind in kinds for key, grant in self.store.items(kind, f"{org}/")]
        return [found for found in grants if found[2]["team"] == team]

    def rename_grants(self, org: str, old: str, new: str) -> None:
        for kind, key, grant in self._grants(org, old):
            self.store.delete(kind, key)
            self.store.put(kind, f"{key.rpartition('/')[0]}/{new}", {**grant, "team": new})

    def drop_grants(self, org: str, team: str) -> None:
        for kind, key, _grant in self._grants(org, team):
            self.store.delete(kind, key)

    def delete(self, org: dict, team: dict) -> None:
        path = f"{org['name']}/{team['name']}"
        self.drop_grants(org["name"], team["name"])
        for key, _member in self.store.items("team_member", f"{path}/"):
            self.store.delete("team_member", key)
        for kind in ("sync", "link"):
            self.store.delete(kind, f"{org['name']}/{team['id']}")
        self.store.delete("team", path)
        self.standin.hooks.fire("TEAM_DELETED", team=team)

    # Members

    def membership(self, team: dict, user: str) -> dict | None:
        return self.store.get("team_member", f"{team['org']}/{team['name']}/{user}")

    def of_member(self, org: dict, user: str) -> list[dict]:
        return [team for team in self.store.all("team", f"{org['name']}/") if self.membership(team, user)]

    def set_member(self, org: dict, team: dict, user: dict, form: dict | None) -> dict:
        """Whoever is added to a team is added to the organization (UCP 3.2 API)."""
        self._demand_manual(org, team)
        if not self.standin.accounts.membership(org, user["name"]):
            self.standin.accounts.set_member(org, user, None)
        before = self.membership(team, user["name"]) or {"isAdmin": False}
        member = {"user": user["name"], "isAdmin": (form or {}).get("isAdmin", before["isAdmin"])}
        return self.store.put("team_member", f"{org['name']}/{team['name']}/{user['name']}", member)

    def remove_member(self, org: dict, team: dict, user: str) -> None:
        self._demand_manual(org, team)
        self.store.delete("team_member", f"{org['name']}/{team['name']}/{user}")

    def _demand_manual(self, org: dict, team: dict) -> None:
        """Teams synchronized with LDAP or SAML cannot be edited by hand (UCP docs: create users and teams)."""
        if self.sync(org, team)["enableSync"] or self.link(org, team)["enableLink"]:
            message = f"The members of {org['name']}/{team['name']} come from the directory; switch its sync off first."
            raise Refused(400, "TEAM_IS_SYNCED", message)

    # Synchronization, kept as data: there is no directory behind it

    def sync(self, org: dict, team: dict | None) -> dict:
        """Of a team, or without one of the organization's owners."""
        return self.store.get("sync", _sync_key(org, team)) or NO_SYNC

    def set_sync(self, org: dict, team: dict | None, form: dict) -> dict:
        return self.store.put("sync", _sync_key(org, team), form)

    def link(self, org: dict, team: dict) -> dict:
        return self.store.get("link", _sync_key(org, team)) or NO_LINK

    def set_link(self, org: dict, team: dict, form: dict) -> dict:
        return self.store.put("link", _sync_key(org, team), form)


def _sync_key(org: dict, team: dict | None) -> str:
    return f"{org['name']}/{team['id']}" if team else org["name"]
