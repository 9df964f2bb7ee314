# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""A bundle for hosts without a way out: one tar, read without unpacking it.

Members, in this order:

    images/<product>-<version>.tar[.gz]   an archive of C(docker save) for each product
    collections/*  python/*               whatever folders it was made with
    manifest.json                         {format, created, products, files}
    SHA256SUMS                            of all the above; being last it also proves that nothing is cut off

C(products): product -> {tool, version, archive, unpacked (bytes), images: [{name, id, size (bytes; from an engine)}],
listed (whether these are what the tool lists; an archive's images are taken on trust until a host asks the tool)};
C(files): path -> {size (bytes), sha256}, and C(content) where two builds of one content differ in their bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import familiar, free_space, megabytes
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._image_archive import ArchiveError, Meter, inspect

FORMAT = 1
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
CHUNK = 1 << 20
# A few hundred images and files are some hundred kB.
TEXT_LIMIT = 16 << 20
LINE = re.compile(r"([0-9a-f]{64})  (.+)")


class BundleError(Exception):
    """A bundle that must not be used; the text says why and what to do."""


class Bundle:
    """A bundle at a path, open for reading. Opening it proves that it has an end and a manifest that fits its sums."""

    def __init__(self, path):
        self.path = path
        try:
            self.tar = tarfile.TarFile(path)
        except FileNotFoundError as error:
            raise BundleError(f"there is no bundle {path}; playbooks/bundle.yml makes one") from error
        except (tarfile.TarError, EOFError) as error:
            raise BundleError(f"{path} is no bundle ({error}); give the file that playbooks/bundle.yml made") from error
        try:
            self._open()
        except BaseException:
            self.tar.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_details):
        self.tar.close()

    def _open(self):
        try:
            self.members = {member.name: member for member in self.tar.getmembers() if member.isfile()}
        except (tarfile.TarError, EOFError) as error:
            raise self._incomplete() from error
        if SUMS not in self.members or MANIFEST not in self.members:
            raise self._incomplete()
        sums = self._text(SUMS).decode("utf-8", "replace").splitlines()
        self.sums = {match.group(2): match.group(1) for match in map(LINE.fullmatch, sums) if match}
        text = self._text(MANIFEST)
        if hashlib.sha256(text).hexdigest() != self.sums.get(MANIFEST):
            raise BundleError(f"{self.path}: the checksum of its manifest is wrong; copy the bundle again")
        try:
            self.manifest = json.loads(text)
            known = self.manifest["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise BundleError(f"{self.path}: its manifest cannot be read ({error}); make the bundle anew") from error
        if known != FORMAT:
            raise BundleError(f"{self.path} has format {known}, this collection reads {FORMAT}; make it with this collection")

    def _incomplete(self):
        size = os.path.getsize(self.path)
        return BundleError(f"{self.path} is incomplete: after {size} bytes it has no end; copy it again, or make it anew")

    def _text(self, name):
        if self.members[name].size > TEXT_LIMIT:
            raise BundleError(f"{self.path}: {name} is larger than any manifest; give the file that playbooks/bundle.yml made")
        with self.tar.extractfile(self.members[name]) as stream:
            return stream.read()

    def product(self, name):
        """Return what the manifest says of a product."""
        try:
            return self.manifest["products"][name]
        except KeyError:
            held = ", ".join(sorted(self.manifest["products"])) or "none"
            raise BundleError(f"{self.path} holds no images of {name}, only of {held}; make one with {name}_version set") from None

    def problems(self):
        """Return all that is wrong with it, every byte of every member read once."""
        found = [f"{name} is in no checksum" for name in sorted(set(self.members) - set(self.sums) - {SUMS})]
        archives = {product["archive"]: product for product in self.manifest["products"].values()}
        for name, expected in sorted(self.sums.items()):
            if name not in self.members:
                found.append(f"{name} is missing")
                continue
            with self.tar.extractfile(self.members[name]) as stream:
                found += _member_problems(name, stream, expected, archives.get(name))
        return found

    def extract(self, product, directory):
        """Have a product's archive as a file; return its path and whether it had to be written."""
        archive = self.product(product)["archive"]
        target = os.path.join(directory, os.path.basename(archive))
        size, expected = self.members[archive].size, self.sums[archive]
        if os.path.isfile(target) and os.path.getsize(target) == size and _sha256(target) == expected:
            return target, False
        if free_space(directory) < size:
            raise BundleError(
                f"{directory} has {megabytes(free_space(directory))} free, and {archive} of {self.path} takes {megabytes(size)};"
                " make room there, or name another directory"
            )
        part = target + ".part"
        try:
            with self.tar.extractfile(self.members[archive]) as stream, open(part, "wb") as file:
                found = copy(Meter(stream), file)
            if found != expected:
                raise BundleError(f"{self.path}: the checksum of {archive} is wrong; nothing was loaded, copy the bundle again")
            os.replace(part, target)
        finally:
            if os.path.exists(part):
                os.unlink(part)
        return target, True


def copy(meter, target):
    """Copy a stream to a file and return its SHA-256."""
    while True:
        data = meter.read(CHUNK)
        if not data:
            return meter.sha256
        target.write(data)


def _sha256(path):
    with open(path, "rb") as stream, open(os.devnull, "wb") as nowhere:
        return copy(Meter(stream), nowhere)


def _member_problems(name, stream, expected, product):
    if not product:
        with open(os.devnull, "wb") as nowhere:
            return [] if copy(Meter(stream), nowhere) == expected else [f"the checksum of {name} is wrong"]
    try:
        contents = inspect(stream, name)
    except ArchiveError as error:
        return [str(error)]
    if contents.sha256 != expected:
        return [f"the checksum of {name} is wrong"]
    held = {familiar(image) for image in contents.images}
    return [f"{name} lacks {image['name']}" for image in product["images"] if image["name"] not in held]
