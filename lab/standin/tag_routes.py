# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's view of tags and manifests (DTR 2.7 API). There is no Notary here; tests say which tags are signed (`Tags.sign`)."""

from __future__ import annotations

from .errors import Refused
from .paging import page
from .server import operation
from .tags import no_such_tag

MANIFEST_FIELDS = (
    "digest", "author", "createdAt", "mediaType", "os", "osVersion", "architecture", "configDigest", "configMediaType", "size", "dockerfile"
)


def manifest_view(manifest: dict) -> dict:
    return {name: manifest[name] for name in MANIFEST_FIELDS}


def tag_view(tag: dict, manifest: dict, domain: str | None) -> dict:
    """`manifest`: as it is to be shown; what Notary knows is told only to those who name its `domain`."""
    signed = tag.get("signed") if domain else None
    notary = {"inNotary": bool(signed), "hashMismatch": bool(signed) and signed != tag["digest"]}
    shown = {name: value for name, value in tag.items() if name != "signed"}
    return {**shown, "digest": manifest["digest"], "manifest": manifest, **notary}


def _read(standin, call) -> tuple[str, str]:
    namespace, repository = call.path["namespace"], call.path["reponame"]
    standin.repositories.demand(call.caller, namespace, repository, "read-only")
    return namespace, repository


@operation("GET", "/api/v0/repositories/{namespace}/{reponame}/tags")
def list_tags(standin, call):
    """One entry a tag; of the manifest only the digest unless `includeManifests` asks for more."""
    path = _read(standin, call)
    answer = page(call, standin.tags.of_repository(*path), lambda tag: tag["name"])
    whole = call.query.get("includeManifests")
    for position, tag in enumerate(answer.body):
        manifest = manifest_view(standin.tags.manifest(*path, tag["digest"])) if whole else {"digest": tag["digest"]}
        answer.body[position] = tag_view(tag, manifest, call.query.get("domain"))
    return answer


@operation("GET", "/api/v0/repositories/{namespace}/{reponame}/tags/{reference}")
def get_tag(standin, call):
    """Of a tag: an entry for each image in it. Of a digest: an entry for each tag of it."""
    path, reference = _read(standin, call), call.path["reference"]
    digest = standin.tags.resolve(*path, reference)
    if not digest:
        raise Refused(404, "NO_SUCH_REF", f"There is no {reference} in {'/'.join(path)}.")
    if ":" in reference:
        tags = [tag for tag in standin.tags.of_repository(*path) if tag["digest"] == digest]
    else:
        tags = [standin.tags.find(*path, reference)]
    family = standin.tags.family(*path, digest)
    images = family[1:] or family
    wanted = {"os": call.query.get("os"), "architecture": call.query.get("arch")}
    images = [image for image in images if all(not value or image[name] == value for name, value in wanted.items())]
    views = [tag_view(tag, manifest_view(image), call.query.get("domain")) for tag in tags for image in images]
    return [_with_scan(standin, path, view) for view in views]


def _with_scan(standin, path: tuple[str, str], view: dict) -> dict:
    summary = standin.scanning.summary(*path, view["digest"], view["name"])
    return {**view, "vuln_summary": summary} if summary else view


@operation("DELETE", "/api/v0/repositories/{namespace}/{reponame}/tags/{tag}")
def delete_tag(standin, call):
    namespace, repository, tag = call.path["namespace"], call.path["reponame"], call.path["tag"]
    standin.repositories.demand(call.caller, namespace, repository, "read-write")
    if not standin.tags.find(namespace, repository, tag):
        raise no_such_tag(f"{namespace}/{repository}", tag)
    standin.tags.delete(namespace, repository, tag, call.caller.name)


@operation("GET", "/api/v0/repositories/{namespace}/{reponame}/manifests")
def list_manifests(standin, call):
    path = _read(standin, call)
    answer = page(call, standin.tags.manifests(*path), lambda manifest: manifest["digest"])
    answer.body = [manifest_view(manifest) for manifest in answer.body]
    return answer


@operation("DELETE", "/api/v0/repositories/{namespace}/{reponame}/manifests/{reference}")
def delete_manifest(standin, call):
    """Still in the interface, gone since 2.6.0 (DTR release notes)."""
    raise Refused(405, "NOT_ALLOWED", "Manifests cannot be deleted one by one since 2.6.0; delete the tags and collect garbage.")
