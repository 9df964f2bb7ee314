# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_plan import (
    PlanError,
    Request,
    check_request,
    merge,
    parse,
    plan,
    redact,
    secrets,
    undo_by_reload,
)

INFO = {
    "Debug": False,
    "DefaultRuntime": "runc",
    "Driver": "overlay2",
    "DockerRootDir": "/var/lib/docker",
    "ExperimentalBuild": False,
    "Labels": [],
    "LiveRestoreEnabled": False,
    "LoggingDriver": "json-file",
    "CgroupDriver": "cgroupfs",
    "HttpProxy": "",
    "Runtimes": {"runc": {"path": "runc"}},
    "RegistryConfig": {
        "InsecureRegistryCIDRs": ["127.0.0.0/8"],
        "IndexConfigs": {"docker.io": {"Name": "docker.io", "Secure": True}},
        "Mirrors": [],
    },
}


def running(insecure=(), cidrs=(), mirrors=(), **fields):
    info = copy.deepcopy(INFO)
    info.update(fields)
    info["RegistryConfig"]["Mirrors"] += list(mirrors)
    for name in insecure:
        info["RegistryConfig"]["IndexConfigs"][name] = {"Name": name, "Secure": False}
    info["RegistryConfig"]["InsecureRegistryCIDRs"] += list(cidrs)
    return info


def request(config=None, list_items=None, exclusive=False):
    return Request(config or {}, list_items or {}, exclusive)


# What is in the file


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_no_file_and_an_empty_one_are_no_keys(text):
    assert parse(text, "f") == {}


def test_broken_json_is_named_with_line_and_column():
    with pytest.raises(PlanError, match=r"f is not valid JSON: line 2 column 3: .*Nothing was changed"):
        parse('{"debug": true\n  "x": 1}', "f")


def test_a_list_is_not_a_configuration():
    with pytest.raises(PlanError, match="must hold a JSON object"):
        parse("[]", "f")


def test_keys_of_others_are_kept_and_null_removes():
    assert merge({"bip": "10.9.0.1/24", "debug": True}, request({"debug": None, "mtu": 1400})) == {
        "bip": "10.9.0.1/24",
        "mtu": 1400,
    }


def test_exclusive_removes_what_is_not_declared():
    merged = merge({"bip": "10.9.0.1/24", "insecure-registries": ["a"]}, request({"mtu": 1400}, exclusive=True))
    assert merged == {"mtu": 1400}


def test_list_items_own_their_members_only():
    wish = request(list_items={"insecure-registries": {"present": ["b", "c"], "absent": ["old"]}})
    assert merge({"insecure-registries": ["old", "theirs", "b"]}, wish) == {"insecure-registries": ["theirs", "b", "c"]}


def test_the_last_member_leaves_an_empty_list_and_no_key_is_made_for_nothing():
    wish = request(list_items={"insecure-registries": {"absent": ["a"]}})
    assert merge({"insecure-registries": ["a"]}, wish) == {"insecure-registries": []}
    assert merge({}, wish) == {}


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (request({"labels": []}, {"labels": {"present": ["a=b"]}}), "declared in config and in list_items"),
        (request(list_items={"debug": {"present": ["x"]}}), "debug is not a list key"),
        (request(list_items={"labels": {"add": ["x"]}}), "present, absent or both"),
        (request(list_items={"labels": {"present": "x"}}), "labels.present must be a list of strings"),
        (request(list_items={"labels": {"present": ["a"], "absent": ["a"]}}), "both present and absent"),
    ],
)
def test_contradictory_declarations_are_refused(wish, message):
    with pytest.raises(PlanError, match=message):
        check_request(wish)


def test_a_key_of_the_wrong_type_in_the_file_is_not_guessed_at():
    with pytest.raises(PlanError, match="insecure-registries must be a list"):
        merge({"insecure-registries": "a"}, request(list_items={"insecure-registries": {"present": ["b"]}}))


# What to do to the engine


def test_nothing_to_do():
    made = plan({"debug": True}, request({"debug": True}), info=running(Debug=True))
    assert (made.action, made.changed_keys, made.drift) == ("none", [], {})


def test_a_stopped_engine_is_started():
    assert plan({}, request({"debug": True})).action == "start"


def test_live_keys_need_a_reload_only():
    made = plan({}, request({"debug": True, "labels": ["a=b"], "max-concurrent-uploads": 2}), info=running())
    assert (made.action, made.restart_keys) == ("reload", [])


def test_one_other_key_needs_a_restart_and_is_named():
    made = plan({}, request({"debug": True, "log-opts": {"max-size": "10m"}}), info=running())
    assert (made.action, made.restart_keys) == ("restart", ["log-opts"])


def test_no_restart_for_what_the_engine_runs_with_anyway():
    config = {
        "storage-driver": "overlay2",
        "log-driver": "json-file",
        "data-root": "/var/lib/docker/",
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
    }
    assert plan({}, request(config), info=running()).action == "reload"


def test_a_removed_key_is_emptied_for_a_reload():
    made = plan({"insecure-registries": ["a:5000"]}, request({"insecure-registries": None}), info=running(["a:5000"]))
    assert (made.content, made.action) == ({"insecure-registries": []}, "reload")


def test_a_removed_key_is_dropped_for_a_restart():
    made = plan({"insecure-registries": ["a:5000"], "mtu": 1400}, request(exclusive=True), info=running(["a:5000"]))
    assert (made.content, made.action, made.restart_keys) == ({}, "restart", ["mtu"])


def test_an_emptied_key_counts_as_removed():
    made = plan({"insecure-registries": [], "debug": False}, request(exclusive=True), info=running())
    assert (made.content, made.action) == ({"insecure-registries": [], "debug": False}, "none")


def test_a_key_that_resets_itself_is_simply_left_out():
    made = plan({"max-concurrent-uploads": 2}, request({"max-concurrent-uploads": None}), info=running())
    assert (made.content, made.action) == ({}, "reload")


def test_buildkit_is_a_live_feature_and_the_image_store_is_not():
    assert plan({}, request({"features": {"buildkit": True}}), info=running()).action == "reload"
    assert plan({}, request({"features": {"containerd-snapshotter": True}}), info=running()).action == "restart"


# The engine is not as the file says


def test_written_but_not_reloaded_is_mended():
    made = plan({"insecure-registries": ["a"]}, request({"insecure-registries": ["a"]}), info=running())
    assert (made.action, made.changed_keys) == ("reload", [])
    assert made.drift == {"insecure-registries": {"declared": ["a"], "running": []}}


def test_written_but_not_restarted_is_mended():
    made = plan({"log-driver": "local"}, request({"log-driver": "local"}), info=running())
    assert (made.action, made.restart_keys) == ("restart", ["log-driver"])


def test_a_key_taken_out_by_hand_and_reloaded_is_undone():
    made = plan({}, request({"insecure-registries": None}), info=running(["a"]))
    assert (made.content, made.action) == ({"insecure-registries": []}, "reload")


def test_drift_of_keys_of_others_is_left_alone():
    assert plan({"log-driver": "local"}, request({"debug": False}), info=running()).action == "reload"
    assert plan({"log-driver": "local", "debug": False}, request({"debug": False}), info=running()).action == "none"


def test_keys_of_an_interrupted_run_are_activated_though_info_does_not_show_them():
    assert plan({"log-opts": {"max-size": "1m"}}, request(), info=running(), pending=["log-opts"]).action == "restart"
    assert plan({"max-concurrent-uploads": 1}, request(), info=running(), pending=["max-concurrent-uploads"]).action == "reload"


def test_flags_count_as_configuration():
    made = plan(
        {},
        request({"mtu": None}, exclusive=True),
        flags={"insecure-registries": ["a"], "log-driver": "local"},
        info=running(["a"], LoggingDriver="local"),
    )
    assert made.action == "none"


@pytest.mark.parametrize(
    ("config", "info"),
    [
        (
            {"insecure-registries": ["10.1.2.3/16", "http://a:5000", "127.0.0.0/8"]},
            running(["a:5000"], ["10.1.0.0/16", "::1/128"]),
        ),
        ({"registry-mirrors": ["https://m.example.com"]}, running(mirrors=["https://m.example.com/"])),
        ({"labels": ["b=2", "a=1"]}, running(Labels=["a=1", "b=2"])),
        (
            {"data-root": "/srv/docker", "userns-remap": "default"},
            running(DockerRootDir="/srv/docker/100000.100000", SecurityOptions=["name=userns"]),
        ),
        (
            {"runtimes": {"kata": {"path": "/usr/bin/kata"}}},
            running(Runtimes={"runc": {"path": "runc"}, "kata": {"path": "/usr/bin/kata"}}),
        ),
        ({"proxies": {"https-proxy": "http://proxy:3128"}}, running(HttpsProxy="http://proxy:3128")),
        (
            {"default-address-pools": [{"base": "10.5.0.0/16", "size": 24}]},
            running(DefaultAddressPools=[{"Base": "10.5.0.0/16", "Size": 24}]),
        ),
    ],
)
def test_the_spellings_of_the_engine_are_no_drift(config, info):
    assert plan(config, request(config), info=info).action == "none"


def test_a_refused_reload_is_undone_key_by_key():
    assert undo_by_reload({"debug": True}, {"debug": True, "labels": ["a=b"], "mtu": 1}) == {
        "debug": True,
        "labels": [],
    }


# Secrets


def test_secrets_do_not_show():
    config = {
        "https-proxy": "http://me:pa55@proxy:3128",
        "log-opts": {"splunk-token": "t0ken", "splunk-url": "https://s"},
    }
    assert sorted(secrets(config)) == ["me:pa55", "t0ken"]
    shown = str(redact(config))
    assert "pa55" not in shown and "t0ken" not in shown and "https://s" in shown
