# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""A service of the balancer and its files: checked before they replace others, loaded without a restart, put back when that fails."""

from __future__ import annotations

import glob
import os
import re
import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _haproxy as haproxy
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_files import replace
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_state import (
    journal,
    read,
    run,
    service_state,
)

# Stands in every file the role writes; a file without it is somebody else's.
MARK = "dockyard.trusted_registry.load_balancer"
OLDEST_HAPROXY = (2, 2)
SERVICES = {
    "haproxy": {
        "config": "/etc/haproxy/haproxy.cfg",
        "mode": 0o644,
        "test": ("haproxy", "-c", "-q", "-f"),
        "extra": "/etc/haproxy/check-ca-*.pem",
    },
    "keepalived": {
        "config": "/etc/keepalived/keepalived.conf",
        "mode": 0o600,
        "test": ("keepalived", "--config-test", "--use-file"),
        "extra": "",
    },
}


class ServiceError(Exception):
    """What went wrong on this host and what state it is in now."""


def pristine(package, path):
    """Whether the file is as the package brought it."""
    for owner, verify in (("dpkg-query", "--search"), ("dpkg", "--verify")), (("rpm", "-qf"), ("rpm", "--verify")):
        if run(*owner, path)[0] == 0:
            return re.search(rf"^..5\S* +c? *{re.escape(path)}$", run(*verify, package)[1], re.M) is None
    return False


def haproxy_version():
    """The installed version as numbers; empty where none is installed."""
    code, text = run("haproxy", "-v")
    found = re.search(r"version (\d+)\.(\d+)", text) if code == 0 else None
    return tuple(int(part) for part in found.groups()) if found else ()


def started(pid):
    """When a process started, in seconds of the wall clock."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:
        ticks = int(stream.read().rpartition(")")[2].split()[19])
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")


def worker():
    """Process id of HAProxy's present worker: a reload makes a new one, and a failed reload does not."""
    return int(re.search(r"^Pid: (\d+)", haproxy.ask(haproxy.RUNTIME, "show info"), re.M).group(1))


class Service:
    """One service of the balancer. C(params) are the module's."""

    def __init__(self, params):
        self.params, self.name = params, params["service"]
        self.known = SERVICES[self.name]
        self.unit_path = f"/etc/systemd/system/{self.name}.service.d/dockyard.conf"
        self.state = service_state(self.name)
        self.wanted = {self.known["config"]: params["config"]}
        self.wanted.update({entry["path"]: entry["content"] for entry in params["files"]})
        if params["unit"]:
            self.wanted[self.unit_path] = params["unit"]
        self.before = {path: read(path) for path in self.wanted}
        self.differing = [path for path in self.wanted if self._differs(path)]

    def _mode(self, path):
        return self.known["mode"] if path == self.known["config"] else 0o644

    def _differs(self, path):
        if self.before[path] != self.wanted[path].encode():
            return True
        found = os.stat(path)
        return (found.st_uid, found.st_gid, found.st_mode & 0o7777) != (0, 0, self._mode(path))

    def foreign(self):
        """Whether the configuration is neither this role's nor the package's."""
        content = self.before[self.known["config"]]
        return content is not None and MARK.encode() not in content and not pristine(self.name, self.known["config"])

    def action(self):
        """What it takes to run what is declared: nothing, enable, reload, start or restart."""
        if not self.state["active"]:
            return "start"
        if self.unit_path in self.differing or self.state["stale_unit"]:
            return "restart"
        if self.differing or self._stale():
            return "reload"
        return "" if self.state["enabled"] else "enable"

    def _loaded(self):
        """When the running service read its configuration, in seconds of the wall clock."""
        if self.name == "haproxy":
            return started(worker())
        code, text = run("systemctl", "show", "--property=StateChangeTimestampMonotonic", "--value", self.name)
        if code:
            raise ServiceError(f"systemctl show {self.name}: {text.strip()}")
        return time.time() - time.monotonic() + int(text) / 1e6

    def _stale(self):
        """Whether a file is newer than what runs, as after a run that was killed before the reload."""
        return any(os.stat(path).st_mtime > self._loaded() for path in self.wanted)

    def check(self):
        """Test the new configuration where the old one stands, before it replaces it."""
        extra = [path for path in self.differing if path not in (self.known["config"], self.unit_path)]
        for path in extra:
            # Named after its content, so that the running configuration does not read it.
            replace(path, self.wanted[path].encode(), 0, self._mode(path))
        trial = self.known["config"] + ".new"
        replace(trial, self.wanted[self.known["config"]].encode(), 0, 0o600)
        try:
            code, text = run(*self.known["test"], trial)
        finally:
            os.unlink(trial)
        if code:
            for path in extra:
                os.unlink(path)
            lines = "\n".join(text.strip().splitlines()[-8:])
            raise ServiceError(f"{self.name} refuses the new configuration; the old one has been left as it was:\n{lines}")

    def apply(self, action):
        """Write the files and load them; with a failure put the old ones back."""
        for path in self.differing:
            replace(path, self.wanted[path].encode(), 0, self._mode(path))
            os.chmod(os.path.dirname(path), 0o755)
        try:
            self._load(action)
        except (ServiceError, haproxy.HaproxyError) as error:
            raise ServiceError(f"{error}\n{self._put_back(action)}") from error
        for path in glob.glob(self.known["extra"]) if self.known["extra"] else []:
            if path not in self.wanted:
                os.unlink(path)

    def _load(self, action):
        if self.name == "haproxy" and not os.path.exists(haproxy.KEPT):
            # An empty file would make HAProxy warn at each start.
            replace(haproxy.KEPT, f"{haproxy.STATE_VERSION}\n# be_id be_name srv_id srv_name srv_admin_state\n".encode(), 0, 0o600)
        if self.name == "haproxy" and action == "reload":
            # Who was drained by hand stays drained as well.
            haproxy.keep()
        old = worker() if self.name == "haproxy" and action == "reload" else 0
        for path in self.wanted:
            if os.stat(path).st_mtime > time.time():
                os.utime(path)
        run("systemctl", "daemon-reload")
        run("systemctl", "reset-failed", self.name)  # earlier failures count against a start
        for verb in ("enable", action):
            code, text = run("systemctl", verb, self.name, timeout=self.params["timeout"] + 60)
            if code:
                raise ServiceError(f"systemctl {verb} {self.name} failed: {text.strip()}\n{self._journal()}")
        self._wait(old)

    def _wait(self, old):
        """Until the service runs with the new configuration; for HAProxy in a worker other than C(old)."""
        end = time.monotonic() + self.params["timeout"]
        problem = "it is not active"
        while time.monotonic() < end:
            time.sleep(0.3)
            state = service_state(self.name)
            if state["failed"]:
                break
            try:
                if state["active"] and (self.name != "haproxy" or worker() != old):
                    return
                problem = "the worker of before still serves" if state["active"] else problem
            except haproxy.HaproxyError as error:
                problem = str(error)
        raise ServiceError(f"{self.name} does not run with the new configuration: {problem}\n{self._journal()}")

    def _journal(self):
        """The last lines, and the errors before them: HAProxy says much when it resumes, after it said why it could not begin."""
        lines = journal(self.name, 30)
        return "\n".join([line for line in lines[:-8] if "[ALERT]" in line][-3:] + lines[-8:])

    def _put_back(self, action):
        """Restore what was there and load it; says what came of it."""
        for path in self.differing:
            if self.before[path] is None:
                os.unlink(path)
            else:
                replace(path, self.before[path], 0, self._mode(path))
        run("systemctl", "daemon-reload")
        run("systemctl", "reset-failed", self.name)
        if self.before[self.known["config"]] is None:
            run("systemctl", "stop", self.name)
            return "There was no configuration before; the service has been stopped"
        code, text = run("systemctl", "reload" if action == "reload" else "restart", self.name, timeout=self.params["timeout"] + 60)
        if code:
            return f"The old configuration has been put back, but the service does not run with it: {text.strip()}"
        return "The old configuration has been put back and runs"
