#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: container_images_info
short_description: Look which container images a host has and lacks, and how much room for them
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Asks the host's engine for images by name, and the host for the free space where an archive of them would lie and be loaded.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  diff_mode:
    support: none
    details: Nothing is ever changed.
options:
  images:
    description: Names with tags to look for.
    type: list
    elements: str
    required: true
  tools:
    description:
      - Bootstrapper image by product (C(ucp), C(dtr)). Those that are on the host are run for a moment, without network, and what they
        list is looked for like O(images).
    type: dict
    default: {}
  directory:
    description: Where an archive would lie.
    type: path
    default: /var/tmp
notes:
  - A host without an engine is an error. In check mode it is taken to lack every image, since the step that would install an engine
    has not done so.
seealso:
  - module: dockyard.trusted_registry.container_images
"""

EXAMPLES = r"""
- name: Which images does this host lack
  dockyard.trusted_registry.container_images_info:
    images: ["docker/ucp:3.2.5", "docker/ucp-agent:3.2.5"]
  register: found
"""

RETURN = r"""
images:
  description: Id by name of those that are there.
  returned: success
  type: dict
  sample: {"docker/ucp:3.2.5": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
missing:
  description: Those that are not.
  returned: success
  type: list
  elements: str
  sample: ["docker/ucp-agent:3.2.5"]
engine:
  description:
    - The engine's version, its data directory and the free bytes there, null for an engine on another host.
    - Null in check mode on a host without an engine.
  returned: success
  type: dict
  sample: {version: 20.10.24, root: /var/lib/docker, free: 41943040000}
directory:
  description: The directory asked for, the free bytes there, and whether it is on the same filesystem as the engine's data.
  returned: success
  type: dict
  sample: {path: /var/tmp, free: 41943040000, shared: true}
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import (
    LISTS,
    Docker,
    ImageError,
    NoDocker,
    asked,
    familiar,
    free_space,
)


def look(docker, images, tools, directory):
    """Return the module's result."""
    wanted = sorted({familiar(name) for name in images})
    if not os.path.isdir(directory):
        raise ImageError(f"there is no directory {directory} on this host; make it, or name another")
    if docker is None:
        around = {"path": directory, "free": free_space(directory), "shared": False}
        return {"images": {}, "missing": wanted, "engine": None, "directory": around}
    engine = docker.engine()
    present = docker.images()
    wanted = sorted({*wanted, *asked(docker, tools, present)})
    # An engine elsewhere (DOCKER_HOST) has no data directory here.
    local = os.path.isdir(engine.root)
    return {
        "images": {name: present[name] for name in wanted if name in present},
        "missing": [name for name in wanted if name not in present],
        "engine": {"version": engine.version, "root": engine.root, "free": free_space(engine.root) if local else None},
        "directory": {
            "path": directory,
            "free": free_space(directory),
            "shared": local and os.stat(directory).st_dev == os.stat(engine.root).st_dev,
        },
    }


def _docker(check_mode):
    try:
        return Docker()
    except NoDocker:
        if check_mode:
            return None
        raise


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "images": {"type": "list", "elements": "str", "required": True},
            "tools": {"type": "dict", "default": {}},
            "directory": {"type": "path", "default": "/var/tmp"},
        },
        supports_check_mode=True,
    )
    params = module.params
    unknown = sorted(set(params["tools"]) - set(LISTS))
    if unknown:
        module.fail_json(msg=f"tools: there is no product {unknown[0]}; choose from {', '.join(LISTS)}")
    try:
        module.exit_json(changed=False, **look(_docker(module.check_mode), params["images"], params["tools"], params["directory"]))
    except (ImageError, OSError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
