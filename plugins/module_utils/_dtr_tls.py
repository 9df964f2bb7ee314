# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""The registry's own certificate: checked before it is handed over, awaited until it is served."""

from __future__ import annotations

import datetime
import ssl
import time

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
except ImportError:
    x509 = serialization = None

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

SERVED_WAIT = 60   # seconds until a replaced certificate must be served


def check_pair(cert, key, now=None):
    """InputError unless cert (PEM, leaf first) and key (PEM) belong together and the leaf is valid now."""
    if x509 is None:
        raise InputError("web_tls_cert is checked before it is handed over, which needs the Python package cryptography here. Install it.")
    try:
        leaf = x509.load_pem_x509_certificate(cert.encode())
    except ValueError as error:
        raise InputError(f"web_tls_cert is no PEM certificate ({error}). Give the server's certificate, then its intermediates.") from error
    try:
        private = serialization.load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise InputError("web_tls_key is no PEM private key, or it is encrypted. Give the key of web_tls_cert, not encrypted.") from error
    if private.public_key() != leaf.public_key():
        raise InputError("web_tls_key is not the key of the first certificate in web_tls_cert. Give the pair that belongs together.")
    now = now or datetime.datetime.now(datetime.timezone.utc)
    start, end = validity(leaf)
    if not start <= now <= end:
        raise InputError(f"web_tls_cert is valid from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, which is not now."
                         " Give a valid certificate.")


def validity(certificate):
    """(start, end) of an x509.Certificate, aware; cryptography 42 renamed the properties."""
    if hasattr(certificate, "not_valid_after_utc"):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return tuple(moment.replace(tzinfo=datetime.timezone.utc) for moment in (certificate.not_valid_before, certificate.not_valid_after))


def await_served(base_url, cert):
    """Return when a new connection to base_url gets the leaf of cert; ApiError after SERVED_WAIT seconds."""
    name, port = base_url.rpartition("//")[2], 443
    if name.rpartition(":")[2].isdigit():
        name, _colon, port = name.rpartition(":")
    leaf = ssl.PEM_cert_to_DER_cert(cert[cert.index("-----BEGIN CERTIFICATE-----"):cert.index("-----END CERTIFICATE-----") + 25])
    end = time.monotonic() + SERVED_WAIT
    while True:
        try:
            # Not verified: it is compared with the certificate that shall be there.
            served = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((name.strip("[]"), int(port)), timeout=10))
        except OSError:
            served = None
        if served == leaf:
            return
        if time.monotonic() > end:
            raise ApiError(f"{base_url} took the new certificate but does not serve it after {SERVED_WAIT} s. Is there a balancer before"
                           " the registry that ends TLS itself? Then the certificate belongs there.")
        time.sleep(0.5)
