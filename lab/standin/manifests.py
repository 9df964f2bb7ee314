# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads manifests and image configurations (OCI image specification 1.0, Docker image manifest version 2 schema 2)."""

from __future__ import annotations

import json

from .errors import Refused

IMAGES = ("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json")
INDEXES = ("application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json")


def invalid(message: str) -> Refused:
    return Refused(400, "MANIFEST_INVALID", message)


def parse(media_type: str, body: bytes) -> dict:
    """What a manifest refers to.

    `{"mediaType", "config": descriptor or None, "layers": [descriptor], "children": [descriptor]}`; descriptors are those of the manifest.
    Schema 1, which images before 2016 have, is refused.
    """
    media_type = media_type.partition(";")[0].strip()
    if media_type not in IMAGES + INDEXES:
        raise invalid(f"manifests of the type {media_type or 'that was not named'} are not taken; {', '.join(IMAGES + INDEXES)} are")
    try:
        document = json.loads(body)
        if media_type in INDEXES:
            children = [_descriptor(entry) for entry in document["manifests"]]
            return {"mediaType": media_type, "config": None, "layers": [], "children": children}
        layers = [_descriptor(entry) for entry in document["layers"]]
        return {"mediaType": media_type, "config": _descriptor(document["config"]), "layers": layers, "children": []}
    except (ValueError, KeyError, TypeError) as problem:
        raise invalid(f"the manifest cannot be read: {problem!r}") from None


def _descriptor(entry: dict) -> dict:
    if not isinstance(entry["digest"], str) or not isinstance(entry["size"], int):
        raise TypeError("a digest or a size is of the wrong type")
    return entry


def stored(parts: dict) -> list[str]:
    """The digests of the blobs that have to be in the store; foreign layers, which stand elsewhere, have URLs."""
    config = [parts["config"]["digest"]] if parts["config"] else []
    return config + [layer["digest"] for layer in parts["layers"] if not layer.get("urls")]


def describe(parts: dict, config: dict) -> dict:
    """What the registry knows of a manifest beside its digest; `config` is the image's configuration, {} for an index."""
    return {
        "mediaType": parts["mediaType"],
        "os": config.get("os", ""),
        "osVersion": config.get("os.version", ""),
        "architecture": config.get("architecture", ""),
        "configDigest": parts["config"]["digest"] if parts["config"] else "",
        "configMediaType": parts["config"].get("mediaType", "") if parts["config"] else "",
        "size": sum(layer["size"] for layer in parts["layers"]),
        "layers": [{name: layer[name] for name in ("digest", "size", "mediaType", "urls") if name in layer} for layer in parts["layers"]],
        "children": [child["digest"] for child in parts["children"]],
        "dockerfile": dockerfile(config.get("history") or [], parts["layers"]),
    }


def dockerfile(history: list[dict], layers: list[dict]) -> list[dict]:
    """The lines of the image's history, each with the layer it made (DTR 2.7 API: DockerfileLine)."""
    lines, left = [], list(layers)
    for entry in history:
        empty = bool(entry.get("empty_layer")) or not left
        layer = {} if empty else left.pop(0)
        line = {
            "line": entry.get("created_by", ""),
            "isEmpty": empty,
            "layerDigest": layer.get("digest", ""),
            "mediaType": layer.get("mediaType", ""),
            "size": layer.get("size", 0),
        }
        lines.append({**line, "urls": layer["urls"]} if layer.get("urls") else line)
    return lines
