# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client bundles: a key and a certificate of UCP's client CA, with which a user signs in without a password."""

from __future__ import annotations

import io
import zipfile

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from .answers import Answer
from .server import operation


class Bundles:
    """Makes bundles. Each adds a public key to the account, and is good as long as that stands there.

    Both are an inference from the UCP docs, which show bundles as removable entries of a profile.
    """

    def __init__(self, ucp):
        self.standin = ucp.standin

    def make(self, account: dict, host: str) -> bytes:
        """The archive; `host`: how the client reaches UCP, with a port, because Docker's own is another one."""
        certificate, key = self.standin.authority.issue(account["name"], [], client=True)
        label = f"Generated on {self.standin.stamp()}"
        self.standin.accounts.add_public_key(account, _public(certificate), label, [{"cert": certificate.decode(), "label": label}])
        files = {
            "ca.pem": self.standin.web_authority.encode(),
            "cert.pem": certificate,
            "key.pem": key,
            "cert.pub": _public(certificate).encode(),
            "env.sh": self._script(host, "export {}={}", '"$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")" && pwd)"'),
            "env.cmd": self._script(host, "set {}={}", "%~dp0"),
            "env.ps1": self._script(host, '$Env:{} = "{}"', "$(Split-Path $script:MyInvocation.MyCommand.Path)"),
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return buffer.getvalue()

    def _script(self, host: str, line: str, folder: str) -> bytes:
        """What makes a shell's Docker client use the bundle; `folder`: how that shell says where the script stands."""
        variables = {
            "DOCKER_TLS_VERIFY": "1", "COMPOSE_TLS_VERSION": "TLSv1_2", "DOCKER_CERT_PATH": folder, "DOCKER_HOST": f"tcp://{host}",
        }
        return "".join(line.format(name, value) + "\n" for name, value in variables.items()).encode()


def with_port(host: str) -> str:
    return host if host.rpartition(":")[2].isdecimal() else f"{host}:443"


def _public(certificate: bytes) -> str:
    key = x509.load_pem_x509_certificate(certificate).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@operation("GET", "/api/clientbundle", product="ucp")
def client_bundle(standin, call):
    account = standin.accounts.demand(call.caller.name)
    return Answer(200, standin.ucp.bundles.make(account, with_port(call.request.host)), {"Content-Type": "application/zip"})
