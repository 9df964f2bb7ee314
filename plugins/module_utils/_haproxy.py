# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""HAProxy's runtime socket: what every server does, who is drained, and whose sessions an older worker still carries.

After a reload the sessions of before stay with the worker that has them; only the master's socket tells of those.
"""

from __future__ import annotations

import os
import socket

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_files import replace

RUNTIME = "/run/haproxy/admin.sock"
MASTER = "/run/haproxy-master.sock"
KEPT = "/var/lib/haproxy/drained"

# Bits of srv_admin_state (HAProxy management guide, "show servers state"): what an operator, not a check, decided.
MAINTENANCE, DRAIN = 0x01, 0x08
STATE_VERSION = "1"


class HaproxyError(Exception):
    """HAProxy does not answer, or refuses; the text says which."""


def ask(path, command, timeout=10):
    """The answer to one command. A socket that closes is the end of the answer."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(path)
            connection.sendall(command.encode() + b"\n")
            connection.shutdown(socket.SHUT_WR)
            chunks = []
            while True:
                chunk = connection.recv(65536)
                if not chunk:
                    return b"".join(chunks).decode("utf-8", "replace")
                chunks.append(chunk)
    except OSError as error:
        raise HaproxyError(f"HAProxy does not answer at {path}: {error}; see systemctl status haproxy") from error


def table(text, separator=None):
    """Rows of an answer whose column names stand in its line that begins with C(# )."""
    lines = [line for line in text.splitlines() if line.strip()]
    start = next((number for number, line in enumerate(lines) if line.startswith("# ")), None)
    if start is None:
        raise HaproxyError(f"HAProxy answered what this collection does not read: {text.strip()[:200]}")
    names = lines[start][2:].split(separator)
    return [dict(zip(names, line.split(separator))) for line in lines[start + 1 :]]


def statistics(text):
    """Servers from C(show stat), in the order of the configuration."""
    return [
        {
            "backend": row["pxname"],
            "server": row["svname"],
            "status": row["status"],
            "sessions": int(row["scur"] or 0),
            "check": " ".join(part for part in (row["check_status"], row["check_code"]) if part),
        }
        for row in table(text, ",")
        if row["svname"] not in ("FRONTEND", "BACKEND")
    ]


def servers(path=RUNTIME):
    """Every server of the present worker with C(drained) and C(maintenance), as an operator set them."""
    admin = {
        (row["be_name"], row["srv_name"]): int(row["srv_admin_state"]) for row in table(ask(path, "show servers state"))
    }
    found = statistics(ask(path, "show stat"))
    for row in found:
        state = admin.get((row["backend"], row["server"]), 0)
        row["drained"], row["maintenance"] = bool(state & DRAIN), bool(state & MAINTENANCE)
        row["up"] = row["status"].startswith(("UP", "no check")) and not row["drained"]
    return found


def older_workers(path=MASTER):
    """Process ids of workers that a reload has replaced and that still carry sessions."""
    if not os.path.exists(path):
        return []
    found, old = [], False
    for line in ask(path, "show proc").splitlines():
        if line.startswith("#"):
            old = line.startswith("# old workers")
        elif old and line.strip():
            found.append(int(line.split()[0]))
    return found


def sessions(wanted, runtime=RUNTIME, master=MASTER):
    """How many sessions the servers C(wanted), pairs of backend and server, have in the present and all older workers."""
    rows = statistics(ask(runtime, "show stat"))
    for pid in older_workers(master):
        try:
            rows += statistics(ask(master, f"@!{pid} show stat"))
        except HaproxyError:
            # It ended between the two questions, and its sessions with it; a master that is gone is told by the next question.
            continue
    return sum(row["sessions"] for row in rows if (row["backend"], row["server"]) in wanted)


def command(text, path=RUNTIME):
    """A command that answers nothing when it is done."""
    answer = ask(path, text).strip()
    if answer:
        raise HaproxyError(f"HAProxy refused '{text}': {answer}")


def close_sessions(wanted, runtime=RUNTIME, master=MASTER):
    """End what is left of the servers' sessions, in older workers too."""
    for backend, server in wanted:
        command(f"shutdown sessions server {backend}/{server}", runtime)
        for pid in older_workers(master):
            ask(master, f"@!{pid} shutdown sessions server {backend}/{server}")


def kept_text(path=RUNTIME):
    """What has to stand in the file that a starting worker reads so that whoever is drained now stays drained.

    Only those: the file would also bring back what checks had found of the others, however old.
    """
    lines = [line for line in ask(path, "show servers state").splitlines() if line.strip()]
    heading = next(line for line in lines if line.startswith("# "))
    names = heading[2:].split()
    rows = [
        line
        for line in lines
        if not line.startswith("#")
        and len(line.split()) > 1
        and int(dict(zip(names, line.split()))["srv_admin_state"]) & (DRAIN | MAINTENANCE)
    ]
    # The seconds since the last change run on; without them the text of a second look is the same.
    column = names.index("srv_time_since_last_change")
    rows = [" ".join("0" if at == column else word for at, word in enumerate(row.split())) for row in rows]
    return "\n".join([STATE_VERSION, heading, *rows]) + "\n"


def drained_in(text):
    """Pairs of backend and server that such a file keeps out, so that two files can be compared without the checks' traces."""
    if "# " not in text:
        return set()
    return {(row["be_name"], row["srv_name"], int(row["srv_admin_state"]) & (DRAIN | MAINTENANCE)) for row in table(text)}


def read_kept(path=KEPT):
    """The text of the file; empty without one."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""


def keep(runtime=RUNTIME, path=KEPT):
    """Write down who is drained now, for the next reload; says whether that was news."""
    text = kept_text(runtime)
    before = read_kept(path)
    if before and drained_in(before) == drained_in(text):
        return False
    replace(path, text.encode(), 0, 0o600)
    return True
