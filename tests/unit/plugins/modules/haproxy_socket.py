# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A runtime socket that answers as HAProxy 2.6 was seen to, with servers that the tests move about."""

from __future__ import annotations

import socketserver
import threading

STATE = (
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change "
    "srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port "
    "srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port"
)
STATISTICS = "# pxname,svname,qcur,scur,status,check_status,check_code"


class HaproxySocket:
    """C(servers): (backend, server) to a dict of C(admin), C(sessions), C(up). C(older): process id to sessions of the same servers."""

    def __init__(self, path):
        self.path, self.said, self.changes = str(path), [], 0
        self.servers = {(backend, name): {"admin": 0, "sessions": 0, "up": True} for backend in ("dtr", "web") for name in ("one", "two")}
        self.older = {}
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(outer.answer(self.rfile.readline().decode().strip()).encode())

        self.server = socketserver.ThreadingUnixStreamServer(self.path, Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, command):
        self.said.append(command)
        words = command.split()
        if words[0].startswith("@!"):
            return self.answer_of_older(int(words[0][2:]), words[1])
        if words[:2] == ["show", "info"]:
            return "Name: HAProxy\nVersion: 2.6.12-1+deb12u3\nPid: 532\n"
        if words[:2] == ["show", "proc"]:
            rows = "".join(f"{pid}\tworker\t1\t0d00h00m10s\t2.6.12\n" for pid in self.older)
            return f"#<PID> <type> <reloads>\n474 master 1\n# workers\n532 worker 0\n# old workers\n{rows}# programs\n\n"
        if words == ["show", "servers", "state"]:
            return self.state()
        if words == ["show", "stat"]:
            return self.statistics({key: server["sessions"] for key, server in self.servers.items()})
        return self.act(words)

    def answer_of_older(self, pid, verb):
        if pid not in self.older:
            return "Can't connect to the target CLI!\n"
        if verb == "shutdown":
            self.older[pid] = {}
            return "\n"
        return self.statistics(self.older[pid])

    def act(self, words):
        key = tuple(words[words.index("server") + 1].split("/"))
        if key not in self.servers:
            return "No such server.\n\n"
        if words[0] == "shutdown":
            self.servers[key]["sessions"] = 0
        else:
            self.changes += 1
            self.servers[key]["admin"] = {"drain": 8, "ready": 0}[words[-1]]
        return "\n"

    def state(self):
        rows = [
            f"2 {backend} {number} {name} 192.0.2.{number} 2 {server['admin']} 1 1 {100 + len(self.said)} 15 3 3 6 0 0 0 - 443 - 0 0 - - 0"
            for number, ((backend, name), server) in enumerate(self.servers.items(), 1)
        ]
        return "\n".join(["1", STATE, *rows]) + "\n\n"

    def statistics(self, sessions):
        rows = [STATISTICS, "dtr,FRONTEND,,1,OPEN,,"]
        for (backend, name), count in sessions.items():
            server = self.servers[backend, name]
            status = "DRAIN" if server["admin"] else "UP" if server["up"] else "DOWN"
            rows.append(f"{backend},{name},0,{count},{status},{'L7OK,200' if server['up'] else 'L7STS,503'}")
        return "\n".join([*rows, "dtr,BACKEND,0,1,UP,,"]) + "\n\n"
