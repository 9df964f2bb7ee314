#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_cluster_info
short_description: The state of a cluster of Docker Trusted Registry, and what is right to do in it
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Asks UCP for the containers and volumes of every replica, and every replica by itself for its health, on its node's address and never
    through a balancer.
  - Says which of install, join, replace, repair and restore is right, and why. Doing another one loses data.
  - Nothing is changed.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._ucp
attributes:
  check_mode:
    details: Reads the same as without it.
  diff_mode:
    support: none
    details: Nothing is changed.
options:
  hosts:
    description: The hosts that shall have a replica.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Name of the host for messages, usually that of the inventory.
        type: str
        required: true
      node:
        description: Name of its node in UCP.
        type: str
        required: true
      https_port:
        description: Port of its replica; counts where no running container tells it.
        type: int
        default: 443
      http_port:
        description: The same for plain HTTP.
        type: int
        default: 80
      replica_id:
        description: Id that its replica shall have; handed back in RV(verdict).
        type: str
        default: ""
      cache_mb:
        description: Cache of the metadata store that its replica shall have, in MB; handed back in RV(verdict).
        type: int
        default: 0
  hostname:
    description: Name under which clients reach the registry, with the port when it is not 443. Each replica must have a certificate for it.
    type: str
    required: true
  version:
    description: The version that is declared, such as V(2.7.6); empty when any is right.
    type: str
    default: ""
  shared_storage:
    description: Whether all replicas have the same images, on a shared volume, NFS or an object store.
    type: bool
    default: false
  dtr_ca_path:
    description:
      - File with the CA of the registry, PEM. Without it replicas are only asked whether they are well, and are not sent the password
        with which they would tell of each other.
    type: path
  dtr_ca:
    description: The same as text, in place of O(dtr_ca_path).
    type: str
  waited:
    description:
      - Whether the time is over in which a dead replica may come back. Until then a cluster that is not well is waited for (V(wait)).
    type: bool
    default: false
  wait_for:
    description: Whether dead replicas are waited for (V(all)), or only a cluster in which none is well (V(any)).
    type: str
    choices: [all, any]
    default: all
  wait_timeout:
    description: Seconds to wait, at the most, as long as the verdict is V(wait). Then it is judged as with O(waited=true).
    type: int
    default: 0
  remove:
    description: Ids of replicas; RV(removal) says whether they can be removed.
    type: list
    elements: str
    default: []
  discard:
    description: Id of the only replica, of which UCP was never told and which is not well, so that it is made anew.
    type: str
    default: ""
  with_repositories:
    description: Whether RV(repositories) is returned.
    type: bool
    default: false
  forget:
    description: Name of a registry that UCP still knows, but that is gone for good, so that a new one is installed in place of a restore.
    type: str
    default: ""
requirements:
  - tomlkit
  - cryptography
notes:
  - Needs an administrator of UCP who signs in with a password. It is the account for the registry as well.
  - Sources are the DTR documentation on architecture, load balancers, high availability and disaster recovery.
seealso:
  - module: dockyard.trusted_registry.dtr_replica
  - module: dockyard.trusted_registry.dtr_cluster
"""

EXAMPLES = r"""
- name: What is right to do
  dockyard.trusted_registry.dtr_cluster_info:
    host: ucp.example.com
    username: admin
    password: "{{ vault_ucp_password }}"
    ca_path: /etc/ssl/ucp-ca.pem
    dtr_ca_path: /etc/ssl/registry-ca.pem
    hostname: registry.example.com
    version: 2.7.6
    shared_storage: true
    hosts:
      - {host: dtr-1.example.com, node: dtr-1}
      - {host: dtr-2.example.com, node: dtr-2}
      - {host: dtr-3.example.com, node: dtr-3}
  register: cluster

- name: Tell
  ansible.builtin.debug:
    msg: "{{ cluster.message }}"
"""

RETURN = r"""
verdict:
  description: What is right to do.
  returned: success
  type: dict
  contains:
    verdict:
      description: >-
        C(install), C(join), C(nothing), C(upgrade), C(replace) (a majority is well: remove the dead ones, then join), C(repair) (a
        minority is left), C(restore) (nothing is left), C(start) (containers were stopped), C(wait) or C(refuse).
      type: str
    reason:
      description: Why.
      type: str
    advice:
      description: What an operator should know.
      type: str
    playbook:
      description: The playbook that does it.
      type: str
    lost:
      description: What would be lost by it.
      type: list
      elements: str
    version:
      description: Version of the cluster; the highest where there are several.
      type: str
    existing:
      description: A healthy replica.
      type: str
    healthy:
      description: All of them.
      type: list
      elements: str
    dead:
      description: Replicas that belong to the cluster and are not well.
      type: list
      elements: str
    extra:
      description: Replicas on nodes of no declared host.
      type: list
      elements: str
    remove:
      description: Replicas that must be removed before anything joins.
      type: list
      elements: str
    discard:
      description: Replicas of an installation that broke off before it could serve anybody.
      type: list
      elements: str
    join:
      description: Declared hosts that need a replica.
      type: list
      elements: dict
    repair_with:
      description: Replicas on which the cluster can be repaired.
      type: list
      elements: str
    expired:
      description: Replicas whose certificate has expired, when that is all that is wrong with them.
      type: list
      elements: str
  sample: {verdict: replace, reason: "9f86d081884c on dtr-2 is dead (no answer in time), 2 of 3 are well", playbook: replace_replica.yml,
    advice: "It has to be removed before another one joins: joining first can split the cluster in two.", version: 2.7.6,
    existing: 0a1b2c3d4e5f, healthy: [0a1b2c3d4e5f, 60303ae22b99], dead: [9f86d081884c], remove: [9f86d081884c], extra: [], discard: [],
    repair_with: [], expired: [], lost: ["replica 9f86d081884c on dtr-2; what it knows the others know"], join: []}
message:
  description: The verdict in a sentence.
  returned: success
  type: str
  sample: 3 of 3 replicas are well.
replicas:
  description: Every replica of which there is a container or a volume.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id, 12 hexadecimal digits.
      type: str
    node:
      description: Its node.
      type: str
    address:
      description: Address of the node.
      type: str
    http_port:
      description: Port of plain HTTP.
      type: int
    https_port:
      description: Port of HTTPS.
      type: int
    version:
      description: Its version.
      type: str
    containers:
      description: State of each container, by its component.
      type: dict
    volumes:
      description: Kinds of volumes.
      type: list
      elements: str
    ping:
      description: The C(state), which is C(healthy), C(unhealthy), C(silent) or C(untrusted), and the C(reason).
      type: dict
    members:
      description: What it says of every replica; null when it was not asked.
      type: dict
    members_error:
      description: Why it could not be asked.
      type: str
    members_later:
      description: Whether that may pass by itself, as while it starts.
      type: bool
    certificate:
      description: SHA-256 of the certificate that it serves.
      type: str
    certificate_end:
      description: Until when that is valid.
      type: str
  sample:
    - {id: 0a1b2c3d4e5f, node: dtr-1, address: 192.0.2.21, http_port: 80, https_port: 443, version: 2.7.6,
       containers: {api: running, nginx: running, registry: running, rethinkdb: running}, volumes: [ca, notary, registry, rethink],
       ping: {state: healthy, reason: ""}, members: {0a1b2c3d4e5f: OK}, members_error: "",
       members_later: false,
       certificate: 4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945, certificate_end: "2027-01-31T12:00:00Z"}
nodes:
  description: The nodes of UCP, as M(dockyard.trusted_registry.ucp_info) returns them.
  returned: success
  type: list
  elements: dict
  sample: []
settings:
  description:
    - The settings of the registry, as M(dockyard.trusted_registry.dtr_info) returns them, from a healthy replica; null without one, or
      without O(dtr_ca_path).
  returned: success
  type: dict
  sample: {dtr_host: registry.example.com, log_protocol: internal}
places:
  description: The node of each replica, by its id, as the registry knows it; empty without a healthy and trusted replica.
  returned: success
  type: dict
  sample: {0a1b2c3d4e5f: dtr-1}
repositories:
  description: Names of all repositories; null without O(with_repositories), or when no replica is healthy and trusted.
  returned: success
  type: list
  elements: str
  sample: [ops/base]
ucp_version:
  description: Version of UCP.
  returned: success
  type: str
  sample: 3.2.5
busy:
  description: Installers that are at work.
  returned: success
  type: list
  elements: str
  sample: [dtr-1/dtr-phase2]
registered:
  description: Registries that UCP knows.
  returned: success
  type: list
  elements: str
  sample: [registry.example.com]
registered_ca:
  description: The CA, PEM, that UCP brings to its nodes for this registry; empty when it has none.
  returned: success
  type: str
  sample: ""
admin_scheduling:
  description: Whether administrators may run containers on nodes of the registry, which installers need.
  returned: success
  type: bool
  sample: true
content_trust:
  description: Whether UCP runs only signed images, which must be off for an upgrade.
  returned: success
  type: bool
  sample: false
ucp_trust:
  description: Why the registry cannot ask UCP for accounts, empty when it can, null when that is not known.
  returned: success
  type: str
  sample: ""
removal:
  description: Whether the replicas of O(remove) can be removed.
  returned: with O(remove)
  type: dict
  contains:
    errors:
      description: What speaks against it.
      type: list
      elements: str
    keep:
      description: A healthy replica that stays.
      type: str
  sample: {errors: [], keep: 0a1b2c3d4e5f}
"""

import atexit
import os
import tempfile
import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_guard as guard
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_certificates import need_cryptography
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_cluster import look
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_guard_state import removal

PAUSE = 5   # seconds between looks


def work(client, params, check_mode):
    """The module's result."""
    if not client.credentials:
        raise InputError("username and password are needed: the replicas are asked with them, and take no session of UCP.")
    need_cryptography()
    if params["dtr_ca"]:
        params["dtr_ca_path"] = kept(params["dtr_ca"])
    end = time.monotonic() + params["wait_timeout"]
    while True:
        waited = params["waited"] or time.monotonic() >= end
        found = judged(client, params, params["waited"])
        if found["verdict"]["verdict"] != "wait" or waited or (params["wait_for"] == "any" and enough(found)):
            break
        time.sleep(PAUSE)
    if found["verdict"]["verdict"] == "wait" and (params["wait_timeout"] or params["wait_for"] == "any"):
        found = judged(client, params, True)
    return {"changed": False, **found}


def enough(found):
    """Whether some replica is well and no installer at work, so that the dead ones can be judged."""
    return bool(found["verdict"].get("healthy")) and not found["busy"] and any(one["members"] is not None for one in found["replicas"])


def kept(pem):
    """A file with the text, for as long as the module runs."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False, encoding="utf-8") as file:
        file.write(pem)
    atexit.register(os.unlink, file.name)
    return file.name


def judged(client, params, waited):
    """All facts with the verdict on them; a UCP that cannot answer is waited for as well."""
    wanted = {name: params[name] for name in ("hosts", "hostname", "version", "shared_storage", "discard")}
    wanted["waited"] = waited
    try:
        facts = look(client, params)
    except ApiError as error:
        if waited or not params["wait_timeout"] or (error.status is not None and error.status < 500):
            raise
        return {"verdict": {"verdict": "wait", "reason": str(error)}}
    facts["registered"] = [name for name in facts["registered"] if name != params["forget"]]
    verdict = guard.judge(facts, wanted)
    found = {**facts, "verdict": verdict, "message": guard.sentence(verdict)}
    if params["remove"]:
        found["removal"] = removal(facts, wanted, params["remove"])
    return found


def main():
    """Entry point."""
    run(_ucp, {
        "hosts": {"type": "list", "elements": "dict", "required": True, "options": {
            "host": {"type": "str", "required": True},
            "node": {"type": "str", "required": True},
            "https_port": {"type": "int", "default": 443},
            "http_port": {"type": "int", "default": 80},
            "replica_id": {"type": "str", "default": ""},
            "cache_mb": {"type": "int", "default": 0},
        }},
        "hostname": {"type": "str", "required": True},
        "version": {"type": "str", "default": ""},
        "shared_storage": {"type": "bool", "default": False},
        "dtr_ca_path": {"type": "path"},
        "dtr_ca": {"type": "str"},
        "waited": {"type": "bool", "default": False},
        "wait_for": {"type": "str", "choices": ["all", "any"], "default": "all"},
        "wait_timeout": {"type": "int", "default": 0},
        "remove": {"type": "list", "elements": "str", "default": []},
        "with_repositories": {"type": "bool", "default": False},
        "discard": {"type": "str", "default": ""},
        "forget": {"type": "str", "default": ""},
    }, work, mutually_exclusive=[("dtr_ca_path", "dtr_ca")])


if __name__ == "__main__":
    main()
