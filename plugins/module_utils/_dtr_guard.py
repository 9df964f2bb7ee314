# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What is the right thing to do with a DTR cluster in the state it is in. Pure: facts in, one verdict out.

Sources: DTR docs on high availability (sizes 1, 3, 5, 7, majority), disaster recovery (majority alive: remove, then join; minority alive:
emergency repair; none: restore) and upgrade (one minor step, all replicas of one version).
The shapes of cluster and wanted stand in _dtr_guard_state.py.
"""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_guard_state import SIZES, Cluster, number

PLAYBOOKS = {
    "install": "install.yml", "join": "install.yml", "reconfigure": "install.yml", "upgrade": "upgrade.yml",
    "replace": "replace_replica.yml", "repair": "repair.yml", "restore": "restore.yml",
}


def judge(cluster, wanted):
    """The verdict: {verdict, reason, advice, playbook, lost, existing, remove, discard, join, repair_with, dead, healthy, extra}.

    verdict: install, join, nothing, upgrade, replace, repair, restore, start, wait or refuse. remove: replicas to take out of the cluster
    before anything joins; discard: unfinished replicas of an installation that never came up; join: hosts; existing: a healthy replica;
    expired: replicas whose certificate has ended, when nothing else is wrong with what they show.
    """
    seen = Cluster(cluster, wanted)
    for look in (refused_input, untrusted, busy, unread, split, nobody, mixed, unfinished_only, quorum_lost, some_dead, other_version):
        found = look(seen)
        if found:
            return complete(found, seen)
    return complete(growth(seen), seen)


def complete(found, seen):
    """The verdict with every field there is."""
    wanted_nodes = [one["node"] for one in seen.wanted["hosts"]]
    return {
        "lost": [], "remove": [], "discard": [], "join": [], "repair_with": [], "expired": [], "advice": "",
        "existing": seen.healthy[0] if seen.healthy else "", "healthy": seen.healthy, "dead": seen.dead(), "version": seen.version(),
        "extra": [name for name in seen.members if seen.replicas.get(name, {}).get("node") not in wanted_nodes and name not in seen.dead()],
        "playbook": PLAYBOOKS.get(found["verdict"], ""), **found,
    }


def refused_input(seen):
    """Sizes and storage that cannot be wanted."""
    count, nodes = len(seen.wanted["hosts"]), [one["node"] for one in seen.wanted["hosts"]]
    if count not in SIZES:
        return refuse(f"{count} replicas are declared: a cluster has 1, 3, 5 or 7, for an even number is no safer than one less, and two"
                      " stop when either fails. Correct the group dtr_replicas.")
    if count > 1 and not seen.wanted["shared_storage"]:
        return refuse(f"{count} replicas are declared with images on a local disk, of which each would hold others. Declare dtr_storage: a"
                      " volume or path that all of them share, NFS, or S3.")
    missing = [node for node in nodes if node not in seen.nodes]
    if missing:
        return refuse(f"{', '.join(missing)} is no node of this UCP. Join it first (install.yml), or set dtr_ucp_node to the name that"
                      " the node has there.")
    twice = sorted({node for node in nodes if nodes.count(node) > 1})
    if twice:
        return refuse(f"{', '.join(twice)} is the node of two hosts in dtr_replicas. Each replica needs a node of its own; correct"
                      " dtr_ucp_node.")
    return None


def untrusted(seen):
    """A replica that shows a certificate of another authority may be well."""
    ended = [name for name in seen.untrusted if "expired" in seen.replicas[name]["ping"]["reason"]]
    if ended and ended == seen.untrusted:
        return {**refuse(f"the certificate that {seen.told(ended)} shows has expired, so that nobody can verify the registry. Run"
                         " rotate_certificates.yml, which issues another one and has docker/dtr serve it; certificates of your own are"
                         " replaced in dtr_tls_certificate_file and dtr_tls_key_file first."), "expired": ended}
    if seen.untrusted:
        first = seen.untrusted[0]
        return refuse(f"{seen.told(seen.untrusted)} shows a certificate that cannot be trusted, so that its state is not known"
                      f" ({seen.replicas[first]['ping']['reason']}). Give dtr_ca_path the CA of the registry, and see that the"
                      f" certificate is for {seen.wanted['hostname']}.")
    return None


def busy(seen):
    """Somebody is at work."""
    if not seen.busy:
        return None
    told = ", ".join(seen.busy)
    if seen.wanted["waited"]:
        return refuse(f"an installer is still at work ({told}). See what it does (docker logs), and remove its container if nobody waits"
                      " for it any more.")
    return {"verdict": "wait", "reason": f"an installer is at work: {told}"}


def unread(seen):
    """Replicas are well, but none says what it knows of the others."""
    if not seen.healthy or seen.views:
        return None
    if not seen.wanted["waited"] and any(seen.replicas[name].get("members_later") for name in seen.healthy):
        return {"verdict": "wait", "reason": f"{seen.told(seen.healthy)} is healthy, but cannot say yet how the others are"}
    return refuse(f"{seen.told(seen.healthy)} is healthy, but does not say how the others are"
                  f" ({seen.replicas[seen.healthy[0]].get('members_error') or 'its CA is not known, dtr_ca_path'}). See that the account of"
                  " UCP is an administrator of the registry, and that dtr_ca_path is its CA.")


def split(seen):
    """Healthy replicas that do not know each other are two clusters."""
    for name in seen.healthy:
        view = seen.replicas[name]["members"]
        strangers = [other for other in seen.healthy if view is not None and other not in view]
        if strangers:
            return refuse(f"{seen.told([name])} does not know {seen.told(strangers)}, though all of them answer: these are two clusters,"
                          " and writes go to one or the other. Take one of them out of the balancer, save what is only there, and remove it"
                          " (docker/dtr destroy). Nothing may join meanwhile.")
    return None


def nobody(seen):
    """No replica at all."""
    if seen.replicas:
        return None
    down = [one["node"] for one in seen.wanted["hosts"] if one["node"] in seen.down]
    if down and not seen.wanted["waited"]:
        return {"verdict": "wait", "reason": f"{', '.join(down)} is down and may hold a replica"}
    if seen.wanted["hostname"] in seen.registered:
        return {
            "verdict": "restore", "lost": ["all settings, repositories and tags that are not in the backup"],
            "reason": f"UCP knows a registry {seen.wanted['hostname']}, but no replica of it is left",
            "advice": "Restore it from a backup. Only if it is gone for good, set dtr_forget to its name, and a new, empty one is"
                      " installed.",
        }
    if down:
        return refuse(f"{', '.join(down)} is down, so that nobody knows whether it holds a replica. Bring it back, or take it out of"
                      " dtr_replicas.")
    return {"verdict": "install", "join": seen.lacking(), "reason": "there is no replica"}


def mixed(seen):
    """An upgrade that was interrupted."""
    if len(seen.versions) < 2:
        return None
    return {
        "verdict": "upgrade",
        "reason": f"replicas have the versions {', '.join(seen.versions)}: an upgrade was interrupted",
        "advice": f"Run the upgrade to {seen.versions[-1]} again; it goes on where it stopped. Nothing may join meanwhile.",
    }


def unfinished_only(seen):
    """An installation that broke off before it could serve anybody."""
    if not seen.half or set(seen.half) != set(seen.replicas):
        return None
    if seen.registered:   # UCP is told last of all, so that this may be a registry with images
        return {
            "verdict": "start", "reason": f"containers of {seen.told(seen.half)} are missing or were never started, and UCP knows"
                                          f" {', '.join(seen.registered)}: a reconfiguration broke off, or somebody removed them",
            "advice": "Start what is there: docker start $(docker ps -aq --filter name=dtr-). If that does not help: docker/dtr"
                      " emergency-repair. Only a replica that holds nothing may go: docker/dtr destroy.",
        }
    return {
        "verdict": "install", "discard": seen.half, "join": seen.lacking(),
        "reason": f"the installation of {seen.told(seen.half)} broke off before it could serve anybody",
    }


def quorum_lost(seen):
    """No replica is well."""
    if seen.healthy:
        return None
    reasons = "; ".join(f"{name}: {seen.replicas[name]['ping']['reason']}" for name in sorted(seen.replicas) if name not in seen.half)
    if not seen.wanted["waited"]:
        return {"verdict": "wait", "reason": f"no replica is healthy ({reasons})"}
    stopped = seen.stopped()
    if stopped:
        return {
            "verdict": "start", "reason": f"no replica is healthy, and containers of {seen.told(stopped)} do not run",
            "advice": "Start them on their nodes: docker start $(docker ps -aq --filter name=dtr-). If they stop again, see docker logs.",
        }
    silent = [one["node"] for one in seen.wanted["hosts"] if one["node"] in seen.down]
    known = {one["node"] for one in seen.replicas.values()}
    total = len(seen.replicas) + len([node for node in silent if node not in known])
    alive = seen.alive()
    if len(alive) == total == 1 and not seen.registered:
        return never_registered(seen, reasons)
    if len(alive) * 2 > total and not seen.half:
        return refuse(f"{len(alive)} of {total} replicas run, and none is healthy ({reasons}). Nothing is lost yet: see that the nodes"
                      " reach each other over the network dtr-ol, and read the logs of dtr-rethinkdb. Emergency repair would throw away"
                      " what the chosen replica does not have.")
    forgotten = sorted(set(seen.replicas) - set(alive[:1]) - set(seen.half))
    lost = [f"replica {name} on {seen.node_of(name)}, with all writes that reached only it" for name in forgotten]
    lost += [f"the replica on {node}, which is down, with all writes that reached only it" for node in silent if node not in known]
    return {
        "verdict": "repair", "lost": lost, "repair_with": sorted(alive) or sorted(
            name for name, one in seen.replicas.items() if "rethink" in one["volumes"] and name not in seen.half),
        "discard": seen.half,
        "reason": f"{len(alive)} of {total} replicas are left and have no majority: nothing can be written ({reasons})",
        "advice": f"Bring back {', '.join(silent)} if that is possible: then nothing is lost. Otherwise repair."
        if silent else "Repair the cluster on one of the replicas that are left.",
    }


def never_registered(seen, reasons):
    """A single replica that is not well, and of which UCP was never told, which is the last thing that an installation does."""
    name = next(iter(seen.replicas))
    if seen.wanted.get("discard") == name:
        return {"verdict": "install", "discard": [name], "join": seen.wanted["hosts"],
                "lost": [f"replica {name} on {seen.node_of(name)} with everything in it"],
                "reason": f"replica {name} is to be discarded, as dtr_discard_replica says"}
    return refuse(f"{seen.told([name])} is not healthy ({reasons}), and UCP was never told of a registry: the installation may have broken"
                  " off. Look at the logs of its containers, and start what is stopped (docker start). If it never held anything, set"
                  f" dtr_discard_replica to {name}, and it is destroyed and made anew.")


def some_dead(seen):
    """A majority is well, some are not."""
    dead = seen.dead()
    if not dead:
        return None
    if not seen.wanted["waited"]:
        return {"verdict": "wait", "reason": f"{seen.told(dead)} is not healthy ({why(seen, dead)})"}
    freed = [seen.node_of(name) for name in dead]
    join = [one for one in seen.wanted["hosts"] if one["node"] in freed or one in seen.lacking()]
    return {
        "verdict": "replace", "remove": [*dead, *seen.half], "join": [one for one in join if one["node"] not in seen.down],
        "lost": [f"replica {name} on {seen.node_of(name)}; what it knows the others know" for name in dead],
        "reason": f"{seen.told(dead)} is dead ({why(seen, dead)}), {len(seen.healthy)} of {len(seen.members)} are well",
        "advice": "It has to be removed before another one joins: joining first can split the cluster in two.",
    }


def why(seen, names):
    """What is said of replicas that are not well, by others or by themselves."""
    said = [view[name] for view in seen.views for name in names if name in view and view[name] != "OK"]
    own = [seen.replicas[name]["ping"]["reason"] for name in names if name in seen.replicas]
    return "; ".join(dict.fromkeys(filter(None, [*own, *said]))) or "it does not answer"


def other_version(seen):
    """All is well, and the declared version is another one."""
    has, wanted = seen.version(), seen.wanted["version"]
    if not wanted or not has or has == wanted:
        return None
    if number(has) > number(wanted):
        return refuse(f"the registry is {has}, and dtr_version declares {wanted}: there is no way back to an older version. Set"
                      f" dtr_version to {has}, or restore a backup of {wanted}.")
    return {"verdict": "upgrade", "reason": f"the registry is {has}, declared is {wanted}", "advice": "Upgrade it first, then go on."}


def growth(seen):
    """All is well: what is missing joins."""
    join = seen.lacking()
    down = [one["node"] for one in join if one["node"] in seen.down]
    if down:
        if not seen.wanted["waited"]:
            return {"verdict": "wait", "reason": f"{', '.join(down)} shall join and is down"}
        return refuse(f"{', '.join(down)} shall join, and UCP says that it is down. Bring it back, or take it out of dtr_replicas.")
    staying = [name for name in seen.members if name not in seen.half]
    if len(staying) + len(join) not in SIZES:
        return refuse(f"{seen.told(staying)} and {len(join)} more would be {len(staying) + len(join)} replicas; a cluster has 1, 3, 5 or 7."
                      " Declare those that are there in dtr_replicas, or remove what is too many first (entry point remove_replica).")
    if join:
        return {"verdict": "join", "join": join, "remove": seen.half,
                "reason": f"{', '.join(one['node'] for one in join)} has no replica yet"}
    return {"verdict": "nothing", "remove": seen.half, "reason": f"{len(seen.healthy)} of {len(seen.members)} replicas are well"}


def refuse(reason):
    """A verdict that only a person can change."""
    return {"verdict": "refuse", "reason": reason}


def sentence(verdict):
    """The verdict for an operator."""
    lost = f" Lost would be: {'; '.join(verdict['lost'])}." if verdict["lost"] else ""
    playbook = f" Run {verdict['playbook']}." if verdict["playbook"] and verdict["verdict"] not in ("install", "join") else ""
    if verdict["verdict"] == "refuse":
        return verdict["reason"]
    return f"{verdict['reason']}. {verdict['advice']}{lost}{playbook}".replace("..", ".").strip()
