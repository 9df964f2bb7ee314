# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""install: the first replica. restore is the same with the metadata of a backup."""

from __future__ import annotations

from .. import cluster, deploy, settings, specs
from ..errors import Fatal
from ..session import Session


def run(product, values, log) -> None:
    log.info("Beginning Docker Trusted Registry installation")
    session = Session.connect(product, values, log)
    if session.replicas:
        raise Fatal(f"UCP has DTR already; it contains the replicas: {cluster.listed(session.replicas)}. Add another one with `join`; "
                    "what an interrupted installation left goes away with `destroy --replica-id ID`")
    place = choose(session)
    first_replica(session, place)
    log.info("Installation is complete")
    log.info(f"Replica ID is set to: {place.id}")
    log.info(f"You can use flag '--existing-replica-id {place.id}' when joining other replicas to your Docker Trusted Registry Cluster")


def choose(session) -> specs.Place:
    """Node, id and ports of a new replica; checks what can be checked before anything is made."""
    values = session.values
    session.check_ucp()
    session.check_scheduling()
    node = cluster.choose_node(list(session.nodes.values()), session.replicas, values.get("ucp-node", ""))
    session.warn_of_manager(node)
    session.check_images(node["name"])
    identity = cluster.new_id(values.get("replica-id", ""), session.replicas)
    place = specs.Place(identity, node["name"], node["address"], values.get("replica-http-port", 80), values.get("replica-https-port", 443))
    session.log.info(f"verifying [{place.http_port} {place.https_port}] ports on {place.node}")
    used = session.engine.used_ports(place.node)
    for port in (place.http_port, place.https_port):
        if port in used:
            raise Fatal(f"The port {port} is in use on the node {place.node} by {used[port]}: free it, or give another one with "
                        "--replica-http-port or --replica-https-port")
    place.cache = session.cache_for(place.node)
    return place


def first_replica(session, place: specs.Place, backup: dict | None = None) -> None:
    """`backup`: as archive.read() gives it."""
    log = session.log
    log.info("starting phase 2")
    network(session)
    log.info("Setting up replica volumes...")
    log.info("Creating initial CA certificates")
    authority = (backup or {}).get("authority", {})
    prepare = {"do": "prepare", "config": specs.config(session.product, place), "names": place.names(), "authority": authority}
    session.helper.run(place, [prepare], data=True, ports=True)
    log.info("Bootstrapping rethink...")
    storage = settings.storage(session.values, backup)
    made = deploy.create(session, place, storage)
    log.info("Starting all containers...")
    deploy.start(session, made)
    log.info("Establishing connection with Rethinkdb")
    host = metadata(session, place, storage, backup)
    log.info(f"Successfully registered dtr with UCP as {host}")


def network(session) -> None:
    subnet = session.values.get("overlay-subnet")
    if not subnet:
        subnet = settings.DEFAULT_SUBNET
        session.log.info(f"Using default overlay subnet: {subnet}")
    present = session.engine.network()
    if present:
        have = [part.get("Subnet") for part in present.get("IPAM", {}).get("Config") or []]
        if session.values.get("overlay-subnet") and subnet not in have:
            raise Fatal(f"The network dtr-ol exists with the subnet {' '.join(map(str, have))}, not {subnet}: remove it, "
                        "or leave --overlay-subnet out")
        return
    session.log.info("Creating network: dtr-ol")
    session.engine.create_network(subnet)


def metadata(session, place: specs.Place, storage: specs.Storage, backup: dict | None) -> str:
    """Writes the first metadata and registers with UCP; returns the host under which clients reach DTR."""
    log = session.log
    log.info("Waiting for database dtr2 to exist")
    seed = settings.seed(session, place, storage, backup)
    host = seed["settings"]["dtrHost"]
    seed["ucp"]["store"] = session.register(host, "", [place.id])
    seed["license"] = session.license()
    web, *_rest = session.helper.run(place, [
        {"do": "plant", "document": seed}, {"do": "load", "documents": settings.restored(backup)}, deploy.well(place)])
    log.info("Generated TLS certificate." if not seed.get("tls") else "Using the given TLS certificate.")
    log.info("Migrating db...")
    log.info("Verifying auth settings...")
    session.register(host, web["ca"], [place.id])
    return host
