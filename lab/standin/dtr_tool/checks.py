# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading one value of the command line: each check takes the text and returns the value, or raises `ValueError` saying what is wanted.

A check never puts the value of a secret into its message.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse

from cryptography.hazmat.primitives import serialization

from ..tls import certificates_of

REPLICA = re.compile(r"[0-9a-f]{12}")
HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
VOLUME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
TRUE, FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")
PROTOCOLS = ("tcp", "udp", "internal")
LEVELS = ("debug", "info", "warn", "error", "fatal")


def text(value: str) -> str:
    return value


def switch(value: str) -> bool:
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def replica(value: str) -> str:
    if not REPLICA.fullmatch(value):
        raise ValueError(f"{value!r} is no replica ID: 12 hexadecimal characters (0-9, a-f)")
    return value


def replicas(value: str) -> list:
    found = [replica(part.strip()) for part in value.split(",")]
    if len(set(found)) != len(found):
        raise ValueError(f"{value!r} names a replica twice")
    return found


def port(value: str) -> int:
    if not value.isascii() or not value.isdecimal() or not 1 <= int(value) <= 65535:
        raise ValueError(f"{value!r} is no port: a number from 1 to 65535")
    return int(value)


def cache(value: str):
    """Megabytes, or "auto"."""
    if value == "auto":
        return value
    if not value.isascii() or not value.isdecimal() or int(value) < 1:
        raise ValueError(f"{value!r} is no cache size: megabytes, or auto")
    return int(value)


def subnet(value: str) -> str:
    try:
        return str(ipaddress.IPv4Network(value))
    except ValueError:
        raise ValueError(f"{value!r} is no IPv4 subnet such as 10.0.0.0/24") from None


def _address(value: str, what: str, paths=("", "/")) -> tuple:
    """(host, port or None) of `host`, `host:port` or `https://host[:port]`."""
    wanted = f"{value!r} is no {what}: host, host:port or https://host[:port]"
    parts = urllib.parse.urlsplit(value if "://" in value else f"https://{value}")
    try:
        host, number = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(wanted) from None
    if parts.scheme != "https" or parts.path not in paths or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(wanted)
    if not HOST.fullmatch(host) or number == 0:
        raise ValueError(wanted)
    return host, number


def ucp_url(value: str) -> tuple:
    """(host, port)"""
    host, number = _address(value, "address of UCP")
    return host, number or 443


def external_url(value: str) -> str:
    """host[:port], without the port where it is 443: what stands before the slash in an image's name."""
    host, number = _address(value, "external URL")
    return host if number in (None, 443) else f"{host}:{number}"


def nfs_url(value: str) -> dict:
    """{"host", "path"}, empty for the empty text."""
    if value == "":
        return {}
    parts = urllib.parse.urlsplit(value)
    if parts.scheme != "nfs" or not HOST.fullmatch(parts.netloc) or len(parts.path) < 2 or parts.query or parts.fragment:
        raise ValueError(f"{value!r} is no NFS share: nfs://<host>/<mountpoint>")
    return {"host": parts.netloc, "path": parts.path}


def volume(value: str) -> str:
    if not VOLUME.fullmatch(value) and not re.fullmatch(r"/[^:,\s]+", value):
        raise ValueError(f"{value!r} is neither the name of a volume nor an absolute path")
    return value


def proxy(value: str) -> str:
    """The empty text takes a proxy out of use again."""
    if value == "":
        return value
    parts = urllib.parse.urlsplit(value if "://" in value else f"http://{value}")
    try:
        good = parts.scheme in ("http", "https") and HOST.fullmatch(parts.hostname or "") and parts.port != 0 and parts.path in ("", "/")
    except ValueError:
        good = False
    if not good:
        raise ValueError("it is no proxy: [http://][username:password@]<domain>:<port>")
    return value


def log_protocol(value: str) -> str:
    if value not in PROTOCOLS:
        raise ValueError(f"{value!r} is no protocol: {', '.join(PROTOCOLS)}")
    return value


def log_level(value: str) -> str:
    if value.lower() not in LEVELS:
        raise ValueError(f"{value!r} is no log level: {', '.join(LEVELS)}")
    return value.upper()


def certificates(value: str) -> str:
    try:
        certificates_of(value)
    except ValueError:
        raise ValueError("it holds no certificate in PEM; give the content of the file, not its path") from None
    return value.strip() + "\n"


def key(value: str) -> str:
    try:
        serialization.load_pem_private_key(value.encode(), None)
    except (ValueError, TypeError):
        raise ValueError("it holds no unencrypted private key in PEM; give the content of the file, not its path") from None
    return value.strip() + "\n"


KINDS = {
    "text": text, "bool": switch, "replica": replica, "replicas": replicas, "port": port, "cache": cache, "subnet": subnet,
    "ucp_url": ucp_url, "external_url": external_url, "nfs_url": nfs_url, "volume": volume, "proxy": proxy,
    "log_protocol": log_protocol, "log_level": log_level, "certificates": certificates, "key": key,
}
