#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_repository_info
short_description: What repositories of a Docker Trusted Registry there are, and what is in them
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Returns repositories with their settings, and on request their tags, policies, grants, webhooks and events.
  - Nothing is changed.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
attributes:
  check_mode:
    details: Reads the same as without it.
  diff_mode:
    support: none
    details: Nothing is changed.
options:
  repositories:
    description:
      - Namespace and name of each repository to return, such as V(ops/base). One that does not exist is in RV(missing).
      - Without it all that the account can see are returned, with one request for a thousand.
    type: list
    elements: str
  gather:
    description:
      - What to return of each repository beside its settings. V(tags), V(webhooks), V(access) and V(events) take one request for each
        repository, V(policies) three.
    type: list
    elements: str
    choices: [tags, policies, access, webhooks, events]
    default: []
  limit:
    description: How many tags and how many events of each repository are returned at the most; V(0) for all. What is longer is named in
      RV(repositories[].cut).
    type: int
    default: 100
notes:
  - Everyone sees the repositories that they may pull. V(access) and V(webhooks) need admin rights on the repository. A part that the
    account may not see is null, and RV(repositories[].not_readable) says why.
  - Source is the DTR 2.7 API. Names of teams come from the UCP 3.2 API (accounts), which the registry answers under C(/enzi/v0/accounts) (a
    field observation).
"""

EXAMPLES = r"""
- name: Which tags are in two repositories
  dockyard.trusted_registry.dtr_repository_info:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    repositories: [ops/base, web/shop]
    gather: [tags]
    limit: 0
  register: found

- name: All public repositories
  dockyard.trusted_registry.dtr_repository_info:
  register: all

- name: Show their names
  ansible.builtin.debug:
    msg: "{{ all.repositories | selectattr('visibility', 'equalto', 'public') | map(attribute='name') }}"
"""

RETURN = r"""
missing:
  description: Names in O(repositories) that do not exist, or that the account may not see.
  returned: success
  type: list
  elements: str
  sample: [ops/never]
repositories:
  description: The repositories, ordered by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Namespace and name.
      type: str
    namespace:
      description: The user or organization that owns it.
      type: str
    namespace_type:
      description: C(user) or C(organization).
      type: str
    id:
      description: ID.
      type: str
    visibility:
      description: C(public) or C(private).
      type: str
    immutable_tags:
      description: Whether a tag, once pushed, cannot be overwritten.
      type: bool
    scan_on_push:
      description: Whether each push is scanned.
      type: bool
    tag_limit:
      description: How many tags it keeps; C(0) is no limit.
      type: int
    enable_manifest_lists:
      description: Whether manifest lists can be pushed.
      type: bool
    short_description:
      description: One line.
      type: str
    long_description:
      description: Text in Markdown. Absent where the registry leaves it out, as it may where O(repositories) is not given.
      type: str
    pulls:
      description: How often it was pulled.
      type: int
    pushes:
      description: How often it was pushed to.
      type: int
    cut:
      description: Which of C(tags) and C(events) were longer than O(limit).
      type: list
      elements: str
    not_readable:
      description: The parts that are null because they could not be read, as C(part) and C(reason).
      type: list
      elements: dict
    tags:
      description: The tags.
      returned: when in O(gather)
      type: list
      elements: dict
      contains:
        name:
          description: The tag.
          type: str
        digest:
          description: Digest of its manifest.
          type: str
        author:
          description: Who pushed it.
          type: str
        created_at:
          description: When the tag was pushed first.
          type: str
        updated_at:
          description: When the tag was pushed last.
          type: str
        os:
          description: Operating system of the image; null where the registry does not tell, as for a manifest list.
          type: str
        architecture:
          description: Architecture of the image; null where the registry does not tell.
          type: str
        size:
          description: Size of the image in bytes; null where the registry does not tell.
          type: int
    policies:
      description:
        - Its policies, as the registry has them, as C(pruning), C(promotion) (with the repository as source) and C(mirroring) (push and
          poll).
        - Their fields have names like the options of M(dockyard.trusted_registry.dtr_pruning_policy),
          M(dockyard.trusted_registry.dtr_promotion_policy) and M(dockyard.trusted_registry.dtr_mirror_policy).
      returned: when in O(gather)
      type: dict
    access:
      description: Which teams may use it. A repository of a user has no grants.
      returned: when in O(gather)
      type: list
      elements: dict
      contains:
        team:
          description: Organization and team; null for a team that was made a moment ago.
          type: str
        team_id:
          description: ID of the team.
          type: str
        level:
          description: C(read-only), C(read-write) or C(admin).
          type: str
        scope:
          description: Whether the grant is on this C(repository) or on the whole C(namespace).
          type: str
    webhooks:
      description: Its webhooks, as the registry has them. The endpoint comes without user, password and query, which may be secret.
      returned: when in O(gather)
      type: list
      elements: dict
    events:
      description: What happened to it, as the registry has it.
      returned: when in O(gather)
      type: list
      elements: dict
  sample:
    - name: ops/base
      namespace: ops
      namespace_type: organization
      id: 2c1f0a1e-7d1c-4d6e-9f0b-2a6f3f0c9a11
      visibility: private
      immutable_tags: true
      scan_on_push: false
      tag_limit: 0
      enable_manifest_lists: false
      short_description: The base of all our images
      long_description: ""
      pulls: 120
      pushes: 3
      cut: []
      not_readable: []
      tags:
        - {name: "1.0", digest: "sha256:9f86d081884c7d65", author: ci, created_at: "2020-01-02T03:04:05Z",
           updated_at: "2020-01-02T03:04:05Z", os: linux, architecture: amd64, size: 27145915}
      access:
        - {team: ops/release, team_id: 5f0c9a11-7d1c-4d6e-9f0b-2a6f3f0c9a11, level: read-write, scope: repository}
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_people import split
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_repository_facts import PARTS, facts, name_of


def records_of(client, names):
    """({name: responses.Repository}, names that do not exist); names: None for all repositories."""
    if names is None:
        return {name_of(record): record for record in client.pages("repositories", key="repositories")}, []
    names = sorted({"/".join(split(name, "namespace/name")) for name in names})
    found = dict(zip(names, client.http.each(lambda name: client.find("repositories", name), names)))
    return {name: record for name, record in found.items() if record}, [name for name, record in found.items() if not record]


def read(client, params, check_mode):
    """The module's result."""
    if params["limit"] < 0:
        raise InputError(f"limit {params['limit']} is less than 0. Give 0 for no limit, or how many to return.")
    records, missing = records_of(client, params["repositories"])
    ordered = [records[name] for name in sorted(records)]
    return {"changed": False, "missing": missing, "repositories": facts(client, ordered, params["gather"], params["limit"])}


def main():
    """Entry point."""
    run(_dtr, {
        "repositories": {"type": "list", "elements": "str"},
        "gather": {"type": "list", "elements": "str", "choices": list(PARTS), "default": []},
        "limit": {"type": "int", "default": 100},
    }, read)


if __name__ == "__main__":
    main()
