# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Reading certificates and private keys, and the questions that every judge of them asks."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timezone

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    # not_valid_after_utc came with 42; before it, dates are naive and deprecated.
    CRYPTOGRAPHY_MISSING = None if hasattr(x509.Certificate, "not_valid_after_utc") else "it is older than 42"
except ImportError as missing:
    CRYPTOGRAPHY_MISSING = str(missing)

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_TO_PEM = "convert DER with `openssl x509 -inform DER -in FILE`, PKCS#12 with `openssl pkcs12 -in FILE`"


class PemError(ValueError):
    """Text that is not what it should be; the message continues a sentence about where the text came from."""


def missing_library():
    return f"The Python library cryptography, 42 or newer, is needed on the controller: {CRYPTOGRAPHY_MISSING}."


def now_utc():
    return datetime.now(timezone.utc)


def blocks(text):
    """[(label, block)] of the PEM blocks in a text."""
    return [(match.group(1), match.group(0)) for match in _BLOCK.finditer(text)]


def certificate_blocks(text):
    return [block for label, block in blocks(text) if label == "CERTIFICATE"]


def load_certificates(text):
    """All certificates of a PEM text, in its order; PemError when there is none or one is broken."""
    if not text.strip():
        raise PemError("is empty; give a certificate in PEM")
    found = certificate_blocks(text)
    if not found:
        if any(label.endswith("PRIVATE KEY") for label, block in blocks(text)):
            raise PemError("holds a private key where a certificate belongs; exchange the two")
        raise PemError("holds no PEM certificate; " + _TO_PEM)
    if text.count("-----BEGIN CERTIFICATE-----") > len(found):
        raise PemError("holds a certificate without its END line; copy the file again, whole")
    certificates = []
    for number, block in enumerate(found, 1):
        try:
            certificates.append(x509.load_pem_x509_certificate(block.encode()))
        except ValueError as error:
            raise PemError(f"certificate {number} cannot be read ({error}); copy the file again") from error
    return certificates


def load_key(text, passphrase=None):
    """The private key of a PEM text; the key itself never becomes part of an error's message."""
    if not text.strip():
        raise PemError("is empty; give the private key in PEM")
    keys = [(label, block) for label, block in blocks(text) if label.endswith("PRIVATE KEY")]
    if not keys:
        if certificate_blocks(text):
            raise PemError("holds a certificate where the private key belongs; exchange the two")
        raise PemError("holds no PEM private key; convert DER with `openssl pkey -inform DER -in FILE`")
    if len(keys) > 1:
        raise PemError(f"holds {len(keys)} private keys; leave only the one of the certificate")
    label, block = keys[0]
    if label == "OPENSSH PRIVATE KEY":
        raise PemError("is an SSH key; give the TLS key, or convert with `ssh-keygen -p -m PKCS8`")
    encrypted = label.startswith("ENCRYPTED") or "Proc-Type: 4,ENCRYPTED" in block
    if encrypted and not passphrase:
        raise PemError("is encrypted and no passphrase is given; set key_passphrase of the entry")
    try:
        # RSA's own arithmetic is checked where the key is used; here it costs more than all the rest.
        return serialization.load_pem_private_key(
            block.encode(), passphrase.encode() if encrypted else None, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's message is dropped: it adds nothing to mend by, and nothing about a key should be repeated.
        if encrypted:
            raise PemError("cannot be decrypted; check key_passphrase of the entry") from None
        raise PemError("cannot be read as a private key; copy the file again, whole") from None


def plain_key(text, passphrase=None):
    """PEM that a server can load unattended: the block as it stands, decrypted when a passphrase protects it."""
    key = load_key(text, passphrase)
    block = next(block for label, block in blocks(text) if label.endswith("PRIVATE KEY"))
    if "ENCRYPTED" not in block:
        return block + "\n"
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_bytes(owner):
    """What a key and its certificate have in common."""
    return owner.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def key_kind(key):
    """rsa-2048, ecdsa-p256, ... : as the role spells key types; other kinds by their class."""
    key = key.public_key() if hasattr(key, "public_key") else key
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        curves = {"secp256r1": "p256", "secp384r1": "p384", "secp521r1": "p521"}
        return "ecdsa-" + curves.get(key.curve.name, key.curve.name)
    return type(key).__name__.lstrip("_").replace("PublicKey", "").lower()


def label(certificate):
    return certificate.subject.rfc4514_string() or f"serial {certificate.serial_number:x}"


def fingerprint(certificate):
    return "sha256:" + certificate.fingerprint(hashes.SHA256()).hex()


def days_left(certificate, now):
    """Whole days, rounded down: 0 on the last day, negative once it is over."""
    return (certificate.not_valid_after_utc - now).days


def extension(certificate, kind):
    """The value of an extension, None where the certificate has none."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def is_ca(certificate):
    constraints = extension(certificate, x509.BasicConstraints)
    return bool(constraints and constraints.ca)


def issued_by(certificate, issuer):
    """True when the issuer's key signed the certificate."""
    if certificate.issuer != issuer.subject:
        return False
    if weak_digest(certificate):
        return True  # cryptography no longer verifies these; the weakness is a problem of its own
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def weak_digest(certificate):
    """The name of the digest that signed it, when clients no longer accept that."""
    digest = certificate.signature_hash_algorithm
    return digest.name if digest and digest.name in ("md5", "sha1") else None


def normal_name(name):
    """One spelling for each name: addresses as ipaddress writes them, host names in lower-case A-labels."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    name = name.rstrip(".").lower()
    if not name.isascii():
        name = ".".join(part.encode("idna").decode() for part in name.split("."))
    return name


def is_address(name):
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def alternative_names(certificate):
    """The DNS names and addresses that a certificate is for. Its common name counts for nothing with today's clients."""
    names = extension(certificate, x509.SubjectAlternativeName)
    if names is None:
        return []
    return [normal_name(name) for name in names.get_values_for_type(x509.DNSName)] + [
        str(address) for address in names.get_values_for_type(x509.IPAddress)
    ]


def covers(pattern, name):
    """RFC 6125: a wildcard is the whole leftmost label and stands for exactly one label; addresses match exactly."""
    pattern, name = normal_name(pattern), normal_name(name)
    if pattern == name:
        return True
    if not pattern.startswith("*.") or is_address(name):
        return False
    first, dot, rest = name.partition(".")
    return bool(first and dot) and first != "*" and rest == pattern[2:]
