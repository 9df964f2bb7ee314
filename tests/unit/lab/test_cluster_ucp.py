# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A UCP of three managers: health, sessions and bundles, whichever manager is asked and whichever one dies."""

from __future__ import annotations

import io
import pathlib
import time
import zipfile

import pytest
import requests
from cluster_site import READY, eventually, ucp_cluster
from standin.cluster import pki
from standin.tls import Authority
from standin_fixture import PASSWORD, Client


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    cluster = ucp_cluster(tmp_path_factory.mktemp("ucp") / "cluster", 3)
    yield cluster
    cluster.stop()


@pytest.fixture
def ucp(shared):
    for replica in shared.replicas:
        eventually(lambda replica=replica: requests.get(f"{replica.url}/_ping", verify=shared.ca_file, timeout=5).text == "OK", READY)
    eventually(lambda: token(shared))
    return shared


def api(cluster, number: int = 0) -> Client:
    return Client(cluster.replicas[number].url, cluster.ca_file)


def token(cluster, number: int = 0) -> dict:
    """A header with a new session."""
    login = api(cluster, number)("POST", "/auth/login", json={"username": "admin", "password": PASSWORD})
    return {"Authorization": f"Bearer {login.json()['auth_token']}"}


def test_health_is_asked_with_get(ucp):
    assert requests.head(f"{ucp.replicas[1].url}/_ping", verify=ucp.ca_file, timeout=5).status_code == 404


def test_a_session_counts_at_every_manager(ucp):
    session = token(ucp, 0)
    for number in range(3):
        assert api(ucp, number)("GET", "/id/", headers=session).json()["name"] == "admin"


def test_a_bundle_is_recognized_behind_the_front(ucp, tmp_path):
    content = api(ucp)("GET", "/api/clientbundle", headers=token(ucp)).content
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path)
    pair = (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    answer = requests.get(f"{ucp.replicas[1].url}/id/", cert=pair, verify=str(tmp_path / "ca.pem"), timeout=9)
    assert answer.json()["name"] == "admin"
    assert requests.get(f"{ucp.replicas[1].url}/ca", verify=ucp.ca_file, timeout=9).text == (tmp_path / "ca.pem").read_text()


def test_a_session_outlives_its_leader(ucp):
    session, leader = token(ucp), ucp.leader()
    ucp.keeper.replicas.remove(leader)
    leader.kill("backend", "member")
    other = next(number for number, replica in enumerate(ucp.replicas) if replica is not leader)
    killed = time.monotonic()
    eventually(lambda: requests.get(f"{leader.url}/_ping", verify=ucp.ca_file, timeout=5).status_code == 500)
    eventually(lambda: api(ucp, other)("GET", "/id/", headers=session))
    assert time.monotonic() - killed < READY
    assert ucp.leader() is not leader
    ucp.keeper.replicas.append(leader)
    leader.start("backend", "member")


def test_files_of_a_new_certificate_are_served(ucp, tmp_path):
    own, folder = Authority(tmp_path, "Somebody's CA"), pathlib.Path(ucp.replicas[0].config.web)
    certificate, key = pki.issue(own, "ucp", ["127.0.0.1"])
    before = {name: (folder / name).read_text() for name in ("key.pem", "cert.pem")}
    for name, text in (("key.pem", key), ("cert.pem", certificate)):
        pki.write_private(folder / name, text)
    for replica in ucp.replicas:
        eventually(lambda replica=replica: requests.get(f"{replica.url}/_ping", verify=str(tmp_path / "ca.pem"), timeout=5).ok, 10)
    for name, text in before.items():
        pki.write_private(folder / name, text)
