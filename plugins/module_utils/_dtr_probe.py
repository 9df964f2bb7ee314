# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""A push and a pull as a client makes them (Registry HTTP API V2, token authentication), with an image of a few bytes."""

from __future__ import annotations

import hashlib
import json
import re
import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError, of_answer, of_failure
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_http import decoded, requests

# Always the same bytes, so that probes do not fill the store: an empty layer and what describes it.
LAYER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xffb\x18\x05\xa3`\x14\x8cX\x00\x08\x00\x00\xff\xff.\xaf\xb5\xef\x00\x04\x00\x00"
CONFIG = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [
    "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"]}}, sort_keys=True).encode()
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


def digest(data):
    """ "sha256:..." of bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def manifest():
    """The image's manifest, bytes."""
    return json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(CONFIG), "digest": digest(CONFIG)},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": len(LAYER), "digest": digest(LAYER)}],
    }, sort_keys=True).encode()


class Client:
    """http: the Http of a signed-in Dtr; repository: "ops/probe"."""

    def __init__(self, http, repository):
        self.http, self.repository, self.token = http, repository, None

    def push_and_pull(self, tag):
        """{digest, seconds}; ApiError when what comes back is not what was pushed."""
        began = time.monotonic()
        self.sign_in()
        for blob in (CONFIG, LAYER):
            self.push_blob(blob)
        self.call("PUT", self.path("manifests", tag), data=manifest(), headers={"Content-Type": MANIFEST})
        pulled = self.call("GET", self.path("manifests", tag), headers={"Accept": MANIFEST}).content
        blobs = [self.call("GET", self.path("blobs", digest(blob))).content for blob in (CONFIG, LAYER)]
        if pulled != manifest() or blobs != [CONFIG, LAYER]:
            raise ApiError(f"{self.http.base_url} gave back another image than was pushed to {self.repository}:{tag}. Look at the image"
                           " store.")
        return {"digest": digest(pulled), "seconds": round(time.monotonic() - began, 2)}

    def path(self, *parts):
        """Address below the repository."""
        return f"/v2/{self.repository}/" + "/".join(parts)

    def sign_in(self):
        """A token for pushing and pulling; the registry says of itself which service it is for."""
        answer = self.send("GET", "/v2/", auth=None)
        told = dict(CHALLENGE.findall(answer.headers.get("WWW-Authenticate", "")))
        query = {"service": told.get("service", ""), "scope": f"repository:{self.repository}:pull,push"}
        answer = self.send("GET", "/auth/token", params=query, auth=self.http.auth)
        self.token = decoded(self.checked("GET", "/auth/token", answer))["token"]

    def push_blob(self, blob):
        """Upload it, unless it is there."""
        if self.send("HEAD", self.path("blobs", digest(blob))).status_code == 200:
            return
        started = self.call("POST", self.path("blobs", "uploads", ""))
        location = started.headers["Location"]
        where = "/" + location.split("/", 3)[3] if "://" in location else location
        joint = "&" if "?" in where else "?"
        self.call("PUT", f"{where}{joint}digest={digest(blob)}", data=blob, headers={"Content-Type": "application/octet-stream"})

    def call(self, method, path, **more):
        """The answer; ApiError for every status from 400."""
        return self.checked(method, path, self.send(method, path, **more))

    def checked(self, method, path, answer):
        """The answer, if it is none of a failure."""
        if answer.status_code >= 400:
            raise of_answer(f"{method} {self.http.base_url}{path}", answer.status_code, decoded(answer), user=self.http.user)
        return answer

    def send(self, method, path, auth="token", headers=None, **more):
        """The answer, whatever it is; the token does not follow where a store redirects to."""
        headers = dict(headers or {})
        if auth == "token":
            headers["Authorization"] = f"Bearer {self.token}"
        auth = Bare() if auth in ("token", None) else auth
        try:
            return self.http.session.request(method, self.http.base_url + path, headers=headers, auth=auth, timeout=self.http.timeout,
                                             verify=self.http.verify, **more)
        except requests.RequestException as error:
            raise of_failure(f"{method} {self.http.base_url}{path}", error, self.http.timeout, False) from error


class Bare:
    """Leaves the request as it is; keeps requests from taking credentials out of ~/.netrc."""

    def __call__(self, request):
        return request
