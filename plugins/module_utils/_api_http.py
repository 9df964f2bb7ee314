# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""HTTP to one server: one pooled session, verified TLS, retries, typed errors. Knows no product and no AnsibleModule."""

from __future__ import annotations

import atexit
import os
import tempfile
import traceback
from concurrent.futures import ThreadPoolExecutor

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import disable_warnings
    from urllib3.util.retry import Retry
except ImportError:
    MISSING = traceback.format_exc()
    requests, Retry, HTTPAdapter = None, object, object
else:
    MISSING = None

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _api_errors as errors

AGENT = "dockyard.trusted_registry (Ansible)"
SAFE = ("GET", "HEAD", "OPTIONS")
NOT_BEGUN = (429, 503)        # the server says that it did not begin: safe to repeat even where repeating does twice
BACKOFF = 0.5                 # seconds; doubles with each try
LONGEST_PAUSE = 60            # seconds before another try, whatever the server asks for


class Answer:
    """status: int; headers: case-insensitive mapping; data: decoded JSON, text, bytes or None."""

    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data


class PatientRetry(Retry):
    """Repeats GET, PUT and DELETE after any broken connection or busy answer, POST and PATCH only when nothing was begun."""

    def is_retry(self, method, status_code, has_retry_after=False):
        return bool(self.total) and status_code in (errors.BUSY if method in self.allowed_methods else NOT_BEGUN)

    def get_retry_after(self, response):
        """Seconds to wait before another try, None when the server does not say."""
        seconds = super().get_retry_after(response)
        return seconds and min(seconds, LONGEST_PAUSE)


class Http:
    """A server at base_url ("https://host:port").

    auth: called with each requests.PreparedRequest, see requests.auth.AuthBase; user: named in errors.
    ca_path: PEM file or None for the system's; timeout: seconds for a connection and between bytes; retries: 0 and up.
    read_only: refuse all that could change something (check mode); threads: requests in parallel at the most.
    changed: whether something was changed, or may have been where an answer was lost.
    """

    changed = False

    def __init__(self, base_url, auth, *, user="", ca_path=None, validate_certs=True, client_cert=None, timeout=30, retries=5, threads=8,
                 read_only=False):
        self.base_url, self.auth, self.user = base_url, auth, user
        self.timeout, self.threads, self.read_only = timeout, threads, read_only
        self.verify = (ca_path or True) if validate_certs else False
        self.client_cert = client_cert
        self.session = requests.Session()
        self.session.headers["User-Agent"] = AGENT
        retry = PatientRetry(total=retries, other=0, backoff_factor=BACKOFF, raise_on_status=False)
        self.session.mount("https://", HTTPAdapter(max_retries=retry, pool_maxsize=threads, pool_block=True))
        if not validate_certs:
            disable_warnings()   # the module itself warns, once

    def call(self, method, path, *, body=None, query=None, safe=False, raw=False, **more):
        """The Answer to a request; raises ApiError for every status from 300.

        body: becomes JSON; safe: a POST that changes nothing; raw: the answer's bytes as they are; more: handed to requests.
        """
        changes = method not in SAFE and not safe
        if changes and self.read_only:
            raise errors.WriteRefused(f"{method} {path} in check mode")
        where = f"{method} {self.base_url}{path}"
        if "//" in path or not {".", ".."}.isdisjoint(path.split("/")):   # it would lead somewhere else
            raise errors.of_name(where)
        try:
            # verify goes with each request: requests lets REQUESTS_CA_BUNDLE override the session's own value.
            answer = self.session.request(
                method, self.base_url + path, json=body, params=query, auth=self.auth, timeout=self.timeout,
                verify=self.verify, cert=self.client_cert, allow_redirects=False, **more)
        except requests.RequestException as error:
            self.changed = self.changed or changes
            raise errors.of_failure(where, error, self.timeout, changes) from error
        if 300 <= answer.status_code < 400:
            raise errors.of_redirect(where, answer.headers.get("Location", "nowhere"))
        if answer.status_code >= 400:
            doubtful = changes and answer.status_code in errors.LOST
            self.changed = self.changed or doubtful
            raise errors.of_answer(where, answer.status_code, decoded(answer), user=self.user, doubtful=doubtful)
        self.changed = self.changed or changes
        if raw:
            return Answer(answer.status_code, answer.headers, answer.content)
        data = decoded(answer)
        if isinstance(data, str):
            raise errors.of_other_content(where, answer.headers.get("Content-Type"))
        return Answer(answer.status_code, answer.headers, data)

    def trust_also(self, pem):
        """Trust further authorities for the rest of the module's run: those of a certificate that is being replaced."""
        if not self.verify:
            return
        with open(requests.certs.where() if self.verify is True else self.verify, encoding="utf-8") as known:
            text = known.read()
        with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False, encoding="utf-8") as bundle:
            bundle.write(f"{text}\n{pem}\n")
        atexit.register(os.unlink, bundle.name)
        self.verify = bundle.name

    def each(self, function, items):
        """[function(item), ...] for all items, several at a time, in their order."""
        items = list(items)
        if len(items) < 2:
            return [function(item) for item in items]
        with ThreadPoolExecutor(max_workers=self.threads) as pool:
            return list(pool.map(function, items))


def decoded(answer):
    """The body of a requests.Response: JSON, None when there is none, text when it is something else."""
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        return answer.text
