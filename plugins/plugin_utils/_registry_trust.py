# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What the controller does with a list of registries: read the files it names, and look into the certificates."""

from __future__ import annotations

import os
import re
from datetime import datetime, timezone

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_rules import label_of, problems

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    CRYPTOGRAPHY_MISSING = None
except ImportError as missing:
    CRYPTOGRAPHY_MISSING = str(missing)

FILES = {"ca_file": "ca", "client_certificate_file": "client_certificate", "client_key_file": "client_key"}
LIST = "registry_trust_registries"
TO_BE_MADE = "(content of a file that is not there yet, and that a run outside check mode may make)"
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


class Encrypted(ValueError):
    """A file only Ansible can open."""


def read_files(entries: list, base: str, check_mode: bool = False) -> tuple:
    """(entries with contents in place of file names, problems). Relative names are taken from `base`.

    In check mode a missing file is no problem: an earlier play would make it, such as the CA at the very first run.
    """
    resolved, found = [], []
    for index, entry in enumerate(entries):
        own = {key: value for key, value in entry.items() if key not in FILES and value is not None}
        for option, key in FILES.items():
            path = entry.get(option)
            if not path or own.get("state") == "absent":
                continue
            if own.get(key):
                found.append(f"{label_of(entry, index, LIST)}: {key} and {option} are both given; keep one")
                continue
            try:
                # A placeholder keeps one unreadable file from being reported as half a pair as well.
                own.setdefault(key, "unreadable")
                own[key] = _read(os.path.join(base, os.path.expanduser(path)))
            except (OSError, ValueError) as error:
                if check_mode and isinstance(error, FileNotFoundError):
                    own[key] = TO_BE_MADE
                    continue
                found.append(f"{label_of(entry, index, LIST)}: {option} {path} cannot be read on the controller: {_reason(error)}")
        resolved.append(own)
    return resolved, found


def all_problems(
    entries: list, networks: list, dialects: list, base: str, *, check_mode: bool = False, now: datetime | None = None
) -> list:
    """Everything the controller can know to be wrong, before a host is touched."""
    resolved, found = read_files(entries, base, check_mode)
    found += problems(resolved, networks, dialects, LIST)
    if CRYPTOGRAPHY_MISSING:
        found.append(f"the Python library cryptography is needed on the controller: {CRYPTOGRAPHY_MISSING}")
    if found:
        return found
    moment = now or datetime.now(timezone.utc)
    for index, entry in enumerate(resolved):
        if entry.get("state") != "absent" and TO_BE_MADE not in entry.values():
            label = label_of(entry, index, LIST)
            found += [f"{label}: {text}" for text in certificate_problems(entry, moment)]
    return found


def certificate_problems(entry: dict, now: datetime) -> list:
    """What is wrong with the PEM contents of one entry."""
    found = []
    if entry.get("ca"):
        found += _certificate_problems("ca", entry["ca"], now)[1]
    if entry.get("client_certificate") and entry.get("client_key"):
        certificates, own = _certificate_problems("client_certificate", entry["client_certificate"], now)
        key, why = _private_key(entry["client_key"])
        found += own + ([why] if why else [])
        if certificates and key is not None and _public(certificates[0]) != _public(key):
            found.append("client_key does not belong to the first certificate in client_certificate; give a pair issued together")
    return found


def _certificate_problems(name: str, text: str, now: datetime) -> tuple:
    kinds = [match.group(1) for match in _BLOCK.finditer(text)]
    if any("PRIVATE KEY" in kind for kind in kinds):
        return [], [f"{name} holds a private key, which would become world-readable on every host; take it out of the file"]
    if not kinds:
        return [], [f"{name} is not PEM; it must hold '-----BEGIN CERTIFICATE-----' (convert DER with: openssl x509 -inform der)"]
    others = sorted({kind for kind in kinds if kind != "CERTIFICATE"})
    if others:
        return [], [f"{name} holds {', '.join(others)}; only certificates belong there"]
    try:
        certificates = [x509.load_pem_x509_certificate(match.group(0).encode()) for match in _BLOCK.finditer(text)]
    except (ValueError, UnsupportedAlgorithm):
        return [], [f"{name} holds a block that is no certificate; export it again"]
    return certificates, _validity_problems(name, certificates if name == "ca" else certificates[:1], now)


def _validity_problems(name: str, certificates: list, now: datetime) -> list:
    """A bundle of CAs may hold an expired one; it is of no use when all are."""
    valid = [cert for cert in certificates if _end(cert) >= now]
    if not valid:
        last = max(certificates, key=_end)
        return [f"{name} expired on {_end(last):%Y-%m-%d} ({last.subject.rfc4514_string()}); give the current one"]
    if all(_start(cert) > now for cert in valid):
        return [f"{name} is not valid before {_start(valid[0]):%Y-%m-%d %H:%M} UTC; wait, or set the controller's clock"]
    return []


def _private_key(text: str) -> tuple:
    try:
        return serialization.load_pem_private_key(text.encode(), password=None), None
    except TypeError:
        return None, "client_key is encrypted, which no client can read; write it without a passphrase and protect it with Ansible Vault"
    except (ValueError, UnsupportedAlgorithm):
        return None, "client_key is not a private key in PEM; it must hold '-----BEGIN PRIVATE KEY-----' or the older forms of it"


def _public(holder) -> bytes:
    return holder.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _start(certificate) -> datetime:
    value = getattr(certificate, "not_valid_before_utc", None)
    return value or certificate.not_valid_before.replace(tzinfo=timezone.utc)


def _end(certificate) -> datetime:
    value = getattr(certificate, "not_valid_after_utc", None)
    return value or certificate.not_valid_after.replace(tzinfo=timezone.utc)


def _read(path: str) -> str:
    with open(path, "rb") as stream:
        text = stream.read().decode("utf-8")
    if text.startswith("$ANSIBLE_VAULT;"):
        raise Encrypted(path)
    return text


def _reason(error) -> str:
    if isinstance(error, OSError):
        return error.strerror
    if isinstance(error, Encrypted):
        return "it is encrypted with Ansible Vault; give its content instead, with lookup('ansible.builtin.file', ...), which decrypts it"
    return "it is not text (a DER file? convert it with: openssl x509 -inform der)"
