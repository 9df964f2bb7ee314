# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib

import yaml
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _registry_configuration_schema as schema
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._registry_configuration_tree import KINDS, lists
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.plugin_utils.registry_configuration_trees import ROLE, a_tree

MODULES = "ansible_collections.dockyard.trusted_registry.plugins.modules"


def test_nothing_declared_is_nothing_to_do():
    found = lists(a_tree())
    assert found.pop("kinds") == []
    assert found.pop("scope") == {"repositories": [], "organizations": [], "teams": []}
    assert set(found) == set(KINDS)
    assert not any(found.values())


def test_users_and_organizations_are_accounts():
    organization = {"name": "ops", "owners": ["ann"], "teams": [{"name": "release"}]}
    found = lists(a_tree(users=[{"name": "ann", "password": "x"}], organizations=[organization]))
    assert found["accounts"] == [
        {"name": "ann", "password": "x", "type": "user"}, {"name": "ops", "owners": ["ann"], "type": "organization"}]
    assert found["teams"] == [{"name": "ops/release"}]
    assert found["kinds"] == ["accounts", "teams"]


def test_an_organization_that_goes_takes_its_teams_with_it():
    found = lists(a_tree(organizations=[{"name": "ops", "state": "absent", "teams": [{"name": "release"}]}]))
    assert (found["teams"], found["scope"]["organizations"]) == ([], [])


def test_what_stands_under_a_repository_comes_with_its_name():
    rules = [{"field": "tag", "operator": "ew", "values": ["-rc"]}]
    repository = {
        "name": "ops/base", "visibility": "public",
        "access": [{"team": "release", "level": "admin"}, {"team": "ops/readers", "level": "read-only"}],
        "pruning_policies": [{"rules": rules}],
        "promotion_policies": [{"target_repository": "ops/prod", "rules": rules}],
        "mirror_policies": [{"direction": "push", "remote_host": "https://r.example.com", "remote_repository": "a/b"}],
        "webhooks": [{"type": "TAG_PUSH", "endpoint": "https://hook.example.com/"}],
    }
    found = lists(a_tree(repositories=[repository], webhooks=[{"type": "SCANNER_UPDATE_COMPLETED", "endpoint": "https://hook.example.com/"}]))
    assert found["repositories"] == [{"name": "ops/base", "visibility": "public"}]
    assert found["access"] == [
        {"team": "ops/release", "level": "admin", "repository": "ops/base"},
        {"team": "ops/readers", "level": "read-only", "repository": "ops/base"}]
    assert found["pruning_policies"] == [{"rules": rules, "repository": "ops/base"}]
    assert found["promotion_policies"][0]["repository"] == found["mirror_policies"][0]["repository"] == "ops/base"
    assert found["webhooks"] == [
        {"type": "SCANNER_UPDATE_COMPLETED", "endpoint": "https://hook.example.com/"},
        {"type": "TAG_PUSH", "endpoint": "https://hook.example.com/", "key": "ops/base"}]


def test_defaults_lie_below_what_a_repository_says():
    found = lists(a_tree(
        repository_defaults={"scan_on_push": True, "tag_limit": 10},
        repositories=[{"name": "ops/base", "tag_limit": 0}, {"name": "ops/old", "state": "absent"}]))
    assert found["repositories"] == [
        {"scan_on_push": True, "tag_limit": 0, "name": "ops/base"}, {"name": "ops/old", "state": "absent"}]


def test_nothing_is_made_under_a_repository_that_goes():
    rules = [{"field": "tag", "operator": "ew", "values": ["-rc"]}]
    found = lists(a_tree(repositories=[{
        "name": "ops/old", "state": "absent", "access": [{"team": "release", "level": "admin"}], "pruning_policies": [{"rules": rules}]}]))
    assert found["kinds"] == ["repositories"]
    assert found["scope"]["repositories"] == []


def test_a_grant_on_a_namespace_is_on_the_teams_own():
    found = lists(a_tree(namespace_access=[{"team": "ops/readers", "level": "read-only"}]))
    assert found["access"] == [{"team": "ops/readers", "level": "read-only", "namespace": "ops"}]


def test_every_field_of_the_tree_is_one_that_its_module_takes():
    """The schema is made of the modules' documentation; that this is what the modules themselves take is for ansible-test to say."""
    for module, option, part in (
        ("dtr_account", "accounts", "users"), ("dtr_repository", "repositories", "repositories"), ("dtr_cron", "crons", "crons"),
        ("dtr_api_token", "tokens", "api_tokens"), ("dtr_webhook", "webhooks", "webhooks"), ("ucp_grant", "grants", "ucp_grants"),
        ("ucp_role", "roles", "ucp_roles"),
    ):
        documented = yaml.safe_load(importlib.import_module(f"{MODULES}.{module}").DOCUMENTATION)["options"][option]["suboptions"]
        own = {"access", "pruning_policies", "promotion_policies", "mirror_policies"} | ({"webhooks"} if part == "repositories" else set())
        assert set(schema.PARTS[part]()["suboptions"]) - own == set(documented) - ({"type", "owners"} if part == "users" else set())


def test_the_role_hands_over_every_part():
    variables = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    assert set(variables["__registry_configuration_tree"]) == set(schema.PARTS) == set(a_tree())
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    assert {part: defaults[f"registry_configuration_{part}"] for part in schema.PARTS} == a_tree()


def test_the_role_knows_its_defaults():
    specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    assert {name: option["default"] for name, option in specs.items() if "default" in option} == defaults


def test_the_report_gets_the_result_of_every_kind():
    report = yaml.safe_load((ROLE / "tasks/report.yml").read_text())
    assert set(report[0]["vars"]["results"]) == set(KINDS)
    tasks = [task for name in ("ucp", "people", "content") for task in yaml.safe_load((ROLE / f"tasks/{name}.yml").read_text())]
    assert {task["register"] for task in tasks} == {f"__registry_configuration_{kind}" for kind in KINDS}
