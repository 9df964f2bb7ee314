# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: bundle_room
short_description: Whether a host has room for a product's archive and for its images
version_added: 0.3.0
author:
  - Dockyard contributors (@dockyard)
description:
  - The archive needs its own size where it is copied to, and loading it twice its unpacked size in the engine's data directory. Both
    count together where they are on one filesystem.
positional: _input, product, host
options:
  _input:
    description: The bundle's manifest.
    type: dict
    required: true
  product:
    description: The product.
    type: str
    required: true
  host:
    description: What M(dockyard.trusted_registry.container_images_info) returned for the host.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse a host that would run full
  ansible.builtin.assert:
    that: manifest | dockyard.trusted_registry.bundle_room('dtr', found) == ''
"""

RETURN = r"""
_value:
  description: What is lacking and how to mend it; empty when there is room.
  type: str
"""


def _megabytes(number):
    return f"{number / 1e6:.0f} MB"


def _lacking(path, free, needed, what):
    return f"{path} has {_megabytes(free)} free, and {what} takes {_megabytes(needed)}; make room there"


def bundle_room(manifest, product, host):
    """Return why a host has no room, or nothing."""
    entry = manifest["products"][product]
    packed, unpacked = manifest["files"][entry["archive"]]["size"], 2 * entry["unpacked"]
    engine, directory = host["engine"], host["directory"]
    if engine is None:
        return ""  # check mode, and the engine is yet to come
    if engine["free"] is None:
        return f"the engine's data directory {engine['root']} is not on this host; do not set DOCKER_HOST"
    if directory["shared"]:
        what = f"the archive of {product} in {directory['path']} and its loading"
        return _lacking(engine["root"], engine["free"], packed + unpacked, what) if engine["free"] < packed + unpacked else ""
    if directory["free"] < packed:
        return _lacking(directory["path"], directory["free"], packed, f"the archive of {product}") + ", or set bundle_directory"
    if engine["free"] < unpacked:
        return _lacking(engine["root"], engine["free"], unpacked, f"loading the images of {product}") + ", or set the engine's data-root"
    return ""


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"bundle_room": bundle_room}
