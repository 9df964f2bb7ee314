# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What a server's certificates say, above all until when they hold."""

from __future__ import annotations

import datetime
import socket
import ssl
import traceback

try:
    from cryptography import x509
    from cryptography.x509.oid import NameOID
except ImportError:
    MISSING = traceback.format_exc()
    x509 = None
else:
    MISSING = None

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

END = "-----END CERTIFICATE-----"


def need_cryptography():
    """InputError where the library is not installed."""
    if MISSING:
        raise InputError("the Python library cryptography is needed where this module runs. Install it, such as with the package"
                         " python3-cryptography.")


def served(host, timeout):
    """The certificate, PEM, that a server shows first; not verified, for an expired one is what is looked for.

    host: name or address with an optional port, 443 by default; timeout: seconds.
    """
    name, port = address(host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((name, port), timeout) as plain, context.wrap_socket(plain, server_hostname=name) as channel:
            return ssl.DER_cert_to_PEM_cert(channel.getpeercert(binary_form=True))
    except (OSError, ssl.SSLError) as error:
        raise ApiError(f"the certificate of {name}:{port} cannot be read ({error}). Check host and port, and that it runs.") from error


def address(host):
    """(name, port) of "name", "name:port", "[::1]" and "[::1]:port"."""
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = host, "443"
    return name.strip("[]"), int(port)


def split(pem):
    """[PEM] of the certificates in a text."""
    return [part[part.index("-----BEGIN CERTIFICATE-----"):] + END for part in pem.split(END)[:-1] if "-----BEGIN CERTIFICATE-----" in part]


def facts(pem, now=None):
    """{subject, issuer, names, not_after, days_left} of a certificate, PEM; now: aware datetime, for tests."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    end = certificate.not_valid_after.replace(tzinfo=datetime.timezone.utc) if not hasattr(certificate, "not_valid_after_utc") \
        else certificate.not_valid_after_utc
    left = end - (now or datetime.datetime.now(datetime.timezone.utc))
    return {
        "subject": common_name(certificate.subject),
        "issuer": common_name(certificate.issuer),
        "names": alternative_names(certificate),
        "not_after": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "days_left": left.days,
    }


def common_name(name):
    """The common name, or the whole of an x509.Name without one."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def alternative_names(certificate):
    """[name or address] that an x509.Certificate is for."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(entry.value) for entry in extension.value]
