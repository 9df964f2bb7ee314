# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Read a filesystem store as far as time allows."""

from __future__ import annotations

import json
import os
import re
import time

_DIGEST = re.compile(r"^sha256:([0-9a-f]{64})$")
# Manifests are small; a registry refuses more than 4 MiB.
_LARGEST_MANIFEST = 4 * 1024 * 1024
_SHOWN = 50


class Deadline:
    """Stops a long walk."""

    def __init__(self, seconds):
        self.end, self.passed = time.monotonic() + seconds, False

    def __bool__(self):
        self.passed = self.passed or time.monotonic() > self.end
        return self.passed


def is_schema1(content):
    """Whether a manifest is of schema 1, which 3.x cannot read."""
    try:
        manifest = json.loads(content)
    except ValueError:
        return False
    return isinstance(manifest, dict) and manifest.get("schemaVersion") == 1


def repositories(root, deadline):
    """Names of the repositories in a store."""
    top = os.path.join(root, "docker/registry/v2/repositories")
    for place, folders, _files in os.walk(top):
        if deadline:
            return
        if "_manifests" in folders or "_layers" in folders:
            yield os.path.relpath(place, top)
        # Names hold no leading underscore, so these are the store's own.
        folders[:] = sorted(name for name in folders if not name.startswith("_"))


def manifests(root, repository, deadline):
    """Digest and content of the manifests in a repository; content is None for a blob that is not there."""
    version = os.path.join(root, "docker/registry/v2")
    revisions = os.path.join(version, "repositories", repository, "_manifests/revisions/sha256")
    for name in sorted(os.listdir(revisions)) if os.path.isdir(revisions) else ():
        if deadline:
            return
        if _DIGEST.match("sha256:" + name) and os.path.exists(os.path.join(revisions, name, "link")):
            blob = os.path.join(version, "blobs/sha256", name[:2], name, "data")
            try:
                with open(blob, "rb") as stream:
                    yield "sha256:" + name, stream.read(_LARGEST_MANIFEST)
            except FileNotFoundError:
                yield "sha256:" + name, None


def blob_bytes(root, deadline):
    """Number and size of the blobs in a store."""
    count = size = 0
    for place, _folders, files in os.walk(os.path.join(root, "docker/registry/v2/blobs")):
        if deadline:
            break
        if "data" in files:
            count, size = count + 1, size + os.stat(os.path.join(place, "data")).st_size
    return count, size


def describe(root, seconds):
    """What a store holds, and which of its manifests are of schema 1."""
    deadline, names, old, seen = Deadline(seconds), [], [], 0
    for repository in repositories(root, deadline):
        names.append(repository)
        for digest, content in manifests(root, repository, deadline):
            seen += 1
            if content is not None and is_schema1(content):
                old.append(f"{repository}@{digest}")
    blobs, size = blob_bytes(root, deadline)
    return {
        "repositories": names[:_SHOWN],
        "repository_count": len(names),
        "manifests": seen,
        "schema1": old[:_SHOWN],
        "schema1_count": len(old),
        "blobs": blobs,
        "bytes": size,
        "complete": not deadline.passed,
    }
