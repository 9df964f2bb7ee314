# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _bootstrapper_lock as lock
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import EngineError
from fake_docker import FakeEngine, container

OURS = {lock.LABEL: "ucp"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(lock, "_PAUSE", 0.05)


def test_a_second_run_waits_for_the_first(tmp_path):
    engine, seen, inside = FakeEngine(), [], threading.Event()

    def first():
        with lock.exclusive("ucp", engine, 5, str(tmp_path)):
            inside.set()
            time.sleep(0.3)
            seen.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(5)
    with lock.exclusive("ucp", engine, 5, str(tmp_path)):
        seen.append("second")
    thread.join()
    assert seen == ["first", "second"]


def test_a_second_run_is_told_who_holds_it_when_it_lasts(tmp_path):
    with lock.exclusive("ucp", FakeEngine(), 5, str(tmp_path)):
        with pytest.raises(lock.Busy, match=r"another run on ucp-1 has held .*dockyard-ucp\.lock for \d+ s"), \
                lock.exclusive("ucp", FakeEngine(), 0.1, str(tmp_path)):
            pass
        with lock.exclusive("dtr", FakeEngine(), 0.1, str(tmp_path)):
            pass   # another kind


def test_a_run_of_ours_that_outlived_us_is_waited_for(tmp_path):
    looks = iter([[container("ucp", **OURS)]] * 3)
    engine = FakeEngine({"/containers/json": lambda: next(looks, [])})
    began = time.monotonic()
    with lock.exclusive("ucp", engine, 5, str(tmp_path)):
        assert time.monotonic() - began > 0.1


def test_a_run_that_somebody_else_started_is_refused_at_once(tmp_path):
    engine = FakeEngine({"/containers/json": [container("ucp", image="docker/ucp:3.2.5")]})
    words = r"container ucp \(docker/ucp:3\.2\.5, 'install'\) is running on ucp-1 since \d+ min.*docker rm --force ucp"
    with pytest.raises(lock.Busy, match=words), lock.exclusive("ucp", engine, 5, str(tmp_path)):
        pass


@pytest.mark.parametrize("one", [container("ucp", "exited", "r/docker/ucp:3.2.5"), container("any", "created", "x", **OURS)])
def test_what_is_left_of_a_dead_run_is_removed(tmp_path, one):
    engine = FakeEngine({"/containers/json": [one]})
    with lock.exclusive("ucp", engine, 5, str(tmp_path)):
        assert engine.sent == [("DELETE", f"/containers/{one['Id']}", None, {"force": True})]


def test_a_dead_container_of_another_image_is_not_ours_to_remove(tmp_path):
    engine = FakeEngine({"/containers/json": [container("ucp", "exited", "example/other:1")]})
    with pytest.raises(lock.Busy, match="example/other"), lock.exclusive("ucp", engine, 0.2, str(tmp_path)):
        pass
    assert engine.sent == []


def test_other_containers_do_not_matter(tmp_path):
    engine = FakeEngine({"/containers/json": [container("ucp-proxy"), container("x", **{lock.LABEL: "dtr"})]})
    with lock.exclusive("ucp", engine, 0, str(tmp_path)):
        pass


def test_a_dead_container_that_goes_by_itself(tmp_path):
    engine = FakeEngine({"/containers/json": [container("ucp", "exited", **OURS)]})

    def gone(body):
        raise EngineError("removal is already in progress", 409)

    engine.on["DELETE /containers/.*"] = gone
    with lock.exclusive("ucp", engine, 0, str(tmp_path)):
        pass
