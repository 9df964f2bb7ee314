#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_cluster
short_description: Reconfigure, upgrade or repair a cluster of Docker Trusted Registry
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Runs the installer for the cluster as a whole. What is not given is not changed.
  - Which of these is right depends on the state of the cluster, of which M(dockyard.trusted_registry.dtr_cluster_info) tells.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr_tool
attributes:
  idempotent:
    support: partial
    details:
      - Only V(upgrade) looks whether it is due. What V(reconfigure) sets can be compared with M(dockyard.trusted_registry.dtr_settings) and
        O(dockyard.trusted_registry.dtr_settings#module:on_reconfigure=report) before.
options:
  action:
    description:
      - V(reconfigure) changes settings that the API cannot, and restarts the registry for it, one replica after the other.
      - V(upgrade) brings all replicas to the version of O(image), one after the other; run again, it goes on where it stopped.
      - V(emergency_repair) makes O(existing_replica_id) the whole cluster after the majority was lost. What only others knew is gone.
    type: str
    choices: [reconfigure, upgrade, emergency_repair]
    required: true
  existing_replica_id:
    description:
      - The replica to work through, a healthy one but for V(emergency_repair).
      - O(replica_http_port), O(replica_https_port) and O(rethinkdb_cache_mb) are of this replica, all else is of the cluster.
    type: str
    required: true
  confirm:
    description: For V(emergency_repair) the id in O(existing_replica_id), written out.
    type: str
  prune:
    description: For V(emergency_repair), whether the volumes of all other replicas go as well.
    type: bool
    default: false
  overlay_subnet:
    description: For V(emergency_repair), the subnet of the network C(dtr-ol), which is made anew.
    type: str
  external_url:
    description: Address that clients use, C(https://host[:port]).
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
    description: Volume or absolute path of the image store.
    type: str
  nfs_storage_url:
    description: Image store on NFS, C(nfs://host/path); empty goes back to the local volume.
    type: str
  nfs_options:
    description: Mount options for it, taken as they are.
    type: str
  async_nfs:
    description: Whether it is mounted with the asynchronous options.
    type: bool
    default: false
  storage_migrated:
    description:
      - Your word that the image data has been copied to the new store. Without it O(storage_volume) and O(nfs_storage_url) are refused, for
        a change of the store erases all tags.
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
  replica_http_port:
    description: Port of plain HTTP on the node of the replica.
    type: int
  replica_https_port:
    description: Port of HTTPS on the node of the replica.
    type: int
  rethinkdb_cache_mb:
    description: Cache of the metadata store in MB on the replica.
    type: int
seealso:
  - module: dockyard.trusted_registry.dtr_cluster_info
  - module: dockyard.trusted_registry.dtr_replica
  - module: dockyard.trusted_registry.dtr_settings
"""

EXAMPLES = r"""
- name: Logs go to a syslog server
  dockyard.trusted_registry.dtr_cluster:
    action: reconfigure
    image: docker/dtr:2.7.6
    ucp_url: ucp.example.com
    ucp_username: admin
    ucp_password: "{{ vault_ucp_password }}"
    ucp_ca: "{{ lookup('ansible.builtin.file', 'ucp-ca.pem') }}"
    existing_replica_id: 0a1b2c3d4e5f
    log_protocol: tcp
    log_host: syslog.example.com:514

- name: Upgrade
  dockyard.trusted_registry.dtr_cluster:
    action: upgrade
    image: mirantis/dtr:2.8.5
    ucp_url: ucp.example.com
    ucp_username: admin
    ucp_password: "{{ vault_ucp_password }}"
    ucp_ca: "{{ lookup('ansible.builtin.file', 'ucp-ca.pem') }}"
    existing_replica_id: 0a1b2c3d4e5f
    timeout: 3600
"""

RETURN = r"""
versions:
  description: Versions of the replicas.
  returned: with O(action=upgrade)
  type: list
  elements: str
  sample: [2.8.5]
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
  sample: [{level: info, text: Upgrade is complete}]
seconds:
  description: How long it ran.
  returned: success
  type: float
  sample: 84.2
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_replica as replica
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_replica_args import CONNECTION, argument, options_of

WORK = {"reconfigure": replica.reconfigure, "upgrade": replica.upgrade, "emergency_repair": replica.emergency_repair}


def command_of(params):
    """The command of docker/dtr that the options ask for."""
    return params["action"].replace("_", "-")


def main():
    """Ansible's entry point."""
    names = [name for name in options_of("reconfigure", "upgrade", "emergency-repair") if name not in CONNECTION]
    module = AnsibleModule(
        argument_spec={
            "action": {"type": "str", "choices": list(WORK), "required": True},
            "confirm": {"type": "str"},
            **CONNECTION,
            **{name: argument(name) for name in names},
            "existing_replica_id": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    replica.execute(module, command_of, WORK[module.params["action"]])


if __name__ == "__main__":
    main()
