#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_mirror_policy
short_description: What a Docker Trusted Registry mirrors to and from other registries
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Makes, changes and deletes mirroring policies. With V(push) a tag that is pushed here and meets the rules is copied to another registry,
    with V(poll) the tags of a repository elsewhere are fetched every 30 minutes.
  - Scan results and signatures are not carried over.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._items
attributes:
  idempotent:
    support: partial
    details:
      - A password or token cannot be read back. With O(policies[].update_password=always) it is set anew, and reported as changed, in each
        run.
options:
  policies:
    description:
      - The policies. A policy has no name; it is known by its repository, its direction and the repository on the other side.
    type: list
    elements: dict
    required: true
    suboptions:
      repository:
        description: Namespace and name in this registry, such as V(ops/base).
        type: str
        required: true
      direction:
        description: Whether tags are sent (V(push)) or fetched (V(poll)).
        type: str
        required: true
        choices: [push, poll]
      remote_host:
        description:
          - Address of the other registry with its scheme, such as V(https://registry.example.org) or V(https://index.docker.io) for Docker
            Hub. Without a scheme it is taken as C(https).
        type: str
        required: true
      remote_repository:
        description: Name of the repository there, such as V(ops/base).
        type: str
        required: true
      username:
        description: The account there. New policies have none.
        type: str
      password:
        description: Its password. The registry tries it when the policy is made or changed.
        type: str
      token:
        description: An access token of the account, in place of O(policies[].password).
        type: str
      update_password:
        description:
          - V(on_create) sends password or token when the policy is made and with each other change of it. V(always) sets them anew in each
            run.
        type: str
        choices: [on_create, always]
        default: on_create
      remote_ca:
        description: The certificate, PEM, of the authority that signed the other registry's certificate. New policies have none.
        type: str
      skip_tls_verification:
        description: Whether the other registry's certificate is not verified, so that anyone in between can read the password.
        type: bool
        default: false
      rules:
        description:
          - What a tag has to meet to be sent, all of it. Only for V(push). New policies have no rules and send every tag.
          - Order and spelling do not matter, V(12h) being the same as V(720m).
        type: list
        elements: dict
        suboptions:
          field:
            description:
              - What is looked at. V(updated_at) is a point in time, V(updated_at_duration) the time since the tag was pushed.
              - The fields on vulnerabilities count those of the last scan.
            type: str
            required: true
            choices:
              - tag
              - license.name
              - component.name
              - vulnerability_all
              - vulnerability_critical
              - vulnerability_major
              - vulnerability_minor
              - updated_at
              - updated_at_duration
          operator:
            description:
              - For C(tag) V(eq) equals, V(sw) starts with, V(ew) ends with, V(c) contains, V(oo) is one of, V(noo) is none of. For licenses
                and components V(oo) and V(noo).
              - For vulnerabilities V(gte), V(gt), V(eq), V(neq), V(lte), V(lt).
              - For times V(bf) before and V(af) after. With V(updated_at_duration), V(bf) is longer ago than the duration.
            type: str
            required: true
            choices: [eq, sw, ew, c, oo, noo, gte, gt, neq, lte, lt, bf, af]
          values:
            description:
              - One value; with V(oo) and V(noo) any number of them.
              - Times as V(2026-01-31T00:00:00Z), durations as V(720h) or V(1h30m).
            type: list
            elements: str
            required: true
      tag_template:
        description:
          - The name of the tag on the other side. V(%n) is the tag here, V(%Y), V(%m), V(%d), V(%H), V(%M), V(%S) and others are parts of
            the time. Only for V(push). New policies keep the name (V(%n)).
        type: str
      enabled:
        description: Whether the registry acts on it.
        type: bool
        default: true
      state:
        description: Whether the policy shall exist.
        type: str
        choices: [present, absent]
        default: present
  evaluate_existing:
    description:
      - Whether the tags that are there already are mirrored as well when a policy is made or, with V(push), changed. V(false) looks at
        later tags only.
    type: bool
    default: false
  repositories:
    description:
      - Where O(exclusive) removes and RV(undeclared) reports, beside the repositories of the declared policies. V(*) is every repository
        that the account can see.
    type: list
    elements: str
notes:
  - Needs admin rights on the repositories and an account on the other side. The registry connects to the other side when a policy is made
    or changed and refuses it when it cannot use it.
  - Source of the rules is the DTR 2.7 API and the DTR documentation on mirroring.
  - The registry takes the same policy twice. Such a repetition counts as undeclared; V(absent) removes all of them.
"""

EXAMPLES = r"""
- name: Releases go to the second site, the base comes from Docker Hub
  dockyard.trusted_registry.dtr_mirror_policy:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    policies:
      - repository: web/shop
        direction: push
        remote_host: https://registry.example.org
        remote_repository: web/shop
        remote_ca: "{{ lookup('ansible.builtin.file', '/etc/ssl/example-org-ca.pem') }}"
        username: mirror
        token: "{{ vault_mirror_token }}"
        rules:
          - {field: tag, operator: ew, values: [-release]}
      - repository: ops/debian
        direction: poll
        remote_host: https://index.docker.io
        remote_repository: library/debian
"""

RETURN = r"""
changes:
  description: What was made, changed and deleted, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    key:
      description: Repository and the other side; C(->) stands for push, C(<-) for poll.
      type: str
      sample: web/shop -> https://registry.example.org/web/shop
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: updated
    fields:
      description: Options that differed.
      type: list
      elements: str
      sample: [rules]
counts:
  description: How many were made, changed, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 0, updated: 1, deleted: 0, unchanged: 11}
undeclared:
  description: Policies that exist in the repositories and were not declared.
  returned: success
  type: list
  elements: str
  sample: ['ops/debian <- https://index.docker.io/library/debian']
"""

import re

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr, _dtr_rules
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_policies import (
    check_certificate,
    check_repository,
    keyed,
    pem,
    scope,
)

HOST = re.compile(r"(https?://)?[A-Za-z0-9\[][A-Za-z0-9.:\]-]*/?")
REMOTE_REPOSITORY = re.compile(r"[a-z0-9]+([._/-]+[a-z0-9]+)*")
PUSH_ONLY = {"rules": [], "tag_template": "%n"}   # and what new policies have


class MirrorPolicies(Items):
    """Keys are "repository -> other side" for push, "repository <- other side" for poll; records: {key: [policy as answered]}."""

    noun = "mirror policy"
    option = "policies"
    fields = {
        "remote_host": "remoteHost", "remote_repository": "remoteRepository", "username": "username", "remote_ca": "remoteCA",
        "skip_tls_verification": "skipTLSVerification", "rules": "rules", "tag_template": "tagTemplate", "enabled": "enabled",
    }
    defaults = {"username": "", "remote_ca": ""}
    secrets = ("password", "token")

    def key(self, item):
        where = f"{self.noun} of '{item['repository']}'"
        check_repository(item["repository"], where)
        if not HOST.fullmatch(item["remote_host"]):
            raise InputError(f"{where}: remote_host is no address of a registry. Give scheme and name only, such as https://registry.example.org.")
        if not REMOTE_REPOSITORY.fullmatch(item["remote_repository"]):
            raise InputError(f"{where}: remote_repository '{item['remote_repository']}' is no repository. Give a name such as ops/base.")
        if item["password"] and item["token"]:
            raise InputError(f"{where}: both password and token are given. Keep one of them.")
        check_certificate(item["remote_ca"], f"{where}: remote_ca")
        given = [name for name in PUSH_ONLY if item[name] is not None]
        if item["direction"] == "poll" and given:
            raise InputError(f"{where}: {' and '.join(given)} do not go with the direction poll, which fetches all tags. Leave that out.")
        _dtr_rules.checked(item["rules"] or [], where)
        if item["tag_template"] is not None:
            _dtr_rules.check_template(item["tag_template"], where)
        return key({**item, "remote_host": host(item["remote_host"])})

    def declared(self, item):
        values = {**item, "remote_host": host(item["remote_host"]), "remote_ca": pem(item["remote_ca"])}
        values["rules"] = None if item["rules"] is None else _dtr_rules.normal(item["rules"])
        values["renew"] = values.pop("update_password") == "always"
        return values

    def current(self, declared):
        names = scope(self.client, [item["repository"] for item in declared.values()], self.params["repositories"])
        # Two listings instead of the common one, whose words for the direction are not documented.
        listings = [(name, direction) for name in names for direction in ("push", "poll")]
        answers = self.http.each(lambda listing: self.client.find(*address(*listing)), listings)
        records = [{**record, "direction": direction} for (name, direction), answer in zip(listings, answers) for record in answer or []]
        self.records = keyed(records, lambda record: key(self.seen(record)), declared)
        for name, item in declared.items():
            if name not in self.records and item["direction"] == "push":
                item.update((field, value) for field, value in PUSH_ONLY.items() if item[field] is None)
        return {name: self.seen(records[0]) for name, records in self.records.items()}

    def seen(self, record):
        values = {
            **super().seen(record), "repository": record["localRepository"], "direction": record["direction"],
            "remote_host": host(record["remoteHost"]), "remote_ca": pem(record["remoteCA"]),
        }
        if record["direction"] == "poll":
            return {name: value for name, value in values.items() if name not in PUSH_ONLY}
        return {**values, "rules": _dtr_rules.normal(record["rules"] or [])}

    def create(self, change):
        body = {"password": "", "authToken": "", **self.body(change.after), **credentials(change.item)}
        self.send(self.client.post, change, body=body, initialEvaluation=self.evaluation())

    def update(self, change):
        # The interface wants the credentials with every change.
        body = {**self.body({name: change.after[name] for name in change.fields}), **credentials(change.item)}
        query = {"initialEvaluation": self.evaluation()} if change.after["direction"] == "push" else {}
        self.send(self.client.put, change, self.records[change.key][0]["id"], body=body, **query)

    def delete(self, change):
        for record in self.records[change.key]:
            self.client.delete(*address(change.before["repository"], change.before["direction"]), record["id"])

    def send(self, write, change, *more, **content):
        """Write a policy; tells what to look at when the registry cannot use the other side."""
        try:
            write(*address(change.after["repository"], change.after["direction"]), *more, **content)
        except ApiError as error:
            if error.code != "REMOTE_REGISTRY_INVALID_PERMISSIONS":
                raise
            need = "write" if change.after["direction"] == "push" else "read"
            raise InputError(
                f"{error} The registry has to reach {change.after['remote_host']} and needs the right to {need}"
                f" {change.after['remote_repository']} there: check username, password or token, and remote_ca.") from error

    def evaluation(self):
        """The query parameter initialEvaluation."""
        return "true" if self.params["evaluate_existing"] else "false"


def host(address_of):
    """The other registry's address in one form: with a scheme, in lower case, without a slash at its end."""
    text = address_of.rstrip("/").lower()
    return text if "://" in text else f"https://{text}"


def misplaced(params):
    """User and password that somebody wrote into remote_host, which is refused and must not be printed."""
    return {(policy["remote_host"] or "").rpartition("@")[0] for policy in params["policies"]} - {""}


def key(policy):
    """What a policy is known by."""
    arrow = "->" if policy["direction"] == "push" else "<-"
    return f"{policy['repository']} {arrow} {policy['remote_host']}/{policy['remote_repository']}"


def address(repository, direction):
    """Parts of the address of the repository's policies."""
    return "repositories", repository, f"{direction}MirroringPolicies"


def credentials(item):
    """The declared credentials as the API names them; a token takes the place of a password and the other way round."""
    found = {} if item["username"] is None else {"username": item["username"]}
    if item["password"] or item["token"]:
        found.update({"password": item["password"] or "", "authToken": item["token"] or ""})
    return found


def main():
    """Entry point."""
    run_items(_dtr, MirrorPolicies, {
        "policies": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "repository": {"type": "str", "required": True},
                "direction": {"type": "str", "required": True, "choices": ["push", "poll"]},
                "remote_host": {"type": "str", "required": True},
                "remote_repository": {"type": "str", "required": True},
                "username": {"type": "str"},
                "password": {"type": "str", "no_log": True},
                "token": {"type": "str", "no_log": True},
                "update_password": {"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
                "remote_ca": {"type": "str"},
                "skip_tls_verification": {"type": "bool", "default": False},
                "rules": _dtr_rules.OPTION,
                "tag_template": {"type": "str"},
                "enabled": {"type": "bool", "default": True},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
        },
        "evaluate_existing": {"type": "bool", "default": False},
        "repositories": {"type": "list", "elements": "str"},
    }, conceal=misplaced)


if __name__ == "__main__":
    main()
