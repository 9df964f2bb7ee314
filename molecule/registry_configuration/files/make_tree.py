# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes variables of the size of a real registry: `make_tree.py FILE`. With group_vars/, 20 organizations, 60 teams, 200 repositories."""

from __future__ import annotations

import json
import pathlib
import sys

ORGANIZATIONS, REPOSITORIES, USERS = 19, 194, 30
TEAMS = ("developers", "readers", "operators")
LEVELS = ("read-write", "read-only", "admin")


def user(number: int) -> str:
    return f"user{number % USERS:02}"


def organization(number: int) -> dict:
    teams = [{"name": team, "description": f"{team.title()} of unit {number}", "members": [user(number + place), user(number + place + 7)]}
             for place, team in enumerate(TEAMS)]
    return {"name": f"unit{number:02}", "full_name": f"Unit {number}", "owners": [user(number)], "teams": teams}


def repository(number: int) -> dict:
    """Every one with two grants; every fourth prunes, every fifth is immutable, every tenth promotes and has a webhook."""
    unit, name = f"unit{number % ORGANIZATIONS:02}", f"app{number:03}"
    made = {
        "name": f"{unit}/{name}",
        "short_description": f"Application {number}",
        "visibility": "public" if number % 9 == 0 else "private",
        "access": [{"team": TEAMS[place % 3], "level": LEVELS[place % 3]} for place in (number, number + 1)],
    }
    if number % 5 == 0:
        made["immutable_tags"] = True
    elif number % 3 == 0:
        made["tag_limit"] = 20
    if number % 4 == 0:
        made["pruning_policies"] = [{"rules": [{"field": "updated_at_duration", "operator": "bf", "values": [f"{24 * 90 + number}h"]}]}]
    if number % 10 == 0:
        made["promotion_policies"] = [{
            "target_repository": f"{unit}/app{number + ORGANIZATIONS:03}" if number + ORGANIZATIONS < REPOSITORIES else "shop/production",
            "rules": [{"field": "tag", "operator": "ew", "values": ["-release"]}]}]
        made["webhooks"] = [{"type": "TAG_PUSH", "endpoint": f"https://hooks.lab.test/{name}"}]
    return made


def main() -> None:
    tree = {
        "tree_users": [{"name": user(number), "password": f"sesame-of-user-{number}"} for number in range(USERS)],
        "tree_organizations": [organization(number) for number in range(ORGANIZATIONS)],
        "tree_repositories": [repository(number) for number in range(REPOSITORIES)],
    }
    pathlib.Path(sys.argv[1]).write_text(json.dumps(tree, indent=1))   # JSON is YAML


if __name__ == "__main__":
    main()
