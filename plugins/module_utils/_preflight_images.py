# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Which images a host has, and which the products' tools on it ask for."""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import Docker, ImageError, familiar


def images(tools, socket):
    """Return the names of the engine's images, and by tool (C(ucp docker/ucp:3.2.5)) what those here list; or the engine's error.

    Without tools nobody wants to know, and the engine is not asked.
    """
    if not tools:
        return None
    lists = {}
    try:
        docker = Docker(socket=socket)
        present = docker.images()
        for key in tools:
            product, _dummy, tool = key.partition(" ")
            if familiar(tool) in present:
                lists[key] = _listed(docker, product, tool)
    except ImageError as error:
        return {"error": str(error)}
    return {"present": sorted(present), "lists": lists}


def _listed(docker, product, tool):
    try:
        return {"names": docker.listed(product, tool)}
    except ImageError as error:
        return {"error": str(error)}
