from __future__ import annotations


def test_systemd(node):
    assert node("bare-1").run("systemctl is-system-running").stdout.strip() == "running"


def test_engine(node):
    assert node("docker-1").run("docker info").rc == 0
