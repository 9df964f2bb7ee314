# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from functools import partial

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _registry_trust_host as layer
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_files import ANCHOR, CONF, Places, desired_state
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_plan import Plan, make_plan
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_rules import DIALECTS, registry_of


class Killed(BaseException):
    """Stands for a SIGKILL: no handler of the code under test may survive it."""


class Fuse:
    """Kills at the n-th change of the file system and at every one after it."""

    def __init__(self, patch, fatal):
        self.left = fatal
        for name in ("rename", "unlink", "mkdir", "rmdir", "chmod"):
            patch.setattr(os, name, self.guarded(getattr(os, name)))

    def guarded(self, function):
        def step(*args, **kwargs):
            self.left -= 1
            if self.left <= 0:
                raise Killed
            return function(*args, **kwargs)

        return step


def entry(host="r.example.com", serial="1", **more):
    pair = {"client_certificate": f"cert {serial}", "client_key": f"key {serial}"}
    ca = f"-----BEGIN CERTIFICATE-----\n{serial}\n-----END CERTIFICATE-----"
    return registry_of({"host": host, "port": 5000, "ca": ca, **pair, **more})


@pytest.fixture
def run(tmp_path):
    def go(*registries, dialects=DIALECTS):
        places = Places(f"{tmp_path}/docker/certs.d", f"{tmp_path}/containers", f"{tmp_path}/containerd", f"{tmp_path}/anchors")
        desired = desired_state(list(registries), [], list(dialects), places)
        path = f"{tmp_path}/lib/registry_trust.json"
        record = layer.load_record(path)
        plan = make_plan(desired, record, layer.look(desired, record), "daemon_json")
        if plan.changed:
            layer.apply(plan, path)
            layer.save_record(path, plan.after)
        return plan

    return go


def tree(directory):
    found = {}
    for parent, _directories, names in os.walk(directory):
        for name in names:
            with open(os.path.join(parent, name), encoding="utf-8") as stream:
                found[os.path.relpath(os.path.join(parent, name), directory)] = stream.read()
    return found


def pair_of(directory):
    if not os.path.isdir(directory):
        return None
    names = set(os.listdir(directory))
    assert ("client.cert" in names) == ("client.key" in names), names
    if "client.key" not in names:
        return None
    serials = []
    for name in ("client.cert", "client.key"):
        with open(os.path.join(directory, name), encoding="utf-8") as stream:
            serials.append(stream.read().split()[1])
    return tuple(serials)


def test_written_once_with_tight_modes_and_undone_without_a_trace(run, tmp_path):
    umask = os.umask(0o077)
    try:
        assert run(entry()).changed
    finally:
        os.umask(umask)
    own = tmp_path / "docker/certs.d/r.example.com:5000"
    assert [oct(os.stat(own / name).st_mode & 0o777) for name in ("ca.crt", "client.cert", "client.key")] == ["0o644", "0o644", "0o600"]
    assert oct(os.stat(own).st_mode & 0o777) == "0o755"
    assert oct(os.stat(tmp_path / "lib/registry_trust.json").st_mode & 0o777) == "0o600"
    assert not run(entry()).changed
    assert run().changed
    assert os.listdir(tmp_path) == []
    assert not run().changed


def test_files_of_others_stay_when_ours_come_change_and_go(run, tmp_path):
    own = tmp_path / "docker/certs.d/r.example.com:5000"
    own.mkdir(parents=True)
    (own / "theirs.crt").write_text("theirs")
    (own / "link.crt").symlink_to("/nowhere")
    (own / "directory").mkdir()
    (own / "directory" / "deep").write_text("deep")
    inode = os.stat(own / "theirs.crt").st_ino
    run(entry())
    run(entry(serial="2"))
    assert pair_of(own) == ("2", "2")
    run()
    assert sorted(os.listdir(own)) == ["directory", "link.crt", "theirs.crt"]
    assert os.stat(own / "theirs.crt").st_ino == inode
    assert (own / "directory" / "deep").read_text() == "deep"
    assert os.readlink(own / "link.crt") == "/nowhere"


def test_what_others_wrote_in_our_place_is_kept_as_a_copy(run, tmp_path):
    own = tmp_path / "docker/certs.d/r.example.com:5000"
    own.mkdir(parents=True)
    (own / "ca.crt").write_text("theirs")
    plan = run(entry())
    assert plan.warnings
    (copy,) = (tmp_path / "lib/registry_trust.replaced").iterdir()
    assert copy.read_text() == "theirs" and oct(copy.stat().st_mode & 0o777) == "0o600"


def test_a_symlink_in_our_place_is_replaced_and_its_target_left_alone(run, tmp_path):
    elsewhere = tmp_path / "elsewhere.crt"
    elsewhere.write_text("theirs")
    own = tmp_path / "docker/certs.d/r.example.com:5000"
    own.mkdir(parents=True)
    (own / "ca.crt").symlink_to(elsewhere)
    run(entry())
    assert not (own / "ca.crt").is_symlink() and elsewhere.read_text() == "theirs"
    assert not run(entry()).changed


@pytest.mark.parametrize("swap", [True, False], ids=["exchange", "without exchange"])
def test_killed_anywhere_the_next_run_mends_it(run, tmp_path, monkeypatch, swap):
    """Old list, new list, kill after the n-th change of the file system, run again: always the same end."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    if not swap:
        monkeypatch.setattr(layer, "exchange", lambda first, second: False)
    own = tmp_path / "docker/certs.d/r.example.com:5000"
    old = [entry(), entry("gone.example.com")]
    new = [entry(serial="2"), entry("new.example.com", serial="3")]
    trust = partial(run, dialects=("docker", "system"))
    trust(*new)
    wanted = tree(tmp_path)
    trust()
    for fatal in range(1, 200):
        trust(*old)
        with monkeypatch.context() as patch:
            Fuse(patch, fatal)
            try:
                trust(*new)
                survived = True
            except Killed:
                survived = False
        if swap:
            assert pair_of(own) in (("1", "1"), ("2", "2"))
        plan = trust(*new)
        assert not plan.keep_copy
        assert tree(tmp_path) == wanted
        trust()
        assert os.listdir(tmp_path) == []
        if survived:
            break
    assert survived and fatal > 20


def test_an_unreadable_record_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "record.json"
    for text in ("{", '{"version": 2}', "[]"):
        path.write_text(text)
        with pytest.raises(layer.TrustError, match="Restore it from a backup"):
            layer.load_record(str(path))


@pytest.mark.parametrize(
    "text, expected",
    [
        (None, "io.containerd.grpc.v1.cri"),
        ('version = 3\n[plugins."io.containerd.cri.v1.images"]\n', "io.containerd.cri.v1.images"),
        ('# config_path = "/etc/containerd/certs.d"\n', "config_path"),
        ('config_path = "/elsewhere"\n', "config_path"),
        ('config_path = "/etc/containerd/certs.d"\n', None),
        ('  config_path = "/etc/containerd/certs.d:/etc/docker/certs.d" # both\n', None),
        ('disabled_plugins = ["cri"]\n', None),
    ],
)
def test_containerd_that_would_not_read_the_files_is_said_so(text, expected):
    warning = layer.containerd_warning(text, "/etc/containerd/certs.d")
    assert warning is None if expected is None else expected in warning


def recorder(codes=None):
    calls = []

    def run_command(argv):
        calls.append(argv)
        return (codes or {}).get(argv[0], 0), "", "broken"

    return calls, run_command


def test_the_store_is_rebuilt_and_cri_o_reloaded_only_where_they_are(monkeypatch, tmp_path):
    monkeypatch.setattr(layer, "STORES", ((str(tmp_path), "update-ca-certificates"),))
    calls, run_command = recorder()
    layer.announce([ANCHOR], Plan(), [], lambda name: name, run_command)
    layer.announce([ANCHOR], Plan(remove={"/x.crt": ANCHOR}), [], lambda name: name, run_command)
    layer.announce([CONF], Plan(), [], lambda name: None, run_command)
    layer.announce([CONF], Plan(), [], lambda name: name, run_command)
    assert calls == [
        ["update-ca-certificates"],
        ["update-ca-certificates", "--fresh"],
        ["systemctl", "is-active", "--quiet", "crio"],
        ["systemctl", "reload", "crio"],
    ]


def test_a_failed_update_is_an_error_with_its_output(monkeypatch, tmp_path):
    monkeypatch.setattr(layer, "STORES", ((str(tmp_path), "update-ca-trust"),))
    _calls, run_command = recorder({"update-ca-trust": 3})
    with pytest.raises(layer.TrustError, match="update-ca-trust failed with exit status 3: broken"):
        layer.announce([ANCHOR], Plan(), [], lambda name: name, run_command)
