#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_api_token
short_description: Access tokens of a Docker Trusted Registry
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Makes access tokens, writes them into files, activates, deactivates, renews and deletes them.
  - A token stands in place of its user's password, for C(docker login) and for the API, with the rights that the user has at that moment.
  - The registry tells the value of a token once, when it is made. The module writes it into O(tokens[].dest) and shows it nowhere.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._items
attributes:
  idempotent:
    support: partial
    details:
      - With O(tokens[].renew=true) a token is made anew at every run.
options:
  tokens:
    description: The tokens.
    type: list
    elements: dict
    required: true
    suboptions:
      label:
        description:
          - Name of the token. The registry allows a user several tokens with the same label; this module takes a label for one token and
            refuses when there are more.
        type: str
        required: true
      user:
        description: Whose token it is. By default of the account that makes the requests; others need a system administrator.
        type: str
      state:
        description: Whether the token shall exist. V(absent) deletes all tokens with the label; the file in O(tokens[].dest) stays.
        type: str
        choices: [present, absent]
        default: present
      active:
        description: Whether the token is accepted. New tokens are (V(true)).
        type: bool
      dest:
        description:
          - File on the host that runs the module, to which a new token is written, without a line break, for its owner only (mode C(0600)).
            The folder has to exist.
          - Needed to make a token. When the token exists and the file does not, the module fails, for the value cannot be had again; see
            O(tokens[].renew). In check mode this is a warning, because check mode may run elsewhere.
        type: path
      renew:
        description:
          - Make a new token, write it to O(tokens[].dest), then delete the old one. What still uses the old one is locked out from then on.
          - This happens at every run. Take it out again when it is done.
        type: bool
        default: false
  users:
    description: Users whose tokens O(exclusive) removes and RV(undeclared) reports, beside those that occur in O(tokens).
    type: list
    elements: str
    default: []
notes:
  - Needs the user itself or a system administrator. Source of the rules is the DTR 2.7 API and the DTR documentation on access tokens.
  - O(exclusive) looks at the tokens of the users that occur in O(tokens) or O(users). It refuses to remove tokens of the account that makes
    the requests while that account uses O(token), because the registry does not tell which of them is in use.
"""

EXAMPLES = r"""
- name: A token for the build servers
  dockyard.trusted_registry.dtr_api_token:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    tokens:
      - label: build servers
        user: ci
        dest: /etc/ci/registry-token

- name: Stop a token that leaked, and make another in its place
  dockyard.trusted_registry.dtr_api_token:
    tokens:
      - label: build servers
        user: ci
        dest: /etc/ci/registry-token
        renew: true
"""

RETURN = r"""
changes:
  description: What was made, changed and deleted, or would be in check mode. Never holds a token.
  returned: always
  type: list
  elements: dict
  contains:
    key:
      description: User and label.
      type: str
      sample: ci/build servers
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: created
    fields:
      description: Options that differed; C(token) for a value that is new.
      type: list
      elements: str
      sample: [active, token]
counts:
  description: How many were made, changed, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 1, updated: 0, deleted: 0, unchanged: 3}
undeclared:
  description: Tokens that the users have and that were not declared.
  returned: success
  type: list
  elements: str
  sample: [ci/laptop]
"""

import os

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import ARGUMENTS, Items, apply_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_people import caller, split
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_token_files import check_files, write


class Tokens(Items):
    """Keys are "user/label". The field token is the value of a token, which is only ever written."""

    noun = "token"
    option = "tokens"
    fields = {"active": "isActive"}
    defaults = {"active": True}
    secrets = ("token",)

    def __init__(self, client, params):
        super().__init__(client, params)
        self.caller = caller(client, params)
        self.files = {}   # {key: where the token goes}
        self.ids = {}     # {key: [hashedToken]}
        self.warnings = []

    def key(self, item):
        user = split(item["user"], "user")[0] if item["user"] else self.caller
        if not item["label"].strip():
            raise InputError(f"tokens of '{user}': a label is empty. Give the token a name.")
        return f"{user}/{item['label']}"

    def declared(self, item):
        key, renew = self.key(item), item["renew"]
        self.files[key] = item["dest"]
        if renew and not item["dest"]:
            raise InputError(f"token '{key}': renew needs dest, the file for the new token. Give it.")
        return {"active": item["active"], "token": "new" if item["state"] == "present" else None, "state": item["state"], "renew": renew}

    def current(self, declared):
        users = sorted({key.split("/", 1)[0] for key in declared} | {split(name, "user")[0] for name in self.params["users"]})
        listings = self.http.each(
            lambda user: self.client.pages("api_tokens", identity=lambda record: record["hashedToken"], username=user), users)
        found = {}
        for user, records in zip(users, listings):
            for record in records:
                key = f"{user}/{record['tokenLabel']}"
                self.ids.setdefault(key, []).append(record["hashedToken"])
                found[key] = self.seen(record)
        for key, item in declared.items():
            if item["state"] == "present":
                check(key, item["renew"], self.files[key], len(self.ids.get(key, [])))
                self.check_lost(key, item["renew"], self.files[key])
        files = {key: self.files[key] for key, item in declared.items() if item["state"] == "present" and self.files[key]}
        check_files(files, {key for key in files if key not in found or declared[key]["renew"]}, self.http.read_only)
        self.check_own(sorted(set(found) - set(declared)))
        return found

    def check_lost(self, key, renew, dest):
        """InputError where the token exists and its file does not."""
        if key not in self.ids or renew or not dest or os.path.exists(dest):
            return
        problem = (f"token '{key}' exists, but its file {dest} does not, and the registry does not tell the value again. Bring the file"
                   " back, or set renew to true, which puts a new token in place of the old one.")
        if not self.http.read_only:
            raise InputError(problem)
        self.warnings.append(problem)   # check mode may run on another host than the one that keeps the files

    def check_own(self, undeclared):
        """InputError where exclusive might remove the very token that makes the requests."""
        own = [key for key in undeclared if key.split("/", 1)[0] == self.caller]
        if self.params["exclusive"] and self.params["token"] and own:
            raise InputError(f"exclusive would remove {', '.join(own)}, and one of them may be the token that makes these requests."
                             " Declare it, or connect with a password.")

    def create(self, change):
        user, label = change.key.split("/", 1)
        made = self.client.post("api_tokens", body={"tokenLabel": label}, username=user)
        try:
            write(self.files[change.key], made["token"])
        except OSError as error:
            self.client.delete("api_tokens", made["hashedToken"])   # nobody will ever know its value
            raise InputError(f"{self.files[change.key]} cannot be written ({error.strerror}). The new token was deleted again. Mend the"
                             " folder.") from error
        if not change.after["active"]:
            self.client.patch("api_tokens", made["hashedToken"], body={"isActive": False})

    def update(self, change):
        if "token" in change.fields:
            self.create(change)
            self.delete(change)
        else:
            self.client.patch("api_tokens", self.ids[change.key][0], body=self.body(change.after))

    def delete(self, change):
        for hashed in self.ids[change.key]:
            self.client.delete("api_tokens", hashed)


def check(key, renew, dest, count):
    """InputError where a declared token cannot be had.

    dest: file for it or None; count: how many tokens with the label the user has.
    """
    if not count and not dest:
        raise InputError(f"token '{key}' does not exist yet, and a new one needs dest, the file to write it to. Give it.")
    if count > 1 and not renew:
        raise InputError(f"token '{key}': there are {count} with this label. Delete the others in the web interface, or set renew to true,"
                         " which puts a new one in place of all of them.")


def apply_tokens(client, params, check_mode):
    """The module's result."""
    tokens = Tokens(client, params)
    return {**apply_items(tokens, check_mode), "warnings": tokens.warnings}


def main():
    """Entry point."""
    run(_dtr, {
        **ARGUMENTS,
        "tokens": {
            "type": "list", "elements": "dict", "required": True, "no_log": False,
            "options": {
                "label": {"type": "str", "required": True},
                "user": {"type": "str"},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                "active": {"type": "bool"},
                "dest": {"type": "path"},
                "renew": {"type": "bool", "default": False},
            },
        },
        "users": {"type": "list", "elements": "str", "default": []},
    }, apply_tokens)


if __name__ == "__main__":
    main()
