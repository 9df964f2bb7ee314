# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""emergency-repair: a cluster without quorum reverts to one replica (DTR docs: emergency-repair, repair a cluster)."""

from __future__ import annotations

import sys

from .. import cluster, deploy, settings, specs
from ..engine import NETWORK
from ..errors import Fatal
from ..session import Session


def run(product, values, log) -> None:
    log.info("Beginning Docker Trusted Registry emergency repair")
    session = Session.connect(product, values, log)
    replica = survivor(session)
    confirm(session, replica)
    place = session.place_of(replica)
    place.cache = place.cache or session.cache_for(place.node)
    session.check_images(place.node)
    log.info(f"Verifying the volumes of replica {replica.id}")
    if not session.engine.network():
        make_network(session)
    version, = session.helper.run(place, [{"do": "check_volumes"}], data=True)
    session.check_version(replica.id, version)
    others = sorted(set(session.replicas) - {replica.id})
    for other in others:
        log.info(f"Removing the containers of replica {other}")
        deploy.remove_containers(session, other)
        if values.get("prune"):
            deploy.remove_volumes(session, other)
    log.info(f"Redeploying replica {replica.id}")
    deploy.remove_containers(session, replica.id)
    network(session)
    found, = session.helper.run(place, [{"do": "repair", "replica": replica.id}], data=True, as_database=True)
    session.helper.run(place, [{"do": "configure", "config": {"etcd": {"initial_cluster": "", "join": False}}}])
    deploy.replace(session, place, specs.Storage(**found["storage"]))
    deploy.wait(session, place)
    session.register(found["settings"]["dtrHost"], found["tls"]["ca"], [replica.id])
    unreachable = sorted(set(found["gone"]) - set(others))
    if unreachable:
        log.warn(f"Replicas on nodes that do not answer: {' '.join(unreachable)}; destroy them before their nodes serve clients again")
    log.info(f"Emergency repair is complete: the cluster consists of replica {replica.id} alone")
    log.info(f"You can use flag '--existing-replica-id {replica.id}' when joining other replicas to your Docker Trusted Registry Cluster")


def survivor(session) -> cluster.Replica:
    """Its containers may be gone (an interrupted repair), its volumes may not."""
    identity = session.values["existing-replica-id"]
    if identity in session.replicas:
        return session.replicas[identity]
    for node, name in session.engine.volumes():
        if name == f"dtr-rethink-{identity}":
            return cluster.Replica(identity, node)
    return cluster.existing(session.replicas, identity)


def confirm(session, replica: cluster.Replica) -> None:
    question = f"Everything that only other replicas than {replica.id} know is lost"
    if session.values.get("y"):
        return
    if not sys.stdin.isatty():
        raise Fatal(f"{question}: confirm it with --yes; there is no terminal to ask")
    sys.stderr.write(f"{question}. Continue? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Fatal("Not confirmed: nothing was changed")


def network(session) -> None:
    """Anew where another subnet is asked for, which needs all of DTR's containers off it."""
    subnet, present = session.values.get("overlay-subnet"), session.engine.network()
    if subnet in (None, *(part.get("Subnet") for part in present.get("IPAM", {}).get("Config") or [])):
        return
    session.log.info(f"Removing network: {NETWORK}")
    session.engine.remove_network()
    make_network(session)


def make_network(session) -> None:
    session.log.info(f"Creating network: {NETWORK}")
    session.engine.create_network(session.values.get("overlay-subnet") or settings.DEFAULT_SUBNET)
