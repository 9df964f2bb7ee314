# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of single values; each returns the value, or raises `ValueError` with what is wrong."""

from __future__ import annotations

import ipaddress
import re


def text(given: str) -> str:
    if not given:
        raise ValueError("it is empty")
    return given


def port(given: str) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= 65535:
        raise ValueError(f"{given!r} is no port from 1 to 65535")
    return int(given)


def number(given: str) -> int:
    if not given.isdecimal():
        raise ValueError(f"{given!r} is no number")
    return int(given)


def ports(given: str) -> str:
    low, dash, high = given.partition("-")
    if not dash or port(low) >= port(high):
        raise ValueError(f"{given!r} is no range of ports such as 32768-35535")
    return given


def network(given: str) -> str:
    ipaddress.ip_network(given)
    return given


def name(given: str) -> str:
    """A host name or an address; no URL, no port."""
    try:
        return str(ipaddress.ip_address(given))
    except ValueError:
        if not re.fullmatch(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", given):
            raise ValueError(f"{given!r} is neither a host name nor an address") from None
        return given


def pull(given: str) -> str:
    if given not in ("always", "missing", "never"):
        raise ValueError(f"{given!r} is none of always, missing, never")
    return given


def listen(given: str) -> str:
    port(given.rpartition(":")[2])
    return given


def truth(given: str) -> bool:
    """Of a switch that was given with `=`, or by its variable."""
    if given.lower() not in ("1", "t", "true", "0", "f", "false"):
        raise ValueError(f"{given!r} is neither true nor false")
    return given.lower() in ("1", "t", "true")


KINDS = {
    "text": text, "port": port, "number": number, "ports": ports, "network": network, "name": name, "pull": pull, "listen": listen,
    "bool": truth,
}
