# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import sys

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _bootstrapper as boot
from fake_docker import FakeDocker, FakeEngine

IMAGE = "docker/ucp:3.2.5"
SECRET = "sesame 'of' the \"admin\""


@pytest.fixture
def docker(tmp_path):
    return FakeDocker(tmp_path, sys.executable)


@pytest.fixture
def make(docker):
    def tool(kind="ucp", info=None, **options):
        engine = FakeEngine({"/info": info or {}, f"/images/{IMAGE}/json": {"Id": "x"}})
        return boot.Bootstrapper(kind, IMAGE, engine=engine, docker=docker.path, **options)
    return tool


def test_a_secret_is_in_the_environment_and_nowhere_else(docker, make):
    docker.plays(stderr='level=info msg="using @PASSWORD@"\n', stdout="also @PASSWORD@\n")
    outcome = make().run("install", ["--san=x"], env={"SECRET": SECRET})
    (call,) = docker.calls()
    assert call["env"]["SECRET"] == SECRET and SECRET not in " ".join(call["argv"])
    assert call["argv"][-3:] == [IMAGE, "install", "--san=x"] and call["argv"][call["argv"].index("--env") + 1] == "SECRET"
    assert SECRET not in str(outcome) and {"level": "info", "text": "using ********"} in outcome.log


def test_ucp_has_its_name_and_the_socket_and_dtr_the_hosts_network(docker, make):
    make().run("id")
    make("dtr").run("images")
    ucp, dtr = (" ".join(call["argv"]) for call in docker.calls())
    assert "--name ucp" in ucp and ":/var/run/docker.sock" in ucp and "--network" not in ucp
    assert "--network host" in dtr and "--name" not in dtr and "docker.sock:" not in dtr
    assert "label=disable" not in ucp


def test_selinux(docker, make):
    make(info={"SecurityOptions": ["name=seccomp", "name=selinux"]}).run("id")
    assert "--security-opt label=disable" in " ".join(docker.calls()[0]["argv"])


def test_a_client_bundle_of_the_caller_is_left_out(docker, make, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:443")
    monkeypatch.setenv("DOCKER_CERT_PATH", "/bundle")
    make().run("id")
    (call,) = docker.calls()
    assert not {"DOCKER_HOST", "DOCKER_CERT_PATH"} & set(call["env"]) and call["argv"][:2] == ["--host", "unix:///nonexistent.sock"]


@pytest.mark.parametrize(("play", "message"), [
    ({"rc": 1, "stderr": "level=error msg=broken\n"}, r"install on ucp-1 failed \(broken\), exit code 1\. See the log"),
    ({"rc": 0, "stderr": 'level=fatal msg="the following required ports are blocked on your host: 443"\n'}, r"\(the following .*open them"),
    ({"rc": 0, "stdout": "FATA[0000] said on stdout\n"}, r"failed \(said on stdout\), exit code 0"),
    ({"rc": 3}, r"it wrote nothing"),
])
def test_failures(docker, make, play, message):
    docker.plays(**play)
    with pytest.raises(boot.BootstrapError, match=message) as raised:
        make().run("install")
    assert raised.value.rc == play["rc"]


def test_own_remedies_come_first(docker, make):
    docker.plays(rc=1, stderr="level=fatal msg=odd\n")
    with pytest.raises(boot.BootstrapError, match="do this"):
        make(remedies=[("odd", "do this.")]).run("install")


def test_the_time_limit_ends_the_container_not_only_its_client(docker, make):
    docker.plays(sleep=60, stderr="level=info msg=waiting\n")
    tool = make(timeout=1)
    with pytest.raises(boot.BootstrapError, match=r"did not end within 1 s.*waiting") as raised:
        tool.engine.on["DELETE /containers/c0ffee"] = lambda body: os.kill(int((docker.folder / "pid").read_text()), signal.SIGTERM)
        tool.run("install")
    assert raised.value.rc is None and ("DELETE", "/containers/c0ffee", None, {"force": True}) in tool.engine.sent


def test_files_are_mounted_for_the_owner_alone_and_gone_afterwards(docker, make):
    make().run("install", files={"/config/docker_subscription.lic": SECRET})
    (call,) = docker.calls()
    assert call["files"] == {"/config/docker_subscription.lic": [SECRET, "0o600"]}
    mount = next(word for word in call["argv"] if word.endswith("docker_subscription.lic:ro"))
    assert not os.path.exists(mount.split(":")[0])


def test_a_payload_is_no_log(docker, make):
    docker.plays(stdout="level=fatal msg=not-a-log\n", stderr="level=info msg=x\n")
    outcome = make().run("dump-certs", payload=True)
    assert outcome.output == "level=fatal msg=not-a-log\n" and len(outcome.log) == 1
    assert "--log-driver none" in " ".join(docker.calls()[0]["argv"])


def test_a_stream_to_a_file_is_there_only_when_the_run_succeeded(docker, make, tmp_path):
    target = tmp_path / "backup.tar"
    docker.plays(stdout="half", stderr="level=fatal msg=x\n")
    with pytest.raises(boot.BootstrapError):
        make().run("backup", stdout_path=str(target))
    assert not target.exists() and not list(tmp_path.glob("*.part"))
    docker.plays(stdout="whole")
    make().run("backup", stdout_path=str(target))
    assert target.read_text() == "whole" and target.stat().st_mode & 0o777 == 0o600


def test_standard_input_comes_from_a_file_or_is_closed(docker, make, tmp_path):
    (tmp_path / "in").write_text("from the file")
    docker.plays(echo=True)
    assert make().run("restore", stdin_path=str(tmp_path / "in"), payload=True).output == "from the file"
    assert make().run("restore", payload=True).output == ""
    assert ["--interactive" in call["argv"] for call in docker.calls()] == [True, False]


@pytest.mark.parametrize("kind", ["ucp", "dtr"])
def test_no_run_has_a_terminal(docker, make, tmp_path, kind):
    """It would corrupt what flows through it, or ask a question that nobody answers."""
    (tmp_path / "in").write_text("x")
    tool = make(kind)
    tool.run("install", env={"SECRET": SECRET})
    tool.run("backup", stdout_path=str(tmp_path / "out"))
    tool.run("restore", stdin_path=str(tmp_path / "in"))
    words = [word for call in docker.calls() for word in call["argv"]]
    assert words.count("--rm") == 3
    assert not {"--tty", "--tty=true", "-t", "-it", "-ti"} & set(words)


def test_a_missing_image_is_refused_pulled_or_told(docker, make):
    tool = make()
    tool.name = "docker/ucp:3.3.7"
    with pytest.raises(boot.BootstrapError, match=r"image docker/ucp:3\.3\.7 is not on ucp-1, and pulling is off"):
        tool.run("install")
    assert docker.calls() == []
    tool.pull = "missing"
    tool.run("install")
    assert "pull" in docker.calls()[0]["argv"] and "install" in docker.calls()[1]["argv"]
    docker.plays(rc=1, stderr="no route to host")
    with pytest.raises(boot.BootstrapError, match=r"cannot be pulled on ucp-1 \(no route to host\)"):
        tool.run("install")


@pytest.mark.parametrize(("extra", "message"), [
    ([], ""),
    (["--nodeport-range=1-2", "--random"], ""),
    (["--admin-password=x"], "would show a secret"),
    (["--dtr-key=x"], "would show a secret"),
    (["--san=x"], "is set by an option"),
    (["-D"], "is not written as"),
    (["--debug me"], "is not written as"),
])
def test_additional_arguments(extra, message):
    wrong = boot.refused_extra(extra, {"--san"})
    assert message in wrong and bool(message) == bool(wrong)


@pytest.mark.parametrize(("image", "version"), [
    ("docker/ucp:3.2.5", "3.2.5"), ("r.example.com:5000/m/docker/ucp:3.2.5", "3.2.5"), ("r.example.com:5000/ucp", ""),
    ("docker/ucp:3.2.5@sha256:00", "3.2.5"),
])
def test_version_of_an_image(image, version):
    assert boot.version_of(image) == version
