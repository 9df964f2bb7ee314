# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Start a registry with a new configuration beside the running one, on a socket that nobody uses."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_health import ailment, probe, verdict

_WRONG = re.compile(r"level=(error|fatal|panic)|^panic:|^configuration error|^error ")
_START = 10
# The storage health check, set to one second here, has then run at least once.
_REMOTE_STORE = 2.5


def try_configuration(params, config, owner, directory):
    """What goes wrong when a registry starts with this configuration; empty when nothing does."""
    place = tempfile.mkdtemp(prefix="distribution-trial-")
    path = os.path.join(directory, ".trial.yml")
    try:
        os.chown(place, owner.user, owner.group)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(config)
        os.chown(path, owner.user, owner.group)
        return _run(params, path, os.path.join(place, "socket"), owner)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if os.path.exists(path):
            os.unlink(path)


def _free_address():
    """An address on loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


def _environment(listen, debug):
    return {
        "PATH": "/usr/bin:/bin",
        "OTEL_TRACES_EXPORTER": "none",
        "REGISTRY_HTTP_NET": "unix",
        "REGISTRY_HTTP_ADDR": listen,
        "REGISTRY_HTTP_DEBUG_ADDR": debug,
        "REGISTRY_HEALTH_STORAGEDRIVER_ENABLED": "true",
        "REGISTRY_HEALTH_STORAGEDRIVER_INTERVAL": "1s",
        "REGISTRY_HEALTH_STORAGEDRIVER_THRESHOLD": "1",
    }


def _run(params, path, listen, owner):
    def become():
        os.setgroups([])
        os.setgid(owner.group)
        os.setuid(owner.user)
        os.umask(0o027)

    target = {
        "socket": listen,
        "tls": params["health"].get("tls"),
        "name": params["health"].get("name"),
        "prefix": params["health"].get("prefix"),
    }
    debug = _free_address()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [params["trial_executable"], "serve", path],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=_environment(listen, debug),
            preexec_fn=become,  # noqa: PLW1509 (one thread, and Python 3.8 has no other way)
        )
        try:
            problem = _watch(process, target, params, debug)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        if not problem:
            return ""
        output.seek(0)
        return "\n".join([problem, *telling(output.read().decode("utf-8", "replace"))])


def telling(log):
    """The lines of a log that say what went wrong; the last ones when none does so."""
    lines = log.strip().splitlines()
    return [line[:500] for line in [line for line in lines if _WRONG.search(line)] or lines][-8:]


def _watch(process, target, params, debug):
    """The same questions as to the real service, asked on the trial's socket."""
    settings, started = params["health"], time.monotonic()
    hold = _REMOTE_STORE if params["remote_store"] else 0
    while True:
        if process.poll() is not None:
            return f"the registry ended with code {process.returncode}"
        answer = probe(target, timeout=3)
        if answer["status"] == 503:
            answer["body"] = ailment(debug) or answer["body"]
        problem = verdict(answer, settings["expected"], bool(settings.get("mutual_tls")))
        spent = time.monotonic() - started
        if not problem and spent >= hold:
            return ""
        if problem and (spent > _START or (answer["status"] == 503 and spent > hold)):
            return problem
        time.sleep(0.1)
