# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Docker Trusted Registry as it answers, with its quirks: paging, settings that take effect late, names in addresses."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_auth import authentication, http_of
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError

prefix = "DTR"
DURATION = re.compile(r"([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+")
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
PAGE = 1000            # records asked for at once; the server may give fewer
SETTINGS_WAIT = 60     # seconds within which changed settings must be readable; the answer to the change is an empty 202


def connect(params, read_only):
    """The Dtr that a module's parameters name."""
    return Dtr(http_of(params, authentication(params), read_only))


def path(*parts):
    """Address under /api/v0 from its parts; "ops/base" counts as two."""
    return "/api/v0/" + "/".join(quote(part, safe="/") for part in parts)


class Dtr:
    """http: the Http to use."""

    def __init__(self, http):
        self.http = http

    def close(self):
        """End the connections; there is no session to end."""
        self.http.session.close()

    def get(self, *parts, **query):
        """The object at an address."""
        return self.http.call("GET", path(*parts), query=query).data

    def find(self, *parts, **query):
        """The object at an address, None where there is none."""
        try:
            return self.get(*parts, **query)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def post(self, *parts, body=None, **query):
        """What is answered to a creation."""
        return self.http.call("POST", path(*parts), body=body, query=query).data

    def put(self, *parts, body=None, **query):
        """What is answered to a replacement."""
        return self.http.call("PUT", path(*parts), body=body, query=query).data

    def patch(self, *parts, body=None):
        """What is answered to a change."""
        return self.http.call("PATCH", path(*parts), body=body).data

    def delete(self, *parts):
        """Remove; what is gone already counts as removed (the interface promises 204 for it, yet lists 404 as well)."""
        try:
            self.http.call("DELETE", path(*parts))
        except ApiError as error:
            if error.status != 404:
                raise

    def pages(self, *parts, key=None, identity=lambda item: item["id"], limit=None, method="GET", body=None, **query):
        """All records of a listing that pages with pageStart and pageSize; none where what it belongs to does not exist.

        key: where the list stands in the answer, None when the answer is the list; identity: the id of a record, which pageStart takes;
        limit: the first so many records suffice; method and body: for a POST that only asks.
        The headers that tell the next page and the total are field observations, not documented; without them the listing goes on from
        its last record until nothing new comes, so that it is never taken as complete too early.
        """
        records, start, size = {}, "", min(PAGE, limit or PAGE)
        while True:
            try:
                answer = self.http.call(method, path(*parts), body=body, safe=True,
                                        query={**query, "pageStart": start, "pageSize": size, "count": "true"})
            except ApiError as error:
                if error.code.startswith("NO_SUCH_"):
                    return []
                raise
            page = answer.data[key] if key else answer.data
            known = len(records)
            records.update((identity(item), item) for item in page or [])
            start = answer.headers.get("X-Next-Page-Start") or ""
            total = answer.headers.get("X-Resource-Count") or ""
            enough = min(int(total), limit or int(total)) if total.isdigit() else limit
            if len(records) == known or (enough is not None and len(records) >= enough):
                return list(records.values())[:limit]
            start = start or list(records)[-1]

    def accounts(self, *parts, key, **query):
        """All records of a listing of accounts, which pages with start and limit and tells the next start in the answer; none at 404.

        Accounts are UCP's; DTR serves them under /enzi/v0/accounts (field observation: the documents name UCP's address only).
        """
        records, start = [], ""
        while True:
            answer = self.account("GET", *parts, query={**query, "start": start, "limit": PAGE})
            if answer is None:
                return []
            records += answer[key] or []
            start = answer.get("nextPageStart") or ""
            if not start:
                return records

    def account(self, method, *parts, body=None, query=None):
        """What is answered under /enzi/v0/accounts; None when what is asked for or shall go does not exist."""
        try:
            return self.http.call(method, accounts_path(*parts), body=body, query=query).data
        except ApiError as error:
            if method in ("GET", "DELETE") and error.status == 404:
                return None
            raise

    def basic_info(self):
        """{CurrentVersion, User, IsAdmin, AuthnMethod}."""
        return self.http.call("GET", "/basic_info").data

    def settings(self):
        """responses.Settings."""
        return self.get("meta", "settings")

    def change_settings(self, fields):
        """Change settings and wait until they can be read back; ApiError when they cannot within SETTINGS_WAIT seconds."""
        self.post("meta", "settings", body=fields)
        readable = {name: canonical(value) for name, value in fields.items() if name != "webTLSKey"}   # write-only
        end = time.monotonic() + SETTINGS_WAIT
        pause = 0.05
        while True:
            now = self.settings()
            late = sorted(name for name, value in readable.items() if canonical(now.get(name)) != value)
            if not late:
                return now
            if time.monotonic() > end:
                raise ApiError(f"the registry took the settings {', '.join(late)} but still shows the old values after {SETTINGS_WAIT} s."
                               " Look at the health of its replicas (/_ping) and run this again.")
            time.sleep(pause)
            pause = min(pause * 2, 2)


def canonical(value):
    """A settings value as it compares: a Go duration in seconds, PEM text without space around it, all else as it is."""
    if isinstance(value, str):
        if DURATION.fullmatch(value):
            return sum(float(number) * SECONDS[unit] for number, unit in re.findall(r"([0-9.]+)(ns|us|ms|s|m|h)", value))
        if "-----BEGIN " in value:
            return value.strip()
    return value


def accounts_path(*parts):
    """Address of accounts; the listing itself ends with a slash."""
    return "/enzi/v0/accounts/" + "/".join(quote(part, safe="/") for part in parts)
