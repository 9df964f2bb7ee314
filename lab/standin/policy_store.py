# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies of one kind, kept by repository; what all four kinds share."""

from __future__ import annotations

import uuid

from . import rules, templates
from .errors import Refused

# Kind in the store -> (word in its error codes, status of a policy that is refused): promotion alone answers 400 (DTR 2.7 API).
KINDS = {
    "promotion_policy": ("PROMOTION_POLICY", 400),
    "pruning_policy": ("PRUNING_POLICY", 404),
    "push_policy": ("PUSH_MIRRORING_POLICY", 404),
    "poll_policy": ("POLL_MIRRORING_POLICY", 404),
}


class PolicyStore:
    """Keys are `namespace/name/id`, so that a repository's policies lie together and go together."""

    def __init__(self, standin, kind: str):
        self.store, self.kind = standin.store, kind
        self.word, self.invalid_status = KINDS[kind]
        standin.hooks.on("REPO_DELETED", self._forget)

    def _forget(self, **facts) -> None:
        for key, _doc in self.store.items(self.kind, f"{facts['namespace']}/{facts['repository']}/"):
            self.store.delete(self.kind, key)

    def of(self, repository: str) -> list[dict]:
        """`repository` is `namespace/name`; ordered by id."""
        return self.store.all(self.kind, f"{repository}/")

    def everywhere(self) -> list[dict]:
        return self.store.all(self.kind)

    def get(self, repository: str, policy_id: str) -> dict:
        doc = self.store.get(self.kind, f"{repository}/{policy_id}")
        if doc is None:
            raise Refused(404, f"NO_SUCH_{self.word}", f"{repository} has no such policy: {policy_id}.")
        return doc

    def create(self, repository: str, fields: dict) -> dict:
        return self.put(repository, {"id": str(uuid.uuid4()), **fields})

    def put(self, repository: str, doc: dict) -> dict:
        return self.store.put(self.kind, f"{repository}/{doc['id']}", doc)

    def note(self, repository: str, policy_id: str, **changes) -> None:
        """Write what a run found, unless the policy is gone meanwhile; what an operator changed meanwhile stays."""
        doc = self.store.get(self.kind, f"{repository}/{policy_id}")
        if doc:
            self.put(repository, {**doc, **changes})

    def delete(self, repository: str, policy_id: str) -> None:
        self.store.delete(self.kind, f"{repository}/{policy_id}")

    def invalid(self, message: str) -> Refused:
        return Refused(self.invalid_status, f"INVALID_{self.word}", f"{message}.")

    def check_rules(self, given: list[dict]) -> None:
        try:
            rules.check(given)
        except rules.RuleError as problem:
            raise self.invalid(str(problem)) from problem

    def check_template(self, template: str) -> None:
        try:
            templates.check(template)
        except ValueError as problem:
            raise self.invalid(str(problem)) from problem
