#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_replica
short_description: A replica of Docker Trusted Registry
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Installs the first replica, joins others, removes them through one that stays, or wipes one.
  - Which of these is right depends on the state of the cluster. Only M(dockyard.trusted_registry.dtr_cluster_info) can tell; ask it
    first. To join while a replica is dead can split the cluster in two.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr_tool
attributes:
  idempotent:
    support: partial
    details: With O(state=absent) the installer always runs, for replicas on nodes that are down cannot be seen.
options:
  state:
    description:
      - V(present) installs the registry when O(existing_replica_id) is not given, and joins it otherwise.
      - V(absent) removes O(replica_ids) from the cluster, dead or alive, and keeps O(existing_replica_id).
      - V(destroyed) wipes O(replica_id), containers and volumes, and tells no other replica. It is for uninstalling, for what was never
        finished, and before a restore.
    type: str
    choices: [present, absent, destroyed]
    default: present
  node:
    description: For V(present) the node in UCP that gets the replica.
    type: str
  replica_id:
    description: Id of the replica, 12 hexadecimal digits. A new one gets a random id without it.
    type: str
  existing_replica_id:
    description: A healthy replica, to join or to keep.
    type: str
  replica_ids:
    description: For V(absent) the replicas to remove.
    type: list
    elements: str
  confirm:
    description: For V(destroyed) the id of the replica, written out.
    type: str
  replica_http_port:
    description: Port of plain HTTP on the node. The installer's default is 80.
    type: int
  replica_https_port:
    description: Port of HTTPS on the node. The installer's default is 443.
    type: int
  rethinkdb_cache_mb:
    description: Cache of the metadata store in MB. The installer works it out from the memory of the node.
    type: int
  skip_network_test:
    description: Whether to join without testing the network between the replicas. Not for production.
    type: bool
    default: false
  overlay_subnet:
    description: For the first replica. Subnet of the network C(dtr-ol), which no host of a replica may use.
    type: str
  external_url:
    description: For the first replica, like all options below. Address that clients use, C(https://host[:port]).
    type: str
  dtr_ca:
    description: CA of the registry's certificate, PEM text.
    type: str
  dtr_cert:
    description: The registry's certificate followed by its intermediates, PEM text.
    type: str
  dtr_key:
    description: Its private key, PEM text.
    type: str
  client_cert_auth:
    description: Whether clients may sign in with a certificate.
    type: bool
  client_cert_auth_ca:
    description: CAs whose certificates may sign in, PEM text.
    type: str
  storage_volume:
    description: Volume or absolute path of the image store, which all replicas must share.
    type: str
  nfs_storage_url:
    description: Image store on NFS, C(nfs://host/path).
    type: str
  nfs_options:
    description: Mount options for it, taken as they are.
    type: str
  async_nfs:
    description: Whether it is mounted with the asynchronous options.
    type: bool
    default: false
  http_proxy:
    description: Proxy for outgoing HTTP; may hold a user and password.
    type: str
  https_proxy:
    description: Proxy for outgoing HTTPS; may hold a user and password.
    type: str
  no_proxy:
    description: Names reached without a proxy, separated by commas.
    type: str
  log_protocol:
    description: Where containers log to; V(internal) is the engine.
    type: str
    choices: [tcp, udp, internal]
  log_host:
    description: Address of a syslog server.
    type: str
  log_level:
    description: What is logged there.
    type: str
    choices: [debug, info, warn, error, fatal]
  pprof:
    description: Whether profiling is served.
    type: bool
seealso:
  - module: dockyard.trusted_registry.dtr_cluster_info
  - module: dockyard.trusted_registry.dtr_cluster
"""

EXAMPLES = r"""
- name: First replica
  dockyard.trusted_registry.dtr_replica:
    image: docker/dtr:2.7.6
    ucp_url: ucp.example.com
    ucp_username: admin
    ucp_password: "{{ vault_ucp_password }}"
    ucp_ca: "{{ lookup('ansible.builtin.file', 'ucp-ca.pem') }}"
    node: dtr-1
    external_url: https://registry.example.com

- name: Second replica
  dockyard.trusted_registry.dtr_replica:
    image: docker/dtr:2.7.6
    ucp_url: ucp.example.com
    ucp_username: admin
    ucp_password: "{{ vault_ucp_password }}"
    ucp_ca: "{{ lookup('ansible.builtin.file', 'ucp-ca.pem') }}"
    node: dtr-2
    existing_replica_id: 0a1b2c3d4e5f

- name: Take a dead one out
  dockyard.trusted_registry.dtr_replica:
    state: absent
    image: docker/dtr:2.7.6
    ucp_url: ucp.example.com
    ucp_username: admin
    ucp_password: "{{ vault_ucp_password }}"
    ucp_ca: "{{ lookup('ansible.builtin.file', 'ucp-ca.pem') }}"
    existing_replica_id: 0a1b2c3d4e5f
    replica_ids: [9f86d081884c]
"""

RETURN = r"""
replica_id:
  description: Id of the replica; in check mode empty for one that would get a random id.
  returned: with O(state=present)
  type: str
  sample: 0a1b2c3d4e5f
log:
  description: What the installer wrote, without the secrets; empty when it did not run. Also returned when it failed.
  returned: always
  type: list
  elements: dict
  contains:
    level:
      description: C(debug), C(info), C(warning), C(error), C(fatal) or C(plain).
      type: str
    text:
      description: The text.
      type: str
  sample: [{level: info, text: "Replica ID is set to: 0a1b2c3d4e5f"}]
seconds:
  description: How long it ran.
  returned: success
  type: float
  sample: 84.2
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_replica as replica
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_replica_args import CONNECTION, argument, options_of

WORK = {"present": replica.present, "absent": replica.absent, "destroyed": replica.destroyed}


def command_of(params):
    """The command of docker/dtr that the options ask for."""
    if params["state"] == "present":
        return "join" if params["existing_replica_id"] else "install"
    return {"absent": "remove", "destroyed": "destroy"}[params["state"]]


def main():
    """Ansible's entry point."""
    names = [name for name in options_of("install", "join", "remove", "destroy") if name not in CONNECTION]
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": list(WORK), "default": "present"},
            "confirm": {"type": "str"},
            **CONNECTION,
            **{name: argument(name) for name in names},
        },
        required_if=[("state", "present", ["node"]), ("state", "absent", ["existing_replica_id", "replica_ids"]),
                     ("state", "destroyed", ["replica_id"])],
        supports_check_mode=True,
    )
    replica.execute(module, command_of, WORK[module.params["state"]])


if __name__ == "__main__":
    main()
