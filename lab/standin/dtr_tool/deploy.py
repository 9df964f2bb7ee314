# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting a replica's containers in place and taking them away."""

from __future__ import annotations

import concurrent.futures

from . import specs
from .cluster import VOLUME, replicas_of
from .errors import Fatal
from .product import COMPONENTS

HEALTHY_SECONDS = 240


def create(session, place: specs.Place, storage: specs.Storage, components=COMPONENTS, wares=None) -> dict:
    """{component: id of the created container}"""
    if storage.nfs and {"registry", "api"} & set(components):
        session.engine.create_volume(place.node, storage.source(place.id), storage.volume_options())
    made = {}
    for component in components:
        name = f"dtr-{component}-{place.id}"
        session.log.info(f"Creating {name}...")
        made[component] = session.engine.create(place.node, name, specs.container(wares or session.product, place, component, storage))
    return made


def start(session, made: dict) -> None:
    """All at once: each waits for what it needs."""
    with concurrent.futures.ThreadPoolExecutor(len(made)) as pool:
        list(pool.map(session.engine.start, made.values()))


def well(place: specs.Place) -> dict:
    """The step that waits until the replica is well."""
    return {"do": "await_healthy", "replica": place.id, "seconds": HEALTHY_SECONDS}


def wait(session, place: specs.Place) -> None:
    session.log.info(f"Waiting for replica {place.id} to become healthy")
    session.helper.run(place, [well(place)])


def replace(session, place: specs.Place, storage: specs.Storage, components=COMPONENTS, wares=None) -> None:
    """New containers instead of the present ones, which may be missing."""
    session.log.info(f"Recreating {', '.join(f'dtr-{component}-{place.id}' for component in components)} on {place.node}")
    remove_containers(session, place.id, components)
    made = create(session, place, storage, components, wares)
    start(session, made)


def restart(session, place: specs.Place, components) -> None:
    """One after the other."""
    present = identities(session, place.id)
    for component in components:
        session.log.info(f"Restarting dtr-{component}-{place.id} on {place.node}")
        if component not in present:
            raise missing(place, component)
        session.engine.stop(present[component])
        session.engine.start(present[component])


def identities(session, replica: str) -> dict:
    """{component: id of the container}, as it is now."""
    found = replicas_of(session.engine.containers()).get(replica)
    return {component: container["id"] for component, container in found.containers.items()} if found else {}


def missing(place: specs.Place, component: str) -> Fatal:
    return Fatal(f"The container dtr-{component}-{place.id} is not there on {place.node}: `remove` the replica and join it again")


def remove_containers(session, replica: str, components=COMPONENTS) -> None:
    """The front first, so that nobody is served by half a replica."""
    present = {component: identity for component, identity in identities(session, replica).items() if component in components}

    def take(identity: str) -> None:
        session.engine.stop(identity)
        session.engine.remove(identity)

    if "nginx" in present:
        take(present.pop("nginx"))
    if present:
        with concurrent.futures.ThreadPoolExecutor(len(present)) as pool:
            list(pool.map(take, present.values()))


def remove_volumes(session, replica: str) -> int:
    """How many; those named by the operator are not the replica's own and stay."""
    own = [(node, name) for node, name in session.engine.volumes() if (match := VOLUME.fullmatch(name)) and match.group(1) == replica]
    for node, name in own:
        session.engine.remove_volume(node, name)
    return len(own)
