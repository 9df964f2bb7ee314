# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The internal authority of a cluster, and the identities of its members: one certificate each, server and client in one.

    python3 -m standin.cluster.pki ca FOLDER --name TEXT
    python3 -m standin.cluster.pki identity FOLDER --name CN --san A --san B [--ca FOLDER] [--org TEXT]

A folder holds ca.pem and ca-key.pem (only where identities are made), node.pem and node-key.pem.
"""

from __future__ import annotations

import argparse
import datetime
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..tls import Authority, alternative, pem_of_key

__all__ = ["Authority", "identity", "issue"]
LIFETIME = datetime.timedelta(days=730)


def issue(authority: Authority, name: str, sans: list[str], organization: str = "") -> tuple[str, str]:
    """A certificate for a server that is a client too, as etcd's members are: (certificate PEM, key PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]
    if organization:
        subject.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, organization[:64]))
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject)).issuer_name(authority.certificate.subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    if sans:
        names = x509.SubjectAlternativeName([alternative(one) for one in dict.fromkeys(sans)])
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(authority.key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), pem_of_key(key).decode()


def identity(folder, name: str, sans: list[str], authority: Authority | None = None, organization: str = "") -> None:
    """Makes or renews node.pem and node-key.pem; ca.pem comes along from an authority that is kept elsewhere."""
    folder = pathlib.Path(folder)
    authority = authority or _authority(folder)
    certificate, key = issue(authority, name, [*sans, "localhost", "127.0.0.1"], organization)
    write_private(folder / "node-key.pem", key)
    (folder / "node.pem").write_text(certificate)
    if not (folder / "ca.pem").exists():
        (folder / "ca.pem").write_text(authority.pem)


def write_private(file: pathlib.Path, text: str) -> None:
    """For the owner only, also while it is being written; replaces the file in one step."""
    partial = file.with_name(f"{file.name}.new")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(file)


def _authority(folder) -> Authority:
    for name in ("ca.pem", "ca-key.pem"):
        if not (pathlib.Path(folder) / name).exists():
            raise FileNotFoundError(f"{folder} holds no {name}; make an authority there with `ca`, or name its folder with --ca")
    return Authority(pathlib.Path(folder), "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("pki", description=__doc__.splitlines()[0])
    actions = parser.add_subparsers(dest="action", required=True)
    ca = actions.add_parser("ca")
    ca.add_argument("folder", type=pathlib.Path)
    ca.add_argument("--name", required=True)
    own = actions.add_parser("identity")
    own.add_argument("folder", type=pathlib.Path)
    own.add_argument("--name", required=True)
    own.add_argument("--san", action="append", default=[])
    own.add_argument("--ca", type=pathlib.Path)
    own.add_argument("--org", default="")
    return parser


def main() -> None:
    arguments = _parser().parse_args()
    try:
        if arguments.action == "ca":
            Authority(arguments.folder, arguments.name)
        else:
            identity(arguments.folder, arguments.name, arguments.san, _authority(arguments.ca or arguments.folder), arguments.org)
    except OSError as problem:
        sys.exit(f"pki: {problem}")


if __name__ == "__main__":
    main()
