# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What a host module needs to know of UCP: which containers and volumes of DTR there are. Standard library only, reads only."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper import BootstrapError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_cluster_names import found_replicas, working

TIMEOUT = 30   # seconds for each answer


class Ucp:
    """address: host with an optional port, as docker/dtr takes it; ca: PEM or None for the system's; insecure: do not verify."""

    def __init__(self, address, username, password, *, ca=None, insecure=False):
        self.base = "https://" + address.partition("://")[2].rstrip("/") if "://" in address else "https://" + address
        self.credentials = {"username": username, "password": password}
        self.token = None
        self.context = ssl.create_default_context()
        if ca:
            try:
                self.context = ssl.create_default_context(cadata=ca)
            except (ssl.SSLError, ValueError) as error:
                raise BootstrapError(f"ucp_ca is no PEM certificate ({error}). Give the text of the file, not its path.") from error
        if insecure:
            self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def replicas(self):
        """{id: replica} as _dtr_cluster_names has it."""
        containers, volumes = self.get("/containers/json?all=true"), self.get("/volumes").get("Volumes") or []
        return found_replicas(containers, volumes), working(containers)

    def get(self, path):
        """The answer, decoded."""
        if not self.token:
            self.token = self.call("POST", "/auth/login", self.credentials)["auth_token"]
        return self.call("GET", path)

    def close(self):
        """End the session: a user has only so many."""
        if self.token:
            try:
                self.call("POST", "/id/logout")
            except BootstrapError:
                return   # it ends by itself

    def call(self, method, path, body=None):
        """One request; BootstrapError with what to do when it fails."""
        request = urllib.request.Request(self.base + path, method=method, data=json.dumps(body).encode() if body is not None else None)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        try:
            opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=self.context))
            with opener.open(request, timeout=TIMEOUT) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise BootstrapError(self.refused(path, error)) from error
        except (OSError, ValueError) as error:
            raise BootstrapError(self.unreached(error)) from error
        return json.loads(text) if text else None

    def refused(self, path, error):
        """The sentence for an answer that is a refusal."""
        if error.code == 401:
            return (f"UCP at {self.base} does not accept the credentials of '{self.credentials['username']}'. Check ucp_username and"
                    " ucp_password.")
        if error.code == 403:
            return f"UCP at {self.base} does not let '{self.credentials['username']}' do this. Use an administrator."
        return f"UCP at {self.base} answered {error.code} to {path}. See that its managers are healthy (/_ping), and run this again."

    def unreached(self, error):
        """The sentence for no answer."""
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return (f"the certificate of UCP at {self.base} is not trusted ({error}). Give ucp_ca the CA that signed it, and ucp_url a name"
                    " that it is for.")
        return f"UCP at {self.base} cannot be reached from here ({error}). Check ucp_url, and that UCP runs."
