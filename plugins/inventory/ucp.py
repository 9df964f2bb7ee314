# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ucp
short_description: Nodes of a running Universal Control Plane, and which of them carry DTR replicas
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Makes an inventory of a cluster that runs already, so that it can be adopted. Every node of the Swarm becomes a host, by its host name,
    in the group C(ucp_managers) or C(ucp_workers).
  - With O(dtr_host), DTR is asked which nodes its replicas are on. Those are also in the group C(dtr_replicas) and have C(dtr_replica_id).
  - Hosts have C(ansible_host), the address that the Swarm knows, and C(ucp_node_id), C(ucp_node_role), C(ucp_node_availability),
    C(ucp_node_state), C(ucp_node_leader), C(ucp_node_labels), C(ucp_node_collection), C(ucp_node_engine_version), C(ucp_node_os).
    Variables, groups and groups by key can be composed from them, see O(compose), O(groups) and O(keyed_groups).
  - The inventory file is YAML, names this plugin, and its own name ends with C(ucp.yml) or C(ucp.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [dockyard.trusted_registry.ucp]
  host:
    description: Name or address of a manager or of the balancer before them, with a port when it is not 443.
    type: str
    required: true
    env:
      - name: UCP_HOST
  username:
    description: The account that reads. An administrator sees all nodes, another user those that the grants reach.
    type: str
    env:
      - name: UCP_USERNAME
  password:
    description: Its password.
    type: str
    env:
      - name: UCP_PASSWORD
  token:
    description: A session token in place of O(username) and O(password).
    type: str
    env:
      - name: UCP_TOKEN
  ca_path:
    description: File with the CA that signed the server's certificate, PEM. Without it the system's authorities count.
    type: path
    env:
      - name: UCP_CA_PATH
  client_cert:
    description: File with the certificate of a client bundle (C(cert.pem)), in place of a password.
    type: path
    env:
      - name: UCP_CLIENT_CERT
  client_key:
    description: File with its private key (C(key.pem)).
    type: path
    env:
      - name: UCP_CLIENT_KEY
  validate_certs:
    description: Whether the certificates of UCP and DTR are verified. V(false) lets anyone in between read the credentials.
    type: bool
    default: true
    env:
      - name: UCP_VALIDATE_CERTS
  timeout:
    description: Seconds to wait for a connection and for each next part of an answer.
    type: int
    default: 30
    env:
      - name: UCP_TIMEOUT
  retries:
    description: How often a request is tried again after a broken connection or one of the answers 429, 502, 503 and 504.
    type: int
    default: 5
    env:
      - name: UCP_RETRIES
  dtr_host:
    description: Name or address of DTR, with a port when it is not 443. Without it, no replicas are looked for.
    type: str
    env:
      - name: DTR_HOST
  dtr_username:
    description: A system administrator of DTR. Without it that of UCP, for the accounts are the same.
    type: str
    env:
      - name: DTR_USERNAME
  dtr_password:
    description: The password of O(dtr_username). Without it that of UCP.
    type: str
    env:
      - name: DTR_PASSWORD
  dtr_token:
    description: An access token of the account, in place of O(dtr_password).
    type: str
    env:
      - name: DTR_TOKEN
  dtr_ca_path:
    description: File with the CA that signed DTR's certificate, PEM. Without it O(ca_path).
    type: path
    env:
      - name: DTR_CA_PATH
requirements:
  - requests
notes:
  - Passwords belong in the environment or in a vaulted value, not in the file. Values may be templates with lookups.
  - A node that was joined anew under its old name leaves one that is down in the Swarm. The one that is ready then counts, with a warning.
"""

EXAMPLES = r"""
# inventory/ucp.yml, with UCP_USERNAME and UCP_PASSWORD in the environment
plugin: dockyard.trusted_registry.ucp
host: ucp.example.com
ca_path: /etc/ssl/ucp-ca.pem
dtr_host: registry.example.com
compose:
  ansible_user: "'admin'"
keyed_groups:
  - key: ucp_node_labels.zone | default('none')
    prefix: zone
groups:
  not_ready: ucp_node_state != 'ready'
"""

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _api_http, _dtr, _ucp
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._ucp_facts import nodes

GROUPS = {"manager": "ucp_managers", "worker": "ucp_workers"}
REPLICAS = "dtr_replicas"
SHOWN = ("id", "role", "availability", "state", "leader", "labels", "collection", "engine_version", "os")
CONNECTION = ("host", "username", "password", "token", "ca_path", "client_cert", "client_key", "validate_certs", "timeout", "retries")


def hosts(found, replicas):
    """([(host name, [group], {variable: value})], [warning]) of the nodes and {replica id: name of its node}.

    AnsibleParserError where two nodes have one name and it cannot be told which counts.
    """
    made, warnings, by_node = [], [], {}
    for identity, node in sorted(replicas.items()):
        by_node.setdefault(node, []).append(identity)
    for name in sorted({node["hostname"] for node in found}):
        node, others = the_one(name, [node for node in found if node["hostname"] == name])
        if others:
            warnings.append(f"{len(others) + 1} nodes are called {name}: the one that is ready counts, {node['id']}."
                            " Remove the others from the Swarm (docker node rm).")
        groups, variables = [GROUPS[node["role"]]], {f"ucp_node_{key}": node[key] for key in SHOWN}
        variables["ansible_host"] = node["address"] or name
        identities = by_node.pop(name, [])
        if identities:
            groups.append(REPLICAS)
            variables["dtr_replica_id"] = identities[0]
        if len(identities) > 1:
            warnings.append(f"node {name} carries the replicas {', '.join(identities)}; dtr_replica_id is the first of them.")
        made.append((name, groups, variables))
    warnings += [f"replica {', '.join(identities)} is on {node}, which is no node that this account sees."
                 for node, identities in by_node.items()]
    return made, warnings


def the_one(name, same):
    """(the node that counts, [the others]) of nodes with one name."""
    ready = [node for node in same if node["state"] == "ready"] if len(same) > 1 else same
    if len(ready) != 1:
        raise AnsibleParserError(
            f"{len(same)} nodes are called {name} and {len(ready)} of them are ready. Give them names of their own, or remove those that"
            " are gone from the Swarm (docker node rm).")
    return ready[0], [node for node in same if node is not ready[0]]


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The plugin as Ansible knows it."""

    NAME = "dockyard.trusted_registry.ucp"

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith(("ucp.yml", "ucp.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        if _api_http.MISSING:
            raise AnsibleParserError("the Python library requests is needed by Ansible's own Python. Install it.")
        key = self.get_cache_key(path)
        cached = self.get_option("cache")
        facts = self._cache.get(key) if cached and cache else None
        if facts is None:
            facts = self.read()
            if cached:
                self._cache[key] = facts
        self.fill(facts["nodes"], facts["replicas"])

    def read(self):
        """{nodes, replicas} of the cluster."""
        params = {name: self.value(name) for name in CONNECTION}
        if not params["validate_certs"]:
            self.display.warning(f"The certificate of {params['host']} is not verified: anyone in between can read the credentials.")
        try:
            return {"nodes": self.read_nodes(params), "replicas": self.read_replicas(params)}
        except (ApiError, InputError) as error:
            raise AnsibleParserError(str(error)) from error

    def read_nodes(self, params):
        """The nodes, see _ucp_facts."""
        client = _ucp.connect({**params, "threads": 1}, read_only=True)
        try:
            return nodes(client.get("nodes"))
        finally:
            client.close()

    def read_replicas(self, params):
        """{replica id: name of its node}; {} without dtr_host."""
        if not self.value("dtr_host"):
            return {}
        own = {name: self.value(f"dtr_{name}") for name in ("host", "username", "password", "token", "ca_path")}
        shared = {name: own[name] or params[name] for name in ("username", "password", "ca_path")}
        client = _dtr.connect({**params, **own, **shared, "client_cert": None, "threads": 1}, read_only=True)
        try:
            return {identity: replica["node"] for identity, replica in (client.settings()["replicaSettings"] or {}).items()}
        finally:
            client.close()

    def value(self, name):
        """An option; texts may be templates."""
        value = self.get_option(name)
        return self.templar.template(value) if isinstance(value, str) else value

    def fill(self, found, replicas):
        """Put hosts and groups into the inventory."""
        made, warnings = hosts(found, replicas)
        for warning in warnings:
            self.display.warning(warning)
        for group in (*GROUPS.values(), REPLICAS):
            self.inventory.add_group(group)
        strict = self.get_option("strict")
        for name, groups, variables in made:
            self.inventory.add_host(name)
            for group in groups:
                self.inventory.add_child(group, name)
            for variable, value in variables.items():
                self.inventory.set_variable(name, variable, value)
            self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
            self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)
