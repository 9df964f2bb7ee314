# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""destroy: containers and volumes of one replica; neither the other replicas nor UCP are told (DTR docs: destroy)."""

from __future__ import annotations

from .. import cluster, deploy
from ..engine import NETWORK
from ..errors import Fatal
from ..session import Session


def run(product, values, log) -> None:
    log.info("Beginning Docker Trusted Registry replica destroy")
    session = Session.connect(product, values, log)
    replica = values["replica-id"]
    volumes = {match.group(1) for _node, name in session.engine.volumes() if (match := cluster.VOLUME.fullmatch(name))}
    known = {*session.replicas, *volumes}
    log.info(f"This cluster contains the replicas: {cluster.listed(known)}")
    if replica not in known:
        raise Fatal(f"There is no replica {replica} on any node that answers: nothing was destroyed")
    log.info("Force removing replica")
    if replica in session.replicas:
        session.helper.clear(session.replicas[replica].node)
    log.info("Stopping containers")
    log.info("Removing containers")
    deploy.remove_containers(session, replica)
    log.info("Removing volumes")
    deploy.remove_volumes(session, replica)
    if known == {replica}:
        log.info(f"Removing network: {NETWORK}")
        session.engine.remove_network()
    log.info("Replica removed.")
