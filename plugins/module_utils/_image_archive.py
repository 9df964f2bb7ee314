# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What an archive of C(docker save) holds, found in one pass that also proves it whole."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
import zlib
from collections import namedtuple

CHUNK = 1 << 20
# An index of a few hundred images is some hundred kB.
INDEX_LIMIT = 16 << 20

# sha256 and size are the file's own; unpacked is its size without gzip, in bytes; images: name -> id.
Contents = namedtuple("Contents", "sha256 size unpacked images")


class ArchiveError(Exception):
    """An archive that must not be loaded; the text says why."""


class Meter:
    """A stream to read from that counts, hashes and keeps the last two blocks of what went by."""

    def __init__(self, stream):
        self.stream, self.size, self.tail, self._hash = stream, 0, b"", hashlib.sha256()

    def read(self, size=-1):
        data = self.stream.read(size)
        self.size += len(data)
        self._hash.update(data)
        self.tail = (self.tail + data)[-1024:] if len(data) < 1024 else data[-1024:]
        return data

    @property
    def sha256(self):
        return self._hash.hexdigest()

    @property
    def ended(self):
        """Whether what went by ends as a tar does: a cut between two members shows in nothing else."""
        return self.tail == bytes(1024) and self.size % 512 == 0


def inspect(stream, where):
    """Return the Contents of a stream; C(where) is the archive's name in errors."""
    packed = Meter(stream)
    magic = packed.read(2)
    rewound = _Rewound(magic, packed)
    plain = Meter(gzip.GzipFile(fileobj=rewound) if magic == b"\x1f\x8b" else rewound)
    try:
        members, index = _walk(plain)
        while plain.read(CHUNK) or packed.read(CHUNK):
            pass
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        _read_error(error)
        raise ArchiveError(f"{where} is truncated or no archive of docker save ({error}); nothing was loaded, copy it again") from error
    if not plain.ended:
        raise ArchiveError(f"{where} is truncated: it stops after {packed.size} bytes in mid-air; nothing was loaded, copy it again")
    return Contents(packed.sha256, packed.size, plain.size, _images(members, index, where))


def _read_error(error):
    """Let through what is the machine's fault and not the archive's."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error


class _Rewound:
    """A stream with its first bytes put back, for streams that cannot seek."""

    def __init__(self, first, stream):
        self.first, self.stream = first, stream

    def read(self, size=-1):
        if not self.first:
            return self.stream.read(size)
        data, self.first = self.first, b""
        if 0 <= size < len(data):
            data, self.first = data[:size], data[size:]
            return data
        return data + self.stream.read(size - len(data) if size >= 0 else size)


def _walk(stream):
    """Return the names of an archive's members and the text of its index, None without one."""
    members, index = set(), None
    with tarfile.open(fileobj=stream, mode="r|", bufsize=CHUNK) as archive:
        for member in archive:
            members.add(member.name)
            if member.name == "manifest.json" and member.isfile() and member.size <= INDEX_LIMIT:
                index = archive.extractfile(member).read()
    return members, index


def _images(members, index, where):
    """Return the archive's images by name, once all that they consist of has been seen."""
    if index is None:
        raise ArchiveError(f"{where} has no manifest.json: it is no archive of docker save; nothing was loaded")
    try:
        entries = [(entry["Config"], entry.get("RepoTags") or [], entry["Layers"] or []) for entry in json.loads(index)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArchiveError(f"{where} has a manifest.json that cannot be read ({error}); nothing was loaded, make it anew") from error
    found = {}
    for config, names, layers in entries:
        lacking = [part for part in (config, *layers) if part not in members]
        if lacking:
            raise ArchiveError(f"{where} lacks {lacking[0]}, a part of {', '.join(names) or config}; nothing was loaded, make it anew")
        # Engines up to 24 name it HASH.json, newer ones blobs/sha256/HASH.
        digest = "sha256:" + config.rsplit("/", 1)[-1].partition(".")[0]
        found.update((name, digest) for name in names)
    return found
