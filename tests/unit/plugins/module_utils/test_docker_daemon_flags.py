# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_flags import (
    command_line,
    conflict_message,
    conflicts,
    environment_file,
    flags_as_config,
    parse_flags,
    plan_options,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_plan import PlanError, Request

UNIT = "/lib/systemd/system/docker.service"
DROP_IN = "/etc/systemd/system/docker.service.d/10-flags.conf"
OPTIONS = "/etc/default/docker"
FILES = {
    UNIT: """[Unit]
Description=ExecStart=/not/this
[Service]
EnvironmentFile=-/etc/default/docker
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS
ExecReload=/bin/kill -s HUP $MAINPID
""",
    OPTIONS: '# DOCKER_OPTS="--dns 8.8.8.8"\nDOCKER_OPTS="--label a=b -D --storage-opt \'x y\'"\n',
}


def flags_of(*words):
    return parse_flags([(word, "f") for word in words])


def test_flags_of_a_unit_with_the_file_each_stands_in():
    line = command_line([UNIT], FILES.get)
    assert line.binary == "/usr/sbin/dockerd"
    assert [(flag.name, flag.value, flag.source) for flag in line.flags] == [
        ("H", "fd://", UNIT),
        ("containerd", "/run/containerd/containerd.sock", UNIT),
        ("label", "a=b", OPTIONS),
        ("D", "true", OPTIONS),
        ("storage-opt", "x y", OPTIONS),
    ]
    assert line.environment_files == [OPTIONS] and line.variables == {"DOCKER_OPTS"}


def test_a_drop_in_that_resets_exec_start_wins():
    text = (
        "[Service]\nEnvironmentFile=\nExecStart=\n"
        "ExecStart=/usr/bin/dockerd \\\n  --log-driver=syslog \\\n  # why\n  $OTHER\n"
        'Environment="OTHER=--mtu 1400" X=1\n'
    )
    files = {**FILES, DROP_IN: text}
    line = command_line([UNIT, DROP_IN], files.get)
    assert [(flag.text, flag.source) for flag in line.flags] == [
        ("--log-driver=syslog", DROP_IN),
        ("--mtu 1400", DROP_IN),
    ]
    assert line.environment_files == []


def test_missing_environment_file_is_no_flag():
    assert len(command_line([UNIT], {UNIT: FILES[UNIT]}.get).flags) == 2


@pytest.mark.parametrize(
    ("words", "config"),
    [
        (["-D", "--live-restore=false"], {"debug": True, "live-restore": False}),
        (["-Hfd://", "--host", "tcp://1"], {"hosts": ["fd://", "tcp://1"]}),
        (["--log-opt", "max-size=1m", "--log-opt=max-file=3"], {"log-opts": {"max-size": "1m", "max-file": "3"}}),
        (["--mtu=1400", "--unknown", "--icc=0"], {"mtu": 1400, "icc": False}),
        (["--add-runtime", "kata=/bin/kata"], {"runtimes": {"kata": {"path": "/bin/kata"}}}),
    ],
)
def test_flags_read_as_keys(words, config):
    assert flags_as_config(flags_of(*words)) == config


def test_conflicts_are_named_with_flag_and_file():
    line = command_line([UNIT], FILES.get)
    found = conflicts({"labels": [], "hosts": ["fd://"], "mtu": 1}, line.flags)
    message = conflict_message(found, "docker.service", "/etc/docker/daemon.json")
    assert f"hosts (-H fd:// in {UNIT})" in message and f"labels (--label a=b in {OPTIONS})" in message
    assert "clears ExecStart" in message and "Nothing was changed" in message


def test_runtimes_may_stand_in_both_places_and_proxies_are_seen_inside():
    flags = flags_of("--add-runtime", "kata=/k", "--http-proxy=http://p")
    assert [flag.name for flag in conflicts({"runtimes": {}, "proxies": {"http-proxy": "x"}}, flags)] == ["http-proxy"]


# DOCKER_OPTS


def options(text, config=None, list_items=None, exclusive=False):
    return plan_options(text, Request(config or {}, list_items or {}, exclusive), OPTIONS)[0]


def test_an_item_is_added_and_other_flags_are_kept():
    text = options(FILES[OPTIONS], list_items={"insecure-registries": {"present": ["a:5000"]}})
    assert text.startswith("# DOCKER_OPTS=")
    assert environment_file(text)["DOCKER_OPTS"] == "--label a=b -D --storage-opt 'x y' --insecure-registry=a:5000"


def test_a_second_time_changes_nothing():
    wish = {"config": {"debug": True, "labels": ["a=b"], "log-opts": {"max-size": "1m", "max-file": "3"}}}
    text = options(FILES[OPTIONS], **wish)
    assert text != FILES[OPTIONS] and options(text, **wish) == text


def test_flags_as_declared_in_another_spelling_are_left_as_they_are():
    assert options(FILES[OPTIONS], {"labels": ["a=b"], "debug": True}) == FILES[OPTIONS]


def test_removal_by_null_by_item_and_exclusive():
    assert "-D" not in options(FILES[OPTIONS], {"debug": None})
    assert "--label" not in options(FILES[OPTIONS], list_items={"labels": {"absent": ["a=b"]}})
    assert environment_file(options(FILES[OPTIONS], {"mtu": 9000}, exclusive=True))["DOCKER_OPTS"] == "--mtu=9000"
    assert environment_file(options('DOCKER_OPTS="--of-others"', {"mtu": 9000}, exclusive=True))["DOCKER_OPTS"] == "--mtu=9000"


@pytest.mark.parametrize("text", [None, "", "X=1", "X=1\n"])
def test_the_variable_is_added_where_it_is_missing(text):
    assert options(text, {"debug": True}).endswith('DOCKER_OPTS="--debug=true"\n')


def test_only_the_assignment_that_counts_is_replaced():
    assert options("DOCKER_OPTS=-D\nDOCKER_OPTS='--mtu 1'\nX=1\n", {"mtu": 2}) == 'DOCKER_OPTS=-D\nDOCKER_OPTS="--mtu=2"\nX=1\n'


def test_continued_lines_are_read_and_replaced_whole():
    assert options('DOCKER_OPTS="-D \\\n --mtu 1"\nX=1\n', {"mtu": 2}) == 'DOCKER_OPTS="-D --mtu=2"\nX=1\n'


@pytest.mark.parametrize(
    ("config", "message"),
    [({"features": {}}, "cannot be expressed as a flag"), ({"data-root": "/a b"}, "cannot stand in DOCKER_OPTS")],
)
def test_what_flags_cannot_say_is_refused(config, message):
    with pytest.raises(PlanError, match=message):
        options("", config)
