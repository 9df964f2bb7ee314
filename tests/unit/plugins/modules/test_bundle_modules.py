# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules around bundles and images: what goes in, what comes out, and every failure as one message."""

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _container_images
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._container_images import Docker
from ansible_collections.dockyard.trusted_registry.plugins.modules import (
    bundle,
    bundle_archive,
    bundle_info,
    container_images,
    container_images_info,
)
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.docker_archive import ALL, FakeDocker, archive

PRODUCTS = {"ucp": {"version": "3.2.5", "tool": "docker/ucp:3.2.5"}}


class End(Exception):
    """How a module ended."""


@pytest.fixture
def run(monkeypatch):
    def run(module, check_mode=False, **params):
        class Fake:
            def __init__(self, argument_spec, supports_check_mode):
                assert supports_check_mode
                self.params = {name: option.get("default") for name, option in argument_spec.items()}
                assert set(params) <= set(self.params)
                self.params.update(params)
                self.check_mode = check_mode

            def exit_json(self, **result):
                raise End(result)

            def fail_json(self, **result):
                raise End({"failed": True, **result})

        monkeypatch.setattr(module, "AnsibleModule", Fake)
        with pytest.raises(End) as end:
            module.main()
        return end.value.args[0]

    return run


@pytest.fixture
def engine(tmp_path, monkeypatch):
    fake = FakeDocker(tmp_path / "engine", images=ALL)
    monkeypatch.setenv("PATH", str(fake.folder))
    monkeypatch.setattr(Docker, "run", lambda _docker, *arguments, timeout=60: fake.run(*arguments))
    return fake


@pytest.fixture
def no_engine(monkeypatch):
    monkeypatch.setattr(_container_images.shutil, "which", lambda *_args, **_kwargs: None)


def test_images(run, engine, tmp_path):
    (tmp_path / "i.tar").write_bytes(archive(["a/b:1"]))
    result = run(container_images, images=["a/b:1"], archive=str(tmp_path / "i.tar"))
    assert (result["changed"], result["loaded"]) == (True, ["a/b:1"])
    assert run(container_images, images=["a/b:1"])["changed"] is False
    assert run(container_images, images=["a/c:1"])["msg"].startswith("not on this host: a/c:1")


def test_images_where_an_engine_is_yet_to_come(run, no_engine, tmp_path):
    assert run(container_images, images=["a/b:1"])["failed"]
    foreseen = run(container_images, check_mode=True, images=["a/b:1"], archive="/yet/to/come")
    assert (foreseen["changed"], foreseen["missing"], foreseen["loaded"]) == (True, ["a/b:1"], [])
    assert "install the engine first" in run(container_images_info, images=["a/b:1"], directory=str(tmp_path))["msg"]
    found = run(container_images_info, check_mode=True, images=["a/b:1"], directory=str(tmp_path))
    assert (found["missing"], found["engine"], found["changed"]) == (["a/b:1"], None, False)


def test_images_info(run, engine, tmp_path):
    found = run(container_images_info, images=["docker/ucp:3.2.5", "a/b"], directory=str(tmp_path))
    assert (list(found["images"]), found["missing"]) == (["docker/ucp:3.2.5"], ["a/b:latest"])
    assert found["engine"]["free"] > 0 and found["directory"]["shared"] is True
    assert "make it, or name another" in run(container_images_info, images=[], directory=str(tmp_path / "no"))["msg"]
    engine.set(root="/nowhere")
    assert run(container_images_info, images=[], directory=str(tmp_path))["engine"]["free"] is None


def test_a_bundle_from_end_to_end(run, engine, tmp_path):
    path = str(tmp_path / "b.tar")
    assert run(bundle, check_mode=True, path=path, products=PRODUCTS)["changed"]
    made = run(bundle, path=path, products=PRODUCTS)
    assert made["changed"] and run(bundle, path=path, products=PRODUCTS)["changed"] is False
    assert run(bundle_info, path=path, verify=True)["manifest"] == made["manifest"]
    options = {"path": path, "product": "ucp", "directory": str(tmp_path)}
    assert run(bundle_archive, check_mode=True, **options)["changed"] and not (tmp_path / "ucp-3.2.5.tar.gz").exists()
    taken = run(bundle_archive, **options)
    assert taken["changed"] and run(bundle_archive, **options)["changed"] is False
    engine.set(images=[])
    images = [image["name"] for image in made["manifest"]["products"]["ucp"]["images"]]
    loaded = run(container_images, images=images, archive=taken["archive"], sha256=taken["sha256"])
    assert loaded["loaded"] == images


def test_failures_are_messages(run, engine, tmp_path):
    path = tmp_path / "b.tar"
    run(bundle, path=str(path), products=PRODUCTS)
    path.write_bytes(path.read_bytes()[:1024])
    for result in (
        run(bundle_info, path=str(path)),
        run(bundle_info, path=str(path), verify=True),
        run(bundle_archive, path=str(path), product="ucp", directory=str(tmp_path)),
    ):
        assert result["failed"] and "b.tar is incomplete" in result["msg"]
    engine.set(faults={"save": {"code": 1}})
    assert run(bundle, path=str(path), products=PRODUCTS)["msg"].startswith(f"{path} was not made: docker save failed")


def test_everything_that_is_wrong_is_told(run, engine, tmp_path, monkeypatch):
    path = tmp_path / "b.tar"
    run(bundle, path=str(path), products=PRODUCTS)
    monkeypatch.setattr(bundle_info.Bundle, "problems", lambda _bundle: ["one", "two"])
    assert run(bundle_info, path=str(path), verify=True)["msg"] == f"{path} must not be used: one; two"


@pytest.mark.parametrize(
    "products,message",
    [
        ({}, "products is empty; name ucp or dtr"),
        ({"msr": {}}, "there is no product msr"),
        ({"ucp": "3.2.5"}, "products.ucp must have version and tool"),
        ({"ucp": {"version": "3.2.5", "tool": "x", "pull": True}}, "products.ucp must have version and tool, and nothing else"),
    ],
)
def test_products_that_cannot_be(run, engine, products, message):
    assert message in run(bundle, path="/nowhere/b.tar", products=products)["msg"]
    assert engine.calls == []
