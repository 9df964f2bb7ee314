# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One DTR of three replicas beside a UCP for each file of tests that asks for it."""

from __future__ import annotations

import pytest
import requests
from cluster_site import READY, TTL, Target, dtr_cluster, eventually, ucp_cluster
from standin_fixture import PASSWORD, Client

__all__ = ["accounts", "api", "cluster", "dtr_processes", "ucp_beside"]
ADMIN = ("admin", PASSWORD)
FAILOVER = TTL + 12.0   # seconds: the lease, the start of the services, a busy machine


@pytest.fixture(scope="module")
def ucp_beside(tmp_path_factory):
    cluster = ucp_cluster(tmp_path_factory.mktemp("ucp") / "cluster")
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def dtr_processes(ucp_beside, tmp_path_factory):
    cluster = dtr_cluster(tmp_path_factory.mktemp("dtr") / "cluster", ucp_beside)
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(dtr_processes):
    """With all replicas well, before and after."""
    yield dtr_processes
    for replica in dtr_processes.replicas:
        for part in replica.parts:
            if replica.processes[part].poll() is not None:
                replica.start(part)
    well(dtr_processes)


@pytest.fixture
def api(cluster):
    well(cluster)
    return Client(Target(cluster).dtr_url, cluster.ca_file, "admin")


@pytest.fixture
def accounts(ucp_beside):
    """UCP's API for accounts, as the administrator."""
    return Client(ucp_beside.replicas[0].url, ucp_beside.ca_file, "admin")


def ping(cluster, replica) -> requests.Response:
    return requests.get(f"{replica.url}/_ping", verify=cluster.ca_file, timeout=5)


def until_refused(ask) -> requests.Response:
    """The answer, as soon as it is a 503 (which requests takes for false)."""
    def refused() -> list[requests.Response]:
        answer = ask()
        return [answer] if answer.status_code == 503 else []
    return eventually(refused)[0]


def well(cluster) -> None:
    for replica in cluster.replicas:
        eventually(lambda replica=replica: ping(cluster, replica).status_code == 200, READY + FAILOVER)
    eventually(lambda: requests.get(f"{Target(cluster).dtr_url}/api/v0/meta/settings", auth=ADMIN, verify=cluster.ca_file, timeout=9).ok)


def repository(api, name: str) -> str:
    api("POST", "/api/v0/repositories/admin", 201, json={"name": name})
    return f"admin/{name}"
