# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pruning and promotion policies, and promotion by hand, over HTTP (DTR 2.7 API)."""

from __future__ import annotations

from . import templates
from .errors import Refused, not_authorized
from .paging import page
from .server import Answer, operation
from .times import NEVER, stamp

BASE = "/api/v0/repositories/{namespace}/{reponame}"
PRUNING, PROMOTION = f"{BASE}/pruningPolicies", f"{BASE}/promotionPolicies"


def repository_of(standin, call, level: str) -> str:
    """`namespace/name` of the path, once the caller has the level on it."""
    namespace, name = call.path["namespace"], call.path["reponame"]
    standin.repositories.demand(call.caller, namespace, name, level)
    return f"{namespace}/{name}"


# -- pruning


def pruning_view(policy: dict) -> dict:
    return {name: policy[name] for name in ("id", "rules", "repository", "enabled", "lastPrunedAt")}


def _pruning_fields(standin, given: list[dict]) -> None:
    if not given:
        raise standin.policies.pruning.invalid("A pruning policy needs a rule; without one it would remove every tag")
    standin.policies.pruning.check_rules(given)


def _prune_now(standin, call, repository: str, policy: dict) -> dict:
    """Without the initial evaluation the tags of before are spared for good ("prune future tags")."""
    if not call.query["initialEvaluation"]:
        policy = standin.policies.pruning.put(repository, {**policy, "since": stamp(standin.clock())})
    elif policy["enabled"]:
        standin.policies.prune(policy)
    return pruning_view(standin.policies.pruning.get(repository, policy["id"]))


@operation("GET", PRUNING)
def list_pruning_policies(standin, call):
    policies = standin.policies.pruning.of(repository_of(standin, call, "read-only"))
    return page(call, [pruning_view(policy) for policy in policies], lambda policy: policy["id"])


@operation("POST", PRUNING)
def create_pruning_policy(standin, call):
    repository = repository_of(standin, call, "admin")
    _pruning_fields(standin, call.body["rules"])
    fields = {"repository": repository, "enabled": call.body["enabled"], "rules": call.body["rules"], "lastPrunedAt": ""}
    policy = standin.policies.pruning.create(repository, fields)
    return Answer(201, _prune_now(standin, call, repository, policy))


@operation("POST", f"{PRUNING}/test")
def test_pruning_policy(standin, call):
    repository = repository_of(standin, call, "admin")
    _pruning_fields(standin, call.body["rules"])
    found = standin.policies.candidates(repository, call.body)
    return page(call, [{"digest": tag["digest"], "name": tag["name"]} for tag in found], lambda tag: tag["name"])


@operation("GET", f"{PRUNING}/{{pruningpolicyid}}")
def get_pruning_policy(standin, call):
    return pruning_view(standin.policies.pruning.get(repository_of(standin, call, "read-only"), call.path["pruningpolicyid"]))


@operation("PUT", f"{PRUNING}/{{pruningpolicyid}}")
def update_pruning_policy(standin, call):
    repository = repository_of(standin, call, "admin")
    policy = {**standin.policies.pruning.get(repository, call.path["pruningpolicyid"]), **call.body}
    _pruning_fields(standin, policy["rules"])
    policy.pop("since", None)
    return _prune_now(standin, call, repository, standin.policies.pruning.put(repository, policy))


@operation("DELETE", f"{PRUNING}/{{pruningpolicyid}}")
def delete_pruning_policy(standin, call):
    repository = repository_of(standin, call, "admin")
    standin.policies.pruning.get(repository, call.path["pruningpolicyid"])
    standin.policies.pruning.delete(repository, call.path["pruningpolicyid"])


# -- promotion


def promotion_view(policy: dict) -> dict:
    names = ("id", "sourceRepository", "targetRepository", "rules", "tagTemplate", "enabled", "lastPromotedAt")
    return {name: policy[name] for name in names}


def _level(standin, call, repository: str) -> str | None:
    doc = standin.store.get("repository", repository)
    return standin.access.level(call.caller, doc) if doc else None


def _check_promotion(standin, call, policy: dict) -> None:
    promotion = standin.policies.promotion
    promotion.check_rules(policy["rules"])
    promotion.check_template(policy["tagTemplate"])
    if standin.store.get("repository", policy["targetRepository"]) is None:
        raise promotion.invalid(f"There is no target repository {policy['targetRepository']!r}")
    if _level(standin, call, policy["targetRepository"]) != "admin":
        raise not_authorized(f"This needs admin on {policy['targetRepository']} too.")


def _seen(standin, call, policy_id: str) -> tuple[str, dict]:
    """(source repository, policy) of a path that may name the source or the target."""
    repository = repository_of(standin, call, "read-only")
    for policy in standin.policies.promotion.everywhere():
        if policy["id"] == policy_id and repository in (policy["sourceRepository"], policy["targetRepository"]):
            return policy["sourceRepository"], policy
    raise Refused(404, "NO_SUCH_PROMOTION_POLICY", f"{repository} has no such policy: {policy_id}.")


@operation("GET", PROMOTION)
def list_promotion_policies(standin, call):
    repository = repository_of(standin, call, "read-only")
    if call.query["source"]:
        return [promotion_view(policy) for policy in standin.policies.promotion.of(repository)]
    return [promotion_view(policy) for policy in standin.policies.promotion.everywhere() if policy["targetRepository"] == repository]


@operation("POST", PROMOTION)
def create_promotion_policy(standin, call):
    repository = repository_of(standin, call, "admin")
    fields = {"sourceRepository": repository, "lastPromotedAt": NEVER, **call.body}
    _check_promotion(standin, call, fields)
    policy = standin.policies.promotion.create(repository, fields)
    if call.query["initialEvaluation"]:
        standin.policies.apply(policy)
    return Answer(201, promotion_view(standin.policies.promotion.get(repository, policy["id"])))


@operation("GET", f"{PROMOTION}/{{promotionpolicyid}}")
def get_promotion_policy(standin, call):
    return promotion_view(_seen(standin, call, call.path["promotionpolicyid"])[1])


@operation("PUT", f"{PROMOTION}/{{promotionpolicyid}}")
def update_promotion_policy(standin, call):
    repository = repository_of(standin, call, "admin")
    policy = {**standin.policies.promotion.get(repository, call.path["promotionpolicyid"]), **call.body}
    _check_promotion(standin, call, policy)
    standin.policies.promotion.put(repository, policy)
    if call.query["initialEvaluation"]:
        standin.policies.apply(policy)
    return promotion_view(standin.policies.promotion.get(repository, policy["id"]))


@operation("DELETE", f"{PROMOTION}/{{promotionpolicyid}}")
def delete_promotion_policy(standin, call):
    source, policy = _seen(standin, call, call.path["promotionpolicyid"])
    if "admin" not in (_level(standin, call, source), _level(standin, call, policy["targetRepository"])):
        raise not_authorized("This needs admin on the source or the target.")
    standin.policies.promotion.delete(source, policy["id"])


@operation("POST", f"{BASE}/tags/{{tag}}/promotion")
def promote_tag(standin, call):
    """Read on the source and write on the target."""
    repository = repository_of(standin, call, "read-only")
    target, target_tag = call.body["targetRepository"], call.body["targetTag"]
    tag = standin.store.get("tag", f"{repository}/{call.path['tag']}")
    if tag is None:
        raise Refused(404, "NO_SUCH_TAG", f"{repository} has no tag {call.path['tag']}.")
    if not templates.TAG.fullmatch(target_tag):
        raise Refused(400, "INVALID_TAG_NAME", f"{target_tag!r} is not a tag's name.")
    namespace, _slash, name = target.partition("/")
    standin.repositories.demand(call.caller, namespace, name, "read-write")
    standin.policies.promote(repository, tag, (target, target_tag), call.caller.name)
    return Answer(201, {"promotionPolicyID": "", "sourceRepository": repository, "sourceTag": tag["name"], "string": ""})
