# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""upgrade: every replica to this image's version, one after the other; run again, it goes on where it ended (DTR docs: upgrade)."""

from __future__ import annotations

from .. import deploy, settings, specs
from .. import product as wares
from ..errors import Fatal
from ..session import Session


def run(product, values, log) -> None:
    log.info("Beginning Docker Trusted Registry upgrade")
    session = Session.connect(product, values, log)
    origin = session.existing()
    session.check_ucp()
    present = sorted({replica.version for replica in session.replicas.values()}, key=wares.numbers)
    check_path(session, present)
    status, health, kept = session.health(origin, [{"do": "get", "kind": settings.TOOL, "key": "storage"}])
    check_cluster(session, status, health)
    for replica in session.replicas.values():
        session.check_images(replica.node)
    behind = [replica for replica in session.replicas.values() if outdated(replica, product)]
    if not behind:
        log.info(f"All replicas are of version {product.version} already")
    for replica in sorted(behind, key=lambda one: one.id):
        log.info(f"Upgrading replica {replica.id} from {replica.version} to {product.version}")
        upgrade(session, replica, specs.Storage(**kept[0]))
    if status["version"] != product.version:
        session.search()
        finish(session, session.existing())
    log.info(f"Upgrade is complete: {len(session.replicas)} replicas of version {product.version}")


def touched(replica, product) -> bool:
    """Whether an upgrade to this version has begun with it."""
    return replica.version == product.version or not replica.complete or len(replica.versions) > 1


def outdated(replica, product) -> bool:
    return replica.version != product.version or not replica.complete


def check_path(session, present: list) -> None:
    for version in present:
        problem = wares.path_problem(version, session.product.version)
        if problem:
            raise Fatal(problem)
    if wares.numbers(present[0])[:2] != wares.numbers(session.product.version)[:2] and session.content_trust():
        raise Fatal("Content trust is on in UCP (require_content_trust): switch it off for the upgrade to another minor version of DTR, "
                    "and on again afterwards")


def check_cluster(session, status: dict, health: dict) -> None:
    """Of an interrupted upgrade one replica may be down: it is the one to go on with."""
    if not status["quorum"]:
        raise Fatal("The cluster has lost its quorum: start the replicas that are down, or run `emergency-repair`, before an upgrade")
    strangers = session.strangers(status)
    if strangers:
        raise Fatal(f"The replicas {' '.join(strangers)} are not part of the cluster: `destroy` them, then upgrade")
    away = sorted(set(status["replicas"]) - set(session.replicas))
    if away:
        raise Fatal(f"The replicas {' '.join(away)} are on nodes that do not answer: bring these back or `remove` the replicas, "
                    "then upgrade")
    sick = sorted(one for one, problem in health.items() if problem)
    interrupted = [one for one in sick if touched(session.replicas[one], session.product)]
    if len(sick) > 1 or sick != interrupted:
        reasons = "; ".join(f"{one}: {health[one]}" for one in sick)
        raise Fatal(f"The cluster is not healthy ({reasons}): repair or `remove` these replicas, then upgrade")


def upgrade(session, replica, storage: specs.Storage) -> None:
    place = session.place_of(replica)
    place.cache = place.cache or session.cache_for(place.node)
    session.helper.run(place, [{"do": "configure", "config": {"version": session.product.version}}])
    deploy.replace(session, place, storage)
    deploy.wait(session, place)


def finish(session, origin) -> None:
    session.log.info("Migrating db...")
    mark = {"do": "merge", "kind": "cluster", "key": "cluster", "document": {"version": session.product.version}}
    session.helper.run(session.place_of(origin), [mark])
