# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest
from standin_fixture import PASSWORD, Client, running

ROOT = "/api/v0/repositories"
ORG = f"{ROOT}/docker-datacenter"


def names(answer):
    return [repository["name"] for repository in answer.json()["repositories"]]


def test_create_read_change_delete(standin, dtr):
    made = dtr("POST", ORG, 201, json={"name": "base", "visibility": "public", "longDescription": "long"}).json()
    shown = [made[field] for field in ("namespace", "namespaceType", "visibility", "tagLimit")]
    assert shown == ["docker-datacenter", "organization", "public", 0]
    assert dtr("GET", f"{ORG}/base").json() == made
    changed = dtr("PATCH", f"{ORG}/base", json={"immutableTags": True, "shortDescription": "short"}).json()
    assert changed == {**made, "immutableTags": True, "shortDescription": "short"}
    dtr("DELETE", f"{ORG}/base", 204)
    dtr("DELETE", f"{ORG}/base", 204)
    assert dtr("GET", f"{ORG}/base", 404).json()["errors"][0]["code"] == "NO_SUCH_REPOSITORY"
    assert sorted((event["type"], event["repository"]) for event in standin.store.all("event")) == [
        (kind, "docker-datacenter/base") for kind in ("CREATE", "DELETE", "UPDATE")
    ]


def test_a_user_owns_the_own_namespace(dtr, dtr_as):
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ann", "password": PASSWORD})
    made = dtr_as("ann")("POST", f"{ROOT}/ann", 201, json={"name": "mine"}).json()
    assert made["namespaceType"] == "user"
    dtr_as("ann")("POST", ORG, 403, json={"name": "theirs"})


@pytest.mark.parametrize(
    ("namespace", "form", "status", "code"),
    [
        ("docker-datacenter", {"name": "base"}, 400, "REPOSITORY_EXISTS"),
        ("docker-datacenter", {"name": "Upper"}, 400, "INVALID_REPOSITORY_NAME"),
        ("docker-datacenter", {"name": "a" * 38}, 400, "INVALID_REPOSITORY_NAME"),
        ("docker-datacenter", {"name": "x", "tagLimit": 2, "immutableTags": True}, 400, "INVALID_JSON"),
        ("docker-datacenter", {"name": "x", "tagLimit": -1}, 400, "INVALID_JSON"),
        ("nobody", {"name": "x"}, 404, "NO_SUCH_ACCOUNT"),
    ],
)
def test_what_cannot_be_created(dtr, namespace, form, status, code):
    dtr("POST", ORG, 201, json={"name": "base"})
    assert dtr("POST", f"{ROOT}/{namespace}", status, json=form).json()["errors"][0]["code"] == code


def test_longest_name(dtr):
    dtr("POST", ORG, 201, json={"name": "a" * 37})


def test_limit_and_immutability_exclude_each_other_in_updates(dtr):
    dtr("POST", ORG, 201, json={"name": "base", "tagLimit": 3})
    dtr("PATCH", f"{ORG}/base", 400, json={"immutableTags": True})
    dtr("PATCH", f"{ORG}/base", json={"immutableTags": True, "tagLimit": 0})


def test_visibility_is_checked(standin, dtr):
    standin.expect_violations = True
    dtr("POST", ORG, 400, json={"name": "x", "visibility": "secret"})
    dtr("POST", ORG, 201, json={"name": "base"})
    dtr("PATCH", f"{ORG}/base", 400, json={"shortDescription": "an update has to say immutableTags"})
    dtr("PATCH", f"{ORG}/base", 400, json={"immutableTags": False, "name": "renamed"})


def test_pages(dtr):
    for number in range(23):
        dtr("POST", ORG, 201, json={"name": f"r{number}", "longDescription": "long"})
    start, seen = "", []
    for size in (10, 10, 3):
        answer = dtr("GET", f"{ROOT}?count=true&pageStart={start}")
        page = answer.json()["repositories"]
        assert len(page) == size and answer.headers["X-Resource-Count"] == "23" and "longDescription" not in page[0]
        seen += [repository["name"] for repository in page]
        start = answer.headers.get("X-Next-Page-Start", "")
        if start:
            assert start == dtr("GET", f"{ROOT}?pageStart={start}&pageSize=1").json()["repositories"][0]["id"]
    assert start == "" and sorted(seen) == sorted(f"r{number}" for number in range(23))
    answer = dtr("GET", f"{ORG}?pageSize=100")
    assert len(names(answer)) == 23 and "X-Resource-Count" not in answer.headers
    dtr("GET", f"{ROOT}?pageSize=0", 400)
    dtr("GET", f"{ROOT}/nobody", 404)


def test_a_server_may_leave_the_paging_headers_out(standin, dtr):
    standin.options.paging_headers = False
    for number in range(3):
        dtr("POST", ORG, 201, json={"name": f"r{number}"})
    answer = dtr("GET", f"{ROOT}?pageSize=2&count=true")
    assert len(names(answer)) == 2 and not {"X-Next-Page-Start", "X-Resource-Count"} & set(answer.headers)


def test_a_page_survives_a_deletion_in_between(dtr):
    for number in range(6):
        dtr("POST", ORG, 201, json={"name": f"r{number}"})
    first = dtr("GET", f"{ROOT}?pageSize=3")
    start = first.headers["X-Next-Page-Start"]
    (gone,) = names(dtr("GET", f"{ROOT}?pageSize=1&pageStart={start}"))
    dtr("DELETE", f"{ORG}/{gone}", 204)
    rest = names(dtr("GET", f"{ROOT}?pageSize=3&pageStart={start}"))
    assert len(rest) == 2 and not set(rest) & {gone, *names(first)}


def test_scan_on_push_of_all(dtr, dtr_as):
    dtr("POST", ORG, 201, json={"name": "base"})
    dtr("POST", f"{ROOT}/scan/toggle", json={"scanOnPush": True})
    assert dtr("GET", f"{ORG}/base").json()["scanOnPush"] is True
    dtr_as(None)("POST", f"{ROOT}/scan/toggle", 401, json={"scanOnPush": True})


def test_deleting_a_repository_takes_its_metadata_along(standin, dtr):
    dtr("POST", ORG, 201, json={"name": "base"})
    dtr("POST", ORG, 201, json={"name": "base2"})
    for kind in ("tag", "manifest", "team_access"):
        for name in ("base", "base2"):
            standin.store.put(kind, f"docker-datacenter/{name}/x", {"team": "x"})
    dtr("DELETE", f"{ORG}/base", 204)
    for kind in ("tag", "manifest", "team_access"):
        assert [key for key, _doc in standin.store.items(kind)] == ["docker-datacenter/base2/x"]


def test_a_thousand_repositories(tmp_path):
    """Measured in CPU time of client and stand-in together, so that a busy machine makes no difference."""
    with running(tmp_path, record=False) as standin:
        dtr = Client(standin.dtr_url, standin.ca_file, "admin")
        started = time.process_time()
        for number in range(1000):
            dtr("POST", ORG, 201, json={"name": f"r{number}"})
        created = time.process_time()
        assert len(names(dtr("GET", f"{ROOT}?pageSize=1000"))) == 1000
        assert created - started < 8   # some 2 s
        assert time.process_time() - created < 0.3   # some 0.02 s


def test_namespace_is_removed_with_its_repositories(standin, dtr, dtr_as):
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ops", "isOrg": True})
    dtr("POST", f"{ROOT}/ops", 201, json={"name": "base"})
    dtr("DELETE", "/api/v0/accounts/ops", 204)
    dtr("DELETE", "/api/v0/accounts/ops", 204)
    dtr("GET", f"{ROOT}/ops/base", 404)
    dtr("GET", "/enzi/v0/accounts/ops", 404)
    dtr("DELETE", "/api/v0/accounts/docker-datacenter/repositories", 404)


def test_search(dtr, dtr_as):
    dtr("POST", ORG, 201, json={"name": "base", "visibility": "public", "shortDescription": "short"})
    dtr("POST", ORG, 201, json={"name": "basement"})
    search = "/api/v0/index/dockersearch?q=base"
    assert dtr("GET", search).json()["num_results"] == 2
    assert dtr_as(None)("GET", search).json()["results"] == [
        {"name": "docker-datacenter/base", "description": "short", "is_official": False, "is_trusted": False, "star_count": 0},
    ]
    found = dtr("GET", "/api/v0/index/autocomplete?query=d&includeRepositories=true&includeAccounts=true&limit=1").json()
    assert len(found["repositoryResults"]) == 1 and len(found["accountResults"]) == 1
