#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ucp_grant
short_description: Grants of Universal Control Plane
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Gives roles to users, organizations, teams and service accounts on collections, and takes them away.
  - A grant on a collection holds for all collections below it as well. It has no settings of its own, so it is made or deleted, never
    changed.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._ucp
  - dockyard.trusted_registry._items
options:
  grants:
    description: The grants.
    type: list
    elements: dict
    required: true
    suboptions:
      subject:
        description:
          - Who gets the role, being a user, an organization such as V(ops), a team such as V(ops/dev), or a service account such as
            V(system:serviceaccount:default:builder). The organization V(docker-datacenter) stands for all users.
        type: str
        required: true
      role:
        description: Name of the role, such as V(View Only).
        type: str
        required: true
      collection:
        description: Path of the collection, such as V(/Shared/web), V(/) being the root.
        type: str
        required: true
      state:
        description: Whether the grant shall exist.
        type: str
        choices: [present, absent]
        default: present
  collections:
    description:
      - Paths of the collections where O(exclusive) removes and RV(undeclared) reports. By default those of the declared grants.
      - V(*) is every collection but the private ones of users below V(/Shared/Private), whose grants UCP makes at a user's first login.
        UCP itself also grants Scheduler on V(/Shared) to V(docker-datacenter); declare that one if it shall stay.
    type: list
    elements: str
notes:
  - Needs an administrator. Source of the rules is the UCP documentation on access control.
  - Rights in Kubernetes namespaces are no grants of this kind. Declare them in Kubernetes, as roles and role bindings.
  - In check mode a subject, role or collection that does not exist yet counts as one that an earlier task would have made. Otherwise the
    task is refused before anything is changed.
seealso:
  - module: dockyard.trusted_registry.ucp_role
"""

EXAMPLES = r"""
- name: Who may do what
  dockyard.trusted_registry.ucp_grant:
    host: ucp.example.com
    username: admin
    password: "{{ vault_ucp_password }}"
    ca_path: /etc/ssl/ucp-ca.pem
    grants:
      - subject: ops/dev
        role: Full Control
        collection: /Shared/web
      - subject: docker-datacenter
        role: View Only
        collection: /Shared

- name: Nobody else on these two collections
  dockyard.trusted_registry.ucp_grant:
    grants: "{{ my_grants }}"
    collections: [/Shared/web, /Shared/shop]
    exclusive: true
    confirm_removal: ucp.example.com
"""

RETURN = r"""
changes:
  description: What was made and deleted, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    key:
      description: Subject, role and collection.
      type: str
      sample: ops/dev has Full Control on /Shared/web
    action:
      description: C(created) or C(deleted).
      type: str
      sample: created
    fields:
      description: The parts of the grant.
      type: list
      elements: str
      sample: [collection, role, subject]
counts:
  description: How many were made, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 1, updated: 0, deleted: 0, unchanged: 41}
undeclared:
  description: Grants that exist on the collections and were not declared. A subject that is gone stands there with its id.
  returned: success
  type: list
  elements: str
  sample: [ann has Full Control on /Shared/web]
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_names import (
    collection_id,
    role_ids,
    subject_id,
    subject_names,
)

PRIVATE = "/Shared/Private"   # below it, users have the collections that UCP makes for them
PARTS = ("subject", "collection", "role")


class Grants(Items):
    """Keys are sentences. ids: {"subject" and so on: {name: id, None where there is none}}."""

    noun = "grant"
    option = "grants"

    def __init__(self, client, params):
        super().__init__(client, params)
        self.ids = {}

    def key(self, item):
        path = item["collection"]
        if not path.startswith("/") or (path.endswith("/") and path != "/"):
            raise InputError(f"grant of '{item['subject']}': collection '{path}' is no path. It begins with / and does not end with it.")
        return f"{item['subject']} has {item['role']} on {item['collection']}"

    def current(self, declared):
        items = list(declared.values())
        self.ids = {
            "subject": self.resolve(subject_id, {item["subject"] for item in items}),
            "collection": self.resolve(collection_id, {item["collection"] for item in items}),
            "role": role_ids(self.client),
        }
        if not self.http.read_only:
            self.check(items)
        scope = self.scope()
        grants = [grant for listed in self.http.each(self.grants_on, scope) for grant in listed]
        return self.named(grants, {identity: path for path, identity in scope})

    def resolve(self, find, names):
        """{name: id or None}."""
        names = sorted(names)
        return dict(zip(names, self.http.each(lambda name: find(self.client, name), names)))

    def check(self, items):
        """InputError for what does not exist."""
        for item in items:
            for part in PARTS:
                if item["state"] == "present" and not self.ids[part].get(item[part]):
                    raise InputError(f"{self.key(item)}: there is no {part} '{item[part]}'. Correct the name, or make it first.")

    def scope(self):
        """[(path, id)] of the collections to look at."""
        paths = self.params["collections"]
        if paths is None:
            found = self.ids["collection"]
        elif "*" in paths:
            records = self.client.pages("collections")
            found = {record["path"]: record["id"] for record in records if not record["path"].startswith(PRIVATE + "/")}
            found.update(self.ids["collection"])
        else:
            named = self.resolve(collection_id, paths)
            missing = [path for path in named if not named[path]]
            if missing and not self.http.read_only:
                raise InputError(f"collections: there is no collection '{missing[0]}'. Correct the path, or make it first.")
            found = {**named, **self.ids["collection"]}
        return sorted((path, identity) for path, identity in found.items() if identity)

    def grants_on(self, collection):
        """The grants on a (path, id)."""
        return self.client.pages("collectionGrants", key="grants", objectID=collection[1])

    def named(self, grants, paths):
        """{key: {subject, collection, role}} of UCP's grants; paths: {collection id: path}."""
        roles = {identity: name for name, identity in self.ids["role"].items()}
        subjects = {identity: name for name, identity in self.ids["subject"].items() if identity}
        strangers = {grant["subjectID"] for grant in grants} - set(subjects)
        subjects.update(subject_names(self.client, strangers))
        for grant in grants:
            self.ids["subject"].setdefault(subjects[grant["subjectID"]], grant["subjectID"])
            self.ids["collection"].setdefault(paths[grant["objectID"]], grant["objectID"])
        found = [{"subject": subjects[grant["subjectID"]], "collection": paths[grant["objectID"]],
                  "role": roles.get(grant["roleID"], grant["roleID"])} for grant in grants]
        return {self.key(entry): entry for entry in found}

    def declared(self, item):
        return dict(item)

    def address(self, change):
        """The parts of the grant's address."""
        grant = change.after or change.before
        return ["collectionGrants"] + [self.ids[part].get(grant[part]) or grant[part] for part in PARTS]

    def create(self, change):
        self.client.change("PUT", *self.address(change))

    def delete(self, change):
        self.client.delete(*self.address(change))


def main():
    """Entry point."""
    run_items(_ucp, Grants, {
        "grants": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "subject": {"type": "str", "required": True},
                "role": {"type": "str", "required": True},
                "collection": {"type": "str", "required": True},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
        },
        "collections": {"type": "list", "elements": "str"},
    })


if __name__ == "__main__":
    main()
