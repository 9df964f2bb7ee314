#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_store_info
short_description: Say what a filesystem store of a registry holds
version_added: 0.1.0
author: Dockyard contributors (@dockyard)
description:
  - Counts repositories, manifests and blobs, and finds manifests of schema 1, which CNCF Distribution 3.x cannot read.
  - Reads the store directly, with the registry running or not, and stops when the time is over.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  diff_mode:
    support: none
    details: It changes nothing.
options:
  path:
    description: The store's root directory.
    type: path
    required: true
  seconds:
    description: How long to read at most.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Look into a store
  dockyard.trusted_registry.distribution_store_info:
    path: /var/lib/distribution
  register: my_store
"""

RETURN = r"""
repositories:
  description: Names of the repositories, the first 50.
  returned: always
  type: list
  elements: str
  sample: [team/app]
repository_count:
  description: Number of repositories.
  returned: always
  type: int
  sample: 1
manifests:
  description: Number of manifests read.
  returned: always
  type: int
  sample: 12
schema1:
  description: Manifests of schema 1, the first 50.
  returned: always
  type: list
  elements: str
  sample: ["team/old@sha256:9f86..."]
schema1_count:
  description: Number of manifests of schema 1.
  returned: always
  type: int
  sample: 1
blobs:
  description: Number of blobs.
  returned: always
  type: int
  sample: 40
bytes:
  description: Their size.
  returned: always
  type: int
  sample: 73400320
complete:
  description: Whether everything was read before the time was over.
  returned: always
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_store import describe


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={"path": {"type": "path", "required": True}, "seconds": {"type": "int", "default": 60}},
        supports_check_mode=True,
    )
    try:
        module.exit_json(changed=False, **describe(module.params["path"], module.params["seconds"]))
    except OSError as error:
        module.fail_json(msg=f"cannot read the store: {error}")


if __name__ == "__main__":
    main()
