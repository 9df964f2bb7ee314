# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a folder holds a certificate that a web server can use: `python3 -m standin.ucp_node.web_check FOLDER`; else 1 and a sentence."""

from __future__ import annotations

import pathlib
import ssl
import sys

from ..tls import certificates_of


def problem(files: dict[str, str]) -> str:
    """`files`: "ca", "cert", "key" -> PEM text. What is wrong with them, "" for nothing (UCP docs, use your own TLS certificates)."""
    if missing := [f"{name}.pem" for name in ("ca", "cert", "key") if not files.get(name)]:
        return f"{', '.join(missing)} missing"
    if "ENCRYPTED" in files["key"]:
        return "key.pem is encrypted; take the password off"
    for name in ("ca", "cert"):
        try:
            certificates_of(files[name])
        except ValueError:
            return f"{name}.pem holds no certificate"
    return ""


def read(folder: pathlib.Path) -> dict[str, str]:
    files = {name: folder / f"{name}.pem" for name in ("ca", "cert", "key")}
    return {name: file.read_text() for name, file in files.items() if file.exists()}


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    wrong = problem(read(folder))
    if not wrong:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / "cert.pem", folder / "key.pem")
        except ssl.SSLError as error:
            wrong = f"cert.pem and key.pem do not fit: {error.reason or error}"
    if wrong:
        sys.exit(wrong)


if __name__ == "__main__":
    main()
