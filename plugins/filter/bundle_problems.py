# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: bundle_problems
short_description: Whether a bundle is the one that a host needs
version_added: 0.3.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Compares what a bundle holds with the products and versions a host is to get. Each problem is one sentence.
positional: _input, images, versions, path
options:
  _input:
    description: The C(products) of the bundle's manifest.
    type: dict
    required: true
  images:
    description: Products whose images the host is to get.
    type: list
    elements: str
    required: true
  versions:
    description: Declared version by product; an empty one accepts any.
    type: dict
    required: true
  path:
    description: The bundle, for the messages.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Refuse another bundle
  ansible.builtin.assert:
    that: manifest.products | dockyard.trusted_registry.bundle_problems(['ucp'], wanted_versions, bundle_file) | length == 0
  vars:
    wanted_versions: {ucp: 3.2.5}
"""

RETURN = r"""
_value:
  description: The problems; empty when there are none.
  type: list
  elements: str
"""


def bundle_problems(products, images, versions, path):
    """Return what speaks against a bundle."""
    held = ", ".join(f"{name} {entry['version']}" for name, entry in sorted(products.items())) or "nothing"
    problems = [
        f"{path} holds no images of {name}, only {held}; make one with {name}_version set, or leave {name} out of bundle_images"
        for name in images
        if name not in products
    ]
    problems += [
        f"{path} holds {name} {products[name]['version']}, and {name}_version is {versions[name]}; give the bundle of that version"
        for name in images
        if name in products and versions.get(name) and versions[name] != products[name]["version"]
    ]
    return problems


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"bundle_problems": bundle_problems}
