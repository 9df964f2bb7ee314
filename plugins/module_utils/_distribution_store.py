# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Read a filesystem store as far as time allows."""

from __future__ import annotations

import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_manifest import LARGEST, parse
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_store import Store

_SHOWN = 50


class Deadline:
    """Stops a long walk."""

    def __init__(self, seconds):
        self.end, self.passed = time.monotonic() + seconds, False

    def __bool__(self):
        self.passed = self.passed or time.monotonic() > self.end
        return self.passed


def is_schema1(path):
    """Whether a manifest is of schema 1, which 3.x cannot read; one that is not there, or is none, is not."""
    try:
        with open(path, "rb") as stream:
            return parse(stream.read(LARGEST)).schema1
    except (OSError, ValueError):
        return False


def describe(root, seconds):
    """What a store holds, and which of its manifests are of schema 1."""
    store, deadline, names, old, seen, blobs = Store(root), Deadline(seconds), [], [], 0, {}
    for repository in store.repositories():
        if deadline:
            break
        names.append(repository)
        for digest in sorted(store.revisions(repository)[0]):
            if deadline:
                break
            seen += 1
            if is_schema1(store.blob(digest)):
                old.append(f"{repository}@{digest}")
    if not deadline:
        blobs = store.blobs()
    return {
        "repositories": names[:_SHOWN],
        "repository_count": len(names),
        "manifests": seen,
        "schema1": old[:_SHOWN],
        "schema1_count": len(old),
        "blobs": len(blobs),
        "bytes": sum(blobs.values()),
        "complete": not deadline.passed,
    }
