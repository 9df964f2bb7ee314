# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Who a request comes from, and where it goes: the connection options as requests wants them."""

from __future__ import annotations

import os
import re

try:
    from requests.auth import AuthBase, HTTPBasicAuth
except ImportError:   # _api_http tells it
    AuthBase, HTTPBasicAuth = object, None

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_http import Http
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

HOST = re.compile(r"(?P<name>[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?")
NUMBERS = {"timeout": (1, 86400), "retries": (0, 100), "threads": (1, 100)}
FILES = ("ca_path", "client_cert", "client_key")


class NoAuth(AuthBase):
    """Sends no credentials; keeps requests from taking some out of ~/.netrc."""

    def __call__(self, request):
        """The request as it is."""
        return request


class Bearer(AuthBase):
    """Sends a token that may be exchanged while the session lives."""

    def __init__(self, token=None):
        self.token = token

    def __call__(self, request):
        """The request with the token, if there is one by now."""
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def base_url(host):
    """ "https://host:port" of the option host; InputError when it is more or less than a name with an optional port."""
    match = HOST.fullmatch(host.strip())
    if not match or (match["port"] and not 0 < int(match["port"]) < 65536):
        raise InputError(f"host '{host}' is no address. Give the name or IP address of the server with an optional port, such as"
                         " registry.example.com or registry.example.com:4443, without https:// and without a path.")
    return f"https://{host.strip()}"


def check(params):
    """InputError where a number is out of range or a file is not there."""
    for name, (least, most) in NUMBERS.items():
        if not least <= params[name] <= most:
            raise InputError(f"{name} {params[name]} is out of range. Give a number from {least} to {most}.")
    for name in FILES:
        if params[name] and not os.access(params[name], os.R_OK):
            raise InputError(f"{name} '{params[name]}' cannot be read. Give a file that is there and readable on the host that runs the"
                             " module, which is often the controller.")


def http_of(params, auth, read_only):
    """The Http to the server that the connection options name; InputError where one of them cannot be meant."""
    check(params)
    client_cert = (params["client_cert"], params["client_key"]) if params["client_cert"] else None
    return Http(
        base_url(params["host"]), auth, user=params["username"] or "", ca_path=params["ca_path"], validate_certs=params["validate_certs"],
        client_cert=client_cert, timeout=params["timeout"], retries=params["retries"], threads=params["threads"], read_only=read_only)


def authentication(params):
    """Basic authentication of the connection options: an access token stands in place of the password (DTR docs: access tokens)."""
    if params["username"] and (params["token"] or params["password"]):
        return HTTPBasicAuth(params["username"].encode(), (params["token"] or params["password"]).encode())
    if params["client_cert"]:
        return NoAuth()
    raise InputError("no credentials: give username with password or token, or client_cert with client_key.")
