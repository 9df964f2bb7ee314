# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import datetime

import pytest
from images import image, index, layer, plant
from standin.events import outdated
from standin_fixture import PASSWORD

ROOT = "/api/v0/repositories"
SMALL = image(layer({"app": b"one"}))
INDEX = index(image(layer({"a": b"amd"})), image(layer({"a": b"arm"}), architecture="arm64"))
NOW = datetime.datetime(2026, 1, 10, tzinfo=datetime.timezone.utc)


@pytest.fixture
def facts(standin_with_registry):
    """What the hooks fire, as (type, repository, tag or None, actor)."""
    seen: list[tuple] = []

    def subscribe(type_: str) -> None:
        standin_with_registry.hooks.on(
            type_, lambda **fact: seen.append((type_, fact["repository"], fact.get("tag"), fact["actor"]))
        )

    for kind in ("TAG", "MANIFEST"):
        for what in ("PUSH", "PULL", "DELETE"):
            subscribe(f"{kind}_{what}")
    return seen


def test_pushes_pulls_and_deletions_are_told(site, facts):
    site.repository("admin/tools")
    site.push("admin/tools:1", SMALL)
    assert facts == [("MANIFEST_PUSH", "tools", None, "admin"), ("TAG_PUSH", "tools", "1", "admin")]
    del facts[:]
    site.push("admin/tools:2", SMALL)   # the manifest is there already
    site.session("admin/tools").pull("2")
    site.session("admin/tools").pull(SMALL.digest)
    assert facts == [
        ("TAG_PUSH", "tools", "2", "admin"), ("TAG_PULL", "tools", "2", "admin"), ("MANIFEST_PULL", "tools", None, "admin")
    ]
    del facts[:]
    for tag in ("1", "2"):
        site.dtr("DELETE", f"{ROOT}/admin/tools/tags/{tag}", 204)
    assert facts == [("TAG_DELETE", "tools", "1", "admin"), ("TAG_DELETE", "tools", "2", "admin")]
    del facts[:]
    site.collect()
    assert facts == [("MANIFEST_DELETE", "tools", None, "")]


def test_pulling_an_index_is_one_pull(site, facts):
    site.repository("admin/tools")
    site.push("admin/tools:1", INDEX)
    del facts[:]
    site.session("admin/tools").pull("1")
    assert facts == [("TAG_PULL", "tools", "1", "admin")]


def test_the_stream_of_a_repository(site):
    ann, eve = site.user("ann"), site.user("eve")
    site.repository("ann/tools", visibility="public")
    site.repository("admin/other")
    site.push("ann/tools:1", SMALL, ann)
    site.push("ann/tools:1", INDEX, ann)
    site.session("ann/tools", eve).pull("1")
    site.dtr("DELETE", f"{ROOT}/ann/tools/tags/1", 204)
    at = f"{site.standin.dtr_url}{ROOT}/ann/tools/events"

    def seen(auth, **query):
        answer = site.dtr.session.get(at, params=query, auth=auth)
        assert answer.status_code == 200, answer.text
        return [(event["type"], event["object"]["type"]) for event in answer.json()["events"]]

    everything = [("DELETE", "TAG"), ("GET", "TAG"), ("UPDATE", "TAG"), ("CREATE", "TAG"), ("CREATE", "REPOSITORY")]
    assert seen(ann) == everything
    assert seen(ann, excludePull="true") == [event for event in everything if event[0] != "GET"]
    assert seen(eve) == seen(ann, excludePull="true")   # pulls are for the repository's administrators
    assert seen(ann, objectType="REPOSITORY") == [("CREATE", "REPOSITORY")]
    assert seen(ann, eventType="GET") == [("GET", "TAG")]
    assert site.dtr.session.get(at, params={"eventType": "GET"}, auth=eve).status_code == 403
    deleted, pulled = site.dtr("GET", f"{ROOT}/ann/tools/events?pageSize=2").json()["events"]
    accounts = {name: site.dtr("GET", f"/enzi/v0/accounts/{name}").json()["id"] for name in ("eve", "admin")}
    assert (deleted["actor"], deleted["repository"], deleted["object"]["name"]) == (accounts["admin"], "ann/tools", "ann/tools:1")
    assert seen(ann, actorId=accounts["eve"]) == [("GET", "TAG")]
    assert (pulled["actor"], pulled["object"]["id"]) == (accounts["eve"], INDEX.digest)


@pytest.fixture
def history(standin, dtr):
    """Five events, an hour apart; the last one now."""
    dtr("POST", f"{ROOT}/admin", 201, json={"name": "tools"})
    standin.store.delete("event", standin.store.all("event")[0]["id"])
    for number in range(5):
        standin.shift = datetime.timedelta(hours=number - 4)
        plant(standin, f"admin/tools:{number}")
    standin.shift = datetime.timedelta()
    return lambda query="": [event["object"]["name"][-1] for event in dtr("GET", f"/api/v0/events{query}").json()["events"]]


def test_newest_first_page_by_page(dtr, history):
    assert history() == ["4", "3", "2", "1", "0"]
    page = dtr("GET", "/api/v0/events?pageSize=2&count=true")
    assert page.headers["X-Resource-Count"] == "5"
    assert history(f"?pageSize=2&pageStart={page.headers['X-Next-Page-Start']}") == ["2", "1"]


def test_filters_by_time(dtr, standin, history):
    middle = (standin.clock() - datetime.timedelta(minutes=90)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert history(f"?publishedAfter={middle}") == ["4", "3"]
    assert history(f"?publishedBefore={middle}") == ["2", "1", "0"]
    for wrong in ("yesterday", "2026-01-01T00:00:00"):
        answer = dtr("GET", f"/api/v0/events?publishedAfter={wrong}", 400)
        assert answer.json()["errors"][0]["code"] == "INVALID_PARAMETERS"


def test_the_whole_stream_is_for_administrators(dtr, dtr_as):
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ann", "password": PASSWORD})
    dtr_as("ann")("GET", "/api/v0/events", 403)
    dtr_as(None)("GET", "/api/v0/events", 401)


@pytest.mark.parametrize(("keep", "max_age", "gone"), [
    (0, "", ""), (3, "", "d"), (9, "", ""), (0, "36h", "cd"), (0, "1h", "bcd"), (1, "100h", "bcd"), (0, "0", ""),
])
def test_what_history_is_outdated(keep, max_age, gone):
    """a is of now, b a day old, c two days, d three."""
    docs = [{"name": name, "at": (NOW - datetime.timedelta(days=age)).isoformat()} for age, name in enumerate("abcd")]
    assert "".join(doc["name"] for doc in outdated(docs, "at", keep, max_age, NOW)) == gone


def test_history_is_compacted_as_the_settings_say(dtr, standin, history):
    lines: list[str] = []
    standin.run(standin.gc.run_joblogs(lines.append))
    assert (len(history()), lines) == (5, ["forgot 0 jobs and 0 events"])
    dtr("POST", "/api/v0/meta/settings", 202, json={"repoEventHistoryCompactionEnabled": True, "repoEventHistoryToKeep": 2})
    for number in range(3):
        job = {"id": f"job-{number}", "status": "done", "lastUpdated": f"2026-01-0{number + 1}T00:00:00Z"}
        standin.store.put("job", job["id"], job)
    dtr("POST", "/api/v0/meta/settings", 202, json={"jobHistoryCompactionEnabled": True, "jobHistoryToKeep": 1})
    standin.run(standin.gc.run_joblogs(lines.append))
    assert (history(), lines[-1]) == (["4", "3"], "forgot 2 jobs and 3 events")
    assert [job["id"] for job in standin.store.all("job")] == ["job-2"]


def test_metadata_of_what_is_gone_is_forgotten(standin, history):
    standin.store.put("tag", "admin/gone/1", {"name": "1"})
    standin.store.put("manifest", "admin/gone/sha256:0", {"digest": "sha256:0"})
    standin.store.put("scan", "admin/tools/sha256:0", {})
    counts = standin.run(standin.gc.run_metadata(lambda line: None))
    assert counts == {"tag": 1, "manifest": 1, "scan": 1}
    assert len(standin.store.all("tag")) == 5


# Hooks

def test_a_failing_subscriber_disturbs_nobody(standin):
    seen: list[int] = []

    async def later(number):
        await asyncio.sleep(0)
        seen.append(number)
        raise ValueError("later")

    def now(number):
        raise ValueError("now")

    async def fire():
        for subscriber in (now, later, lambda number: seen.append(-number)):
            standin.hooks.on("TEST", subscriber)
        standin.hooks.fire("TEST", number=1)
        standin.hooks.fire("OTHER", number=2)
        await standin.hooks.settled()

    standin.run(fire())
    assert seen == [-1, 1]
    assert [crash.strip().splitlines()[-1] for crash in standin.crashes] == ["ValueError: now", "ValueError: later"]
    del standin.crashes[:]
