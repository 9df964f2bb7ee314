# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images in a stand-in without a data plane, with results as if they had been scanned."""

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "lab"))

import images

LAYER = images.digest_of(b"layer")
OPENSSL, BASH, CURL = ("openssl", "3.0.11-1"), ("bash", "5.2.15-2"), ("curl", "8.0")
CVES = {"CVE-2099-0001": 9.8, "CVE-2099-0002": 5.3, "CVE-2099-0003": 2.1}
FOUND = {OPENSSL: ["CVE-2099-0001", "CVE-2099-0002"], BASH: ["CVE-2099-0003"], CURL: []}


def scanned(standin, reference, found=None, layer=LAYER, licenses=("MIT",), **described):
    """A tag whose image was scanned, in a repository that exists; found: {(component, version): [vulnerabilities]}, FOUND if not
    given; the digest.
    """
    found = FOUND if found is None else found
    digest = images.plant(standin, reference, **described)
    path, _colon, tag = reference.partition(":")
    namespace, _slash, name = path.partition("/")
    components = [
        {"name": part, "version": version, "source": "deb", "filepaths": [], "licenses": list(licenses), "layer": 0}
        for part, version in found]
    standin.store.put("scan", f"{path}/{digest}", {
        "pk": f"{path}/{digest}", "namespace": namespace, "repository": name, "tag": tag, "digest": digest, "status": 6, "error": "",
        "checkedAt": "2026-01-02T03:04:05Z", "dbVersion": 1, "foreign": False, "components": components,
        "found": {f"deb/{part}@{version}": cves for (part, version), cves in found.items()},
        "cves": {cve: {"cvss": CVES[cve], "summary": "made up"} for cves in found.values() for cve in cves},
        "layers": [{"digest": layer, "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 1}],
    })
    return digest
