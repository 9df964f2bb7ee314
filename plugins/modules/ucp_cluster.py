#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ucp_cluster
short_description: Installs, upgrades and removes Universal Control Plane
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Runs the vendor's C(docker/ucp) on a manager of the Swarm, or on the host that shall become its first, when there is something to do.
  - What there is to do is told by the engine alone. An installation that was cut off is recognised, and removed before the next one where
    nobody can have worked with it.
  - Waits until UCP says that it is well.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  check_mode:
    details: Tells in RV(command) what would be run.
options:
  state:
    description: Whether the cluster has UCP. V(absent) removes it from all nodes; the Swarm stays.
    type: str
    choices: [present, absent]
    default: present
  image:
    description: The vendor's image with the version as its tag, such as V(docker/ucp:3.2.5).
    type: str
    required: true
  upgrade:
    description: Whether a UCP of another version may be upgraded, which otherwise is refused. A minor version cannot be skipped.
    type: bool
    default: false
  manual_worker_upgrade:
    description: Whether the workers stay at their version until the label C(com.docker.ucp.upgrade-hold) is taken from each.
    type: bool
    default: false
  confirm:
    description: For V(absent), the name of the cluster (O(cluster_name) or this host's) or its id, without which nothing is removed.
    type: str
  cluster_name:
    description: The name by which clients know the cluster, for O(confirm).
    type: str
  purge_config:
    description: For V(absent), whether UCP's configuration goes too, which otherwise is kept for the next installation.
    type: bool
    default: false
  admin_username:
    description: The first administrator of a new UCP, or an administrator for an upgrade.
    type: str
  admin_password:
    description: The password, which is handed over in the environment.
    type: str
  license:
    description: Content of the license file, for a new UCP. Later changes are the business of M(dockyard.trusted_registry.ucp_license).
    type: str
  host_address:
    description: Address or interface of this host that the other nodes reach.
    type: str
  data_path_addr:
    description: Address or interface for the traffic of containers.
    type: str
  sans:
    description: Names and addresses that UCP's own certificate holds beside those of the host.
    type: list
    elements: str
    default: []
  controller_port:
    description: Port of the web interface and the API.
    type: int
  swarm_port:
    description: Port of the classic Swarm manager.
    type: int
  swarm_grpc_port:
    description: Port of the Swarm's control traffic.
    type: int
  kube_apiserver_port:
    description: Port of the Kubernetes API.
    type: int
  nodeport_range:
    description: Ports of Kubernetes services.
    type: str
  pod_cidr:
    description: Network of Kubernetes pods.
    type: str
  service_cluster_ip_range:
    description: Network of Kubernetes services.
    type: str
  cloud_provider:
    description: Cloud that Kubernetes runs in.
    type: str
  cni_installer_url:
    description: Manifest of another network plugin for Kubernetes.
    type: str
  unmanaged_cni:
    description: Whether Kubernetes gets no network plugin.
    type: bool
    default: false
  external_service_lb:
    description: Address that is shown for published services.
    type: str
  kv_timeout:
    description: Time limit of the key-value store, in milliseconds.
    type: int
  kv_snapshot_count:
    description: Changes between two snapshots of the key-value store.
    type: int
  dns:
    description: Name servers of UCP's containers.
    type: list
    elements: str
    default: []
  dns_opt:
    description: Options of the resolver in UCP's containers.
    type: list
    elements: str
    default: []
  dns_search:
    description: Search domains of UCP's containers.
    type: list
    elements: str
    default: []
  unlock_key:
    description: Key of a Swarm that locks itself.
    type: str
  external_server_cert:
    description: Whether the web certificate is already in the volume C(ucp-controller-server-certs).
    type: bool
    default: false
  preserve_certs:
    description: Whether certificates that are there are kept.
    type: bool
    default: false
  existing_config:
    description: Whether a new UCP starts with the Swarm config C(com.docker.ucp.config), which then has to be there.
    type: bool
    default: false
  force_minimums:
    description: Whether to go on with less memory or fewer processors than UCP demands.
    type: bool
    default: false
  skip_cloud_provider_check:
    description: Whether not to look for a cloud.
    type: bool
    default: false
  disable_tracking:
    description: Whether no analytics are sent.
    type: bool
    default: false
  disable_usage:
    description: Whether no usage is reported.
    type: bool
    default: false
  pull:
    description: Whether images are pulled, O(image) and UCP's own.
    type: str
    choices: [never, missing, always]
    default: missing
  registry_username:
    description: Account at the registry that the images come from.
    type: str
  registry_password:
    description: Its password.
    type: str
  debug:
    description: Whether the tool tells more.
    type: bool
    default: false
  extra_args:
    description: Further arguments for the tool, each as V(--name=value). Secrets, and what has an option here, are refused.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds for a run, for one that is under way to end, and for UCP to be well afterwards.
    type: int
    default: 900
notes:
  - Options that concern a new UCP only do nothing to one that is there.
  - Needs the engine's socket, so usually root. Never run it with a client bundle's environment; it takes no notice of one.
  - Sources are the UCP 3.2 documentation of its command line, installation, upgrade and removal.
seealso:
  - module: dockyard.trusted_registry.ucp_cluster_info
  - module: dockyard.trusted_registry.swarm_node
"""

EXAMPLES = r"""
- name: UCP on its first manager
  dockyard.trusted_registry.ucp_cluster:
    image: docker/ucp:3.2.5
    pull: never
    host_address: 192.0.2.11
    admin_username: admin
    admin_password: "{{ vault_ucp_password }}"
    sans: [ucp.example.com, 192.0.2.11]
    external_server_cert: true

- name: The next version
  dockyard.trusted_registry.ucp_cluster:
    image: mirantis/ucp:3.3.7
    upgrade: true
    admin_username: admin
    admin_password: "{{ vault_ucp_password }}"

- name: The swarm without UCP
  dockyard.trusted_registry.ucp_cluster:
    image: docker/ucp:3.2.5
    state: absent
    cluster_name: ucp.example.com
    confirm: ucp.example.com
"""

RETURN = r"""
action:
  description:
    - C(none), C(install), C(upgrade), C(uninstall), C(mend) (what a cut-off installation left was removed, then installed) or C(clean)
      (what was left of UCP was removed).
  returned: success
  type: str
  sample: install
reason:
  description: Why.
  returned: success
  type: str
  sample: there is no UCP on ucp-1
version:
  description: The version of UCP after it, empty without UCP. In check mode the one that is there now.
  returned: success
  type: str
  sample: 3.2.5
command:
  description: What the tool was called with, or would be. Secrets are not among it.
  returned: success
  type: list
  elements: str
  sample: [install, --host-address=192.0.2.11, --san=ucp.example.com, --pull=never]
log:
  description: What the tool said.
  returned: always
  type: list
  elements: dict
  contains:
    level:
      description: C(debug), C(info), C(warning), C(error), C(fatal) or C(plain).
      type: str
    text:
      description: A line.
      type: str
  sample: [{level: info, text: All Installation Steps Completed}]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_cluster as rules
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper import (
    BootstrapError,
    Bootstrapper,
    refused_extra,
    version_of,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._swarm_rules import SwarmError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_cluster import ClusterError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_cluster_apply import Cluster
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_cluster_versions import parsed


def options():
    """The argument spec."""
    spec = {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "image": {"type": "str", "required": True},
        "confirm": {"type": "str"},
        "cluster_name": {"type": "str"},
        "pull": {"type": "str", "choices": ["never", "missing", "always"], "default": "missing"},
        "extra_args": {"type": "list", "elements": "str", "default": []},
        "timeout": {"type": "int", "default": 900},
    }
    numbers = ("controller_port", "swarm_port", "swarm_grpc_port", "kube_apiserver_port", "kv_timeout", "kv_snapshot_count")
    spec.update({name: {"type": "int" if name in numbers else "str"} for name in rules.INSTALL_VALUES})
    spec.update({name: {"type": "bool", "default": False}
                 for name in (*rules.INSTALL_SWITCHES, "upgrade", "manual_worker_upgrade", "purge_config", "debug")})
    spec.update({name: {"type": "list", "elements": "str", "default": []} for name in rules.INSTALL_LISTS})
    spec.update({name: {"type": "str", "no_log": not name.endswith("username")} for name in rules.INSTALL_ENVIRONMENT})
    return spec


def work(cluster, check_mode):
    """The module's result."""
    before = cluster.look()
    step, command = cluster.plan(before)
    if check_mode:
        after = before
    else:
        with cluster.tool.exclusive():
            before = cluster.look()   # another run may just have ended
            step, command = cluster.plan(before)
            after = cluster.carry_out(step, before)
    changed = step.action != "none"
    version = {"none": before["version"], "uninstall": "", "clean": ""}.get(step.action, cluster.wanted)
    return {
        "changed": changed, "action": step.action, "reason": step.reason, "command": command, "version": after["version"],
        "log": cluster.told(), "diff": {"before": {"version": before["version"]}, "after": {"version": version}},
    }


def main():
    """Entry point."""
    module = AnsibleModule(argument_spec=options(), supports_check_mode=True)
    params = module.params
    wanted, wrong = version_of(params["image"]), refused_extra(params["extra_args"], rules.NOT_EXTRA)
    if not parsed(wanted):
        wrong = wrong or f"image: {params['image']} has no version as its tag, such as docker/ucp:3.2.5."
    if wrong:
        module.fail_json(msg=wrong)
    cluster = Cluster(params, Bootstrapper("ucp", params["image"], pull=params["pull"], timeout=params["timeout"]), wanted)
    try:
        module.exit_json(**work(cluster, module.check_mode))
    except BootstrapError as error:
        module.fail_json(msg=str(error), log=[*cluster.told(), *error.log])
    except (ClusterError, EngineError, SwarmError) as error:
        module.fail_json(msg=str(error), log=cluster.told())


if __name__ == "__main__":
    main()
