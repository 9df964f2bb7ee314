# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed

from lab.images import plant

NAME = "dtr_repository_info"
SECRET = "s3cret-of-a-user"
EVERYTHING = ["tags", "policies", "access", "webhooks", "events"]


@pytest.fixture
def content(standin, run_module):
    """Two repositories of an organization and one of a user, with a bit of everything in ops/base."""
    standin.accounts.create({"name": "ann", "password": SECRET})
    run_module("dtr_account", accounts=[{"name": "ops", "type": "organization"}])
    run_module("dtr_team", teams=[{"name": "ops/release"}, {"name": "ops/guests"}])
    run_module("dtr_repository", repositories=[
        {"name": "ops/base", "visibility": "public", "long_description": "# Base"}, {"name": "ops/web"}, {"name": "ann/own"}])
    run_module("dtr_access", access=[
        {"team": "ops/release", "repository": "ops/base", "level": "read-write"},
        {"team": "ops/guests", "namespace": "ops", "level": "read-only"}])
    run_module("dtr_pruning_policy", policies=[
        {"repository": "ops/base", "rules": [{"field": "tag", "operator": "ew", "values": ["-old"]}]}])
    run_module("dtr_webhook", webhooks=[{"type": "TAG_PUSH", "key": "ops/base", "endpoint": f"https://ci.example.com/hook?token={SECRET}"}])
    for tag in ("1.0", "1.1", "latest"):
        plant(standin, f"ops/base:{tag}", author="ann", size=1234)
    standin.writes.clear()


@pytest.fixture
def info(run_module):
    """info(*names, **options): {name: facts}; all repositories when none is named."""

    def read(*names, **options):
        result = run_module(NAME, **({"repositories": list(names)} if names else {}), **options)
        assert result["changed"] is False
        return {entry["name"]: entry for entry in result["repositories"]}

    return read


def test_all_repositories(standin, run_module, content):
    result = run_module(NAME)
    assert [entry["name"] for entry in result["repositories"]] == ["ann/own", "ops/base", "ops/web"]
    assert (result["changed"], result["missing"], standin.writes) == (False, [], [])
    base = result["repositories"][1]
    assert {name: base[name] for name in ("namespace", "namespace_type", "visibility", "tag_limit", "cut", "not_readable")} == {
        "namespace": "ops", "namespace_type": "organization", "visibility": "public", "tag_limit": 0, "cut": [], "not_readable": []}
    assert not set(EVERYTHING) & set(base)
    assert run_module(NAME, check=True) == result


def test_by_name(standin, run_module, content):
    standin.exchanges.clear()
    result = run_module(NAME, repositories=["ops/base", "ops/never", "nobody/here", "ops/base"])
    assert [entry["name"] for entry in result["repositories"]] == ["ops/base"]
    assert result["repositories"][0]["long_description"] == "# Base"
    assert result["missing"] == ["nobody/here", "ops/never"]
    assert len(standin.exchanges) == 3
    assert run_module(NAME, repositories=[])["repositories"] == []


def test_tags(info, content):
    base = info("ops/base", gather=["tags"])["ops/base"]
    assert [tag["name"] for tag in base["tags"]] == ["1.0", "1.1", "latest"]
    first = base["tags"][0]
    assert first["digest"].startswith("sha256:")
    assert first["updated_at"] >= first["created_at"] > "2020"
    assert {name: first[name] for name in ("author", "os", "architecture", "size")} == {
        "author": "ann", "os": "linux", "architecture": "amd64", "size": 1234}


def test_policies(info, content):
    policies = info("ops/base", gather=["policies"])["ops/base"]["policies"]
    [policy] = policies.pop("pruning")
    assert policies == {"promotion": [], "mirroring": []}
    assert policy["rules"] == [{"field": "tag", "operator": "ew", "values": ["-old"]}]
    assert {"id", "enabled", "last_pruned_at", "repository"} < set(policy)


def test_access_by_names_of_teams(standin, info, content):
    standin.exchanges.clear()
    found = info(gather=["access"])
    assert {name: [(grant["team"], grant["level"], grant["scope"]) for grant in entry["access"]] for name, entry in found.items()} == {
        "ops/base": [("ops/release", "read-write", "repository"), ("ops/guests", "read-only", "namespace")],
        "ops/web": [("ops/guests", "read-only", "namespace")], "ann/own": []}
    assert len(standin.exchanges) == 5   # repositories, teams, the namespace, two repositories of the organization


def test_webhooks_without_what_may_be_secret(info, content):
    [hook] = info("ops/base", gather=["webhooks"])["ops/base"]["webhooks"]
    assert (hook["endpoint"], hook["type"], hook["inactive"]) == ("https://ci.example.com/hook", "TAG_PUSH", False)


def test_events(info, content):
    events = info("ops/base", gather=["events"])["ops/base"]["events"]
    assert {"CREATE"} <= {event["type"] for event in events}
    assert all(event["published_at"] > "2020" for event in events)


def test_what_is_longer_than_the_limit_is_cut_and_says_so(standin, info, content):
    cut = info(gather=["tags", "events"], limit=2)["ops/base"]
    assert [tag["name"] for tag in cut["tags"]] == ["1.0", "1.1"]
    assert "tags" in cut["cut"]
    assert ("events" in cut["cut"]) == (len(info("ops/base", gather=["events"])["ops/base"]["events"]) > 2)
    whole = info("ops/base", gather=["tags"], limit=3)["ops/base"]
    assert (len(whole["tags"]), whole["cut"]) == (3, [])
    assert len(info("ops/base", gather=["tags"], limit=0)["ops/base"]["tags"]) == 3


def test_no_more_is_asked_for_than_the_limit(standin, info, content):
    standin.exchanges.clear()
    info("ops/base", gather=["events"], limit=5)
    [listing] = [exchange for exchange in standin.exchanges if exchange.path.endswith("/events")]
    assert listing.query["pageSize"] == "6"


def test_every_page_is_read(standin, run_module, info, monkeypatch):
    standin.accounts.create({"name": "ops", "isOrg": True})
    run_module("dtr_repository", repositories=[{"name": f"ops/r{number:02}"} for number in range(12)])
    for number in range(13):
        plant(standin, f"ops/r00:t{number:02}")
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.PAGE", 5)
    found = info(gather=["tags"])
    assert (len(found), len(found["ops/r00"]["tags"])) == (12, 13)
    assert len(info("ops/r00", gather=["tags"], limit=7)["ops/r00"]["tags"]) == 7


def test_an_ordinary_user_is_told_what_is_out_of_reach(info, content):
    found = info(gather=EVERYTHING, username="ann", password=SECRET)
    assert sorted(found) == ["ann/own", "ops/base"]   # the own one, and the public one
    base = found["ops/base"]
    assert {entry["part"] for entry in base["not_readable"]} == {"access", "webhooks"}
    assert (base["access"], base["webhooks"], len(base["tags"])) == (None, None, 3)
    assert "403 (NOT_AUTHORIZED" in base["not_readable"][0]["reason"]
    assert found["ann/own"]["not_readable"] == []


def test_a_server_at_fault_is_no_part_that_cannot_be_read(standin, info, content):
    standin.faults.add(match="GET /api/v0/repositories/*/tags", kind="status", status=500, times=1)
    with pytest.raises(ModuleFailed, match="/tags answered 500"):
        info(gather=["tags"])


@pytest.mark.parametrize(("options", "says"), [
    ({"repositories": ["base"]}, "'base' is not of the form namespace/name"),
    ({"limit": -1}, "limit -1 is less than 0"),
    ({"gather": ["layers"]}, "value of gather must be one or more of"),
])
def test_bad_input(standin, run_module, options, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, **options)
    assert standin.exchanges == []


def test_failures(fails):
    fails(NAME, gather=EVERYTHING)
