# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From bare hosts to a registry in use: builds the lab, runs playbooks/site.yml, proves the result with real clients, runs site.yml again.

Exits 0 only when every step held. The lab stays up; `make lab-down` removes it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time

from proof import ROOT, Proof, Refused
from proof_of_dtr import ProofOfDtr


class Steps:
    """Runs the steps in order, prints what each found, and keeps the times for the summary."""

    def __init__(self) -> None:
        self.times: list[tuple[str, float, str]] = []

    def run(self, title: str, step) -> None:
        print(f"\n== {title}", flush=True)
        start = time.monotonic()
        try:
            note = step() or ""
        except Refused as problem:
            print(f"FAILED: {title}: {problem}", file=sys.stderr)
            sys.exit(1)
        self.times.append((title, time.monotonic() - start, note))
        if note:
            print(f"   {note}", flush=True)

    def summary(self) -> None:
        width = max(len(step[0]) for step in self.times)
        print("\n== Summary")
        for title, seconds, note in self.times:
            print(f"   {title:<{width}}  {seconds:6.1f} s  {note}")


def playbook(summary: dict, name: str, *arguments: str) -> str:
    """Runs a playbook of the collection on the lab, showing its output; returns the output."""
    command = [".venv/bin/ansible-playbook", "-i", summary["inventory"], f"playbooks/{name}.yml", *arguments]
    lines = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode != 0:
        raise Refused(f"{' '.join(command)} ended with status {process.returncode}; its output is above")
    return "".join(lines)


def changed(output: str) -> int:
    """The sum of `changed=` over the hosts of a play recap; no recap is a failure."""
    counts = re.findall(r"^\S+\s+: ok=\d+\s+changed=(\d+)", output, re.MULTILINE)
    if not counts:
        raise Refused("the run printed no recap: it matched no host")
    return sum(map(int, counts))


def again(summary: dict) -> str:
    count = changed(playbook(summary, "site"))
    if count:
        raise Refused(f"the second run changed {count} things; it must change nothing")
    return "changed=0"


def distribution(steps: Steps, summary: dict) -> None:
    proof = Proof(summary)
    steps.run("docker login", lambda: "; ".join([proof.login("client-1"), proof.login("client-2")]))
    steps.run("push from client-1", lambda: proof.push("client-1"))
    steps.run("pull on client-2", lambda: proof.pull("client-2"))
    steps.run("pull on client-1", lambda: proof.pull("client-1"))
    steps.run("push from client-2", lambda: proof.push("client-2"))
    steps.run("pull it on client-1", lambda: proof.pull("client-1"))
    steps.run("skopeo inspect", lambda: proof.inspect("client-1"))
    steps.run("no trust, no pull", lambda: proof.refused("outsider-1"))
    steps.run("no login, no pull", lambda: proof.anonymous("client-1"))


def dtr(steps: Steps, summary: dict) -> None:
    proof = ProofOfDtr(summary)
    # UCP made the engines of its own nodes trust DTR; client-1 trusts it because registry_trust says so.
    steps.run("docker login", lambda: "; ".join([proof.login("client-1"), proof.login("ucp-1")]))
    steps.run("push from client-1", lambda: proof.push("client-1"))
    steps.run("pull on ucp-1", lambda: proof.pull("ucp-1"))
    steps.run("skopeo inspect", lambda: proof.inspect("client-1"))
    steps.run("every replica has it", lambda: proof.on_every_replica("client-1"))
    steps.run("no trust, no pull", lambda: proof.untrusted("lb-1"))
    steps.run("no login, no pull", lambda: proof.anonymous("client-1"))
    steps.run("a tag that must not change", lambda: proof.immutable("client-1"))
    steps.run("delete a tag, collect garbage", lambda: proof.garbage("client-1", lambda: playbook(summary, "collect_garbage")))
    steps.run("a host dies", lambda: proof.host_dies("dtr-2", "client-1"))
    steps.run("status", lambda: playbook(summary, "status", "-e", "status_strict=true") and "")


STORIES = {"distribution": distribution, "dtr": dtr}


def bundle(summary: dict) -> str:
    """The nodes have no registry to pull from before there is one: they are installed from a bundle, as without a network."""
    playbook(summary, "bundle")
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=sorted(STORIES))
    engine = parser.parse_args().engine
    steps = Steps()

    def lab() -> str:
        if subprocess.run(["scripts/lab", "up", engine], cwd=ROOT, check=False).returncode != 0:
            raise Refused("the lab did not come up; the lines above say why")
        return ""

    steps.run("the lab's nodes", lab)
    summary = json.loads((ROOT / ".lab/summary.json").read_text())
    if engine == "dtr":
        steps.run("a bundle of images", lambda: bundle(summary))
    steps.run("site.yml on bare hosts", lambda: f"changed={changed(playbook(summary, 'site'))}")
    STORIES[engine](steps, summary)
    steps.run("site.yml again", lambda: again(summary))
    steps.summary()
    print("\nThe lab stays up: .lab/summary.json says how to reach it; 'make lab-down' removes it.")


if __name__ == "__main__":
    main()
