# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ucp-proxy: opens the node's engine to the swarm's managers, and to nobody else.

    python3 -m standin.ucp_node.proxy

Both sides show the certificates that the swarm gave their nodes; a manager's says OU=swarm-manager. What passes is a stream of bytes, so
that everything the engine's interface can do works through it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import signal
import ssl
import tempfile

from ..engine.client import SOCKET

CERTIFICATES = pathlib.Path("/swarm/certificates")
PORT = 2376
LOOK_SECONDS = 2.0
CHUNK = 65536


def certificates(context: ssl.SSLContext, folder: pathlib.Path = CERTIFICATES) -> ssl.SSLContext:
    """Loads the node's identity and the swarm's authority into the context.

    The swarm keeps notes as headers in the key's PEM block, which OpenSSL does not read.
    """
    key = "".join(line for line in (folder / "swarm-node.key").read_text().splitlines(keepends=True) if line.strip() and ":" not in line)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:   # readable by its owner only
        file.write(key + (folder / "swarm-node.crt").read_text())
        file.flush()
        context.load_cert_chain(file.name)
    context.load_verify_locations(folder / "swarm-root-ca.crt")
    return context


def is_manager(certificate: dict | None) -> bool:
    """Of what `getpeercert` gives."""
    subject = {name: value for pairs in (certificate or {}).get("subject", ()) for name, value in pairs}
    return subject.get("organizationalUnitName") == "swarm-manager"


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection: both directions, until the engine has no more to say or the caller is gone."""
    try:
        if not is_manager(writer.get_extra_info("peercert")):
            return
        engine_reader, engine_writer = await asyncio.open_unix_connection(SOCKET)
        try:
            asked, answered = (asyncio.ensure_future(_pass(*pair)) for pair in ((reader, engine_writer), (engine_reader, writer)))
            await asyncio.wait((asked, answered), return_when=asyncio.FIRST_COMPLETED)
            if asked.done() and not answered.done() and not writer.is_closing():
                await asyncio.wait((answered,), timeout=1)
            for task in (asked, answered):
                task.cancel()
        finally:
            engine_writer.close()
    except OSError as problem:
        print(f"ucp-proxy: {SOCKET}: {problem}", flush=True)
    finally:
        writer.close()


async def _follow(context: ssl.SSLContext) -> None:
    """The swarm renews certificates, and gives new ones when a node's role changes."""
    seen = None
    while True:
        with contextlib.suppress(OSError):
            now = [os.stat(CERTIFICATES / name).st_mtime_ns for name in ("swarm-node.crt", "swarm-root-ca.crt")]
            if seen not in (None, now):
                certificates(context)
            seen = now
        await asyncio.sleep(LOOK_SECONDS)


async def main() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    certificates(context)
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    listener = await asyncio.start_server(serve, "0.0.0.0", PORT, ssl=context, backlog=128)
    following = asyncio.ensure_future(_follow(context))
    async with listener:
        await ended.wait()
    following.cancel()


if __name__ == "__main__":
    asyncio.run(main())
