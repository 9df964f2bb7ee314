# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
from urllib.parse import unquote

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import Engine, EngineError

# What `docker` is in these tests: it keeps how it was called, then does as the file "play" beside it says.
DOCKER = '''#!{python}
import json, os, sys, time
home = os.path.dirname(os.path.abspath(sys.argv[0]))
words = sys.argv[1:]
mounts = [words[n + 1] for n, word in enumerate(words) if word == "--volume"]
files = {{m.split(":")[1]: [open(m.split(":")[0]).read(), oct(os.stat(m.split(":")[0]).st_mode & 0o777)]
          for m in mounts if os.path.isfile(m.split(":")[0])}}
with open(home + "/calls", "a") as file:
    file.write(json.dumps({{"argv": words, "env": dict(os.environ), "files": files}}) + "\\n")
if "--cidfile" in words:
    with open(words[words.index("--cidfile") + 1], "w") as file:
        file.write("c0ffee")
with open(home + "/pid", "w") as file:
    file.write(str(os.getpid()))
play = json.load(open(home + "/play"))
sys.stderr.write(play.get("stderr", "").replace("@PASSWORD@", os.environ.get("SECRET", "")))
sys.stdout.write(play.get("stdout", ""))
if play.get("echo"):
    sys.stdout.write(sys.stdin.read())
sys.stdout.flush()
sys.stderr.flush()
time.sleep(play.get("sleep", 0))
sys.exit(play.get("rc", 0))
'''


class FakeDocker:
    """An executable `docker` in a folder of the test's."""

    def __init__(self, folder, python):
        self.folder, self.path = folder, str(folder / "docker")
        (folder / "docker").write_text(DOCKER.format(python=python), encoding="utf-8")
        os.chmod(self.path, 0o755)
        self.plays()

    def plays(self, **play):
        (self.folder / "play").write_text(json.dumps(play), encoding="utf-8")

    def calls(self):
        """[{argv, env, files}] of all calls so far."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


class FakeEngine(Engine):
    """An engine whose answers are a table of paths; changes are kept in `sent` and may be acted on by `on`."""

    def __init__(self, answers=None, host="ucp-1"):
        super().__init__("/nonexistent.sock")
        self.host, self.sent, self.on = host, [], {}
        self.answers = {"/info": {}, "/containers/json": [], "/volumes": {"Volumes": []}, **(answers or {})}

    def call(self, method, path, body=None, timeout=None, **query):
        if method == "GET":
            answer = self.answers.get(unquote(path))
            if callable(answer):
                answer = answer()
            if isinstance(answer, Exception):
                raise answer
            if answer is None:
                raise EngineError(f"no such thing: {path}", 404)
            return answer
        self.sent.append((method, path, body, query))
        for pattern, act in self.on.items():
            found = re.fullmatch(pattern, f"{method} {path}")
            if found:
                return act(body, *found.groups())
        return {}


def container(name, state="running", image="docker/ucp-agent:3.2.5", **labels):
    """As GET /containers/json lists one."""
    return {"Id": name * 2, "Names": ["/" + name], "State": state, "Image": image, "Labels": labels, "Created": 0, "Command": "install"}


def node(name, role="manager", state="ready", reachability="reachable", *, labels=None, index=7):
    """As GET /nodes lists one."""
    manager = {"ManagerStatus": {"Leader": False, "Reachability": reachability, "Addr": "x"}} if role == "manager" else {}
    return {"ID": f"id-{name}", "Version": {"Index": index}, "Spec": {"Role": role, "Availability": "active", "Labels": labels or {}},
            "Description": {"Hostname": name}, "Status": {"State": state, "Addr": "192.0.2.1"}, **manager}
