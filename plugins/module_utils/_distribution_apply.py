# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Bring a registry service to its declared configuration, or leave the old one running.

Order: survey, try the new configuration beside the running service, write, restart when needed, ask for health, and on
failure put back what last ran well. What ran well is kept on disk, so that this holds across a run that was killed.
"""

from __future__ import annotations

import json
import os
import secrets
import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_files import Owner, mended, replace
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_health import (
    ailment,
    first_certificate,
    probe,
    verdict,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_state import (
    journal,
    observe,
    read,
    run,
    service_state,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_text import config_diff
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_trial import try_configuration

# Known only on the host: the secret it keeps, and the numbers of the service's user, who may be unknown inside an image.
SECRET, IDS = "@HTTP_SECRET_KEPT_ON_THIS_HOST@", "@USER_IDS@"


class ApplyError(Exception):
    """Nothing could be done, or what was done has been undone; says which."""


def plan(want, have, state, reasons):
    """What to do, from contents (path to bytes) wanted and present, the service's state and reasons to restart."""
    writes = [path for path in want if want[path] != have.get(path)]
    reasons = list(reasons) + [f"{path} is to change" for path in writes]
    action = ("restart" if reasons else "none") if state["active"] else "start"
    return {"writes": writes, "reasons": reasons, "action": action, "enable": not state["enabled"]}


class Service:
    """One registry service on this host."""

    def __init__(self, params):
        self.params, self.name = params, params["service"]
        self.config, self.unit = params["config_path"], f"/etc/systemd/system/{self.name}.service"
        self.directory = os.path.dirname(self.config)
        self.good = os.path.join(self.directory, ".last-good")
        self.owner = Owner(params["user"], params["group"])

    def survey(self):
        """Compare what is wanted with what stands; changes nothing."""
        self.seen = observe(self.params)
        self.want = {self.config: self._config(), self.unit: self.params["unit"].replace(IDS, self.owner.ids or IDS).encode()}
        have = {path: read(path) for path in self.want}
        reasons = list(self.seen["restart_reasons"])
        if self._link_target() != self.params["link_target"]:
            reasons.append("{} is to be {}".format(self.params["link"], self.params["link_target"]))
        self.todo = plan(self.want, have, self.seen["service"], reasons)
        self.todo["mend"] = mended(self._rules(), check_mode=True)
        self.diff = [
            config_diff((have[path] or b"").decode("utf-8", "replace"), self.want[path].decode(), path) for path in self.todo["writes"]
        ]
        return bool(self.todo["writes"] or self.todo["mend"] or self.todo["enable"] or self.todo["action"] != "none")

    def apply(self, check_mode, announced=()):
        """Do it all; returns the module's result. C(announced) files would have changed by now outside of check mode."""
        changed = self.survey()
        if check_mode and announced and self.todo["action"] == "none":
            changed, self.todo["action"] = True, "restart"
            self.todo["reasons"] = [f"{path} is to change" for path in announced]
        action = self.todo["action"]
        result = {
            "changed": changed,
            "action": action,
            "diff": self.diff,
            "restart_reasons": self.todo["reasons"] if action == "restart" else [],
        }
        if not check_mode:
            self._settle()
        return result

    def health(self, settings=None):
        """What is wrong with the answer the service gives now, empty when nothing is, and the status."""
        settings = settings or self.params["health"]
        certificate = first_certificate(settings["certificate"]) if settings["tls"] and settings["certificate"] else None
        answer = probe(settings)
        if answer["status"] == 503:
            answer["body"] = ailment(settings["debug"]) or answer["body"]
        return verdict(answer, settings["expected"], settings["mutual_tls"], certificate), answer["status"]

    def wait(self, settings=None):
        """Wait until the service answers as it should; what is wrong with it when it does not."""
        deadline = time.monotonic() + self.params["timeout"]
        while True:
            problem = self.health(settings)[0]
            if not problem:
                return ""
            state = service_state(self.name)
            if state["failed"] or (not state["active"] and state["result"] not in ("", "success")):
                return "the service ended ({})".format(state["result"])
            if time.monotonic() > deadline:
                return "after {} s {}".format(self.params["timeout"], problem)
            time.sleep(0.1)

    def _settle(self):
        link = self._link_target()
        mended(self._rules(), check_mode=False)
        if SECRET in self.params["config"] and not read(self.params["http_secret_path"]):
            replace(self.params["http_secret_path"], secrets.token_hex(32).encode(), 0, 0o600)
            self.want[self.config] = self._config()
        if self.todo["action"] != "none":
            self._try()
        for path in self.todo["writes"]:
            self._write(path, self.want[path])
        self._set_link(self.params["link_target"])
        self._start()
        problem = self.wait()
        if problem:
            raise ApplyError(self._undo(problem, link))
        self._remember()

    def _config(self):
        kept = read(self.params["http_secret_path"]) if SECRET in self.params["config"] else None
        return self.params["config"].replace(SECRET, kept.decode().strip() if kept else SECRET).encode()

    def _rules(self):
        """Paths with the user, group and mode they must have; None leaves a mode as it is, and the last word makes a directory."""
        group = self.owner.group
        rules = [
            (self.directory, 0, group, 0o750, True),
            (self.config, 0, group, 0o640, False),
            (self.params["htpasswd_path"], 0, group, 0o640, False),
            (self.unit, 0, 0, 0o644, False),
        ]
        if self.params["store"]:
            rules.append((self.params["store"], self.owner.user, group, None, True))
        return rules

    def _write(self, path, content):
        unit = path == self.unit
        replace(path, content, 0 if unit else self.owner.group, 0o644 if unit else 0o640)

    def _link_target(self):
        link = self.params["link"]
        return os.readlink(link) if link and os.path.islink(link) else ""

    def _set_link(self, target):
        link = self.params["link"]
        if not link or not target or self._link_target() == target:
            return
        temporary = link + ".new"
        if os.path.lexists(temporary):
            os.unlink(temporary)
        os.symlink(target, temporary)
        os.rename(temporary, link)

    def _try(self):
        problem = try_configuration(self.params, self.want[self.config], self.owner, self.directory) if self.params["trial"] else ""
        if problem:
            raise ApplyError(
                f"The new configuration does not work, so it was not put in place and the service was left as it was: {problem}"
            )

    def _start(self):
        if service_state(self.name)["stale_unit"] or self.unit in self.todo["writes"]:
            self._systemctl("daemon-reload")
        if self.todo["enable"]:
            self._systemctl("enable", self.name)
        if self.todo["action"] != "none":
            run("systemctl", "reset-failed", self.name)
            # A start that fails is told from the service's state and journal, which say more than systemctl does.
            run("systemctl", self.todo["action"], self.name, timeout=self.params["timeout"] + 300)

    def _systemctl(self, *words):
        code, text = run("systemctl", *words)
        if code:
            raise ApplyError("systemctl {}: {}".format(" ".join(words), text.strip()))

    def _kept(self, path):
        return os.path.join(self.good, os.path.basename(path))

    def _remember(self):
        """Keep a copy of what has just been seen to run well."""
        state = json.dumps({"link": self._link_target(), "health": self.params["health"]}, sort_keys=True)
        for path, content in dict(self.want, state=state.encode()).items():
            if read(self._kept(path)) != content:
                replace(self._kept(path), content, 0, 0o600)

    def _undo(self, problem, link):
        """Put back what last ran well; returns the whole story."""
        lines = "\n".join(journal(self.name))
        story = f"{self.name}.service does not run as it should: {problem}. Its last lines:\n{lines}\n"
        if self.todo["action"] == "none":
            return story + "Nothing had been changed."
        old, state = {path: read(self._kept(path)) for path in self.want}, json.loads(read(self._kept("state")) or b"{}")
        if None in old.values():
            run("systemctl", "stop", self.name)
            return story + "There is no earlier configuration to go back to; the service has been stopped."
        target = state.get("link", link)
        if old == self.want and target == self.params["link_target"]:
            return story + "The configuration is the one that ran before; look for the cause outside of it."
        for path, content in old.items():
            self._write(path, content)
        self._set_link(target)
        self._systemctl("daemon-reload")
        run("systemctl", "reset-failed", self.name)
        run("systemctl", "restart", self.name, timeout=self.params["timeout"] + 300)
        again = self.wait(state.get("health"))
        if again:
            return story + f"The previous configuration has been put back, but does not run either: {again}"
        return story + "The previous configuration has been put back and is running."
