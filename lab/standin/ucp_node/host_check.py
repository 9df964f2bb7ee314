# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a process in the host's own network can tell: the host's addresses, and which ports are taken.

    python3 -m standin.ucp_node.host_check ADDRESS-OR-INTERFACE PORT... -> {"address": "..." or "", "addresses": [...], "blocked": [...]}

`ADDRESS-OR-INTERFACE` "" asks for the address of the way out, as long as it is the only one.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import socket
import struct
import sys

SIOCGIFADDR = 0x8915
VIRTUAL = ("lo", "docker", "veth", "br-", "vxlan")


def address_of(interface: str) -> str:
    """The interface's IPv4 address; "" when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        try:
            answer = fcntl.ioctl(channel.fileno(), SIOCGIFADDR, struct.pack("256s", interface[:15].encode()))
        except OSError:
            return ""
    return socket.inet_ntoa(answer[20:24])


def own_addresses() -> list[str]:
    names = [name for _index, name in socket.if_nameindex() if not name.startswith(VIRTUAL)]
    return [address for address in map(address_of, names) if address]


def resolve(given: str, own: list[str]) -> str:
    """The host's address that is meant; "" when it is none of the host's."""
    if not given:
        return own[0] if len(own) == 1 else ""
    try:
        ipaddress.ip_address(given)
    except ValueError:
        return address_of(given)
    with socket.socket(socket.AF_INET6 if ":" in given else socket.AF_INET, socket.SOCK_STREAM) as channel:
        try:
            channel.bind((given, 0))
        except OSError:
            return ""
    return given


def blocked(ports: list[int]) -> list[int]:
    taken = []
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as channel:
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                channel.bind(("0.0.0.0", port))
                channel.listen(1)
            except OSError:
                taken.append(port)
    return taken


def main() -> None:
    own = own_addresses()
    print(json.dumps({
        "address": resolve(sys.argv[1], own), "addresses": own, "blocked": blocked([int(port) for port in sys.argv[2:]]),
    }))


if __name__ == "__main__":
    main()
