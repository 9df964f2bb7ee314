# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What a manifest needs: image manifests and indexes of OCI, Docker's schema 2 and its lists, and schema 1."""

from __future__ import annotations

import json

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_store import DIGEST

# A registry refuses larger ones (Distribution: registry/handlers/manifests.go, 4 MiB).
LARGEST = 4 * 1024 * 1024


class Manifest:
    """blobs: digests without which it cannot be pulled; children: digests of an index's manifests; schema1: of the first schema."""

    def __init__(self, blobs, children=(), schema1=False):
        wrong = [one for one in [*blobs, *children] if not isinstance(one, str) or not DIGEST.match(one)]
        if wrong:
            raise ValueError(f"it names {wrong[0]!r}, which is no digest")
        self.blobs, self.children, self.schema1 = list(dict.fromkeys(blobs)), list(dict.fromkeys(children)), schema1


def parse(content):
    """The manifest in some bytes; ValueError, one sentence, where there is none."""
    try:
        found = json.loads(content)
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    try:
        if isinstance(found.get("manifests"), list):
            return Manifest([], [one["digest"] for one in found["manifests"]])
        if found.get("schemaVersion") == 1:
            return Manifest([one["blobSum"] for one in found["fsLayers"]], schema1=True)
        if "config" in found or "layers" in found:
            # Layers with addresses of their own (Windows' base layers) need not be in the registry.
            layers = [one for one in [found.get("config"), *(found.get("layers") or [])] if one and not one.get("urls")]
            return Manifest([one["digest"] for one in layers])
        if isinstance(found.get("blobs"), list):
            return Manifest([one["digest"] for one in found["blobs"]])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"an entry of it has no digest ({error.__class__.__name__}: {error})") from error
    raise ValueError(f"it is no manifest of a kind that is known here (mediaType {found.get('mediaType')!r})")
