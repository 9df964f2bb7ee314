# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Is everything in a store that its tags promise? Reads only; a registry may go on writing to the store."""

from __future__ import annotations

import hashlib
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_manifest import LARGEST, parse
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_store import holds

SEVERITIES = ("none", "info", "warning", "error")
# Kind of a finding: how bad it is, and what to do about it.
KINDS = {
    "tag_malformed": ("error", "restore the tag from a backup, or push it again"),
    "tag_dangling": ("error", "restore the tag from a backup, or push it again"),
    "manifest_missing": ("error", "restore the manifest from a backup, or push the image again"),
    "manifest_corrupt": ("error", "remove the blob's folder, then restore it from a backup or push the image again"),
    "manifest_unknown": ("warning", "nothing, if its client can read it: what it refers to is not known here, and was not checked"),
    "manifest_unlinked": ("error", "have it repaired: the manifest is in the store, only the repository's link to it is damaged or gone"),
    "child_missing": ("error", "restore it from a backup, or push the multi-platform image again"),
    "blob_missing": ("error", "restore the blob from a backup, or push the image again"),
    "blob_corrupt": ("error", "remove the blob's folder, then restore it from a backup or push the image again"),
    "layer_unlinked": ("error", "have it repaired: the blob is in the store, only the repository's link to it is damaged or gone"),
    "layer_dangling": ("warning", "have it repaired: nothing that the repository has needs the blob any more"),
    "upload_orphan": ("info", "have it repaired, if nobody goes on with an upload as old as this"),
    "repository_phantom": ("info", "nothing: the repository is empty, but listed in the catalogue"),
}
REPAIRABLE = ("layer_dangling", "layer_unlinked", "manifest_unlinked", "upload_orphan")
CONTENTS = ("none", "sample", "all")
_CHUNK = 1 << 20


class Finding:
    """What is wrong: kind, one sentence, the paths that prove it, and repository, tag and digest as far as they apply.

    It stands as long as `because` is there and `needs`, if any, is not. A link that does not say what it stands for is not there.
    """

    def __init__(self, kind, message, because, needs=None, *, repository="", tag="", digest=""):
        self.kind, self.message, self.because, self.needs = kind, message, because, needs
        self.repository, self.tag, self.digest = repository, tag, digest

    @property
    def severity(self):
        return KINDS[self.kind][0]

    def stands(self):
        """Whether it is still so: of a store that is written to, links and blobs are read one after the other."""
        if not os.path.lexists(self.because):
            return False
        there = holds if os.path.basename(self.needs or "") == "link" else os.path.exists
        return not (self.needs and there(self.needs))

    def told(self):
        return {
            "kind": self.kind, "severity": self.severity, "repository": self.repository, "tag": self.tag, "digest": self.digest,
            "message": self.message, "mend": KINDS[self.kind][1],
        }


class Repository:
    """The links of one repository, in the order in which they must be read."""

    def __init__(self, store, name):
        self.name = name
        self.tags = store.tags(name)
        self.revisions, self.bad_revisions = store.revisions(name)
        self.layers, self.bad_layers = store.layers(name)
        self.uploads = store.uploads(name)


class Manifests:
    """Manifests by digest, each read, hashed and parsed once."""

    def __init__(self, store, blobs):
        self.store, self.blobs, self.known = store, blobs, {}

    def get(self, digest):
        """The manifest, and the kind and the words of what is wrong with it."""
        if digest not in self.known:
            self.known[digest] = self._read(digest)
        return self.known[digest]

    def _read(self, digest):
        if digest not in self.blobs:
            return None, "manifest_missing", "is not in the store"
        if self.blobs[digest] > LARGEST:
            return None, "manifest_unknown", f"has {self.blobs[digest]} bytes, more than any manifest"
        try:
            with open(self.store.blob(digest), "rb") as stream:
                content = stream.read()
        except OSError as error:
            return None, "manifest_corrupt", f"cannot be read: {error.strerror}"
        if digest_of([content], digest) != digest:
            return None, "manifest_corrupt", f"has content that hashes to {digest_of([content], digest)}"
        try:
            return parse(content), None, None
        except ValueError as error:
            return None, "manifest_unknown", str(error)


class Verification:
    """One look at a store. contents: which blobs are read and hashed beside the manifests, which always are: none, sample or all."""

    def __init__(self, store, *, contents="none", sample=5.0, upload_age=168, only=(), now=time.time):
        self.store, self.contents, self.sample, self.upload_age, self.only = store, contents, sample, upload_age * 3600, set(only)
        self.now = now
        started = time.monotonic()
        self.repositories = [Repository(store, name) for name in store.repositories() if not self.only or name in self.only]
        self.unknown = sorted(self.only - {one.name for one in self.repositories})
        self.blobs = store.blobs()
        self.manifests = Manifests(store, self.blobs)
        self.needed, self.hashed, self.hashed_bytes, self.hashing_seconds = set(), 0, 0, 0.0
        found = [finding for repository in self.repositories for finding in self._of_repository(repository)]
        found += self._of_contents()
        self.findings = sorted((one for one in found if one.stands()), key=_rank)
        self.seconds = time.monotonic() - started

    @property
    def severity(self):
        return max((one.severity for one in self.findings), key=SEVERITIES.index, default="none")

    def _of_repository(self, repository):
        yield from self._of_links(repository)
        needed, all_read = set(), True
        for digest in sorted(repository.revisions):
            link = self.store.revision_link(repository.name, digest)
            manifest, kind, words = self.manifests.get(digest)
            if kind:
                yield Finding(kind, f"manifest {digest} of {repository.name} {words}", link,
                              self.store.blob(digest) if kind == "manifest_missing" else None, repository=repository.name, digest=digest)
                all_read = False
                continue
            needed.update(manifest.blobs)
            yield from self._of_manifest(repository, digest, manifest, link)
        self.needed |= needed | repository.revisions
        for digest in sorted((repository.layers | repository.bad_layers) - needed):
            link = self.store.layer_link(repository.name, digest)
            if digest not in self.blobs and all_read:   # a manifest that cannot be read may need it
                yield Finding("layer_dangling", f"{repository.name} has a link for blob {digest}, which is not in the store",
                              os.path.dirname(link), self.store.blob(digest), repository=repository.name, digest=digest)
            elif digest in self.blobs and digest in repository.bad_layers:
                yield Finding("layer_unlinked", f"the link of blob {digest} of {repository.name} does not say so",
                              os.path.dirname(link), link, repository=repository.name, digest=digest)

    def _of_links(self, repository):
        name = repository.name
        for tag, digest in sorted(repository.tags.items()):
            link = os.path.join(self.store.top, "repositories", name, "_manifests/tags", tag)
            if digest is None:
                yield Finding("tag_malformed", f"the link of tag {name}:{tag} holds no digest",
                              link, os.path.join(link, "current/link"), repository=name, tag=tag)
            elif digest not in repository.revisions | repository.bad_revisions:
                yield Finding("tag_dangling", f"tag {name}:{tag} stands for {digest}, which the repository does not have",
                              link, self.store.revision_link(name, digest), repository=name, tag=tag, digest=digest)
        for digest in repository.bad_revisions:
            link = self.store.revision_link(name, digest)
            kind = "manifest_unlinked" if digest in self.blobs else "manifest_missing"
            yield Finding(kind, f"the link of manifest {digest} of {name} does not say so",
                          os.path.dirname(link), link, repository=name, digest=digest)
        for path, written in repository.uploads.items():
            hours = (self.now() - written) / 3600
            if hours * 3600 > self.upload_age:
                yield Finding("upload_orphan", f"upload {path} was last written to {hours:.0f} hours ago", path, repository=name)
        if not repository.tags and not repository.revisions and not repository.uploads:
            yield Finding("repository_phantom", f"{name} has no tag and no manifest",
                          os.path.join(self.store.top, "repositories", name), repository=name)

    def _of_manifest(self, repository, digest, manifest, link):
        name = repository.name
        for blob in manifest.blobs:
            if blob not in self.blobs:
                yield Finding("blob_missing", f"manifest {digest} of {name} needs blob {blob}, which is not in the store",
                              link, self.store.blob(blob), repository=name, digest=blob)
            elif blob not in repository.layers:
                yield Finding("layer_unlinked", f"manifest {digest} of {name} needs blob {blob}, which the repository may not read",
                              link, self.store.layer_link(name, blob), repository=name, digest=blob)
        for child in manifest.children:
            if child in repository.revisions | repository.bad_revisions:
                continue   # judged by itself
            there = self.manifests.get(child)[0]
            kind, words = ("manifest_unlinked", "which the repository may not read") if there else ("child_missing", "which is not there")
            yield Finding(kind, f"index {digest} of {name} names manifest {child}, {words}",
                          link, self.store.revision_link(name, child), repository=name, digest=child)

    def _of_contents(self):
        unread = sorted((self.needed & set(self.blobs) if self.only else set(self.blobs)) - set(self.manifests.known))
        if self.contents == "none":
            unread = []
        elif self.contents == "sample":
            unread = random.sample(unread, min(len(unread), max(1, round(len(unread) * self.sample / 100)))) if unread else []
        started = time.monotonic()
        with ThreadPoolExecutor(os.cpu_count()) as pool:   # hashing large pieces lets other threads run
            for digest, words in zip(unread, pool.map(self._wrong, unread)):
                if words:
                    yield Finding("blob_corrupt", f"blob {digest} {words}", self.store.blob(digest), digest=digest)
        self.hashing_seconds, self.hashed = time.monotonic() - started, len(unread)
        self.hashed_bytes = sum(self.blobs[digest] for digest in unread)

    def _wrong(self, digest):
        """What is wrong with a blob's content; None for a good one, and for one that is gone by now."""
        try:
            found = digest_of_file(self.store.blob(digest), digest)
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        return None if found == digest else f"has content that hashes to {found}"

    def unreferenced(self):
        """Number and bytes of blobs that no manifest needs: what a collection of garbage removes. None when only some were looked at."""
        if self.only:
            return None
        free = [digest for digest in self.blobs if digest not in self.needed]
        return {"blobs": len(free), "bytes": sum(self.blobs[digest] for digest in free)}


def digest_of(chunks, like):
    """The digest of some content by the algorithm of another digest."""
    found = hashlib.new(like.partition(":")[0])
    for chunk in chunks:
        found.update(chunk)
    return f"{like.partition(':')[0]}:{found.hexdigest()}"


def digest_of_file(path, like):
    """The digest of a file by the algorithm of another digest."""
    with open(path, "rb", buffering=0) as stream:
        return digest_of(iter(lambda: stream.read(_CHUNK), b""), like)


def _rank(finding):
    return -SEVERITIES.index(finding.severity), finding.kind, finding.repository, finding.tag, finding.digest
