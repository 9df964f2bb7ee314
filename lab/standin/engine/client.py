# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of the Docker engine behind a Unix socket."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import socket
import tarfile
import time
from urllib.parse import quote, urlencode

SOCKET = "/var/run/docker.sock"
VERSION = "v1.40"


class EngineError(Exception):
    """The engine refused (`status` of HTTP) or cannot be reached (`status` 0)."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float):
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    """Answers are decoded JSON, or bytes with `raw`. Every call has a time limit in seconds."""

    def __init__(self, path: str = SOCKET, timeout: float = 30):
        self.path, self.timeout = path, timeout

    def call(self, verb: str, path: str, body=None, *, query=None, raw=False, timeout=None, headers=None):
        """`body`: something for JSON, or bytes. In `query`, mappings and lists become JSON, as filters do."""
        connection = _Connection(self.path, timeout or self.timeout)
        tar = isinstance(body, bytes)
        data = (body if tar else json.dumps(body or {}).encode()) if verb in ("POST", "PUT") else None
        headers = {"Content-Type": "application/x-tar" if tar else "application/json", **(headers or {})}
        if query:
            path = f"{path}?{urlencode({name: _text(value) for name, value in query.items()})}"
        try:
            connection.request(verb, f"/{VERSION}{path}", data, headers)
            answer = connection.getresponse()
            content = answer.read()
        except OSError as problem:
            raise EngineError(0, str(problem)) from problem
        finally:
            connection.close()
        if answer.status >= 400:
            raise EngineError(answer.status, _message(content))
        if raw:
            return content
        return json.loads(content) if content.strip() else None

    def get(self, path: str, **options):
        return self.call("GET", path, **options)

    def post(self, path: str, body=None, **options):
        return self.call("POST", path, body, **options)

    def delete(self, path: str, **options):
        return self.call("DELETE", path, **options)

    # Containers

    def container(self, name: str) -> dict | None:
        """`docker inspect`; None when there is none of the name."""
        return self._or_none(f"/containers/{quote(name)}/json")

    def create(self, name: str, document: dict) -> str:
        return self.post("/containers/create", document, query={"name": name})["Id"]

    def remove(self, name: str) -> None:
        """With its anonymous volumes; nothing where it does not exist, or is being removed already."""
        with forgiving(404, 409):
            self.delete(f"/containers/{quote(name)}", query={"force": 1, "v": 1}, timeout=60)

    def run(self, name: str, document: dict, given: str | bytes | None = None, timeout: float = 60) -> tuple[int, bytes, str]:
        """Runs a container to its end and removes it: (exit code, stdout, stderr). `given` is the file /run/given in it."""
        self.remove(name)
        self.create(name, document)
        try:
            if given is not None:
                content = given.encode() if isinstance(given, str) else given
                self.call("PUT", f"/containers/{name}/archive", packed({"given": content}), query={"path": "/run"})
            self.post(f"/containers/{name}/start")
            code = self.post(f"/containers/{name}/wait", timeout=timeout)["StatusCode"]
            return code, self.logs(name, "stdout"), self.logs(name, "stderr").decode(errors="replace")
        finally:
            self.remove(name)

    def logs(self, name: str, stream: str, **query) -> bytes:
        """Of a container without a terminal; `stream`: stdout or stderr."""
        return demultiplexed(self.get(f"/containers/{name}/logs", query={stream: 1, **query}, raw=True))

    def execute(self, name: str, command: list[str], timeout: float = 60) -> tuple[int, str]:
        """In a running container: (exit code, its output and errors)."""
        made = self.post(f"/containers/{name}/exec", {"Cmd": command, "AttachStdout": True, "AttachStderr": True})["Id"]
        output = self.call("POST", f"/exec/{made}/start", {"Detach": False}, raw=True, timeout=timeout)
        return self.get(f"/exec/{made}/json")["ExitCode"], demultiplexed(output).decode(errors="replace")

    def containers(self, **filters) -> list[dict]:
        """All, running or not."""
        return self.get("/containers/json", query={"all": 1, "filters": filters})

    # The rest

    def volume(self, name: str) -> dict | None:
        return self._or_none(f"/volumes/{quote(name)}")

    def image(self, name: str) -> dict | None:
        return self._or_none(f"/images/{name}/json")

    def named(self, kind: str, name: str) -> dict | None:
        """The swarm's `services`, `configs`, `secrets` by exact name."""
        for found in self.get(f"/{kind}", query={"filters": {"name": [name]}}):
            if found["Spec"]["Name"] == name:
                return found
        return None

    def node_ids(self) -> list[str]:
        return [node["ID"] for node in self.get("/nodes")]

    def _or_none(self, path: str) -> dict | None:
        try:
            return self.get(path)
        except EngineError as problem:
            if problem.status == 404:
                return None
            raise


@contextlib.contextmanager
def forgiving(*statuses: int):
    """Passes over refusals with one of these states."""
    try:
        yield
    except EngineError as problem:
        if problem.status not in statuses:
            raise


def packed(files: dict[str, bytes], mode: int = 0o600) -> bytes:
    """A tar archive of these files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), mode, int(time.time())
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def demultiplexed(data: bytes) -> bytes:
    """What the engine's frames of stdout and stderr hold (Engine API: attach)."""
    parts, position = [], 0
    while position + 8 <= len(data):
        size = int.from_bytes(data[position + 4:position + 8], "big")
        parts.append(data[position + 8:position + 8 + size])
        position += 8 + size
    return b"".join(parts)


def _text(value) -> str:
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def _message(content: bytes) -> str:
    try:
        return json.loads(content)["message"]
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace").strip()
