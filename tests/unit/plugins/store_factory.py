# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store as CNCF Distribution writes it, made by hand."""

from __future__ import annotations

import hashlib
import json
import pathlib


class StoreFactory:
    def __init__(self, root: pathlib.Path):
        self.root, self.top = root, root / "docker/registry/v2"
        self.top.mkdir(parents=True)

    def blob(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self._write(self.blob_path(f"sha256:{digest}"), content)
        return f"sha256:{digest}"

    def layer(self, repository: str, content: bytes) -> str:
        digest = self.blob(content)
        self._write(self.layer_link(repository, digest), digest.encode())
        return digest

    def manifest(self, repository: str, content: dict) -> str:
        digest = self.blob(json.dumps(content).encode())
        self._write(self.revision_link(repository, digest), digest.encode())
        return digest

    def tag(self, repository: str, tag: str, digest: str) -> None:
        self._write(self.tag_link(repository, tag), digest.encode())
        self._write(self.tag_link(repository, tag).parents[1] / "index/sha256" / digest[7:] / "link", digest.encode())

    def image(self, repository: str, tag: str | None = None, layers: int = 2) -> str:
        config = self.layer(repository, f'{{"image": "{repository}:{tag}"}}'.encode())
        found = [self.layer(repository, f"layer {number} of {repository}:{tag}".encode()) for number in range(layers)]
        digest = self.manifest(repository, {
            "schemaVersion": 2, "config": {"digest": config}, "layers": [{"digest": layer} for layer in found]})
        if tag:
            self.tag(repository, tag, digest)
        return digest

    def index(self, repository: str, tag: str, children: list[str]) -> str:
        digest = self.manifest(repository, {"schemaVersion": 2, "manifests": [{"digest": child} for child in children]})
        self.tag(repository, tag, digest)
        return digest

    def needs(self, manifest: str) -> list[str]:
        """The config and the layers of an image."""
        found = json.loads(self.blob_path(manifest).read_text())
        return [found["config"]["digest"], *(layer["digest"] for layer in found["layers"])]

    def blob_path(self, digest: str) -> pathlib.Path:
        return self.top / "blobs/sha256" / digest[7:9] / digest[7:] / "data"

    def layer_link(self, repository: str, digest: str) -> pathlib.Path:
        return self.top / "repositories" / repository / "_layers/sha256" / digest[7:] / "link"

    def revision_link(self, repository: str, digest: str) -> pathlib.Path:
        return self.top / "repositories" / repository / "_manifests/revisions/sha256" / digest[7:] / "link"

    def tag_link(self, repository: str, tag: str) -> pathlib.Path:
        return self.top / "repositories" / repository / "_manifests/tags" / tag / "current/link"

    @staticmethod
    def _write(path: pathlib.Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
