# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UCP's sessions: what `POST /auth/login` gives out and the bearer header brings back.

Rules (UCP docs, session timeout): a session lives `lifetime_minutes`; used within the last `renewal_threshold_minutes`, it begins
anew; a user has at most `per_user_limit` sessions, and the one not used for longest makes room. 0 switches renewal and limit off.
"""

from __future__ import annotations

import uuid

SESSION = "session"


class Sessions:
    """Sessions by token: `{"account", "used", "expires"}`, times in seconds since the epoch."""

    def __init__(self, ucp):
        self.ucp, self.standin, self.store = ucp, ucp.standin, ucp.standin.store

    def open(self, account: str) -> str:
        """A new session of the account (a name); returns its token."""
        now, rules = self._now(), self._rules()
        limit = rules.get("per_user_limit", 10)
        others = sorted((doc["used"], token) for token, doc in self._alive() if doc["account"] == account)
        for _used, token in others[: max(0, len(others) + 1 - limit)] if limit else []:
            self.store.delete(SESSION, token)
        token = str(uuid.uuid4())
        self.store.put(SESSION, token, {"account": account, "used": now, "expires": now + rules.get("lifetime_minutes", 60) * 60})
        return token

    def account(self, token: str) -> str | None:
        """The name of the account whose session it is; None when there is no such session any more."""
        session, now = self.store.get(SESSION, token), self._now()
        if not session or session["expires"] <= now:
            return None
        rules, expires = self._rules(), session["expires"]
        if expires - now <= rules.get("renewal_threshold_minutes", 20) * 60:
            expires = now + rules.get("lifetime_minutes", 60) * 60
        self.store.put(SESSION, token, {**session, "used": now, "expires": expires})
        return session["account"]

    def close(self, token: str) -> None:
        self.store.delete(SESSION, token)

    def close_all(self) -> None:
        for token, _session in self.store.items(SESSION):
            self.close(token)

    def _alive(self) -> list[tuple[str, dict]]:
        """Sessions that have not ended; the others are removed."""
        now = self._now()
        for token, session in self.store.items(SESSION):
            if session["expires"] <= now:
                self.close(token)
        return self.store.items(SESSION)

    def _rules(self) -> dict:
        return self.ucp.config.document.get("auth", {}).get("sessions", {})

    def _now(self) -> float:
        return self.standin.clock().timestamp()
