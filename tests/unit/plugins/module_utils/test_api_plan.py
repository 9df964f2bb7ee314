# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import HIDDEN, InputError, by_key, compare, make_plan

DEFAULTS = {"visibility": "private", "limit": 0}


@pytest.mark.parametrize(("item", "present", "expected"), [
    # declared, as it is -> (action, before, after, fields)
    ({}, None, ("create", {}, {"visibility": "private", "limit": 0}, {"visibility", "limit"})),
    ({"limit": 5}, None, ("create", {}, {"visibility": "private", "limit": 5}, {"visibility", "limit"})),
    ({"limit": 0}, {"visibility": "public", "limit": 0}, None),
    ({"limit": None}, {"visibility": "public", "limit": 7}, None),
    ({"limit": False}, {"visibility": "public", "limit": 7},
     ("update", {"visibility": "public", "limit": 7}, {"visibility": "public", "limit": False}, {"limit"})),
    ({"limit": 5, "state": "present"}, {"visibility": "public", "limit": 7},
     ("update", {"visibility": "public", "limit": 7}, {"visibility": "public", "limit": 5}, {"limit"})),
    ({"state": "absent", "limit": 5}, None, None),
    ({"state": "absent"}, {"limit": 7}, ("delete", {"limit": 7}, {}, {"limit"})),
])
def test_one_item(item, present, expected):
    change = compare("ops/base", item, present, DEFAULTS)
    assert (change and (change.action, change.before, change.after, change.fields)) == expected


@pytest.mark.parametrize(("item", "present", "fields"), [
    ({"password": "x"}, None, {"password", "visibility", "limit"}),
    ({"password": "x"}, {"limit": 0}, None),                              # cannot be compared: left alone
    ({"password": "x", "renew": True}, {"limit": 0}, {"password"}),
    ({"renew": True}, {"limit": 0}, None),
])
def test_secrets_are_sent_but_never_shown(item, present, fields):
    change = compare("ann", item, present, DEFAULTS, secrets=("password",))
    assert (change and change.fields) == fields
    if change:
        assert change.after["password"] == HIDDEN
        assert change.item["password"] == "x"


def test_a_plan_counts_reports_and_diffs():
    declared = {"a": {"limit": 1}, "b": {"limit": 2}, "c": {"state": "absent"}, "d": {"limit": 4}}
    current = {"b": {"limit": 0, "text": "b"}, "c": {"limit": 3}, "d": {"limit": 4}, "x": {"limit": 9}, "admin": {"limit": 9}}
    plan = make_plan(declared, current, protected=("admin",))
    assert plan.counts() == {"created": 1, "updated": 1, "deleted": 1, "unchanged": 1}
    assert plan.undeclared == ["x"]
    assert plan.removed_undeclared() == []
    assert [change.report() for change in plan.changes] == [
        {"key": "a", "action": "created", "fields": ["limit"]},
        {"key": "b", "action": "updated", "fields": ["limit"]},
        {"key": "c", "action": "deleted", "fields": ["limit"]}]
    assert plan.diff() == {"before": {"b": {"limit": 0}, "c": {"limit": 3}}, "after": {"a": {"limit": 1}, "b": {"limit": 2}}}


def test_exclusive_removes_what_is_neither_declared_nor_protected():
    plan = make_plan({"a": {}}, {"a": {}, "x": {"limit": 9}, "admin": {}}, exclusive=True, protected=("admin",))
    assert plan.removed_undeclared() == ["x"]
    assert plan.diff() == {"before": {"x": {"limit": 9}}, "after": {}}
    # What is declared absent was named by the operator, so it is not among what goes unasked.
    assert make_plan({"x": {"state": "absent"}}, {"x": {}}, exclusive=True).removed_undeclared() == []


def test_the_same_thing_twice_is_refused():
    items = [{"name": "a"}, {"name": "b"}, {"name": "a"}]
    with pytest.raises(InputError, match=r"repositories\[0\] and repositories\[2\] both stand for 'a'"):
        by_key(items, lambda item: item["name"], "repositories")
    assert list(by_key(items[:2], lambda item: item["name"], "repositories")) == ["a", "b"]
