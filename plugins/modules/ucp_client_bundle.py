#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ucp_client_bundle
short_description: Client bundle of a user of Universal Control Plane
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Keeps a valid client bundle in a folder. It holds the CA, a certificate and a private key of the user, and scripts that point the Docker
    client to UCP.
  - A bundle stays as long as it is complete, its certificate fits its key and holds long enough, and UCP still lets it in. Otherwise a new
    one is downloaded, put in its place and tried.
  - Each download makes UCP add a public key to the user's account. The key of the bundle that was replaced is removed from there.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._ucp
options:
  dest:
    description:
      - The folder of the bundle, where the module runs. It is made when it is missing, for its owner only; so are the files.
      - Other files in it stay as they are.
    type: path
    required: true
  renew_before:
    description: How many days the certificate must hold yet to be kept.
    type: int
    default: 30
  revoke_previous:
    description: Whether the public key of a bundle that is replaced is removed from the account, so that copies of it let nobody in.
    type: bool
    default: true
requirements:
  - cryptography
notes:
  - Every user can make bundles of the own account; O(username) decides whose it is.
  - Replacing UCP's certificates makes all bundles invalid. The next run of this module renews them.
  - That a bundle is one of the account's public keys is an inference from the UCP documentation (CLI access). Where none of them is that of
    the bundle, nothing is removed and a warning says so.
  - Nothing of the bundle but the end of its certificate is returned.
"""

EXAMPLES = r"""
- name: Let the deploying user work with the cluster
  dockyard.trusted_registry.ucp_client_bundle:
    host: ucp.example.com
    username: deployer
    password: "{{ vault_deployer_password }}"
    ca_path: /etc/ssl/ucp-ca.pem
    dest: /home/deployer/ucp-bundle
"""

RETURN = r"""
reason:
  description: Why the bundle was renewed, or would be in check mode; empty when it was kept.
  returned: success
  type: str
  sample: its certificate ends at 2021-01-02T03:04:05Z
user:
  description: The account that the bundle lets in.
  returned: success
  type: str
  sample: deployer
not_after:
  description: When its certificate ends; null in check mode, when it would be renewed.
  returned: success
  type: str
  sample: "2023-01-02T03:04:05Z"
"""

import os

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_bundle as bundle
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_certificates import need_cryptography
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError


def work(client, params, check_mode):
    """The module's result."""
    need_cryptography()
    folder = params["dest"]
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise InputError(f"dest: {folder} is no folder. Give the folder that the bundle shall stand in.")
    owner = client.get("id", "")["name"]
    reason = bundle.flaw(folder, params["renew_before"]) or refused(client, params, owner)
    opened = [] if reason else bundle.exposed(folder)
    warnings = [f"{path} could be opened by others. If it was read, run once with renew_before 9999, which replaces and revokes it."
                for path, mode in opened]
    if not check_mode:
        for path, mode in opened:
            os.chmod(path, mode)
        if reason:
            warnings += renew(client, params, owner)
    known = not (reason and check_mode)
    return {
        "changed": bool(reason or opened), "reason": reason, "user": owner,
        "not_after": bundle.facts(folder)["not_after"] if known else None,
        "diff": {"before": {"bundle": reason, "open to others": [path for path, mode in opened]},
                 "after": {"bundle": "valid" if reason else "", "open to others": []}},
        "warnings": warnings,
    }


def refused(client, params, owner):
    """Why UCP does not let the bundle in as its owner, "" when it does; ApiError when UCP cannot be asked."""
    verify = {"ca_path": os.path.join(params["dest"], "ca.pem"), "validate_certs": params["validate_certs"]}
    other = _ucp.connect({**params, **verify, "token": None, "password": None, "client_cert": bundle.pair(params["dest"])[0],
                          "client_key": bundle.pair(params["dest"])[1]}, read_only=True)
    try:
        name = other.get("id", "")["name"]
    except ApiError as error:
        if error.status in (401, 403) or (error.status is None and "certificate" in str(error)):
            return f"UCP does not let it in ({error})"
        raise
    finally:
        other.http.session.close()
    return "" if name == owner else f"it belongs to {name}"


def renew(client, params, owner):
    """Download a bundle, put it in place, try it, and revoke the one before; returns warnings."""
    folder = params["dest"]
    keys = ("accounts", owner, "publicKeys")
    previous = bundle.read(folder, "cert.pub").strip()
    files = bundle.unpacked(client.call("GET", "/api/clientbundle", raw=True).data)
    try:
        bundle.write(folder, files)
    except OSError as error:
        raise InputError(f"dest: the bundle cannot be written to {folder} ({error}). Check the path and who the task runs as.") from error
    reason = bundle.flaw(folder, 0) or refused(client, params, owner)
    if reason:
        raise ApiError(f"the new client bundle in {folder} is of no use: {reason}.")
    if not (previous and params["revoke_previous"]):
        return []
    old = [key["id"] for key in client.pages(*keys, key="accountPublicKeys") if key["publicKey"].strip() == previous]
    for identity in old:
        client.delete(*keys, identity)
    return [] if old else [f"The public key of the bundle that was replaced is not among those of {owner}; it was not removed."]


def main():
    """Entry point."""
    run(_ucp, {
        "dest": {"type": "path", "required": True},
        "renew_before": {"type": "int", "default": 30},
        "revoke_previous": {"type": "bool", "default": True},
    }, work)


if __name__ == "__main__":
    main()
