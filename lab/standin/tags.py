# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags and manifests: what the registry knows about its images. The blobs themselves are Distribution's (registry.py).

A manifest in the store is what manifests.py describes and digest, author, createdAt; a tag is name, digest, author, createdAt, updatedAt,
where it came from elsewhere `promotion` or `mirroring`, and where Notary knows it `signed`, the digest it was signed with.
"""

from __future__ import annotations

import re

from .errors import Refused

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def no_such_tag(path: str, tag: str) -> Refused:
    return Refused(404, "NO_SUCH_TAG", f"There is no tag {tag} in {path}.")


def check_name(tag: str) -> None:
    if not TAG.fullmatch(tag):
        raise Refused(400, "INVALID_TAG_NAME", f"{tag!r} is no tag: at most 128 letters, digits, and . _ -, not beginning with . or -.")


class Tags:
    """All paths are given as namespace and repository; digests as "sha256:...". Rights are the caller's business."""

    def __init__(self, standin):
        self.standin, self.store = standin, standin.store

    # Finding

    def find(self, namespace: str, repository: str, tag: str) -> dict | None:
        return self.store.get("tag", f"{namespace}/{repository}/{tag}")

    def of_repository(self, namespace: str, repository: str) -> list[dict]:
        """Ordered by name."""
        return self.store.all("tag", f"{namespace}/{repository}/")

    def manifest(self, namespace: str, repository: str, digest: str) -> dict | None:
        return self.store.get("manifest", f"{namespace}/{repository}/{digest}")

    def manifests(self, namespace: str, repository: str) -> list[dict]:
        return self.store.all("manifest", f"{namespace}/{repository}/")

    def resolve(self, namespace: str, repository: str, reference: str) -> str | None:
        """The digest of a manifest of the repository, by tag or by digest."""
        if ":" in reference:
            return reference if self.manifest(namespace, repository, reference) else None
        tag = self.find(namespace, repository, reference)
        return tag and tag["digest"]

    def family(self, namespace: str, repository: str, digest: str) -> list[dict]:
        """The manifest and, of an index, those of its children that the repository has."""
        parent = self.manifest(namespace, repository, digest)
        found = [parent] + [self.manifest(namespace, repository, child) for child in parent["children"]]
        return [manifest for manifest in found if manifest]

    # Changing

    def check_overwrite(self, namespace: str, repository: str, tag: str, digest: str) -> None:
        """Refuses another image under a tag of an immutable repository, in the documented words."""
        known = self.find(namespace, repository, tag)
        if known and known["digest"] != digest and self.standin.repositories.get(namespace, repository)["immutableTags"]:
            name = f"{self.standin.registry.domain}/{namespace}/{repository}"
            raise Refused(409, "UNKNOWN", f"tag={tag} cannot be overwritten because {name} is an immutable repository")

    def put_manifest(self, namespace: str, repository: str, digest: str, described: dict, actor: str) -> dict:
        """`described`: see manifests.describe."""
        known = self.manifest(namespace, repository, digest)
        if known:
            return known
        manifest = {"digest": digest, "author": actor, "createdAt": self.standin.stamp(), **described}
        self.store.put("manifest", f"{namespace}/{repository}/{digest}", manifest)
        self._fire("MANIFEST_PUSH", namespace, repository, manifest, actor)
        return manifest

    def put(self, namespace: str, repository: str, tag: str, digest: str, actor: str, **origin) -> dict:
        """Points a tag at a manifest of the repository; `origin`: `promotion` or `mirroring` (DTR 2.7 API)."""
        self.check_overwrite(namespace, repository, tag, digest)
        path, known, now = f"{namespace}/{repository}", self.find(namespace, repository, tag), self.standin.stamp()
        doc = {"name": tag, "digest": digest, "author": actor, "createdAt": now, "updatedAt": now, **origin}
        doc |= {name: known[name] for name in ("createdAt", "signed") if known and name in known}
        self.store.put("tag", f"{path}/{tag}", doc)
        self.standin.events.add(actor, "UPDATE" if known else "CREATE", "TAG", digest, f"{path}:{tag}", path)
        self._keep_to_limit(namespace, repository, tag)
        self._fire("TAG_PUSH", namespace, repository, self.manifest(namespace, repository, digest), actor, tag=tag)
        return doc

    def note(self, namespace: str, repository: str, tag: str, **origin) -> None:
        """Adds where a tag came from."""
        self.store.put("tag", f"{namespace}/{repository}/{tag}", {**self.find(namespace, repository, tag), **origin})

    def sign(self, namespace: str, repository: str, tag: str) -> None:
        """As if Notary had trust data of the tag; there is no Notary here."""
        self.note(namespace, repository, tag, signed=self.find(namespace, repository, tag)["digest"])

    def copy(self, source: tuple[str, str, str], target: tuple[str, str, str], actor: str, **origin) -> dict:
        """Tags an image of one repository in another, sharing the blobs; both are (namespace, repository, tag)."""
        check_name(target[2])
        digest = self.resolve(*source)
        if not digest:
            raise no_such_tag(f"{source[0]}/{source[1]}", source[2])
        self.check_overwrite(*target, digest)
        family = self.family(*source[:2], digest)
        self.standin.registry.share(family, f"{target[0]}/{target[1]}")
        for manifest in reversed(family):   # children first, as a push does
            described = {name: value for name, value in manifest.items() if name not in ("digest", "author", "createdAt")}
            self.put_manifest(*target[:2], manifest["digest"], described, actor)
        return self.put(*target, digest, actor, **origin)

    def delete(self, namespace: str, repository: str, tag: str, actor: str) -> None:
        """The manifest and its blobs stay until garbage collection."""
        path, doc = f"{namespace}/{repository}", self.find(namespace, repository, tag)
        if not doc:
            raise no_such_tag(path, tag)
        if doc.get("signed"):
            raise Refused(409, "TAG_IN_NOTARY", f"{path}:{tag} is signed; delete its trust data first.")
        self.store.delete("tag", f"{path}/{tag}")
        self.standin.events.add(actor, "DELETE", "TAG", doc["digest"], f"{path}:{tag}", path)
        self._fire("TAG_DELETE", namespace, repository, self.manifest(namespace, repository, doc["digest"]), actor, tag=tag)

    def drop_manifest(self, namespace: str, repository: str, digest: str) -> None:
        """For garbage collection: a manifest that no tag leads to any more."""
        path, manifest = f"{namespace}/{repository}", self.manifest(namespace, repository, digest)
        self.store.delete("manifest", f"{path}/{digest}")
        self._fire("MANIFEST_DELETE", namespace, repository, manifest, "")

    def check_unsigned(self, namespace: str, repository: str) -> None:
        """Refuses what would delete a repository with signed tags."""
        signed = [tag["name"] for tag in self.of_repository(namespace, repository) if tag.get("signed")]
        if signed:
            why = f"{namespace}/{repository} has signed tags: {', '.join(signed)}; delete their trust data first."
            raise Refused(405, "REPOSITORY_CONTAINS_TAGS_IN_NOTARY", why)

    def forget_repository(self, namespace: str, repository: str) -> None:
        """All tags and manifests of a repository that is deleted; the blobs stay until garbage collection."""
        for kind in ("tag", "manifest"):
            for key, _doc in self.store.items(kind, f"{namespace}/{repository}/"):
                self.store.delete(kind, key)
        self.standin.registry.files.forget(f"{namespace}/{repository}")

    def forget_all(self) -> None:
        """Every tag is erased: what a changed storage backend does (DTR docs: storage backend migration)."""
        for repository in self.store.all("repository"):
            self.forget_repository(repository["namespace"], repository["name"])

    def _keep_to_limit(self, namespace: str, repository: str, latest: str) -> None:
        """First in, first out (DTR docs: tag pruning)."""
        limit = self.standin.repositories.get(namespace, repository)["tagLimit"]
        others = [tag for tag in self.of_repository(namespace, repository) if tag["name"] != latest]
        others.sort(key=lambda tag: tag["updatedAt"])
        for tag in others[:max(len(others) + 1 - limit, 0) if limit else 0]:
            self.delete(namespace, repository, tag["name"], "")

    def _fire(self, type_: str, namespace: str, repository: str, manifest: dict | None, actor: str, **more) -> None:
        facts = {name: (manifest or {}).get(name, "") for name in ("digest", "os", "architecture")}
        self.standin.hooks.fire(type_, namespace=namespace, repository=repository, actor=actor, **facts, **more)

    def pulled(self, namespace: str, repository: str, reference: str, digest: str, actor: str) -> None:
        """Counts and reports a pull; fetching a child of an index belongs to the pull of the index."""
        path = f"{namespace}/{repository}"
        by_tag = ":" not in reference
        if not self.standin.repositories.get(namespace, repository):   # deleted while the answer went out
            return
        if not by_tag and any(digest in manifest["children"] for manifest in self.manifests(namespace, repository)):
            return
        self.count(namespace, repository, "pulls")
        name = f"{path}:{reference}" if by_tag else f"{path}@{digest}"
        kind, more = ("TAG", {"tag": reference}) if by_tag else ("MANIFEST", {})
        self.standin.events.add(actor, "GET", kind, digest, name, path)
        self._fire(f"{kind}_PULL", namespace, repository, self.manifest(namespace, repository, digest), actor, **more)

    def count(self, namespace: str, repository: str, counter: str) -> None:
        """`counter`: pulls or pushes."""
        doc = self.standin.repositories.get(namespace, repository)
        self.store.put("repository", f"{namespace}/{repository}", {**doc, counter: doc[counter] + 1})
