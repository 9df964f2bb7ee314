# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what with a repository (DTR docs: permission levels)."""

from __future__ import annotations

from .answers import Caller

LEVELS = ("read-only", "read-write", "admin")


def rank(level: str | None) -> int:
    """0 for no access at all."""
    return LEVELS.index(level) + 1 if level else 0


def highest(levels) -> str | None:
    return max(levels, key=rank, default=None)


class Rights:
    """What one caller may do; remembers the caller's teams, so make a new one for each request.

    The levels of a user's teams add up to the highest; a public repository can be read by everyone.
    """

    def __init__(self, store, caller: Caller):
        self.store, self.caller = store, caller
        self._teams: dict[str, list[str]] = {}
        self._levels: dict[str, str | None] = {}

    def teams(self, org: str) -> list[str]:
        """The caller's teams in an organization."""
        if org not in self._teams:
            name = self.caller.name
            self._teams[org] = [
                team["name"] for team in self.store.all("team", f"{org}/") if self.store.get("team_member", f"{org}/{team['name']}/{name}")
            ]
        return self._teams[org]

    def owns(self, namespace: str) -> bool:
        """An administrator, the user itself, or an owner (admin member) of the organization."""
        if self.caller.anonymous:
            return False
        if self.caller.is_admin or self.caller.name == namespace:
            return True
        member = self.store.get("org_member", f"{namespace}/{self.caller.name}")
        return bool(member and member["isAdmin"])

    def namespace(self, namespace: str) -> str | None:
        if namespace not in self._levels:
            grants = [self.store.get("namespace_access", f"{namespace}/{team}") for team in self.teams(namespace)]
            self._levels[namespace] = "admin" if self.owns(namespace) else highest(grant["accessLevel"] for grant in grants if grant)
        return self._levels[namespace]

    def repository(self, repository: dict) -> str | None:
        namespace = repository["namespace"]
        levels = [self.namespace(namespace)]
        if levels != ["admin"]:
            grants = [self.store.get("team_access", f"{namespace}/{repository['name']}/{team}") for team in self.teams(namespace)]
            levels += [grant["accessLevel"] for grant in grants if grant]
            levels += ["read-only"] if repository["visibility"] == "public" else []
        return highest(levels)


class Access:
    def __init__(self, standin):
        self.standin = standin

    def rights(self, caller: Caller) -> Rights:
        return Rights(self.standin.store, caller)

    def level(self, caller: Caller, repository: dict) -> str | None:
        """The caller's effective level on a repository document."""
        return self.rights(caller).repository(repository)
