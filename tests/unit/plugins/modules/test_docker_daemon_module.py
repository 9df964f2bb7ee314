# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_engine import EngineError
from ansible_collections.dockyard.trusted_registry.plugins.modules import docker_daemon


class Exit(Exception):
    def __init__(self, failed, result):
        super().__init__(result)
        self.failed, self.result = failed, result


class FakeModule:
    """As much of AnsibleModule as the module uses."""

    run_command = atomic_move = tmpdir = None
    check_mode = False

    def __init__(self, argument_spec, supports_check_mode):
        self.params = {name: option.get("default") for name, option in argument_spec.items()}
        self.params["config"] = {"proxies": {"https-proxy": "http://me:pa55@proxy:3128"}}
        self.no_log_values = set()

    def exit_json(self, **result):
        raise Exit(False, dict(result, hidden=self.no_log_values))

    def fail_json(self, **result):
        raise Exit(True, dict(result, hidden=self.no_log_values))


class FakeDaemon:
    errors = ()

    def __init__(self, *arguments):
        self.result = {"changed": True, "action": "restart"}

    def run(self):
        for error in self.errors:
            raise error
        return self.result


@pytest.fixture
def run(monkeypatch):
    def run(error=None, systemd=True):
        monkeypatch.setattr(docker_daemon, "AnsibleModule", FakeModule)
        monkeypatch.setattr(docker_daemon, "DockerDaemon", FakeDaemon)
        monkeypatch.setattr(FakeDaemon, "errors", [error] if error else [])
        monkeypatch.setattr(docker_daemon.os.path, "isdir", lambda path: systemd)
        with pytest.raises(Exit) as end:
            docker_daemon.main()
        return end.value.failed, end.value.result

    return run


def test_a_password_in_the_configuration_is_kept_out_of_the_invocation(run):
    failed, result = run()
    assert not failed and result["hidden"] == {"me:pa55"}


@pytest.mark.parametrize("error", [EngineError("no"), PermissionError(13, "Permission denied", "/etc/docker")])
def test_a_failure_is_one_message_and_no_change(run, error):
    failed, result = run(error)
    assert failed and result["msg"] == str(error) and result["changed"] is False and result["action"] == "restart"


def test_a_host_without_systemd_is_refused(run):
    failed, result = run(systemd=False)
    assert failed and "does not run systemd" in result["msg"]
