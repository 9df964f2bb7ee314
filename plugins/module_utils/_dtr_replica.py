# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Runs docker/dtr for one replica or for the cluster, looks before at what there is, and after at what came of it.

Which of the commands is right is the guard's business (dtr_cluster_info); here only what cannot be meant at all is refused.
"""

from __future__ import annotations

import re
from contextlib import closing

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper import (
    BootstrapError,
    Bootstrapper,
    refused_extra,
    version_of,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import Engine, EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_guard_state import half_made, number
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_replica_args import TABLE, arguments_of, problems
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_replica_ucp import Ucp

MADE = re.compile(r"Replica ID is set to: ([0-9a-f]{12})")
MANAGED = {entry[0] for entry in TABLE.values()} | {
    "--ucp-url", "--ucp-username", "--ucp-password", "--ucp-ca", "--ucp-insecure-tls", "--unsafe-join", "--yes", "--help",
    "--help-extended"}
REMEDIES = [
    (r"port.*(in use|conflict|already allocated)", "free the port on that node, or choose others (dtr_replica_http_port,"
                                                   " dtr_replica_https_port)"),
    (r"unhealthy", "look at the cluster (status.yml); joining one that is not well can split it"),
    (r"No such image|image .*not (found|present)", "bring the images of this version to the node (role bundle, or docker load)"),
]


class Cluster:
    """One module run; module: its AnsibleModule."""

    def __init__(self, module):
        self.module, self.params = module, module.params
        self.tool = Bootstrapper("dtr", self.params["image"], pull=self.params["pull"], timeout=self.params["timeout"], remedies=REMEDIES,
                                 engine=Engine())
        self.ucp = Ucp(self.params["ucp_url"], self.params["ucp_username"], self.params["ucp_password"], ca=self.params["ucp_ca"],
                       insecure=self.params["ucp_insecure_tls"])
        self.log, self.seconds = [], 0

    def replicas(self):
        """{id: replica} that UCP sees; BootstrapError while an installer of somebody else is at work."""
        found, busy = self.ucp.replicas()
        if busy:
            raise BootstrapError(f"an installer of DTR is at work: {', '.join(busy)}. Let it end, or remove its container if nobody waits"
                                 " for it any more; then run this again.")
        return found

    def run(self, command):
        """Run a command; nothing in check mode."""
        flags, env = arguments_of(command, self.params)
        if self.module.check_mode:
            return
        outcome = self.tool.run(command, flags, env=env)
        self.log, self.seconds = outcome.log, outcome.seconds

    def after(self):
        """{id: replica} after a run."""
        return self.ucp.replicas()[0]

    def result(self, changed, before, after, **more):
        """The module's result."""
        return {"changed": changed, "log": self.log, "seconds": self.seconds, "diff": {"before": before, "after": after}, **more}


def execute(module, command_of, work):
    """A whole module. command_of(params): which command; work(cluster): the result."""
    wrong = problems(command_of(module.params), module.params)
    extra = refused_extra(module.params["extra_args"], MANAGED)
    if wrong or extra:
        module.fail_json(msg=" ".join([*wrong, *([extra] if extra else [])]) + " Nothing was changed.")
    if module.params["ucp_insecure_tls"]:
        module.warn("The certificate of UCP is not verified: anyone in between can read the administrator's password. Give ucp_ca instead.")
    cluster = None
    try:
        cluster = Cluster(module)
        with closing(cluster.ucp), cluster.tool.exclusive():
            result = work(cluster)
    except (BootstrapError, EngineError) as error:
        module.fail_json(msg=str(error), log=getattr(error, "log", []) or (cluster.log if cluster else []))
    for line in result["log"]:
        if line["level"] == "warning":
            module.warn(f"docker/dtr: {line['text']}")
    module.exit_json(**result)


# One replica

def present(cluster):
    """Install the first replica, or join another one."""
    params, replicas = cluster.params, cluster.replicas()
    here = [one for one in replicas.values() if one["node"] == params["node"]]
    same = replicas.get(params["replica_id"] or "")
    if same and same["node"] != params["node"]:
        raise BootstrapError(f"replica {params['replica_id']} is on {same['node']}. Choose another id for the one on {params['node']}.")
    if here and half_made(here[0]):
        raise BootstrapError(f"replica {here[0]['id']} on {params['node']} was never finished. Remove it first (state=absent while others"
                             " are healthy, state=destroyed otherwise).")
    if here:
        if params["replica_id"] and here[0]["id"] != params["replica_id"]:
            raise BootstrapError(f"{params['node']} has replica {here[0]['id']} already, and not {params['replica_id']}. A node takes one.")
        return cluster.result(False, {}, {}, replica_id=here[0]["id"])
    joins = params["existing_replica_id"]
    if joins and joins not in replicas:
        raise BootstrapError(f"existing_replica_id {joins} is no replica that UCP sees; there are {', '.join(replicas) or 'none'}.")
    if replicas and not joins:
        raise BootstrapError(f"there is a registry already, with the replicas {', '.join(sorted(replicas))}. Give existing_replica_id, a"
                             " healthy one of them, to join it.")
    cluster.run("join" if joins else "install")
    after = {"node": params["node"], "state": "present"}
    made = params["replica_id"] or ""
    if not cluster.module.check_mode:
        made = finished(cluster, params["node"])
    return cluster.result(True, {"node": params["node"], "state": "absent"}, after, replica_id=made)


def finished(cluster, node):
    """Id of the replica that came of an installation; BootstrapError when UCP shows none that could serve."""
    said = [match.group(1) for match in (MADE.search(line["text"]) for line in cluster.log) if match]
    found = [one for one in cluster.after().values() if one["node"] == node]
    if not found or half_made(found[0]) or (said and said[-1] != found[0]["id"]):
        raise BootstrapError(f"docker/dtr ended well, but UCP shows no finished replica on {node}. Look at the log of the run, and at the"
                             " containers dtr-* there.", cluster.log)
    return found[0]["id"]


def absent(cluster):
    """Remove replicas through one that stays."""
    params, replicas = cluster.params, cluster.replicas()
    known_or_fail(params, replicas)
    keep = params["existing_replica_id"]
    if keep in params["replica_ids"]:
        raise BootstrapError(f"existing_replica_id {keep} stands in replica_ids as well. It is the one that stays.")
    cluster.run("remove")
    gone_or_fail(cluster, params["replica_ids"])
    return cluster.result(True, {"replicas": sorted({*replicas, *params["replica_ids"]})},
                          {"replicas": sorted(set(replicas) - set(params["replica_ids"]))})


def destroyed(cluster):
    """Wipe one replica, its images included, and tell nobody."""
    params, replicas = cluster.params, cluster.replicas()
    name = params["replica_id"]
    if name not in replicas:
        return cluster.result(False, {}, {})
    if params["confirm"] != name:
        told = ", ".join(f"dtr-{kind}-{name}" for kind in replicas[name]["volumes"]) or "no volume"
        raise BootstrapError(f"destroying replica {name} on {replicas[name]['node']} takes its containers and volumes ({told}), the images"
                             f" in a local store included, and tells no other replica. To go on, set confirm to {name}. Nothing was"
                             " changed.")
    cluster.run("destroy")
    gone_or_fail(cluster, [name])
    return cluster.result(True, {"replicas": sorted(replicas)}, {"replicas": sorted(set(replicas) - {name})})


def gone_or_fail(cluster, names):
    """BootstrapError when UCP still shows containers of replicas that shall be gone."""
    if cluster.module.check_mode:
        return
    left = cluster.after()
    still = [name for name in names if name in left and left[name]["containers"]]
    if still:
        raise BootstrapError(f"docker/dtr ended well, but containers of {', '.join(still)} are still there. Look at the log of the run.",
                             cluster.log)


# The cluster

def reconfigure(cluster):
    """Change what was given, and only that."""
    params, replicas = cluster.params, cluster.replicas()
    known_or_fail(params, replicas)
    cluster.run("reconfigure")
    port = params["replica_https_port"]
    if port and not cluster.module.check_mode:
        shown = cluster.after().get(params["existing_replica_id"], {}).get("https_port")
        if shown != port:
            raise BootstrapError(f"docker/dtr ended well, but replica {params['existing_replica_id']} is on port {shown} and not {port}."
                                 " Look at the log of the run.", cluster.log)
    return cluster.result(True, {}, {})


def upgrade(cluster):
    """Bring all replicas to the version of the image; unchanged when they are."""
    params, replicas = cluster.params, cluster.replicas()
    known_or_fail(params, replicas)
    target = version_of(params["image"])
    before = sorted({one["version"] for one in replicas.values() if one["version"]}, key=number)
    if not target:
        raise BootstrapError(f"image {params['image']} has no tag, which is the version to upgrade to. Write it, such as docker/dtr:2.8.5.")
    if before == [target]:
        return cluster.result(False, {}, {}, versions=before)
    wrong = path_problem(before[0] if before else target, target)
    if wrong:
        raise BootstrapError(wrong)
    cluster.run("upgrade")
    after = before
    if not cluster.module.check_mode:
        after = sorted({one["version"] for one in cluster.after().values() if one["version"]}, key=number)
        if after != [target]:
            raise BootstrapError(f"docker/dtr ended well, but there are replicas of version {', '.join(after)}. Run the upgrade again; it"
                                 " goes on where it stopped.", cluster.log)
    return cluster.result(True, {"versions": before}, {"versions": [target]}, versions=after)


def path_problem(current, target):
    """Why current cannot become target, "" when it can: any patch, one minor step, never back (DTR docs, upgrade)."""
    old, new = number(current), number(target)
    if new < old:
        return f"{target} is older than {current}, and there is no way back. Restore a backup of {target} instead."
    if new[0] == old[0] and new[1] - old[1] > 1:
        return (f"{current} to {target} skips a minor version. Upgrade step by step: to the newest {old[0]}.{old[1] + 1} first, and UCP"
                " with it.")
    if new[0] > old[0] and (new[0] - old[0] > 1 or new[1]):
        return f"{current} to {target} skips a version. Upgrade to {old[0] + 1}.0 first."
    return ""


def emergency_repair(cluster):
    """Make one replica the whole cluster."""
    params, replicas = cluster.params, cluster.replicas()
    known_or_fail(params, replicas)
    name = params["existing_replica_id"]
    others = sorted(set(replicas) - {name})
    if params["confirm"] != name:
        told = ", ".join(f"{other} on {replicas[other]['node']}" for other in others) or "those on nodes that are down"
        volumes = " and their volumes, with the images in a local store" if params["prune"] else ""
        raise BootstrapError(f"emergency repair keeps what replica {name} on {replicas[name]['node']} knows and forgets all others: {told}"
                             f"{volumes}. Writes that reached only them are lost. To go on, set confirm to {name}. Nothing was changed.")
    cluster.run("emergency-repair")
    gone_or_fail(cluster, others)
    return cluster.result(True, {"replicas": sorted(replicas)}, {"replicas": [name]})


def known_or_fail(params, replicas):
    """BootstrapError unless UCP sees the replica through which a command works."""
    if params["existing_replica_id"] not in replicas:
        raise BootstrapError(f"existing_replica_id {params['existing_replica_id']} is no replica that UCP sees; there are"
                             f" {', '.join(sorted(replicas)) or 'none'}.")
