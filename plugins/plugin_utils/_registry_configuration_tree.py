# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""From the tree of variables that an operator writes to the lists that the modules take. Pure functions, tested without a server."""

from __future__ import annotations

# In the order in which they are applied: each may need what stands before it.
KINDS = (
    "ucp_config", "ucp_roles", "settings", "accounts", "teams", "repositories", "access", "pruning_policies", "promotion_policies",
    "mirror_policies", "webhooks", "crons", "gc", "api_tokens", "ucp_grants",
)
# Where exclusive means something.
LISTS = tuple(kind for kind in KINDS if kind not in ("ucp_config", "settings", "gc"))
# {part of a repository: kind}
PARTS = {
    "access": "access", "pruning_policies": "pruning_policies", "promotion_policies": "promotion_policies",
    "mirror_policies": "mirror_policies", "webhooks": "webhooks",
}


def lists(tree):
    """{kind: what its module takes} of the tree {part: value}, the role's variables without their prefix.

    settings, ucp_config and gc are dictionaries, all others lists; empty where nothing is declared. Beside them stand kinds, those of which
    something is declared, and scope: {"repositories": names, "organizations": names, "teams": names}, those that shall exist, in which
    what is not declared counts as undeclared.
    """
    repositories = repositories_of(tree)
    found = {
        "ucp_config": tree["ucp_config"],
        "ucp_roles": tree["ucp_roles"],
        "settings": {name: tree[name] for name in ("settings", "storage") if tree[name]},
        "accounts": [*users(tree), *organizations(tree)],
        "teams": teams(tree),
        "repositories": [own_fields(item) for item in repositories],
        "access": access(tree, repositories),
        "pruning_policies": parts(repositories, "pruning_policies"),
        "promotion_policies": parts(repositories, "promotion_policies"),
        "mirror_policies": parts(repositories, "mirror_policies"),
        "webhooks": [*tree["webhooks"], *parts(repositories, "webhooks", "key")],
        "crons": tree["crons"],
        "gc": tree["gc"],
        "api_tokens": tree["api_tokens"],
        "ucp_grants": tree["ucp_grants"],
    }
    scope = {"repositories": repositories, "organizations": tree["organizations"], "teams": found["teams"]}
    return {
        **found,
        "kinds": [kind for kind in KINDS if found[kind]],
        "scope": {name: [item["name"] for item in present(items)] for name, items in scope.items()},
    }


def present(items):
    """Those of the declared items that shall exist."""
    return [item for item in items if item.get("state") != "absent"]


def users(tree):
    """Users as dtr_account takes them."""
    return [{**item, "type": "user"} for item in tree["users"]]


def organizations(tree):
    """Organizations as dtr_account takes them: without their teams."""
    return [{**{name: value for name, value in item.items() if name != "teams"}, "type": "organization"} for item in tree["organizations"]]


def teams(tree):
    """Teams of the organizations that shall exist; an organization that goes takes its teams with it."""
    return [
        {**team, "name": f"{organization['name']}/{team['name']}"}
        for organization in present(tree["organizations"])
        for team in organization.get("teams") or []
    ]


def repositories_of(tree):
    """Repositories with the defaults below what each of them says."""
    return [item if item.get("state") == "absent" else {**tree["repository_defaults"], **item} for item in tree["repositories"]]


def own_fields(repository):
    """A repository as dtr_repository takes it."""
    return {name: value for name, value in repository.items() if name not in PARTS}


def parts(repositories, part, key="repository"):
    """What stands under part of all repositories that shall exist, each with its repository's name under key."""
    return [{**item, key: repository["name"]} for repository in present(repositories) for item in repository.get(part) or []]


def access(tree, repositories):
    """Grants on namespaces, then on repositories, as dtr_access takes them."""
    namespaces = [{**item, "namespace": item["team"].split("/")[0]} for item in tree["namespace_access"]]
    return namespaces + [{**item, "team": team_name(item["repository"], item["team"])} for item in parts(repositories, "access")]


def team_name(repository, team):
    """ "organization/team"; a bare name is a team of the organization that owns the repository."""
    return team if "/" in team else f"{repository.split('/')[0]}/{team}"
