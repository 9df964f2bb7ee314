# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tar of a backup: `dtr-backup-v<version>/rethink/<table>/<chunk>` (DTR docs: create a backup), and a list of files with sums.

A chunk holds the documents of one kind; the tables are those of DTR's database where there is one for them.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import time

from .errors import Fatal

FORMAT = 1
TABLES = {
    "settings": "properties", "tls": "properties", "ucp": "properties", "license": "properties", "cluster": "properties",
    "tool": "properties", "repository": "repositories", "tag": "tags", "manifest": "manifests", "event": "events",
    "token": "client_tokens", "webhook": "webhooks", "cache": "content_caches", "override": "layer_vuln_overrides",
    "namespace_access": "namespace_team_access", "team_access": "repository_team_access", "scan": "scanned_images",
    "user_settings": "user_settings",
}
LIST = "files.json"


def write(stream, export: dict, version: str) -> None:
    """`export`: documents by kind and key, and the cluster's internal authority."""
    top, files, numbers = f"dtr-backup-v{version}", {}, {}
    for kind in sorted(export["documents"], key=lambda one: (TABLES.get(one, one), one)):
        table = TABLES.get(kind, kind)
        numbers[table] = numbers.get(table, -1) + 1
        content = {"kind": kind, "documents": export["documents"][kind]}
        files[f"rethink/{table}/{numbers[table]}"] = json.dumps(content).encode()
    files.update({f"certs/{name}": text.encode() for name, text in export["authority"].items()})
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    about = {"format": FORMAT, "version": version, "files": sums}
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        for folder in sorted({"", "notary", *(_parent(name) for name in files), "rethink"}):
            archive.addfile(_entry(f"{top}/{folder}".rstrip("/"), tarfile.DIRTYPE))
        for name, data in {LIST: json.dumps(about).encode(), **files}.items():
            archive.addfile(_entry(f"{top}/{name}", tarfile.REGTYPE, len(data)), io.BytesIO(data))


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _entry(name: str, kind: bytes, size: int = 0) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.size, entry.mtime = kind, size, int(time.time())
    entry.mode = 0o700 if kind == tarfile.DIRTYPE else 0o600
    return entry


def read(stream, version: str) -> dict:
    """{"documents", "authority"}; `Fatal` for what is no whole backup of this version."""
    files = _files(stream)
    tops = {name.partition("/")[0] for name in files}
    top = tops.pop() if len(tops) == 1 else ""
    found = re.fullmatch(r"dtr-backup-v([0-9.]+)(-online)?", top)
    if not found:
        raise Fatal("Standard input is no backup of DTR: give the file that `backup` wrote")
    if found.group(1) != version:
        raise Fatal(f"The backup is of DTR {found.group(1)}, and this is docker/dtr {version}: use the image of version {found.group(1)}")
    inner = {name[len(top) + 1:]: data for name, data in files.items()}
    try:
        sums = json.loads(inner.get(LIST, b""))["files"]
    except (ValueError, KeyError):
        raise Fatal(f"The backup is not whole: {LIST} is missing or damaged; use another backup") from None
    for name, wanted in sums.items():
        if hashlib.sha256(inner.get(name, b"")).hexdigest() != wanted:
            raise Fatal(f"The backup is not whole: {name} is missing or damaged; use another backup")
    chunks = [json.loads(inner[name]) for name in sums if name.startswith("rethink/")]
    return {
        "documents": {chunk["kind"]: chunk["documents"] for chunk in chunks},
        "authority": {name.rpartition("/")[2]: inner[name].decode() for name in sums if name.startswith("certs/")},
    }


def _files(stream) -> dict:
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            return {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isfile()}
    except (tarfile.TarError, OSError, EOFError) as problem:
        raise Fatal(f"The backup cannot be read: {problem}; it may be cut off, or not a tar") from None
