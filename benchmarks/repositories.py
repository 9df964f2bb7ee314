# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""1,000 repositories with dtr_repository: made, unchanged, and with 1 % of them changed behind its back.

The peer is what people write today: a loop of ansible.builtin.uri, a GET for each repository and a POST for each that is missing, over a
sample in the same run, scaled to 1,000 by its slope. Both against the stand-in, so the figures tell of the client's side alone.
"""

from __future__ import annotations

import json
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile

import requests
from figures import ROOT, median, publish, timed

REPOSITORIES, ORGANIZATIONS, SAMPLE, REPEATS = 1000, 20, 50, 3
NO_CHANGE, RATIO = 3, 100   # goals: seconds, and times the loop
MODULE = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - dockyard.trusted_registry.dtr_repository:
        repositories: "{{ repositories }}"
"""
LOOP = """
- hosts: localhost
  connection: local
  gather_facts: false
  module_defaults:
    ansible.builtin.uri:
      user: "{{ lookup('ansible.builtin.env', 'DTR_USERNAME') }}"
      password: "{{ lookup('ansible.builtin.env', 'DTR_PASSWORD') }}"
      ca_path: "{{ lookup('ansible.builtin.env', 'DTR_CA_PATH') }}"
      force_basic_auth: true
  vars:
    api: "https://{{ lookup('ansible.builtin.env', 'DTR_HOST') }}/api/v0/repositories"
  tasks:
    - ansible.builtin.uri:
        url: "{{ api }}/{{ item.name }}"
        status_code: [200, 404]
      loop: "{{ repositories[:sample | int] }}"
      loop_control: {label: "{{ item.name }}"}
      register: found
    - ansible.builtin.uri:
        url: "{{ api }}/{{ item.item.name | dirname }}"
        method: POST
        body_format: json
        status_code: 201
        body: "{{ defaults | combine(item.item | combine({'name': item.item.name | basename})) }}"
      loop: "{{ found.results | selectattr('status', 'eq', 404) }}"
      loop_control: {label: "{{ item.item.name }}"}
"""
DEFAULTS = {"shortDescription": "", "longDescription": "", "visibility": "private", "scanOnPush": False, "immutableTags": False,
            "enableManifestLists": False, "tagLimit": 0}


class StandIn:
    """A stand-in in a process of its own, without a data plane."""

    def __init__(self, state: pathlib.Path):
        password = secrets.token_urlsafe(12)
        (state / "password").write_text(password)
        command = [sys.executable, "-m", "standin", "--state", str(state / "state"), "--admin-password-file", str(state / "password"),
                   "--listen", "127.0.0.1", "--dtr-host", "127.0.0.1", "--dtr-port", "0", "--ucp-port", "0"]
        self.process = subprocess.Popen(command, cwd=ROOT / "lab", stdout=subprocess.PIPE, text=True)
        ready = self.process.stdout.readline()
        host, ca_file = re.search(r"DTR https://(\S+) .*CA (.+)$", ready).groups()
        self.environment = {"DTR_HOST": host, "DTR_USERNAME": "admin", "DTR_PASSWORD": password, "DTR_CA_PATH": ca_file}
        self.session = requests.Session()
        self.session.trust_env = False   # REQUESTS_CA_BUNDLE would win over verify
        self.session.auth, self.session.verify = ("admin", password), ca_file

    def call(self, method: str, path: str, body: dict) -> None:
        """One request that must succeed."""
        self.session.request(method, f"https://{self.environment['DTR_HOST']}{path}", json=body or None, timeout=30).raise_for_status()

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(10)


def figure(name: str, seconds: float, peer: str, peer_seconds: float, goal: float | None = None) -> dict:
    return {"figure": name, "value": seconds, "unit": "s", "goal": goal, "peer": peer, "peer_value": round(peer_seconds, 1),
            "ratio": round(peer_seconds / seconds, 1)}


def measure(work: pathlib.Path, standin: StandIn) -> list[dict]:
    names = [f"org-{number % ORGANIZATIONS:02}/repository-{number:04}" for number in range(REPOSITORIES)]
    for number in range(ORGANIZATIONS):
        standin.call("POST", "/enzi/v0/accounts/", {"name": f"org-{number:02}", "isOrg": True})
    data = work / "data.json"
    data.write_text(json.dumps({"repositories": [{"name": name} for name in names], "defaults": DEFAULTS}))
    for name, text in (("module.yml", MODULE), ("loop.yml", LOOP)):
        (work / name).write_text(text)

    def play(name: str, **extra: int) -> tuple[str, ...]:
        more = [part for key, value in extra.items() for part in ("-e", f"{key}={value}")]
        python = f"ansible_python_interpreter={sys.executable}"
        return ("ansible-playbook", "-i", "localhost,", "-e", python, str(work / name), "-e", f"@{data}", *more)

    def scaled(sample: float) -> float:
        return empty + (sample - empty) * REPOSITORIES / SAMPLE

    environment = standin.environment
    empty = median(REPEATS, *play("loop.yml", sample=0), **environment)
    loop_made = scaled(timed(*play("loop.yml", sample=SAMPLE), **environment))
    loop_same = scaled(median(REPEATS, *play("loop.yml", sample=SAMPLE), **environment))
    for name in names[:SAMPLE]:
        standin.call("DELETE", f"/api/v0/repositories/{name}", {})
    made = timed(*play("module.yml"), **environment)
    same = median(REPEATS, *play("module.yml"), **environment)
    declared = [{"name": name, "visibility": "private"} for name in names]
    data.write_text(json.dumps({"repositories": declared, "defaults": DEFAULTS}))
    for name in names[::100]:
        standin.call("PATCH", f"/api/v0/repositories/{name}", {"visibility": "public", "immutableTags": False})
    mended = timed(*play("module.yml"), **environment)
    loop = f"loop of ansible.builtin.uri, scaled from {SAMPLE}"
    return [
        figure("dtr_repository, 1,000 made", made, loop, loop_made),
        figure("dtr_repository, 1,000 unchanged", same, loop, loop_same, NO_CHANGE),
        figure("dtr_repository, 10 of 1,000 changed back", mended, f"{loop} (reads only)", loop_same),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        standin = StandIn(work)
        try:
            figures = measure(work, standin)
        finally:
            standin.stop()
    publish("dtr-repositories", figures, {
        "repeats": {"unchanged": REPEATS, "loop, unchanged": REPEATS, "others": 1}, "organizations": ORGANIZATIONS,
        "ratio wanted": RATIO, "server": "the stand-in, one process on the same machine", "includes": "the whole ansible-playbook command",
    })


if __name__ == "__main__":
    main()
