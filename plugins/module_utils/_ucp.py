# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Universal Control Plane as it answers, with its quirks: sessions that expire, paging with the next start in the answer."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from urllib.parse import quote

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_auth import Bearer, NoAuth, base_url, http_of
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_http import Http
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

prefix = "UCP"
PAGE = 1000   # records asked for at once; the server may give fewer
CONFIG = "/api/ucp/config-toml"


def connect(params, read_only):
    """The Ucp that a module's parameters name."""
    credentials = {"username": params["username"], "password": params["password"]}
    if not (params["token"] or params["client_cert"] or all(credentials.values())):
        raise InputError("no credentials: give username and password, a session token, or client_cert with client_key.")
    return Ucp(http_of(params, Bearer(params["token"]), read_only), credentials if params["password"] else None)


def path(*parts):
    """Address from its parts."""
    return "/" + "/".join(quote(part, safe="/") for part in parts)


class Ucp:
    """http: an Http whose auth is a Bearer; credentials: {username, password} to sign in with, None to live with the token given."""

    def __init__(self, http, credentials=None):
        self.http, self.credentials = http, credentials
        self.signing_in = Lock()

    def call(self, method, address, **more):
        """The Answer; signs in before the first request, and once more when the session has ended meanwhile."""
        used = self.session()
        try:
            return self.http.call(method, address, **more)
        except ApiError as error:
            if error.status != 401 or not self.credentials:
                raise
        self.session(ended=used)
        return self.http.call(method, address, **more)

    def session(self, ended=None):
        """The session's token, of a new session where there is none or it is the one that ended.

        Signing in changes nothing on the server that an operator would see, so check mode may. Of parallel requests one signs in for all.
        """
        with self.signing_in:
            if self.credentials and self.http.auth.token in (None, ended):
                self.http.auth.token = None
                self.http.auth.token = self.http.call("POST", "/auth/login", body=self.credentials, safe=True).data["auth_token"]
            return self.http.auth.token

    def close(self):
        """End a session of our own: a user has only so many, and each new one would push out one that somebody works with."""
        if self.credentials and self.http.auth.token:
            with suppress(ApiError):   # it ends by itself anyway, and what was done stands
                self.http.call("POST", "/id/logout", safe=True)
            self.http.auth.token = None

    def beside(self, host, timeout):
        """An Http, without a session, to another machine of the cluster, "name:port"; asks once. timeout: seconds, at the most."""
        verify = self.http.verify
        return Http(base_url(host), NoAuth(), ca_path=verify if isinstance(verify, str) else None, validate_certs=bool(verify),
                    timeout=min(timeout, self.http.timeout), retries=0, read_only=True)

    def get(self, *parts, **query):
        """The object at an address."""
        return self.call("GET", path(*parts), query=query).data

    def find(self, *parts, **query):
        """The object at an address, None where there is none."""
        try:
            return self.get(*parts, **query)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def change(self, method, *parts, body=None):
        """What is answered to a POST, PUT or PATCH."""
        return self.call(method, path(*parts), body=body).data

    def delete(self, *parts):
        """Remove; what is gone already counts as removed, for a removal whose answer was lost is tried again."""
        try:
            self.call("DELETE", path(*parts))
        except ApiError as error:
            if error.status != 404:
                raise

    def pages(self, *parts, key=None, **query):
        """All records of a listing that pages with start and limit.

        key: where the list stands in the answer, which then tells the next start. None: the answer is the bare list of records with an id,
        and no word of what follows, so it is read from the last record on until nothing new comes.
        """
        records, start = [], ""
        while True:
            answer = self.call("GET", path(*parts), query={**query, "start": start, "limit": PAGE}).data
            if key:
                records += answer[key] or []
                start = answer.get("nextPageStart") or ""
            else:
                known = {record["id"] for record in records}
                fresh = [record for record in answer or [] if record["id"] not in known]
                records += fresh
                start = fresh[-1]["id"] if fresh and len(answer) >= PAGE else ""
            if not start:
                return records

    def config_text(self):
        """The configuration file, TOML."""
        return self.call("GET", CONFIG, raw=True, headers={"Accept": "application/toml"}).data.decode()

    def replace_config(self, text):
        """Upload a configuration file, TOML, in place of the one that is there; what UCP says to it."""
        answer = self.call("PUT", CONFIG, data=text.encode(), headers={"Content-Type": "application/toml"}).data
        return (answer or {}).get("message", "")
