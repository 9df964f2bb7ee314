# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Where CNCF Distribution 2.x and 3.x keep things on a filesystem, as its registry/storage/paths.go lays them out.

A push writes blobs before links to them, and revisions before tags. Who reads tags, revisions, layers and then blobs therefore finds
everything that a tag stood for when it was read, pushes going on or not.
"""

from __future__ import annotations

import os
import re

DIGEST = re.compile(r"sha(256|384|512):[0-9a-f]{64,128}\Z")   # the algorithms that OCI registers and Distribution takes
_LINK_BYTES = 256   # a link holds one digest, 71 bytes with SHA-256


class Store:
    """A store by its root directory, the registry's C(storage.filesystem.rootdirectory)."""

    def __init__(self, root):
        self.top = os.path.join(root, "docker/registry/v2")

    def exists(self):
        return os.path.isdir(self.top)

    def repositories(self):
        """Names, also of those that hold nothing any more."""
        top = os.path.join(self.top, "repositories")
        for place, folders, _files in os.walk(top):
            if "_manifests" in folders or "_layers" in folders or "_uploads" in folders:
                yield os.path.relpath(place, top)
            # No part of a repository's name begins with an underscore: these are the store's own.
            folders[:] = sorted(name for name in folders if not name.startswith("_"))

    def tags(self, repository):
        """By tag the digest it stands for, None where its link holds none."""
        top = self._repository(repository, "_manifests/tags")
        return {name: read_link(os.path.join(top, name, "current/link")) for name in _names(top)}

    def revisions(self, repository):
        """Digests of the manifests that the repository has, and of those whose link does not say so."""
        return self._linked(self._repository(repository, "_manifests/revisions"))

    def layers(self, repository):
        """Digests of the blobs that the repository may read, and of those whose link does not say so."""
        return self._linked(self._repository(repository, "_layers"))

    def uploads(self, repository):
        """By path of an upload that was begun and not ended, when it was last written to, in seconds since 1970."""
        top = self._repository(repository, "_uploads")
        written = {path: newest(path) for path in (os.path.join(top, name) for name in _names(top))}
        return {path: when for path, when in written.items() if when}

    def blobs(self):
        """By digest the size in bytes."""
        found = {}
        top = os.path.join(self.top, "blobs")
        for algorithm in _names(top):
            for prefix in _names(os.path.join(top, algorithm)):
                for entry in _entries(os.path.join(top, algorithm, prefix)):
                    if not DIGEST.match(f"{algorithm}:{entry.name}"):
                        continue
                    try:
                        found[f"{algorithm}:{entry.name}"] = os.stat(os.path.join(entry.path, "data")).st_size
                    except OSError:
                        continue   # its folder is made before it, and outlives it
        return found

    def blob(self, digest):
        algorithm, _colon, name = digest.partition(":")
        return os.path.join(self.top, "blobs", algorithm, name[:2], name, "data")

    def layer_link(self, repository, digest):
        return self._repository(repository, "_layers", *digest.split(":"), "link")

    def revision_link(self, repository, digest):
        return self._repository(repository, "_manifests/revisions", *digest.split(":"), "link")

    def _repository(self, repository, *parts):
        return os.path.join(self.top, "repositories", repository, *parts)

    @staticmethod
    def _linked(top):
        found, broken = set(), set()
        for algorithm in _names(top):
            for name in _names(os.path.join(top, algorithm)):
                path = os.path.join(top, algorithm, name, "link")
                digest = f"{algorithm}:{name}"
                if holds(path):
                    found.add(digest)
                elif os.path.exists(path):   # a folder without a link is what a deletion leaves
                    broken.add(digest)
        return found, broken


def read_link(path):
    """The digest in a link, None for one that holds none or is not there: it is written in place, and a crash leaves it empty."""
    try:
        with open(path, encoding="ascii") as stream:
            text = stream.read(_LINK_BYTES)
    except (OSError, ValueError):
        return None
    return text if DIGEST.match(text) else None


def holds(path):
    """Whether a link says what it stands for: a tag's any digest, the others' the one that they are named after."""
    *_dummy, algorithm, name, _link = path.split(os.sep)
    return read_link(path) is not None if name == "current" else read_link(path) == f"{algorithm}:{name}"


def newest(path):
    """When anything below a path was last written, in seconds since 1970; None for what is gone, as an upload that has ended."""
    try:
        times = [os.stat(path).st_mtime]
        for place, _folders, files in os.walk(path):
            times += [os.stat(os.path.join(place, name)).st_mtime for name in files]
    except FileNotFoundError:
        return None
    return max(times)


def _entries(top):
    try:
        with os.scandir(top) as entries:
            return [entry for entry in entries if entry.is_dir()]
    except FileNotFoundError:
        return []


def _names(top):
    try:
        return sorted(os.listdir(top))
    except (FileNotFoundError, NotADirectoryError):
        return []
