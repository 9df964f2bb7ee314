# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import grp
import os
import pwd

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _distribution_apply as apply
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_files import Owner, mended, replace

RUNNING = {"exists": True, "active": True, "enabled": True, "failed": False, "stale_unit": False, "pid": 1, "result": "success"}


@pytest.mark.parametrize(
    "have, state, reasons, expected",
    [
        ({"/c": b"1"}, RUNNING, [], ("none", [], False)),
        ({"/c": b"0"}, RUNNING, [], ("restart", ["/c"], False)),
        ({"/c": b"1"}, RUNNING, ["key changed"], ("restart", [], False)),
        ({"/c": None}, dict(RUNNING, active=False, enabled=False), [], ("start", ["/c"], True)),
        ({"/c": b"1"}, dict(RUNNING, active=False), [], ("start", [], False)),
        ({"/c": b"1"}, dict(RUNNING, enabled=False), [], ("none", [], True)),
    ],
)
def test_plan(have, state, reasons, expected):
    todo = apply.plan({"/c": b"1"}, have, state, reasons)
    assert (todo["action"], todo["writes"], todo["enable"]) == expected


class Host:
    """A service manager that does what it is told, and a registry that answers as its configuration says."""

    def __init__(self, monkeypatch, folder):
        self.commands, self.state = [], dict(RUNNING, active=False, enabled=False, exists=False)
        self.loaded = None
        self.folder = folder
        user = pwd.getpwuid(os.getuid())
        self.params = {
            "service": "distribution",
            "user": user.pw_name,
            "group": grp.getgrgid(os.getgid()).gr_name,
            "config": "config: good\nsecret: @HTTP_SECRET_KEPT_ON_THIS_HOST@\n",
            "config_path": str(folder / "etc/config.yml"),
            "http_secret_path": str(folder / "etc/http_secret"),
            "htpasswd_path": str(folder / "etc/htpasswd"),
            "unit": "unit @USER_IDS@",
            "executable": "",
            "container_image": "",
            "link": str(folder / "current"),
            "link_target": str(folder / "v1"),
            "store": str(folder / "store"),
            "watched": [],
            "health": {"tls": False, "certificate": "", "expected": 401, "mutual_tls": False},
            "trial": False,
            "timeout": 1,
        }
        monkeypatch.setattr(apply, "observe", lambda _params: {"service": dict(self.state), "restart_reasons": []})
        monkeypatch.setattr(apply, "service_state", lambda _name: dict(self.state))
        monkeypatch.setattr(apply, "journal", lambda _name: ["level=fatal"])
        monkeypatch.setattr(apply, "run", self.run)
        monkeypatch.setattr(apply, "probe", lambda _settings: self.answer())

    def answer(self):
        return {"status": 401 if b"good" in self.loaded else 200, "body": "", "served": None, "error": ""}

    def run(self, *command, timeout=0):
        self.commands.append(" ".join(command))
        words = command[1:]
        if words[0] in ("start", "restart"):
            with open(self.params["config_path"], "rb") as stream:
                self.loaded = stream.read()
            self.state["active"] = True
        elif words[0] == "enable":
            self.state["enabled"] = True
        elif words[0] == "stop":
            self.state["active"] = False
        return 0, ""

    def apply(self, check_mode=False, announced=(), **changes):
        service = apply.Service(dict(self.params, **changes))
        service.unit = str(self.folder / "etc/distribution.service")
        return service.apply(check_mode, announced)


@pytest.fixture
def host(monkeypatch, tmp_path):
    return Host(monkeypatch, tmp_path)


def snapshot(folder):
    return sorted((str(path), path.is_file() and path.read_bytes()) for path in folder.rglob("*"))


def test_check_mode_on_a_bare_host_changes_nothing_and_says_so(host, tmp_path):
    result = host.apply(check_mode=True)
    assert result["changed"] and result["action"] == "start" and not snapshot(tmp_path) and not host.commands
    assert any("config: good" in diff["after"] for diff in result["diff"])


def test_second_run_changes_nothing(host, tmp_path):
    assert host.apply()["action"] == "start"
    assert "systemctl daemon-reload" in host.commands and host.state["enabled"]
    before, host.commands[:] = snapshot(tmp_path), []
    result = host.apply()
    assert result == {"changed": False, "action": "none", "diff": [], "restart_reasons": []}
    assert snapshot(tmp_path) == before and not host.commands


def test_the_secret_is_made_once_and_stays_out_of_the_diff(host, tmp_path):
    host.apply()
    secret = (tmp_path / "etc/http_secret").read_text(encoding="ascii")
    assert len(secret) == 64 and secret in host.loaded.decode()
    result = host.apply(config=host.params["config"] + "more: 1\n")
    assert secret not in str(result) and secret in host.loaded.decode()


def test_numbers_of_the_user_stand_in_the_unit(host, tmp_path):
    host.apply()
    assert (tmp_path / "etc/distribution.service").read_text(encoding="ascii") == f"unit {os.getuid()}:{os.getgid()}"


def test_what_last_ran_well_is_put_back(host, tmp_path):
    host.apply()
    before = (tmp_path / "etc/config.yml").read_bytes()
    with pytest.raises(apply.ApplyError, match=r"authentication is off(.|\n)*put back and is running"):
        host.apply(config="config: bad\n", link_target=str(tmp_path / "v2"))
    assert (tmp_path / "etc/config.yml").read_bytes() == before == host.loaded
    assert os.readlink(tmp_path / "current") == str(tmp_path / "v1")


def test_a_killed_run_still_goes_back_to_what_ran_well(host, tmp_path):
    host.apply()
    before = (tmp_path / "etc/config.yml").read_bytes()
    (tmp_path / "etc/config.yml").write_bytes(b"config: bad\n")
    with pytest.raises(apply.ApplyError, match="put back and is running"):
        host.apply(config="config: bad too\n")
    assert (tmp_path / "etc/config.yml").read_bytes() == before


def test_nothing_to_go_back_to(host):
    with pytest.raises(apply.ApplyError, match="no earlier configuration"):
        host.apply(config="config: bad\n")
    assert host.commands[-1] == "systemctl stop distribution"


def test_the_cause_lies_elsewhere(host):
    host.apply()
    host.state["active"] = False
    host.params["health"]["expected"] = 200
    with pytest.raises(apply.ApplyError, match="look for the cause outside"):
        host.apply()


def test_an_announced_file_is_a_change_in_check_mode(host):
    host.apply()
    result = host.apply(check_mode=True, announced=["/tls.pem"])
    assert result["changed"] and result["restart_reasons"] == ["/tls.pem is to change"]
    assert not host.apply(announced=["/tls.pem"])["changed"]


def test_a_trial_that_fails_leaves_everything(host, tmp_path, monkeypatch):
    host.apply()
    before, host.commands[:] = snapshot(tmp_path), []
    monkeypatch.setattr(apply, "try_configuration", lambda *_arguments: "it ended")
    with pytest.raises(apply.ApplyError, match="not put in place and the service was left as it was: it ended"):
        host.apply(config="config: bad\n", trial=True)
    assert snapshot(tmp_path) == before and not host.commands


def test_modes_are_mended(tmp_path):
    path = tmp_path / "x"
    replace(str(path), b"x", os.getgid(), 0o640)
    rules = [(str(path), os.getuid(), os.getgid(), 0o640, False), (str(tmp_path / "none"), 0, 0, 0o600, False)]
    assert mended(rules, check_mode=True) == []
    path.chmod(0o666)
    assert mended(rules, check_mode=True) == [str(path)] and path.stat().st_mode & 0o777 == 0o666
    assert mended(rules, check_mode=False) == [str(path)] and path.stat().st_mode & 0o777 == 0o640


def test_an_owner_that_is_still_to_be_made():
    assert Owner("no-such-user", "no-such-group").ids == ""
