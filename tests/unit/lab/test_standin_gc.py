# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import datetime
import os
import threading
import time

import pytest
from images import digest_of, image, index, layer
from standin.gc import reachable
from standin.jobs import JobFailed
from standin.pins import GRACE, Pins

BASE = layer({"base": os.urandom(200_000)})
FIRST, SECOND = image(BASE, layer({"first": os.urandom(100_000)})), image(BASE, layer({"second": os.urandom(100_000)}))
INDEX = index(image(layer({"amd": b"1"})), image(layer({"arm": b"2"}), architecture="arm64"))


def size(*blobs: bytes) -> int:
    return sum(len(blob) for blob in blobs)


def stored(site) -> set[str]:
    return set(site.files.blobs())


def all_of(*contents) -> set[str]:
    digests = {content.digest for content in contents} | {digest_of(blob) for content in contents for blob in content.blobs}
    return digests.union(*(all_of(*content.children) for content in contents if content.children))


def bytes_on_disk(site) -> int:
    return sum(site.files.blob(digest).stat().st_size for digest in stored(site))


# What is decided

@pytest.mark.parametrize(("tags", "held", "used"), [
    ([], [], set()),
    (["image"], [], {"image"}),
    (["list"], [], {"list", "amd", "arm"}),
    ([], ["arm"], {"arm"}),
    (["list", "amd"], ["image"], {"list", "amd", "arm", "image"}),
    (["gone"], [], set()),
])
def test_reachable(tags, held, used):
    manifests = {
        "image": {"children": []}, "amd": {"children": []}, "arm": {"children": []}, "list": {"children": ["amd", "arm", "not pushed"]}
    }
    assert reachable([{"digest": digest} for digest in tags], held, manifests) == used


class TestPins:
    @pytest.fixture
    def now(self):
        return [datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)]

    @pytest.fixture
    def pins(self, now):
        return Pins(lambda: now[0])

    def test_held_until_released_by_every_push(self, pins):
        pins.hold("one", ["a", "b"])
        pins.hold("two", ["a"])
        pins.release("one", ["a", "b"])
        assert (pins.held("a"), pins.held("b")) == (True, False)
        pins.release("two", ["a", "never held"])
        assert not pins.held("a")

    def test_held_for_the_grace_at_most(self, pins, now):
        pins.hold("one", ["a"])
        now[0] += GRACE / 2
        assert pins.held("a")
        pins.hold("one", ["a"])   # asked for again
        now[0] += GRACE * 3 / 4
        assert pins.held("a")
        now[0] += GRACE
        assert not pins.held("a")

    def test_what_was_held_during_a_collection_stays_for_all_of_it(self, pins):
        pins.hold("before", ["a"])
        pins.begin()
        pins.release("before", ["a"])
        pins.hold("during", ["b"])
        pins.release("during", ["b"])
        pins.touch(["c"])
        assert [pins.held(digest) for digest in "abcd"] == [True, True, True, False]
        pins.end()
        assert not any(pins.held(digest) for digest in "abcd")

    def test_touching_means_nothing_without_a_collection(self, pins):
        pins.touch(["a"])
        pins.begin()
        assert not pins.held("a")


# What it does

def test_frees_the_bytes_of_what_is_gone_and_keeps_what_is_shared(site):
    for path in ("admin/one", "admin/two"):
        site.repository(path)
    site.push("admin/one:first", FIRST)
    site.push("admin/one:second", SECOND)
    site.push("admin/two:second", SECOND)
    site.push("admin/two:list", INDEX)
    everything = bytes_on_disk(site)
    assert site.collect() == (
        {"manifests": 0, "links": 0, "blobs": 0, "bytes": 0, "finished": True},
        ["4 tags lead to 6 manifests and 9 blobs", "freed 0 bytes: 0 blobs, 0 manifests"],
    )
    for tag in ("one/tags/first", "two/tags/list"):
        site.dtr("DELETE", f"/api/v0/repositories/admin/{tag}", 204)
    assert bytes_on_disk(site) == everything
    removed, lines = site.collect()
    lost = [FIRST.manifest, FIRST.blobs[0], FIRST.blobs[2], INDEX.manifest]
    lost += [blob for child in INDEX.children for blob in (child.manifest, *child.blobs)]
    assert (removed["manifests"], removed["blobs"], removed["bytes"]) == (4, len(lost), size(*lost))
    assert lines == ["2 tags lead to 2 manifests and 3 blobs", f"freed {size(*lost)} bytes: {len(lost)} blobs, 4 manifests"]
    assert bytes_on_disk(site) == everything - size(*lost)
    assert stored(site) == all_of(SECOND)
    for path in ("admin/one", "admin/two"):
        assert site.session(path).pull("second") == 3
        site.session(path)("GET", f"manifests/{FIRST.digest}", 404)
    site.session("admin/one")("HEAD", f"blobs/{digest_of(FIRST.blobs[2])}", 404)
    site.push("admin/one:first", FIRST)
    assert site.session("admin/one").pull("first") == 3


def test_a_deleted_repository_leaves_its_blobs_to_the_collection(site):
    for path in ("admin/one", "admin/two"):
        site.repository(path)
        site.push(f"{path}:1", FIRST)
    site.push("admin/one:2", SECOND)
    site.dtr("DELETE", "/api/v0/repositories/admin/one", 204)
    assert stored(site) == all_of(FIRST, SECOND)
    site.repository("admin/one")
    session = site.session("admin/one")
    session("GET", f"manifests/{FIRST.digest}", 404)
    session("GET", f"blobs/{digest_of(BASE)}", 404)
    site.collect()
    assert stored(site) == all_of(FIRST)
    assert site.session("admin/two").pull("1") == 3


def test_an_overwritten_tag_frees_what_it_had(site):
    site.repository("admin/one")
    site.push("admin/one:latest", FIRST)
    site.push("admin/one:latest", SECOND)
    site.collect()
    assert stored(site) == all_of(SECOND)


def test_a_copied_tag_shares_the_blobs(site):
    for path in ("admin/one", "admin/two"):
        site.repository(path)
    site.push("admin/one:list", INDEX)

    async def promote():
        return site.standin.tags.copy(("admin", "one", "list"), ("admin", "two", "promoted"), "admin")

    assert site.standin.run(promote())["digest"] == INDEX.digest
    site.dtr("DELETE", "/api/v0/repositories/admin/one", 204)
    site.collect()
    assert stored(site) == all_of(INDEX)
    assert site.session("admin/two").pull("promoted") == 4


# Pushes that are under way

def test_every_step_of_a_push_outlives_a_collection(site):
    site.repository("admin/one")
    session = site.session("admin/one")
    location = session("POST", "blobs/uploads/", 202).headers["Location"]
    site.collect()
    session.http.put(f"{location}&digest={digest_of(BASE)}", data=BASE)
    site.collect()
    for child in INDEX.children:
        session.push(child.digest, child)
        site.collect()
    session.put("list", INDEX)
    site.collect()
    assert session.pull("list") == 4
    session("HEAD", f"blobs/{digest_of(BASE)}", 200)
    site.standin.shift = GRACE + datetime.timedelta(seconds=1)
    site.collect()
    session("HEAD", f"blobs/{digest_of(BASE)}", 404)
    assert stored(site) == all_of(INDEX)


def test_a_blob_that_a_push_found_there_stays(site):
    """An engine that is told that a layer is there does not upload it: it must not go before the manifest comes."""
    site.repository("admin/one")
    site.push("admin/one:first", FIRST)
    session = site.session("admin/one")
    for blob in FIRST.blobs:
        session("HEAD", f"blobs/{digest_of(blob)}", 200)
    site.dtr("DELETE", "/api/v0/repositories/admin/one/tags/first", 204)
    site.collect()
    session.put("again", FIRST)
    site.collect()
    assert session.pull("again") == 3


def test_a_mounted_blob_is_held_by_the_push_that_mounted_it(site):
    """Engines mount with another token than the one that they upload and put the manifest with."""
    for path in ("admin/one", "admin/two"):
        site.repository(path)
    site.push("admin/one:first", FIRST)
    mounting, session = site.session("admin/two"), site.session("admin/two")
    access = [{"type": "repository", "name": "admin/two", "actions": ["pull", "push"]}]
    access.append({"type": "repository", "name": "admin/one", "actions": ["pull"]})
    mounting.http.headers["Authorization"] = f"Bearer {site.standin.registry.tokens.issue('admin', access)}"
    for blob in FIRST.blobs:
        mounting("POST", f"blobs/uploads/?mount={digest_of(blob)}&from=admin/one", 201)
    site.dtr("DELETE", "/api/v0/repositories/admin/one", 204)
    site.collect()
    session.put("first", FIRST)
    site.collect()
    assert session.pull("first") == 3
    site.dtr("DELETE", "/api/v0/repositories/admin/two/tags/first", 204)
    site.collect()
    assert stored(site) == set()


def test_a_refused_push_holds_nothing(site):
    site.repository("admin/fixed", immutableTags=True)
    site.push("admin/fixed:1", FIRST)
    site.session("admin/fixed").push("1", SECOND, status=409)
    site.collect()
    assert stored(site) == all_of(FIRST)


def test_pulls_hold_nothing(site):
    site.repository("admin/one")
    site.push("admin/one:first", FIRST)
    reader = site.session("admin/one", actions="pull")
    reader.pull("first")
    reader("HEAD", f"blobs/{digest_of(BASE)}", 200)
    site.dtr("DELETE", "/api/v0/repositories/admin/one/tags/first", 204)
    site.collect()
    assert stored(site) == set()


def test_no_accepted_push_is_broken_by_collections_that_go_on_all_the_time(site):
    """Three clients push and delete images with shared and own layers; each image that was accepted can be pulled.

    Some hundred blobs that nothing refers to keep the collections busy meanwhile.
    """
    site.repository("admin/one")
    site.repository("admin/two")

    def litter(turn: int) -> None:
        for number in range(40):
            content = f"{turn} {number}".encode()
            file = site.files.blob(digest_of(content))
            file.parent.mkdir(parents=True)
            file.write_bytes(content)

    shared = [layer({"shared": bytes([number])}) for number in range(6)]
    broken, pushed, stop = [], [], threading.Event()

    def client(number: int) -> None:
        path = f"admin/{'one' if number % 2 else 'two'}"
        for turn in range(3):
            own = [layer({"own": f"{number} {turn} {part}".encode()}) for part in range(6)]
            content, tag = image(*own, shared[(turn + number) % 6], shared[turn % 6]), f"t{number}-{turn % 4}"
            try:
                site.push(f"{path}:{tag}", content)
                pushed.append(content.digest)
                assert site.session(path, actions="pull").pull(tag) == 9
                if turn % 2 == 0:
                    site.dtr.session.delete(f"{site.dtr.url}/api/v0/repositories/{path}/tags/{tag}")
            except Exception as problem:
                broken.append((number, turn, repr(problem)))

    def collector() -> None:
        while not stop.is_set():
            litter(len(removed))
            removed.append(site.collect()[0])
            time.sleep(0.03)

    removed: list[dict] = []
    collecting = threading.Thread(target=collector)
    clients = [threading.Thread(target=client, args=(number,)) for number in range(3)]
    for thread in (collecting, *clients):
        thread.start()
    for thread in clients:
        thread.join()
    stop.set()
    collecting.join()
    assert broken == []
    assert len(pushed) == 9
    assert len(removed) > 10
    assert sum(run["blobs"] for run in removed) > 40 * len(removed)
    for path in ("admin/one", "admin/two"):
        for tag in site.tags(path):
            assert site.session(path).pull(tag) == 9


def test_a_repository_may_go_while_its_links_are_swept(site, monkeypatch):
    standin, unlink = site.standin, site.files.unlink_layer
    site.repository("admin/one")
    site.push("admin/one:1", FIRST)
    site.dtr("DELETE", "/api/v0/repositories/admin/one/tags/1", 204)

    def unlink_and_delete(repository: str, digest: str) -> None:
        unlink(repository, digest)
        found = standin.repositories.get("admin", "one")
        if found:
            standin.repositories.delete(standin.accounts.caller(standin.accounts.find("admin")), found)

    monkeypatch.setattr(site.files, "unlink_layer", unlink_and_delete)
    assert site.collect()[0]["finished"]
    assert stored(site) == set()


# Limits and locks

def test_the_deadline_ends_a_run_in_good_order(site):
    site.repository("admin/one")
    site.push("admin/one:1", FIRST)
    site.push("admin/one:2", SECOND)
    site.dtr("DELETE", "/api/v0/repositories/admin/one/tags/1", 204)
    standin, lines = site.standin, []

    def log(line: str) -> None:
        """Time passes once the marks are set."""
        lines.append(line)
        standin.shift = datetime.timedelta(minutes=30)

    removed = standin.run(standin.gc.run(log, standin.clock() + datetime.timedelta(minutes=15)))
    assert removed == {"manifests": 1, "links": 0, "blobs": 0, "bytes": 0, "finished": False}
    assert lines[1:] == ["stopped before the end; the next run goes on", "freed 0 bytes: 0 blobs, 1 manifests"]
    assert standin.gc.lock_holder == ""
    removed, _lines = site.collect(deadline=standin.clock() + datetime.timedelta(minutes=15))
    assert (removed["finished"], stored(site)) == (True, all_of(SECOND))


def test_one_at_a_time_and_the_holder_is_shown(site):
    standin, seen = site.standin, []
    site.repository("admin/one")
    site.push("admin/one:1", FIRST)

    async def second():
        with pytest.raises(JobFailed, match="holds the garbage collection lock"):
            await standin.gc.run(seen.append)
        return standin.gc.lock_holder

    async def both():
        first = standin.loop.create_task(standin.gc.run(lambda line: None))
        while not standin.gc.lock_holder:
            await asyncio.sleep(0)
        holder = await second()
        await first
        return holder

    assert standin.run(both()) == standin.options.replica_id
    assert standin.gc.lock_holder == ""
    assert seen == []


def test_the_offline_collection_refuses_pushes_while_it_runs(site):
    standin = site.standin
    site.repository("admin/one")
    site.push("admin/one:1", FIRST)
    session, answers = site.session("admin/one"), []

    def log(line: str) -> None:
        """Asked from within the run: the marks are set, nothing is removed yet."""
        if "lead to" in line:
            answers.append(standin.registry.read_only)

    standin.run(standin.gc.run_offline(log))
    assert answers == [True]
    assert not standin.registry.read_only
    session.push("2", SECOND)


def test_read_only_while_offline_is_seen_by_clients(site):
    site.repository("admin/one")
    site.standin.gc.offline = True
    assert site.session("admin/one")("POST", "blobs/uploads/").status_code == 405
    site.standin.gc.offline = False
    site.session("admin/one")("POST", "blobs/uploads/", 202)


def test_as_a_job(site):
    site.repository("admin/one")
    site.push("admin/one:1", FIRST)
    site.dtr("DELETE", "/api/v0/repositories/admin/one/tags/1", 204)
    for action in ("onlinegc", "onlinegc_metadata", "onlinegc_joblogs", "gc"):
        job = site.dtr("POST", "/api/v0/jobs", 202, json={"action": action}).json()
        limit = time.monotonic() + 10
        while job["status"] in ("waiting", "running"):
            assert time.monotonic() < limit
            time.sleep(0.02)
            job = site.dtr("GET", f"/api/v0/jobs/{job['id']}").json()
        lines = [line["data"] for line in site.dtr("GET", f"/api/v0/jobs/{job['id']}/logs").json()]
        assert job["status"] == "done", lines
        if action == "onlinegc":
            assert lines[-1] == f"freed {size(FIRST.manifest, *FIRST.blobs)} bytes: 4 blobs, 1 manifests"
    assert stored(site) == set()
