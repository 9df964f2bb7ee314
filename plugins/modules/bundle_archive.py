#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_archive
short_description: Take the archive of one product's images out of a bundle
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Writes the archive to a file of its own and compares its checksum on the way. A bundle that was damaged on its way is refused and
    leaves no file.
  - An archive that is there already, of the same size and checksum, is kept.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  diff_mode:
    support: none
    details: An archive has no readable difference.
options:
  path:
    description: The bundle.
    type: path
    required: true
  product:
    description: Whose images.
    type: str
    choices: [ucp, dtr]
    required: true
  directory:
    description: Where the archive goes, under the name it has in the bundle.
    type: path
    required: true
seealso:
  - module: dockyard.trusted_registry.bundle
  - module: dockyard.trusted_registry.container_images
"""

EXAMPLES = r"""
- name: Take the images of DTR out of the bundle
  dockyard.trusted_registry.bundle_archive:
    path: /srv/dockyard-bundle-3.2.5-2.7.6.tar
    product: dtr
    directory: /var/tmp
"""

RETURN = r"""
archive:
  description: The file.
  returned: success
  type: str
  sample: /var/tmp/dtr-2.7.6.tar.gz
sha256:
  description: Its SHA-256.
  returned: success
  type: str
  sample: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
"""

import os
import tarfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bundle import Bundle, BundleError


def take(path, product, directory, check_mode):
    """Return the module's result."""
    with Bundle(path) as bundle:
        archive = bundle.product(product)["archive"]
        target = os.path.join(directory, os.path.basename(archive))
        changed = not os.path.exists(target)
        if not check_mode:
            target, changed = bundle.extract(product, directory)
        return {"changed": changed, "archive": target, "sha256": bundle.sums[archive]}


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "product": {"type": "str", "choices": ["ucp", "dtr"], "required": True},
            "directory": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        module.exit_json(**take(params["path"], params["product"], params["directory"], module.check_mode))
    except (BundleError, OSError, tarfile.TarError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
