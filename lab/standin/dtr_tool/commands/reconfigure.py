# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""reconfigure: only what is given changes; then the replicas start anew one after the other (DTR docs: reconfigure)."""

from __future__ import annotations

import dataclasses

from .. import deploy, settings, specs
from ..errors import Fatal
from ..session import Session

RESTARTED = ("registry", "api")   # and nginx, last


def run(product, values, log) -> None:
    log.info("Beginning Docker Trusted Registry reconfigure")
    session = Session.connect(product, values, log)
    origin = session.existing()
    session.check_version(origin.id, origin.version)
    place = session.place_of(origin)
    names = (("settings", "dtr"), ("settings", "registry"), (settings.TOOL, "storage"), ("tls", "web"), ("ucp", "ucp"))
    status, _health, found = session.check_healthy(origin, [{"do": "get", "kind": kind, "key": key} for kind, key in names])
    present = dict(zip(names, found, strict=True))
    check(session, present["settings", "dtr"])
    old = specs.Storage(**present[settings.TOOL, "storage"])
    new = settings.new_storage(values, old)
    log.info("Writing the configuration")
    session.helper.run(place, changes(session, status, present) + storage_changes(session, present, old, new))
    moved = wanted_place(session, place)
    known = set(session.replicas) - set(session.strangers(status))
    for identity in sorted(known, key=lambda one: (one != origin.id, one)):
        refresh(session, session.replicas[identity], moved if identity == origin.id else None, new, new != old)
    log.info("Trying to get the kv store connection back after reconfigure")
    session.search()
    session.check_healthy(session.existing())
    log.info("Reconfigure is complete")


def check(session, current: dict) -> None:
    values = session.values
    if values.get("enable-client-cert-auth") and not (values.get("client-cert-auth-ca") or current["webTLSClientCA"]):
        raise Fatal("--enable-client-cert-auth requires --client-cert-auth-ca: DTR has none yet")


def changes(session, status: dict, present: dict) -> list:
    """The steps that bring the metadata up to date. `present`: documents by kind and key."""
    values, current, web, ucp = session.values, present["settings", "dtr"], present["tls", "web"], present["ucp", "ucp"]
    fields = settings.changed(values, current)
    certificate = settings.web(values) or web
    host = fields.get("dtrHost", current["dtrHost"])
    store = session.register(host, certificate["ca"], status["replicas"], current["dtrHost"] if host != current["dtrHost"] else "")
    steps = [{"do": "put", "kind": "ucp", "key": "ucp", "document": {**ucp, **settings.ucp(values, session.ucp.url), "store": store}}]
    if certificate != web:
        steps.append({"do": "put", "kind": "tls", "key": "web", "document": certificate})
        fields.update(webTLSCert=certificate["certificate"], webTLSCA=certificate["ca"])
    if fields:
        steps.append({"do": "merge", "kind": "settings", "key": "dtr", "document": fields})
    if "enable-pprof" in values:
        steps.append({"do": "put", "kind": settings.TOOL, "key": "pprof", "document": {"enabled": values["enable-pprof"]}})
    return steps


def storage_changes(session, present: dict, old: specs.Storage, new: specs.Storage) -> list:
    """DTR docs: without --storage-migrated another storage begins with empty metadata."""
    values, backend = session.values, present["settings", "registry"]
    from_cloud = settings.names_storage(values) and "filesystem" not in backend["storage"]
    if new == old and not from_cloud:
        return []
    migrated = values.get("storage-migrated")
    session.log.warn("The storage changes" + ("" if migrated else " without --storage-migrated: all tags are erased"))
    steps = [{"do": "put", "kind": settings.TOOL, "key": "storage", "document": dataclasses.asdict(new)},
             {"do": "merge", "kind": "settings", "key": "dtr", "document": settings.of_storage(new)}]
    if from_cloud:
        steps.append({"do": "put", "kind": "settings", "key": "registry", "document": settings.LOCAL})
    return steps if migrated else [*steps, {"do": "forget_tags"}]


def wanted_place(session, place: specs.Place):
    """The named replica's ports and cache, where they change; else None."""
    values = session.values
    wanted = dataclasses.replace(
        place, http_port=values.get("replica-http-port", place.http_port), https_port=values.get("replica-https-port", place.https_port),
        cache=session.cache_for(place.node) if "replica-rethinkdb-cache-mb" in values else place.cache)
    if wanted.http_port == wanted.https_port:
        raise Fatal(f"The HTTP and the HTTPS port of replica {place.id} would both be {wanted.http_port}: they have to differ")
    if wanted == place:
        return None
    used = session.engine.used_ports(place.node)
    for port in {wanted.http_port, wanted.https_port} - {place.http_port, place.https_port}:
        if port in used:
            raise Fatal(f"The port {port} is in use on the node {place.node} by {used[port]}: free it, or give another one")
    return wanted


def refresh(session, replica, moved, storage: specs.Storage, new_storage: bool) -> None:
    """`moved`: the replica's new place, None when that stays."""
    place = session.place_of(replica)
    again = list(RESTARTED) if new_storage else []
    if moved:
        again += (["rethinkdb"] if moved.cache != place.cache else []) + ["nginx"]
        front = {"public_https": moved.https_port, "public_http": moved.http_port}
        session.helper.run(place, [{"do": "configure", "config": {"front": front}}, {"do": "change_replica", "replica": moved.known}])
    deploy.restart(session, place, [component for component in RESTARTED if component not in again])
    if again:
        deploy.replace(session, moved or place, storage, [component for component in deploy.COMPONENTS if component in again])
    if "nginx" not in again:
        deploy.restart(session, place, ["nginx"])
    deploy.wait(session, moved or place)
