# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives the images in an archive of `docker save` (stdin) the names that a product's version uses (stdout).

    docker save dockyard-lab/product:ucp-3.2.5 dockyard-lab/product:ucp-3.2.5-tool | name_archive.py ucp 3.2.5 > ucp-3.2.5.tar
"""

from __future__ import annotations

import io
import json
import sys
import tarfile

from standin import product_images

OTHER_INDEXES = ("repositories", "index.json", "oci-layout")   # they hold the old names too; manifest.json suffices for `docker load`


def renamed(manifest: list[dict], product: str, version: str) -> list[dict]:
    """`RepoTags` of the tool's image (its tag ends in -tool) and of the components'. Raises `ValueError` unless there is one of each."""
    names = product_images.names(product, version, product_images.VERSIONS[product][version])
    wanted = {True: names[-1:], False: names[:-1]}
    found = [any(tag.endswith("-tool") for tag in entry["RepoTags"]) for entry in manifest]
    if sorted(found) != [False, True]:
        raise ValueError(f"the archive holds {[entry['RepoTags'] for entry in manifest]}; a component's image and a tool's are needed")
    return [{**entry, "RepoTags": wanted[tool]} for entry, tool in zip(manifest, found)]


def main(product: str, version: str) -> None:
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as old, tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as new:
        for member in old:
            if member.name in OTHER_INDEXES:
                continue
            content = old.extractfile(member) if member.isreg() else None
            if member.name == "manifest.json":
                text = json.dumps(renamed(json.load(content), product, version)).encode()
                member.size, content = len(text), io.BytesIO(text)
            new.addfile(member, content)


if __name__ == "__main__":
    main(*sys.argv[1:])
