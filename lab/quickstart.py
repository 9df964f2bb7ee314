# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From bare hosts to a registry in use: builds the lab, runs playbooks/site.yml, proves the result with real clients, runs site.yml again.

Exits 0 only when every step held. The lab stays up; `make lab-down` removes it.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import subprocess
import sys
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A real image with a layer of its own each time, made on the client without any download.
MAKE_IMAGE = """
set -e; cd "$(mktemp -d)"; cp /bin/busybox .; head -c 5242880 /dev/urandom > payload
printf 'FROM scratch\\nCOPY busybox /bin/busybox\\nCOPY payload /payload\\nENTRYPOINT ["/bin/busybox"]\\n' > Dockerfile
docker build -q -t "$IMAGE" . >/dev/null
"""


class Refused(Exception):
    """A step did not end as it should have."""


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


def playbook(summary: dict, name: str) -> str:
    """Runs a playbook of the collection on the lab, showing its output; returns the output."""
    command = [".venv/bin/ansible-playbook", "-i", summary["inventory"], f"playbooks/{name}.yml"]
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


def on(node: str, command: str, *, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess:
    """Runs a shell command on a node of the lab; `stdin` is for secrets, which never go onto a command line."""
    options = [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
    return subprocess.run(
        ["docker", "exec", "-i", *options, node, "sh", "-c", command],
        input=stdin, capture_output=True, text=True, check=False,
    )


def must(result: subprocess.CompletedProcess, what: str) -> str:
    if result.returncode != 0:
        raise Refused(f"{what}: {(result.stderr or result.stdout).strip()}")
    return result.stdout.strip()


class Proof:
    """What a user of the registry does, with real clients, and what must be refused."""

    def __init__(self, summary: dict) -> None:
        registry = summary["registry"]
        self.address = f"{registry['host']}:{registry['port']}"
        self.image = f"{self.address}/quickstart/probe:{uuid.uuid4().hex[:8]}"
        self.user = summary["username"]
        self.password = (ROOT / summary["password_file"]).read_text().strip()
        self.digest = ""

    def login(self, node: str) -> str:
        must(on(node, 'docker login --username "$USER" --password-stdin "$REGISTRY"', stdin=self.password,
                USER=self.user, REGISTRY=self.address), f"docker login on {node}")
        return f"{node} is logged in to {self.address} as {self.user}"

    def push(self, node: str) -> str:
        must(on(node, MAKE_IMAGE, IMAGE=self.image), f"building an image on {node}")
        output = must(on(node, 'docker push "$IMAGE"', IMAGE=self.image), f"docker push on {node}")
        found = re.search(r"digest: (sha256:[0-9a-f]{64})", output)
        if not found:
            raise Refused(f"docker push on {node} named no digest: {output}")
        self.digest = found.group(1)
        return f"pushed {self.image} ({self.digest[:19]}...)"

    def pull(self, node: str) -> str:
        must(on(node, 'docker rmi -f "$IMAGE" >/dev/null 2>&1; docker pull -q "$IMAGE"', IMAGE=self.image), f"docker pull on {node}")
        inspect = """docker image inspect --format '{{join .RepoDigests " "}}' "$IMAGE\""""
        digests = must(on(node, inspect, IMAGE=self.image), f"docker image inspect on {node}")
        if not digests.endswith(self.digest):
            raise Refused(f"{node} pulled {digests}, not {self.digest}")
        says = must(on(node, 'docker run --rm "$IMAGE" echo it runs', IMAGE=self.image), f"docker run on {node}")
        return f"{node} pulled the same digest; {says}"

    def inspect(self, node: str) -> str:
        command = 'skopeo inspect --cert-dir "/etc/docker/certs.d/$REGISTRY" --authfile /root/.docker/config.json "docker://$IMAGE"'
        output = must(on(node, command, REGISTRY=self.address, IMAGE=self.image), f"skopeo inspect on {node}")
        if json.loads(output)["Digest"] != self.digest:
            raise Refused("skopeo reports another digest than the push")
        return "skopeo inspect reports the same digest"

    def refused(self, node: str) -> str:
        result = on(node, 'docker pull "$IMAGE"', IMAGE=self.image)
        if result.returncode == 0 or "x509" not in result.stderr:
            raise Refused(f"{node}, which does not trust the registry, was not refused: {result.stdout}{result.stderr}")
        return f"{node} does not trust the registry and is refused: {result.stderr.strip().splitlines()[-1][-90:]}"

    def anonymous(self, node: str) -> str:
        result = on(node, 'docker --config "$(mktemp -d)" pull "$IMAGE"', IMAGE=self.image)
        if result.returncode == 0:
            raise Refused("a pull without a login was allowed")
        return "a pull without a login is refused"


def again(summary: dict) -> str:
    count = changed(playbook(summary, "site"))
    if count:
        raise Refused(f"the second run changed {count} things; it must change nothing")
    return "changed=0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    engines = sorted(path.name for path in (ROOT / "lab/topologies").iterdir())
    parser.add_argument("engine", choices=engines)
    engine = parser.parse_args().engine
    steps = Steps()

    def lab() -> str:
        if subprocess.run(["scripts/lab", "up", engine], cwd=ROOT, check=False).returncode != 0:
            raise Refused("the lab did not come up; the lines above say why")
        return ""

    steps.run("the lab's nodes", lab)
    summary = json.loads((ROOT / ".lab/summary.json").read_text())
    steps.run("site.yml on bare hosts", lambda: f"changed={changed(playbook(summary, 'site'))}")
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
    steps.run("site.yml again", lambda: again(summary))
    steps.summary()
    print("\nThe lab stays up: .lab/summary.json says how to reach it; 'make lab-down' removes it.")


if __name__ == "__main__":
    main()
