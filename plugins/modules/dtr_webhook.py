#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_webhook
short_description: Whom a Docker Trusted Registry tells of what happens
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Makes, changes and deletes webhooks. When something of the type happens, the registry posts a JSON document about it to the endpoint.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._items
options:
  webhooks:
    description:
      - The webhooks. A webhook has no name; it is known by its type, its key and its endpoint without the query.
    type: list
    elements: dict
    required: true
    suboptions:
      type:
        description:
          - What is told. V(REPO_EVENT) is that a repository of a namespace was made, changed or deleted, V(SCANNER_UPDATE_COMPLETED) that
            the vulnerability database was updated. The others happen in a repository.
        type: str
        required: true
        choices:
          - TAG_PUSH
          - TAG_PULL
          - TAG_DELETE
          - MANIFEST_PUSH
          - MANIFEST_PULL
          - MANIFEST_DELETE
          - SCAN_COMPLETED
          - SCAN_FAILED
          - PROMOTION
          - PUSH_MIRRORING
          - POLL_MIRRORING
          - REPO_EVENT
          - SCANNER_UPDATE_COMPLETED
      key:
        description:
          - Where it happens. A namespace for V(REPO_EVENT), nothing for V(SCANNER_UPDATE_COMPLETED), namespace and name of a repository for
            the others.
          - Without it everywhere, which only a system administrator can have.
        type: str
      endpoint:
        description:
          - The URL to post to. A query, and user and password in it, count as secret. They appear in no result and no message.
          - An endpoint with another query is made anew before the old one is deleted. Two webhooks of the same type and key cannot differ
            in the query only.
        type: str
        required: true
      tls_cert:
        description: The certificate, PEM, to trust at the endpoint. New webhooks have none.
        type: str
      skip_tls_verification:
        description: Whether the endpoint's certificate is not verified. Has to be V(true) for an endpoint with C(http).
        type: bool
        default: false
      active:
        description: Whether anything is sent. A webhook is active for a moment when it is made, V(false) or not.
        type: bool
        default: true
      state:
        description: Whether the webhook shall exist.
        type: str
        choices: [present, absent]
        default: present
  keys:
    description:
      - Repositories and namespaces where O(exclusive) removes and RV(undeclared) reports, beside the keys of the declared webhooks. V(*) is
        all webhooks for a system administrator, and for others their own.
    type: list
    elements: str
notes:
  - Needs admin rights on the repositories, ownership of the organization for V(REPO_EVENT), and a system administrator for what has no key.
    A system administrator's run reads all webhooks with one request, other accounts need one for each key.
  - Source of the rules is the DTR 2.7 API and the DTR documentation on webhooks. The documentation has V(REPO_CREATED), V(REPO_UPDATED) and
    V(REPO_DELETED) in place of V(REPO_EVENT), which the API does not take.
  - The registry takes the same webhook twice. Such a repetition counts as undeclared; V(absent) removes all of them.
"""

EXAMPLES = r"""
- name: Deploy what is promoted, and tell the security team of scans
  dockyard.trusted_registry.dtr_webhook:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    webhooks:
      - type: TAG_PUSH
        key: production/shop
        endpoint: "https://ci.example.com/generic-webhook-trigger/invoke?token={{ vault_ci_token }}"
      - type: SCAN_COMPLETED
        endpoint: https://security.example.com/scans
        tls_cert: "{{ lookup('ansible.builtin.file', '/etc/ssl/security-ca.pem') }}"

- name: Exactly the declared webhooks in the whole registry, others go
  dockyard.trusted_registry.dtr_webhook:
    webhooks: "{{ my_webhooks }}"
    keys: ['*']
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
      description: Type, key (C(*) for everywhere) and endpoint without its query.
      type: str
      sample: TAG_PUSH production/shop https://ci.example.com/generic-webhook-trigger/invoke
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: updated
    fields:
      description: Options that differed.
      type: list
      elements: str
      sample: [active]
counts:
  description: How many were made, changed, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 0, updated: 1, deleted: 0, unchanged: 11}
undeclared:
  description: Webhooks that exist under the keys and were not declared.
  returned: success
  type: list
  elements: str
  sample: ['TAG_PUSH production/shop https://old.example.com/hook']
"""

from urllib.parse import urlsplit

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_policies import (
    check_certificate,
    check_repository,
    keyed,
    pem,
    shown_endpoint,
)

EVERYWHERE = "SCANNER_UPDATE_COMPLETED"
OF_NAMESPACE = "REPO_EVENT"
TYPES = (
    "TAG_PUSH", "TAG_PULL", "TAG_DELETE", "MANIFEST_PUSH", "MANIFEST_PULL", "MANIFEST_DELETE", "SCAN_COMPLETED", "SCAN_FAILED", "PROMOTION",
    "PUSH_MIRRORING", "POLL_MIRRORING", OF_NAMESPACE, EVERYWHERE,
)


class Webhooks(Items):
    """Keys are "TYPE key endpoint"; records: {key: [responses.Webhook]}; urls: {key: declared endpoint with all its secrets}."""

    noun = "webhook"
    option = "webhooks"
    fields = {"type": "type", "key": "key", "tls_cert": "tlsCert", "skip_tls_verification": "skipTLSVerification"}
    defaults = {"tls_cert": ""}

    def key(self, item):
        check_endpoint(item["endpoint"])
        name = key(item)
        check_key(item["type"], item["key"] or "", f"webhook '{name}'")
        check_certificate(item["tls_cert"], f"webhook '{name}': tls_cert")
        return name

    def declared(self, item):
        return {**item, "key": item["key"] or "", "endpoint": shown_endpoint(item["endpoint"]), "tls_cert": pem(item["tls_cert"])}

    def current(self, declared):
        self.urls = {key(item): item["endpoint"] for item in self.params["webhooks"]}
        scope = {*(item["key"] for item in declared.values()), *(self.params["keys"] or [])}
        records = [record for record in self.listed(scope) if "*" in scope or record["key"] in scope]
        # Of several that differ in the query only, the one with the declared query is the declared one.
        urls = set(self.urls.values())
        self.records = keyed(records, key, declared, order=lambda record: (record["endpoint"] not in urls, record["id"]))
        found = {name: self.seen(records[0]) for name, records in self.records.items()}
        for name in set(found) & set(declared):
            if self.records[name][0]["endpoint"] != self.urls[name]:
                found[name]["endpoint"] += " (with another query)"
        return found

    def listed(self, scope):
        """[responses.Webhook] of at least the keys in scope."""
        if self.client.basic_info()["IsAdmin"]:
            return self.client.get("webhooks")
        if "" in scope:
            raise InputError("a webhook without key hears of everything and can be made by a system administrator only. Give it a key.")
        answers = self.http.each(lambda name: self.client.find(*listing(name)), sorted(scope))
        return list({record["id"]: record for answer in answers for record in answer or []}.values())

    def seen(self, record):
        return {
            **super().seen(record), "endpoint": shown_endpoint(record["endpoint"]), "tls_cert": pem(record["tlsCert"]),
            "active": not record["inactive"],
        }

    def create(self, change):
        body = {**self.body(change.after), "endpoint": self.urls[change.key]}
        if not body["key"]:
            del body["key"]
        record = self.client.post("webhooks", body=body)
        if not change.after["active"]:
            self.change(record["id"], change.after)

    def update(self, change):
        if "endpoint" in change.fields:
            self.create(change)
            self.delete(change)
        else:
            self.change(self.records[change.key][0]["id"], change.after)

    def change(self, identity, values):
        """Send all that can be changed of a webhook."""
        self.client.post("webhooks", "update", body={
            "id": identity, "inactive": not values["active"], "tlsCert": values["tls_cert"],
            "skipTLSVerification": values["skip_tls_verification"],
        })

    def delete(self, change):
        for record in self.records[change.key]:
            self.client.delete("webhooks", record["id"])


def key(webhook):
    """What a webhook, declared or as answered, is known by; without secrets."""
    return f"{webhook['type']} {webhook['key'] or '*'} {shown_endpoint(webhook['endpoint'])}"


def listing(scope):
    """Parts of the address of a key's webhooks; "*" stands for the account's own."""
    if scope == "*":
        return ["webhooks"]
    return ["repositories" if "/" in scope else "accounts", scope, "webhooks"]


def hidden(params):
    """What must stand in no output: queries, users and passwords of endpoints."""
    found = set()
    for webhook in params["webhooks"]:
        try:
            parts = urlsplit(webhook["endpoint"] or "")
            found |= {parts.query, parts.fragment, parts.netloc.rpartition("@")[0]}
        except ValueError:   # no URL, and refused later on
            found.add(webhook["endpoint"])
    return found - {""}


def check_endpoint(endpoint):
    """InputError unless it is a URL; it is not repeated, as it may hold secrets."""
    try:
        parts = urlsplit(endpoint)
        fine = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and endpoint.split() == [endpoint]
    except ValueError:
        fine = False
    if not fine:
        raise InputError("the endpoint of a webhook is no URL. Give one such as https://ci.example.com/hook.")


def check_key(kind, scope, where):
    """InputError unless the type of webhook can have that key (DTR docs: manage webhooks)."""
    if kind == EVERYWHERE and scope:
        raise InputError(f"{where}: {kind} is told of the registry as a whole. Leave key out.")
    if kind == OF_NAMESPACE and "/" in scope:
        raise InputError(f"{where}: {kind} is told of a namespace. Give its name as key, such as {scope.split('/')[0]}.")
    if kind not in (EVERYWHERE, OF_NAMESPACE) and scope:
        check_repository(scope, where)


def main():
    """Entry point."""
    run_items(_dtr, Webhooks, {
        "webhooks": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "type": {"type": "str", "required": True, "choices": list(TYPES)},
                "key": {"type": "str", "no_log": False},
                "endpoint": {"type": "str", "required": True},
                "tls_cert": {"type": "str"},
                "skip_tls_verification": {"type": "bool", "default": False},
                "active": {"type": "bool", "default": True},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
        },
        "keys": {"type": "list", "elements": "str", "no_log": False},
    }, conceal=hidden)


if __name__ == "__main__":
    main()
