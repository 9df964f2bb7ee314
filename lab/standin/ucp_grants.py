# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UCP's grants: who (user, organisation, team, service account) has which role on which collection."""

from __future__ import annotations

from .answers import Answer
from .errors import Refused
from .paging import ucp_page
from .server import operation

GRANT = "grant"
EVERYONE = "docker-datacenter"   # the organisation of all users
SERVICE_ACCOUNT = "system:serviceaccount:"
NO_ROLE = "none"


class Grants:
    """Grants by `subject/object/role`, in the shape of `responses.Grant`."""

    def __init__(self, ucp):
        self.ucp, self.standin, self.store = ucp, ucp.standin, ucp.standin.store

    def all(self) -> list[dict]:
        return self.store.all(GRANT)

    def put(self, subject: str, collection: str, role: str) -> dict:
        if not self.subject(subject):
            raise Refused(404, "NO_SUCH_SUBJECT", f"subject {subject} does not exist")
        self.ucp.collections.find(collection)
        self.ucp.roles.find(role)
        return self.store.put(GRANT, f"{subject}/{collection}/{role}", {"subjectID": subject, "objectID": collection, "roleID": role})

    def delete(self, subject: str, collection: str, role: str) -> None:
        if not self.store.delete(GRANT, f"{subject}/{collection}/{role}"):
            raise Refused(404, "NO_SUCH_GRANT", "the grant does not exist")

    def forget(self, **where) -> None:
        """Deletes the grants with these values, like `objectID="..."`."""
        for key, grant in self.store.items(GRANT):
            if all(grant[name] == value for name, value in where.items()):
                self.store.delete(GRANT, key)

    def subject(self, identity: str) -> dict | None:
        """`responses.GrantSubject` without the account or team itself."""
        if identity.startswith(SERVICE_ACCOUNT):
            return {"id": identity, "subject_type": "serviceaccount"} if identity.count(":") == 3 else None
        for account in self.store.all("account"):
            if account["id"] == identity:
                return {"id": identity, "subject_type": "org" if account["isOrg"] else "user"}
        known = any(team["id"] == identity for team in self.store.all("team"))
        return {"id": identity, "subject_type": "team"} if known else None

    def subjects_of(self, caller) -> set[str]:
        """Ids under which grants count for the caller: its own, its teams', its organisations', and that of all users."""
        everyone = self.store.get("account", EVERYONE)
        found = {caller.id} | ({everyone["id"]} if everyone else set())
        for of, members in (("account", "org_member"), ("team", "team_member")):
            places = [key.removesuffix(f"/{caller.name}") for key, _doc in self.store.items(members) if key.endswith(f"/{caller.name}")]
            found |= {self.store.get(of, place)["id"] for place in places}
        return found

    def roles_of(self, caller, collection: dict | None = None) -> list[str]:
        """Ids of the caller's roles, anywhere or on a collection; a grant holds for everything below its collection."""
        if caller.is_admin:
            return ["fullcontrol"]
        subjects = self.subjects_of(caller)
        places = {collection["id"], *collection["parent_ids"]} if collection else None
        held = [grant for grant in self.all() if grant["subjectID"] in subjects and (places is None or grant["objectID"] in places)]
        return sorted({grant["roleID"] for grant in held} - {NO_ROLE})

    def covers(self, caller, collection: dict) -> bool:
        return caller.is_admin or bool(self.roles_of(caller, collection))


@operation("GET", "/collectionGrants", product="ucp")
def list_grants(standin, call):
    grants = standin.ucp.grants
    asked = {name: call.query[name] for name in ("subjectID", "objectID", "roleID") if call.query[name]}
    found = [grant for grant in grants.all() if all(grant[name] == value for name, value in asked.items())]
    if not call.caller.is_admin:
        own = grants.subjects_of(call.caller)
        found = [grant for grant in found if grant["subjectID"] in own]
    if call.query["subjectType"] != "all":
        found = [grant for grant in found if (grants.subject(grant["subjectID"]) or {}).get("subject_type") == call.query["subjectType"]]
    answer = ucp_page(call, found, lambda grant: "/".join(grant.values()), "grants", resourceCount=len(grants.all()))
    shown = dict.fromkeys(grant["subjectID"] for grant in answer["grants"])
    answer["subjects"] = [_expanded(standin, call, subject) for subject in map(grants.subject, shown) if subject]
    return answer


def _expanded(standin, call, subject: dict) -> dict:
    """With the account itself where it is a user's and was asked for."""
    if not call.query["expandUser"] or subject["subject_type"] != "user":
        return subject
    return {**subject, "account": standin.accounts.shown(standin.accounts.demand(subject["id"]))}


@operation("PUT", "/collectionGrants/{subjectID}/{objectID}/{roleID}", auth="admin", product="ucp")
def create_grant(standin, call):
    standin.ucp.grants.put(call.path["subjectID"], call.path["objectID"], call.path["roleID"])
    return Answer(201)


@operation("DELETE", "/collectionGrants/{subjectID}/{objectID}/{roleID}", auth="admin", product="ucp")
def delete_grant(standin, call):
    standin.ucp.grants.delete(call.path["subjectID"], call.path["objectID"], call.path["roleID"])
