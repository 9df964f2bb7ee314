#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle
short_description: Make one archive of all that hosts without a way out need
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Takes the images of UCP and DTR from archives, or asks the products' tools which images they need, has these in the engine of this
    host and takes them from there. Streams them with other files, a manifest and checksums into one tar.
  - Works beside the bundle's place in a file whose name ends in C(.part) and moves it there when it is complete. A run that
    fails or is killed leaves no file that looks like a bundle.
  - A bundle of the same images and files is left as it is.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  check_mode:
    details:
      - The tools are not run, because they might have to be pulled. What is compared are products, versions and tools, not the
        images and not the other files.
  diff_mode:
    support: none
    details: A bundle has no readable difference.
options:
  path:
    description: The bundle to be.
    type: path
    required: true
  products:
    description: The products to hold, C(ucp), C(dtr) or both, each with C(version) and C(tool), the name of its bootstrapper image.
    type: dict
    required: true
  folders:
    description: Directories on this host whose files go into the bundle, by the name of their folder there.
    type: dict
    default: {}
  archives:
    description:
      - Archives of images on this host, as C(docker save) makes them and the vendor hands them out, plain or compressed.
      - A product whose tool is in one of them gets all images of that archive, and the engine is not asked. Each is read completely first.
    type: list
    elements: path
    default: []
  pull:
    description: Pull images that the engine lacks. With V(false) they are an error.
    type: bool
    default: true
  compress:
    description: Compress the images with gzip.
    type: bool
    default: true
  timeout:
    description: Seconds that the pull of one image may take.
    type: int
    default: 1800
seealso:
  - module: dockyard.trusted_registry.bundle_info
  - module: dockyard.trusted_registry.container_images
"""

EXAMPLES = r"""
- name: Make the bundle of two products
  dockyard.trusted_registry.bundle:
    path: /srv/dockyard-bundle-3.2.5-2.7.6.tar
    products:
      ucp: {version: 3.2.5, tool: "docker/ucp:3.2.5"}
      dtr: {version: 2.7.6, tool: "docker/dtr:2.7.6"}
    folders:
      python: /srv/wheels
"""

RETURN = r"""
path:
  description: The bundle.
  returned: success
  type: str
  sample: /srv/dockyard-bundle-3.2.5-2.7.6.tar
manifest:
  description: What it holds, as M(dockyard.trusted_registry.bundle_info) returns it. In check mode what is known of it.
  returned: success
  type: dict
  sample: {format: 1, created: "2026-11-23T15:00:00Z", products: {}, files: {}}
pulled:
  description: How many images were pulled.
  returned: success
  type: int
  sample: 0
"""

import tarfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bundle import BundleError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bundle_write import make
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import LISTS, Docker, ImageError


def wrong(products):
    """Return what is wrong with the option products, or nothing."""
    for name, wanted in products.items():
        if name not in LISTS:
            return f"products: there is no product {name}; choose from {', '.join(LISTS)}"
        if not isinstance(wanted, dict) or set(wanted) != {"version", "tool"}:
            return f"products.{name} must have version and tool, and nothing else"
    return "" if products else f"products is empty; name {' or '.join(LISTS)}"


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "products": {"type": "dict", "required": True},
            "folders": {"type": "dict", "default": {}},
            "archives": {"type": "list", "elements": "path", "default": []},
            "pull": {"type": "bool", "default": True},
            "compress": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 1800},
        },
        supports_check_mode=True,
    )
    params = module.params
    problem = wrong(params["products"])
    if problem:
        module.fail_json(msg=problem)
    products = {name: {key: str(value) for key, value in wanted.items()} for name, wanted in params["products"].items()}
    try:
        result = make(
            lambda: Docker(params["timeout"]),
            params["path"],
            products=products,
            folders=params["folders"],
            archives=params["archives"],
            pull=params["pull"],
            compress=params["compress"],
            check_mode=module.check_mode,
        )
    except (BundleError, ImageError, OSError, tarfile.TarError) as error:
        module.fail_json(msg=f"{params['path']} was not made: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
