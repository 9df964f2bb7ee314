#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_team
short_description: Teams and their members in a Docker Trusted Registry
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Makes, changes and deletes teams of organizations, and says who belongs to them. They are the teams of UCP, which the registry shares.
  - What a team may do with repositories is declared with M(dockyard.trusted_registry.dtr_access).
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._items
options:
  teams:
    description: The teams.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Organization and team, such as V(ops/release). The organization has to exist.
          - A team cannot be renamed here; another name is another team.
        type: str
        required: true
      state:
        description: Whether the team shall exist. V(absent) takes its memberships and its access to repositories along.
        type: str
        choices: [present, absent]
        default: present
      description:
        description: What the team is for. New teams have no description.
        type: str
      members:
        description:
          - Users who shall belong to the team. They have to exist; one who is not in the organization yet joins it.
          - Other members stay, and are in RV(undeclared), unless O(exclusive) removes them. One who is removed stays in the organization.
          - Without it the members are not looked at.
        type: list
        elements: str
  organizations:
    description:
      - Where O(exclusive) removes and RV(undeclared) reports teams, beside the organizations of the declared teams.
    type: list
    elements: str
    default: []
notes:
  - Needs admin rights on the organizations. Source of the rules is the UCP 3.2 API (accounts), which the registry answers under
    C(/enzi/v0/accounts) (a field observation).
  - O(exclusive) looks at the teams of the organizations that occur in O(teams[].name) or in O(organizations), and at the members of the
    teams that have O(teams[].members).
  - The members of a team that is synchronized with a directory (LDAP, SAML) cannot be changed by hand. Leave out O(teams[].members) there.
"""

EXAMPLES = r"""
- name: Two teams
  dockyard.trusted_registry.dtr_team:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    teams:
      - name: ops/release
        description: May push what goes to production
        members: [ann, ci]
      - name: ops/guests

- name: Exactly these teams with exactly these members
  dockyard.trusted_registry.dtr_team:
    teams: "{{ my_teams }}"
    exclusive: true
    confirm_removal: registry.example.com
"""

RETURN = r"""
changes:
  description: What was made, changed and deleted, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    key:
      description: Organization and team, or organization, team and user for a membership.
      type: str
      sample: ops/release/ann
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: created
    fields:
      description: Options that differed; C(member) for a membership.
      type: list
      elements: str
      sample: [member]
counts:
  description: How many teams and memberships were made, changed, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 1, updated: 0, deleted: 0, unchanged: 180}
undeclared:
  description: Teams (C(ops/guests)) and memberships (C(ops/release/bob)) that exist and were not declared, where O(exclusive) would look.
  returned: success
  type: list
  elements: str
  sample: [ops/playground, ops/release/bob]
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError, by_key
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_people import split, teams_of

MEMBER = {"member": True}


def team_name(item):
    """Key of a declared team."""
    split(item["name"], "organization/team")
    return item["name"]


def with_memberships(teams):
    """The declared teams and, as items of their own with three parts in the name, their members."""
    items = []
    for name, team in by_key(teams, team_name, "teams").items():
        members = team["members"] or [] if team["state"] == "present" else []
        twice = sorted({user for user in members if members.count(user) > 1})
        if twice:
            raise InputError(f"team '{name}': {', '.join(twice)} stands in members more than once. Keep one of them.")
        items += [team, *({"name": f"{name}/{user}", "state": "present", **MEMBER} for user in members)]
    return items


class Teams(Items):
    """Keys are "organization/team" of teams and "organization/team/user" of memberships."""

    noun = "team"
    option = "teams"
    fields = {"description": "description"}

    def __init__(self, client, params):
        super().__init__(client, {**params, "teams": with_memberships(params["teams"])})
        self.watched = {team["name"] for team in params["teams"] if team["members"] is not None and team["state"] == "present"}

    def key(self, item):
        split(item["name"], "organization/team/user" if "member" in item else "organization/team")
        return item["name"]

    def declared(self, item):
        return {name: value for name, value in item.items() if name not in ("name", "members")}

    def defaults_of(self, item):
        return {} if "member" in item else {"description": ""}

    def stage(self, change):
        """Teams come before their members."""
        return change.key.count("/")

    def current(self, declared):
        organizations = {split(name, "organization")[0] for name in self.params["organizations"]}
        listings = teams_of(self.client, sorted({key.split("/")[0] for key in declared} | organizations))
        found = {f"{org}/{name}": self.seen(team) for org, teams in listings.items() for name, team in teams.items()}
        watched = sorted(self.watched & set(found))
        members = self.http.each(lambda team: self.client.accounts(*self.parts(team), key="members"), watched)
        for team, listing in zip(watched, members):
            found.update({f"{team}/{record['member']['name']}": dict(MEMBER) for record in listing})
        return found

    @staticmethod
    def parts(key):
        """Address of the members of a team, or of one of them, below the accounts."""
        org, team, *user = key.split("/")
        return [org, "teams", team, "members", *user]

    def create(self, change):
        org, name, *user = change.key.split("/")
        if user:
            self.client.account("PUT", *self.parts(change.key), body={"isAdmin": False})
        else:
            self.client.account("POST", org, "teams", body={"name": name, **self.body(change.after)})

    def update(self, change):
        org, name = change.key.split("/")
        self.client.account("PATCH", org, "teams", name, body=self.body({field: change.after[field] for field in change.fields}))

    def delete(self, change):
        org, name, *user = change.key.split("/")
        self.client.account("DELETE", *(self.parts(change.key) if user else (org, "teams", name)))


def main():
    """Entry point."""
    run_items(_dtr, Teams, {
        "teams": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                "description": {"type": "str"},
                "members": {"type": "list", "elements": "str"},
            },
        },
        "organizations": {"type": "list", "elements": "str", "default": []},
    })


if __name__ == "__main__":
    main()
