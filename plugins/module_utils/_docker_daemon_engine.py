# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""The engine's systemd service, its API on the unix socket and its journal."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import time
from collections import namedtuple
from urllib.parse import quote

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._unix_http import UnixConnection

Status = namedtuple("Status", "loaded active sub pid restarts enabled unit_files stale can_reload")

_PROPERTIES = "LoadState,ActiveState,SubState,MainPID,UnitFileState,FragmentPath,DropInPaths,NeedDaemonReload,CanReload,NRestarts"


class EngineError(Exception):
    """The engine did not do what it was asked; the text is its reason."""


class Engine:
    """One Docker engine run by systemd; `run` is AnsibleModule.run_command or its like."""

    def __init__(self, run, service, timeout, socket_path=None):
        self.run = run
        self.service = service if service.endswith(".service") else service + ".service"
        self.timeout = timeout
        self.socket_path = socket_path

    def _systemctl(self, *arguments):
        return self.run(["systemctl", "--no-ask-password", *arguments])

    def status(self):
        rc, out, err = self._systemctl("show", self.service, "-p", _PROPERTIES)
        if rc != 0:
            raise EngineError(f"systemctl show {self.service} failed: {err.strip()}")
        values = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
        files = [values.get("FragmentPath", ""), *values.get("DropInPaths", "").split()]
        return Status(
            loaded=values.get("LoadState", "not-found"),
            active=values.get("ActiveState") in ("active", "reloading"),
            sub=values.get("SubState", ""),
            pid=int(values.get("MainPID") or 0),
            restarts=int(values.get("NRestarts") or 0),
            enabled=values.get("UnitFileState", "") not in ("", "disabled", "enabled-runtime"),
            unit_files=[path for path in files if path],
            stale=values.get("NeedDaemonReload") == "yes",
            can_reload=values.get("CanReload") == "yes",
        )

    def running_words(self, pid):
        """The command line of the running engine, None when it cannot be read."""
        text = read_text(f"/proc/{pid}/cmdline")
        return text.split("\0")[:-1] if text else None

    def started_at(self, pid):
        """Time at which the process started, in seconds since 1970."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:
                ticks = int(stream.read().rpartition(")")[2].split()[19])
            with open("/proc/uptime", encoding="utf-8") as stream:
                uptime = float(stream.read().split()[0])
        except (OSError, ValueError, IndexError):
            return 0.0
        return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")

    def use_socket_of(self, hosts):
        """Talk to the first unix socket the engine listens on; fd:// is docker.socket, at the usual place."""
        if not self.socket_path:
            paths = [host[len("unix://") :] for host in hosts if host.startswith("unix://")]
            self.socket_path = paths[0] if paths and not any(host.startswith("fd:") for host in hosts) else "/var/run/docker.sock"

    def get(self, path):
        connection = UnixConnection(self.socket_path, self.timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read().decode("utf-8", "replace")
        finally:
            connection.close()
        if answer.status != 200:
            what = path.partition("?")[0]
            raise EngineError(f"the engine answers GET {what} with {answer.status}: {body.strip()[:300]}")
        return body

    def info(self):
        try:
            return json.loads(self.get("/info"))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EngineError(f"the engine does not answer on {self.socket_path}: {error}") from error

    def reload(self):
        """Have the file read again; returns when the engine says it has, raises with its reason when it refuses."""
        before, since = self.status(), time.time()
        if before.can_reload:
            rc, _out, err = self._systemctl("reload", self.service)
            if rc != 0:
                raise EngineError(f"systemctl reload {self.service} failed: {err.strip()}")
        else:
            os.kill(before.pid, signal.SIGHUP)
        # The signal is asynchronous and systemctl succeeds whatever the engine makes of the file: its event is the proof.
        for _attempt in self._attempts():
            if self._reload_events(since):
                return
            status = self.status()
            if status.pid != before.pid or not status.active:
                raise EngineError(self.reason(since, "the engine ended on reload"))
            if refusal_in(self._journal(since)):
                raise EngineError(self.reason(since))
        raise EngineError(self.reason(since, f"the engine did not report the reload within {self.timeout} seconds"))

    def _reload_events(self, since):
        filters = quote(json.dumps({"type": ["daemon"], "event": ["reload"]}))
        try:
            return self.get(f"/events?since={since:.9f}&until={time.time():.9f}&filters={filters}").strip()
        except (OSError, http.client.HTTPException):
            return ""

    def start(self):
        """(Re)start and wait until the API answers; raises with the engine's reason when it does not come up."""
        before, since = self.status(), time.time()
        if before.stale:
            self._systemctl("daemon-reload")
        if not before.active:
            # A service that fails again and again must not be met in the middle of one of its attempts.
            self._systemctl("stop", self.service)
        # Failed attempts count against StartLimitBurst and would have systemd refuse this one.
        self._systemctl("reset-failed", self.service)
        rc, _out, err = self._systemctl("restart", "--no-block", self.service)
        if rc != 0:
            raise EngineError(f"systemctl restart {self.service} failed: {err.strip()}")
        for attempt in self._attempts():
            status = self.status()
            # systemd tries again by itself (Restart=on-failure), mostly too quickly to be seen between two attempts.
            if status.restarts or status.sub in ("failed", "auto-restart") or (attempt > 5 and status.sub == "dead"):
                raise EngineError(self.reason(since, f"the service ended at once ({status.sub})"))
            if status.active and status.pid and status.pid != before.pid:
                try:
                    self.get("/_ping")
                    return
                except (OSError, http.client.HTTPException, EngineError):
                    pass
        raise EngineError(self.reason(since, f"the engine did not answer within {self.timeout} seconds"))

    def stop(self):
        self._systemctl("stop", self.service)
        self._systemctl("reset-failed", self.service)

    def enable(self):
        rc, _out, err = self._systemctl("enable", self.service)
        if rc != 0:
            raise EngineError(f"systemctl enable {self.service} failed: {err.strip()}")

    def _attempts(self):
        end, attempt = time.monotonic() + self.timeout, 0
        while time.monotonic() < end:
            yield attempt
            attempt += 1
            time.sleep(min(0.1 * attempt, 0.5))

    def reason(self, since, otherwise=""):
        """What the engine wrote to the journal as its reason."""
        return reason_in(self._journal(since)) or otherwise

    def _journal(self, since):
        return self.run(["journalctl", "--no-pager", "-o", "cat", "-u", self.service, "--since", f"@{since:.6f}"])[1]

    def version_of_binary(self, binary):
        _rc, out, _err = self.run([binary, "--version"])
        match = re.search(r"version (\S+?),", out)
        return match.group(1) if match else None

    def validate(self, binary, path, words):
        """The engine's own check of a file; None when it has no objection."""
        rc, out, err = self.run([binary, "--validate", "--config-file", path, *words])
        return None if rc == 0 else (err.strip() or out.strip())


_REFUSAL = re.compile(
    r"unable to configure the Docker daemon|configuration validation failed|conflict labels"
    r"|Error (reconfiguring|reloading|validating)|failed to start daemon"
)


def refusal_in(journal):
    """Whether the engine says that it rejects its configuration; a busy engine logs other errors at any time."""
    return bool(_REFUSAL.search(journal))


def reason_in(journal):
    """The refusal in a piece of the engine's journal; systemd's own lines and harmless warnings are left out."""
    found = []
    for line in journal.splitlines():
        match = re.search(r'level=(?:error|fatal) msg="((?:[^"\\]|\\.)*)"(.*)', line)
        if match:
            detail = re.search(r'error="((?:[^"\\]|\\.)*)"', match.group(2))
            text = f"{match.group(1)}: {detail.group(1)}" if detail else match.group(1)
            found.append(text.replace('\\"', '"'))
        elif re.match(
            r"^(unable to configure|failed to (start|load)|invalid |Error |Status: |unknown flag|error initializing)",
            line,
        ):
            found.append(line.strip())
    return "; ".join(dict.fromkeys(found[-3:]))


def version_tuple(text):
    match = re.match(r"^v?(\d+)\.(\d+)", text or "")
    return (int(match.group(1)), int(match.group(2))) if match else None


def read_text(path):
    """The text of a file, None when there is none."""
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
