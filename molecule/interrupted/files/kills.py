# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kills.py LAB_DIR`: makes the bundle, then runs site.yml, each time killed at another task; looks for secrets in every process.

LAB_DIR/kills.json: [{"task", "when", "killed": bool, "seconds"}]; LAB_DIR/output: all that was printed at -vvv;
LAB_DIR/leaks.json: {"looks": times that the processes were looked through, "commands": command lines with a secret, "printed": bytes of
output, "in_output": its lines with a secret}.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

SCENARIO = pathlib.Path(__file__).resolve().parents[1]
CHECKOUT = SCENARIO.parents[1]
LIMIT = 600   # seconds for one run
KINDS = [b"SWMTKN-1-", b"PRIVATE KEY-----"]   # what a join token of Swarm and a key begin or end with
# In the order in which site.yml comes to them. What was begun when the run was killed goes on by itself, and is found done by the next.
KILLS = [
    ("DURING", "Load what is missing"),
    ("AFTER", "Make the certificate of the CA"),
    ("AFTER", "Swarm of the first manager"),
    ("DURING", "UCP on the first manager"),
    ("AFTER", "Join"),
    ("AFTER", "Install with apt"),
    ("DURING", "Install the first replica"),
    ("DURING", "Join dtr-2"),
    ("AFTER", "Join dtr-3"),
    ("AFTER", "Bring every file to its declared state"),
    ("AFTER", "Users and organizations"),
]


class Watch(threading.Thread):
    """Looks into the command line of every young process of the machine, those in the nodes' containers included, until it is stopped."""

    YOUNG = 1.0   # seconds; a process changes its command line when it starts a program, soon after it was made

    def __init__(self, secrets: list[bytes]):
        super().__init__(daemon=True)
        self.secrets, self.leaks, self.ended, self.looks, self.seen = secrets, set(), threading.Event(), 0, {}

    def run(self) -> None:
        while not self.ended.wait(0.01):
            self.look()

    def look(self) -> None:
        self.looks += 1
        now = time.monotonic()
        processes = {name for name in os.listdir("/proc") if name.isdecimal()}
        self.seen = {name: self.seen.get(name, now) for name in processes}
        for process, since in self.seen.items():
            if now - since > self.YOUNG:
                continue
            try:
                command = pathlib.Path("/proc", process, "cmdline").read_bytes()
            except OSError:
                continue
            if any(secret in command for secret in self.secrets):
                self.leaks.add(command.replace(b"\0", b" ").decode(errors="replace"))


def run(lab: pathlib.Path, playbook: str, **environment: str) -> int:
    """One run of a playbook; its exit status, negative when it was killed."""
    command = [".venv/bin/ansible-playbook", "-vvv", "-i", str(lab / "inventory/hosts.yml"), f"playbooks/{playbook}.yml"]
    settings = {
        "ANSIBLE_CALLBACK_PLUGINS": str(SCENARIO / "callback_plugins"), "ANSIBLE_CALLBACKS_ENABLED": "killer",
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), **environment,
    }
    with (lab / "output").open("ab") as output:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env={**os.environ, **settings}, stdout=output, stderr=output, start_new_session=True)
        try:
            return process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def end_of(lab: pathlib.Path) -> str:
    """The last that was printed: the nodes and their files are gone when the failure is read."""
    return (lab / "output").read_text(errors="replace")[-6000:]


def main() -> None:
    lab = pathlib.Path(sys.argv[1])
    (lab / "output").touch(mode=0o600)
    if run(lab, "bundle") != 0:
        sys.exit(f"bundle.yml failed:\n{end_of(lab)}")
    secrets = [(lab / "password").read_bytes().strip(), *KINDS]
    watch = Watch(secrets)
    watch.start()
    done = []
    for moment, task in KILLS:
        start = time.monotonic()
        status = run(lab, "site", **{f"KILL_{moment}": task})
        done.append({"task": task, "when": moment, "killed": status == -signal.SIGKILL, "seconds": round(time.monotonic() - start)})
        if status > 0:
            sys.exit(f"site.yml, to be killed at {task!r}, failed with status {status}:\n{end_of(lab)}")
    watch.ended.set()
    watch.join()
    (lab / "kills.json").write_text(json.dumps(done))
    said = (lab / "output").read_bytes()
    (lab / "leaks.json").write_text(json.dumps({
        "looks": watch.looks, "commands": sorted(watch.leaks), "printed": len(said),
        "in_output": [line.decode(errors="replace") for line in said.splitlines() if any(secret in line for secret in secrets)],
    }))


if __name__ == "__main__":
    main()
