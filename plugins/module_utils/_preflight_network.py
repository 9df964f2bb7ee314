# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""A host's listeners, routes, names and ways to its peers, read from /proc and tried with the standard library."""

from __future__ import annotations

import errno
import fcntl
import glob
import ipaddress
import os
import re
import selectors
import socket
import struct
import threading
import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._preflight_host import read

SIOCGIFADDR = 0x8915
# Sockets in flight at once: enough for a cluster in one time-out, few enough for the smallest limit on open files.
AT_ONCE = 200


def listening(text, protocol, ports):
    """Return (port, inode) of the sockets of a /proc/net table that hold one of the ports."""
    state = "0A" if protocol == "tcp" else "07"
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == state:
            port = int(fields[1].rpartition(":")[2], 16)
            if port in ports:
                found.append((port, int(fields[9])))
    return found


def owners(inodes, root="/proc"):
    """Return the process that has each socket open, as far as this user may see."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes if inode}
    found = {}
    for link in glob.iglob(root + "/[0-9]*/fd/*") if wanted else ():
        try:
            inode = wanted.get(os.readlink(link))
        except OSError:
            continue
        if inode:
            found.setdefault(inode, int(link.split("/")[-3]))
            if len(found) == len(wanted):
                break
    return found


def unit_and_container(cgroup):
    """Return the systemd unit or the container that a process belongs to, by its control groups; the innermost counts."""
    lines = [line.split(":", 2) for line in cgroup.splitlines()]
    # Only systemd's own hierarchy (all of them, in version 2) is sure to tell units.
    lines.sort(key=lambda fields: fields[1] not in ("", "name=systemd"))
    for fields in lines:
        for part in reversed(fields[2].split("/")):
            match = re.fullmatch(r"(?:docker-|libpod-|cri-containerd-)?([0-9a-f]{64})(?:\.scope)?", part)
            if match:
                return None, match.group(1)
            if part.endswith(".service"):
                return part, None
    return None, None


def listeners(wanted, engine):
    """Return who listens on the wanted ports: C(["5000/tcp"])."""
    ports = {"tcp": set(), "udp": set()}
    for entry in wanted:
        port, protocol = entry.split("/")
        ports[protocol].add(int(port))
    sockets = [
        (protocol, port, inode)
        for protocol in ports
        for table in (protocol, protocol + "6")
        for port, inode in listening(read("/proc/net/" + table), protocol, ports[protocol])
    ]
    pids = owners({inode for _dummy, _ignored, inode in sockets})
    containers, published = (engine or {}).get("containers", {}), (engine or {}).get("published", {})
    found = []
    for protocol, port, inode in sockets:
        pid = pids.get(inode)
        entry = {"port": port, "protocol": protocol, "pid": pid, "kernel": inode == 0}
        if pid:
            entry["process"] = read(f"/proc/{pid}/comm").strip()
            unit, container = unit_and_container(read(f"/proc/{pid}/cgroup"))
            if entry["process"] in ("docker-proxy", "dockerd") and f"{port}/{protocol}" in published:
                entry["container"] = published[f"{port}/{protocol}"]
            elif container:
                entry["container"] = containers.get(container, container[:12])
            elif unit and entry["process"] != "docker-proxy":
                entry["unit"] = unit
        found.append(entry)
    return found


def _quad(text):
    return socket.inet_ntoa(struct.pack("=L", int(text, 16)))


def routes(text):
    """Return the IPv4 routes of /proc/net/route."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and int(fields[3], 16) & 1:
            found.append({"interface": fields[0], "destination": f"{_quad(fields[1])}/{_bits(fields[7])}"})
    return found


def _bits(mask):
    return bin(int(mask, 16)).count("1")


def interfaces():
    """Return each interface with its MTU and first IPv4 address."""
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _dummy, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                address = socket.inet_ntoa(fcntl.ioctl(probe.fileno(), SIOCGIFADDR, request)[20:24])
            except OSError:
                address = None
            mtu = read(f"/sys/class/net/{name}/mtu").strip()
            found[name] = {"mtu": int(mtu) if mtu.isdigit() else None, "address": address}
    return found


def addresses():
    """Return every address of the host."""
    blocks = re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", read("/proc/net/fib_trie"))
    six = [line.split()[0] for line in read("/proc/net/if_inet6").splitlines()]
    return sorted(set(blocks) | {str(ipaddress.IPv6Address(int(address, 16))) for address in six})


def primary(peers, table, cards):
    """Return the interface that leads to the peers, or else out of the host, with its address and MTU."""
    best = None
    target = ipaddress.ip_address(peers[0]) if peers else None
    for route in table:
        network = ipaddress.ip_network(route["destination"])
        fits = network.prefixlen == 0 or (target is not None and target.version == 4 and target in network)
        if fits and (best is None or network.prefixlen > best[0]):
            best = (network.prefixlen, route["interface"])
    return {"interface": best[1], **cards.get(best[1], {})} if best else {}


def _parallel(function, arguments, timeout):
    """Return function(argument) by argument; one without an answer in time has none. Daemon threads hold nobody up."""
    answers = {}
    threads = [threading.Thread(target=lambda one=one: answers.__setitem__(one, function(one)), daemon=True) for one in arguments]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {argument: answers.get(argument) or [] for argument in arguments}


def _forward(name):
    try:
        return sorted({entry[4][0].split("%")[0] for entry in socket.getaddrinfo(name, None, 0, socket.SOCK_STREAM)})
    except (OSError, UnicodeError):
        return []


def _backward(address):
    try:
        name, aliases, _dummy = socket.gethostbyaddr(address)
    except (OSError, UnicodeError):
        return []
    return [name, *aliases]


def forward(names, timeout):
    return _parallel(_forward, sorted(set(names)), timeout)


def backward(wanted, timeout):
    return _parallel(_backward, sorted(set(wanted)), timeout)


def _answer(code):
    if code == 0:
        return "open"
    # A refusal is an answer: the way is free and nothing listens yet.
    return "refused" if code == errno.ECONNREFUSED else "unreachable"


def connect(targets, timeout):
    """Try TCP connections to (address, port), many at once, without a thread; return open, refused, filtered or unreachable."""
    answers = {}
    for first in range(0, len(targets), AT_ONCE):
        answers.update(_connect(targets[first : first + AT_ONCE], timeout))
    return answers


def _connect(targets, timeout):
    answers = {target: "filtered" for target in targets}
    pending = {}
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for address, port in targets:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                trial = socket.socket(family, socket.SOCK_STREAM)
            except OSError:
                answers[(address, port)] = "unreachable"
                continue
            trial.setblocking(False)
            code = trial.connect_ex((address, port))
            if code == errno.EINPROGRESS:
                pending[trial] = (address, port)
                selector.register(trial, selectors.EVENT_WRITE)
            else:
                answers[(address, port)] = _answer(code)
                trial.close()
        while pending and time.monotonic() < deadline:
            for key, _dummy in selector.select(max(0.0, deadline - time.monotonic())):
                trial = key.fileobj
                answers[pending.pop(trial)] = _answer(trial.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
                selector.unregister(trial)
                trial.close()
        for trial in pending:
            trial.close()
    return answers
