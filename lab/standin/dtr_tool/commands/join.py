# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""join: one more replica for a healthy cluster (DTR docs: join, high availability)."""

from __future__ import annotations

from .. import cluster, deploy, settings, specs
from ..errors import Fatal
from ..session import Session
from . import install


def run(product, values, log) -> None:
    log.info("Beginning Docker Trusted Registry replica join")
    session = Session.connect(product, values, log)
    origin = session.existing()
    session.check_version(origin.id, origin.version)
    status, health, kept = session.check_healthy(origin, [
        {"do": "authority"}, {"do": "get", "kind": settings.TOOL, "key": "storage"}, {"do": "get", "kind": "settings", "key": "dtr"},
        {"do": "get", "kind": "tls", "key": "web"}])
    check_cluster(session, status, health)
    session.strangers(status)
    place = install.choose(session)
    cluster.new_id(place.id, status["replicas"])
    join(session, origin, place, status, kept)
    known = sorted({*status["replicas"], place.id})
    log.info("Join is complete")
    log.info(f"Replica ID is set to: {place.id}")
    log.info(f"There are currently {len(known)} replicas in your Docker Trusted Registry cluster")
    hint = cluster.even_hint(len(known))
    if hint:
        log.warn(hint)


def check_cluster(session, status: dict, health: dict) -> None:
    """Joining while members are missing may let both halves of a divided cluster go on by themselves."""
    members = {member["name"].removeprefix("dtr-rethinkdb-") for member in status["members"]}
    sick = {one: problem for one, problem in health.items() if problem}
    sick.update({one or "unnamed": "it is a member of the database that never started" for one in members - set(health)})
    if not sick:
        return
    names = "; ".join(f"{one}: {problem}" for one, problem in sorted(sick.items()))
    if not session.values.get("unsafe-join"):
        raise Fatal(f"The cluster is not healthy ({names}): remove these replicas first (`remove --replica-ids`), then join")
    session.log.warn(f"Joining an unhealthy cluster ({names}): data may be lost")


def join(session, origin: cluster.Replica, place: specs.Place, status: dict, kept: list) -> None:
    """The new member's containers are ready before the cluster learns of it: it learns what they know before it votes."""
    log, source = session.log, session.place_of(origin)
    log.info("starting phase 2")
    keys, storage, host, web = kept
    name, peer = f"dtr-rethinkdb-{place.id}", f"dtr-rethinkdb-{place.id}.dtr-ol:29015"
    members = [f"{member['name']}={member['peer']}" for member in status["members"]] + [f"{name}=https://{peer}"]
    config = specs.config(session.product, place, ",".join(members), join=True)
    prepare = {"do": "prepare", "config": config, "names": place.names(), "authority": keys}
    steps = [prepare] if session.values.get("skip-network-test") else [network_test(status), prepare]
    if len(steps) > 1:
        log.info("Testing the overlay network between the nodes")
    log.info("Setting up replica volumes...")
    session.helper.run(place, steps, data=True, ports=True)
    made = deploy.create(session, place, specs.Storage(**storage))
    log.info("Joining the database's cluster...")
    session.helper.run(source, [{"do": "add_member", "name": name, "peer": peer}])
    log.info("Starting all containers...")
    deploy.start(session, made)
    log.info("Establishing connection with Rethinkdb")
    known = {**place.known, "version": session.product.version}
    log.info(f"Waiting for replica {place.id} to become healthy")
    session.helper.run(source, [{"do": "promote_member", "name": name}, {"do": "add_replica", "replica": known}, deploy.well(place)])
    session.register(host["dtrHost"], web["ca"], [*status["replicas"], place.id])


def network_test(status: dict) -> dict:
    """From the new node to the databases of all replicas that run."""
    peers = [member["peer"].removeprefix("https://") for member in status["members"] if member["healthy"]]
    return {"do": "reach", "addresses": [*peers, *(peer.rpartition(":")[0] + ":28015" for peer in peers)]}
