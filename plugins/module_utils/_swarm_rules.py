# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Decisions about a Swarm's nodes: whose swarm this is, who may go, what to change. No I/O.

Sources: Docker's Swarm documentation (raft: a majority of the managers has to be reachable), UCP docs on scaling a cluster (managers leave
only when all are well, demoted first).
"""

from __future__ import annotations

import hashlib
import re

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TOKEN = re.compile(r"SWMTKN-\d+(?:-fips)?-([0-9a-z]{50})-[0-9a-z]{25}$")
# Looked up by UCP itself and not to be managed (UCP docs, group resources).
_INTERNAL = re.compile(r"com\.docker\.ucp\.collection(\.|$)")


class SwarmError(Exception):
    """Not possible as asked; one sentence, what to do included."""


def authority_of(token):
    """Digest of the swarm's CA, which a join token holds; SwarmError when the token is none."""
    found = _TOKEN.match(token or "")
    if not found:
        raise SwarmError("join_token: this is no join token (SWMTKN-...): take the one that a manager's GET /swarm tells "
                         "(ucp_cluster_info with join_tokens, or \"docker swarm join-token\").")
    return found.group(1)


def authority_digest(pem):
    """The digest of a CA certificate's file in the form of a join token: SHA-256 as a number of base 36, 50 digits. pem: bytes."""
    number, digits = int(hashlib.sha256(pem).hexdigest(), 16), ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits.rjust(50, "0")


def find_node(nodes, wanted, gone=False):
    """The node of an id or host name, None when there is none. gone: of several of a name, the one that is down is meant."""
    found = [node for node in nodes if wanted in (node["ID"], node["Description"].get("Hostname"))]
    if len(found) > 1 and gone:
        found = [node for node in found if node["Status"]["State"] == "down"] or found
    if len(found) > 1:
        raise SwarmError(f"the swarm has {len(found)} nodes named {wanted} ({', '.join(node['ID'] for node in found)}): name the one you "
                         "mean by its id, and remove the one that is down.")
    return found[0] if found else None


def is_manager(node):
    return node["Spec"]["Role"] == "manager"


def reachable(node):
    return (node.get("ManagerStatus") or {}).get("Reachability") == "reachable"


def refuse_loss_of_quorum(nodes, node):
    """SwarmError when the managers could not do without this one."""
    others = [one for one in nodes if is_manager(one) and one["ID"] != node["ID"]]
    name, well = node["Description"]["Hostname"], [one for one in others if reachable(one)]
    if not others:
        raise SwarmError(f"{name} is the last manager of the swarm: without it there is no cluster. Join or promote another one first.")
    unwell = ", ".join(one["Description"]["Hostname"] for one in others if not reachable(one))
    if len(well) <= len(others) // 2:
        raise SwarmError(f"without {name}, {len(well)} of {len(others)} managers would be reachable, which is no majority: the cluster "
                         f"could not be changed any more. Bring back {unwell} first.")
    if reachable(node) and unwell:
        raise SwarmError(f"{name} is well while {unwell} is not: managers are removed only when all others are reachable. Bring back or "
                         f"remove {unwell} first.")


def changed_spec(spec, role=None, availability=None, labels=None):
    """A node's Spec as wanted. labels: {name: text}, None as a text removes the label; others stay."""
    internal = sorted(name for name in labels or {} if _INTERNAL.match(name))
    if internal:
        raise SwarmError(f"labels: {', '.join(internal)} belongs to UCP's own bookkeeping; use com.docker.ucp.access.label to move a node "
                         "to another collection.")
    kept = {name: text for name, text in (spec.get("Labels") or {}).items() if name not in (labels or {})}
    return {**spec, "Role": role or spec["Role"], "Availability": availability or spec["Availability"],
            "Labels": {**kept, **{name: str(text) for name, text in (labels or {}).items() if text is not None}}}


def shown_spec(spec):
    """What a diff shows of a Spec."""
    return {"role": spec["Role"], "availability": spec["Availability"], "labels": spec.get("Labels") or {}}


def shown_node(node):
    """A node in the words of the collection's results."""
    manager = node.get("ManagerStatus") or {}
    return {
        "id": node["ID"], "hostname": node["Description"].get("Hostname", ""), "address": node["Status"].get("Addr", ""),
        "role": node["Spec"]["Role"],
        "availability": node["Spec"]["Availability"], "state": node["Status"]["State"], "labels": node["Spec"].get("Labels") or {},
        "leader": bool(manager.get("Leader")), "reachability": manager.get("Reachability", ""),
    }


def advice(error):
    """An engine's error in a swarm, with what to do where the documents know it (disaster recovery, troubleshooting)."""
    text = str(error)
    if re.search(r"deadline exceeded|no leader|does not have a leader|quorum", text, re.I):
        return (f"the swarm does not answer ({text}): a majority of its managers has to run and reach each other. Start the managers that "
                "are down; if they are lost, \"docker swarm init --force-new-cluster\" on a survivor is the way back.")
    if re.search(r"locked", text, re.I):
        return f"{text} Give it the key with \"docker swarm unlock\"."
    return text


def find_node_shown(nodes, identity):
    """The node of an id among those that shown_node made, None when there is none."""
    return next((node for node in nodes if node["id"] == identity), None)
