#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: haproxy_info
short_description: Say which servers HAProxy has, which are up, and which are drained
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Runs on the balancer and reads HAProxy's runtime socket. Changes nothing, and does not fail where HAProxy is not there or does not run.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  diff_mode:
    details: There is nothing to show, since nothing is changed.
options:
  addresses:
    description: Virtual addresses; the answer tells which of them this host holds.
    type: list
    elements: str
    default: []
  socket:
    description: HAProxy's runtime socket.
    type: path
    default: /run/haproxy/admin.sock
"""

EXAMPLES = r"""
- name: Look at the balancer
  dockyard.trusted_registry.haproxy_info:
    addresses: [192.0.2.10]
  register: my_balancer
"""

RETURN = r"""
running:
  description: Whether HAProxy answers.
  returned: always
  type: bool
  sample: true
problem:
  description: Why it does not; empty when it does.
  returned: always
  type: str
  sample: ""
version:
  description: The version that runs; empty when none does.
  returned: always
  type: str
  sample: 2.6.12-1+deb12u3
backends:
  description: By backend its servers.
  returned: always
  type: dict
  sample: {dtr: {up: 2, servers: {dtr-1: {status: UP, sessions: 3, check: L7OK 200, drained: false, maintenance: false, up: true}}}}
held:
  description: Which of O(addresses) are on this host.
  returned: always
  type: list
  elements: str
  sample: [192.0.2.10]
"""

import re
import subprocess

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _haproxy as haproxy


def grouped(rows):
    """Servers by backend."""
    found = {}
    for row in rows:
        backend = found.setdefault(row["backend"], {"up": 0, "servers": {}})
        backend["up"] += row["up"]
        backend["servers"][row["server"]] = {key: value for key, value in row.items() if key not in ("backend", "server")}
    return found


def held(addresses):
    """Which of the addresses are on an interface of this host."""
    if not addresses:
        return []
    done = subprocess.run(["ip", "-o", "address", "show"], stdout=subprocess.PIPE, check=True, timeout=30)
    mine = re.findall(r"inet6? ([0-9a-f.:]+)", done.stdout.decode())
    return [address for address in addresses if address in mine]


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "addresses": {"type": "list", "elements": "str", "default": []},
            "socket": {"type": "path", "default": haproxy.RUNTIME},
        },
        supports_check_mode=True,
    )
    path = module.params["socket"]
    result = {"running": True, "problem": "", "version": "", "backends": {}, "held": held(module.params["addresses"])}
    try:
        result["version"] = re.search(r"^Version: (.*)$", haproxy.ask(path, "show info"), re.M).group(1)
        result["backends"] = grouped(haproxy.servers(path))
    except haproxy.HaproxyError as error:
        result.update(running=False, problem=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
