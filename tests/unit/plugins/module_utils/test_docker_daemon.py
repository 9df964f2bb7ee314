# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole of docker_daemon against an engine that behaves like the real one, without one."""

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _docker_daemon
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_engine import (
    EngineError,
    Status,
    read_text,
    reason_in,
    refusal_in,
    version_tuple,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_flags import (
    command_line,
    flags_as_config,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_plan import PlanError

LIVE = ("debug", "labels", "insecure-registries", "registry-mirrors", "live-restore")


class Killed(BaseException):
    """The module's process ends here."""


class Host:
    """An engine of version 20.10: sticky keys, reloads that are taken over in part, refusals."""

    def __init__(self, root):
        self.root = root
        self.path = root / "docker" / "daemon.json"
        self.options = root / "default"
        self.unit = root / "docker.service"
        binary = root / "dockerd"
        binary.write_text("")
        self.unit.write_text(f"[Service]\nEnvironmentFile=-{self.options}\nExecStart={binary} -H unix:///run/d.sock $DOCKER_OPTS\n")
        self.pid, self.active, self.loaded, self.version, self.since = 10, True, "loaded", "20.10.24", 0.0
        self.config, self.swarm, self.calls, self.kill_on = {}, "inactive", [], None
        self.words = ["dockerd", "-H", "unix:///run/d.sock"]

    def read(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def write(self, content):
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(content if isinstance(content, str) else json.dumps(content))

    def call(self, name):
        self.calls.append(name)
        if self.kill_on == name:
            raise Killed

    def start(self):
        self.call("start")
        self.active = False
        line = command_line([str(self.unit)], read_text)
        config = {**flags_as_config(line.flags), **self.read()}
        if config.get("storage-driver", "overlay2") != "overlay2":
            raise EngineError("failed to start daemon: driver not supported")
        self.config, self.pid, self.active, self.since = config, self.pid + 1, True, float("inf")
        self.words = ["dockerd", *(word for flag in line.flags for word in flag.text.split())]

    def reload(self):
        self.call("reload")
        for key, value in self.read().items():
            if key == "registry-mirrors" and any(item.count("/") > 3 for item in value):
                raise EngineError("invalid mirror")
            if key in LIVE:
                self.config[key] = value

    def stop(self):
        self.call("stop")
        self.active = False

    def info(self):
        names = self.config.get("insecure-registries", [])
        return {
            "ServerVersion": self.version,
            "Debug": self.config.get("debug", False),
            "Labels": self.config.get("labels", []),
            "LiveRestoreEnabled": self.config.get("live-restore", False),
            "LoggingDriver": self.config.get("log-driver", "json-file"),
            "Driver": "overlay2",
            "Swarm": {"LocalNodeState": self.swarm},
            "RegistryConfig": {
                "InsecureRegistryCIDRs": ["127.0.0.0/8"],
                "IndexConfigs": {name: {"Secure": False} for name in names},
                "Mirrors": self.config.get("registry-mirrors", []),
            },
        }


class Engine:
    """The interface of _docker_daemon_engine.Engine on that host."""

    def __init__(self, host):
        self.host = host
        self.service, self.timeout, self.socket_path = "docker.service", 1, None
        self.start, self.reload, self.stop, self.info = host.start, host.reload, host.stop, host.info

    def status(self):
        host = self.host
        units = [str(host.unit)] if host.loaded == "loaded" else []
        return Status(host.loaded, host.active, "running", host.pid, 0, False, units, False, True)

    def use_socket_of(self, hosts):
        assert hosts == ["unix:///run/d.sock"]

    def running_words(self, pid):
        return self.host.words

    def started_at(self, pid):
        return self.host.since

    def version_of_binary(self, binary):
        return self.host.version

    def validate(self, binary, path, words):
        self.host.call("validate")
        return "unknown key" if "refuse" in json.loads(read_text(path)) else None

    def enable(self):
        self.host.call("enable")


@pytest.fixture
def host(tmp_path, monkeypatch):
    host = Host(tmp_path)
    monkeypatch.setattr(_docker_daemon, "Engine", lambda *arguments: Engine(host))
    return host


def run(host, config=None, check_mode=False, **options):
    params = {
        "config": config or {},
        "list_items": {},
        "exclusive": False,
        "target": "daemon_json",
        "path": str(host.path),
        "options_file": str(host.options),
        "broken_file": "fail",
        "service": "docker",
        "started": True,
        "enabled": False,
        "restart": "allowed",
        "missing_engine": "fail",
        "socket": None,
        "timeout": 1,
        "backups": 2,
    }
    params.update(options)
    return _docker_daemon.DockerDaemon(params, None, os.replace, str(host.root), check_mode).run()


def refused(host, message, config=None, **options):
    """The run ends with this message and nothing on the host is different."""
    before = read_text(host.path), host.info()
    with pytest.raises((PlanError, EngineError), match=message):
        run(host, config, **options)
    assert (read_text(host.path), host.info()) == before
    assert not list(host.root.glob("docker/.*"))


def test_a_change_is_written_reloaded_and_verified_once(host):
    result = run(host, {"debug": True})
    assert (result["changed"], result["action"], host.calls) == (True, "reload", ["reload"])
    assert stat.S_IMODE(host.path.stat().st_mode) == 0o644
    assert run(host, {"debug": True})["changed"] is False and host.calls == ["reload"]
    assert not list(host.root.glob("docker/.*"))


def test_check_mode_tells_the_same_and_touches_nothing(host):
    result = run(host, {"log-opts": {"max-size": "1m"}}, check_mode=True, enabled=True)
    assert (result["changed"], result["action"], result["restart_keys"]) == (True, "restart", ["log-opts"])
    assert result["diff"][0]["before"] == "" and "max-size" in result["diff"][0]["after"]
    assert host.calls == [] and not host.path.parent.exists()


def test_a_closed_file_stays_closed(host):
    host.write({})
    host.path.chmod(0o600)
    run(host, {"debug": True})
    assert stat.S_IMODE(host.path.stat().st_mode) == 0o600


def test_a_link_stays_a_link(host):
    host.write({})
    real = host.root / "real.json"
    host.path.rename(real)
    host.path.symlink_to(real)
    run(host, {"debug": True})
    assert host.path.is_symlink() and json.loads(real.read_text()) == {"debug": True}


def test_backups_are_kept_up_to_a_number(host):
    for number in range(4):
        result = run(host, {"labels": [f"n={number}"]})
    backups = sorted(host.path.parent.glob("*.bak"))
    assert len(backups) == 2 and str(backups[-1]) == result["backup_file"]
    assert json.loads(backups[-1].read_text()) == {"labels": ["n=2"]}


def test_a_refused_reload_leaves_no_trace(host):
    host.write({"debug": True})
    host.config = {"debug": True, "labels": []}
    wish = {"debug": False, "labels": ["a=b"], "registry-mirrors": ["https://m/path/"]}
    refused(host, "invalid mirror. The previous file is back and the engine runs with it", wish, restart="never")
    assert host.pid == 10 and host.config["debug"] is True


def test_a_refused_start_brings_the_old_engine_back(host):
    refused(host, "driver not supported. The previous file is back and the engine runs", {"storage-driver": "zfs"})
    assert host.calls == ["start", "start"] and host.active


def test_a_refused_start_of_a_stopped_engine_leaves_it_stopped(host):
    host.active = False
    refused(host, "the service is stopped, as it was before", {"storage-driver": "zfs"})
    assert host.calls == ["start", "stop"] and not host.active


def test_an_engine_that_runs_with_something_else_is_not_called_configured(host):
    host.reload = lambda: host.call("reload")
    with pytest.raises(EngineError, match="the engine took the file but has labels=\\[\\] instead of \\['a=b'\\]"):
        run(host, {"labels": ["a=b"]})
    assert not host.path.exists()


@pytest.mark.parametrize("moment", ["reload", "start"])
def test_a_run_killed_after_writing_is_completed_by_the_next(host, moment):
    config = {"labels": ["a=b"]} if moment == "reload" else {"default-ulimits": {"nofile": {"Hard": 1, "Soft": 1}}}
    host.kill_on = moment
    with pytest.raises(Killed):
        run(host, config)
    host.kill_on = None
    assert host.read() == config
    assert run(host, config)["action"] == ("reload" if moment == "reload" else "restart")
    assert run(host, config)["changed"] is False


def test_a_killed_run_whose_file_turns_out_bad_is_rolled_back_by_the_next(host):
    host.write({"debug": False})
    host.kill_on = "start"
    with pytest.raises(Killed):
        run(host, {"storage-driver": "zfs"})
    host.kill_on = None
    with pytest.raises(EngineError, match="The previous file is back and the engine runs"):
        run(host, {"storage-driver": "zfs"})
    assert host.read() == {"debug": False}


def test_a_killed_run_needs_nothing_once_the_engine_was_started_by_another(host):
    host.kill_on = "start"
    config = {"default-ulimits": {"nofile": {"Hard": 1, "Soft": 1}}}
    with pytest.raises(Killed):
        run(host, config)
    host.kill_on = None
    host.start()
    assert run(host, config)["changed"] is False
    assert not list(host.root.glob("docker/.*"))


def test_without_an_engine_it_fails_reports_or_prepares(host):
    host.loaded = "not-found"
    refused(host, "There is no Docker engine on this host", {"debug": True})
    assert run(host, {"debug": True}, check_mode=True)["changed"] is True and not host.path.exists()
    result = run(host, {"debug": True}, missing_engine="configure", enabled=True)
    assert (result["action"], result["engine"]["installed"], host.read()) == ("none", False, {"debug": True})
    host.loaded, host.active = "loaded", False
    assert run(host, {"debug": True})["action"] == "start"


def test_a_masked_service_is_named(host):
    host.loaded = "masked"
    refused(host, "docker.service is masked.*systemctl unmask docker.service")


def test_a_stopped_engine_is_started_unless_it_is_to_stay_stopped(host):
    host.active = False
    assert run(host, {"debug": True}, started=False)["action"] == "none" and host.calls == []
    assert run(host, {"debug": True})["action"] == "start" and host.active


def test_enabling_is_a_change_of_its_own(host):
    assert run(host, enabled=True)["changed"] is True and host.calls == ["enable"]


def test_a_restart_can_be_forbidden(host):
    refused(host, "must restart for log-opts to take effect", {"log-opts": {"a": "b"}}, restart="never")


def test_conflicts_with_flags_are_refused_and_returned(host):
    host.options.write_text('DOCKER_OPTS="--label a=b"\n')
    refused(host, f"labels \\(--label a=b in {host.options}\\)", {"labels": ["c=d"]})
    refused(host, "clears ExecStart", {"hosts": ["unix:///run/e.sock"]})


def test_a_flag_left_in_the_running_process_calls_for_a_restart(host):
    host.words = ["dockerd", "-H", "unix:///run/d.sock", "--label", "a=b"]
    assert run(host, {"labels": ["c=d"]})["action"] == "restart"


def test_live_restore_in_a_swarm_is_refused(host):
    host.swarm = "active"
    refused(host, "live-restore: a node of a swarm cannot have it", {"live-restore": True})


def test_another_configuration_file_is_not_written_past(host):
    host.unit.write_text(host.unit.read_text().replace("$DOCKER_OPTS", "--config-file=/other.json"))
    refused(host, "reads its configuration from /other.json", {"debug": True})


def test_broken_json_is_refused_or_replaced(host):
    host.write("{,}")
    refused(host, "not valid JSON: line 1 column 2", {"debug": True})
    result = run(host, {"debug": True}, broken_file="replace")
    assert host.read() == {"debug": True} and read_text(result["backup_file"]) == "{,}"


def test_an_engine_that_validates_itself_is_asked(host):
    host.version = "26.1.0"
    refused(host, "The engine would refuse .*: unknown key. Nothing was changed", {"refuse": True})
    assert run(host, {"debug": True})["action"] == "reload" and host.calls == ["validate", "validate", "reload"]


def test_docker_opts(host):
    wish = {"target": "docker_opts", "list_items": {"insecure-registries": {"present": ["a:5000"]}}}
    result = run(host, **wish)
    assert (result["action"], host.options.read_text()) == ("restart", 'DOCKER_OPTS="--insecure-registry=a:5000"\n')
    assert host.config["insecure-registries"] == ["a:5000"]
    assert run(host, **wish)["changed"] is False
    host.words = ["dockerd", "-H", "unix:///run/d.sock"]
    assert run(host, **wish)["restart_keys"] == ["insecure-registries"], "written but not restarted"


def test_docker_opts_needs_a_unit_that_reads_them(host):
    host.unit.write_text(host.unit.read_text().replace(" $DOCKER_OPTS", ""))
    refused(host, "does not read DOCKER_OPTS from", {"debug": True}, target="docker_opts")


def test_secrets_stay_out_of_diff_and_message(host):
    host.version = "26.1.0"
    result = run(host, {"proxies": {"https-proxy": "http://me:pa55@proxy:3128"}}, check_mode=True)
    assert "pa55" not in json.dumps(result)


JOURNAL = r"""Starting docker.service - Docker Application Container Engine...
time="2026-11-23T08:36:13Z" level=warning msg="Unable to locate plugin: nosuch, retrying in 1s"
time="2026-11-23T08:36:14Z" level=error msg="Error reconfiguring the daemon" error="invalid mirror: \"x\""
failed to start daemon: driver not supported
docker.service: Failed with result 'exit-code'.
"""


def test_the_reason_in_a_journal():
    assert reason_in(JOURNAL) == 'Error reconfiguring the daemon: invalid mirror: "x"; failed to start daemon: driver not supported'
    assert refusal_in(JOURNAL) and not refusal_in('level=error msg="Handler for GET /images/x returned error"')


@pytest.mark.parametrize(("text", "version"), [("20.10.24+dfsg1", (20, 10)), ("v29.0.1", (29, 0)), (None, None), ("dev", None)])
def test_versions(text, version):
    assert version_tuple(text) == version
