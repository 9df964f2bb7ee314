# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""The facts of a DTR cluster, sorted for those who judge it; whether a replica can be removed. Pure.

Shapes:
cluster: {nodes: [{hostname, state}], replicas: [replica], busy: [container], registered: [host], places: {id: node}}
replica: {id, node, version, containers: {component: state}, volumes: [component], ping: {state, reason}, members: {id: health} or None,
         members_later: whether it failed to tell them in a way that passes}
         ping.state is healthy, unhealthy, silent (no answer) or untrusted (another certificate); members is what this replica says of all.
wanted: {hosts: [{host, node}], hostname, version, shared_storage, waited, discard}; waited: whether the time to wait for dead ones is over.
Source of sizes and majorities: DTR docs, high availability.
"""

from __future__ import annotations

SIZES = (1, 3, 5, 7)
STOPPED = {"exited", "dead", "created", "paused"}   # one that restarts by itself is not stopped
SERVING = ("nginx", "registry")   # started last of all


class Cluster:
    """The facts, sorted."""

    def __init__(self, cluster, wanted):
        self.wanted, self.busy, self.registered = wanted, cluster["busy"], cluster["registered"]
        self.places = cluster.get("places") or {}
        self.nodes = {node["hostname"]: node["state"] for node in cluster["nodes"]}
        self.replicas = {replica["id"]: replica for replica in cluster["replicas"]}
        self.healthy = sorted(name for name, one in self.replicas.items() if one["ping"]["state"] == "healthy")
        self.untrusted = sorted(name for name, one in self.replicas.items() if one["ping"]["state"] == "untrusted")
        self.half = sorted(name for name, one in self.replicas.items() if half_made(one) and name not in self.healthy)
        views = [self.replicas[name]["members"] for name in self.healthy if self.replicas[name]["members"] is not None]
        self.views = views
        self.members = sorted({name for view in views for name in view} | set(self.healthy))
        finished = [one for one in self.replicas.values() if one["id"] not in self.half]
        self.versions = sorted({one["version"] for one in finished if one["version"]}, key=number)
        self.down = {node for node, state in self.nodes.items() if state != "ready"}

    def version(self):
        """The version of the cluster; the highest where an upgrade was interrupted; "" without a replica."""
        return self.versions[-1] if self.versions else ""

    def dead(self):
        """Replicas that are not well, those that were never finished aside; also such that the cluster has forgotten meanwhile."""
        return [name for name in sorted({*self.members, *self.replicas}) if name not in self.healthy and name not in self.half]

    def alive(self):
        """Finished replicas whose containers are on a node that answers."""
        return [name for name, one in self.replicas.items() if one["containers"] and name not in self.half]

    def stopped(self):
        """Of these, those with a container that does not run."""
        return [name for name in self.alive() if STOPPED & set(self.replicas[name]["containers"].values())]

    def node_of(self, name):
        """Where a replica is; "a node that is gone" when nothing tells."""
        return self.replicas.get(name, {}).get("node") or self.places.get(name) or "a node that is gone"

    def told(self, names):
        """ "0a1b2c3d4e5f on dtr-1, ..." """
        return ", ".join(f"{name} on {self.node_of(name)}" for name in names)

    def lacking(self):
        """Wanted hosts whose node has no replica, but for one that was never finished."""
        taken = {one["node"] for name, one in self.replicas.items() if name not in self.half}
        return [one for one in self.wanted["hosts"] if one["node"] not in taken]


def number(version):
    """(2, 7, 6) of "2.7.6" or "2.7.6-beta"."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.partition("-")[0].split("."))


def half_made(replica):
    """Whether a replica lacks, or never started, what serves: an installation or a join broke off, or a reconfiguration did.

    What has a database and no container at all may be a replica whose containers somebody removed: that one is not half made.
    """
    has_begun = bool(replica["containers"]) or "rethink" not in replica["volumes"]
    return has_begun and any(replica["containers"].get(name, "created") == "created" for name in SERVING)


def removal(cluster, wanted, names):
    """{errors, keep}: what is wrong with removing replicas, and a healthy one that stays.

    The majority of those that are there must stay healthy, and what stays must be 1, 3, 5 or 7 (DTR docs: never two).
    """
    seen = Cluster(cluster, wanted)
    unknown = [name for name in names if name not in {*seen.members, *seen.replicas}]
    staying = [name for name in seen.members if name not in names and name not in seen.half]
    keep = [name for name in staying if name in seen.healthy]
    errors = []
    if unknown:
        errors.append(f"{', '.join(unknown)} is no replica of this cluster, which has {seen.told(seen.members)}. Correct the id.")
    elif not seen.healthy:
        errors.append("no replica is healthy, so that none can be removed. Wait, or repair the cluster first (repair.yml).")
    elif not keep:
        errors.append("no healthy replica would stay. To remove the registry as a whole, run uninstall.yml.")
    elif len(staying) not in SIZES:
        errors.append(f"{len(staying)} replicas would stay ({seen.told(staying)}); a cluster has 1, 3, 5 or 7. Remove another one as"
                      " well, or replace the replica in place of removing it (replace_replica.yml).")
    elif len(keep) * 2 <= len(staying):
        errors.append(f"of those that stay only {seen.told(keep)} is healthy, which is no majority. Replace the dead ones first"
                      " (replace_replica.yml).")
    elif len(seen.healthy) * 2 <= len(seen.members):
        errors.append("only a minority of the replicas is healthy. Repair the cluster first (repair.yml).")
    return {"errors": errors, "keep": keep[0] if keep else ""}
