#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_info
short_description: Read what a bundle holds, or verify all of it
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Reads the manifest of what M(dockyard.trusted_registry.bundle) made. A bundle without an end, or with a manifest that does not fit its
    checksum, is an error.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  diff_mode:
    support: none
    details: Nothing is ever changed.
options:
  path:
    description: The bundle.
    type: path
    required: true
  verify:
    description: Read every byte, compare every checksum, and look into the archives of images. Whatever is wrong is an error.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Verify a bundle
  dockyard.trusted_registry.bundle_info:
    path: /srv/dockyard-bundle-3.2.5-2.7.6.tar
    verify: true
"""

RETURN = r"""
path:
  description: The bundle.
  returned: success
  type: str
  sample: /srv/dockyard-bundle-3.2.5-2.7.6.tar
manifest:
  description: What it holds, sizes in bytes; that of an image only where it came from an engine.
  returned: success
  type: dict
  sample:
    format: 1
    created: "2026-11-23T15:00:00Z"
    products:
      ucp:
        version: 3.2.5
        tool: docker/ucp:3.2.5
        archive: images/ucp-3.2.5.tar.gz
        unpacked: 178759680
        listed: true
        images:
          - name: docker/ucp:3.2.5
            id: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
            size: 176000000
    files:
      images/ucp-3.2.5.tar.gz: {size: 61000000, sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
"""

import tarfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bundle import Bundle, BundleError


def look(path, verify):
    """Return the manifest; BundleError names all that is wrong."""
    with Bundle(path) as bundle:
        found = bundle.problems() if verify else []
        if found:
            raise BundleError(f"{path} must not be used: {'; '.join(found)}")
        return bundle.manifest


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={"path": {"type": "path", "required": True}, "verify": {"type": "bool", "default": False}},
        supports_check_mode=True,
    )
    path = module.params["path"]
    try:
        module.exit_json(changed=False, path=path, manifest=look(path, module.params["verify"]))
    except (BundleError, OSError, tarfile.TarError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
