# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small images made from nothing, and the shortest way to push them.

    base = layer({"etc/motd": b"hello"})
    push(standin, "ann/tools:1.0", image(base, layer({"app": b"..."})))
    push(standin, "ann/tools:2.0", index(image(base), image(base, architecture="arm64")))
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import pathlib
import tarfile

import requests

TYPES = {
    "docker": {
        "image": "application/vnd.docker.distribution.manifest.v2+json",
        "index": "application/vnd.docker.distribution.manifest.list.v2+json",
        "config": "application/vnd.docker.container.image.v1+json",
        "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
    },
    "oci": {
        "image": "application/vnd.oci.image.manifest.v1+json",
        "index": "application/vnd.oci.image.index.v1+json",
        "config": "application/vnd.oci.image.config.v1+json",
        "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
    },
}


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclasses.dataclass(frozen=True)
class Image:
    """A manifest and what it refers to: `blobs` for an image, `children` for an index."""

    media_type: str
    manifest: bytes
    platform: dict
    blobs: tuple[bytes, ...] = ()
    children: tuple[Image, ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)

    @property
    def descriptor(self) -> dict:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.manifest)}


def layer(files: dict[str, bytes]) -> bytes:
    """A gzipped tar; the same files make the same bytes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), compresslevel=1, mtime=0)


def dpkg_layer(packages: dict[str, str]) -> bytes:
    """A layer with Debian's package database: package -> version."""
    entries = [f"Package: {name}\nStatus: install ok installed\nVersion: {version}\n" for name, version in packages.items()]
    return layer({"var/lib/dpkg/status": "\n".join(entries).encode()})


def image(*layers: bytes, os: str = "linux", architecture: str = "amd64", style: str = "docker") -> Image:
    """`style`: docker (version 2 schema 2) or oci."""
    types = TYPES[style]
    config = json.dumps({
        "os": os,
        "architecture": architecture,
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(gzip.decompress(content)) for content in layers]},
        "history": [
            *({"created_by": f"COPY file-{number} /"} for number in range(len(layers))), {"created_by": "CMD true", "empty_layer": True}
        ],
    }).encode()
    manifest = json.dumps({
        "schemaVersion": 2,
        "mediaType": types["image"],
        "config": {"mediaType": types["config"], "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": types["layer"], "digest": digest_of(content), "size": len(content)} for content in layers],
    }).encode()
    return Image(types["image"], manifest, {"os": os, "architecture": architecture}, blobs=(config, *layers))


def index(*images: Image, style: str = "docker") -> Image:
    children = [{**child.descriptor, "platform": child.platform} for child in images]
    manifest = json.dumps({"schemaVersion": 2, "mediaType": TYPES[style]["index"], "manifests": children}).encode()
    return Image(TYPES[style]["index"], manifest, {}, children=images)


def write_folder(folder: pathlib.Path, content: Image) -> str:
    """Writes what skopeo's transport `dir:` reads; the result is what skopeo calls it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "version").write_text("Directory Transport Version: 1.1\n")
    (folder / "manifest.json").write_bytes(content.manifest)
    for child in content.children:
        (folder / f"{child.digest[7:]}.manifest.json").write_bytes(child.manifest)
    for blob in [*content.blobs, *(blob for child in content.children for blob in child.blobs)]:
        (folder / digest_of(blob)[7:]).write_bytes(blob)
    return f"dir:{folder}"


class Session:
    """A client of /v2/ for one repository, as one push of an engine is: one token for all of it."""

    def __init__(self, standin, path: str, auth: tuple[str, str] | None, actions: str = "pull,push"):
        self.path, self.url = path, f"{standin.dtr_url}/v2/{path}"
        self.http = requests.Session()
        self.http.verify, self.http.trust_env = standin.ca_file, False
        scope = {"service": standin.dtr_name, "scope": f"repository:{path}:{actions}"}
        token = self.http.get(f"{standin.dtr_url}/auth/token", params=scope, auth=auth).json()["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, verb: str, rest: str, status: int | None = None, **arguments) -> requests.Response:
        answer = self.http.request(verb, f"{self.url}/{rest}", timeout=30, **arguments)
        assert status is None or answer.status_code == status, f"{verb} {self.path}/{rest}: {answer.status_code} {answer.text[:400]}"
        return answer

    def upload(self, blob: bytes) -> str:
        """Uploads a blob unless it is there."""
        digest = digest_of(blob)
        if self("HEAD", f"blobs/{digest}").status_code != 200:
            location = self("POST", "blobs/uploads/", 202).headers["Location"]
            joint = "&" if "?" in location else "?"
            answer = self.http.put(f"{location}{joint}digest={digest}", data=blob, headers={"Content-Type": "application/octet-stream"})
            assert answer.status_code == 201, answer.text
        return digest

    def put(self, reference: str, content: Image, status: int = 201) -> requests.Response:
        return self("PUT", f"manifests/{reference}", status, data=content.manifest, headers={"Content-Type": content.media_type})

    def push(self, tag: str, content: Image, status: int = 201) -> requests.Response:
        for child in content.children:
            self.push(child.digest, child)
        for blob in content.blobs:
            self.upload(blob)
        return self.put(tag, content, status)

    def pull(self, reference: str) -> int:
        """Fetches a manifest and everything it refers to; the number of blobs."""
        accept = ", ".join(types[kind] for types in TYPES.values() for kind in ("image", "index"))
        manifest = self("GET", f"manifests/{reference}", 200, headers={"Accept": accept}).json()
        digests = [entry["digest"] for entry in (*manifest.get("layers", ()), *([manifest["config"]] if "config" in manifest else ()))]
        for digest in digests:
            assert digest_of(self("GET", f"blobs/{digest}", 200).content) == digest
        return len(digests) + sum(self.pull(child["digest"]) for child in manifest.get("manifests", ()))


def push(standin, reference: str, content: Image, auth: tuple[str, str] | None = None) -> str:
    """Pushes to "namespace/repository:tag", as the administrator unless `auth` says otherwise; the digest."""
    path, _colon, tag = reference.partition(":")
    Session(standin, path, auth or standin.admin).push(tag, content)
    return content.digest


def plant(standin, reference: str, *, digest: str | None = None, author: str = "admin", **described) -> str:
    """Puts a tag, without any blob, into a stand-in that has no data plane; the digest. `described`: see manifests.describe."""
    path, _colon, tag = reference.partition(":")
    namespace, _slash, name = path.partition("/")
    digest = digest or digest_of(reference.encode())
    described = {
        "mediaType": TYPES["docker"]["image"],
        "os": "linux",
        "osVersion": "",
        "architecture": "amd64",
        "configDigest": "",
        "configMediaType": "",
        "size": 0,
        "layers": [],
        "children": [],
        "dockerfile": [],
        **described,
    }

    async def put() -> None:
        standin.tags.put_manifest(namespace, name, digest, described, author)
        standin.tags.put(namespace, name, tag, digest, author)

    standin.run(put())
    return digest
