# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Reading the host for a trust plan, and carrying the plan out so that a kill at any point leaves nothing half done."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import re
import shutil
import socket
import tempfile

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_files import ANCHOR, CONF, HOST
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_plan import DIRECTORY_MODE, Host, Plan, Record, Seen

STAGE_PREFIX = ".dockyard-trust-"
AT_FDCWD = -100
RENAME_EXCHANGE = 2
STORES = (
    ("/etc/pki/ca-trust/source/anchors", "update-ca-trust"),
    ("/etc/pki/trust/anchors", "update-ca-certificates"),
    ("/usr/local/share/ca-certificates", "update-ca-certificates"),
)


class TrustError(Exception):
    """A failure with a message for the operator."""


def load_record(path: str) -> Record:
    try:
        with open(path, encoding="utf-8") as stream:
            return Record.from_json(stream.read())
    except FileNotFoundError:
        return Record()
    except (ValueError, KeyError, TypeError) as error:
        raise TrustError(
            f"the record {path} cannot be read ({error}). Restore it from a backup; or remove it, "
            "and what was written earlier is then treated as the work of others"
        ) from error


def save_record(path: str, record: Record) -> None:
    if not record.empty:
        os.makedirs(os.path.dirname(path), mode=DIRECTORY_MODE, exist_ok=True)
        write_file(path, record.to_json().encode(), 0o600)
    elif os.path.exists(path):
        os.unlink(path)
        _remove_if_empty(os.path.dirname(path))


def look(desired, record: Record) -> Host:
    paths = sorted(set(desired.files) | set(record.files))
    host = Host(uid=os.geteuid())
    for path in paths:
        secret = path.endswith(".key") or (path in desired.files and desired.files[path].secret)
        seen = _seen(path, secret)
        if seen is not None:
            host.files[path] = seen
    for path in desired.files:
        parent = os.path.dirname(path)
        while not os.path.isdir(parent) and parent not in host.missing:
            host.missing.append(parent)
            parent = os.path.dirname(parent)
    for directory in record.directories:
        if os.path.isdir(directory):
            host.modes[directory] = os.stat(directory).st_mode & 0o7777
    kinds = {**{path: entry["kind"] for path, entry in record.files.items()}, **{path: file.kind for path, file in desired.files.items()}}
    host_directories = {os.path.dirname(path) for path, kind in kinds.items() if kind == HOST}
    for directory in sorted(host_directories.union(desired.absent_directories)):
        host.listings[directory] = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    return host


def apply(plan: Plan, record_path: str) -> list:
    """Files and directories as planned; returns the copies kept of what others had written."""
    save_record(record_path, plan.ahead)
    copies = [_keep_copy(path, os.path.splitext(record_path)[0] + ".replaced") for path in plan.keep_copy]
    changes = _by_directory(plan)
    _clean_stages({**plan.ahead.files, **plan.after.files}, os.path.dirname(record_path))
    for directory in plan.make:
        if directory not in changes:
            os.mkdir(directory)
            os.chmod(directory, DIRECTORY_MODE)
    for directory, (write, remove) in sorted(changes.items()):
        change_directory(directory, write, remove, disposable=directory in plan.drop)
    for path, file in plan.write.items():
        if file.kind != HOST:
            write_file(path, file.content.encode(), file.mode)
    for path, kind in plan.remove.items():
        if kind != HOST:
            os.unlink(path)
    for path in plan.chmod:
        os.chmod(path, DIRECTORY_MODE)
    for path in plan.drop:
        _remove_if_empty(path)
    return copies


def change_directory(directory: str, write: dict, remove: set, disposable: bool) -> None:
    """Bring all files of one registry to their new state in a single step, so that no reader meets half a client pair."""
    real = os.path.realpath(directory)
    names = set(os.listdir(real)) if os.path.isdir(real) else None
    left = (names or set()) - remove | set(write)
    stage = os.path.join(os.path.dirname(real), STAGE_PREFIX + os.path.basename(real))
    if names is not None and len(write) + len(remove) == 1 and (left or not disposable):
        return _change_in_place(real, write, remove)
    if names is not None and not left and disposable:
        os.rename(real, stage)
        return shutil.rmtree(stage)
    os.mkdir(stage)
    os.chmod(stage, DIRECTORY_MODE)
    for name, file in write.items():
        write_file(os.path.join(stage, name), file.content.encode(), file.mode)
    if names is None:
        return os.rename(stage, real)
    for name in sorted(left - set(write)):
        _take_along(os.path.join(real, name), os.path.join(stage, name))
    _take_over_owner(real, stage)
    if not exchange(stage, real):
        _change_in_place(real, write, remove)
    return shutil.rmtree(stage)


def exchange(first: str, second: str) -> bool:
    """Swap two directories atomically; False where the kernel, the C library or the file system cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return renameat2 is not None and renameat2(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE) == 0


def write_file(path: str, content: bytes, mode: int) -> None:
    handle, temporary = tempfile.mkstemp(prefix=STAGE_PREFIX, dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def find_store(have_command) -> tuple | None:
    """(directory of anchors, command) of the store this host uses."""
    for directory, command in STORES:
        if os.path.isdir(directory) and have_command(command):
            return directory, command
    return None


def announce(actions: list, plan: Plan, pending: list, have_command, run_command) -> None:
    """Tell those who do not read files by themselves."""
    if ANCHOR in actions:
        store = find_store(have_command)
        if store is None:
            raise TrustError("the certificate store of the operating system has no update command; install the package ca-certificates")
        # Links of removed anchors stay behind unless the links are built afresh.
        fresh = store[1] == "update-ca-certificates" and (ANCHOR in plan.remove.values() or ANCHOR in pending)
        _run([store[1], "--fresh"] if fresh else [store[1]], run_command)
    if CONF in actions and have_command("crio") and run_command(["systemctl", "is-active", "--quiet", "crio"])[0] == 0:
        _run(["systemctl", "reload", "crio"], run_command)


def addresses_of(host: str) -> list:
    """What the engine would test against insecure networks; a name that does not resolve counts as secure there too."""
    try:
        return sorted({info[4][0].split("%")[0] for info in socket.getaddrinfo(host, None)})
    except OSError:
        return []


def containerd_warning(text, directory: str) -> str | None:
    """Why Kubernetes' pulls through containerd would pass by the files written, if they would."""
    lines = [line.split("#")[0].strip() for line in (text or "").splitlines()]
    settings = [line for line in lines if re.match(r"config_path\s*=", line)]
    disabled = " ".join(lines).partition("disabled_plugins")[2].partition("]")[0]
    if any(directory in setting for setting in settings) or '"cri"' in disabled or "io.containerd.grpc.v1.cri" in disabled:
        return None
    version3 = any(re.match(r"version\s*=\s*[3-9]", line) for line in lines)
    section = "io.containerd.cri.v1.images" if version3 else "io.containerd.grpc.v1.cri"
    return (
        f"containerd's CRI plugin does not read {directory} yet. Add to /etc/containerd/config.toml, once, and restart containerd: "
        f'[plugins."{section}".registry] config_path = "{directory}" (registry.mirrors and registry.configs exclude it: remove them)'
    )


def read_text(path: str):
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def _seen(path: str, secret: bool):
    try:
        status = os.lstat(path)
        with open(path, "rb") as stream:
            content = stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    text = None if secret else content.decode("utf-8", "replace")
    return Seen(hashlib.sha256(content).hexdigest(), status.st_mode & 0o7777, status.st_uid, text)


def _by_directory(plan: Plan) -> dict:
    changes: dict = {}
    for path, file in plan.write.items():
        if file.kind == HOST:
            changes.setdefault(os.path.dirname(path), ({}, set()))[0][os.path.basename(path)] = file
    for path, kind in plan.remove.items():
        if kind == HOST:
            changes.setdefault(os.path.dirname(path), ({}, set()))[1].add(os.path.basename(path))
    return changes


def _change_in_place(directory: str, write: dict, remove: set) -> None:
    for name, file in sorted(write.items()):
        write_file(os.path.join(directory, name), file.content.encode(), file.mode)
    for name in sorted(remove):
        os.unlink(os.path.join(directory, name))


def _clean_stages(files: dict, record_directory: str) -> None:
    """What a killed run left beside or in the directories; it may hold a key."""
    directories = {record_directory}.union(os.path.dirname(path) for path in files)
    directories |= {os.path.dirname(os.path.dirname(path)) for path, entry in files.items() if entry["kind"] == HOST}
    for directory in filter(os.path.isdir, directories):
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            if name.startswith(STAGE_PREFIX) and os.path.isdir(path):
                shutil.rmtree(path)
            elif name.startswith(STAGE_PREFIX):
                os.unlink(path)


def _take_along(source: str, target: str) -> None:
    if os.path.isdir(source) and not os.path.islink(source):
        shutil.copytree(source, target, symlinks=True)
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a mount point of its own, or a file system without links
        shutil.copy2(source, target, follow_symlinks=False)


def _take_over_owner(source: str, target: str) -> None:
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)
    os.chmod(target, status.st_mode & 0o7777)


def _keep_copy(path: str, directory: str) -> str:
    os.makedirs(directory, mode=0o700, exist_ok=True)
    with open(path, "rb") as stream:
        content = stream.read()
    name = f"{path.strip('/').replace('/', '_')}.{hashlib.sha256(content).hexdigest()[:12]}"
    write_file(os.path.join(directory, name), content, 0o600)
    return os.path.join(directory, name)


def _remove_if_empty(directory: str) -> None:
    with contextlib.suppress(OSError):  # it holds files of others, or is gone already
        os.rmdir(directory)


def _run(argv: list, run_command) -> None:
    code, _out, err = run_command(argv)
    if code != 0:
        raise TrustError(f"{' '.join(argv)} failed with exit status {code}: {err.strip()}; the next run tries again")
