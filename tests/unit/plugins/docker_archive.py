# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives as C(docker save) makes them, and a C(docker) command of which tests say what its engine holds."""

from __future__ import annotations

import io
import json
import pathlib
import sys
import tarfile
import time

LISTED = {
    "docker/ucp:3.2.5": ["docker/ucp-agent:3.2.5", "docker/ucp:3.2.5"],
    "docker/dtr:2.7.6": ["docker/dtr-api:2.7.6"],
}
ALL = sorted({name for tool, names in LISTED.items() for name in [tool, *names]})


def identity(name):
    return name.encode().hex().ljust(64, "0")[:64]


def archive(names, layer=b"layer", leave_out=(), config="{}.json"):
    """The bytes of an archive of these images, which share one layer."""
    members = {config.format(identity(name)): b"{}" for name in names}
    members["abc/layer.tar"] = layer
    index = [{"Config": config.format(identity(name)), "RepoTags": [name], "Layers": ["abc/layer.tar"]} for name in names]
    members["manifest.json"] = json.dumps(index).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in members.items():
            if name not in leave_out:
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    # Ten kilobytes of padding is Python's habit; the engine closes an archive with two blocks.
    whole = buffer.getvalue().rstrip(b"\0")
    return whole + bytes(-len(whole) % 512 + 1024)


def serve(home, arguments):
    """What the command of an engine answers: exit code, output as bytes, errors."""
    state = json.loads((home / "state.json").read_text(encoding="utf-8"))
    with open(home / "calls", "a", encoding="utf-8") as calls:
        calls.write(json.dumps(arguments) + "\n")
    arguments = arguments[2:] if arguments[0] == "--host" else arguments
    fault = state["faults"].get(arguments[0], {})
    time.sleep(fault.get("sleep", 0))
    if "message" in fault:
        return 1, b"", fault["message"]
    verb = arguments[0] if arguments[0] != "image" else "image_" + arguments[1]
    code, out = VERBS[verb](state, arguments, fault)
    (home / "state.json").write_text(json.dumps(state), encoding="utf-8")
    return code, out if isinstance(out, bytes) else (out + "\n").encode(), "a line of the log" if verb == "run" else ""


def _load(state, arguments, fault):
    with tarfile.open(arguments[3]) as tar:
        index = json.load(tar.extractfile("manifest.json"))
    state["images"] += [] if fault.get("lose") else [name for entry in index for name in entry["RepoTags"]]
    return 0, ""


def _save(state, arguments, fault):
    data = archive(arguments[1:], layer=b"x" * state["layer"])
    return fault.get("code", 0), data[: fault.get("stop", len(data))]


def _run(state, arguments, fault):
    tool = next(word for word in arguments if word in LISTED)
    return 0, "\n".join(state["lists"].get(tool, LISTED[tool]))


def _inspect(state, arguments, fault):
    return 0, "\n".join("sha256:" + state["ids"].get(name, identity(name)) + " 1000" for name in arguments[4:])


VERBS = {
    "info": lambda state, arguments, fault: (
        0, json.dumps({"ServerVersion": "20.10.24", "DockerRootDir": state["root"], "ServerErrors": state["errors"]}),
    ),
    "image_ls": lambda state, arguments, fault: (0, "\n".join(f"{name} sha256:{identity(name)}" for name in state["images"])),
    "image_inspect": _inspect,
    "pull": lambda state, arguments, fault: (0, state["images"].append(arguments[2]) or ""),
    "run": _run,
    "load": _load,
    "save": _save,
}
SCRIPT = """#!{python} -S
import pathlib, sys, time
sys.path.insert(0, {here!r})
from docker_archive import serve

code, out, err = serve(pathlib.Path({home!r}), sys.argv[1:])
sys.stdout.buffer.write(out)
sys.stdout.flush()
time.sleep({hang})
sys.stderr.write(err)
sys.exit(code)
"""


class FakeDocker:
    """The command's folder and what its engine holds: images, root, ids, lists of the tools, faults by verb."""

    def __init__(self, folder, images=()):
        self.folder, self.root = folder, folder / "root"
        self.root.mkdir(parents=True)
        self.set(images=list(images), root=str(self.root), faults={}, lists={}, errors=[], ids={}, layer=1000)
        self.write()

    def write(self, hang=0):
        """Make the command; it stays for some seconds after it has written."""
        here = str(pathlib.Path(__file__).parent)
        script = SCRIPT.format(python=sys.executable, here=here, home=str(self.folder), hang=hang)
        (self.folder / "docker").write_text(script, encoding="utf-8")
        (self.folder / "docker").chmod(0o755)

    def run(self, *arguments, timeout=60):
        """In place of C(Docker.run): the same without a process."""
        code, out, err = serve(self.folder, list(arguments))
        return code, out.decode(), err

    @property
    def state(self):
        return json.loads((self.folder / "state.json").read_text(encoding="utf-8"))

    def set(self, **changes):
        state = self.state if (self.folder / "state.json").exists() else {}
        (self.folder / "state.json").write_text(json.dumps({**state, **changes}), encoding="utf-8")

    @property
    def calls(self):
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def called(self, verb):
        return [call for call in self.calls if call[0] == verb]
