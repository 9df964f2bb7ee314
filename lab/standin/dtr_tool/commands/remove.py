# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""remove: scale-down with the knowledge of those that stay (DTR docs: remove, repair a single replica)."""

from __future__ import annotations

from .. import cluster, deploy
from ..errors import Fatal
from ..session import Session


def run(product, values, log) -> None:
    log.info("Beginning Docker Trusted Registry replica remove")
    session = Session.connect(product, values, log)
    if values.get("replica-id"):
        log.warn("--replica-id is deprecated: use --replica-ids")
    origin = session.existing()
    status, health, (host, web) = session.check_healthy(origin, [
        {"do": "get", "kind": "settings", "key": "dtr"}, {"do": "get", "kind": "tls", "key": "web"}])
    leaving = values.get("replica-ids") or values["replica-id"]
    check_known(session, status, leaving)
    log.info(f"Removing from the cluster: {' '.join(leaving)}")
    # Members before containers, and the unhealthy ones first: the rest must never be without quorum.
    ordered = sorted(leaving, key=lambda replica: health.get(replica) == "")
    session.helper.run(session.place_of(origin), [{"do": "remove_replica", "replica": replica} for replica in ordered])
    for replica in leaving:
        clean(session, replica)
    left = sorted(set(status["replicas"]) - set(leaving))
    session.register(host["dtrHost"], web["ca"], left)
    log.info(f"Replica(s) removed: {' '.join(leaving)}. There are currently {len(left)} replicas in your Docker Trusted Registry cluster")
    hint = cluster.even_hint(len(left))
    if hint:
        log.warn(hint)


def check_known(session, status: dict, leaving: list) -> None:
    members = {member["name"].removeprefix("dtr-rethinkdb-") for member in status["members"]}
    started = {member["peer"].removeprefix("https://dtr-rethinkdb-").partition(".")[0] for member in status["members"]}
    known = {*status["replicas"], *members, *started, *session.replicas} - {""}
    unknown = sorted(set(leaving) - known)
    if unknown:
        raise Fatal(f"There is no replica {' '.join(unknown)}; this cluster contains the replicas: {cluster.listed(known)}. "
                    "Nothing was removed")


def clean(session, replica: str) -> None:
    """On the replica's node, when it answers."""
    if replica not in session.replicas:
        session.log.warn(f"The containers of replica {replica} were not found on any node that answers: should its node come back, "
                         f"run `destroy --replica-id {replica}`")
        return
    session.log.info("Stopping and removing containers")
    deploy.remove_containers(session, replica)
    session.log.info("Removing volumes")
    deploy.remove_volumes(session, replica)
