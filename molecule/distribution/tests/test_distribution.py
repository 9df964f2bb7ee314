# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry from the package, from its first push to its removal. The tests stand in the order of its life."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lab_run import run_playbook

HERE = Path(__file__).parents[1]
CHECKOUT = HERE.parents[1]
INVENTORY = CHECKOUT / ".lab" / "molecule-distribution" / "inventory" / "hosts.yml"
NAME = "registry-1.lab.test:5000"
ALICE, BOB = {"name": "alice", "password": "sesame-of-alice"}, {"name": "bob", "password": "sesame-of-bob"}


def run_entry(entry="main", *arguments, **variables):
    """One entry of the role with an operator's variables: exit code and words."""
    return run_playbook("distribution", HERE / "entry.yml", *arguments, entry=entry, **variables)


def changed(output):
    return int(re.search(r"registry-1 .*changed=(\d+)", output).group(1))


@pytest.fixture(scope="module")
def registry(node):
    return node("registry-1")


@pytest.fixture(scope="module")
def client(node):
    return node("client-1")


def process(registry):
    """Which process serves; another one means a restart."""
    return registry.check_output("systemctl show --property=MainPID --value distribution")


def answer(client, user="", path="/v2/"):
    credentials = f"--user {user['name']}:{user['password']}" if user else ""
    return client.check_output(
        f"curl -s --cacert /etc/docker/certs.d/{NAME}/ca.crt {credentials} -o /dev/null -w '%{{http_code}}' https://{NAME}{path} || true"
    )


def test_only_the_roles_own_service_runs(registry):
    assert registry.check_output("systemctl is-active distribution") == "active"
    assert registry.check_output("systemctl is-enabled distribution") == "enabled"
    assert registry.run("systemctl is-enabled docker-registry").stdout.strip() == "masked"
    listening = registry.check_output("ss -Hltn | awk '{print $4}'").split()
    assert "*:5000" in listening and "127.0.0.1:5001" in listening and "*:5001" not in listening


def test_the_sandbox_is_in_force(registry):
    status = registry.check_output(f"cat /proc/{process(registry)}/status")
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M) and re.search(r"^Seccomp:\s+2$", status, re.M)
    assert re.search(r"^CapEff:\s+0+$", status, re.M) and re.search(r"^CapBnd:\s+0+$", status, re.M)
    inside = f"nsenter --target {process(registry)} --mount"
    assert registry.run(f"{inside} touch /usr/x /etc/x").rc != 0
    assert registry.run(f"{inside} sh -c 'touch /var/lib/distribution/x && rm /var/lib/distribution/x'").rc == 0


def test_nothing_secret_is_readable_by_others(registry):
    readable = registry.check_output("find /etc/distribution -perm /o=rwx -type f").split()
    assert sorted(readable) == ["/etc/distribution/tls/ca.pem", "/etc/distribution/tls/certificate.pem"]
    assert (
        registry.check_output("stat -c %a:%U:%G /etc/distribution/config.yml /etc/distribution/htpasswd").split()
        == ["640:root:distribution"] * 2
    )
    assert registry.check_output("stat -c %a:%U /etc/distribution/http_secret") == "600:root"


def test_a_stranger_gets_401_and_a_user_200(client):
    assert answer(client) == "401"
    assert answer(client, ALICE) == "200"
    assert answer(client, {"name": "alice", "password": "wrong"}) == "401"


def test_metrics_answer_on_the_host_only(registry, client):
    assert "registry_http" in registry.check_output("curl -s http://127.0.0.1:5001/metrics")
    assert client.run("curl -s --max-time 3 http://registry-1:5001/metrics").rc != 0


def test_push_and_pull(client):
    client.check_output(
        "mkdir -p /root/image/bin && cp /bin/busybox /root/image/bin/ && tar -C /root/image -c . | docker import - busybox:1"
    )
    client.check_output(f"echo sesame-of-alice | docker login --username alice --password-stdin {NAME}")
    client.check_output(f"docker tag busybox:1 {NAME}/team/busybox:1 && docker push --quiet {NAME}/team/busybox:1")
    pushed = client.check_output(f"docker image inspect --format '{{{{index .RepoDigests 0}}}}' {NAME}/team/busybox:1")
    client.check_output(f"docker rmi {NAME}/team/busybox:1 busybox:1 && docker pull --quiet {NAME}/team/busybox:1")
    assert client.check_output(f"docker image inspect --format '{{{{index .RepoDigests 0}}}}' {NAME}/team/busybox:1") == pushed
    assert client.check_output(f"docker run --rm --network none {NAME}/team/busybox:1 /bin/busybox echo it runs") == "it runs"


def test_the_store_is_whole_and_damage_is_found(registry):
    """What is found in stores made by hand is proven by unit tests; here the registry itself has written it."""
    code, output = run_playbook("distribution", HERE / "store.yml")
    assert code == 0 and changed(output) == 0, output
    layer = registry.check_output("find /var/lib/distribution/docker/registry/v2/blobs -name data -size +100k")
    registry.check_output(f"cp -a {layer} /root/layer && printf x | dd of={layer} bs=1 seek=1000 conv=notrunc status=none")
    code, output = run_playbook("distribution", HERE / "store.yml")
    assert code == 2 and "has content that hashes to sha256:" in output, output
    registry.check_output(f"cp -a /root/layer {layer}")


def test_a_lost_link_is_put_back(registry, client):
    links = "/var/lib/distribution/docker/registry/v2/repositories/team/busybox/_layers"
    registry.check_output(f"rm -r {links}/sha256/* && systemctl restart distribution")   # its cache still knows them
    client.check_output("docker rmi --force $(docker images -q)")
    assert client.run(f"docker pull --quiet {NAME}/team/busybox:1").rc != 0
    code, output = run_playbook("distribution", HERE / "store.yml", repair=["layer_unlinked"])
    assert code == 0 and changed(output) == 1, output
    client.check_output(f"docker pull --quiet {NAME}/team/busybox:1")


def test_users_change_live(registry, client):
    before = process(registry)
    carol = {"name": "carol", "password": "sesame-of-carol"}
    code, output = run_entry(
        "users", "--diff", distribution_users=[dict(ALICE, password="another-sesame"), dict(BOB, state="absent"), carol]
    )
    assert code == 0 and changed(output) == 1 and "sesame" not in output, output
    assert answer(client, dict(ALICE, password="another-sesame")) == answer(client, carol) == "200"
    assert answer(client, ALICE) == answer(client, BOB) == "401"
    assert process(registry) == before
    code, output = run_entry("users", distribution_users=[ALICE, BOB], distribution_users_exclusive=True)
    assert code == 0 and answer(client, ALICE) == answer(client, BOB) == "200" and answer(client, carol) == "401", output


@pytest.mark.parametrize(
    "config, message",
    [
        ({"storage": {"readonly": {"enabled": True}}}, "did you mean storage.maintenance.readonly"),
        ({"http": {"tls": {"clientcas": ["/etc/distribution/missing.pem"]}}}, "The new configuration does not work.*missing.pem"),
    ],
    ids=["a word the registry would ignore", "a file that is missing"],
)
def test_a_wrong_configuration_is_refused_and_the_old_service_untouched(registry, client, config, message):
    before, file = process(registry), registry.file("/etc/distribution/config.yml").sha256sum
    code, output = run_entry(distribution_config=config)
    assert code != 0 and re.search(message, output, re.S), output
    assert process(registry) == before and registry.file("/etc/distribution/config.yml").sha256sum == file
    assert answer(client, ALICE) == "200"
    assert changed(output) == 0


def test_a_service_that_does_not_come_up_is_rolled_back(registry, client):
    file = registry.file("/etc/distribution/config.yml").sha256sum
    registry.check_output(
        "systemd-run --unit=squatter --collect python3 -c 'import socket,time; s=socket.create_server((\"\",5900)); time.sleep(600)'"
    )
    code, output = run_entry(distribution_port=5900, distribution_start_timeout=5)
    registry.run("systemctl stop squatter")
    assert code != 0 and "address already in use" in output and "has been put back and is running" in output, output
    assert registry.file("/etc/distribution/config.yml").sha256sum == file and answer(client, ALICE) == "200"


def test_a_killed_run_is_mended_by_the_next(registry, client):
    # As if a run had written the file and ended before the restart.
    registry.check_output("sed -i 's/level: info/level: warn/' /etc/distribution/config.yml")
    before = process(registry)
    code, output = run_entry("main", "--check")
    assert code == 0 and changed(output) == 1 and process(registry) == before, output
    code, output = run_entry(distribution_log_level="warn")
    assert code == 0 and changed(output) == 1 and process(registry) != before, output
    assert answer(client, ALICE) == "200"


def test_no_secret_in_the_words_of_a_run(registry):
    kept = registry.check_output("cat /etc/distribution/http_secret")
    code, output = run_entry("main", "-vvv", "--diff", distribution_log_level="debug", distribution_http_secret="a-secret-of-this-run")
    assert code == 0 and "level: debug" in output, output
    assert not [secret for secret in ("sesame-of", "a-secret-of-this-run", kept, "$2y$") if secret in output]


def test_the_certificate_is_rotated_and_the_service_restarts_once(registry, client):
    before, file = process(registry), registry.file("/etc/distribution/tls/certificate.pem").sha256sum
    code, output = run_entry("certificate", certificates_rotate=True)
    assert code == 0 and process(registry) != before, output
    assert registry.file("/etc/distribution/tls/certificate.pem").sha256sum != file
    served = "openssl s_client -connect registry-1:5000 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint"
    assert registry.check_output(served) == registry.check_output(
        "openssl x509 -in /etc/distribution/tls/certificate.pem -noout -fingerprint"
    )
    assert answer(client, ALICE) == "200"
    before = process(registry)
    code, output = run_entry("certificate")
    assert code == 0 and changed(output) == 0 and process(registry) == before, output


def test_status_tells_the_state(registry, tmp_path):
    file = tmp_path / "status.json"
    code, output = run_entry("status", status_file=str(file))
    assert code == 0, output
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["healthy"] and found["version"].startswith("2.8") and found["differing"] == found["restart_reasons"] == []
    registry.check_output("systemctl stop distribution")
    code, output = run_entry("status", status_file=str(file))
    found = json.loads(file.read_text(encoding="utf-8"))
    assert code == 0 and not found["healthy"] and found["problem"] == "the service is not active", output
    assert run_entry()[0] == 0


def test_uninstall_names_what_would_be_lost_and_keeps_the_images(registry):
    code, output = run_entry("uninstall")
    assert code != 0 and "1 repositories" in output and "team/busybox" in output and "Nothing has been changed" in output, output
    code, output = run_entry("uninstall", distribution_uninstall_confirm="registry-1", distribution_uninstall_data_confirm="registry-2")
    assert code != 0 and registry.run("systemctl is-active distribution").rc == 0, output
    code, output = run_entry("uninstall", distribution_uninstall_confirm="registry-1")
    assert code == 0, output
    assert not registry.file("/etc/distribution").exists and not registry.file("/usr/bin/docker-registry").exists
    assert registry.file("/var/lib/distribution/docker/registry/v2/repositories/team/busybox").exists
    assert changed(run_entry("uninstall", distribution_uninstall_confirm="registry-1")[1]) == 0


def test_images_outlive_the_registry_until_their_removal_is_confirmed(registry, client):
    code, output = run_entry()
    assert code == 0, output
    assert answer(client, ALICE, "/v2/team/busybox/manifests/1") == "200"
    code, output = run_entry("uninstall", distribution_uninstall_confirm="registry-1", distribution_uninstall_data_confirm="registry-1")
    assert code == 0 and not registry.file("/var/lib/distribution").exists, output
