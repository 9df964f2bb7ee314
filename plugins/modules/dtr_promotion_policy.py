#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_promotion_policy
short_description: Which tags a Docker Trusted Registry promotes to another repository
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Makes, changes and deletes promotion policies. When a tag is pushed that meets all rules of a policy, the registry gives the target
    repository a tag of the same image. Rules on scan results wait for the scan.
  - A single tag is promoted by hand with M(dockyard.trusted_registry.dtr_tag).
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._items
options:
  policies:
    description:
      - The policies. A policy has no name; it is known by its source, its target and its rules. Other rules are another policy.
    type: list
    elements: dict
    required: true
    suboptions:
      repository:
        description: Namespace and name of the source, such as V(ops/base).
        type: str
        required: true
      target_repository:
        description: Namespace and name of the target, which has to exist.
        type: str
        required: true
      rules:
        description:
          - What a tag has to meet, all of it. Without rules every pushed tag is promoted.
          - Order and spelling do not matter, V(12h) being the same as V(720m).
        type: list
        elements: dict
        default: []
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
          - The name of the tag in the target. V(%n) is the source's tag, V(%Y), V(%m), V(%d), V(%H), V(%M), V(%S) and others are parts of
            the time of the promotion, as in V(%n-%Y%m%d). New policies keep the name (V(%n)).
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
      - Whether a policy that is made or changed is applied to the tags that are there as well. V(true) promotes those that meet its rules,
        V(false) looks at later pushes only.
    type: bool
    default: false
  repositories:
    description:
      - The sources where O(exclusive) removes and RV(undeclared) reports, beside those of the declared policies. V(*) is every repository
        that the account can see.
    type: list
    elements: str
notes:
  - Needs admin rights on source and target. Source of the rules is the DTR 2.7 API and the DTR documentation on promotion policies.
  - The registry takes the same policy twice. Such a repetition counts as undeclared; V(absent) removes all of them.
"""

EXAMPLES = r"""
- name: What is clean goes to production
  dockyard.trusted_registry.dtr_promotion_policy:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    policies:
      - repository: web/shop
        target_repository: production/shop
        rules:
          - {field: tag, operator: ew, values: [-stable]}
          - {field: vulnerability_critical, operator: eq, values: ["0"]}
        tag_template: "%n-%Y%m%d"

- name: Exactly the declared policies in the whole registry, others go
  dockyard.trusted_registry.dtr_promotion_policy:
    policies: "{{ my_promotion_policies }}"
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
      description: Source, target and rules.
      type: str
      sample: 'web/shop -> production/shop: tag ew -stable & vulnerability_critical eq 0'
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: updated
    fields:
      description: Options that differed.
      type: list
      elements: str
      sample: [tag_template]
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
  sample: ['web/shop -> web/archive: every tag']
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr, _dtr_rules
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_policies import check_repository, keyed, scope


class PromotionPolicies(Items):
    """Keys are "source -> target: rules"; records: {key: [responses.PromotionPolicy]}."""

    noun = "promotion policy"
    option = "policies"
    fields = {"target_repository": "targetRepository", "rules": "rules", "tag_template": "tagTemplate", "enabled": "enabled"}
    defaults = {"tag_template": "%n"}

    def key(self, item):
        where = f"{self.noun} from '{item['repository']}' to '{item['target_repository']}'"
        check_repository(item["repository"], where)
        check_repository(item["target_repository"], where)
        if item["tag_template"] is not None:
            _dtr_rules.check_template(item["tag_template"], where)
        return key({**item, "rules": _dtr_rules.checked(item["rules"], where)})

    def declared(self, item):
        return {**item, "rules": _dtr_rules.normal(item["rules"])}

    def current(self, declared):
        names = scope(self.client, [item["repository"] for item in declared.values()], self.params["repositories"])
        listings = self.http.each(lambda name: self.client.find(*address(name), source="true"), names)
        self.records = keyed([record for listing in listings for record in listing or []], lambda record: key(self.seen(record)), declared)
        return {name: self.seen(records[0]) for name, records in self.records.items()}

    def seen(self, record):
        return {**super().seen(record), "repository": record["sourceRepository"], "rules": _dtr_rules.normal(record["rules"] or [])}

    def create(self, change):
        self.client.post(*address(change.after["repository"]), body=self.body(change.after), initialEvaluation=self.evaluation())

    def update(self, change):
        policy = self.records[change.key][0]["id"]
        self.client.put(*address(change.after["repository"]), policy, body=self.body(change.after), initialEvaluation=self.evaluation())

    def delete(self, change):
        for record in self.records[change.key]:
            self.client.delete(*address(change.before["repository"]), record["id"])

    def evaluation(self):
        """The query parameter initialEvaluation."""
        return "true" if self.params["evaluate_existing"] else "false"


def key(policy):
    """What a policy is known by; its rules in their one form."""
    return f"{policy['repository']} -> {policy['target_repository']}: {_dtr_rules.told(policy['rules'])}"


def address(repository):
    """Parts of the address of the repository's policies."""
    return "repositories", repository, "promotionPolicies"


def main():
    """Entry point."""
    run_items(_dtr, PromotionPolicies, {
        "policies": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "repository": {"type": "str", "required": True},
                "target_repository": {"type": "str", "required": True},
                "rules": {**_dtr_rules.OPTION, "default": []},
                "tag_template": {"type": "str"},
                "enabled": {"type": "bool", "default": True},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
        },
        "evaluate_existing": {"type": "bool", "default": False},
        "repositories": {"type": "list", "elements": "str"},
    })


if __name__ == "__main__":
    main()
