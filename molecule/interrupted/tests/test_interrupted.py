# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is there after site.yml was killed at one task after the other, and then ran to its end."""

from __future__ import annotations

import json

from lab_run import CHECKOUT, run_playbook

LAB = CHECKOUT / ".lab/molecule-interrupted"
REPLICAS = ["dtr-1", "dtr-2", "dtr-3"]
PARTS = ["api", "garant", "jobrunner", "nginx", "notary-server", "notary-signer", "registry", "rethinkdb", "scanningstore"]


def read(name):
    return json.loads((LAB / name).read_text())


def test_every_kill_hit_its_task():
    kills = read("kills.json")
    print("\n".join(f"{kill['when']:<6} {kill['task']}: {kill['seconds']} s" for kill in kills))
    assert [kill["task"] for kill in kills if not kill["killed"]] == []
    assert len({(kill["when"], kill["task"]) for kill in kills}) >= 10


def test_no_process_showed_a_secret_on_its_command_line():
    leaks = read("leaks.json")
    assert leaks["looks"] > 1000
    assert leaks["commands"] == []


def test_no_secret_was_printed_at_the_highest_verbosity():
    leaks = read("leaks.json")
    assert leaks["printed"] > 1_000_000
    assert leaks["in_output"] == []


def test_one_swarm_of_the_declared_nodes(node):
    assert sorted(node("ucp-1").check_output("docker node ls --format '{{.Hostname}}={{.Status}}'").split()) == [
        f"{name}=Ready" for name in [*REPLICAS, "ucp-1"]]


def test_one_replica_on_each_host_and_nothing_else_of_dtr(node):
    replicas = set()
    for name in REPLICAS:
        containers = node(name).check_output("docker ps -a --format '{{.Names}} {{.State}}' --filter name=dtr").splitlines()
        found = {tuple(line.split()[0].removeprefix("dtr-").rsplit("-", 1)) for line in containers}
        replica = {identity for part, identity in found}
        assert sorted(part for part, identity in found) == PARTS, containers
        assert len(replica) == 1 and {line.split()[1] for line in containers} == {"running"}
        volumes = node(name).check_output("docker volume ls -q --filter name=dtr-").split()
        assert {volume.rpartition("-")[2] for volume in volumes} == replica
        replicas |= replica
    assert len(replicas) == 3


def test_no_installer_is_left_anywhere(node):
    for name in [*REPLICAS, "ucp-1"]:
        assert node(name).check_output("docker ps -aq --filter status=exited --filter status=created --filter status=dead") == ""


def test_a_client_pushes_and_pulls(node):
    client = node("client-1")
    image = "dtr.lab.test/quickstart/probe:after"
    client.check_output(f"docker login -u admin --password-stdin dtr.lab.test <<'END'\n{(LAB / 'password').read_text().strip()}\nEND")
    client.check_output(f"head -c 10000 /dev/urandom > /root/noise && tar -C /root -c noise | docker import - {image}")
    client.check_output(f"docker push {image} && docker rmi {image} && docker pull -q {image}")


def test_status_finds_nothing_wrong():
    code, output = run_playbook("interrupted", CHECKOUT / "playbooks/status.yml", status_strict=True)
    assert code == 0, output


def test_uninstall_leaves_hosts_as_they_were(node):
    code, output = run_playbook("interrupted", CHECKOUT / "playbooks/uninstall.yml")
    assert code == 2 and "set dtr_uninstall_confirm to dtr.lab.test" in output
    confirmations = {
        "dtr_uninstall_confirm": "dtr.lab.test", "ucp_uninstall_confirm": "172.30.71.11", "load_balancer_uninstall_confirm": "lb-1"}
    code, output = run_playbook("interrupted", CHECKOUT / "playbooks/uninstall.yml", **confirmations)
    assert code == 0, output
    for name in [*REPLICAS, "ucp-1"]:
        assert node(name).check_output("docker ps -aq; docker volume ls -q; docker info -f '{{.Swarm.LocalNodeState}}'") == "inactive"
    assert not node("lb-1").package("haproxy").is_installed
    assert not node("client-1").file("/etc/docker/certs.d/dtr.lab.test").exists
