# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Names for the ids that Universal Control Plane keeps in grants, and back."""

from __future__ import annotations

SERVICE_ACCOUNT = "system:serviceaccount:"   # begins the id of a service account, which is its name as well (UCP 3.2 API)


def subject_id(client, name):
    """The id of "user", "organization", "organization/team" or "system:serviceaccount:namespace:name"; None when there is none."""
    if name.startswith(SERVICE_ACCOUNT):
        return name
    organization, slash, team = name.partition("/")
    found = client.find("accounts", organization, "teams", team) if slash else client.find("accounts", name)
    return found and found["id"]


def subject_names(client, subjects):
    """{id: name} of ids; what has no name any more keeps its id."""
    names = {identity: identity for identity in subjects}
    wanted = {identity for identity in names if not identity.startswith(SERVICE_ACCOUNT)}
    if not wanted:
        return names
    accounts = client.pages("accounts", "", key="accounts")
    names.update((account["id"], account["name"]) for account in accounts if account["id"] in wanted)
    if wanted - {account["id"] for account in accounts}:
        for organization, teams in teams_of(client, accounts):
            names.update((team["id"], f"{organization}/{team['name']}") for team in teams if team["id"] in wanted)
    return names


def teams_of(client, accounts):
    """[(organization, [team])] of all organizations among the accounts."""
    organizations = [account["name"] for account in accounts if account["isOrg"]]
    return list(zip(organizations, client.http.each(lambda name: client.pages("accounts", name, "teams", key="teams"), organizations)))


def role_ids(client):
    """{name: id} of all roles."""
    return {role["name"]: role["id"] for role in client.get("roles")}


def collection_id(client, path):
    """The id of the collection at a path such as "/Shared/web"; None when there is none."""
    found = client.find("collectionByPath", path=path)
    return found and found["id"]
