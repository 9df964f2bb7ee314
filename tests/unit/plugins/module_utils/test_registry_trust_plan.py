# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_files import ANCHOR, CONF, HOST, Desired, File
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_plan import (
    Host,
    Record,
    Seen,
    daemon_jobs,
    forget_members,
    leftovers,
    make_plan,
    target_problem,
)

CA = File("ca\n", HOST)
KEY = File("key\n", HOST, secret=True)
PATH = "/certs/r:5000/ca.crt"
KEY_PATH = "/certs/r:5000/client.key"


def as_seen(file, **changes):
    values = {"sha256": file.sha256, "mode": file.mode, "uid": 0, "text": None if file.secret else file.content}
    return Seen(**{**values, **changes})


def as_record(files, **more):
    return Record(files={path: {"sha256": [file.sha256], "kind": file.kind} for path, file in files.items()}, **more)


def test_first_run_writes_and_remembers():
    plan = make_plan(Desired(files={PATH: CA}), Record(), Host(missing=["/certs", "/certs/r:5000"]), "daemon_json")
    assert plan.write == {PATH: CA} and plan.changed
    assert plan.make == ["/certs", "/certs/r:5000"]
    assert plan.after.directories == ["/certs", "/certs/r:5000"]
    assert plan.after.files == {PATH: {"sha256": [CA.sha256], "kind": HOST}}


def test_second_run_changes_nothing():
    record = as_record({PATH: CA}, directories=["/certs/r:5000"])
    plan = make_plan(Desired(files={PATH: CA}), record, Host(files={PATH: as_seen(CA)}, modes={"/certs/r:5000": 0o755}), "daemon_json")
    assert not plan.changed
    assert (plan.write, plan.remove, plan.diff, plan.warnings, plan.actions) == ({}, {}, [], [], [])


def test_mode_owner_and_directory_mode_are_put_right():
    record = as_record({KEY_PATH: KEY}, directories=["/certs/r:5000"])
    for seen in (as_seen(KEY, mode=0o644), as_seen(KEY, uid=1000)):
        plan = make_plan(Desired(files={KEY_PATH: KEY}), record, Host(files={KEY_PATH: seen}), "daemon_json")
        assert KEY_PATH in plan.write
        assert plan.keep_copy == []
        assert "mode 0600, uid 0" in plan.diff[0]["after"]
    host = Host(files={KEY_PATH: as_seen(KEY)}, modes={"/certs/r:5000": 0o777})
    plan = make_plan(Desired(files={KEY_PATH: KEY}), record, host, "daemon_json")
    assert plan.chmod == ["/certs/r:5000"] and plan.changed


def test_an_undeclared_file_of_ours_is_removed_and_its_directory_goes():
    record = as_record({PATH: CA}, directories=["/certs/r:5000"])
    plan = make_plan(Desired(), record, Host(files={PATH: as_seen(CA)}), "daemon_json")
    assert plan.remove == {PATH: HOST}
    assert plan.drop == ["/certs/r:5000"]
    assert plan.after.empty
    assert plan.keep_copy == []


def test_a_directory_that_was_there_before_is_not_dropped():
    plan = make_plan(Desired(), as_record({PATH: CA}), Host(files={PATH: as_seen(CA)}), "daemon_json")
    assert plan.drop == []


def test_a_file_that_has_vanished_is_only_forgotten():
    plan = make_plan(Desired(), as_record({PATH: CA}), Host(), "daemon_json")
    assert plan.remove == {} and plan.after.empty and plan.changed


def test_a_file_changed_by_hand_is_named_kept_and_handled():
    record = as_record({PATH: CA})
    edited = as_seen(CA, sha256="e" * 64, text="edited\n")
    replaced = make_plan(Desired(files={PATH: CA}), record, Host(files={PATH: edited}), "daemon_json")
    assert replaced.keep_copy == [PATH] and "was changed by hand" in replaced.warnings[0]
    removed = make_plan(Desired(), record, Host(files={PATH: edited}), "daemon_json")
    assert removed.keep_copy == [PATH] and removed.remove == {PATH: HOST}


def test_a_file_of_others_in_our_place_is_named_and_kept():
    plan = make_plan(Desired(files={PATH: CA}), Record(), Host(files={PATH: as_seen(CA, sha256="e" * 64)}), "daemon_json")
    assert plan.keep_copy == [PATH] and "was put there by others" in plan.warnings[0]


def test_an_identical_file_of_others_is_adopted_without_a_write():
    plan = make_plan(Desired(files={PATH: CA}), Record(), Host(files={PATH: as_seen(CA)}), "daemon_json")
    assert plan.write == {} and plan.changed and plan.warnings == []
    assert PATH in plan.after.files


def test_what_a_killed_run_wrote_is_not_taken_for_the_work_of_others():
    new = File("new\n", HOST)
    ahead = make_plan(Desired(files={PATH: new}), as_record({PATH: CA}), Host(files={PATH: as_seen(CA)}), "daemon_json").ahead
    for content in (CA, new):
        plan = make_plan(Desired(files={PATH: new}), Record.from_json(ahead.to_json()), Host(files={PATH: as_seen(content)}), "daemon_json")
        assert plan.warnings == [] and plan.changed


def test_secrets_are_in_no_diff():
    before = as_seen(KEY, sha256="e" * 64)
    plan = make_plan(Desired(files={KEY_PATH: KEY}), as_record({KEY_PATH: KEY}), Host(files={KEY_PATH: before}), "daemon_json")
    assert "key\n" not in str(plan.diff) and "not shown, sha256" in plan.diff[0]["before"]


def test_announcements_are_pending_until_they_are_made():
    conf = File("conf\n", CONF)
    plan = make_plan(Desired(files={"/c/x.conf": conf}), Record(), Host(), "daemon_json")
    assert plan.actions == [CONF] == plan.ahead.pending and plan.after.pending == []
    killed = as_record({"/c/x.conf": conf}, pending=[CONF])
    again = make_plan(Desired(files={"/c/x.conf": conf}), killed, Host(files={"/c/x.conf": as_seen(conf)}), "daemon_json")
    assert again.actions == [CONF] and again.changed and again.write == {}


def test_list_members_are_remembered_until_the_engine_has_let_go():
    record = Record(lists={"daemon_json": {"insecure-registries": ["old:5000", "r:5000"]}})
    desired = Desired(lists={"insecure-registries": ["r:5000"], "registry-mirrors": []})
    jobs, forget = daemon_jobs(desired, record, "daemon_json")
    assert jobs == [{"target": "daemon_json", "list_items": {"insecure-registries": {"present": ["r:5000"], "absent": ["old:5000"]}}}]
    assert forget
    plan = make_plan(desired, record, Host(), "daemon_json")
    assert plan.after.lists == record.lists and not plan.changed
    assert forget_members(record, jobs).lists == {"daemon_json": {"insecure-registries": ["r:5000"]}}
    assert daemon_jobs(desired, forget_members(record, jobs), "daemon_json")[1] is False


def test_members_are_remembered_before_the_engine_is_told():
    plan = make_plan(Desired(lists={"insecure-registries": ["r:5000"]}), Record(), Host(), "daemon_json")
    assert plan.ahead.lists == {"daemon_json": {"insecure-registries": ["r:5000"]}} and plan.changed


def test_the_engine_is_left_alone_when_there_is_nothing_to_tell():
    desired = Desired(lists={"insecure-registries": [], "registry-mirrors": []})
    assert daemon_jobs(desired, Record(), "daemon_json") == ([], False)


def test_members_move_from_one_target_to_the_other_old_place_first():
    record = Record(lists={"docker_opts": {"insecure-registries": ["r:5000"]}})
    jobs, forget = daemon_jobs(Desired(lists={"insecure-registries": ["r:5000"]}), record, "daemon_json")
    assert [job["target"] for job in jobs] == ["docker_opts", "daemon_json"]
    assert jobs[0]["list_items"]["insecure-registries"] == {"present": [], "absent": ["r:5000"]}
    assert forget


def test_the_move_the_engine_would_not_survive_is_refused():
    record = Record(lists={"daemon_json": {"insecure-registries": ["r:5000"]}})
    assert "entry point uninstall" in target_problem(Desired(lists={"insecure-registries": ["r:5000"]}), record, "docker_opts")
    assert target_problem(Desired(lists={"insecure-registries": []}), record, "docker_opts") is None
    assert target_problem(Desired(lists={"insecure-registries": ["r:5000"]}), record, "daemon_json") is None


def test_a_member_declared_absent_is_removed_even_if_never_recorded():
    desired = Desired(lists={"insecure-registries": []}, absent_lists={"insecure-registries": ["r:5000"]})
    jobs, forget = daemon_jobs(desired, Record(), "daemon_json")
    assert jobs[0]["list_items"]["insecure-registries"]["absent"] == ["r:5000"] and not forget


def test_forgetting_everything_leaves_an_empty_record():
    record = Record(lists={"daemon_json": {"insecure-registries": ["r:5000"]}})
    jobs, _forget = daemon_jobs(Desired(), record, "daemon_json")
    assert forget_members(record, jobs).empty


def test_half_pairs_and_survivors_of_others_are_named():
    desired = Desired(files={PATH: CA}, absent_directories=["/certs/gone"])
    host = Host(listings={"/certs/r:5000": ["their.cert"], "/certs/gone": ["their.crt"]})
    plan = make_plan(desired, Record(), host, "daemon_json")
    text = "\n".join(leftovers(desired, plan, host))
    assert "/certs/r:5000/their.cert has no their.key" in text
    assert "/certs/gone is declared absent" in text and "their.crt" in text


def test_a_ca_taken_out_of_the_store_is_said_to_be_remembered():
    anchor = File("ca\n", ANCHOR)
    plan = make_plan(Desired(), as_record({"/a.crt": anchor}), Host(files={"/a.crt": as_seen(anchor)}), "daemon_json")
    assert plan.actions == [ANCHOR] and "until they are restarted" in plan.warnings[0]
