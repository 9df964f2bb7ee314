#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_probe
short_description: Pushes a small image to a Docker Trusted Registry and pulls it
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Does what a client does, token authentication included, with an image of a few bytes, and compares what comes back.
  - The image is always the same, so that it takes no room however often it is pushed.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
attributes:
  check_mode:
    details: Does nothing in check mode.
  diff_mode:
    support: none
    details: What it pushes is there already after the first time.
options:
  repository:
    description: Namespace and name of a repository that is there and that the account may push to. Its tags must not be immutable.
    type: str
    required: true
  tag:
    description: The tag to push.
    type: str
    default: dockyard-probe
notes:
  - It never reports a change, for it is there to find out whether the registry works.
  - Source is the Registry HTTP API V2.
"""

EXAMPLES = r"""
- name: Does the registry take and give images
  dockyard.trusted_registry.dtr_probe:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    repository: ops/probe
"""

RETURN = r"""
digest:
  description: Digest of the image; empty in check mode.
  returned: success
  type: str
  sample: sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9
seconds:
  description: How long push and pull took.
  returned: success
  type: float
  sample: 0.31
"""

import re

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_probe import Client

REPOSITORY = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*")


def probe(dtr, params, check_mode):
    """The module's result."""
    if not REPOSITORY.fullmatch(params["repository"]):
        raise InputError(f"repository '{params['repository']}' is no name. Write namespace and name, such as ops/probe.")
    found = {"digest": "", "seconds": 0.0} if check_mode else Client(dtr.http, params["repository"]).push_and_pull(params["tag"])
    return {"changed": False, **found}


def main():
    """Entry point."""
    run(_dtr, {"repository": {"type": "str", "required": True}, "tag": {"type": "str", "default": "dockyard-probe"}}, probe)


if __name__ == "__main__":
    main()
