# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Of what is wrong in a store, mend that which can be proven to be safe: a link to content that is there, or nothing's link."""

from __future__ import annotations

import os
import shutil

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_verify import digest_of_file


def repair(store, finding):
    """Mend one finding; False where it no longer stands, or its content is not what its digest says."""
    if not finding.stands():
        return False
    if finding.kind in ("layer_unlinked", "manifest_unlinked"):
        if not _sound(store.blob(finding.digest), finding.digest):
            return False
        _write_link(finding.needs, finding.digest)
    elif finding.kind in ("layer_dangling", "upload_orphan"):
        shutil.rmtree(finding.because)
    else:
        raise ValueError(f"{finding.kind} cannot be repaired")
    return True


def _sound(path, digest):
    try:
        return digest_of_file(path, digest) == digest
    except OSError:
        return False


def _write_link(path, digest):
    """Whole or not at all, and readable by whom the store belongs to."""
    owner = _make_folders(os.path.dirname(path))
    with open(f"{path}.new", "w", encoding="ascii") as stream:
        stream.write(digest)
        stream.flush()
        os.fsync(stream.fileno())
    os.chown(f"{path}.new", owner.st_uid, owner.st_gid)
    os.replace(f"{path}.new", path)


def _make_folders(path):
    """Make a folder like the nearest that is there; that one's owner."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    like = os.stat(path)
    for folder in reversed(missing):
        os.mkdir(folder)
        os.chown(folder, like.st_uid, like.st_gid)
        os.chmod(folder, like.st_mode & 0o7777)
    return like
