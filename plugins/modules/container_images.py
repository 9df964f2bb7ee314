#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: container_images
short_description: Have container images on a host, loaded from an archive
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Looks which of the named images the host's engine lacks and, only if there are any, loads an archive of C(docker save) that lies
    on the host. Pulls nothing.
  - Before anything is loaded the whole archive is read once. A truncated one, one with another SHA-256, one that lacks a missing
    image, and one that would fill the engine's disk are each refused, and the engine is left as it is.
  - Afterwards the engine is asked for every name again.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
options:
  images:
    description: Names with tags of the images that must be there. Names with a digest are refused, an archive has none.
    type: list
    elements: str
    required: true
  archive:
    description:
      - Path on the host of what C(docker save) wrote, plain or compressed by gzip. Not needed when nothing is missing.
      - In check mode one that is not there yet is taken to hold the images.
    type: path
  sha256:
    description: The archive's SHA-256.
    type: str
  tools:
    description:
      - Bootstrapper image by product (C(ucp), C(dtr)). Those that are on the host are run for a moment, without network, and what they
        list is wanted like O(images). After a load they are asked again.
    type: dict
    default: {}
  timeout:
    description: Seconds that C(docker load) may take.
    type: int
    default: 1800
notes:
  - In check mode a host without an engine is taken to lack every image.
  - The disk check asks for twice the archive's unpacked size in the engine's data directory, which is what C(docker load) takes
    while it works.
seealso:
  - module: dockyard.trusted_registry.container_images_info
"""

EXAMPLES = r"""
- name: Have the images of DTR on this host
  dockyard.trusted_registry.container_images:
    images:
      - docker/dtr:2.7.6
      - docker/dtr-api:2.7.6
    archive: /var/tmp/dtr_images_2.7.6.tar.gz
    sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
"""

RETURN = r"""
images:
  description: Id by name of those of O(images) that are on the host afterwards; in check mode, before.
  returned: success
  type: dict
  sample: {"docker/dtr:2.7.6": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
missing:
  description: Those that were missing before.
  returned: success
  type: list
  elements: str
  sample: ["docker/dtr:2.7.6"]
loaded:
  description: Those that were missing and have been loaded.
  returned: success
  type: list
  elements: str
  sample: ["docker/dtr:2.7.6"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import (
    LISTS,
    Docker,
    ImageError,
    NoDocker,
    bring,
    foreseen,
)


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "images": {"type": "list", "elements": "str", "required": True},
            "archive": {"type": "path"},
            "sha256": {"type": "str"},
            "tools": {"type": "dict", "default": {}},
            "timeout": {"type": "int", "default": 1800},
        },
        supports_check_mode=True,
    )
    params = module.params
    unknown = sorted(set(params["tools"]) - set(LISTS))
    if unknown:
        module.fail_json(msg=f"tools: there is no product {unknown[0]}; choose from {', '.join(LISTS)}")
    try:
        docker = Docker(params["timeout"])
        options = {"sha256": params["sha256"], "tools": params["tools"], "check_mode": module.check_mode}
        module.exit_json(**bring(docker, params["images"], params["archive"], **options))
    except NoDocker as error:
        if module.check_mode:
            module.exit_json(**foreseen(params["images"]))
        module.fail_json(msg=str(error))
    except (ImageError, OSError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
