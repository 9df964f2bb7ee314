# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images on a host: what is missing is loaded, what must not be loaded is refused and leaves the engine as it was."""

from __future__ import annotations

import gzip
import hashlib

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _container_images as images
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import Docker, ImageError, bring, familiar
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.docker_archive import FakeDocker, archive, identity

NAMES = ["docker/dtr-api:2.7.6", "docker/dtr:2.7.6"]


@pytest.fixture
def engine(tmp_path, monkeypatch):
    fake = FakeDocker(tmp_path / "engine", images=["docker/ucp:3.2.5"])
    monkeypatch.setenv("PATH", str(fake.folder))
    monkeypatch.setattr(Docker, "run", lambda _docker, *arguments, timeout=60: fake.run(*arguments))
    return fake


@pytest.fixture
def command(tmp_path, monkeypatch):
    fake = FakeDocker(tmp_path / "command", images=["docker/ucp:3.2.5"])
    monkeypatch.setenv("PATH", str(fake.folder))
    return fake


@pytest.fixture
def saved(tmp_path):
    def saved(data=None, name="images.tar"):
        path = tmp_path / name
        path.write_bytes(archive(NAMES) if data is None else data)
        return str(path)

    return saved


@pytest.mark.parametrize(
    "name,known",
    [
        ("docker/ucp:3.2.5", "docker/ucp:3.2.5"),
        ("docker.io/docker/ucp:3.2.5", "docker/ucp:3.2.5"),
        ("docker.io/library/busybox", "busybox:latest"),
        ("registry.example.com:5000/a/b", "registry.example.com:5000/a/b:latest"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b:1"),
    ],
)
def test_names_as_the_engine_writes_them(name, known):
    assert familiar(name) == known


@pytest.mark.parametrize("name", ["", "-x", "docker/ucp@sha256:" + "0" * 64, "docker/ucp:3.2.5 x", "Docker/UCP:1 "])
def test_what_is_no_name(name):
    with pytest.raises(ImageError, match="is no name of an image"):
        familiar(name)


def test_nothing_is_missing(engine):
    result = bring(Docker(), ["docker/ucp:3.2.5"], "/nowhere")
    assert (result["changed"], result["missing"], result["loaded"]) == (False, [], [])
    assert result["images"] == {"docker/ucp:3.2.5": "sha256:" + identity("docker/ucp:3.2.5")}
    assert engine.called("load") == []


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress], ids=["plain", "gzip"])
def test_what_is_missing_is_loaded_once(engine, saved, pack):
    data = pack(archive(NAMES))
    path = saved(data)
    first = bring(Docker(), [*NAMES, "docker/ucp:3.2.5"], path, sha256=hashlib.sha256(data).hexdigest().upper())
    assert first["changed"] and first["missing"] == first["loaded"] == NAMES
    assert set(first["images"]) == {*NAMES, "docker/ucp:3.2.5"}
    assert first["diff"] == {"before": "docker/ucp:3.2.5\n", "after": "docker/dtr-api:2.7.6\ndocker/dtr:2.7.6\ndocker/ucp:3.2.5\n"}
    assert bring(Docker(), NAMES, path)["changed"] is False
    assert len(engine.called("load")) == 1


@pytest.mark.parametrize("there", [True, False])
def test_check_mode_loads_nothing(engine, saved, tmp_path, there):
    path = saved() if there else str(tmp_path / "yet-to-come.tar")
    result = bring(Docker(), NAMES, path, check_mode=True)
    assert result["changed"] and result["missing"] == NAMES and result["loaded"] == []
    assert engine.called("load") == []


def refused(engine, *arguments, check_mode=False, **more):
    before = engine.state["images"]
    with pytest.raises(ImageError) as caught:
        bring(Docker(), NAMES, *arguments, check_mode=check_mode, **more)
    assert engine.state["images"] == before
    return str(caught.value)


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_archive_that_must_not_be_loaded(engine, saved, check_mode):
    whole = archive(NAMES)
    cases = [
        ((saved(whole[:-1024]), None), "is truncated"),
        ((saved(whole, "b.tar"), "0" * 64), f"is {hashlib.sha256(whole).hexdigest()}, not {'0' * 64} as given"),
        ((saved(archive(NAMES[:1]), "c.tar"), None), "does not hold docker/dtr:2.7.6"),
        ((None, None), "not on this host: docker/dtr-api:2.7.6, docker/dtr:2.7.6; give archive"),
    ]
    for (path, sha256), message in cases:
        assert message in refused(engine, path, sha256=sha256, check_mode=check_mode)
    assert engine.called("load") == []


def test_an_archive_that_is_not_there(engine, tmp_path):
    assert "there is no archive" in refused(engine, str(tmp_path / "no.tar"))


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_disk_that_would_run_full(engine, saved, monkeypatch, check_mode):
    path = saved()
    needed = 2 * len(archive(NAMES))
    monkeypatch.setattr(images, "free_space", lambda path: needed - 1)
    message = refused(engine, path, check_mode=check_mode)
    assert f"{engine.root} has" in message and "twice its size" in message
    assert engine.called("load") == []
    monkeypatch.setattr(images, "free_space", lambda path: needed)
    assert bring(Docker(), NAMES, path)["changed"]


def test_an_engine_elsewhere(engine, saved):
    engine.set(root="/nowhere/docker")
    assert "/nowhere/docker is not on this host" in refused(engine, saved())


def test_a_load_that_fails(engine, saved):
    engine.set(faults={"load": {"message": "progress\nno space left on device"}})
    assert refused(engine, saved()).endswith("failed: no space left on device")


def test_an_archive_that_lacks_what_the_tool_lists(engine, saved):
    tools = {"dtr": "docker/dtr:2.7.6"}
    engine.set(lists={tools["dtr"]: ["docker/dtr-api:2.7.6", "docker/dtr-nginx:2.7.6"]})
    with pytest.raises(ImageError, match=r"is incomplete: it lacks docker/dtr-nginx:2\.7\.6, which its own tool lists"):
        bring(Docker(), NAMES, saved(), tools=tools)
    # It is no better at the next run, when the tool is there from the start.
    with pytest.raises(ImageError, match=r"does not hold docker/dtr-nginx:2\.7\.6"):
        bring(Docker(), NAMES, saved(), tools=tools)
    engine.set(images=[], lists={})
    assert bring(Docker(), NAMES, saved(), tools=tools)["loaded"] == NAMES


def test_a_load_that_only_says_so(engine, saved):
    engine.set(faults={"load": {"lose": True}})
    assert "ended well, yet docker/dtr-api:2.7.6, docker/dtr:2.7.6 is not there" in refused(engine, saved())


def test_a_command_that_hangs(command, saved):
    command.write(hang=60)
    with pytest.raises(ImageError, match="docker load --quiet has not ended within 1 s"):
        Docker(timeout=1).load(saved())


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"errors": ["Cannot connect to the Docker daemon at unix:///var/run/docker.sock."]}, "Cannot connect to the Docker daemon"),
        ({"faults": {"info": {"message": "permission denied"}}}, "permission denied"),
    ],
)
def test_an_engine_that_does_not_answer(engine, changes, message):
    engine.set(**changes)
    with pytest.raises(ImageError, match=f"the engine does not answer: {message}"):
        bring(Docker(), NAMES)


def test_no_engine(tmp_path, monkeypatch):
    monkeypatch.setattr(images.shutil, "which", lambda *_args, **_kwargs: None)
    with pytest.raises(images.NoDocker, match="install the engine first"):
        Docker()


def test_the_list_of_a_tool(engine):
    assert Docker().listed("dtr", "docker/dtr:2.7.6") == ["docker/dtr-api:2.7.6", "docker/dtr:2.7.6"]
    assert Docker().listed("ucp", "docker/ucp:3.2.5") == ["docker/ucp-agent:3.2.5", "docker/ucp:3.2.5"]
    assert [call[-2:] for call in engine.called("run")] == [["docker/dtr:2.7.6", "images"], ["images", "--list"]]
    assert all(call[1:4] == ["--rm", "--network", "none"] for call in engine.called("run"))


@pytest.mark.parametrize("lines,reason", [([], "it printed nothing"), (["Usage: something"], "it printed 'Usage: something'")])
def test_a_tool_that_lists_nothing(engine, lines, reason):
    engine.set(lists={"docker/ucp:3.2.5": lines})
    with pytest.raises(ImageError, match=reason):
        Docker().listed("ucp", "docker/ucp:3.2.5")


def test_a_socket_of_its_own(command):
    assert list(Docker(socket="/run/other.sock").images()) == ["docker/ucp:3.2.5"]
    assert [call[:4] for call in command.calls] == [["--host", "unix:///run/other.sock", "image", "ls"]]
