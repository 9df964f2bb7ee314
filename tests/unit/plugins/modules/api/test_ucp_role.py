# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed

NAME = "ucp_role"
PULL = {"name": "Pull only", "operations": {"Image": ["Image Load"]}}
MORE = {"name": "Pull only", "operations": {"Image": ["Image View", "Image Load"]}}
SPARE = "Pull only (being replaced)"
# Each write of a replacement with two grants, as (pattern, how many of that kind come before it).
WRITES = [
    ("POST /roles", 0), ("PUT /collectionGrants/*", 0), ("PUT /collectionGrants/*", 1),
    ("DELETE /collectionGrants/*", 0), ("DELETE /collectionGrants/*", 1), ("DELETE /roles/*", 0),
    ("POST /roles", 1), ("PUT /collectionGrants/*", 2), ("PUT /collectionGrants/*", 3),
    ("DELETE /collectionGrants/*", 2), ("DELETE /roles/*", 1),
]


def roles(standin):
    """{name: operations} of the roles that are not built in."""
    return {role["name"]: role["operations"] for role in standin.store.all("role") if not role["system_role"]}


def grant(standin, role, *collections):
    """Everybody has the role on the collections."""
    everyone = standin.accounts.find("docker-datacenter")["id"]
    identity = next(found["id"] for found in standin.store.all("role") if found["name"] == role)
    for collection in collections:
        standin.ucp.grants.put(everyone, collection, identity)
    return identity


def granted(standin, role):
    """Collections on which everybody has the role."""
    identities = [found["id"] for found in standin.store.all("role") if found["name"] == role]
    return sorted(entry["objectID"] for entry in standin.store.all("grant") if entry["roleID"] in identities)


def test_created_then_left_alone(standin, run_module):
    wanted = [PULL, {"name": "Nothing", "operations": {}}]
    planned = run_module(NAME, check=True, roles=wanted)
    assert not standin.writes
    made = run_module(NAME, roles=wanted)
    assert [planned[key] for key in ("changes", "counts", "diff")] == [made[key] for key in ("changes", "counts", "diff")]
    assert made["diff"] == {"before": {}, "after": {
        "Pull only": {"operations": {"Image": {"Image Load": []}}}, "Nothing": {"operations": {}}}}
    standin.writes.clear()
    again = run_module(NAME, roles=[{**PULL, "operations": {"Image": {"Image Load": []}, "Node": []}}, {"name": "Nothing"}])
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 2, [])


def test_a_role_that_nobody_has_is_made_anew(standin, run_module):
    run_module(NAME, roles=[PULL])
    planned = run_module(NAME, check=True, roles=[MORE])
    changed = run_module(NAME, roles=[MORE])
    assert planned["changes"] == changed["changes"] == [{"key": "Pull only", "action": "updated", "fields": ["operations"]}]
    assert changed["diff"]["before"] == {"Pull only": {"operations": {"Image": {"Image Load": []}}}}
    assert roles(standin) == {"Pull only": {"Image": {"Image Load": [], "Image View": []}}}


def test_a_role_in_use_changes_only_when_told_and_keeps_its_grants(standin, run_module):
    run_module(NAME, roles=[PULL])
    grant(standin, "Pull only", "system", "legacy")
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=r"2 grants use this one. Set recreate to true"):
            run_module(NAME, check=check, roles=[MORE])
    run_module(NAME, check=True, roles=[MORE], recreate=True)
    assert not standin.writes
    assert run_module(NAME, roles=[MORE], recreate=True)["counts"]["updated"] == 1
    assert roles(standin) == {"Pull only": {"Image": {"Image Load": [], "Image View": []}}}
    assert granted(standin, "Pull only") == ["legacy", "system"]


def test_at_no_time_is_a_grant_missing(standin, run_module):
    run_module(NAME, roles=[PULL])
    grant(standin, "Pull only", "system", "legacy")
    standin.exchanges.clear()
    run_module(NAME, roles=[MORE], recreate=True)
    held = {"system": 1, "legacy": 1}
    for exchange in standin.exchanges:
        if "/collectionGrants/" in exchange.path:
            held[exchange.path.split("/")[3]] += {"PUT": 1, "DELETE": -1}[exchange.method]
            assert min(held.values()) >= 1
    assert held == {"system": 1, "legacy": 1}


@pytest.mark.parametrize("step", WRITES)
def test_an_interrupted_replacement_is_finished_by_the_next_run(standin, run_module, step):
    """Whichever of the writes is the one that fails."""
    run_module(NAME, roles=[PULL])
    grant(standin, "Pull only", "system", "legacy")
    standin.writes.clear()
    pattern, before = step
    fault = standin.faults.add(match=pattern, kind="status", status=500, times=1, after=before)
    with pytest.raises(ModuleFailed, match=r"update failed.*answered 500.*run this again"):
        run_module(NAME, roles=[MORE], recreate=True, threads=1)
    assert fault.struck == 1
    assert sorted({*granted(standin, "Pull only"), *granted(standin, SPARE)}) == ["legacy", "system"]
    run_module(NAME, roles=[MORE], recreate=True)
    assert roles(standin) == {"Pull only": {"Image": {"Image Load": [], "Image View": []}}}
    assert granted(standin, "Pull only") == ["legacy", "system"]
    assert not run_module(NAME, roles=[MORE])["changed"]


def test_deleted_and_gone_already(standin, run_module):
    run_module(NAME, roles=[PULL])
    gone = run_module(NAME, roles=[{"name": "Pull only", "state": "absent"}, {"name": "never", "state": "absent"}])
    assert gone["counts"] == {"created": 0, "updated": 0, "deleted": 1, "unchanged": 1}
    assert roles(standin) == {}


def test_a_role_in_use_is_not_deleted(standin, run_module):
    run_module(NAME, roles=[PULL])
    grant(standin, "Pull only", "system")
    standin.writes.clear()
    for wanted in ({"roles": [{"name": "Pull only", "state": "absent"}]},
                   {"roles": [{"name": "x", "operations": {}}], "exclusive": True, "confirm_removal": standin.ucp_host}):
        with pytest.raises(ModuleFailed, match="'Pull only' cannot be deleted: 1 grants use it"):
            run_module(NAME, **wanted)
    assert not standin.writes


def test_undeclared_roles_go_only_on_confirmation_and_built_in_ones_never(standin, run_module):
    run_module(NAME, roles=[PULL, {"name": "Old", "operations": {}}])
    assert run_module(NAME, roles=[PULL])["undeclared"] == ["Old"]
    with pytest.raises(ModuleFailed, match=r"would remove 1 .*Old"):
        run_module(NAME, roles=[PULL], exclusive=True)
    run_module(NAME, roles=[PULL], exclusive=True, confirm_removal=standin.ucp_host)
    assert list(roles(standin)) == ["Pull only"]
    assert standin.store.get("role", "viewonly")


@pytest.mark.parametrize(("wanted", "says"), [
    ([{"name": "View Only", "operations": {}}], "'View Only' is built into UCP"),
    ([{"name": "new"}], "'new' is to be made: give its operations"),
    ([{"name": "new", "operations": {"Image": "Image Load"}}], "operations of 'Image' must be a list"),
    ([PULL, MORE], r"roles\[0\] and roles\[1\] both stand for 'Pull only'"),
])
def test_bad_input_changes_nothing(standin, run_module, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, roles=wanted)
    assert not standin.writes


def test_many_grants_come_in_pages(standin, run_module, monkeypatch):
    run_module(NAME, roles=[PULL])
    places = [standin.ucp.collections.create(f"team{number}", "shared")["id"] for number in range(7)]
    grant(standin, "Pull only", *places)
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp.PAGE", 2)
    run_module(NAME, roles=[MORE], recreate=True)
    assert granted(standin, "Pull only") == sorted(places)


def test_without_the_right_nothing_changes(standin, run_module):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    with pytest.raises(ModuleFailed, match=r"answered 403.*'mallory' may not do this"):
        run_module(NAME, roles=[PULL], username="mallory", password="s3cret-of-a-user")
    assert roles(standin) == {}


def test_a_session_that_ends_on_the_way_is_renewed(standin, run_module):
    standin.faults.add(match="GET /roles", kind="expire_token", times=1)
    assert run_module(NAME, roles=[PULL])["changed"]


def test_the_session_is_given_back(standin, run_module):
    run_module(NAME, roles=[PULL])
    run_module(NAME, check=True, roles=[MORE])
    with pytest.raises(ModuleFailed, match="is built into UCP"):
        run_module(NAME, roles=[{"name": "View Only"}])
    assert not standin.store.all("session")


def test_a_session_token_of_another_cannot_be_renewed(standin, run_module):
    with pytest.raises(ModuleFailed, match=r"401.*token is still active"):
        run_module(NAME, roles=[PULL], token="long gone", username=None, password=None)


def test_failures(fails):
    fails(NAME, roles=[PULL])
