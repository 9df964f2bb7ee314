# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of UCP's volumes: authorities that all managers share, a node's own identities, and the certificate of the web interface."""

from __future__ import annotations

import hashlib
import json
import pathlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from ..cluster import pki
from ..tls import Authority, alternative, certificates_of
from . import layout

VOLUMES = pathlib.Path("/v")
SECRETS = pathlib.Path("/run/secrets")


def write_if_new(file: pathlib.Path, text: str) -> bool:
    """In one step, for the owner only; whether it had to be."""
    if file.exists() and file.read_text() == text:
        return False
    pki.write_private(file, text)
    return True


def place_authorities(secrets: pathlib.Path = SECRETS, volumes: pathlib.Path = VOLUMES) -> None:
    """What the swarm's secrets hold, as ca.pem and ca-key.pem in the volumes."""
    for name in layout.AUTHORITIES:
        document = json.loads((secrets / name).read_text())
        write_if_new(volumes / name / "ca-key.pem", document["key"])
        write_if_new(volumes / name / "ca.pem", document["certificate"])


def new_authority(folder: pathlib.Path, name: str) -> dict:
    """`{"certificate", "key"}` of an authority, which is made where the folder holds none."""
    authority = Authority(folder, name)
    return {"certificate": authority.pem, "key": (folder / "ca-key.pem").read_text()}


def place_identities(node: str, names: list[str], volumes: pathlib.Path = VOLUMES) -> bool:
    """This node's certificate for internal traffic, in the volume of each process that needs one; whether any had to be made."""
    authority = Authority(volumes / layout.CLUSTER_CA, "UCP Cluster Root CA")
    made = False
    for volume in layout.IDENTITIES:
        folder = volumes / volume
        if not _fits(folder / "node.pem", authority, names):
            write_if_new(folder / "ca.pem", authority.pem)
            pki.identity(folder, node, names, authority)
            made = True
    return made


def _fits(file: pathlib.Path, authority: Authority, names: list[str]) -> bool:
    """Whether a certificate is there that this very authority signed, for these names."""
    if not file.exists():
        return False
    certificate = certificates_of(file.read_text())[0]
    try:
        authority.certificate.public_key().verify(
            certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(certificate.signature_hash_algorithm))
    except InvalidSignature:
        return False
    return names_of(certificate).issuperset(alternative(name) for name in names)


def names_of(certificate: x509.Certificate) -> set:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()


class Web:
    """The volume with the certificate of the web interface. A certificate that this class did not issue is the operator's, and stays."""

    def __init__(self, volumes: pathlib.Path = VOLUMES):
        self.folder, self.volumes = volumes / layout.WEB_CERTS, volumes
        self._mark = volumes / layout.NODE_CERTS / "web.json"

    def read(self) -> dict | None:
        """`{"ca", "cert", "key"}`, None unless all three files are there."""
        files = {name: self.folder / f"{name}.pem" for name in ("ca", "cert", "key")}
        return {name: file.read_text() for name, file in files.items()} if all(file.exists() for file in files.values()) else None

    @property
    def mark(self) -> dict:
        """`issued`, `published`: digests of the certificate made here, and of the operator's that the store has; `applied`: its number."""
        return json.loads(self._mark.read_text()) if self._mark.exists() else {}

    def is_operators(self) -> bool:
        present = self.read()
        return bool(present) and digest(present) != self.mark.get("issued")

    def place(self, certificate: dict, applied: int) -> None:
        """The operator's, as the store has it under this number."""
        self._write(certificate)
        write_if_new(self._mark, json.dumps({"applied": applied, "published": digest(certificate)}))

    def issue(self, node: str, names: list[str]) -> bool:
        """A certificate of UCP's own for this manager, unless the present one is good; whether it had to be made."""
        authority = Authority(self.volumes / layout.CLIENT_CA, "UCP Client Root CA")
        present = self.read()
        if present and _fits(self.folder / "cert.pem", authority, names):
            return False
        certificate, key = authority.issue(node, names)
        made = {"ca": authority.pem, "cert": certificate.decode(), "key": key.decode()}
        self._write(made)
        write_if_new(self._mark, json.dumps({"issued": digest(made), "applied": self.mark.get("applied", 0) if present else 0}))
        return True

    def _write(self, files: dict) -> None:
        for name in ("key", "ca", "cert"):   # the certificate last: servers look at it
            write_if_new(self.folder / f"{name}.pem", files[name])


def digest(certificate: dict) -> str:
    return hashlib.sha256(certificate["cert"].encode()).hexdigest()


def web_names(node: dict, address: str) -> list[str]:
    """Names of a manager's own certificate: its label adds to them (UCP docs, add SANs to the cluster)."""
    label = node["Spec"].get("Labels", {}).get(layout.SANS_LABEL, "")
    extra = [name.strip() for name in label.split(",")]
    return list(dict.fromkeys(name for name in (node["Description"]["Hostname"], address, "localhost", "127.0.0.1", *extra) if name))
