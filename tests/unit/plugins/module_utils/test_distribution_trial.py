# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import grp
import os
import pwd

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _distribution_trial as trial
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_files import Owner

# A registry that answers with the status its configuration names, on the socket the trial gives it.
REGISTRY = """#!/usr/bin/env python3
import os, socket, sys
status = open(sys.argv[2]).read().strip()
if status == "fatal":
    print("level=info msg=starting")
    print("level=fatal msg=cannot")
    sys.exit(3)
server = socket.socket(socket.AF_UNIX)
server.bind(os.environ["REGISTRY_HTTP_ADDR"])
server.listen()
while True:
    client = server.accept()[0]
    client.recv(1000)
    client.sendall(f"HTTP/1.1 {status} X\\r\\nContent-Length: 2\\r\\n\\r\\nno".encode())
    client.close()
"""


@pytest.fixture
def attempt(tmp_path, monkeypatch):
    # Only root may give up its groups.
    monkeypatch.setattr(os, "setgroups", lambda _groups: None)
    binary, directory = tmp_path / "registry", tmp_path / "etc"
    binary.write_text(REGISTRY, encoding="utf-8")
    binary.chmod(0o755)
    directory.mkdir()
    owner = Owner(pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name)

    def run(status, remote_store=False):
        params = {
            "trial_executable": str(binary),
            "remote_store": remote_store,
            "health": {"tls": False, "name": "r", "prefix": "/", "expected": 401, "mutual_tls": False},
        }
        found = trial.try_configuration(params, status.encode(), owner, str(directory))
        # Nothing is left behind, whatever came of it.
        assert not list(directory.iterdir())
        return found

    return run


def test_a_good_configuration(attempt):
    assert attempt("401") == ""


def test_a_registry_that_ends_tells_why(attempt):
    assert attempt("fatal") == "the registry ended with code 3\nlevel=fatal msg=cannot"


def test_a_store_that_does_not_answer(attempt, monkeypatch):
    monkeypatch.setattr(trial, "_REMOTE_STORE", 0.2)
    assert "503 instead of 401: no" in attempt("503", remote_store=True)


def test_an_answer_that_stays_wrong(attempt, monkeypatch):
    monkeypatch.setattr(trial, "_START", 0.3)
    assert "authentication is off" in attempt("200")


def test_the_last_lines_when_none_tells():
    assert trial.telling("a\nb\n") == ["a", "b"]
    assert trial.telling("x level=info\npanic: no\n") == ["panic: no"]
