# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Checks of the machine: pure functions of a host's probe and a profile's limits."""

from __future__ import annotations

from fnmatch import fnmatchcase

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_units import (
    figures,
    format_size,
    judge,
    parse_size,
    result,
    wanted,
)


def _sizes(limits):
    return tuple(None if limits.get(key) is None else parse_size(limits[key]) for key in ("minimum", "recommended"))


def check_memory(host, limits):
    minimum, recommended = _sizes(limits)
    memory = host.probe["memory"]
    limit = memory.get("cgroup_limit")
    measured = min(memory["total"], limit or memory["total"])
    status = judge(measured, minimum, recommended, limits.get("tolerance", 0))
    where = " (limit of the control group)" if measured < memory["total"] else ""
    yield result(
        "memory",
        status,
        f"{format_size(measured)} of RAM{where}{wanted(minimum, recommended, format_size)}",
        measured=measured,
        minimum=minimum,
        recommended=recommended,
        unit="bytes",
        mend="give the host more memory",
    )


def check_cpus(host, limits):
    minimum, recommended = figures(limits)
    cpus = host.probe["cpus"]
    measured = min(cpus["usable"], cpus.get("quota") or cpus["usable"])
    yield result(
        "cpus",
        judge(measured, minimum, recommended),
        f"{measured:g} CPUs{wanted(minimum, recommended)}",
        measured=measured,
        minimum=minimum,
        recommended=recommended,
        unit="CPUs",
        mend="give the host more CPUs",
    )


def _path(host, path):
    """What was measured for a path; the engine's real data root stands in for the usual one."""
    paths = host.probe["paths"]
    usual = host.probe.get("docker_root")
    if usual and (path == usual or path.startswith(usual + "/")):
        moved = (host.probe.get("engine") or {}).get("root") or host.probe.get("daemon_json", {}).get("data-root") or usual
        path = moved + path[len(usual) :]
        return path, paths.get(path) or paths.get(moved)
    return path, paths.get(path)


def check_disk(host, limits):
    for disk in limits.values():
        if not disk["path"]:
            continue
        minimum, recommended = _sizes(disk)
        path, space = _path(host, disk["path"])
        if not space:
            yield result("disk", "fail", f"{path} cannot be measured", subject=path, mend="see that the path is reachable on the host")
            continue
        status = judge(space["free"], minimum, recommended)
        used = ""
        if status == "fail" and host.installed:
            # What fills the disk is the product's own data: worth a word, no reason to refuse the host it already runs on.
            status, used = "warn", ", used by what is installed already"
        yield result(
            "disk",
            status,
            f"{format_size(space['free'], False)} free for {path} (filesystem {space['mount']}, "
            f"{format_size(space['total'], False)}){used}{wanted(minimum, recommended, lambda size: format_size(size, False))}",
            subject=path,
            measured=space["free"],
            minimum=minimum,
            recommended=recommended,
            unit="bytes",
            mend=f"free or add space on the filesystem mounted at {space['mount']}",
        )


def check_inodes(host, limits):
    minimum, recommended = figures(limits)
    for disk in host.profile.get("disk", {}).values():
        path, space = _path(host, disk["path"])
        if not space:
            continue
        if not space["inodes_total"]:
            yield result("inodes", "ok", f"{space['fstype']} has no fixed number of inodes", subject=path)
            continue
        yield result(
            "inodes",
            judge(space["inodes_free"], minimum, recommended),
            f"{space['inodes_free']} inodes free for {path}{wanted(minimum, recommended)}",
            subject=path,
            measured=space["inodes_free"],
            minimum=minimum,
            recommended=recommended,
            unit="inodes",
            mend=f"delete small files on, or rebuild, the filesystem mounted at {space['mount']}",
        )


def check_filesystem(host, limits):
    for declared in limits["paths"]:
        path, space = _path(host, declared)
        if not space:
            continue
        fstype, subject = space["fstype"], path
        if not any(fnmatchcase(fstype, pattern) for pattern in limits["supported"]):
            message, status = f"{path} lies on {fstype}, which overlay2 cannot use", limits["level"]
            mend = f"put {path} on a filesystem of its own: ext4, or XFS made with ftype=1"
        elif space["d_type"] is False:
            message, status = f"{path} lies on {fstype} without d_type (XFS ftype=0), which overlay2 needs", limits["level"]
            mend = "make the filesystem anew with mkfs.xfs -n ftype=1"
        elif space["d_type"] is None and fstype == "xfs":
            message, status = f"{path} lies on an XFS filesystem whose ftype could not be told", "warn"
            mend = f"see that `xfs_info {space['mount']}` says ftype=1"
        else:
            message, status, mend = f"{path} lies on {fstype}, fit for overlay2", "ok", ""
        yield result("filesystem", status, message, subject=subject, measured=fstype, mend=mend)


def check_swap(host, limits):
    swap = host.probe["memory"]["swap"]
    yield result(
        "swap",
        limits["level"] if swap else "ok",
        f"{format_size(swap)} of swap is on" if swap else "no swap",
        measured=swap,
        unit="bytes",
        mend="switch swap off (swapoff -a and its line in /etc/fstab): the kubelet's memory limits do not hold with it",
    )


MACHINE_CHECKS = {
    "memory": check_memory,
    "cpus": check_cpus,
    "disk": check_disk,
    "inodes": check_inodes,
    "filesystem": check_filesystem,
    "swap": check_swap,
}
