# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a DTR of three replicas when parts of it die."""

from __future__ import annotations

import threading
import time

import images
import pytest
import requests
from cluster_fixtures import ADMIN, FAILOVER, ping, repository, until_refused, well
from cluster_site import READY, Target, eventually
from images import image, layer

SMALL = image(layer({"a": b"small"}))


class Pushing(threading.Thread):
    """Pushes one image after the other, each until it is accepted; `accepted`: tag -> when."""

    def __init__(self, cluster, path: str):
        super().__init__(daemon=True)
        self.cluster, self.path = cluster, path
        self.accepted: dict[str, float] = {}
        self.failures: list[str] = []
        self.ended = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.ended.is_set():
            try:
                session = images.Session(Target(self.cluster), self.path, ADMIN)
                session.push(f"v{number}", image(layer({"n": str(number).encode()}), layer({"all": b"the same"})))
            except (AssertionError, requests.RequestException, KeyError, ValueError) as problem:
                self.failures.append(repr(problem)[:200])
                time.sleep(0.2)
                continue
            self.accepted[f"v{number}"] = time.monotonic()
            number += 1

    def stop(self) -> dict[str, float]:
        self.ended.set()
        self.join(60)
        assert not self.is_alive()
        return self.accepted


def check_pushes(cluster, api, path: str, accepted: dict) -> None:
    listed = {tag["name"] for tag in api("GET", f"/api/v0/repositories/{path}/tags?pageSize=5000").json()}
    assert set(accepted) <= listed
    session = images.Session(Target(cluster), path, ADMIN)
    for tag in accepted:
        assert session.pull(tag) == 3


def collect(api) -> None:
    """Garbage collection, from its start to its end."""
    job = api("POST", "/api/v0/jobs", 202, json={"action": "onlinegc"}).json()["id"]
    eventually(lambda: api("GET", f"/api/v0/jobs/{job}").json()["status"] == "done")


@pytest.mark.parametrize("parts", [("backend",), ("member",), ("member", "registry", "backend", "front")], ids=["backend", "etcd", "node"])
def test_the_death_of_the_leader_loses_no_accepted_push(cluster, api, parts):
    path = repository(api, f"death-{'-'.join(parts)}")
    pushing = Pushing(cluster, path)
    pushing.start()
    eventually(lambda: len(pushing.accepted) >= 3)
    leader = cluster.leader()
    cluster.keeper.replicas.remove(leader)
    killed = time.monotonic()
    leader.kill(*parts)
    eventually(lambda: len([when for when in pushing.accepted.values() if when > killed + 0.5]) >= 3, READY + FAILOVER)
    cluster.keeper.replicas.append(leader)
    collect(api)
    check_pushes(cluster, api, path, pushing.stop())
    if "backend" in parts:
        others = [replica for replica in cluster.replicas if replica is not leader]
        assert cluster.leader() in others


def test_what_a_push_has_uploaded_outlives_its_leader_and_a_collection(cluster, api):
    session, content = images.Session(Target(cluster), repository(api, "under-way"), ADMIN), image(layer({"half": b"way"}))
    for blob in content.blobs:
        session.upload(blob)
    leader = cluster.leader()
    leader.kill("backend")
    leader.start("backend")
    eventually(lambda: cluster.leader() is not leader or api("GET", "/api/v0/meta/settings"))
    well(cluster)
    collect(api)
    session.put("1", content)
    assert session.pull("1") == 2


def test_a_replica_that_is_gone_is_named(cluster, api):
    victim = next(replica for replica in cluster.replicas if replica is not cluster.leader())
    cluster.keeper.replicas.remove(victim)
    victim.kill()
    said = eventually(lambda: (
        found := api("GET", "/api/v0/meta/cluster_status").json()["replica_health"][victim.id]) != "OK" and found, 40)
    assert said.startswith("Replica reported health too long ago: 2")
    cluster.keeper.replicas.append(victim)


def test_a_registry_that_is_gone_is_named_by_its_replica_alone(cluster, api):
    victim = next(replica for replica in cluster.replicas if replica is not cluster.leader())
    cluster.keeper.replicas.remove(victim)
    victim.kill("registry")
    answer = until_refused(lambda: ping(cluster, victim))
    assert answer.json() == {"Error": "registry", "Healthy": False}
    assert all(ping(cluster, replica).ok for replica in cluster.replicas if replica is not victim)
    images.push(Target(cluster), f"{repository(api, 'one-less')}:1", SMALL)
    cluster.keeper.replicas.append(victim)


def test_without_quorum_nobody_answers_and_nothing_is_lost(cluster, api):
    path = repository(api, "quorum")
    images.push(Target(cluster), f"{path}:1", SMALL)
    others = [replica for replica in cluster.replicas if replica is not cluster.leader()]
    for replica in others:
        cluster.keeper.replicas.remove(replica)
        replica.kill("member")
    answers = [until_refused(lambda replica=replica: ping(cluster, replica)) for replica in cluster.replicas]
    assert all("internal server error" in answer.json()["Error"] or "rethinkdb" in answer.json()["Error"] for answer in answers)
    url = f"{Target(cluster).dtr_url}/api/v0/meta/settings"
    refused = until_refused(lambda: requests.get(url, auth=ADMIN, verify=cluster.ca_file, timeout=20))
    assert refused.json()["errors"][0]["message"] == "internal server error"
    for replica in others:
        replica.start("member")
        cluster.keeper.replicas.append(replica)
    well(cluster)
    assert images.Session(Target(cluster), path, ADMIN).pull("1") == 2
