# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UCP's roles: the built-in ones and those that administrators make."""

from __future__ import annotations

import uuid

from .answers import Answer
from .errors import Refused
from .server import operation

ROLE = "role"
# Names and ids: UCP docs, access control ("none": field observation). Which operations they hold is not documented: these are a sample.
_VIEW = {"Container": {"Container View": []}, "Image": {"Image View": []}, "Node": {"Node View": []}, "Service": {"Service View": []}}
_WORK = {**_VIEW, "Container": {"Container Create": [], "Container View": []}, "Image": {"Image Load": [], "Image View": []}}
BUILT_IN = {
    "none": ("None", {}),
    "viewonly": ("View Only", _VIEW),
    "restrictedcontrol": ("Restricted Control", _WORK),
    "scheduler": ("Scheduler", {"Node": {"Node Schedule": []}}),
    "fullcontrol": ("Full Control", {**_WORK, "Collection": {"Collection Create": []}, "Node": {"Node Schedule": [], "Node View": []}}),
}


class Roles:
    """Roles by id. A role is made and deleted, never edited (UCP docs, access control)."""

    def __init__(self, ucp):
        self.ucp, self.standin, self.store = ucp, ucp.standin, ucp.standin.store

    def seed(self) -> None:
        for identity, (name, operations) in BUILT_IN.items():
            if not self.store.get(ROLE, identity):
                self.store.put(ROLE, identity, {"id": identity, "name": name, "operations": operations, "system_role": True})

    def find(self, identity: str) -> dict:
        role = self.store.get(ROLE, identity)
        if not role:
            raise Refused(404, "NO_SUCH_ROLE", f"role {identity} does not exist")
        return role

    def create(self, name: str, operations: dict) -> dict:
        """The id that a client sends counts for nothing; names are unique."""
        if not name:
            raise Refused(400, "INVALID_FORM_FIELD", "a role needs a name")
        if not _well_formed(operations):
            raise Refused(400, "INVALID_FORM_FIELD", "operations must be category -> operation -> array")
        if any(role["name"] == name for role in self.store.all(ROLE)):
            raise Refused(409, "ROLE_EXISTS", f"role {name} exists")
        identity = str(uuid.uuid4())
        return self.store.put(ROLE, identity, {"id": identity, "name": name, "operations": operations, "system_role": False})

    def delete(self, identity: str) -> None:
        role = self.find(identity)
        if role["system_role"]:
            raise Refused(400, "SYSTEM_ROLE", f"role {role['name']} belongs to the system")
        if any(grant["roleID"] == identity for grant in self.ucp.grants.all()):
            raise Refused(409, "ROLE_IN_USE", f"role {role['name']} is used in a grant")
        self.store.delete(ROLE, identity)


def _well_formed(operations) -> bool:
    """Category -> operation -> array (field observation; the official interface says only: an object)."""
    return isinstance(operations, dict) and all(
        isinstance(category, dict) and all(isinstance(values, list) for values in category.values()) for category in operations.values()
    )


@operation("GET", "/roles", product="ucp")
def list_roles(standin, call):
    return standin.store.all(ROLE)


@operation("POST", "/roles", auth="admin", product="ucp")
def create_role(standin, call):
    role = standin.ucp.roles.create(call.body["name"], call.body["operations"])
    return Answer(201, [{"id": role["id"]}])


@operation("GET", "/roles/{role}", product="ucp")
def get_role(standin, call):
    return standin.ucp.roles.find(call.path["role"])


@operation("DELETE", "/roles/{role}", auth="admin", product="ucp")
def delete_role(standin, call):
    standin.ucp.roles.delete(call.path["role"])


@operation("GET", "/totalRole", product="ucp")
def total_role(standin, call):
    """The roles that the caller has anywhere."""
    return [standin.ucp.roles.find(identity) for identity in standin.ucp.grants.roles_of(call.caller)]
