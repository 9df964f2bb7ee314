# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""An archive that C(ansible-galaxy collection install) takes, from a collection as it lies on the controller."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile

# What Ansible and Python leave in a collection that is in use.
LITTER = ("__pycache__", ".git", ".pytest_cache")
DIRECTORY = {"ftype": "dir", "chksum_type": None, "chksum_sha256": None, "format": 1}


class TarballError(Exception):
    """Why no archive was made."""


def tarball(source, directory):
    """Make the archive of the collection in a directory; return its path."""
    source = os.path.realpath(source)
    if os.path.exists(os.path.join(source, "galaxy.yml")):
        return _build(source, directory)
    if os.path.exists(os.path.join(source, "MANIFEST.json")):
        return _pack(source, directory)
    raise TarballError(f"{source} has neither galaxy.yml nor MANIFEST.json; install the collection with ansible-galaxy")


def _build(source, directory):
    with tempfile.TemporaryDirectory(dir=directory, prefix=".build-") as work:
        command = [sys.executable, "-m", "ansible", "galaxy", "collection", "build", source, "--output-path", work]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=600, check=False, encoding="utf-8")
        made = os.listdir(work)
        if done.returncode != 0 or len(made) != 1:
            raise TarballError(f"ansible-galaxy cannot build {source}: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")
        target = os.path.join(directory, made[0])
        os.replace(os.path.join(work, made[0]), target)
    return target


def _files(source):
    """Yield the collection's own files and directories, relative, in a fixed order."""
    for folder, names, files in os.walk(source):
        names[:] = sorted(name for name in names if name not in LITTER)
        inner = os.path.relpath(folder, source)
        for name in names + sorted(files):
            path = os.path.normpath(os.path.join(inner, name))
            if path not in ("MANIFEST.json", "FILES.json"):
                yield path


def _entry(source, path):
    full = os.path.join(source, path)
    if os.path.isdir(full):
        return {"name": path, **DIRECTORY}
    with open(full, "rb") as stream:
        digest = hashlib.sha256(stream.read()).hexdigest()
    return {"name": path, "ftype": "file", "chksum_type": "sha256", "chksum_sha256": digest, "format": 1}


def _pack(source, directory):
    with open(os.path.join(source, "MANIFEST.json"), encoding="utf-8") as stream:
        manifest = json.load(stream)
    about = manifest["collection_info"]
    entries = [{"name": ".", **DIRECTORY}, *(_entry(source, path) for path in _files(source))]
    listing = json.dumps({"files": entries, "format": 1}, indent=1).encode()
    manifest["file_manifest_file"] = {
        "name": "FILES.json",
        "ftype": "file",
        "chksum_type": "sha256",
        "chksum_sha256": hashlib.sha256(listing).hexdigest(),
        "format": 1,
    }
    target = os.path.join(directory, "{namespace}-{name}-{version}.tar.gz".format(**about))
    with tarfile.open(target, "w:gz") as archive:
        for name, text in (("MANIFEST.json", json.dumps(manifest, indent=1).encode()), ("FILES.json", listing)):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o644
            archive.addfile(member, io.BytesIO(text))
        for entry in entries[1:]:
            archive.add(os.path.join(source, entry["name"]), entry["name"], recursive=False, filter=_plain)
    return target


def _plain(member):
    """Keep from an archive who owns the files here."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
