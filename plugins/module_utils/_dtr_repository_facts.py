# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What there is to tell of repositories: themselves, and part by part what belongs to each."""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_facts import attempt
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_facts import snake, without_secrets
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_people import teams_of
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_policies import shown_endpoint

PARTS = ("tags", "policies", "access", "webhooks", "events")
POLICIES = ("pruning", "promotion", "mirroring")


def name_of(record):
    """ "namespace/name" of a responses.Repository."""
    return "{namespace}/{name}".format(**record)


def facts(client, records, parts, limit):
    """[{...}], one for each responses.Repository, with the parts.

    limit: how many tags and how many events of each, 0 for all; a longer list is cut, which stands in the fact cut.
    """
    reader = Reader(client, limit, records if "access" in parts else [])
    tasks = [(record, part) for record in records for part in parts]
    answers = iter(client.http.each(lambda task: attempt(getattr(reader, task[1]), task[0]), tasks))
    return [assembled(record, {part: next(answers) for part in parts}, limit) for record in records]


def assembled(record, answers, limit):
    """The facts of one repository; answers: {part: (value, reason)}."""
    found = {**snake(record), "name": name_of(record), "cut": [], "not_readable": []}
    for part, (value, reason) in answers.items():
        found[part] = value
        if reason:
            found["not_readable"].append({"part": part, "reason": reason})
        elif limit and part in ("tags", "events") and len(value) > limit:
            found[part] = value[:limit]
            found["cut"].append(part)
    return found


class Reader:
    """Reads one part of one repository; a method for each of PARTS, which may raise ApiError.

    records: the repositories whose access will be asked for; what their organizations have in common is read once.
    """

    def __init__(self, client, limit, records):
        self.client = client
        self.enough = limit + 1 if limit else None   # one more tells that there are more
        organizations = sorted({record["namespace"] for record in records if record["namespaceType"] == "organization"})
        self.shared = dict(zip(organizations, client.http.each(self.of_organization, organizations)))

    def of_organization(self, name):
        """attempt() of (names by team id, grants on the namespace)."""

        def read():
            names = {team["id"]: f"{name}/{team['name']}" for team in teams_of(self.client, [name])[name].values()}
            return names, self.grants("repositoryNamespaces", name)

        return attempt(read)

    def grants(self, *address):
        """[responses.TeamAccess] of a repository or a namespace."""
        return self.client.pages(*address, "teamAccess", key="teamAccessList", identity=lambda record: record["team"]["id"])

    def tags(self, record):
        """Tags with what is known of their images."""
        tags = self.client.pages("repositories", name_of(record), "tags", identity=lambda tag: tag["name"], limit=self.enough,
                                 includeManifests="true")
        return [{
            "name": tag["name"], "digest": tag["digest"], "author": tag["author"], "created_at": tag["createdAt"],
            "updated_at": tag["updatedAt"], **{name: (tag["manifest"] or {}).get(name) for name in ("os", "architecture", "size")},
        } for tag in tags]

    def policies(self, record):
        """{pruning, promotion, mirroring}, those of promotion with the repository as source."""
        paging = {"pruning": self.client.pages, "promotion": self.client.get, "mirroring": self.client.pages}
        return {kind: [without_secrets(snake(policy)) for policy in paging[kind]("repositories", name_of(record), f"{kind}Policies") or []]
                for kind in POLICIES}

    def access(self, record):
        """Grants on the repository and on its namespace; a user's repository has none."""
        if record["namespaceType"] != "organization":
            return []
        shared, reason = self.shared[record["namespace"]]
        if reason:
            raise ValueError(reason)
        names, everywhere = shared
        grants = {"repository": self.grants("repositories", name_of(record)), "namespace": everywhere}
        return [
            {"team": names.get(grant["team"]["id"]), "team_id": grant["team"]["id"], "level": grant["accessLevel"], "scope": scope}
            for scope in grants for grant in grants[scope]]

    def webhooks(self, record):
        """Webhooks of the repository."""
        hooks = self.client.get("repositories", name_of(record), "webhooks") or []
        return [{**snake(hook), "endpoint": shown_endpoint(hook["endpoint"])} for hook in hooks]

    def events(self, record):
        """What happened to it."""
        events = self.client.pages("repositories", name_of(record), "events", key="events", limit=self.enough)
        return [snake(event) for event in events]
