# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates for tests, good ones and each kind of bad one. The certificates scenario makes its files with it too."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(timezone.utc).replace(microsecond=0)


def _general_name(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Pair:
    """A key with its certificate, able to issue others."""

    def __init__(self, key, certificate):
        self.key, self.certificate = key, certificate

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def key_pem(self, passphrase=None):
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption(),
        ).decode()


def make(
    common_name,
    issuer=None,
    names=(),
    *,
    ca=False,
    starts=-1,
    days=90,
    key=None,
    digest=None,
    extended=ExtendedKeyUsageOID.SERVER_AUTH,
    usage=None,
    path_length=None,
):
    """A certificate valid from `starts` to `days` days from now; self-signed without an issuer."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=starts))
        .not_valid_after(NOW + timedelta(days=days, hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
    if extended and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), critical=False)
    if usage:
        flags = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
        flags.update(dict.fromkeys(usage, True))
        builder = builder.add_extension(x509.KeyUsage(**flags), critical=True)
    signer = issuer.key if issuer else key
    return Pair(key, builder.sign(signer, digest or hashes.SHA256()))


def authority(common_name="Test root", **options):
    return make(common_name, ca=True, usage=("key_cert_sign", "crl_sign"), **dict({"days": 3650}, **options))


def entry(pair, *chain, ca=None, names=("registry.lab.test",), **more):
    """An entry of certificates_list as the lookup completes it."""
    made = {
        "name": "web",
        "source": "provided",
        "names": list(names),
        "certificate": pair.pem,
        "chain": "".join(member.pem for member in chain),
        "key": pair.key_pem(),
        "ca": ca.pem if ca else "",
        "origins": {part: f"/pki/{part}.pem" for part in ("certificate", "key", "chain", "ca")},
        "deploy": {"certificate": "/etc/web/certificate.pem", "key": "/etc/web/key.pem"},
    }
    made.update(more)
    return made
