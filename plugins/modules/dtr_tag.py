#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_tag
short_description: Delete and promote tags in a Docker Trusted Registry
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Deletes tags, and promotes tags, that is, gives another repository a tag of the same image.
  - What shall happen to tags by itself is declared with M(dockyard.trusted_registry.dtr_pruning_policy) and
    M(dockyard.trusted_registry.dtr_promotion_policy).
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
options:
  tags:
    description: The tags.
    type: list
    elements: dict
    required: true
    suboptions:
      repository:
        description: Namespace and name of the repository, such as V(ops/base).
        type: str
        required: true
      name:
        description: The tag, such as V(1.0).
        type: str
        required: true
      state:
        description:
          - V(absent) deletes the tag. The space comes back with the next garbage collection. A signed tag cannot be deleted before its
            trust data is.
          - V(promoted) gives O(tags[].target_repository) the tag O(tags[].target_tag) of the same image. Where that tag is of another
            image, it is overwritten, unless the target's tags are immutable.
        type: str
        required: true
        choices: [absent, promoted]
      target_repository:
        description: Namespace and name of the repository to promote to, which has to exist. Required with V(promoted).
        type: str
      target_tag:
        description: The tag there. By default the same as O(tags[].name).
        type: str
notes:
  - The whole list is one call. What exists is read first, several requests at a time; only differences are written. Tags are promoted
    before others are deleted.
  - To delete needs write access to the repository, to promote read access to the source and write access to the target. Source of the rules
    is the DTR 2.7 API.
  - A source that does not exist is an error, unless the target has been promoted from it before. So a run can be repeated when the source
    has been pruned since.
"""

EXAMPLES = r"""
- name: The release candidate becomes the release
  dockyard.trusted_registry.dtr_tag:
    host: registry.example.com
    username: ci
    token: "{{ vault_ci_token }}"
    ca_path: /etc/ssl/registry-ca.pem
    tags:
      - repository: web/shop
        name: 2.4.0-rc3
        state: promoted
        target_repository: production/shop
        target_tag: 2.4.0
      - repository: web/shop
        name: 2.4.0-rc2
        state: absent
"""

RETURN = r"""
changes:
  description: What was made, changed and deleted, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    key:
      description: The tag that was deleted or, with V(promoted), the tag in the target.
      type: str
      sample: production/shop:2.4.0
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: created
    fields:
      description: What differed.
      type: list
      elements: str
      sample: [digest]
counts:
  description: How many were made, changed, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 1, updated: 0, deleted: 1, unchanged: 0}
"""

import re

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items, apply_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_policies import check_repository

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class Tags(Items):
    """Keys are "namespace/name:tag", of the target where a tag is promoted; the one field is the digest of its image."""

    noun = "tag"
    option = "tags"

    def key(self, item):
        where = f"tag '{item['repository']}:{item['name']}'"
        check_repository(item["repository"], where)
        targets = [name for name in ("target_repository", "target_tag") if item[name] is not None]
        if item["state"] == "absent" and targets:
            raise InputError(f"{where}: state absent deletes and has no {' and '.join(targets)}. Leave that out, or set state to promoted.")
        if item["state"] == "promoted":
            check_repository(item["target_repository"] or "", f"target of {where}")
        for tag in (item["name"], goal(item)[1]):
            if not TAG.fullmatch(tag):
                raise InputError(f"{where}: '{tag}' is no tag. Give up to 128 letters, digits, '_', '.' or '-', not '.' or '-' first.")
        return ":".join(goal(item))

    def declared(self, item):
        return {"state": item["state"], "digest": None}

    def current(self, declared):
        self.wanted = {":".join(goal(item)): item for item in self.params["tags"]}
        names = sorted({name for item in self.wanted.values() for name in (item["repository"], goal(item)[0])})
        listings = self.http.each(self.listed, names)
        tags = {(name, tag["name"]): tag for name, listing in zip(names, listings) for tag in listing}
        for name, item in self.wanted.items():
            if item["state"] == "promoted":
                declared[name]["digest"] = digest(item, tags)
            elif tags.get(goal(item), {}).get("inNotary"):
                raise signed(name)
        return {name: {"digest": tags[goal(item)]["digest"]} for name, item in self.wanted.items() if goal(item) in tags}

    def listed(self, repository):
        """[responses.ListTag] of a repository; the domain makes the server look whether they are signed."""
        return self.client.pages("repositories", repository, "tags", identity=lambda tag: tag["name"], domain=self.params["host"])

    def create(self, change):
        item = self.wanted[change.key]
        repository, tag = goal(item)
        self.client.post(
            "repositories", item["repository"], "tags", item["name"], "promotion", body={"targetRepository": repository, "targetTag": tag})

    def update(self, change):
        self.create(change)

    def delete(self, change):
        repository, tag = goal(self.wanted[change.key])
        try:
            self.http.call("DELETE", _dtr.path("repositories", repository, "tags", tag), query={"domain": self.params["host"]})
        except ApiError as error:
            if error.code == "TAG_IN_NOTARY":
                raise signed(change.key) from error
            if error.code != "NO_SUCH_TAG":
                raise


def goal(item):
    """(repository, tag) that is made or deleted."""
    if item["state"] == "absent":
        return item["repository"], item["name"]
    return item["target_repository"], item["target_tag"] or item["name"]


def digest(item, tags):
    """The digest that the target shall have; tags: {(repository, tag): responses.ListTag}."""
    source, target = tags.get((item["repository"], item["name"])), tags.get(goal(item))
    if source:
        return source["digest"]
    origin = (target or {}).get("promotion") or {}
    if (origin.get("sourceRepository"), origin.get("sourceTag")) == (item["repository"], item["name"]):
        return target["digest"]
    raise InputError(f"tag '{item['repository']}:{item['name']}' does not exist and cannot be promoted. Push it first, or leave it out.")


def signed(name):
    """The InputError of a tag that cannot be deleted."""
    return InputError(f"tag '{name}' is signed and cannot be deleted. Remove its trust data first (docker trust revoke), then run again.")


def work(client, params, check_mode):
    """The module's result."""
    result = apply_items(Tags(client, {**params, "exclusive": False, "confirm_removal": None}), check_mode)
    del result["undeclared"]   # a registry is there to hold tags that nobody declared
    return result


def main():
    """Entry point."""
    run(_dtr, {
        "tags": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "repository": {"type": "str", "required": True},
                "name": {"type": "str", "required": True},
                "state": {"type": "str", "required": True, "choices": ["absent", "promoted"]},
                "target_repository": {"type": "str"},
                "target_tag": {"type": "str"},
            },
            "required_if": [("state", "promoted", ["target_repository"])],
        },
    }, work)


if __name__ == "__main__":
    main()
