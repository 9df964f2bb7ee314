#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: haproxy_server
short_description: Take a server out of HAProxy and back, and wait for its sessions
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Runs on the balancer and talks to HAProxy's runtime socket. New connections go to the other servers; those that are open go on
    until they end, also the ones that an older worker carries since a reload.
  - Who is drained is written down, so that a reload or a restart of HAProxy does not bring a server back unasked.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
options:
  name:
    description:
      - The server, in every backend that has it.
      - The role P(dockyard.trusted_registry.load_balancer#role) names servers as the inventory does.
    type: str
    required: true
  backends:
    description: Only in these backends. Without any, in all.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(drained) gives it no new connection and returns when its last one has ended.
      - V(ready) gives it connections again and returns when its checks pass.
    type: str
    choices: [drained, ready]
    required: true
  timeout:
    description:
      - Seconds to wait for that; V(0) does not wait.
      - When they are over the module fails, with the server left as it is then. With O(close_sessions) it closes what is open and goes on.
    type: int
    default: 600
  close_sessions:
    description: Whether connections that outlast O(timeout) are closed. A push or pull among them fails and has to be repeated.
    type: bool
    default: false
  allow_last:
    description: Whether the last server that is up may be drained, which closes the backend.
    type: bool
    default: false
  socket:
    description: HAProxy's runtime socket.
    type: path
    default: /run/haproxy/admin.sock
  master_socket:
    description: The socket of HAProxy's master process, which knows older workers.
    type: path
    default: /run/haproxy-master.sock
  kept_file:
    description: The C(server-state-file) of HAProxy's configuration.
    type: path
    default: /var/lib/haproxy/drained
"""

EXAMPLES = r"""
- name: Take a replica out of the balancers before it is upgraded
  dockyard.trusted_registry.haproxy_server:
    name: dtr-2
    state: drained
  delegate_to: "{{ item }}"
  loop: "{{ groups['load_balancers'] }}"

- name: Give it connections again
  dockyard.trusted_registry.haproxy_server:
    name: dtr-2
    state: ready
    timeout: 60
  delegate_to: "{{ item }}"
  loop: "{{ groups['load_balancers'] }}"
"""

RETURN = r"""
servers:
  description: The server in each of its backends, as it is now.
  returned: success
  type: list
  elements: dict
  sample: [{backend: dtr, server: dtr-2, status: DRAIN, sessions: 0, check: L7OK 200, drained: true, maintenance: false, up: false}]
closed:
  description: How many sessions were closed after the time was over.
  returned: success
  type: int
  sample: 0
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _haproxy as haproxy


def chosen(found, name, backends):
    """Rows of the server; refuses a name that HAProxy does not have."""
    rows = [row for row in found if row["server"] == name and (not backends or row["backend"] in backends)]
    if not rows:
        have = ", ".join(sorted({"{backend}/{server}".format(**row) for row in found}))
        where = " in " + ", ".join(backends) if backends else ""
        raise haproxy.HaproxyError(
            f"there is no server {name}{where} in HAProxy, which has {have}; run the role load_balancer after the inventory has changed"
        )
    return rows


def closing(found, rows):
    """Backends that would have no server left."""
    wanted = {(row["backend"], row["server"]) for row in rows}
    return [
        row["backend"]
        for row in rows
        if row["up"]
        and not any(
            other["up"] for other in found if other["backend"] == row["backend"] and (other["backend"], other["server"]) not in wanted
        )
    ]


def is_so(row, state):
    return (row["drained"] and not row["maintenance"]) if state == "drained" else not (row["drained"] or row["maintenance"])


class Server:
    """One server in its backends, brought to a state."""

    def __init__(self, params):
        self.params, self.closed = params, 0
        found = haproxy.servers(params["socket"])
        self.rows = chosen(found, params["name"], params["backends"])
        self.wanted = {(row["backend"], row["server"]) for row in self.rows}
        self.todo = [row for row in self.rows if not is_so(row, params["state"])]
        if params["state"] == "drained" and not params["allow_last"]:
            self._refuse_last(closing(found, self.todo))

    def _refuse_last(self, backends):
        if backends:
            raise haproxy.HaproxyError(
                "{} is the last server that is up in {}: draining it would close the service. Mend the other servers first, or say "
                "allow_last. Nothing was changed".format(self.params["name"], ", ".join(backends))
            )

    def apply(self):
        """Set the state and write it down; says whether anything changed."""
        word = "drain" if self.params["state"] == "drained" else "ready"
        for row in self.todo:
            haproxy.command("set server {backend}/{server} state {word}".format(word=word, **row), self.params["socket"])
        kept = haproxy.keep(self.params["socket"], self.params["kept_file"])
        return bool(self.todo) or kept

    def wait(self):
        """Until the state is reached in fact: no session is left, or the checks pass."""
        if not self.params["timeout"]:
            return
        end = time.monotonic() + self.params["timeout"]
        while not self._reached():
            if time.monotonic() >= end:
                self._late()
                return
            time.sleep(0.5)

    def now(self):
        return chosen(haproxy.servers(self.params["socket"]), self.params["name"], self.params["backends"])

    def _sessions(self):
        return haproxy.sessions(self.wanted, self.params["socket"], self.params["master_socket"])

    def _reached(self):
        if self.params["state"] == "drained":
            return self._sessions() == 0
        return all(row["up"] for row in self.now())

    def _late(self):
        if self.params["state"] == "ready":
            down = ["{backend}: {status}, {check}".format(**row) for row in self.now() if not row["up"]]
            raise haproxy.HaproxyError(
                "{name} gets connections again as soon as its checks pass, which they did not within {timeout} s ({down}); look at the "
                "server itself".format(down="; ".join(down), **self.params)
            )
        left = self._sessions()
        if not self.params["close_sessions"]:
            raise haproxy.HaproxyError(
                "{name} is drained, but {left} of its connections did not end within {timeout} s. It stays drained: run this again to wait "
                "longer, close them with close_sessions, or take the drain back with state ready".format(left=left, **self.params)
            )
        haproxy.close_sessions(self.wanted, self.params["socket"], self.params["master_socket"])
        self.closed = left


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "backends": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["drained", "ready"], "required": True},
            "timeout": {"type": "int", "default": 600},
            "close_sessions": {"type": "bool", "default": False},
            "allow_last": {"type": "bool", "default": False},
            "socket": {"type": "path", "default": haproxy.RUNTIME},
            "master_socket": {"type": "path", "default": haproxy.MASTER},
            "kept_file": {"type": "path", "default": haproxy.KEPT},
        },
        supports_check_mode=True,
    )
    try:
        server = Server(module.params)
        before = {"{backend}/{server}".format(**row): "drained" if row["drained"] else row["status"] for row in server.rows}
        if module.check_mode:
            after = {key: module.params["state"] for key in before} if server.todo else before
            module.exit_json(changed=bool(server.todo), servers=server.rows, closed=0, diff={"before": before, "after": after})
        changed = server.apply()
        server.wait()
        rows = server.now()
        after = {"{backend}/{server}".format(**row): "drained" if row["drained"] else row["status"] for row in rows}
        module.exit_json(
            changed=changed or server.closed > 0, servers=rows, closed=server.closed, diff={"before": before, "after": after}
        )
    except haproxy.HaproxyError as error:
        module.fail_json(msg=f"{error}.")


if __name__ == "__main__":
    main()
