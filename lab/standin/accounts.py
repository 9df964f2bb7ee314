# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, organizations and their members: UCP's accounts, which DTR shares (UCP 3.2 API)."""

from __future__ import annotations

import hashlib
import re
import uuid

from .answers import Caller
from .auth import hashed, matches
from .errors import Refused, not_authorized

DEFAULT_ORGANIZATION = "docker-datacenter"   # UCP docs: create users and teams
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$")
OWNED_BY_USERS = ("isAdmin", "isActive", "isImported")


def invalid(message: str) -> Refused:
    return Refused(400, "INVALID_JSON", message)


class Accounts:
    """Documents: account (by name), org_member ("org/user"), public_key (by id); teams are in teams.py."""

    def __init__(self, standin):
        self.standin, self.store = standin, standin.store
        self._names = {account["id"]: account["name"] for account in self.store.all("account")}
        if not self._names:
            self.create({"name": standin.options.admin, "password": standin.options.password, "isAdmin": True})
            self.create({"name": DEFAULT_ORGANIZATION, "isOrg": True})

    # Finding

    def find(self, name_or_id: str) -> dict | None:
        return self.store.get("account", name_or_id) or self.store.get("account", self._names.get(name_or_id, ""))

    def demand(self, name_or_id: str) -> dict:
        account = self.find(name_or_id)
        if not account:
            raise Refused(404, "NO_SUCH_ACCOUNT", f"There is no account {name_or_id}.")
        return account

    def organization(self, name_or_id: str) -> dict:
        account = self.demand(name_or_id)
        if not account["isOrg"]:
            raise Refused(404, "NO_SUCH_ACCOUNT", f"{account['name']} is no organization.")
        return account

    def user(self, name_or_id: str) -> dict:
        account = self.find(name_or_id)
        if not account or account["isOrg"]:
            raise Refused(404, "NO_SUCH_USER", f"There is no user {name_or_id}.")
        return account

    def caller(self, account: dict) -> Caller:
        """The account as if it were asking."""
        return Caller(account["name"], account["id"], account["isAdmin"])

    def shown(self, account: dict) -> dict:
        """As the API answers it: users without counts, organizations without what only users have."""
        public = {field: account[field] for field in ("name", "id", "fullName", "isOrg")}
        if account["isOrg"]:
            prefix = f"{account['name']}/"
            members, teams = self.store.items("org_member", prefix), self.store.items("team", prefix)
            return {**public, "membersCount": len(members), "teamsCount": len(teams)}
        return {**public, **{field: account[field] for field in OWNED_BY_USERS}}

    # Rights

    def demand_self_or_admin(self, caller: Caller, account: dict) -> None:
        """For users: an administrator or the user; for organizations: an administrator or an owner."""
        if not self.standin.access.rights(caller).owns(account["name"]):
            raise not_authorized(f"This is for administrators and {account['name']}.")

    def demand_member(self, caller: Caller, org: dict) -> None:
        if not caller.is_admin and not self.membership(org, caller.name):
            raise not_authorized(f"This is for administrators and members of {org['name']}.")

    # Accounts

    def create(self, form: dict) -> dict:
        name, is_org = form["name"], form.get("isOrg", False)
        if not NAME.match(name):
            raise invalid(f"{name!r} is no name of an account.")
        if self.store.get("account", name):
            raise Refused(409, "ACCOUNT_EXISTS", f"There is an account {name} already.")
        if not is_org and not form.get("password") and not form.get("searchLDAP"):
            raise invalid("A user needs a password.")
        account = {
            "name": name,
            "id": str(uuid.uuid4()),
            "fullName": form.get("fullName", ""),
            "isOrg": is_org,
            "isAdmin": form.get("isAdmin", False) and not is_org,
            "isActive": form.get("isActive", True),
            "isImported": bool(form.get("searchLDAP")),
            "password": hashed(form["password"]) if form.get("password") else "",
        }
        self._names[account["id"]] = name
        return self.store.put("account", name, account)

    def update(self, caller: Caller, account: dict, form: dict) -> dict:
        """What is left out stays (UCP 3.2 API). Rights and activity are given by administrators only."""
        if {"isAdmin", "isActive"} & set(form) and not caller.is_admin:
            raise not_authorized("isAdmin and isActive are set by administrators.")
        if account["isOrg"] and form.get("isAdmin"):
            raise invalid("An organization cannot be an administrator.")
        return self.store.put("account", account["name"], {**account, **form})

    def change_password(self, caller: Caller, account: dict, form: dict) -> dict:
        """`oldPassword` counts for the own account only (UCP 3.2 API)."""
        if not form["newPassword"]:
            raise invalid("newPassword is empty.")
        if caller.name == account["name"] and not matches(form.get("oldPassword", ""), account["password"]):
            raise Refused(403, "NOT_AUTHORIZED", "oldPassword is not the password of the account.")
        return self.store.put("account", account["name"], {**account, "password": hashed(form["newPassword"])})

    def delete(self, account: dict) -> None:
        """With memberships, teams, grants, tokens and keys; repositories stay until DTR is told to delete the namespace."""
        name = account["name"]
        if account["isOrg"]:
            for team in self.store.all("team", f"{name}/"):
                self.standin.teams.delete(account, team)
            for key, _member in self.store.items("org_member", f"{name}/"):
                self.store.delete("org_member", key)
        else:
            for org in self.organizations_of(name):
                self.remove_member(org, name)
        for kind in ("public_key", "session"):
            self._delete_of(kind, "account", name)
        self.store.delete("account", name)
        self.forget(account)

    def learn(self, account: dict) -> None:
        """Of an account that was made elsewhere."""
        self._names[account["id"]] = account["name"]

    def forget(self, account: dict) -> None:
        """What DTR does when an account is gone."""
        self._delete_of("token", "username", account["name"])
        self._names.pop(account["id"], None)
        self.standin.hooks.fire("ACCOUNT_DELETED", account=account)

    def _delete_of(self, kind: str, field: str, name: str) -> None:
        for key, doc in self.store.items(kind):
            if doc[field] == name:
                self.store.delete(kind, key)

    # Members

    def membership(self, org: dict, user: str) -> dict | None:
        return self.store.get("org_member", f"{org['name']}/{user}")

    def organizations_of(self, user: str) -> list[dict]:
        return [org for org in self.store.all("account") if org["isOrg"] and self.membership(org, user)]

    def set_member(self, org: dict, user: dict, form: dict | None) -> dict:
        """Adds the user; without `isAdmin` a member stays what it is."""
        before = self.membership(org, user["name"]) or {"isAdmin": False}
        member = {"user": user["name"], "isAdmin": (form or {}).get("isAdmin", before["isAdmin"])}
        return self.store.put("org_member", f"{org['name']}/{user['name']}", member)

    def remove_member(self, org: dict, user: str) -> None:
        """A member that is removed leaves the teams too (UCP 3.2 API)."""
        for team in self.store.all("team", f"{org['name']}/"):
            self.store.delete("team_member", f"{org['name']}/{team['name']}/{user}")
        self.store.delete("org_member", f"{org['name']}/{user}")

    def shown_member(self, member: dict) -> dict:
        return {"member": self.shown(self.demand(member["user"])), "isAdmin": member["isAdmin"]}

    # Public keys, with which client certificates are recognized

    def add_public_key(self, account: dict, public_key: str, label: str = "", certificates: list | None = None) -> dict:
        """`public_key` in PEM; `certificates`: [{"cert", "label"}]."""
        key_id = hashlib.sha256(public_key.strip().encode()).hexdigest()
        key = {
            "id": key_id, "account": account["name"], "accountID": account["id"], "publicKey": public_key, "label": label,
            "certificates": certificates or [],
        }
        return self.store.put("public_key", key_id, key)

    def of_public_key(self, pem: str) -> str | None:
        """The name of the account that registered this public key."""
        key = self.store.get("public_key", hashlib.sha256(pem.strip().encode()).hexdigest())
        return key and key["account"]
