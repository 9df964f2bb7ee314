# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Making a bundle: everything streamed into one tar that gets its name only when it is complete."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tarfile
import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bundle import (
    FORMAT,
    MANIFEST,
    SUMS,
    Bundle,
    BundleError,
    copy,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bundle_sources import read_archives, source_of
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import familiar
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._image_archive import Meter


class Writer:
    """The tar on its way. A member whose size nobody knows beforehand gets its header when it is through."""

    def __init__(self, file):
        self.file, self.files = file, {}

    def _header(self, name, size):
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, 0o644, int(time.time())
        return member.tobuf(tarfile.GNU_FORMAT)

    def add(self, name, produce):
        """Add what C(produce(sink)) writes; return its return value."""
        start = self.file.tell()
        # Sizes over 8 GB do not change a GNU header's length.
        self.file.write(self._header(name, 0))
        sink = _Sink(self.file)
        answer = produce(sink)
        self.file.write(bytes(-sink.size % tarfile.BLOCKSIZE))
        end = self.file.tell()
        self.file.seek(start)
        self.file.write(self._header(name, sink.size))
        self.file.seek(end)
        self.files[name] = {"size": sink.size, "sha256": sink.sha256}
        return answer

    def close(self, manifest):
        text = (json.dumps(dict(manifest, files=dict(self.files)), indent=2, sort_keys=True) + "\n").encode()
        self.add(MANIFEST, lambda sink: sink.write(text))
        sums = "".join(f"{entry['sha256']}  {name}\n" for name, entry in self.files.items()).encode()
        self.add(SUMS, lambda sink: sink.write(sums))
        self.file.write(bytes(2 * tarfile.BLOCKSIZE))


class _Sink:
    def __init__(self, file):
        self.file, self.size, self._hash = file, 0, hashlib.sha256()

    def write(self, data):
        self.file.write(data)
        self.size += len(data)
        self._hash.update(data)

    @property
    def sha256(self):
        return self._hash.hexdigest()


def folder_files(folders):
    """Return path in the bundle -> path on disk of every file in the given folders."""
    return {
        f"{name}/{file}": os.path.join(folder, file)
        for name, folder in sorted(folders.items())
        for file in sorted(os.listdir(folder))
        if os.path.isfile(os.path.join(folder, file))
    }


def content(path):
    """Return what identifies a file: for a collection its own manifest, because each build of the same files differs in its bytes."""
    if path.endswith(".tar.gz"):
        with tarfile.open(path, "r:gz") as archive:
            if "MANIFEST.json" in archive.getnames():
                return hashlib.sha256(archive.extractfile("MANIFEST.json").read()).hexdigest()
    with open(path, "rb") as stream, open(os.devnull, "wb") as nowhere:
        return copy(Meter(stream), nowhere)


def describe(manifest):
    """Return what of a manifest tells two bundles apart."""
    products = {
        name: (entry["tool"], entry["archive"], sorted((image["name"], image["id"]) for image in entry["images"]))
        for name, entry in manifest["products"].items()
    }
    return products, {path: entry["content"] for path, entry in manifest["files"].items() if "content" in entry}


def foreseen(manifest):
    """Return what of it can be told without looking at images and files."""
    return {name: (entry["tool"], entry["version"]) for name, entry in manifest["products"].items()}


def existing(path):
    """Return the manifest of the bundle that is there, None where there is none that can be used."""
    if not os.path.exists(path):
        return None
    try:
        with Bundle(path) as bundle:
            return bundle.manifest
    except BundleError:
        return None


def plan(products, sources, files, compress):
    """Return the manifest to be, but for sums and sizes."""
    manifest = {"format": FORMAT, "products": {}, "files": {path: {"content": content(source)} for path, source in files.items()}}
    for name, wanted in products.items():
        source = sources.get(name, {"images": [], "listed": True})
        ending = ".tar.gz" if compress or source.get("packed") else ".tar"
        manifest["products"][name] = {
            "tool": familiar(wanted["tool"]),
            "version": wanted["version"],
            "archive": f"images/{name}-{wanted['version']}{ending}",
            "images": source["images"],
            "listed": source["listed"],
        }
    return manifest


def make(docker, path, *, products, folders, archives=(), pull=True, compress=True, check_mode=False):
    """Have the bundle at a path; return changed, path, manifest and how many images were pulled.

    C(docker): makes a Docker, called only when the engine is needed; C(products): product -> {tool, version};
    C(folders): name in the bundle -> directory; C(archives): paths of archives of C(docker save).
    """
    old = existing(path)
    if check_mode:
        wanted = plan(products, {}, {}, compress)
        same = old is not None and foreseen(old) == foreseen(wanted)
        return {"changed": not same, "path": path, "manifest": old or wanted, "pulled": 0}
    whole = read_archives(archives)
    sources = {name: source_of(name, wanted["tool"], docker, whole, pull) for name, wanted in products.items()}
    files = folder_files(folders)
    manifest = plan(products, sources, files, compress)
    pulled = sum(source["pulled"] for source in sources.values())
    if old is not None and describe(old) == describe(manifest):
        return {"changed": bool(pulled), "path": path, "manifest": old, "pulled": pulled}
    return {"changed": True, "path": path, "manifest": write(path, manifest, sources, files, compress), "pulled": pulled}


def write(path, manifest, sources, files, compress):
    """Write a bundle beside its place and move it there when it is complete; return its manifest."""
    part = path + ".part"
    with open(part, "ab+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BundleError(f"another run is writing {part}; wait for it, or end it") from error
        try:
            with open(part, "r+b") as file:
                file.truncate(0)
                _fill(Writer(file), manifest, sources, files, compress)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(part, 0o644)
            os.replace(part, path)
        finally:
            if os.path.exists(part):
                os.unlink(part)
    with Bundle(path) as bundle:
        return bundle.manifest


def _fill(writer, manifest, sources, files, compress):
    for name, product in manifest["products"].items():
        product["unpacked"] = writer.add(product["archive"], lambda sink, name=name: sources[name]["write"](sink, compress))
    for name, source in files.items():
        with open(source, "rb") as stream:
            writer.add(name, lambda sink, stream=stream: copy(Meter(stream), sink))
        writer.files[name]["content"] = manifest["files"][name]["content"]
    writer.close({**manifest, "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
