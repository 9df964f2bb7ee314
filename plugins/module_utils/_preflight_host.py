# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What a machine is, read from /proc, /sys and /etc without running anything and without changing anything."""

from __future__ import annotations

import ctypes
import glob
import json
import os
import platform
import re
import shutil
import socket
import subprocess

NO_LIMIT = 1 << 60
STA_UNSYNC = 0x0040
DT_UNKNOWN = 0


def read(path, default=""):
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return default


def memory(root="/"):
    """Return total memory, swap and the control group's limit, in bytes."""
    found = dict(re.findall(r"^(\w+):\s+(\d+) kB", read(root + "proc/meminfo"), re.MULTILINE))
    limits = [
        int(text)
        for text in (
            read(root + "sys/fs/cgroup/memory.max").strip(),
            read(root + "sys/fs/cgroup/memory/memory.limit_in_bytes").strip(),
        )
        if text.isdigit() and int(text) < NO_LIMIT
    ]
    return {
        "total": int(found.get("MemTotal", 0)) * 1024,
        "available": int(found.get("MemAvailable", 0)) * 1024,
        "swap": int(found.get("SwapTotal", 0)) * 1024,
        "cgroup_limit": min(limits) if limits else None,
    }


def cpus(root="/"):
    """Return the CPUs that this host may run on, and the control group's share of them."""
    quota = None
    both = read(root + "sys/fs/cgroup/cpu.max").split()
    if not both:
        both = [read(root + f"sys/fs/cgroup/cpu/cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    if len(both) == 2 and all(part.isdigit() for part in both) and int(both[1]):
        quota = int(both[0]) / int(both[1])
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"usable": usable, "quota": quota}


def system(root="/"):
    """Return what os-release says."""
    text = read(root + "etc/os-release") or read(root + "usr/lib/os-release")
    fields = {key: value.strip("\"'") for key, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)}
    return {
        "id": fields.get("ID", "unknown"),
        "version": fields.get("VERSION_ID", ""),
        "name": fields.get("PRETTY_NAME") or fields.get("ID", "unknown system"),
    }


def kernel():
    return {"release": platform.release(), "machine": platform.machine()}


def hostname(root="/"):
    lines = [line.strip() for line in read(root + "etc/hostname").splitlines()]
    static = [line for line in lines if line and not line.startswith("#")]
    return {"current": socket.gethostname(), "static": static[0] if static else None}


def selinux(root="/"):
    enforce = read(root + "sys/fs/selinux/enforce").strip()
    return {"1": "enforcing", "0": "permissive"}.get(enforce)


def daemon_json(root="/"):
    """Return what of the engine's configuration bears on fitness, and nothing else of it."""
    try:
        declared = json.loads(read(root + "etc/docker/daemon.json", "{}") or "{}")
    except ValueError:
        return {}
    wanted = ("bip", "data-root", "default-address-pools", "mtu", "userns-remap")
    return {key: declared[key] for key in wanted if key in declared} if isinstance(declared, dict) else {}


def in_container():
    """Tell whether the host is a container, whose clock is that of the machine around it."""
    return any(os.path.exists(path) for path in ("/run/systemd/container", "/.dockerenv", "/run/.containerenv"))


class _Timex(ctypes.Structure):
    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    ]


def clock_synchronised():
    """Ask the kernel what timedatectl asks it, without waking systemd-timedated: modes 0 only reads."""
    try:
        timex = _Timex()
        if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
            return None
    except (AttributeError, OSError):
        return None
    return not timex.status & STA_UNSYNC


class _Dirent(ctypes.Structure):
    _fields_ = [
        ("d_ino", ctypes.c_uint64),
        ("d_off", ctypes.c_int64),
        ("d_reclen", ctypes.c_ushort),
        ("d_type", ctypes.c_ubyte),
        ("d_name", ctypes.c_char * 256),
    ]


def d_type(directory):
    """Tell whether a filesystem gives the type of a directory's entries; None where there is no entry to tell by."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        readdir = libc.readdir64
    except (AttributeError, OSError):
        return None
    readdir.restype, readdir.argtypes = ctypes.POINTER(_Dirent), [ctypes.c_void_p]
    libc.opendir.restype, libc.opendir.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    libc.closedir.argtypes = [ctypes.c_void_p]
    stream = libc.opendir(os.fsencode(directory))
    if not stream:
        return None
    try:
        while True:
            entry = readdir(stream)
            if not entry:
                return None
            # Every filesystem knows the type of these two; only the others tell.
            if entry.contents.d_name not in (b".", b".."):
                return entry.contents.d_type != DT_UNKNOWN
    finally:
        libc.closedir(stream)


def xfs_ftype(mount):
    """Return what xfs_info says of an XFS filesystem too empty to tell by its entries."""
    command = shutil.which("xfs_info", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if not command:
        return None
    try:
        done = subprocess.run([command, mount], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(rb"ftype=([01])", done.stdout)
    return match.group(1) == b"1" if match else None


def mounts(text):
    """Return filesystem types by mount point; the last mount on a point is the one in sight."""
    found = {}
    for line in text.splitlines():
        left, _dummy, right = line.partition(" - ")
        if right:
            point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), left.split()[4])
            found[point] = right.split()[0]
    return found


def paths(wanted):
    """Return the space around each path: that of the nearest parent which exists."""
    table = mounts(read("/proc/self/mountinfo"))
    found = {}
    for path in wanted:
        nearest = os.path.realpath(path)
        while not os.path.isdir(nearest):
            nearest = os.path.dirname(nearest)
        mount = nearest
        while mount not in table and mount != "/":
            mount = os.path.dirname(mount)
        try:
            space = os.statvfs(nearest)
        except OSError:
            continue
        fstype = table.get(mount, "unknown")
        typed = next((answer for answer in (d_type(nearest), d_type(mount)) if answer is not None), None)
        if typed is None and fstype == "xfs":
            typed = xfs_ftype(mount)
        found[path] = {
            "measured_at": nearest,
            "mount": mount,
            "fstype": fstype,
            "d_type": typed,
            "total": space.f_blocks * space.f_frsize,
            "free": space.f_bavail * space.f_frsize,
            "inodes_total": space.f_files,
            "inodes_free": space.f_favail,
        }
    return found


def traces(patterns):
    """Return those patterns that something on the host matches."""
    return [pattern for pattern in patterns if glob.glob(pattern)]
