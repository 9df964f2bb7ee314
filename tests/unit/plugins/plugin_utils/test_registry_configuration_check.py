# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._registry_configuration_check import all_problems
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.plugin_utils.registry_configuration_trees import a_tree

REACHED = {"host": "dtr.example.com", "username": "admin", "password": "s3cret-of-the-admin"}
OPS = {"name": "ops", "teams": [{"name": "release"}, {"name": "readers"}]}
RULE = {"field": "tag", "operator": "ew", "values": ["-rc"]}


def problems(connection=None, variables=None, exclusive=(), accepted=None, confirm=("", ""), **declared):
    removal = {"exclusive": exclusive, "accepted": accepted or {}, "confirm": confirm}
    connection = connection or {"dtr": REACHED, "ucp": {**REACHED, "host": "ucp.example.com"}}
    return all_problems(a_tree(**declared), variables or {"given": [], "known": []}, connection, removal)


def repository(**fields):
    return [{"name": "ops/base", **fields}]


def test_a_sound_tree():
    assert problems(
        settings={"scanning_enabled": True, "job_history_max_age": "720h"},
        users=[{"name": "ann", "password": "s3cret-of-ann", "active": "yes"}],
        organizations=[OPS],
        repository_defaults={"visibility": "private", "tag_limit": "20"},
        repositories=repository(
            tag_limit=0, immutable_tags=True, access=[{"team": "release", "level": "admin"}], pruning_policies=[{"rules": [RULE]}],
            promotion_policies=[{"target_repository": "elsewhere/prod", "rules": [], "tag_template": "%n-%Y"}],
            mirror_policies=[{
                "direction": "poll", "remote_host": "https://r.example.com", "remote_repository": "a/b", "username": "u", "token": "t"}],
            webhooks=[{"type": "TAG_PUSH", "endpoint": "https://hook.example.com/"}]),
        namespace_access=[{"team": "ops/readers", "level": "read-only"}, {"team": "ldap/all", "level": "read-only"}],
        crons=[{"action": "tag_pruning", "schedule": "0 0 * * * *"}],
        gc={"schedule": "@weekly", "deadline": "2h"},
        api_tokens=[{"label": "ci", "dest": "/run/ci.token"}],
        ucp_config={"auth": {"backend": "managed"}},
        ucp_grants=[{"subject": "ops/release", "role": "View Only", "collection": "/Shared"}],
        exclusive=["access"], confirm=("dtr.example.com", ""), accepted={"repositories": ["sandbox/*"]},
    ) == []


@pytest.mark.parametrize(("declared", "says"), [
    # names, types, choices
    ({"repositories": repository(visiblity="public")}, "repositories[0] 'ops/base': 'visiblity' is unknown. Did you mean visibility?"),
    ({"repositories": repository(xyz=1)},
     "repositories[0] 'ops/base': 'xyz' is unknown. Known are: access, enable_manifest_lists, immutable_tags,"),
    ({"repositories": repository(visibility="hidden")}, "repositories[0] 'ops/base', visibility is 'hidden'. Use one of public, private."),
    ({"repositories": repository(tag_limit="many")},
     "repositories[0] 'ops/base', tag_limit is not a whole number. Write a whole number there."),
    ({"repositories": repository(immutable_tags="maybe")}, "repositories[0] 'ops/base', immutable_tags is not true or false."),
    ({"repositories": repository(access={"team": "x"})}, "repositories[0] 'ops/base', access is not a list."),
    ({"repositories": repository(access=[{"team": "release", "level": "write"}])},
     "repositories[0] 'ops/base', access[0] 'release', level is 'write'. Use one of read-only, read-write, admin."),
    ({"repositories": [{"visibility": "public"}]}, "repositories[0]: name is missing. Give it."),
    ({"repositories": ["ops/base"]}, "repositories[0] is not a dictionary."),
    ({"users": [{"name": "ann", "password": ["s3cret-of-ann"]}]}, "users[0] 'ann', password is not text. Write text there."),
    ({"users": [{"name": "ann", "owners": ["bob"]}]}, "users[0] 'ann': 'owners' is unknown."),
    ({"organizations": [{"name": "ops", "teams": [{"name": "release", "membres": []}]}]},
     "organizations[0] 'ops', teams[0] 'release': 'membres' is unknown. Did you mean members?"),
    ({"settings": {"scaning_enabled": True}}, "settings: 'scaning_enabled' is unknown. Did you mean scanning_enabled?"),
    ({"settings": {"job_history_to_keep": "all"}}, "settings, job_history_to_keep is not a whole number."),
    ({"gc": {"scedule": "@daily"}}, "gc: 'scedule' is unknown. Did you mean schedule?"),
    ({"repository_defaults": {"name": "x"}}, "repository_defaults: 'name' is unknown."),
    # twice
    ({"repositories": repository() * 2}, "repositories: 'ops/base' is declared 2 times. Keep one of them."),
    ({"users": [{"name": "ops"}], "organizations": [{"name": "ops"}]},
     "'ops' is in registry_configuration_users and in registry_configuration_organ"),
    ({"organizations": [{"name": "ops", "teams": [{"name": "a"}, {"name": "a"}]}]},
     "organizations[0] 'ops', teams: 'a' is declared 2 times."),
    ({"repositories": repository(access=[{"team": "a", "level": "admin"}, {"team": "ops/a", "level": "read-only"}])},
     "repositories[0] 'ops/base', access: 'ops/a' is declared 2 times."),
    ({"repositories": repository(pruning_policies=[{"rules": [RULE]}, {"rules": [dict(RULE)], "enabled": False}])},
     "repositories[0] 'ops/base', pruning_policies: 'tag ew -rc' is declared 2 times."),
    ({"crons": [{"action": "sleep", "schedule": "@daily"}] * 2}, "crons: 'sleep' is declared 2 times."),
    ({"api_tokens": [{"label": "ci", "dest": "/a"}, {"label": "ci", "dest": "/b"}]}, "api_tokens: '/ci' is declared 2 times."),
    ({"api_tokens": [{"label": "a", "dest": "/a"}, {"label": "b", "dest": "/a"}]}, "api_tokens, dest: '/a' is declared 2 times."),
    ({"repositories": repository(webhooks=[{"type": "TAG_PUSH", "endpoint": "https://h.example.com/?s3cret"}] * 2)},
     "webhooks, or those of repositories: TAG_PUSH of ops/base goes to the same endpoint 2 times. Keep one of them."),
    # names
    ({"repositories": [{"name": "base"}]}, "repositories[0] 'base': the name has no namespace. Write namespace/name, such as ops/base."),
    ({"organizations": [{"name": "ops", "teams": [{"name": "ops/release"}]}]},
     "team 'ops/release' has a slash in its name. Write the bare name"),
    ({"organizations": [{"name": "ops", "state": "absent"}], "repositories": repository()},
     "'ops' is declared absent, and takes its repositories"),
    # secrets
    ({"users": [{"name": "ann", "password": "change-me"}]}, "users[0] 'ann': the password is still the 'change-me' of the example."),
    ({"repositories": repository(mirror_policies=[
        {"direction": "push", "remote_host": "https://r.example.com", "remote_repository": "a/b", "username": "u"}])},
     "mirror_policies[0]: username is given, but no password or token."),
    # grants
    ({"organizations": [OPS], "repositories": repository(access=[{"team": "relaese", "level": "admin"}])},
     "repositories[0] 'ops/base', access[0]: organization 'ops' is declared without a team 'relaese'. Did you mean release?"),
    ({"organizations": [OPS], "namespace_access": [{"team": "ops/xyz", "level": "admin"}]},
     "organization 'ops' is declared without a team 'xyz'. Declare it there, or name one of readers, release."),
    ({"namespace_access": [{"team": "release", "level": "admin"}]}, "namespace_access[0] 'release': the team has no organization."),
    ({"repositories": repository(access=[{"team": "web/release", "level": "admin"}])}, "team 'web/release' is of another organization"),
    ({"users": [{"name": "ops"}], "repositories": repository(access=[{"team": "release", "level": "admin"}])}, "'ops' is a user, and only"),
    # limits
    ({"repositories": repository(immutable_tags=True, tag_limit=3)}, "tag_limit 3 and immutable_tags exclude each other. Set one of them"),
    ({"repositories": repository(immutable_tags=True), "repository_defaults": {"tag_limit": 3}},
     "exclude each other (tag_limit from registry_configuration_repository_defaults)."),
    # rules
    ({"repositories": repository(pruning_policies=[{"rules": []}])},
     "pruning_policies[0]: there are no rules, so that every tag would go."),
    ({"repositories": repository(pruning_policies=[{"rules": [{**RULE, "operator": "gt"}]}])},
     "a rule on tag cannot have the operator 'gt'."),
    ({"repositories": repository(promotion_policies=[{"target_repository": "a/b", "rules": [RULE], "tag_template": "%q"}])},
     "unknown symbol '%q'"),
    # schedules
    ({"crons": [{"action": "sleep", "schedule": "0 3 * * *"}]}, "has five fields; the registry's have six, the seconds first."),
    ({"gc": {"schedule": "0 0 3 * * *", "deadline": "2 hours"}}, "gc, deadline: '2 hours' is no duration."),
    ({"gc": {"deadline": "2h"}}, "gc: schedule is missing. Give it, or write state: unscheduled."),
    ({"gc": {"schedule": "@daily"}, "crons": [{"action": "onlinegc", "schedule": "@daily"}]},
     "both schedule garbage collection. Keep it in"),
    # tokens
    ({"api_tokens": [{"label": "ci"}]}, "api_tokens[0] 'ci': dest is missing. The token is shown once"),
    ({"api_tokens": [{"label": "ci", "dest": "ci.token"}]}, "api_tokens[0] 'ci': dest ci.token depends on where the play runs."),
])
def test_what_cannot_work_is_told(declared, says):
    found = problems(**declared)
    assert len(found) == 1, found
    assert says in found[0]
    assert found[0].startswith(("registry_configuration_", "'"))
    assert found[0].endswith((".", "?"))
    assert "s3cret" not in found[0]


def test_a_misspelt_variable_is_found():
    variables = {"given": ["registry_configuration_reposotories", "registry_configuration_users"],
                 "known": ["registry_configuration_repositories", "registry_configuration_users"]}
    assert problems(variables=variables) == [
        "registry_configuration_reposotories is no variable of the role registry_configuration."
        " Did you mean registry_configuration_repositories?"]


def test_a_team_of_an_organization_without_declared_teams_may_come_from_elsewhere():
    assert problems(organizations=[{"name": "ops"}], repositories=repository(access=[{"team": "ldap", "level": "admin"}])) == []


@pytest.mark.parametrize(("connection", "says"), [
    ({}, ["registry_configuration_host is missing, and there is something to apply (accounts). Give it, or set DTR_HOST.",
          "registry_configuration_username with registry_configuration_password or registry_configuration_token is missing."]),
    ({**REACHED, "password": ""}, ["registry_configuration_username with registry_configuration_password"]),
    ({**REACHED, "password": "", "token": "t"}, []),
    ({"host": "h", "client_cert": "/dev/null", "client_key": "/dev/null"}, []),
    ({**REACHED, "ca_path": "/nowhere/ca.pem"},
     ["registry_configuration_ca_path is /nowhere/ca.pem, and there is no such file on the controller."]),
])
def test_the_server_must_be_reachable(connection, says):
    found = problems(connection={"dtr": connection, "ucp": {}}, users=[{"name": "ann"}])
    assert [sentence[:len(start)] for sentence, start in zip(found, says)] == says
    assert len(found) == len(says)


def test_ucp_needs_a_connection_only_where_something_is_declared_of_it():
    assert problems(connection={"dtr": REACHED, "ucp": {}}, users=[{"name": "ann"}]) == []
    found = problems(connection={"dtr": {}, "ucp": {}}, ucp_config={"auth": {"backend": "managed"}})
    assert [sentence.split(" ", 1)[0] for sentence in found] == ["registry_configuration_ucp_host", "registry_configuration_ucp_username"]


@pytest.mark.parametrize(("removal", "says"), [
    ({"confirm": ("another.example.com", "")},
     "registry_configuration_confirm_removal is 'another.example.com', but registry_configuration_host is"),
    ({"confirm": ("", "dtr.example.com")},
     "registry_configuration_ucp_confirm_removal is 'dtr.example.com', but registry_configuration_ucp_host is"),
    ({"exclusive": ["settings"]},
     "registry_configuration_exclusive: 'settings' is no kind of thing that is listed. Use any of ucp_roles, accounts,"),
    ({"exclusive": ["teams"], "accepted": {"teams": ["*"]}}, "teams is in registry_configuration_accepted, which lets undeclared ones be,"),
])
def test_what_may_go_must_be_clear(removal, says):
    (found,) = problems(**removal)
    assert found.startswith(says)
