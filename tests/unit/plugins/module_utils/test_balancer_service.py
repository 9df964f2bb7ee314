# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it takes to run a declared configuration, and what is left after a failure; systemd and the programs are made up."""

from __future__ import annotations

import os
import time

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _balancer_service as balancer

OURS = f"# {balancer.MARK}\nvrrp\n"


class Machine:
    """Systemd, a package manager and keepalived: C(refused) programs end with an error, C(said) keeps what was run."""

    def __init__(self):
        self.said, self.refused, self.verified, self.loaded = [], [], "", time.time()
        self.state = {"exists": True, "active": True, "failed": False, "enabled": True, "stale_unit": False}

    def run(self, *command, **options):
        text = " ".join(command)
        self.said.append(text)
        if "StateChangeTimestampMonotonic" in text:
            return 0, str(int((self.loaded - time.time() + time.monotonic()) * 1e6))
        if text.startswith("dpkg --verify"):
            return 1, self.verified
        if any(text.startswith(word) for word in self.refused):
            return 1, f"{text}: no"
        if text.startswith("systemctl re"):
            self.loaded = time.time()
        return 0, ""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    found = Machine()
    config = tmp_path / "keepalived.conf"
    monkeypatch.setattr(balancer, "run", found.run)
    monkeypatch.setattr(balancer, "service_state", lambda name: dict(found.state))
    monkeypatch.setattr(balancer, "journal", lambda *words: ["it said why"])
    monkeypatch.setitem(balancer.SERVICES["keepalived"], "config", str(config))
    monkeypatch.setattr(os, "chown", lambda *arguments: None)
    monkeypatch.setattr(balancer.time, "sleep", lambda seconds: None)
    found.config = config
    return found


def service(config=OURS, **options):
    return balancer.Service(dict({"service": "keepalived", "config": config, "files": [], "unit": "", "timeout": 1}, **options))


def keep(machine, text=OURS, age=60):
    """A configuration that was there before the service started."""
    machine.config.write_text(text)
    machine.config.chmod(0o600)
    os.utime(machine.config, (time.time() - age, time.time() - age))


def test_what_runs_as_declared_is_left_alone(machine):
    keep(machine)
    assert service().action() == "" and service().differing == []


@pytest.mark.parametrize(
    "change, action",
    [({"active": False}, "start"), ({"enabled": False}, "enable"), ({"stale_unit": True}, "restart")],
)
def test_the_service_decides_what_it_takes(machine, change, action):
    keep(machine)
    machine.state.update(change)
    assert service().action() == action


def test_a_new_text_and_a_wrong_mode_want_a_reload(machine):
    keep(machine)
    assert service(OURS + "more\n").action() == "reload"
    machine.config.chmod(0o644)
    assert service().action() == "reload"


def test_a_file_that_is_newer_than_what_runs_wants_a_reload(machine):
    keep(machine, age=-5)
    assert service().action() == "reload"
    service().apply("reload")
    assert service().action() == "", "even with a clock that was set back"


def test_a_configuration_of_others_is_known_from_the_packages(machine):
    keep(machine, "listen theirs\n")
    machine.verified = f"??5?????? c {machine.config}\n"
    assert service().foreign()
    machine.verified = ""
    assert not service().foreign()
    machine.refused = ["dpkg-query", "rpm -qf"]
    assert service().foreign(), "a file of no package is somebody's"
    keep(machine)
    assert not service().foreign()


def test_what_the_program_refuses_never_stands_in_place(machine):
    keep(machine)
    machine.refused = ["keepalived --config-test"]
    with pytest.raises(balancer.ServiceError, match=r"keepalived refuses the new configuration; the old one has been left as it was"):
        service("bad").check()
    assert machine.config.read_text() == OURS and os.listdir(machine.config.parent) == ["keepalived.conf"]


def test_what_does_not_load_is_put_back(machine):
    keep(machine)
    machine.refused = ["systemctl reload keepalived"]
    with pytest.raises(balancer.ServiceError, match=r"(?s)systemctl reload keepalived failed.*it said why.*does not run with it"):
        service(OURS + "more\n").apply("reload")
    assert machine.config.read_text() == OURS


def test_without_a_configuration_before_the_service_is_stopped(machine):
    machine.refused = ["systemctl start"]
    machine.state["active"] = False
    with pytest.raises(balancer.ServiceError, match=r"There was no configuration before; the service has been stopped"):
        service().apply("start")
    assert not machine.config.exists() and "systemctl stop keepalived" in machine.said


def test_a_failed_service_is_not_waited_for(machine):
    keep(machine)
    machine.state["failed"] = True
    with pytest.raises(balancer.ServiceError, match=r"keepalived does not run with the new configuration: it is not active"):
        service(OURS + "more\n").apply("reload")


def test_the_error_is_told_though_much_was_said_after_it(machine, monkeypatch):
    keep(machine)
    machine.state["failed"] = True
    said = ["older", "[ALERT] cannot bind socket [0.0.0.0:8080]", *(f"Resumed proxy {number}." for number in range(12))]
    monkeypatch.setattr(balancer, "journal", lambda name, lines: said[-lines:])
    with pytest.raises(balancer.ServiceError, match=r"cannot bind socket \[0\.0\.0\.0:8080\]\nResumed proxy 4") as raised:
        service(OURS + "more\n").apply("reload")
    assert "older" not in str(raised.value)


def test_files_of_the_configuration_are_replaced_by_name(machine, tmp_path, monkeypatch):
    keep(machine)
    monkeypatch.setitem(balancer.SERVICES["keepalived"], "extra", str(tmp_path / "ca-*.pem"))
    old, new = tmp_path / "ca-1.pem", tmp_path / "ca-2.pem"
    old.write_text("old")
    wanted = service(OURS + "more\n", files=[{"path": str(new), "content": "new"}])
    wanted.check()
    assert old.exists() and new.read_text() == "new", "the running configuration reads the old one"
    wanted.apply("reload")
    assert not old.exists() and new.exists()


def test_a_refused_configuration_leaves_no_file_of_its_own(machine, tmp_path):
    keep(machine)
    machine.refused = ["keepalived --config-test"]
    new = tmp_path / "ca-2.pem"
    with pytest.raises(balancer.ServiceError):
        service("bad", files=[{"path": str(new), "content": "new"}]).check()
    assert not new.exists()


def test_when_a_process_started():
    assert abs(balancer.started(os.getpid()) - time.time()) < 3600 and balancer.started(1) < balancer.started(os.getpid())


def test_versions(monkeypatch):
    for text, version in (("HAProxy version 2.6.12-1+deb12u3 2025/10/03", (2, 6)), ("HA-Proxy version 1.8.27-493ce0b", (1, 8)), ("?", ())):
        monkeypatch.setattr(balancer, "run", lambda *words, said=text: (0, said))
        assert balancer.haproxy_version() == version
