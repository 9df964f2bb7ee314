# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: product_image
short_description: Name of UCP's or DTR's bootstrapper image of a version
version_added: 0.3.0
description:
  - Makes C(docker/ucp:3.2.5) or C(mirantis/dtr:2.9.4) of the product and the version. The vendor moved the images from C(docker) to
    C(mirantis) with UCP 3.2.8 and 3.3.2 and with DTR 2.7.8 and 2.8.2.
author: Dockyard contributors (@dockyard)
positional: version, registry
options:
  _input:
    description: V(ucp) or V(dtr).
    type: str
    required: true
  version:
    description: Such as V(3.2.5).
    type: str
    required: true
  registry:
    description: Host, with port and path as needed, of a registry that holds copies of the images; empty for none.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Shows registry.example.com/mirror/docker/ucp:3.2.5
  ansible.builtin.debug:
    msg: "{{ 'ucp' | dockyard.trusted_registry.product_image('3.2.5', 'registry.example.com/mirror') }}"
"""

RETURN = r"""
_value:
  description: The image's name with its tag.
  type: str
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_cluster_versions import organization, parsed


def product_image(product, version, registry=""):
    if product not in ("ucp", "dtr"):
        raise AnsibleFilterError(f"product_image: {product} is no product; give ucp or dtr.")
    if not parsed(version):
        raise AnsibleFilterError(f"product_image: {version!r} is no version like 3.2.5.")
    prefix = registry.rstrip("/") + "/" if registry else ""
    return f"{prefix}{organization(product, version)}/{product}:{version}"


class FilterModule:
    def filters(self):
        return {"product_image": product_image}
