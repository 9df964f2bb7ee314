# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users of the lab's registry do, with real clients, and what must be refused them."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
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
        self.address = registry["host"] + ("" if registry["port"] == 443 else f":{registry['port']}")
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
