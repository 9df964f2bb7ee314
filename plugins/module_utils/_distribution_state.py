# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What stands on a host: the service, what it was started with, the version, the store."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess

_VERSION = re.compile(r"\bv?(\d+\.\d+\.\d+[^\s]*)")


def run(*command, timeout=60):
    """Exit code and output of a command."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return 124, f"{command[0]} did not end within {timeout} s"
    except OSError as error:
        # Not installed, or not for this architecture.
        return 127, str(error)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def read(path):
    """The bytes of a file; None when there is none."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def digest(content):
    """SHA-256 of bytes; None of None."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def service_state(service):
    """What systemd says about a unit."""
    names = "LoadState,ActiveState,SubState,MainPID,NeedDaemonReload,UnitFileState,Result"
    code, text = run("systemctl", "show", "--property=" + names, service + ".service")
    if code:
        raise OSError(f"systemctl show {service}: {text.strip()}")
    shown = dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line)
    return {
        "exists": shown.get("LoadState") == "loaded",
        "active": shown.get("ActiveState") == "active",
        "failed": shown.get("ActiveState") == "failed" or shown.get("SubState") == "auto-restart",
        "enabled": shown.get("UnitFileState") == "enabled",
        "stale_unit": shown.get("NeedDaemonReload") == "yes",
        "pid": int(shown.get("MainPID") or 0),
        "result": shown.get("Result", ""),
    }


def recorded_digests(text):
    """Path to digest, from what C(sha256sum) wrote when the service started; None when it wrote nothing."""
    if text is None:
        return None
    pairs = (line.split(None, 1) for line in text.decode("utf-8", "replace").splitlines() if line.strip())
    return {path: value for value, path in pairs}


def restart_reasons(recorded, files, running_executable="", executable=""):
    """Why a running service must restart to run what stands on the host.

    C(recorded) is what it was started with, C(files) what is there now: path to digest.
    """
    if recorded is None:
        return ["what the running service was started with is not recorded"]
    reasons = [f"{path} has changed" for path, value in sorted(files.items()) if recorded.get(path) != value]
    reasons.extend(f"{path} is no longer used" for path in sorted(set(recorded) - set(files)))
    if running_executable and executable and running_executable != executable:
        reasons.append(f"{executable} has been replaced")
    return reasons


def running_executable(pid):
    """The file a process runs; ends in C( (deleted)) after the file was replaced."""
    try:
        return os.readlink(f"/proc/{pid}/exe") if pid else ""
    except OSError:
        return ""


def version_of(executable):
    """The version a registry binary tells of itself; empty when it is not there or does not run."""
    if not executable or not os.access(executable, os.X_OK):
        return ""
    code, text = run(executable, "--version", timeout=20)
    found = _VERSION.search(text.split("\n")[0]) if code == 0 else None
    return found.group(1) if found else ""


def container_state(name, image):
    """The image a container runs and the image that its reference names now."""
    code, text = run("docker", "container", "inspect", "--format", "{{.Image}}", name)
    running = text.strip() if code == 0 else ""
    code, text = run("docker", "image", "inspect", "--format", "{{.Id}}", image)
    return {"running_image": running, "image": text.strip() if code == 0 else ""}


def store_state(path):
    """Size and free space of the file system that holds a store; cheap at any size of store."""
    try:
        shape = os.statvfs(path)
    except OSError:
        return None
    return {"path": path, "bytes_total": shape.f_frsize * shape.f_blocks, "bytes_free": shape.f_frsize * shape.f_bavail}


def journal(service, lines=15):
    """The last lines a service logged."""
    code, text = run("journalctl", "--unit", service, "--lines", str(lines), "--no-pager", "--output", "cat")
    return text.strip().splitlines() if code == 0 else []


def observe(params):
    """Everything C(distribution_info) reports and C(distribution_service) decides from, without the health."""
    service, executable = params["service"], params["executable"]
    state = service_state(service)
    files = {path: digest(read(path)) for path in params["watched"]}
    container = container_state(service, params["container_image"]) if params["container_image"] else None
    reasons = []
    if state["active"]:
        here = os.path.realpath(executable) if executable else ""
        running = running_executable(state["pid"]) if executable else ""
        reasons = restart_reasons(recorded_digests(read(f"/run/{service}/loaded")), files, running, here)
        if state["stale_unit"]:
            reasons.append("the unit file is newer than what systemd has read")
        if container and container["image"] and container["running_image"] != container["image"]:
            reasons.append("image {} has been replaced".format(params["container_image"]))
    return {"service": state, "files": files, "restart_reasons": reasons, "container": container}
