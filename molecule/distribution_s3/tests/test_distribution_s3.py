# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two registries on one store, from a mirror; and one in a container."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lab_run import run_playbook

HERE = Path(__file__).parents[1]
CHECKOUT = HERE.parents[1]
INVENTORY = CHECKOUT / ".lab" / "molecule-distribution_s3" / "inventory" / "hosts.yml"
ONE, TWO, THREE = "registry-1.lab.test:5000", "registry-2.lab.test:5000", "store-1.lab.test:5000"
CURL = "curl -sS --cacert /etc/lab-ca/ca.crt --user alice:sesame-of-alice"


def run_role(target, *arguments, **variables):
    """The role with an operator's variables: exit code and words."""
    return run_playbook("distribution_s3", HERE / "entry.yml", "--limit", target, *arguments, **variables)


@pytest.fixture(scope="module")
def client(node):
    """The node with the CA, an image and a login."""
    host = node("store-1")
    host.check_output(
        "mkdir -p /root/image/bin && cp /bin/busybox /root/image/bin/ && tar -C /root/image -c . | docker import - busybox:1"
        " && docker save -o /root/image.tar busybox:1"
    )
    for name in (ONE, TWO, THREE):
        host.check_output(
            f"echo sesame-of-alice | skopeo login --cert-dir /etc/lab-ca --authfile /root/auth.json -u alice --password-stdin {name}"
        )
    return host


def copy(client, source, target):
    options = " ".join(f"--{side}-{option}" for side in ("src", "dest") for option in ("cert-dir=/etc/lab-ca", "authfile=/root/auth.json"))
    return client.check_output(f"skopeo copy --insecure-policy {options} {source} {target}")


def digest(client, name):
    return client.check_output(
        f"skopeo inspect --cert-dir /etc/lab-ca --authfile /root/auth.json --format '{{{{.Digest}}}}' docker://{name}"
    )


def process(host):
    return host.check_output("systemctl show --property=MainPID --value distribution")


def checksum(node, file):
    return node("store-1").file(f"/srv/mirror/{file}").sha256sum


def test_pushed_through_one_pulled_through_the_other(client):
    copy(client, "docker-archive:/root/image.tar", f"docker://{ONE}/team/busybox:1")
    assert digest(client, f"{TWO}/team/busybox:1") == digest(client, f"{ONE}/team/busybox:1")
    copy(client, f"docker://{TWO}/team/busybox:1", "dir:/root/pulled")
    assert client.run("find /srv/swift/d1/objects -name '*.data' | grep -q .").rc == 0


def test_an_upload_begun_on_one_ends_on_the_other(client):
    begun = client.check_output(f"{CURL} -D - -o /dev/null -X POST https://{ONE}/v2/team/parts/blobs/uploads/")
    location = re.search(r"(?im)^location:\s*(\S+)", begun).group(1).replace(ONE, TWO)
    client.check_output("printf hello > /root/part")
    content = client.check_output("sha256sum < /root/part").split()[0]
    ended = client.check_output(
        f"{CURL} -o /dev/null -w '%{{http_code}}' -X PUT -H 'Content-Type: application/octet-stream'"
        f" --data-binary @/root/part '{location}&digest=sha256:{content}'"
    )
    assert ended == "201"


def test_redis_holds_the_descriptors(client):
    assert int(client.check_output("REDISCLI_AUTH=redis-of-the-lab redis-cli dbsize")) > 0


def test_the_release_has_a_directory_of_its_own(node):
    for name in ("registry-1", "registry-2"):
        sha = checksum(node, "registry_2.8.3_linux_amd64.tar.gz")
        assert node(name).check_output("readlink /opt/distribution/current") == f"/opt/distribution/{sha[:12]}"
        assert not node(name).run("ls /opt/distribution/*.download").stdout
        assert "ReadWritePaths" not in node(name).file("/etc/systemd/system/distribution.service").content_string


def test_a_store_that_does_not_answer_is_refused(node):
    before = process(node("registry-1"))
    storage = {
        "s3": {
            **{"region": "us-east-1", "regionendpoint": "http://store-1:9000", "bucket": "registry", "secure": False},
            **{"accesskey": "lab:access", "secretkey": "a-wrong-secret"},
        }
    }
    code, output = run_role(
        "registry-1", distribution_storage=storage, distribution_binary_sha256=checksum(node, "registry_2.8.3_linux_amd64.tar.gz")
    )
    assert code != 0 and "The new configuration does not work" in output and "SignatureDoesNotMatch" in output, output
    assert "a-wrong-secret" not in output and process(node("registry-1")) == before


def test_another_release_takes_over_and_the_same_again_changes_nothing(node, client):
    host, sha = node("registry-1"), checksum(node, "registry-2.8.3")
    change = {"distribution_binary_url": "http://store-1:8080/registry-2.8.3", "distribution_binary_sha256": sha}
    before = process(host)
    code, output = run_role("registry-1", **change)
    assert code == 0 and host.check_output("readlink /opt/distribution/current").endswith(sha[:12]) and process(host) != before, output
    code, output = run_role("registry-1", **change)
    assert code == 0 and "changed=0" in output, output
    assert digest(client, f"{ONE}/team/busybox:1") == digest(client, f"{TWO}/team/busybox:1")


def test_a_wrong_digest_and_a_major_upgrade_are_refused(node):
    host, before = node("registry-2"), process(node("registry-2"))
    code, output = run_role("registry-2", distribution_binary_url="http://store-1:8080/registry-2.8.3", distribution_binary_sha256="0" * 64)
    assert code != 0 and "checksum" in output, output
    # Only its --version is real, so this shows the gate and what is refused before a 3.x would run.
    upgrade = {
        "distribution_binary_url": "http://store-1:8080/registry-3.1.2",
        "distribution_binary_sha256": checksum(node, "registry-3.1.2"),
    }
    code, output = run_role("registry-2", **upgrade)
    assert code != 0 and "redis.addr: 3.x reads redis.addrs" in output, output
    upgrade["distribution_redis"] = {"addrs": ["store-1:6379"], "password": "redis-of-the-lab"}
    code, output = run_role("registry-2", **upgrade)
    assert code != 0 and "crosses a major version" in output and "set distribution_upgrade_confirm to registry-2" in output, output
    code, output = run_role("registry-2", distribution_upgrade_confirm="registry-2", **upgrade)
    assert code != 0 and "The new configuration does not work" in output and "the registry ended with code 0" in output, output
    assert process(host) == before


def test_the_container_serves_and_learns_users_live(node, client):
    copy(client, "docker-archive:/root/image.tar", f"docker://{THREE}/team/busybox:1")
    assert digest(client, f"{THREE}/team/busybox:1") == digest(client, f"{ONE}/team/busybox:1")
    host = node("store-1")
    before = process(host)
    code, output = run_role("store-1", distribution_users=[{"name": "alice", "password": "another-sesame"}])
    assert code == 0 and process(host) == before, output
    assert (
        client.check_output(
            f"curl -s --cacert /etc/lab-ca/ca.crt -u alice:another-sesame -o /dev/null -w '%{{http_code}}' https://{THREE}/v2/"
        )
        == "200"
    )
    inspected = json.loads(host.check_output("docker inspect distribution"))[0]
    assert inspected["HostConfig"]["ReadonlyRootfs"] and inspected["HostConfig"]["CapDrop"] == ["ALL"]
    assert inspected["Config"]["User"] == host.check_output("echo $(id -u distribution):$(id -g distribution)")
