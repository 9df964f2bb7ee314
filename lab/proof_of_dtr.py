# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only DTR does: several replicas, immutable tags, garbage collection while it serves."""

from __future__ import annotations

import re
import subprocess
import time

from proof import MAKE_IMAGE, Proof, Refused, must, on

REPLICAS = ("dtr-1", "dtr-2", "dtr-3")
BACK_SECONDS = 180   # until a host that died is a healthy replica again


class ProofOfDtr(Proof):
    """`quickstart/probe` and the immutable `quickstart/release` are declared in the topology's group_vars."""

    def api(self, node: str, verb: str, path: str, replica: str = "") -> str:
        """A request of DTR's API from a node, to the balancer or to one replica under the registry's name."""
        to_replica = '--connect-to "$REGISTRY:443:$REPLICA.lab.test:443"' if replica else ""
        command = f'curl -sS -f -K - -X {verb} --cacert "/etc/docker/certs.d/$REGISTRY/ca.crt" {to_replica} "https://$REGISTRY$PATH_"'
        result = on(node, command, stdin=f'user = "{self.user}:{self.password}"', REGISTRY=self.address, REPLICA=replica, PATH_=path)
        return must(result, f"{verb} {path} {replica}")

    @property
    def manifest(self) -> str:
        return f"/api/v0/repositories/quickstart/probe/tags/{self.image.rpartition(':')[2]}"

    def on_every_replica(self, node: str) -> str:
        for replica in REPLICAS:
            if self.digest not in self.api(node, "GET", self.manifest, replica):
                raise Refused(f"{replica} does not know {self.digest}")
        return f"{', '.join(REPLICAS)} answer alike"

    def untrusted(self, node: str) -> str:
        result = on(node, 'skopeo inspect "docker://$IMAGE"', IMAGE=self.image)
        if result.returncode == 0 or "x509" not in result.stderr:
            raise Refused(f"{node}, which does not trust the registry, was not refused: {result.stdout}{result.stderr}")
        return f"{node} does not trust the registry: {result.stderr.strip()[-90:]}"

    def immutable(self, node: str) -> str:
        image = f"{self.address}/quickstart/release:{self.image.rpartition(':')[2]}"
        must(on(node, 'docker tag "$OLD" "$IMAGE" && docker push -q "$IMAGE"', OLD=self.image, IMAGE=image), "first push of the tag")
        must(on(node, MAKE_IMAGE, IMAGE=image), f"building an image on {node}")
        again = on(node, 'docker push "$IMAGE"', IMAGE=image)
        if again.returncode == 0 or "immutable" not in again.stderr:
            raise Refused(f"the tag was overwritten: {again.stdout}{again.stderr}")
        return f"refused: {again.stderr.strip().splitlines()[-1][-100:]}"

    def stored(self) -> int:
        """Kilobytes in the image store that the replicas share."""
        return int(must(on(REPLICAS[0], "du -sk /srv/images"), "looking at the image store").split()[0])

    def garbage(self, node: str, collect) -> str:
        before = self.stored()
        self.api(node, "DELETE", self.manifest)
        if not re.search(r"Freed: [0-9.]+ [KMG]", collect()):
            raise Refused("the job says that it freed nothing")
        freed = before - self.stored()
        if freed <= 0:
            raise Refused("nothing is gone from the image store")
        return f"{freed} kB less in the image store"

    def host_dies(self, victim: str, node: str) -> str:
        """The others go on serving; when the host is back, its replica is well again."""
        subprocess.run(["docker", "kill", "--signal", "KILL", victim], check=True, capture_output=True)
        start = time.monotonic()
        self.retry(lambda: self.push(node), 60)
        self.pull(node)
        served = time.monotonic() - start
        subprocess.run(["docker", "start", victim], check=True, capture_output=True)
        start = time.monotonic()
        self.retry(lambda: self.well(node), BACK_SECONDS)
        back = time.monotonic() - start
        return f"{victim} killed: pushed and pulled through the balancer within {served:.0f} s; well again {back:.0f} s after its start"

    def well(self, node: str) -> None:
        for replica in REPLICAS:
            if '"Healthy":true' not in self.api(node, "GET", "/_ping", replica).replace(" ", ""):
                raise Refused(f"{replica} is not well")

    def retry(self, step, seconds: float) -> None:
        limit = time.monotonic() + seconds
        while True:
            try:
                step()
                return
            except Refused:
                if time.monotonic() > limit:
                    raise
                time.sleep(2)
