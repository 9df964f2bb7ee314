# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pwd
import stat
import time

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _certificate_files as files
from ansible_collections.dockyard.trusted_registry.plugins.modules import certificate_files
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.certificate_factory import authority, make

ROOT = authority()
OLD = make("old", ROOT, ["web.test"])
NEW = make("new", ROOT, ["web.test"])


class Module:
    """As much of AnsibleModule as the module uses."""

    def __init__(self, tmpdir, check_mode=False, systemctl=None, **params):
        checked = ArgumentSpecValidator(certificate_files.ARGUMENTS).validate(params)
        assert not checked.error_messages, checked.error_messages
        self.params, self.check_mode, self.tmpdir = checked.validated_parameters, check_mode, str(tmpdir)
        self.systemctl, self.warnings, self.commands = systemctl, [], []

    def warn(self, message):
        self.warnings.append(message)

    def get_bin_path(self, name):
        return name if self.systemctl is not None else None

    def run_command(self, command):
        self.commands.append(command)
        return 0, self.systemctl, ""


@pytest.fixture
def place(tmp_path):
    """deploy(pair, ...) into a directory of its own."""

    class Place:
        directory = tmp_path / "etc"
        scratch = tmp_path / "tmp"
        certificate = directory / "certificate.pem"
        key = directory / "key.pem"
        ca = directory / "ca.pem"
        module = None

        def one(self, pair, **more):
            return dict(
                {
                    "name": "web",
                    "certificate": pair.pem,
                    "certificate_path": str(self.certificate),
                    "key": pair.key_pem(),
                    "key_path": str(self.key),
                    "ca": ROOT.pem,
                    "ca_path": str(self.ca),
                    "services": ["web"],
                },
                **more
            )

        def deploy(self, pair, check_mode=False, systemctl=None, backup=True, **more):
            self.module = Module(self.scratch, check_mode, systemctl, sets=[self.one(pair, **more)], backup=backup)
            result = certificate_files.deploy(self.module)
            assert os.listdir(self.scratch) == []
            assert not [name for name in self.names() if name.startswith(".certificate-")]
            return result

        def names(self):
            return sorted(os.listdir(self.directory)) if self.directory.exists() else []

    Place.scratch.mkdir()
    return Place()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_first_deployment(place):
    result = place.deploy(OLD)
    assert result["changed"] and result["services"] == ["web"] and result["backup_files"] == []
    assert place.names() == ["ca.pem", "certificate.pem", "key.pem"]
    assert (mode(place.key), mode(place.certificate), mode(place.ca)) == (0o600, 0o644, 0o644)
    assert place.key.read_text() == OLD.key_pem()


def test_second_deployment_changes_nothing(place):
    place.deploy(OLD)
    before = os.stat(place.key).st_ino
    result = place.deploy(OLD)
    assert (result["changed"], result["services"], result["files"]) == (False, [], [])
    assert result["diff"] == {"before": {}, "after": {}}
    assert os.stat(place.key).st_ino == before


def test_replacement_keeps_backups_with_one_stamp_and_the_mode(place):
    place.deploy(OLD)
    result = place.deploy(NEW)
    assert len(result["backup_files"]) == 2
    assert len({path.rsplit(".", 1)[1] for path in result["backup_files"]}) == 1
    key = next(path for path in result["backup_files"] if "key" in path)
    assert mode(key) == 0o600
    with open(key) as handle:
        assert handle.read() == OLD.key_pem()
    assert place.certificate.read_text() == NEW.pem


def test_no_backup_on_request(place):
    place.deploy(OLD)
    assert place.deploy(NEW, backup=False)["backup_files"] == []
    assert place.names() == ["ca.pem", "certificate.pem", "key.pem"]


def test_check_mode_predicts_and_writes_nothing(place):
    assert place.deploy(OLD, check_mode=True)["changed"]
    assert place.names() == []
    place.deploy(OLD)
    result = place.deploy(NEW, check_mode=True)
    assert result["changed"] and result["services"] == ["web"]
    assert place.certificate.read_text() == OLD.pem
    assert len(place.names()) == 3


def test_key_of_another_certificate_changes_nothing_in_check_mode_either(place):
    place.deploy(OLD)
    for check_mode in (True, False):
        with pytest.raises(files.FilesError, match=r"web: TLS cannot load this key.*KEY_VALUES_MISMATCH.*nothing was changed"):
            place.deploy(NEW, check_mode=check_mode, key=OLD.key_pem())
    assert place.certificate.read_text() == OLD.pem
    assert len(place.names()) == 3


def test_encrypted_key_does_not_ask_on_the_terminal(place):
    with pytest.raises(files.FilesError, match="TLS cannot load"):
        place.deploy(OLD, key=OLD.key_pem("secret"))
    assert place.deploy(OLD, key=OLD.key_pem("secret"), key_passphrase="secret")["changed"]


def test_diff_shows_fingerprints_and_no_key(place):
    place.deploy(OLD)
    result = place.deploy(NEW)
    shown = repr(result)
    for line in OLD.key_pem().splitlines()[1:-1] + NEW.key_pem().splitlines()[1:-1]:
        assert line not in shown
    before, after = result["diff"]["before"], result["diff"]["after"]
    assert before[str(place.key)]["content"] == ["private key"]
    assert after[str(place.key)]["content"] == ["another private key"]
    assert before[str(place.certificate)]["content"][0].startswith("sha256:")
    assert before[str(place.certificate)] != after[str(place.certificate)]
    assert str(place.ca) not in after


def test_mode_alone_changes_without_restart_or_backup(place):
    place.deploy(OLD)
    os.chmod(place.key, 0o644)
    result = place.deploy(OLD)
    assert result["files"] == [str(place.key)] and result["services"] == [] and result["backup_files"] == []
    assert mode(place.key) == 0o600
    assert place.deploy(OLD, key_mode="0640")["changed"]
    assert mode(place.key) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owner(place):
    nobody = pwd.getpwnam("nobody")
    place.deploy(OLD, owner="nobody", group=str(nobody.pw_gid))
    assert (os.stat(place.key).st_uid, os.stat(place.key).st_gid) == (nobody.pw_uid, nobody.pw_gid)
    assert not place.deploy(OLD)["changed"]
    place.deploy(NEW)
    assert os.stat(place.key).st_uid == nobody.pw_uid
    assert os.stat(next(place.directory.glob("key.pem.*~"))).st_uid == nobody.pw_uid


def test_unknown_owner(place):
    with pytest.raises(files.FilesError, match='web: the user "nosuchuser" does not exist on this host; create it'):
        place.deploy(OLD, owner="nosuchuser")
    assert place.names() == []
    assert place.deploy(OLD, owner="nosuchuser", check_mode=True)["changed"]
    assert "nosuchuser" in place.module.warnings[0]


def test_one_file_for_both(place):
    result = place.deploy(OLD, key_path=str(place.certificate))
    assert place.certificate.read_text() == OLD.pem + OLD.key_pem()
    assert mode(place.certificate) == 0o600
    assert result["diff"]["after"][str(place.certificate)]["content"][1] == "private key"


def test_failing_rename_puts_everything_back(place, monkeypatch):
    place.deploy(OLD)
    real, count = os.replace, []

    def replace(source, target):
        count.append(target)
        if len(count) == 2:
            raise OSError(30, "Read-only file system", target)
        real(source, target)

    monkeypatch.setattr(files.os, "replace", replace)
    with pytest.raises(files.FilesError, match="Read-only file system; the files are as they were"):
        place.deploy(NEW)
    assert place.key.read_text() == OLD.key_pem() and place.certificate.read_text() == OLD.pem
    assert place.names() == ["ca.pem", "certificate.pem", "key.pem"]


def test_symlink_stays_and_its_target_is_replaced(place):
    place.deploy(OLD)
    elsewhere = place.directory / "real.pem"
    os.rename(place.key, elsewhere)
    os.symlink(elsewhere, place.key)
    place.deploy(NEW)
    assert place.key.is_symlink() and elsewhere.read_text() == NEW.key_pem()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"key_mode": "rw"}, "mode rw is not octal"),
        ({"ca_path": "{key}"}, "is the target of two files"),
        ({"ca_path": "{directory}"}, "is not a file"),
        ({"ca_path": "{key}/ca.pem"}, "a part of the path is a file"),
    ],
)
def test_bad_input(place, change, message):
    place.deploy(OLD)
    change = {name: value.format(key=place.key, directory=place.directory) for name, value in change.items()}
    with pytest.raises(files.FilesError, match=message):
        place.deploy(NEW, **change)


def systemctl(state, age):
    """What systemctl shows of a service whose state changed `age` seconds ago."""
    changed = (time.clock_gettime(time.CLOCK_MONOTONIC) - age) * 1e6
    return f"LoadState=loaded\nActiveState={state}\nStateChangeTimestampMonotonic={changed:.0f}\n"


@pytest.mark.parametrize(
    "state, age, expected", [("active", 60, ["web"]), ("active", -60, []), ("inactive", 60, []), ("failed", 60, [])]
)
def test_service_that_a_killed_run_left_behind(place, state, age, expected):
    place.deploy(OLD)
    result = place.deploy(OLD, systemctl=systemctl(state, age))
    assert (result["changed"], result["services"]) == (False, expected)
    assert place.module.commands[0][-1] == "web.service"
