# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m standin`: a stand-in as a process of its own. Prints one line when it is ready; SIGTERM ends it."""

from __future__ import annotations

import argparse
import asyncio
import pathlib
import re
import signal
import sys

from .options import Options
from .standin import Standin


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser("standin", description=__doc__)
    add = arguments.add_argument
    add("--state", type=pathlib.Path, required=True, help="folder that holds everything; a restart finds it again")
    add("--admin", default="admin", help="name of the first administrator")
    add("--admin-password-file", type=pathlib.Path, required=True, help="its first line is the administrator's password (first start)")
    add("--listen", default="0.0.0.0", help="address to listen on")
    add("--dtr-host", default="127.0.0.1", help="name under which DTR is reached")
    add("--dtr-port", type=port, default=443)
    add("--ucp-host", default="127.0.0.1", help="name under which UCP is reached")
    add("--ucp-port", type=port, default=8443)
    add("--san", action="append", default=[], help="one more name or address for the certificates; may be repeated")
    add("--registry-binary", help="CNCF Distribution's `registry`; without it there is no data plane")
    add("--version", type=version, default="2.7.6", help="version of DTR to report")
    add("--ucp-version", type=version, default="3.2.5", help="version of UCP to report")
    add("--replica-id", default="0123456789ab")
    add("--node", action="append", default=[], type=node, dest="nodes", metavar="ROLE:NAME:ADDRESS",
        help="a node of UCP's, such as manager:ucp-1:10.0.0.1 (first start); may be repeated")
    add("--dtr-node", default="", help="name of the node that the replica is on")
    add("--settings-delay", type=float, default=0.2, help="seconds until changed settings take effect")
    add("--faults", action="store_true", help="serve /_standin/faults and keep a record of all requests")
    return arguments


def port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 (any that is free) to 65535")
    return int(text)


def version(text: str) -> str:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no version such as 2.7.6")
    return text


def node(text: str) -> dict:
    role, _colon, rest = text.partition(":")
    name, _colon, address = rest.partition(":")
    if role not in ("manager", "worker") or not name or not address:
        raise argparse.ArgumentTypeError(f"{text!r} is not ROLE:NAME:ADDRESS with manager or worker as role")
    return {"role": role, "hostname": name, "address": address}


def read_password(file: pathlib.Path) -> str:
    try:
        password = file.read_text().splitlines()[:1]
    except OSError as error:
        sys.exit(f"standin: cannot read the administrator's password: {error}; name a readable file with --admin-password-file")
    if not password or not password[0]:
        sys.exit(f"standin: {file} is empty; its first line has to be the administrator's password")
    return password[0]


def options_from(arguments: argparse.Namespace) -> Options:
    given = vars(arguments)
    password = read_password(given.pop("admin_password_file"))
    given["san"], given["nodes"] = tuple(given["san"]), tuple(given["nodes"])
    return Options(password=password, record=given["faults"], **given)


async def serve(options: Options) -> None:
    standin, ended = Standin(options), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    try:
        await standin.start()
        print(f"stand-in ready: DTR {standin.dtr_url} UCP {standin.ucp_url} CA {standin.ca_file}", flush=True)
        await ended.wait()
    finally:
        await standin.stop()
        for crash in standin.crashes:
            print(crash, file=sys.stderr)


def main() -> None:
    try:
        asyncio.run(serve(options_from(parser().parse_args())))
    except OSError as error:
        sys.exit(f"standin: cannot start: {error}")


if __name__ == "__main__":
    main()
