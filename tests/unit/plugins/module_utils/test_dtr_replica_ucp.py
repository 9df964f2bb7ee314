# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host modules' view of UCP, against the stand-in."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper import BootstrapError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_replica_ucp import Ucp
from standin.answers import Answer
from standin.routing import Route


@pytest.fixture
def ca(standin):
    return pathlib.Path(standin.ca_file).read_text(encoding="utf-8")


def answer(standin, path, made):
    routes = standin.fronts["ucp"].routes
    routes.add(Route("GET", path, "admin", lambda standin, call: made, routes.find("GET", path)[0].operation))


def test_replicas_and_the_end_of_the_session(standin, ca):
    answer(standin, "/containers/json", Answer(200, [{"Id": "c" * 64, "Names": ["/dtr-1/dtr-nginx-0123456789ab"], "State": "running",
                                                      "Image": "docker/dtr-nginx:2.7.6", "Ports": []}]))
    answer(standin, "/volumes", Answer(200, {"Volumes": [], "Warnings": []}))
    ucp = Ucp(f"https://{standin.ucp_host}/", *standin.admin, ca=ca)
    found, busy = ucp.replicas()
    assert (found["0123456789ab"]["version"], busy) == ("2.7.6", [])
    assert len(standin.store.all("session")) == 1
    ucp.close()
    assert not standin.store.all("session")


@pytest.mark.parametrize(("change", "says"), [
    ({"password": "wrong"}, "does not accept the credentials of 'admin'"),
    ({"ca": None}, "is not trusted"),
    ({"address": "127.0.0.1:9"}, "cannot be reached from here"),
    ({"ca": "no certificate"}, "ucp_ca is no PEM certificate"),
])
def test_what_goes_wrong(standin, ca, change, says):
    given = {"address": standin.ucp_host, "username": standin.admin[0], "password": standin.admin[1], "ca": ca, **change}
    address, username, password = (given.pop(name) for name in ("address", "username", "password"))
    with pytest.raises(BootstrapError, match=says):
        Ucp(address, username, password, **given).replicas()


def test_somebody_who_may_not(standin, ca):
    standin.accounts.create({"name": "ann", "password": "s3cret-of-a-user"})
    answer(standin, "/containers/json", Answer(200, []))
    with pytest.raises(BootstrapError, match="does not let 'ann' do this"):
        Ucp(standin.ucp_host, "ann", "s3cret-of-a-user", ca=ca).replicas()


def test_insecure_asks_nobody(standin):
    answer(standin, "/containers/json", Answer(200, []))
    answer(standin, "/volumes", Answer(200, {"Volumes": [], "Warnings": []}))
    ucp = Ucp(standin.ucp_host, *standin.admin, insecure=True)
    assert ucp.replicas() == ({}, [])
    ucp.close()
