# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed

NAME = "ucp_grant"
UCP = "ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp"
BUILDER = "system:serviceaccount:default:builder"
SCHEDULER = "docker-datacenter has Scheduler on /Shared"


@pytest.fixture
def team(standin):
    """User ann, organization ops, team ops/dev, collection /Shared/web."""
    standin.accounts.create({"name": "ann", "password": "s3cret-of-a-user"})
    standin.accounts.create({"name": "ops", "isOrg": True})
    standin.teams.create(standin.accounts.find("ops"), {"name": "dev"})
    standin.ucp.collections.create("web", "shared")


def wish(subject, role="View Only", collection="/Shared/web", **more):
    return {"subject": subject, "role": role, "collection": collection, **more}


def test_created_then_left_alone(standin, run_module, team):
    wanted = [wish("ann"), wish("ops"), wish("ops/dev", "Full Control"), wish(BUILDER, collection="/")]
    planned = run_module(NAME, check=True, grants=wanted)
    assert not standin.writes
    made = run_module(NAME, grants=wanted)
    assert [planned[key] for key in ("changes", "counts", "diff")] == [made[key] for key in ("changes", "counts", "diff")]
    assert made["diff"]["after"]["ops/dev has Full Control on /Shared/web"] == {
        "subject": "ops/dev", "role": "Full Control", "collection": "/Shared/web"}
    assert len(standin.writes) == 4
    assert standin.store.get("grant", f"{BUILDER}/swarm/viewonly")
    standin.writes.clear()
    again = run_module(NAME, grants=wanted)
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 4, [])


def test_deleted_and_gone_already(standin, run_module, team):
    run_module(NAME, grants=[wish("ann"), wish("ops")])
    gone = run_module(NAME, grants=[wish("ann", state="absent"), wish("ops/dev", state="absent"), wish("nobody", state="absent")])
    assert [(change["key"], change["action"]) for change in gone["changes"]] == [("ann has View Only on /Shared/web", "deleted")]
    assert gone["counts"] == {"created": 0, "updated": 0, "deleted": 1, "unchanged": 2}


def test_undeclared_is_named_and_goes_only_on_confirmation(standin, run_module, team):
    run_module(NAME, grants=[wish("ann"), wish("ops"), wish("ops/dev"), wish(BUILDER)])
    wanted = {"grants": [wish("ann")]}
    others = [f"{BUILDER} has View Only on /Shared/web", "ops has View Only on /Shared/web", "ops/dev has View Only on /Shared/web"]
    assert sorted(run_module(NAME, **wanted)["undeclared"]) == sorted(others)
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=r"would remove 3 .*ops/dev has View Only on /Shared/web.*confirm_removal"):
            run_module(NAME, check=check, **wanted, exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, exclusive=True, confirm_removal=standin.ucp_host)
    assert sorted(change["key"] for change in removed["changes"]) == sorted(others)
    assert run_module(NAME, **wanted)["undeclared"] == []


def test_exclusive_looks_where_it_is_told(standin, run_module, team):
    run_module(NAME, grants=[wish("ann"), wish("ops", collection="/System")])
    wanted = {"grants": [wish("ann")]}
    assert run_module(NAME, **wanted, collections=["/System"])["undeclared"] == ["ops has View Only on /System"]
    assert run_module(NAME, **wanted, collections=["*"])["undeclared"] == [SCHEDULER, "ops has View Only on /System"]
    with pytest.raises(ModuleFailed, match=r"collections: there is no collection '/Sytsem'. Correct the path"):
        run_module(NAME, **wanted, collections=["/System", "/Sytsem"])
    assert run_module(NAME, check=True, **wanted, collections=["/Sytsem"])["undeclared"] == []


def test_private_collections_are_left_out_of_all(standin, run_module, team):
    everyone = standin.accounts.find("docker-datacenter")["id"]
    private, _made = standin.ucp.collections.private_of("ann")
    standin.ucp.grants.put(everyone, private["id"], "viewonly")
    assert run_module(NAME, grants=[wish("ann", state="absent")], collections=["*"])["undeclared"] == [SCHEDULER]


def test_a_subject_that_is_gone_stands_there_with_its_id(standin, run_module, team):
    run_module(NAME, grants=[wish("ann"), wish("ops")])
    gone = standin.accounts.find("ann")["id"]
    standin.store.delete("account", "ann")
    wanted = {"grants": [wish("ops")]}
    assert run_module(NAME, **wanted)["undeclared"] == [f"{gone} has View Only on /Shared/web"]
    assert run_module(NAME, **wanted, exclusive=True, confirm_removal=standin.ucp_host)["counts"]["deleted"] == 1
    assert run_module(NAME, **wanted)["undeclared"] == []


def test_check_mode_plans_with_what_does_not_exist_yet(standin, run_module):
    wanted = [wish("later", "Later", "/Shared/later")]
    assert run_module(NAME, check=True, grants=wanted)["counts"]["created"] == 1
    with pytest.raises(ModuleFailed, match="there is no subject 'later'"):
        run_module(NAME, grants=wanted)


@pytest.mark.parametrize(("wanted", "says"), [
    ([wish("nobody")], "there is no subject 'nobody'. Correct the name, or make it first"),
    ([wish("ops/nobody")], "there is no subject 'ops/nobody'"),
    ([wish("ann", "Viewer")], "there is no role 'Viewer'"),
    ([wish("ann", collection="/Shared/none")], "there is no collection '/Shared/none'"),
    ([wish("ann", collection="Shared")], "collection 'Shared' is no path"),
    ([wish("ann", collection="/Shared/")], "collection '/Shared/' is no path"),
    ([wish("ann"), wish("ann")], r"grants\[1\] and grants\[2\] both stand for"),
])
def test_bad_input_changes_nothing(standin, run_module, team, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, grants=[wish("ops"), *wanted])
    assert not standin.writes


def test_every_page_is_read(standin, run_module, team, monkeypatch):
    monkeypatch.setattr(f"{UCP}.PAGE", 3)
    for number in range(11):
        standin.accounts.create({"name": f"user{number:02}", "password": "s3cret-of-a-user"})
        standin.ucp.collections.create(f"team{number:02}", "shared")
    wanted = [wish(f"user{number:02}") for number in range(11)]
    run_module(NAME, grants=wanted)
    assert len(run_module(NAME, grants=[wish("ann")], collections=["*"])["undeclared"]) == 12
    standin.writes.clear()
    assert run_module(NAME, grants=wanted)["counts"]["unchanged"] == 11


def test_without_the_right_nothing_changes(standin, run_module, team):
    with pytest.raises(ModuleFailed, match=r"answered 403.*'ann' may not do this"):
        run_module(NAME, grants=[wish("ann")], username="ann", password="s3cret-of-a-user")
    assert not standin.writes


def test_a_failure_half_way_tells_what_was_done(standin, run_module, team):
    standin.faults.add(match="PUT /collectionGrants/*", kind="status", status=500, times=1, after=1)
    wanted = [wish("ann"), wish("ops"), wish("ops/dev")]
    with pytest.raises(ModuleFailed, match="1 of 3 changes were made") as failed:
        run_module(NAME, grants=wanted, threads=1)
    assert [change["key"] for change in failed.value.result["changes"]] == ["ann has View Only on /Shared/web"]
    assert run_module(NAME, grants=wanted)["counts"]["created"] == 2


def test_a_removal_whose_answer_is_lost_is_done(standin, run_module, team):
    run_module(NAME, grants=[wish("ann")])
    standin.faults.add(match="DELETE /collectionGrants/*", kind="drop", late=True, times=1)
    assert run_module(NAME, grants=[wish("ann", state="absent")])["counts"]["deleted"] == 1


def test_parallel_requests_share_one_session(standin, run_module, team):
    standin.exchanges.clear()
    run_module(NAME, grants=[wish("ann"), wish("ops"), wish("ops/dev")])
    assert [exchange.path for exchange in standin.exchanges].count("/auth/login") == 1


def test_failures(fails):
    fails(NAME, grants=[wish("docker-datacenter", collection="/Shared")])
