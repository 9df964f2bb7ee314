#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_pruning_policy
short_description: Which tags a Docker Trusted Registry deletes by itself
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Makes, switches on and off and deletes the pruning policies of repositories. A tag that meets all rules of a policy is deleted.
  - Only tags go. The space comes back with the next garbage collection, see M(dockyard.trusted_registry.dtr_gc).
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._items
options:
  policies:
    description:
      - The policies. A policy has no name; it is known by its repository and its rules. Other rules are another policy.
    type: list
    elements: dict
    required: true
    suboptions:
      repository:
        description: Namespace and name, such as V(ops/base).
        type: str
        required: true
      rules:
        description:
          - What a tag has to meet, all of it. At least one rule, as a policy without any would delete every tag.
          - Order and spelling do not matter, V(12h) being the same as V(720m).
        type: list
        elements: dict
        required: true
        suboptions:
          field:
            description:
              - What is looked at. V(updated_at) is a point in time, V(updated_at_duration) the time since the tag was pushed.
              - The fields on vulnerabilities count those of the last scan. What holds for images without a scan is not documented.
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
      - Whether a policy that is made or changed is applied at once to the tags that are there. V(true) deletes those that meet its rules.
      - V(false) is what the web interface calls pruning future tags. The registry evaluates all policies every 15 minutes, and the
        documents do not say that the tags of before are spared then. Look at RV(would_prune) in check mode before.
    type: bool
    default: false
  repositories:
    description:
      - Where O(exclusive) removes and RV(undeclared) reports, beside the repositories of the declared policies. V(*) is every repository
        that the account can see.
    type: list
    elements: str
notes:
  - Needs admin rights on the repositories. Source of the rules is the DTR 2.7 API and the DTR documentation on tag pruning.
  - The registry takes the same policy twice. Such a repetition counts as undeclared; V(absent) removes all of them.
"""

EXAMPLES = r"""
- name: Builds of branches go after 30 days
  dockyard.trusted_registry.dtr_pruning_policy:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    policies:
      - repository: web/shop
        rules:
          - {field: tag, operator: sw, values: [branch-]}
          - {field: updated_at_duration, operator: bf, values: [720h]}
      - repository: ops/base
        rules:
          - {field: vulnerability_critical, operator: gte, values: ["10"]}
        enabled: false

- name: Exactly the declared policies in the whole registry, others go
  dockyard.trusted_registry.dtr_pruning_policy:
    policies: "{{ my_pruning_policies }}"
    repositories: ['*']
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
      description: Repository and rules.
      type: str
      sample: 'web/shop: tag sw branch- & updated_at_duration bf 720h'
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: created
    fields:
      description: Options that differed.
      type: list
      elements: str
      sample: [enabled, repository, rules]
counts:
  description: How many were made, changed, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 1, updated: 0, deleted: 0, unchanged: 11}
undeclared:
  description: Policies that exist in the repositories and were not declared.
  returned: success
  type: list
  elements: str
  sample: ['web/shop: tag ew -old']
would_prune:
  description:
    - The tags that each policy to be made or switched on would delete now, by key, as the registry itself finds out.
  returned: in check mode
  type: dict
  sample: {'web/shop: tag sw branch- & updated_at_duration bf 720h': [branch-one, branch-two]}
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr, _dtr_rules
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import ARGUMENTS, Items, apply_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_policies import check_repository, keyed, scope


class PruningPolicies(Items):
    """Keys are "namespace/name: rules"; records: {key: [responses.PruningPolicy]}."""

    noun = "pruning policy"
    option = "policies"
    fields = {"rules": "rules", "enabled": "enabled"}

    def key(self, item):
        where = f"{self.noun} of '{item['repository']}'"
        check_repository(item["repository"], where)
        if not item["rules"]:
            raise InputError(f"{where}: without rules it would delete every tag. Give at least one rule.")
        return key(item["repository"], _dtr_rules.checked(item["rules"], where))

    def declared(self, item):
        return {**item, "rules": _dtr_rules.normal(item["rules"])}

    def current(self, declared):
        names = scope(self.client, [item["repository"] for item in declared.values()], self.params["repositories"])
        listings = self.http.each(lambda name: self.client.pages("repositories", name, "pruningPolicies"), names)
        self.records = keyed(
            [record for listing in listings for record in listing],
            lambda record: key(record["repository"], _dtr_rules.normal(record["rules"] or [])), declared)
        self.wanted = declared
        return {name: self.seen(records[0]) for name, records in self.records.items()}

    def seen(self, record):
        return {"repository": record["repository"], "rules": _dtr_rules.normal(record["rules"] or []), "enabled": record["enabled"]}

    def create(self, change):
        self.client.post(*address(change.after), body=self.body(change.after), initialEvaluation=self.evaluation())

    def update(self, change):
        policy = self.records[change.key][0]["id"]
        self.client.put(*address(change.after), policy, body=self.body(change.after), initialEvaluation=self.evaluation())

    def delete(self, change):
        for record in self.records[change.key]:
            self.client.delete(*address(change.before), record["id"])

    def evaluation(self):
        """The query parameter initialEvaluation."""
        return "true" if self.params["evaluate_existing"] else "false"

    def would_prune(self, changes):
        """{key: [tag]} of each policy that shall become active, as the registry itself finds out; changes: as reported."""
        active = [change["key"] for change in changes if change["action"] != "deleted" and self.wanted[change["key"]]["enabled"]]
        return dict(zip(active, self.http.each(lambda name: self.tested(self.wanted[name]), active)))

    def tested(self, item):
        """[tag] that meet the rules of a declared policy; none where the repository does not exist yet."""
        tags = self.client.pages(*address(item), "test", method="POST", body=self.body(item), identity=lambda tag: tag["name"])
        return sorted(tag["name"] for tag in tags)


def key(repository, rules):
    """What a policy is known by; rules in their one form."""
    return f"{repository}: {_dtr_rules.told(rules)}"


def address(values):
    """Parts of the address of the repository's policies."""
    return "repositories", values["repository"], "pruningPolicies"


def work(client, params, check_mode):
    """The module's result."""
    policies = PruningPolicies(client, params)
    result = apply_items(policies, check_mode)
    if check_mode:
        result["would_prune"] = policies.would_prune(result["changes"])
    return result


def main():
    """Entry point."""
    run(_dtr, {
        **ARGUMENTS,
        "policies": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "repository": {"type": "str", "required": True},
                "rules": {**_dtr_rules.OPTION, "required": True},
                "enabled": {"type": "bool", "default": True},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
        },
        "evaluate_existing": {"type": "bool", "default": False},
        "repositories": {"type": "list", "elements": "str"},
    }, work)


if __name__ == "__main__":
    main()
