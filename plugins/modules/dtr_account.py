#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_account
short_description: Users and organizations of a Docker Trusted Registry
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Makes, changes and deletes users and organizations. They are the accounts of UCP, which the registry shares, so a user made here can
    log in to both, and one deleted here is gone from both.
  - Teams and their members are declared with M(dockyard.trusted_registry.dtr_team).
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._items
options:
  accounts:
    description: The accounts.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the account, which is also the namespace of its repositories. Users and organizations share one set of names.
          - An account cannot be renamed.
        type: str
        required: true
      type:
        description: What it is. An account that exists as the other kind is an error, also with O(accounts[].state=absent).
        type: str
        choices: [user, organization]
        default: user
      state:
        description:
          - Whether the account shall exist.
          - V(absent) deletes it together with all repositories in its namespace. Where there are any, it is refused with a list of them
            until O(confirm_removal) names the registry.
        type: str
        choices: [present, absent]
        default: present
      password:
        description: Password of the user, needed to make one. Never shown. Organizations have none.
        type: str
      update_password:
        description:
          - What O(accounts[].password) means for a user that exists.
          - V(on_create) leaves the password as it is.
          - V(always) tries the password with a login and sets it when it is not accepted. A deactivated user cannot log in, so there it is
            set at every run.
        type: str
        choices: [on_create, always]
        default: on_create
      full_name:
        description: Name to show. New accounts have none.
        type: str
      active:
        description: Whether the user may log in. New users may (V(true)). Not for organizations.
        type: bool
      admin:
        description: Whether the user is a system administrator, of UCP too. New users are not (V(false)). Not for organizations.
        type: bool
      owners:
        description:
          - The users who own the organization, that is its members with admin rights. Exactly these - a member who is an owner and is not
            in the list becomes an ordinary member, one who is no member yet becomes one.
          - Without it the owners stay as they are. Not for users.
        type: list
        elements: str
notes:
  - Needs a system administrator. Source of the rules is the UCP 3.2 API (accounts), which the registry answers under C(/enzi/v0/accounts)
    (a field observation; the DTR 2.7 API holds no accounts but their deletion).
  - O(exclusive) never removes the account that makes the requests, C(admin), the default organization C(docker-datacenter) or accounts
    imported from a directory (LDAP, SAML); they are not in RV(undeclared) either.
  - The account that makes the requests cannot be deleted, deactivated or stripped of its admin rights here, and its password is not changed
    here.
"""

EXAMPLES = r"""
- name: Two users and their organization
  dockyard.trusted_registry.dtr_account:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    accounts:
      - name: ann
        full_name: Ann Example
        password: "{{ vault_password_of_ann }}"
      - name: ci
        password: "{{ vault_password_of_ci }}"
        update_password: always
      - name: ops
        type: organization
        full_name: Operations
        owners: [ann]

- name: Someone left
  dockyard.trusted_registry.dtr_account:
    accounts:
      - name: bob
        active: false

- name: Delete an organization with its repositories
  dockyard.trusted_registry.dtr_account:
    accounts:
      - name: old-project
        type: organization
        state: absent
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
      description: Name of the account.
      type: str
      sample: ann
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: created
    fields:
      description: Options that differed.
      type: list
      elements: str
      sample: [active, admin, full_name, password, type]
counts:
  description: How many were made, changed, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 1, updated: 0, deleted: 0, unchanged: 41}
undeclared:
  description: Accounts that exist and were not declared, without those that O(exclusive) never removes.
  returned: success
  type: list
  elements: str
  sample: [trainee]
"""

from contextlib import closing

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_people import DEFAULT_ORGANIZATION, caller, split

OF_USERS = ("password", "active", "admin")
OF_ORGANIZATIONS = ("owners",)
FORBIDDEN_TO_SELF = {"state": ("absent", "deleted"), "active": (False, "deactivated"), "admin": (False, "stripped of its admin rights")}


class Accounts(Items):
    """Keys are names. The field password is only declared for a user who does not exist or whose password is not accepted."""

    noun = "account"
    option = "accounts"
    fields = {"full_name": "fullName", "active": "isActive", "admin": "isAdmin"}
    secrets = ("password",)

    def __init__(self, client, params):
        super().__init__(client, params)
        self.caller = caller(client, params)
        self.kept = {"admin", DEFAULT_ORGANIZATION, self.caller}

    def key(self, item):
        return split(item["name"], "account")[0]

    def declared(self, item):
        name, kind = item["name"], item["type"]
        alien = [option for option in (OF_USERS if kind == "organization" else OF_ORGANIZATIONS) if item[option] is not None]
        if alien:
            raise InputError(f"account '{name}': {', '.join(alien)} does not go with type {kind}. Leave it out or change the type.")
        for option, (value, words) in FORBIDDEN_TO_SELF.items() if name == self.caller else ():
            if item[option] == value:
                raise InputError(f"account '{name}' makes the requests and cannot be {words} by itself. Connect as another administrator.")
        wanted = {option: value for option, value in item.items() if option not in ("name", "update_password")}
        wanted["owners"] = None if item["owners"] is None else sorted({split(owner, "user")[0] for owner in item["owners"]})
        return {**wanted, "renew": item["update_password"] == "always" and item["password"] is not None}

    def defaults_of(self, item):
        return {"full_name": "", "owners": []} if item["type"] == "organization" else {"full_name": "", "active": True, "admin": False}

    def stage(self, change):
        """Users come before the organizations they own."""
        return int((change.after or change.before)["type"] == "organization")

    def current(self, declared):
        records = {record["name"]: record for record in self.client.accounts(key="accounts")}
        found = {name: self.seen(record) for name, record in records.items()}
        self.kept |= {name for name, record in records.items() if record.get("isImported")}
        for key, item in declared.items():
            check(key, item, found.get(key))
        self.read_owners([key for key, item in declared.items() if item["owners"] is not None and key in found], found)
        undeclared = set(found) - set(declared) - self.kept if self.params["exclusive"] else ()
        self.check_repositories(sorted({*undeclared, *(key for key in found if declared.get(key, {}).get("state") == "absent")}))
        trying = [key for key, item in declared.items() if item["renew"] and item["state"] == "present" and key in found]
        for key, accepted in zip(trying, self.http.each(lambda name: self.accepted(name, declared[name]["password"]), trying)):
            declared[key]["renew"] = not accepted
        return found

    def seen(self, record):
        if record["isOrg"]:
            return {"type": "organization", "full_name": record["fullName"]}
        return {"type": "user", **super().seen(record)}

    def protected(self):
        return self.kept

    def read_owners(self, organizations, found):
        """Add the owners to what was found of these organizations."""
        listings = self.http.each(lambda name: self.client.accounts(name, "members", key="members"), organizations)
        for name, members in zip(organizations, listings):
            found[name]["owners"] = sorted(member["member"]["name"] for member in members if member["isAdmin"])

    def check_repositories(self, leaving):
        """InputError where repositories would go with these accounts and nobody confirmed that."""
        host = self.params["host"]
        if self.params["confirm_removal"] == host:
            return
        listings = self.http.each(lambda name: self.client.pages("repositories", name, key="repositories"), leaving)
        lost = sorted(f"{record['namespace']}/{record['name']}" for listing in listings for record in listing)
        if lost:
            raise InputError(
                f"the accounts {', '.join(leaving)} cannot go: {len(lost)} repositories would go with them, with all their tags:"
                f" {', '.join(lost)}. Move or delete them first, or set confirm_removal to '{host}'. Nothing was changed.")

    def accepted(self, name, password):
        """Whether the user can log in with this password."""
        params = {**self.params, "username": name, "password": password, "token": None, "client_cert": None}
        try:
            with closing(_dtr.connect(params, read_only=True)) as client:
                client.basic_info()
        except ApiError as error:
            if error.status == 401:
                if name == self.caller:
                    raise InputError(f"account '{name}' makes the requests, and its password is another than the declared one. Change it"
                                     " by hand or as another administrator.") from error
                return False
            raise
        return True

    def create(self, change):
        password = {"password": change.item["password"]} if change.item["password"] is not None else {}
        body = {"name": change.key, "isOrg": change.after["type"] == "organization", **self.body(change.after), **password}
        self.client.account("POST", body=body)
        self.set_owners(change.key, [], change.after.get("owners", []))

    def update(self, change):
        body = self.body({name: change.after[name] for name in change.fields})
        if body:
            self.client.account("PATCH", change.key, body=body)
        if "password" in change.fields:
            # The interface wants oldPassword; it only counts for the account that asks.
            self.client.account("POST", change.key, "changePassword", body={"newPassword": change.item["password"], "oldPassword": ""})
        if "owners" in change.fields:
            self.set_owners(change.key, change.before["owners"], change.after["owners"])

    def set_owners(self, name, before, after):
        """New owners first, so that the organization never has none."""
        for owners, is_admin in ((set(after) - set(before), True), (set(before) - set(after), False)):
            for owner in sorted(owners):
                self.client.account("PUT", name, "members", owner, body={"isAdmin": is_admin})

    def delete(self, change):
        self.client.delete("accounts", change.key)


def check(name, item, present):
    """InputError where a declared account cannot become what is present (None: nothing yet)."""
    if present and present["type"] != item["type"]:
        raise InputError(f"account '{name}' is declared as {item['type']} and exists as {present['type']}. Give type {present['type']}, or"
                         " another name.")
    if not present and item["state"] == "present" and item["type"] == "user" and not item["password"]:
        raise InputError(f"account '{name}': a new user needs a password. Give one.")


def main():
    """Entry point."""
    run_items(_dtr, Accounts, {
        "accounts": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "type": {"type": "str", "choices": ["user", "organization"], "default": "user"},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                "password": {"type": "str", "no_log": True},
                "update_password": {"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
                "full_name": {"type": "str"},
                "active": {"type": "bool"},
                "admin": {"type": "bool"},
                "owners": {"type": "list", "elements": "str"},
            },
        },
    })


if __name__ == "__main__":
    main()
