# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""backup and restore of docker/dtr and docker/ucp: no terminal where the archive flows, and nothing restored beside what is there."""

from __future__ import annotations

import io
import sys

import pytest
from dtr_world import FIRST, World
from standin.dtr_tool import archive
from standin.dtr_tool.commands import backup as dtr_backup
from standin.dtr_tool.commands import restore as dtr_restore
from standin.dtr_tool.errors import Fatal
from standin.ucp_node import layout
from standin.ucp_tool.commands import backup as ucp_backup
from standin.ucp_tool.commands import restore as ucp_restore

DTR_EXPORT = {"documents": {"settings": {"dtr": {}}, "tls": {}, "cluster": {"cluster": {"version": "2.7.6"}}},
              "authority": {"ca.pem": "CA", "ca-key.pem": "KEY"}}


class Stream(io.StringIO):
    """stdin or stdout, a terminal or not."""

    def __init__(self, terminal=False, data=b""):
        super().__init__()
        self.terminal, self.buffer = terminal, io.BytesIO(data)

    def isatty(self):
        return self.terminal


class UcpRun:
    """A run of docker/ucp on a manager; left: containers that are there."""

    def __init__(self, left=(), service=None, **values):
        self.left, self.values, self.found = left, {"interactive": False, "file": "", **values}, service
        self.engine = self

    def __getitem__(self, flag):
        return self.values[flag]

    def container(self, name):
        return {"Name": f"/{name}"} if name in self.left else None

    def service(self):
        return self.found

    def demand_ucp(self):
        return {}


MANAGER = {"Name": "ucp-1", "Swarm": {"ControlAvailable": True, "LocalNodeState": "active"}}
OUTSIDE = {"Name": "ucp-1", "Swarm": {"ControlAvailable": False, "LocalNodeState": "inactive"}}


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


@pytest.fixture
def saved():
    stream = io.BytesIO()
    archive.write(stream, DTR_EXPORT, "2.7.6")
    return stream.getvalue()


def test_no_terminal_where_a_backup_of_dtr_flows(world, monkeypatch):
    world.replica(FIRST, "dtr-1")
    monkeypatch.setattr(sys, "stdout", Stream(terminal=True))
    assert "without -t" in world.refused(dtr_backup, existing_replica_id=FIRST)
    monkeypatch.setattr(sys, "stdin", Stream(terminal=True))
    assert "with -i, without -t" in world.refused(dtr_restore, ucp_node="dtr-1", dtr_use_default_storage=True)


def test_no_terminal_where_a_backup_of_ucp_flows(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Stream(terminal=True))
    with pytest.raises(Fatal, match="run without -t"):
        ucp_backup.run(UcpRun(**{"passphrase": "", "no-passphrase": True}))
    monkeypatch.setattr(sys, "stdin", Stream(terminal=True))
    with pytest.raises(Fatal, match="with -i, without -t"):
        ucp_restore.read(UcpRun())


def test_dtr_is_not_restored_beside_a_dtr(world, saved, monkeypatch):
    world.replica(FIRST, "dtr-1")
    monkeypatch.setattr(sys, "stdin", Stream(data=saved))
    message = world.refused(dtr_restore, ucp_node="dtr-2", dtr_use_default_storage=True)
    assert FIRST in message and "Run `destroy` for each of them first" in message


@pytest.mark.parametrize(("left", "service", "info"), [
    ((), {"ID": "x"}, MANAGER), ((layout.PROXY,), None, MANAGER), ((layout.CONTROLLER,), None, OUTSIDE),
])
def test_ucp_is_not_restored_over_what_is_left_of_one(left, service, info):
    with pytest.raises(Fatal, match="run `uninstall-ucp` first"):
        ucp_restore.refuse_existing(UcpRun(left, service), info)
    ucp_restore.refuse_existing(UcpRun(), info)
