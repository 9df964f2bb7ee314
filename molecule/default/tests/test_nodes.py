# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

BUILD = """
set -e; cd "$(mktemp -d)"; cp /bin/busybox .
printf 'FROM scratch\\nCOPY busybox /bin/busybox\\nENTRYPOINT ["/bin/busybox"]\\n' > Dockerfile
docker build -q -t probe .
"""


@pytest.mark.parametrize("name", ["bare-1", "docker-1"])
def test_a_node_is_a_host(node, name):
    host = node(name)
    assert host.check_output("systemctl is-system-running") == "running"
    assert host.check_output("hostname") == name


def test_bare_means_no_engine(node):
    assert not node("bare-1").exists("docker")


@pytest.mark.parametrize("name", ["bare-1", "docker-1"])
def test_names_resolve_on_every_node(node, name):
    host = node(name)
    for peer, address in {"bare-1": "172.30.51.11", "docker-1": "172.30.51.21"}.items():
        assert host.check_output(f"getent ahostsv4 {peer}").split()[0] == address
        assert host.check_output(f"getent ahostsv4 {peer}.lab.test").split()[0] == address


def test_an_engine_of_its_own_runs_containers(node):
    host = node("docker-1")
    host.check_output(BUILD)
    assert host.check_output("docker run --rm probe echo nested") == "nested"
    assert host.check_output("docker info --format '{{.Driver}}'") == "overlay2"


def test_a_node_can_start_a_swarm(node):
    host = node("docker-1")
    host.check_output("docker swarm init --advertise-addr 172.30.51.21")
    assert host.check_output("docker node ls --format '{{.Status}} {{.ManagerStatus}}'") == "Ready Leader"


def test_the_other_node_is_reached(node):
    node("bare-1").check_output("timeout 5 bash -c '</dev/tcp/docker-1/2377'")
