#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_repository
short_description: Repositories of a Docker Trusted Registry
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Makes, changes and deletes repositories and what is set on each of them.
  - Who may use them is declared with M(dockyard.trusted_registry.dtr_access), what happens to their tags with
    M(dockyard.trusted_registry.dtr_pruning_policy), M(dockyard.trusted_registry.dtr_promotion_policy) and
    M(dockyard.trusted_registry.dtr_mirror_policy).
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._items
options:
  repositories:
    description: The repositories.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Namespace and name, such as V(ops/base). The namespace is an organization or a user and has to exist.
          - In lower case, shorter than 56 characters. A repository cannot be renamed.
        type: str
        required: true
      state:
        description:
          - Whether the repository shall exist. V(absent) deletes it with all its tags and policies; the space comes back with the next
            garbage collection. A repository with signed tags cannot be deleted before its trust data is.
        type: str
        choices: [present, absent]
        default: present
      visibility:
        description: Who may see and pull it beside those with a grant, V(public) being everyone. New repositories are V(private).
        type: str
        choices: [public, private]
      immutable_tags:
        description:
          - Whether a tag, once pushed, can be overwritten. New repositories allow it (V(false)). Cannot go together with a tag
            limit.
        type: bool
      scan_on_push:
        description: Whether each push is scanned for vulnerabilities. New repositories are scanned on demand only (V(false)).
        type: bool
      tag_limit:
        description: How many tags it keeps; the oldest goes when there are more. V(0) is no limit, and what new repositories have.
        type: int
      enable_manifest_lists:
        description:
          - Whether manifest lists can be pushed. Discouraged in DTR 2.7, as it breaks content trust. New repositories have
            V(false).
        type: bool
      short_description:
        description: One line.
        type: str
      long_description:
        description: Text in Markdown.
        type: str
  namespaces:
    description:
      - Where O(exclusive) removes and RV(undeclared) reports. By default the namespaces of the declared repositories; V(*) is every
        namespace that the account can see.
    type: list
    elements: str
notes:
  - Needs admin rights on the namespaces. Source of the rules is the DTR 2.7 API and the DTR documentation on managing images.
"""

EXAMPLES = r"""
- name: Repositories of two teams
  dockyard.trusted_registry.dtr_repository:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    repositories:
      - name: ops/base
        immutable_tags: true
        scan_on_push: true
        short_description: The base of all our images
      - name: web/shop
        visibility: public
        tag_limit: 50

- name: The same connection for many tasks
  module_defaults:
    group/dockyard.trusted_registry.dtr:
      host: registry.example.com
      ca_path: /etc/ssl/registry-ca.pem
  block:
    - name: Exactly these repositories in ops, others go
      dockyard.trusted_registry.dtr_repository:
        repositories: "{{ my_repositories }}"
        namespaces: [ops]
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
      description: Namespace and name.
      type: str
      sample: ops/base
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: updated
    fields:
      description: Options that differed.
      type: list
      elements: str
      sample: [immutable_tags]
counts:
  description: How many were made, changed, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 0, updated: 1, deleted: 0, unchanged: 199}
undeclared:
  description: Repositories that exist in the namespaces and were not declared.
  returned: success
  type: list
  elements: str
  sample: [ops/playground]
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_people import split
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_policies import REPOSITORY

LONGEST = 55   # characters of namespace/name (DTR docs: manage images)


class Repositories(Items):
    """Keys are "namespace/name"."""

    noun = "repository"
    option = "repositories"
    fields = {
        "visibility": "visibility", "immutable_tags": "immutableTags", "scan_on_push": "scanOnPush", "tag_limit": "tagLimit",
        "enable_manifest_lists": "enableManifestLists", "short_description": "shortDescription", "long_description": "longDescription",
    }
    defaults = {
        "visibility": "private", "immutable_tags": False, "scan_on_push": False, "tag_limit": 0, "enable_manifest_lists": False,
        "short_description": "", "long_description": "",
    }

    def key(self, item):
        name = item["name"]
        if not REPOSITORY.fullmatch(name) or len(name) > LONGEST:
            raise InputError(f"repository '{name}': the name must be namespace/name in lower case, at most {LONGEST} characters.")
        return name

    def current(self, declared):
        needed = {key.split("/")[0] for key in declared}
        watched = {name if name == "*" else split(name, "namespace")[0] for name in self.params["namespaces"] or needed}
        listings = [["repositories"]] if "*" in watched else [["repositories", name] for name in sorted(watched | needed)]
        found = {}
        for records in self.http.each(lambda parts: self.client.pages(*parts, key="repositories"), listings):
            for record in records:
                key = f"{record['namespace']}/{record['name']}"
                if key in declared or not watched.isdisjoint(("*", record["namespace"])):
                    found[key] = self.seen(record)
        # Listings leave the long description out (optional in the interface): asked for only where one is declared.
        wanting = [key for key, item in declared.items() if item["long_description"] is not None and key in found]
        for key, record in zip(wanting, self.http.each(lambda name: self.client.get("repositories", name), wanting)):
            found[key]["long_description"] = record.get("longDescription") or ""
        for key, item in declared.items():
            self.check_limit(key, item, found.get(key, {}))
        return found

    def check_limit(self, key, item, present):
        """InputError where a tag limit is none or would meet immutable tags (DTR docs: tag pruning)."""
        if (item["tag_limit"] or 0) < 0:
            raise InputError(f"repository '{key}': tag_limit {item['tag_limit']} is less than 0. Give 0 for no limit.")
        immutable, limit = (present.get(name) if item[name] is None else item[name] for name in ("immutable_tags", "tag_limit"))
        if item["state"] == "present" and immutable and limit:
            raise InputError(f"repository '{key}': tag_limit {limit} and immutable_tags exclude each other. Set one of them to 0 or false.")

    def create(self, change):
        namespace, name = change.key.split("/")
        self.client.post("repositories", namespace, body={"name": name, **self.body(change.after)})

    def update(self, change):
        # The interface wants immutableTags with every change.
        values = {name: change.after[name] for name in {*change.fields, "immutable_tags"}}
        self.client.patch("repositories", change.key, body=self.body(values))

    def delete(self, change):
        self.client.delete("repositories", change.key)


def main():
    """Entry point."""
    run_items(_dtr, Repositories, {
        "repositories": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                "visibility": {"type": "str", "choices": ["public", "private"]},
                "immutable_tags": {"type": "bool"},
                "scan_on_push": {"type": "bool"},
                "tag_limit": {"type": "int"},
                "enable_manifest_lists": {"type": "bool"},
                "short_description": {"type": "str"},
                "long_description": {"type": "str"},
            },
        },
        "namespaces": {"type": "list", "elements": "str"},
    })


if __name__ == "__main__":
    main()
