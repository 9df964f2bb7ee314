#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_trust
short_description: Make a host trust registries, in the files of every client family
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Turns one list of registries into the files Docker, podman, skopeo, buildah, CRI-O, containerd and the operating system read.
  - What this module wrote it remembers in O(record); what is no longer declared is undone, what others wrote is left alone.
  - The files of one registry change in a single step, so that no pull ever meets half a client pair.
  - The lists inside the Docker engine's own configuration (insecure registries, mirrors of Docker Hub) are not written here but
    handed back in RV(daemon_jobs) for the module M(dockyard.trusted_registry.docker_daemon). Call this module with O(forget) afterwards.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
options:
  registries:
    description: The registries this host trusts. An entry that is taken out of the list is undone.
    type: list
    elements: dict
    suboptions:
      host:
        description: DNS name or IP address as it stands in image references, without scheme, port or path.
        type: str
        required: true
      port:
        description: Port as it stands in image references; V(name) and V(name:443) are different registries to every client.
        type: int
      ca:
        description: PEM of the CA certificates that sign the registry's certificate. Added to the system's, not in place of them.
        type: str
      client_certificate:
        description: PEM of the client certificate, followed by its intermediates.
        type: str
      client_key:
        description: PEM of the unencrypted private key of O(registries[].client_certificate).
        type: str
      insecure:
        description:
          - Do not verify TLS, and fall back to plain HTTP.
          - Certificates are never read for an insecure registry, so it cannot be combined with them.
        type: bool
        default: false
      mirror_of:
        description:
          - Names of registries this one is a pull-through mirror of, such as V(docker.io) or V(quay.io).
          - The Docker engine knows mirrors of V(docker.io) only.
        type: list
        elements: str
        default: []
      state:
        description: V(absent) is the same as leaving the entry out, and also warns of files others have left for that registry.
        type: str
        choices: [present, absent]
        default: present
  insecure_networks:
    description: CIDRs whose registries the Docker engine treats as insecure, on any port.
    type: list
    elements: str
    default: []
  dialects:
    description:
      - V(docker) is C(certs.d) and the lists of the Docker engine.
      - V(containers) is C(certs.d) and C(registries.conf.d) of podman, skopeo, buildah and CRI-O.
      - V(containerd) is C(hosts.toml) and the certificates it names.
      - V(system) adds the CAs to the certificate store of the operating system, which the Docker engine reads once, with its first
        connection.
    type: list
    elements: str
    choices: [docker, containers, containerd, system]
    default: [docker]
  docker_target:
    description: Where the Docker engine's lists stand, passed through to RV(daemon_jobs).
    type: str
    choices: [daemon_json, docker_opts]
    default: daemon_json
  docker_directory:
    description: The Docker engine's C(certs.d).
    type: path
    default: /etc/docker/certs.d
  containers_directory:
    description: Directory that holds C(certs.d) and C(registries.conf.d) of podman and its relatives.
    type: path
    default: /etc/containers
  containerd_directory:
    description: The directory containerd's C(config_path) names.
    type: path
    default: /etc/containerd/certs.d
  record:
    description: File that remembers what this module wrote. Copies of files of others that had to be replaced are kept beside it.
    type: path
    default: /var/lib/dockyard/registry_trust.json
  forget:
    description:
      - RV(daemon_jobs) of an earlier call, after the engine has taken them. Only the record is touched.
      - Until then the record names every list member that has to be removed, so that a run that was killed is mended by the next.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: Trust a registry with a private CA and client certificates
  dockyard.trusted_registry.registry_trust:
    registries:
      - host: registry.example.com
        port: 5000
        ca: "{{ lookup('ansible.builtin.file', 'ca.pem') }}"
        client_certificate: "{{ lookup('ansible.builtin.file', 'client.pem') }}"
        client_key: "{{ lookup('ansible.builtin.file', 'client.key') }}"
    dialects: [docker, containers]
  register: trust

- name: Hand the engine's own lists over
  dockyard.trusted_registry.docker_daemon:
    target: "{{ item.target }}"
    list_items: "{{ item.list_items }}"
  loop: "{{ trust.daemon_jobs }}"

- name: Forget the list members the engine has let go of
  dockyard.trusted_registry.registry_trust:
    forget: "{{ trust.daemon_jobs }}"
  when: trust.daemon_forget
"""

RETURN = r"""
written:
  description: Files that were created or replaced.
  returned: without O(forget)
  type: list
  elements: str
  sample: [/etc/docker/certs.d/registry.example.com:5000/ca.crt]
removed:
  description: Files that were removed.
  returned: without O(forget)
  type: list
  elements: str
  sample: []
copies:
  description: Copies kept of files that others had written or changed.
  returned: without O(forget)
  type: list
  elements: str
  sample: []
daemon_jobs:
  description: What M(dockyard.trusted_registry.docker_daemon) has to be given, in order. Empty where the engine needs nothing.
  returned: without O(forget)
  type: list
  elements: dict
  sample:
    - target: daemon_json
      list_items:
        insecure-registries:
          present: [10.20.0.0/16]
          absent: [old.example.com:5000]
daemon_forget:
  description: Whether this module is to be called with O(forget) once the jobs are done.
  returned: without O(forget)
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _registry_trust_host as host_layer
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _registry_trust_rules as rules
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_files import Places, desired_state
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_plan import (
    forget_members,
    make_plan,
    target_problem,
)

REGISTRY = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int"},
    "ca": {"type": "str"},
    "client_certificate": {"type": "str"},
    "client_key": {"type": "str", "no_log": True},
    "insecure": {"type": "bool", "default": False},
    "mirror_of": {"type": "list", "elements": "str", "default": []},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

ARGUMENTS = {
    "registries": {"type": "list", "elements": "dict", "options": REGISTRY},
    "insecure_networks": {"type": "list", "elements": "str", "default": []},
    "dialects": {"type": "list", "elements": "str", "choices": list(rules.DIALECTS), "default": ["docker"]},
    "docker_target": {"type": "str", "choices": ["daemon_json", "docker_opts"], "default": "daemon_json"},
    "docker_directory": {"type": "path", "default": "/etc/docker/certs.d"},
    "containers_directory": {"type": "path", "default": "/etc/containers"},
    "containerd_directory": {"type": "path", "default": "/etc/containerd/certs.d"},
    "record": {"type": "path", "default": "/var/lib/dockyard/registry_trust.json"},
    "forget": {"type": "list", "elements": "dict"},
}


def trust(module: AnsibleModule) -> dict:
    params = module.params
    registries = checked(module)
    dialects = params["dialects"]
    store = host_layer.find_store(module.get_bin_path)
    if store is None and "system" in dialects:
        raise host_layer.TrustError("no certificate store is known on this host; install ca-certificates or leave out the dialect 'system'")
    places = Places(params["docker_directory"], params["containers_directory"], params["containerd_directory"], store[0] if store else "")
    record = host_layer.load_record(params["record"])
    desired = desired_state(registries, params["insecure_networks"], dialects, places)
    problem = target_problem(desired, record, params["docker_target"])
    if problem:
        raise host_layer.TrustError(problem)
    plan = make_plan(desired, record, host_layer.look(desired, record), params["docker_target"])
    copies = []
    if plan.changed and not module.check_mode:
        copies = host_layer.apply(plan, params["record"])
        host_layer.announce(plan.actions, plan, record.pending, module.get_bin_path, module.run_command)
        host_layer.save_record(params["record"], plan.after)
    for text in plan.warnings:
        module.warn(text)
    return {
        "changed": plan.changed,
        "written": sorted(plan.write),
        "removed": sorted(plan.remove),
        "copies": copies,
        "daemon_jobs": plan.jobs,
        "daemon_forget": plan.forget,
        "diff": plan.diff,
    }


def checked(module: AnsibleModule) -> list:
    """The registries as objects, after everything that can be known to fail has been refused."""
    entries, networks, dialects = module.params["registries"], module.params["insecure_networks"], module.params["dialects"]
    found = rules.problems(entries, networks, dialects)
    registries = [] if found else [rules.registry_of(entry) for entry in entries]
    if "docker" in dialects:
        errors, warned = rules.resolved_conflicts(registries, networks, host_layer.addresses_of)
        found += errors
        for text in warned:
            module.warn(text)
    if found:
        raise host_layer.TrustError("; ".join(found))
    warned = rules.warnings(registries, networks, dialects)
    if "containerd" in dialects and any(not registry.absent for registry in registries):
        config = host_layer.read_text("/etc/containerd/config.toml")
        warned.append(host_layer.containerd_warning(config, module.params["containerd_directory"]))
    for text in filter(None, warned):
        module.warn(text)
    return registries


def forget(module: AnsibleModule) -> dict:
    path = module.params["record"]
    record = host_layer.load_record(path)
    after = forget_members(record, module.params["forget"])
    if after != record and not module.check_mode:
        host_layer.save_record(path, after)
    return {"changed": after != record}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_one_of=[("registries", "forget")],
        mutually_exclusive=[("registries", "forget")],
        supports_check_mode=True,
    )
    try:
        result = trust(module) if module.params["forget"] is None else forget(module)
    except host_layer.TrustError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"cannot write {error.filename}: {error.strerror}. Run as root (become: true), and look at the file named")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
