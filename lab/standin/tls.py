# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's own certificate authority and the certificates of its listeners."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
import re
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
YEAR = datetime.timedelta(days=365)


def pem_of_key(key) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def public_pem(key) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def certificates_of(pem: str) -> list[x509.Certificate]:
    """All certificates of a PEM text, at least one, else `ValueError` (cryptography below 39 reads only one at a time)."""
    found = CERTIFICATE.findall(pem)
    if not found:
        raise ValueError("there is no certificate")
    return [x509.load_pem_x509_certificate(one.encode()) for one in found]


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Authority:
    """A CA kept in `folder` (ca.pem, ca-key.pem), made at first use."""

    def __init__(self, folder: pathlib.Path, common_name: str):
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "ca.pem"
        key_file = folder / "ca-key.pem"
        if not self.file.exists():
            self._make(key_file, common_name)
        self.certificate = x509.load_pem_x509_certificate(self.file.read_bytes())
        self.key = serialization.load_pem_private_key(key_file.read_bytes(), None)

    @property
    def pem(self) -> str:
        return self.file.read_text()

    def _make(self, key_file: pathlib.Path, common_name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name, now = _name(common_name), datetime.datetime.now(datetime.timezone.utc)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + 10 * YEAR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
            .add_extension(identifier, critical=False)
        )
        key_file.touch(mode=0o600)
        key_file.write_bytes(pem_of_key(key))
        self.file.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, common_name: str, names: list[str], client: bool = False) -> tuple[bytes, bytes]:
        """A certificate for a server, or for a client: (certificate PEM, key PEM)."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name)).issuer_name(self.certificate.subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + 2 * YEAR)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(identifier, critical=False)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([alternative(name) for name in dict.fromkeys(names)])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), pem_of_key(key)


class Listener:
    """The TLS side of one listener; `install` replaces the certificate for all connections from then on."""

    def __init__(self, folder: pathlib.Path, name: str):
        self.certificate_file, self.key_file = folder / f"{name}.pem", folder / f"{name}-key.pem"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.names: list[str] = []

    def start(self, authority: Authority, common_name: str, names: list[str]) -> None:
        """Uses the certificate of an earlier start, unless it is an own one without these names."""
        if not self.certificate_file.exists() or self._outdated(authority, names):
            self._write(*authority.issue(common_name, names))
        self.names = names
        self.load()

    def load(self) -> None:
        """Serve the certificate from now on."""
        self.context.load_cert_chain(self.certificate_file, self.key_file)

    def disguise(self) -> None:
        """Serve one of an authority that nobody knows, until load()."""
        folder = self.certificate_file.parent / "unknown"
        other = Listener(folder, self.certificate_file.stem)
        other.start(Authority(folder, "Unknown authority"), self.names[0], self.names)
        self.context.load_cert_chain(other.certificate_file, other.key_file)

    def _outdated(self, authority: Authority, names: list[str]) -> bool:
        certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        if certificate.issuer != authority.certificate.subject:
            return False
        present = set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        return not present.issuperset(alternative(name) for name in names)

    def install(self, certificate: str, key: str) -> None:
        self._write(certificate.encode(), key.encode())
        self.load()

    def accept_clients_of(self, authorities: str) -> None:
        """Asks clients for a certificate, without insisting, and verifies it against these CAs (PEM)."""
        self.context.load_verify_locations(cadata=authorities)
        self.context.verify_mode = ssl.CERT_OPTIONAL

    def accept_no_clients(self) -> None:
        self.context.verify_mode = ssl.CERT_NONE

    def _write(self, certificate: bytes, key: bytes) -> None:
        self.key_file.touch(mode=0o600)
        self.key_file.write_bytes(key)
        self.certificate_file.write_bytes(certificate)
