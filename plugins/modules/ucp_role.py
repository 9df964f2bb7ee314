#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ucp_role
short_description: Roles of Universal Control Plane
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Makes, replaces and deletes the roles that an administrator can add to the built-in ones. A role is a set of operations;
    M(dockyard.trusted_registry.ucp_grant) says who has it where.
  - UCP cannot edit a role. A role that no grant uses is deleted and made again when its operations change. One that is in use is left alone
    and the task is refused, unless O(recreate) is set.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._ucp
  - dockyard.trusted_registry._items
options:
  roles:
    description: The roles. Built-in ones cannot be declared.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Its name, which is unique.
        type: str
        required: true
      state:
        description: Whether the role shall exist. A role that a grant uses cannot be deleted before the grant is.
        type: str
        choices: [present, absent]
        default: present
      operations:
        description:
          - What it allows, as a dictionary with the kinds of resource as keys, such as C(Image). The operations of a kind are a list of
            their names, such as C([Image Load]), or a dictionary of names and arguments as UCP's API shows them. The names are those of
            UCP's web interface.
          - Needed for a role that does not exist yet. Without it, the operations of an existing role stay.
        type: dict
  recreate:
    description:
      - Whether a role that grants use may be replaced by a new one with the same name. Its id changes.
      - A second role of that name with C((being replaced)) behind it holds all grants in the meantime, so that nobody loses access and a
        run that was interrupted can be finished by the next one.
    type: bool
    default: false
notes:
  - Needs an administrator. Source of the rules is the UCP documentation on access control; the form of the operations is a field
    observation.
seealso:
  - module: dockyard.trusted_registry.ucp_grant
"""

EXAMPLES = r"""
- name: A role for those who may only pull
  dockyard.trusted_registry.ucp_role:
    host: ucp.example.com
    username: admin
    password: "{{ vault_ucp_password }}"
    ca_path: /etc/ssl/ucp-ca.pem
    roles:
      - name: Pull only
        operations:
          Image: [Image Load]

- name: Let the role allow more, wherever it is granted
  dockyard.trusted_registry.ucp_role:
    roles:
      - name: Pull only
        operations:
          Image: [Image Load, Image View]
    recreate: true
"""

RETURN = r"""
changes:
  description: What was made, replaced and deleted, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    key:
      description: Name of the role.
      type: str
      sample: Pull only
    action:
      description: C(created), C(updated) (replaced by a new role with that name) or C(deleted).
      type: str
      sample: created
    fields:
      description: Options that differed.
      type: list
      elements: str
      sample: [operations]
counts:
  description: How many were made, replaced, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 1, updated: 0, deleted: 0, unchanged: 3}
undeclared:
  description: Roles that exist, are not built in and were not declared.
  returned: success
  type: list
  elements: str
  sample: [Old auditors]
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

MARK = " (being replaced)"   # a role that holds the grants of another while that one is made anew


def normalised(name, operations):
    """{kind: {operation: arguments}} without empty kinds, from what the operator or UCP says; None stays None."""
    if operations is None:
        return None
    found = {}
    for kind, given in operations.items():
        if not isinstance(given, (list, dict)):
            raise InputError(f"role '{name}': operations of '{kind}' must be a list of names, such as [Image Load].")
        allowed = given if isinstance(given, dict) else dict.fromkeys(given, ())
        if allowed:
            found[kind] = {operation: list(arguments or ()) for operation, arguments in sorted(allowed.items())}
    return dict(sorted(found.items()))


class Roles(Items):
    """Keys are names. A marked role belongs to the one whose replacement was interrupted, which then is to be finished."""

    noun = "role"
    option = "roles"

    def __init__(self, client, params):
        super().__init__(client, params)
        self.ids, self.left_over = {}, {}   # {name: id}

    def declared(self, item):
        return {**super().declared(item), "operations": normalised(item["name"], item["operations"])}

    def current(self, declared):
        roles = self.client.get("roles")
        built_in = sorted({role["name"] for role in roles if role["system_role"]} & set(declared))
        if built_in:
            raise InputError(f"role '{built_in[0]}' is built into UCP and cannot be declared. Give yours another name.")
        own = {role["name"]: role for role in roles if not role["system_role"]}
        self.ids = {name: role["id"] for name, role in own.items()}
        found = {name: {"operations": normalised(name, role["operations"])} for name, role in own.items()}
        for name, item in declared.items():
            if item["state"] == "present" and name + MARK in found:
                del found[name + MARK]
                self.left_over[name] = self.ids[name + MARK]
                if name in found:
                    found[name] = {"operations": None}   # half way through: neither the old role nor the new one
        self.check(declared, found)
        return found

    def check(self, declared, found):
        """InputError for what UCP would refuse half way."""
        for name, item in declared.items():
            present = found.get(name)
            if item["state"] == "present" and item["operations"] is None and (present is None or present["operations"] is None):
                raise InputError(f"role '{name}' is to be made: give its operations, such as {{Image: [Image Load]}}.")
        for name in sorted(set(found) - set(self.left_over)):
            item = declared.get(name)
            going = item["state"] == "absent" if item else self.params["exclusive"]
            changing = bool(item) and item["operations"] not in (None, found[name]["operations"]) and not self.params["recreate"]
            used = len(self.grants_of(self.ids[name])) if going or changing else 0
            if used and going:
                raise InputError(f"role '{name}' cannot be deleted: {used} grants use it. Take them away with ucp_grant first.")
            if used:
                raise InputError(f"role '{name}': UCP cannot change a role, and {used} grants use this one. Set recreate to true to have"
                                 " the role and its grants made anew, or declare a role with another name.")

    def grants_of(self, role):
        """[(subject id, collection id)] of a role's id; none for None."""
        if not role:
            return []
        return [(grant["subjectID"], grant["objectID"]) for grant in self.client.pages("collectionGrants", key="grants", roleID=role)]

    def make(self, name, operations):
        """The id of a new role, read from the listing: the answer names it in a form that differs between the documents and the field."""
        body = {"id": "", "name": name, "operations": operations, "system_role": False}
        self.client.change("POST", "roles", body=body)
        return next(role["id"] for role in self.client.get("roles") if role["name"] == name)

    def remove(self, role):
        """Take a role away with its grants."""
        self.http.each(lambda grant: self.client.delete("collectionGrants", *grant, role), self.grants_of(role))
        self.client.delete("roles", role)

    def grant(self, role, grants):
        """Give a role to all of [(subject id, collection id)]."""
        self.http.each(lambda grant: self.client.change("PUT", "collectionGrants", *grant, role), grants)

    def create(self, change):
        if change.key in self.left_over:
            self.update(change)
        else:
            self.make(change.key, change.after["operations"])

    def update(self, change):
        name, operations = change.key, change.after["operations"]
        old, spare = self.ids.get(name), self.left_over.get(name)
        grants = sorted({*self.grants_of(old), *self.grants_of(spare)})
        if grants and not spare:
            spare = self.make(name + MARK, operations)
        self.grant(spare, grants)
        if old:
            self.remove(old)
        self.grant(self.make(name, operations), grants)
        if spare:
            self.remove(spare)

    def delete(self, change):
        self.client.delete("roles", self.ids[change.key])


def main():
    """Entry point."""
    run_items(_ucp, Roles, {
        "roles": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                "operations": {"type": "dict"},
            },
        },
        "recreate": {"type": "bool", "default": False},
    })


if __name__ == "__main__":
    main()
