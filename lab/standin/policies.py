# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pruning and promotion (DTR docs: tag pruning, promotion policies)."""

from __future__ import annotations

from . import rules, templates
from .errors import Refused
from .jobs import Job
from .policy_store import PolicyStore
from .times import stamp


class Policies:
    """`pruning` and `promotion` hold the policies; this evaluates them."""

    def __init__(self, standin):
        self.standin = standin
        self.pruning, self.promotion = PolicyStore(standin, "pruning_policy"), PolicyStore(standin, "promotion_policy")
        standin.jobs.actions["tag_pruning"] = self._prune_all
        standin.hooks.on("TAG_PUSH", self._on_push)
        standin.hooks.on("SCAN_COMPLETED", self._on_scan)

    def facts(self, repository: str, tag: dict) -> dict:
        """What rules ask for, of one tag."""
        scanned = self.standin.scanning.facts(repository, tag["digest"])
        return {"tag": tag["name"], "updated_at": rules.timestamp(tag["updatedAt"]), **scanned}

    # -- pruning

    def candidates(self, repository: str, policy: dict) -> list[dict]:
        """The tags a pruning policy would remove; `since` spares what was there before, where the operator chose so.

        Signed tags stay: they cannot be deleted before their trust data (DTR docs: delete images).
        """
        now, since = self.standin.clock(), policy.get("since")
        found = []
        for tag in self.standin.store.all("tag", f"{repository}/"):
            if tag.get("signed") or (since and rules.timestamp(tag["updatedAt"]) < rules.timestamp(since)):
                continue
            if rules.matches(policy["rules"], self.facts(repository, tag), now):
                found.append(tag)
        return found

    def prune(self, policy: dict) -> list[str]:
        """Remove what one policy names; the names of the removed tags."""
        repository = policy["repository"]
        removed = [tag["name"] for tag in self.candidates(repository, policy)]
        for name in removed:
            self.standin.tags.delete(*repository.split("/"), name, "")
        self.pruning.note(repository, policy["id"], lastPrunedAt=stamp(self.standin.clock()))
        return removed

    async def _prune_all(self, job: Job) -> None:
        for policy in self.pruning.everywhere():
            if policy["enabled"]:
                removed = self.prune(policy)
                job.log(f"{policy['repository']}: policy {policy['id']} removed {', '.join(removed) or 'nothing'}")

    # -- promotion

    def _on_push(self, **facts) -> None:
        self._evaluate(facts, self.promotion.of(f"{facts['namespace']}/{facts['repository']}"))

    def _on_scan(self, **facts) -> None:
        policies = self.promotion.of(f"{facts['namespace']}/{facts['repository']}")
        self._evaluate(facts, [policy for policy in policies if rules.needs_scan(policy["rules"])])

    def _evaluate(self, facts: dict, policies: list[dict]) -> None:
        repository = f"{facts['namespace']}/{facts['repository']}"
        tag = self.standin.store.get("tag", f"{repository}/{facts['tag']}")
        for policy in policies:
            if tag and policy["enabled"]:
                self._consider(policy, tag)

    def apply(self, policy: dict) -> None:
        """Evaluate a promotion policy on the tags that are there already."""
        if policy["enabled"]:
            for tag in self.standin.store.all("tag", f"{policy['sourceRepository']}/"):
                self._consider(policy, tag)

    def _consider(self, policy: dict, tag: dict) -> None:
        """Promote a tag that meets the rules; what stands in the way becomes an event, not the pusher's problem."""
        source, now = policy["sourceRepository"], self.standin.clock()
        if not rules.matches(policy["rules"], self.facts(source, tag), now):
            return
        try:
            target_tag = templates.expand(policy["tagTemplate"], tag["name"], now)
            done = self.promote(source, tag, (policy["targetRepository"], target_tag), "", policy["id"])
        except (Refused, ValueError) as problem:
            self.standin.events.add("", "FAIL", "PROMOTION", policy["id"], tag["name"], source, str(problem))
            return
        if done:
            self.promotion.note(source, policy["id"], lastPromotedAt=stamp(now))

    def promote(self, source: str, tag: dict, target: tuple[str, str], actor: str, policy_id: str = "") -> bool:
        """Give the target (repository, tag) the image of `tag` by reference; False when it has it already."""
        repository, target_tag = target
        present = self.standin.store.get("tag", f"{repository}/{target_tag}")
        if present and present["digest"] == tag["digest"]:
            return False
        namespace, name = source.split("/")
        origin = {"promotionPolicyID": policy_id, "sourceRepository": source, "sourceTag": tag["name"], "string": ""}
        self.standin.tags.copy((namespace, name, tag["name"]), (*repository.split("/"), target_tag), actor, promotion=origin)
        self.standin.hooks.fire(
            "PROMOTION", namespace=namespace, repository=name, tag=tag["name"], digest=tag["digest"],
            targetRepository=repository, targetTag=target_tag, promotionPolicyID=policy_id, actor=actor,
        )
        return True
