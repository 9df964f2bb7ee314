# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder in which Distribution keeps its blobs and links (Distribution 2.8, filesystem driver).

    blobs/sha256/ab/abcd.../data                                  content, shared by all repositories
    repositories/NS/NAME/_layers/sha256/abcd.../link              "this repository has this blob"
    repositories/NS/NAME/_manifests/revisions/sha256/abcd.../link "this repository has this manifest"
    repositories/NS/NAME/_uploads/UUID/                           an upload that is not finished
"""

from __future__ import annotations

import os
import pathlib
import shutil
from collections.abc import Iterator


def _split(digest: str) -> tuple[str, str]:
    algorithm, _colon, value = digest.partition(":")
    return algorithm, value


class Files:
    """Plain file operations; none of them waits for anything but the disk."""

    def __init__(self, root: pathlib.Path):
        self.base = root / "docker/registry/v2"

    # Content

    def blob(self, digest: str) -> pathlib.Path:
        """Where the content of a blob is, or would be."""
        algorithm, value = _split(digest)
        return self.base / "blobs" / algorithm / value[:2] / value / "data"

    def read(self, digest: str) -> bytes:
        """The content of a blob; FileNotFoundError when there is none."""
        return self.blob(digest).read_bytes()

    def blobs(self) -> Iterator[str]:
        """The digests of all blobs; blobs may come and go meanwhile."""
        for folder in (self.base / "blobs").glob("*/*/*"):
            if (folder / "data").exists():
                yield f"{folder.parent.parent.name}:{folder.name}"

    def remove_blob(self, digest: str) -> int:
        """The bytes that were freed."""
        data = self.blob(digest)
        size = data.stat().st_size
        data.unlink()
        data.parent.rmdir()
        return size

    # Links

    def repositories(self) -> list[str]:
        """The names, "namespace/name", of all repositories that have a folder."""
        return sorted(f"{folder.parent.name}/{folder.name}" for folder in (self.base / "repositories").glob("*/*") if folder.is_dir())

    def revisions(self, repository: str) -> list[str]:
        return self._linked(repository, "_manifests/revisions")

    def layers(self, repository: str) -> list[str]:
        return self._linked(repository, "_layers")

    def link(self, repository: str, manifests: list[str], blobs: list[str]) -> None:
        """Makes content of the store known in another repository, without copying it."""
        for kind, digests in (("_manifests/revisions", manifests), ("_layers", blobs)):
            for digest in digests:
                folder = self._link_folder(repository, kind, digest)
                folder.mkdir(parents=True, exist_ok=True)
                # The registry may read at any moment: never a half-written link.
                partial = folder / f".link-{os.getpid()}"
                partial.write_text(digest)
                partial.replace(folder / "link")

    def unlink_revision(self, repository: str, digest: str) -> None:
        self._unlink(repository, "_manifests/revisions", digest)

    def unlink_layer(self, repository: str, digest: str) -> None:
        self._unlink(repository, "_layers", digest)

    def _unlink(self, repository: str, kind: str, digest: str) -> None:
        """Nothing when the repository was deleted since its links were listed."""
        folder = self._link_folder(repository, kind, digest)
        if folder.exists():
            shutil.rmtree(folder)

    def forget(self, repository: str) -> None:
        """All links and unfinished uploads of a repository."""
        shutil.rmtree(self.base / "repositories" / repository, ignore_errors=True)

    def _link_folder(self, repository: str, kind: str, digest: str) -> pathlib.Path:
        return self.base.joinpath("repositories", repository, kind, *_split(digest))

    def _linked(self, repository: str, kind: str) -> list[str]:
        folders = (self.base / "repositories" / repository / kind).glob("*/*")
        return [f"{folder.parent.name}:{folder.name}" for folder in folders]
