# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: bundle_summary
short_description: A bundle in one line
version_added: 0.3.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Tells what a bundle holds, for people.
positional: _input, check_mode
options:
  _input:
    description: What M(dockyard.trusted_registry.bundle) or M(dockyard.trusted_registry.bundle_info) returned.
    type: dict
    required: true
  check_mode:
    description: Whether the bundle would be made and is not.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say what the bundle holds
  ansible.builtin.debug:
    msg: "{{ made | dockyard.trusted_registry.bundle_summary }}"
"""

RETURN = r"""
_value:
  description: The line.
  type: str
"""


def bundle_summary(result, check_mode=False):
    """Return what a bundle holds."""
    manifest, path = result["manifest"], result["path"]
    products = sorted(manifest["products"].items())
    if check_mode and result["changed"]:
        return f"{path} would be made, with {' and '.join(entry['tool'] for _name, entry in products)} and the images they list"
    held = [f"{name} {entry['version']} ({len(entry['images'])} images)" for name, entry in products]
    for folder, what in (("collections", "collections"), ("python", "Python packages")):
        count = sum(name.startswith(folder + "/") and name.endswith((".whl", ".tar.gz")) for name in manifest["files"])
        held += [f"{count} {what}"] if count else []
    size = sum(entry["size"] for entry in manifest["files"].values())
    return f"{path}: {', '.join(held)}; {size / 1e6:.0f} MB, made {manifest['created']}"


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"bundle_summary": bundle_summary}
