# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers are drained and come back, and what is in the way is told."""

from __future__ import annotations

import os
import threading
import time

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _haproxy as haproxy
from ansible_collections.dockyard.trusted_registry.plugins.modules.haproxy_info import grouped
from ansible_collections.dockyard.trusted_registry.plugins.modules.haproxy_server import Server
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.modules.haproxy_socket import HaproxySocket


@pytest.fixture
def haproxy_socket(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "chown", lambda *arguments: None)
    # Names of sockets are short.
    monkeypatch.chdir(tmp_path)
    found = HaproxySocket("s")
    yield found
    found.close()


def server(state, **options):
    given = {
        "name": "one",
        "backends": [],
        "state": state,
        "timeout": 5,
        "close_sessions": False,
        "allow_last": False,
        "socket": "s",
        "master_socket": "s",
        "kept_file": os.path.abspath("drained"),
    }
    return Server(dict(given, **options))


def run(state, **options):
    """Changed, and the rows of the server afterwards."""
    found = server(state, **options)
    changed = found.apply()
    found.wait()
    return changed, found.now()


def test_a_drain_is_set_in_every_backend_and_written_down(haproxy_socket):
    changed, rows = run("drained")
    assert changed and [(row["backend"], row["status"], row["drained"]) for row in rows] == [("dtr", "DRAIN", True), ("web", "DRAIN", True)]
    text = haproxy.read_kept("drained")
    assert text.startswith("1\n# be_id ") and haproxy.drained_in(text) == {("dtr", "one", 8), ("web", "one", 8)}
    assert os.stat("drained").st_mode & 0o777 == 0o600
    changes = haproxy_socket.changes
    assert run("drained")[0] is False and haproxy_socket.changes == changes


def test_a_drain_in_one_backend_leaves_the_others(haproxy_socket):
    run("drained", backends=["web"])
    assert haproxy_socket.servers["dtr", "one"]["admin"] == 0 and haproxy_socket.servers["web", "one"]["admin"] == 8


def test_what_a_killed_run_did_not_write_down_is_written_by_the_next(haproxy_socket):
    run("drained")
    os.unlink("drained")
    assert run("drained")[0] is True and haproxy.drained_in(haproxy.read_kept("drained"))
    assert run("drained")[0] is False


def test_ready_is_written_down_too(haproxy_socket):
    run("drained")
    changed, rows = run("ready")
    assert changed and all(row["up"] for row in rows)
    assert haproxy.drained_in(haproxy.read_kept("drained")) == set()
    assert run("ready")[0] is False


def test_who_others_drained_stays_written_down(haproxy_socket):
    run("drained", backends=["dtr"])
    haproxy_socket.servers["web", "two"]["admin"] = haproxy.MAINTENANCE
    run("ready")
    assert haproxy.drained_in(haproxy.read_kept("drained")) == {("web", "two", haproxy.MAINTENANCE)}


def test_a_drain_waits_for_sessions_of_older_workers(haproxy_socket):
    haproxy_socket.older[476] = {("dtr", "one"): 1}
    threading.Timer(1.2, haproxy_socket.older.clear).start()
    begun = time.monotonic()
    run("drained")
    assert time.monotonic() - begun > 1


def test_what_does_not_end_is_told_and_stays_drained(haproxy_socket):
    haproxy_socket.servers["dtr", "one"]["sessions"] = 2
    haproxy_socket.older[476] = {("dtr", "one"): 1}
    with pytest.raises(haproxy.HaproxyError, match=r"one is drained, but 3 of its connections did not end within 1 s. It stays drained"):
        run("drained", timeout=1)
    assert haproxy_socket.servers["dtr", "one"]["admin"] == 8
    found = server("drained", timeout=1, close_sessions=True)
    found.apply()
    found.wait()
    assert found.closed == 3 and haproxy_socket.servers["dtr", "one"]["sessions"] == 0 and haproxy_socket.older[476] == {}


def test_without_time_nothing_is_waited_for(haproxy_socket):
    haproxy_socket.servers["dtr", "one"]["sessions"] = 2
    assert run("drained", timeout=0)[0]


def test_the_last_server_is_kept_unless_said(haproxy_socket):
    haproxy_socket.servers["web", "two"]["up"] = False
    with pytest.raises(haproxy.HaproxyError, match=r"one is the last server that is up in web: .* Nothing was changed"):
        run("drained")
    assert haproxy_socket.changes == 0
    assert run("drained", allow_last=True)[0]


def test_a_server_that_is_down_may_be_drained_whatever_the_others_do(haproxy_socket):
    for found in haproxy_socket.servers.values():
        found["up"] = False
    assert run("drained")[0]


def test_ready_says_what_the_checks_say(haproxy_socket):
    run("drained")
    haproxy_socket.servers["dtr", "one"]["up"] = False
    with pytest.raises(haproxy.HaproxyError, match=r"did not within 1 s \(dtr: DOWN, L7STS 503\); look at the server"):
        run("ready", timeout=1)


def test_a_name_that_haproxy_does_not_have_is_told_with_those_it_has(haproxy_socket):
    with pytest.raises(haproxy.HaproxyError, match=r"no server three in HAProxy, which has dtr/one, dtr/two, web/one, web/two"):
        server("drained", name="three")
    with pytest.raises(haproxy.HaproxyError, match="no server one in mail in HAProxy"):
        server("drained", backends=["mail"])


def test_a_socket_that_nobody_serves_is_told(tmp_path):
    with pytest.raises(haproxy.HaproxyError, match=r"does not answer at /nonexistent/s: .*; see systemctl status haproxy"):
        haproxy.ask("/nonexistent/s", "show stat")


def test_a_refusal_of_haproxy_is_told(haproxy_socket):
    with pytest.raises(haproxy.HaproxyError, match="refused 'set server dtr/three state drain': No such server"):
        haproxy.command("set server dtr/three state drain", "s")


def test_a_worker_that_ends_between_two_questions_counts_nothing(haproxy_socket):
    haproxy_socket.older[476] = {("dtr", "one"): 1}
    asked = haproxy_socket.answer
    haproxy_socket.answer = lambda command: "Can't connect to the target CLI!\n" if command.startswith("@!") else asked(command)
    assert haproxy.sessions({("dtr", "one")}, "s", "s") == 0


def test_servers_by_backend(haproxy_socket):
    haproxy_socket.servers["dtr", "two"]["up"] = False
    found = grouped(haproxy.servers("s"))
    assert {name: backend["up"] for name, backend in found.items()} == {"dtr": 1, "web": 2}
    assert found["dtr"]["servers"]["two"]["check"] == "L7STS 503"
