#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_probe
short_description: Gather in one call what decides whether a host is fit for a registry
version_added: 0.1.0
description:
  - Reads memory, CPUs, filesystems, clock, names, listeners, routes and the engine of a host, and tries TCP connections to its
    peers, all in one call of some tenths of a second.
  - Only reads. It judges nothing; M(dockyard.trusted_registry.preflight_report) does.
  - With O(image_tools) the tools that are on the host are run for a moment, without network, for the list of images they print.
  - Runs as any user. As root it can also name the processes that hold ports.
author:
  - Dockyard contributors (@dockyard)
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  diff_mode:
    support: none
    details: Nothing is ever changed.
options:
  paths:
    description: Paths whose filesystem is measured; for one that does not exist its nearest existing parent is.
    type: list
    elements: str
    default: []
  traces:
    description: Path patterns that tell, if one matches, that a product is installed already.
    type: list
    elements: str
    default: []
  ports:
    description: Ports whose listeners are looked for, as V(5000/tcp) or V(4789/udp).
    type: list
    elements: str
    default: []
  names:
    description: Names to resolve to addresses.
    type: list
    elements: str
    default: []
  targets:
    description:
      - Connections to try, each as address or name, a space and a port, such as V(192.0.2.11 5000).
      - A connection that opens is closed at once; no byte is sent.
    type: list
    elements: str
    default: []
  image_tools:
    description:
      - Products, each with the name of its bootstrapper image, such as V(ucp docker/ucp:3.2.5). The tool is asked which images its
        product needs if it is on the host; it is never pulled.
    type: list
    elements: str
    default: []
  connect_timeout:
    description: Seconds after which a connection without an answer counts as filtered. All are tried at the same time.
    type: float
    default: 1.0
  resolve_timeout:
    description: Seconds after which a name or an address without an answer counts as unknown. All are asked at the same time.
    type: float
    default: 2.0
  wait:
    description:
      - Seconds for a run of C(docker/ucp) or C(docker/dtr) on the host to end before anything is looked at, such as one whose
        controller was killed. One that still runs then is an error.
    type: int
    default: 0
    version_added: 0.3.0
  docker_root:
    description: Where the engine keeps its data unless it says otherwise itself.
    type: path
    default: /var/lib/docker
  docker_socket:
    description: The engine's socket.
    type: path
    default: /var/run/docker.sock
"""

EXAMPLES = r"""
- name: Look at a host that is to become a registry
  dockyard.trusted_registry.preflight_probe:
    paths: [/var/lib/distribution]
    ports: [5000/tcp]
    names: [registry-1.example.com]
    targets: ["192.0.2.12 5000"]
  register: probe
"""

RETURN = r"""
memory:
  description: Total and available memory, swap, and the limit of the control group or null, in bytes.
  returned: success
  type: dict
  sample: {total: 16728166400, available: 15032385536, swap: 0, cgroup_limit: null}
cpus:
  description: CPUs the host may run on, and its share of them where a control group limits it.
  returned: success
  type: dict
  sample: {usable: 4, quota: null}
paths:
  description: For each path the filesystem it lies on, with space in bytes.
  returned: success
  type: dict
  sample:
    /var/lib/distribution:
      {measured_at: /var/lib, mount: /, fstype: ext4, d_type: true, total: 52521566208, free: 41943040000,
       inodes_total: 3276800, inodes_free: 3100000}
traces:
  description: Patterns of O(traces) that something matches.
  returned: success
  type: list
  elements: str
  sample: []
listeners:
  description: Sockets that hold one of O(ports), and whose they are.
  returned: success
  type: list
  elements: dict
  sample: [{port: 5000, protocol: tcp, pid: 812, process: registry, unit: distribution.service, kernel: false}]
connections:
  description: For each of O(targets) open, refused (the host answers, nothing listens), filtered, unreachable or unresolved.
  returned: success
  type: dict
  sample: {"192.0.2.12 5000": refused}
names:
  description: Addresses of each name.
  returned: success
  type: dict
  sample: {registry-1.example.com: [192.0.2.11]}
reverse:
  description: Names of the host's own address and of its peers'.
  returned: success
  type: dict
  sample: {192.0.2.11: [registry-1.example.com]}
peer_addresses:
  description: Addresses of the peers, resolved.
  returned: success
  type: list
  elements: str
  sample: [192.0.2.12]
addresses:
  description: All addresses of the host.
  returned: success
  type: list
  elements: str
  sample: [127.0.0.1, 192.0.2.11]
primary:
  description: The interface that leads to the peers.
  returned: success
  type: dict
  sample: {interface: eth0, mtu: 1500, address: 192.0.2.11}
routes:
  description: IPv4 routes.
  returned: success
  type: list
  elements: dict
  sample: [{destination: 0.0.0.0/0, interface: eth0}]
hostname:
  description: The name in use and the one in C(/etc/hostname).
  returned: success
  type: dict
  sample: {current: registry-1, static: registry-1}
os:
  description: The system as os-release names it.
  returned: success
  type: dict
  sample: {id: debian, version: "12", name: Debian GNU/Linux 12 (bookworm)}
kernel:
  description: Release of the kernel and architecture.
  returned: success
  type: dict
  sample: {release: 6.1.0-28-amd64, machine: x86_64}
selinux:
  description: Mode of SELinux, null where it is off.
  returned: success
  type: str
  sample: enforcing
daemon_json:
  description: Those keys of the engine's configuration file that bear on fitness.
  returned: success
  type: dict
  sample: {data-root: /srv/docker}
docker_root:
  description: The O(docker_root) asked for.
  returned: success
  type: str
  sample: /var/lib/docker
engine:
  description: What the engine says of itself; its error where it does not answer; null where there is none.
  returned: success
  type: dict
  sample: {version: 20.10.24, driver: overlay2, root: /var/lib/docker, userns: false, swarm: inactive}
images:
  description:
    - With O(image_tools) the names of all images that the engine has, and for each of O(image_tools) that is among them the names it
      lists, or its error. Null without an engine.
  returned: success
  type: dict
  sample: {present: ["docker/ucp:3.2.5"], lists: {"ucp docker/ucp:3.2.5": {names: ["docker/ucp:3.2.5", "docker/ucp-agent:3.2.5"]}}}
waited:
  description: Seconds that were spent on O(wait), 0 where nothing ran.
  returned: success
  type: int
  sample: 0
clock:
  description:
    - The host's clock when the module began and when it ended, in seconds since 1970.
    - Whether it is synchronised; null where that is not known.
  returned: success
  type: dict
  sample: {started: 1790000000.1, finished: 1790000000.3, synchronised: true}
controller:
  description: The controller's clock before the module was sent and after its answer, in seconds since 1970.
  returned: success
  type: dict
  sample: {sent: 1790000000.0, received: 1790000000.4}
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._preflight_engine import settled
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._preflight_probe import ARGUMENTS, gather


def main():
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    engine, waited = settled(module.params["docker_socket"], module.params["wait"])
    if (engine or {}).get("bootstrappers"):
        module.fail_json(
            msg=f"container {engine['bootstrappers'][0]}, an installation, still runs after {waited:.0f} s",
            mend=f"let it end, or end it with \"docker rm --force {engine['bootstrappers'][0]}\", then run again",
        )
    started = time.time()
    found = gather(module.params, engine)
    found["clock"].update(started=started, finished=time.time())
    module.exit_json(changed=False, waited=round(waited), **found)


if __name__ == "__main__":
    main()
