#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_access
short_description: What teams may do in a Docker Trusted Registry
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Grants teams access to single repositories or to all repositories of their organization, changes the level and revokes it.
  - A user has the highest level of all the user's teams. Owners of the organization and system administrators need no grant. Who belongs to
    a team is declared with M(dockyard.trusted_registry.dtr_team).
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._items
options:
  access:
    description: The grants. Each has either O(access[].repository) or O(access[].namespace).
    type: list
    elements: dict
    required: true
    suboptions:
      team:
        description: Organization and team, such as V(ops/release).
        type: str
        required: true
      repository:
        description: Namespace and name of a repository, such as V(ops/base). The namespace is the organization of the team.
        type: str
      namespace:
        description: Namespace in which the grant counts for all repositories, those to come included. It is the organization of the team.
        type: str
      level:
        description:
          - V(read-only) to see and pull; V(read-write) also to push, scan and delete tags; V(admin) also to change settings, grant access
            and delete the repository.
          - Required unless O(access[].state=absent).
        type: str
        choices: [read-only, read-write, admin]
      state:
        description: Whether the grant shall exist.
        type: str
        choices: [present, absent]
        default: present
  teams:
    description: Teams whose grants O(exclusive) removes and RV(undeclared) reports, beside those that occur in O(access).
    type: list
    elements: str
    default: []
  repositories:
    description: Repositories whose grants O(exclusive) removes and RV(undeclared) reports, beside those that occur in O(access).
    type: list
    elements: str
    default: []
notes:
  - Needs admin rights on the repositories and on the organizations. Source of the rules is the DTR 2.7 API and the DTR documentation on
    permission levels.
  - O(exclusive) looks at the grants of the teams that occur in O(access[].team) or O(teams), on any repository and on their organization,
    and at the grants that any other team has on the repositories and namespaces that occur in O(access) or O(repositories).
  - A repository of a user has no grants, as only organizations have teams.
"""

EXAMPLES = r"""
- name: Who may push, who may pull
  dockyard.trusted_registry.dtr_access:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    access:
      - team: ops/release
        repository: ops/base
        level: read-write
      - team: ops/everyone
        namespace: ops
        level: read-only

- name: Exactly these grants
  dockyard.trusted_registry.dtr_access:
    access: "{{ my_access }}"
    exclusive: true
    confirm_removal: registry.example.com
"""

RETURN = r"""
changes:
  description: What was granted, changed and revoked, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    key:
      description: The team, C(on), and the repository or the namespace.
      type: str
      sample: ops/release on ops/base
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: updated
    fields:
      description: Options that differed.
      type: list
      elements: str
      sample: [level]
counts:
  description: How many were granted, changed, revoked and left as they are.
  returned: success
  type: dict
  sample: {created: 0, updated: 1, deleted: 0, unchanged: 240}
undeclared:
  description: Grants that exist and were not declared, where O(exclusive) would look.
  returned: success
  type: list
  elements: str
  sample: [ops/guests on ops/base, ops/guests on ops]
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_people import split, teams_of


class Access(Items):
    """Keys are "organization/team on organization/repository" and "organization/team on organization"."""

    noun = "access"
    option = "access"
    fields = {"level": "accessLevel"}

    def key(self, item):
        target = item["repository"] or item["namespace"]
        split(target, "namespace/name" if item["repository"] else "namespace")
        org = split(item["team"], "organization/team")[0]
        owner = target.split("/")[0]
        if owner != org:
            raise InputError(f"access of team '{item['team']}' to '{target}': only teams of '{owner}' can have it. Name one of them.")
        return f"{item['team']} on {target}"

    def declared(self, item):
        return {"level": item["level"], "state": item["state"]}

    def current(self, declared):
        wanted = [parts(key) for key in declared]
        teams = {team for team, target in wanted} | {"/".join(split(name, "organization/team")) for name in self.params["teams"]}
        targets = {target for team, target in wanted} | {"/".join(split(name, "namespace/name")) for name in self.params["repositories"]}
        listings = teams_of(self.client, sorted({name.split("/")[0] for name in teams | targets}))
        found = {}
        for records in self.http.each(self.read, reads(listings, teams, targets)):
            found.update(records)
        return {key: level for key, level in found.items() if in_scope(key, teams, targets)}

    def read(self, what):
        """{key: {level}} of one of reads()."""
        kind, name, names = what
        if kind == "team":
            return self.of_team(name)
        kind = "repositories" if kind == "repository" else "repositoryNamespaces"
        records = self.client.pages(kind, name, "teamAccess", key="teamAccessList", identity=lambda record: record["team"]["id"])
        # A team made after the listing of the names has none there; it is not declared either.
        return {f"{names[record['team']['id']]} on {name}": self.seen(record) for record in records if record["team"]["id"] in names}

    def of_team(self, name):
        """{key: {level}} of a team's grants on repositories."""
        org, team = name.split("/")
        records = self.client.pages("accounts", org, "teams", team, "repositoryAccess", key="repositoryAccessList",
                                    identity=lambda record: record["repository"]["id"])
        return {"{0} on {namespace}/{name}".format(name, **record["repository"]): self.seen(record) for record in records}

    @staticmethod
    def address(change):
        """Where the grant of a Change lives."""
        team, target = parts(change.key)
        return ("repositories" if "/" in target else "repositoryNamespaces", target, "teamAccess", team.split("/")[1])

    def create(self, change):
        self.client.put(*self.address(change), body=self.body(change.after))

    def update(self, change):
        self.client.put(*self.address(change), body=self.body(change.after))

    def delete(self, change):
        self.client.delete(*self.address(change))


def parts(key):
    """[team, target] of a key; a team that somebody else made may have spaces in its name."""
    return key.rsplit(" on ", 1)


def in_scope(key, teams, targets):
    """Whether the grant belongs to one of these teams or to one of these repositories and namespaces."""
    team, target = parts(key)
    return team in teams or target in targets


def reads(listings, teams, targets):
    """What to ask for all grants in scope: ("team" | "repository" | "namespace", name, {id of a team: its name}), as few as possible.

    listings: {organization: {team: record}}; teams: declared "organization/team"; targets: declared repositories and namespaces.
    An organization with few teams is read by all of its teams, one with many by the declared teams and repositories.
    """
    asked = []
    for org, records in listings.items():
        names = {record["id"]: f"{org}/{name}" for name, record in records.items()}
        its_teams = sorted(teams & set(names.values()))
        its_repositories = sorted(target for target in targets if target.startswith(f"{org}/"))
        if len(names) <= len(its_teams) + len(its_repositories):
            its_teams, its_repositories = sorted(names.values()), []
        asked += [("team", name, names) for name in its_teams] + [("repository", name, names) for name in its_repositories]
        asked += [("namespace", org, names)] if names else []
    return asked


def main():
    """Entry point."""
    run_items(_dtr, Access, {
        "access": {
            "type": "list", "elements": "dict", "required": True,
            "mutually_exclusive": [("repository", "namespace")],
            "required_one_of": [("repository", "namespace")],
            "required_if": [("state", "present", ["level"])],
            "options": {
                "team": {"type": "str", "required": True},
                "repository": {"type": "str"},
                "namespace": {"type": "str"},
                "level": {"type": "str", "choices": ["read-only", "read-write", "admin"]},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
        },
        "teams": {"type": "list", "elements": "str", "default": []},
        "repositories": {"type": "list", "elements": "str", "default": []},
    })


if __name__ == "__main__":
    main()
