#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_files_info
short_description: Reads deployed and served certificates
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Returns the certificates in files of a host, and those that TLS servers show, for a judge on the controller.
  - Private keys are returned only for the paths in O(key_paths).
  - Needs nothing but the Python standard library on the host.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  diff_mode:
    support: none
options:
  paths:
    description: Files whose certificates to return. Other PEM blocks in them are left out.
    type: list
    elements: path
    default: []
  key_paths:
    description: Files to return whole, private keys included. Set C(no_log) on the task.
    type: list
    elements: path
    default: []
  endpoints:
    description:
      - Addresses of TLS servers, as seen from the host, like V(registry.example.com:5000).
      - The server is not verified, for an expired certificate is what is looked for. Nothing is sent to it but the handshake.
    type: list
    elements: str
    default: []
  users:
    description: Users who are to own files, by name or number; an empty name is ignored.
    type: list
    elements: str
    default: []
  groups:
    description: Groups that are to own files, as O(users).
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds to wait for each server.
    type: int
    default: 5
"""

EXAMPLES = r"""
- name: Read what the registry has and what it serves
  dockyard.trusted_registry.certificate_files_info:
    paths: [/etc/distribution/tls/certificate.pem]
    endpoints: ["localhost:5000"]
  register: found
"""

RETURN = r"""
files:
  description: One item for each path.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: The path as given.
      type: str
    exists:
      description: Whether there is a file.
      type: bool
    certificates:
      description: PEM text of its certificates. Not returned for O(key_paths).
      type: str
    content:
      description: The whole text, for O(key_paths) only.
      type: str
  sample:
    - path: /etc/distribution/tls/certificate.pem
      exists: true
      certificates: "-----BEGIN CERTIFICATE-----..."
endpoints:
  description: One item for each address.
  returned: always
  type: list
  elements: dict
  contains:
    address:
      description: The address as given.
      type: str
    certificate:
      description: PEM text of the server's own certificate; absent when there was no handshake.
      type: str
    error:
      description: Why there was no handshake.
      type: str
  sample:
    - address: localhost:5000
      certificate: "-----BEGIN CERTIFICATE-----..."
missing:
  description: Which of O(users) and O(groups) do not exist on the host.
  returned: always
  type: list
  elements: str
  sample: [user distribution]
"""

import grp
import pwd
import socket
import ssl

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._certificate_files import (
    FilesError,
    certificates_of,
    read,
)


def file_facts(path, whole):
    content, _status = read(path)
    if content is None:
        return {"path": path, "exists": False}
    text = content.decode("utf-8", "replace")
    return {"path": path, "exists": True, "content" if whole else "certificates": text if whole else certificates_of(text)}


def served(address, timeout):
    host, _colon, port = address.rpartition(":")
    host = host.strip("[]")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, int(port)), timeout) as connection, context.wrap_socket(
            connection, server_hostname=host
        ) as session:
            return {"address": address, "certificate": ssl.DER_cert_to_PEM_cert(session.getpeercert(True))}
    except (OSError, ValueError) as error:
        return {"address": address, "error": str(error)}


def missing_accounts(names, database, what):
    found = []
    for name in names:
        try:
            if name and not name.isdigit():
                database(name)
        except KeyError:
            found.append(f"{what} {name}")
    return found


def main():
    module = AnsibleModule(
        {
            "paths": {"type": "list", "elements": "path", "default": []},
            "key_paths": {"type": "list", "elements": "path", "default": [], "no_log": False},
            "endpoints": {"type": "list", "elements": "str", "default": []},
            "users": {"type": "list", "elements": "str", "default": []},
            "groups": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 5},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        files = [file_facts(path, False) for path in params["paths"]]
        files += [file_facts(path, True) for path in params["key_paths"]]
    except (FilesError, OSError) as error:
        module.fail_json(msg=str(error))
    endpoints = [served(address, params["timeout"]) for address in params["endpoints"]]
    missing = missing_accounts(params["users"], pwd.getpwnam, "user")
    missing += missing_accounts(params["groups"], grp.getgrnam, "group")
    module.exit_json(changed=False, files=files, endpoints=endpoints, missing=missing)


if __name__ == "__main__":
    main()
