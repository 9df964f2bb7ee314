# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real registry behind /v2/: CNCF Distribution as a child process, reachable through a socket that only this process knows."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import aiohttp

from .pins import Pins
from .registry_auth import RegistryTokens
from .registry_files import Files

READY_SECONDS = 15.0
STOP_SECONDS = 5.0
RESTART_SECONDS = 0.2   # between a death and the next start
SOCKET_LIMIT = 107      # bytes (Linux)
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)   # loaded here: nothing may be imported between fork and exec


class RegistryFailed(OSError):
    """Distribution cannot be started."""


def _die_with_parent() -> None:
    """Runs in the child: the kernel ends it when the stand-in is gone, however it went (Linux)."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Registry:
    """`files` is Distribution's folder, `tokens` its token service, `pins` what unfinished pushes hold."""

    def __init__(self, standin):
        self.standin = standin
        self.folder: pathlib.Path = standin.options.state / "registry"
        self.files = Files(self.folder)
        self.tokens = RegistryTokens(standin, standin.options.state / "tls")
        self.pins = Pins(standin.clock)
        self.base = "http://registry"   # where Distribution is, as the session sees it
        self.session: aiohttp.ClientSession | None = None
        self._socket: pathlib.Path | None = None
        self._folder_of_socket: str | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task | None = None

    @property
    def domain(self) -> str:
        """What stands before the slash in an image's name."""
        return self.standin.settings.values.get("dtrHost") or self.standin.dtr_name

    @property
    def read_only(self) -> bool:
        return bool(self.standin.settings.values.get("readOnlyRegistry")) or self.standin.gc.offline

    @property
    def pid(self) -> int | None:
        return self._process and self._process.pid

    def share(self, manifests: list[dict], repository: str) -> None:
        """Makes manifests of the store, and what they refer to, known in another repository."""
        digests = [manifest["digest"] for manifest in manifests]
        blobs = [blob for manifest in manifests for blob in blobs_of(manifest)]
        self.pins.touch(digests + blobs)
        if self.session:
            self.files.link(repository, digests, blobs)

    # Its life

    async def start(self) -> None:
        """Nothing without a binary: then /v2/ is not available."""
        if not self.standin.options.registry_binary:
            return
        self._socket = self._choose_socket()
        self.folder.mkdir(exist_ok=True)
        self._write_configuration()
        self.session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(self._socket), limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        await self._launch()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self._end_process()
        if self.session:
            await self.session.close()
            self.session = None
        if self._folder_of_socket:
            shutil.rmtree(self._folder_of_socket)

    def _choose_socket(self) -> pathlib.Path:
        """Beside the registry's files, unless the path would be too long for a socket."""
        socket = self.folder.parent.absolute() / "registry.sock"
        if len(os.fsencode(socket)) <= SOCKET_LIMIT:
            return socket
        self._folder_of_socket = tempfile.mkdtemp(prefix="standin-")
        return pathlib.Path(self._folder_of_socket) / "registry.sock"

    async def _keep(self) -> None:
        """Starts Distribution again whenever it dies."""
        while True:
            status = await self._process.wait()
            self._say(f"the registry ended with status {status}; starting it again")
            await asyncio.sleep(RESTART_SECONDS)
            try:
                await self._launch()
            except RegistryFailed as problem:
                self._say(str(problem))

    async def _launch(self) -> None:
        self._socket.unlink(missing_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "OTEL_"))}
        try:
            with (self.folder.parent / "registry.log").open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    self.standin.options.registry_binary, "serve", str(self.folder.parent / "registry.yml"),
                    stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=environment, preexec_fn=_die_with_parent,
                )
        except OSError as problem:
            raise RegistryFailed(f"{self.standin.options.registry_binary} cannot be started: {problem}; make setup puts it there") from None
        await self._ready()

    async def _ready(self) -> None:
        limit = time.monotonic() + READY_SECONDS
        while not await self._answers():
            if self._process.returncode is not None or time.monotonic() > limit:
                await self._end_process()
                raise RegistryFailed(f"the registry does not come up; {self.folder.parent / 'registry.log'} says why")
            await asyncio.sleep(0.01)

    async def _answers(self) -> bool:
        try:
            _reader, writer = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            return False
        writer.close()
        return True

    async def _end_process(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()

    def _say(self, line: str) -> None:
        print(f"stand-in: {line}", file=sys.stderr, flush=True)

    def _write_configuration(self) -> None:
        """No cache of blob descriptors: garbage collection removes files behind the registry's back."""
        key = (self.standin.options.state / "tls/token-key.pem").read_bytes()
        configuration = {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self.folder)}, "delete": {"enabled": True}},
            # The secret signs the state of uploads, which have to outlive a restart.
            "http": {"net": "unix", "addr": str(self._socket), "secret": hashlib.sha256(b"uploads" + key).hexdigest()},
            "auth": {"token": {
                "realm": f"{self.standin.dtr_url}/auth/token",
                "service": self.tokens.service,
                "issuer": self.tokens.service,
                "rootcertbundle": str(self.tokens.root_file),
            }},
            "validation": {"manifests": {"urls": {"allow": ["^https?://"]}}},
        }
        file = self.folder.parent / "registry.yml"
        file.touch(mode=0o600)
        file.write_text(json.dumps(configuration, indent=1))   # JSON is YAML


def blobs_of(manifest: dict) -> list[str]:
    """The digests of the blobs that a stored manifest needs in the store."""
    config = [manifest["configDigest"]] if manifest["configDigest"] else []
    return config + [layer["digest"] for layer in manifest["layers"] if not layer.get("urls")]
