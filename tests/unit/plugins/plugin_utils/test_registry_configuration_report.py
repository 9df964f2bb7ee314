# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._registry_configuration_report import lines, summary

CHANGED = {"changed": True, "undeclared": ["ops/play", "sandbox/x"], "changes": [
    {"key": "ops/base", "action": "updated", "fields": ["tag_limit"]}, {"key": "ops/new", "action": "created", "fields": ["tag_limit"]}]}


def test_all_as_declared():
    unchanged, skipped = {"changed": False, "changes": [], "undeclared": []}, {"changed": False, "skipped": True}
    found = summary({"teams": unchanged, "gc": skipped, "ucp_config": {}})
    assert found == {"differs": {}, "undeclared": {}, "compared": ["teams"], "as_declared": True}
    assert lines(found, "r.example.com") == ["r.example.com: as declared (1 kinds of things compared)."]


def test_what_differs_and_what_is_undeclared():
    found = summary({"settings": {"changed": True, "fields": ["sso"]}, "repositories": CHANGED})
    assert found["as_declared"] is False
    assert found["undeclared"] == {"repositories": ["ops/play", "sandbox/x"]}
    assert lines(found, "r.example.com", {"updated": "to be updated"}) == [
        "r.example.com:",
        "  settings",
        "    to be updated: settings (sso)",
        "  repositories",
        "    to be updated: ops/base (tag_limit)",
        "    created: ops/new",
        "    undeclared: ops/play, sandbox/x",
        "  2 kinds of things compared, 2 differ, 1 with something undeclared.",
    ]


def test_what_is_accepted_is_not_told():
    found = summary({"repositories": {**CHANGED, "changed": False, "changes": []}}, accepted={"repositories": ["sandbox/*", "ops/play"]})
    assert found["as_declared"] is True


def test_undeclared_alone_is_a_difference():
    assert summary({"teams": {"changed": False, "undeclared": ["ops/x"]}})["as_declared"] is False


def test_many_names_are_counted():
    changes = [{"key": f"ops/r{number:02}", "action": "created", "fields": []} for number in range(25)]
    found = summary({"repositories": {"changed": True, "changes": changes}})
    assert lines(found, "r")[2].endswith("ops/r18, ops/r19 and 5 more")


def test_nothing_declared():
    assert lines(summary({"teams": {"changed": False, "skipped": True}}), "") == ["Nothing is declared, so nothing was looked at."]
