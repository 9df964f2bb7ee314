# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small real scanner: packages from the databases inside an image's layers, matched against advisories.

Reads dpkg (`var/lib/dpkg/status`, `var/lib/dpkg/status.d/*`) and apk (`lib/apk/db/installed`), and licences from Debian's
machine-readable copyright files and apk's records. Whiteouts of the OCI image layer format are respected.
A component is {"name", "version", "source": "deb"|"apk", "filepaths": [path], "licenses": [name], "layer": index}.
"""

from __future__ import annotations

import re
import tarfile
from typing import BinaryIO, Iterable

from . import versions

DPKG = "var/lib/dpkg/status"
DPKG_DIRECTORY = "var/lib/dpkg/status.d/"
APK = "lib/apk/db/installed"
COPYRIGHT = re.compile(r"usr/share/doc/([^/]+)/copyright")
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"
LARGEST = 64 * 1024 * 1024   # bytes of one package database; more than any distribution has


class ScanError(Exception):
    """A layer that cannot be read."""


def scan(layers: Iterable[BinaryIO]) -> list[dict]:
    """The components of an image from its layers, the lowest first, each an open (compressed) tar."""
    files: dict[str, bytes] = {}
    found: dict[tuple, dict] = {}
    for index, layer in enumerate(layers):
        _apply(layer, files)
        present = {(part["source"], part["name"], part["version"]): part for part in components(files)}
        # Who brought a component is the layer in which it first appeared, and stayed.
        found = {key: {**part, "layer": found[key]["layer"] if key in found else index} for key, part in present.items()}
    return [found[key] for key in sorted(found)]


def components(files: dict[str, bytes]) -> list[dict]:
    """The packages which the databases among `files` (path -> content) name."""
    licenses = {COPYRIGHT.fullmatch(path)[1]: _copyright(content) for path, content in files.items() if COPYRIGHT.fullmatch(path)}
    found = []
    for path, content in sorted(files.items()):
        text = content.decode("utf-8", "replace")
        if path == APK:
            found += [_component(part.get("P"), part.get("V"), "apk", path, part.get("L", "").split()) for part in _paragraphs(text)]
        elif path == DPKG or path.startswith(DPKG_DIRECTORY):
            found += [
                _component(part.get("Package"), part.get("Version"), "deb", path, licenses.get(part.get("Package"), []))
                for part in _paragraphs(text) if part.get("Status", "install ok installed").endswith(" installed")
            ]
    return [part for part in found if part["name"] and part["version"]]


def match(found: list[dict], advisories: list[dict]) -> dict[str, list[str]]:
    """Component key -> its CVEs. An advisory: {"cve", "source", "package", "fixed_in", ...}; an empty `fixed_in` is not fixed yet."""
    by_package: dict[tuple, list[dict]] = {}
    for advisory in advisories:
        by_package.setdefault((advisory["source"], advisory["package"]), []).append(advisory)
    result = {}
    for part in found:
        candidates = by_package.get((part["source"], part["name"]), [])
        result[key(part)] = sorted(
            item["cve"] for item in candidates
            if not item["fixed_in"] or versions.older(part["source"], part["version"], item["fixed_in"])
        )
    return result


def key(component: dict) -> str:
    """The name of a component within the results."""
    return f"{component['source']}/{component['name']}@{component['version']}"


def severity(cvss: float) -> str | None:
    """DTR docs: scanning: critical from 7, major from 4, minor above 0; None for 0."""
    if cvss >= 7:
        return "critical"
    if cvss >= 4:
        return "major"
    return "minor" if cvss > 0 else None


def _component(name: str | None, version: str | None, source: str, path: str, licenses: list[str]) -> dict:
    return {"name": name, "version": version, "source": source, "filepaths": [path], "licenses": sorted(set(licenses) - {"AND", "OR"})}


def _apply(layer: BinaryIO, files: dict[str, bytes]) -> None:
    """Lay one layer over `files`: its whiteouts first, then what it brings and the scanner reads."""
    try:
        with tarfile.open(fileobj=layer, mode="r|*") as archive:
            brought = {}
            for member in archive:
                path = member.name.removeprefix("./").lstrip("/")
                directory, _slash, name = path.rpartition("/")
                if name == OPAQUE:
                    _remove(files, f"{directory}/".lstrip("/"))
                elif name.startswith(WHITEOUT):
                    gone = f"{directory}/{name[len(WHITEOUT):]}".lstrip("/")
                    files.pop(gone, None)
                    _remove(files, gone + "/")
                elif member.isfile() and _wanted(path):
                    if member.size > LARGEST:
                        raise ScanError(f"{path} has {member.size} bytes, more than a package database has")
                    brought[path] = archive.extractfile(member).read()
    except (tarfile.TarError, EOFError, OSError) as problem:
        raise ScanError(f"a layer is not a tar or gzipped tar: {problem}") from problem
    files.update(brought)


def _wanted(path: str) -> bool:
    return path in (DPKG, APK) or path.startswith(DPKG_DIRECTORY) or COPYRIGHT.fullmatch(path) is not None


def _remove(files: dict[str, bytes], prefix: str) -> None:
    for path in [path for path in files if path.startswith(prefix)]:
        del files[path]


def _paragraphs(text: str) -> list[dict[str, str]]:
    """Blocks of `Key: value` lines; continuation lines are not needed here."""
    blocks = []
    for block in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z][\w-]*):[ \t]*(.*)$", block, re.MULTILINE))
        if fields:
            blocks.append(fields)
    return blocks


def _copyright(content: bytes) -> list[str]:
    """Licences of a machine-readable copyright file; free text has none that could be told."""
    text = content.decode("utf-8", "replace")
    return sorted({name.strip() for name in re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE)})
