# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Where the images of a bundle come from: the engine, which may pull them, or archives that the vendor hands out."""

from __future__ import annotations

import subprocess
import tempfile
import zlib

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bundle import CHUNK, BundleError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import ImageError, familiar, last_line
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._image_archive import ArchiveError, Meter, inspect


def have(docker, name, pull):
    """Have an image in the engine; return whether it was pulled."""
    if name in docker.images():
        return False
    if not pull:
        raise BundleError(f"{name} is not in this host's engine, and bundle_pull forbids to pull it; load it there first")
    code, _out, err = docker.run("pull", "--quiet", name, timeout=docker.timeout)
    if code != 0:
        raise BundleError(f"{name} cannot be pulled: {last_line(err)}; log in to its registry on this host, or load the image there first")
    return True


def gather(docker, product, tool, pull):
    """Return the images of a product, each with its id and size in bytes, and how many had to be pulled."""
    tool = familiar(tool)
    pulled = int(have(docker, tool, pull))
    names = docker.listed(product, tool)
    pulled += sum(have(docker, name, pull) for name in names)
    code, out, err = docker.run("image", "inspect", "--format", "{{.Id}} {{.Size}}", *names)
    rows = [line.split() for line in out.splitlines()]
    if code != 0 or len(rows) != len(names):
        raise BundleError(f"the engine does not describe the images of {tool}: {last_line(err)}; run again")
    return [{"name": name, "id": row[0], "size": int(row[1])} for name, row in zip(names, rows)], pulled


def from_archive(product, tool, archives):
    """Return path and Contents of the first archive that holds a product's tool, None if there is none.

    C(archives): path -> Contents.
    """
    wanted = familiar(tool)
    for path, contents in archives.items():
        names = {familiar(name) for name in contents.images}
        if wanted in names:
            # What else the product needs is known to its tool alone, which cannot be run here: hosts ask it (listed: false).
            return path, contents
    return None


def pour(stream, sink, compress):
    """Copy a stream into a sink, packed by gzip if wanted."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31) if compress else None
    while True:
        data = stream.read(CHUNK)
        if not data:
            break
        sink.write(packer.compress(data) if packer else data)
    if packer:
        sink.write(packer.flush())


def save(docker, names, sink, compress):
    """Stream C(docker save) into a sink; return the unpacked size. An engine that fails half-way is a failure."""
    with tempfile.TemporaryFile() as errors:
        command = [docker.command, *docker.options, "save", *names]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as process:
            try:
                stream = Meter(process.stdout)
                pour(stream, sink, compress)
                code = process.wait(timeout=60)
            except BaseException:
                process.kill()
                raise
        errors.seek(0)
        if code != 0:
            raise BundleError(f"docker save failed: {last_line(errors.read().decode('utf-8', 'replace'))}; no bundle was made")
    if not stream.ended:
        raise BundleError("docker save ended too early; see that the engine runs, and run again. No bundle was made")
    return stream.size


def repack(path, contents, sink, compress):
    """Copy an archive into a sink, packed if it is not yet; return the unpacked size."""
    with open(path, "rb") as file:
        stream = Meter(file)
        pour(stream, sink, compress and not packed(contents))
    if stream.sha256 != contents.sha256:
        raise BundleError(f"{path} has changed while it was read; run again when nothing writes to it")
    return contents.unpacked


def packed(contents):
    return contents.size != contents.unpacked


def source_of(product, tool, docker, archives, pull):
    """Return where a product's images come from: {images, listed, pulled, packed, write(sink, compress) -> unpacked size}."""
    found = from_archive(product, tool, archives)
    if found:
        path, contents = found
        images = [{"name": familiar(name), "id": contents.images[name]} for name in sorted(contents.images)]
        return {
            "images": images,
            "listed": False,
            "pulled": 0,
            "packed": packed(contents),
            "write": lambda sink, compress: repack(path, contents, sink, compress),
        }
    try:
        engine = docker()
        engine.engine()
        images, pulled = gather(engine, product, tool, pull)
    except (BundleError, ImageError) as error:
        if not archives:
            raise
        held = ", ".join(sorted({name for contents in archives.values() for name in contents.images})) or "nothing"
        raise BundleError(f"{familiar(tool)} is in no archive of bundle_image_archives (there are {held}); the engine: {error}") from error
    names = [image["name"] for image in images]
    return {"images": images, "listed": True, "pulled": pulled, "write": lambda sink, compress: save(engine, names, sink, compress)}


def read_archives(paths):
    """Return path -> Contents of archives, every one of them whole."""
    archives = {}
    for path in paths:
        try:
            with open(path, "rb") as stream:
                archives[path] = inspect(stream, path)
        except FileNotFoundError as error:
            raise BundleError(f"there is no archive {path}; mend bundle_image_archives") from error
        except ArchiveError as error:
            raise BundleError(str(error)) from error
    return archives
