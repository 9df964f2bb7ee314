# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Bring a Docker engine to its declared configuration: look, plan, refuse what would fail, apply."""

from __future__ import annotations

import os
from collections import namedtuple

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _docker_daemon_flags as flags_
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_apply import Activation
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_engine import (
    Engine,
    read_text,
    version_tuple,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_file import ConfigFile
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_keys import validate
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_plan import (
    PlanError,
    Request,
    check_request,
    owned_keys,
    parse,
    plan,
    redact,
    render,
)

# text: the file to be; before, after: the same for the diff; in_file, flags: daemon.json and flags as the next start
# sees them; keys: what must be seen to have taken effect
Work = namedtuple("Work", "text before after action changed_keys drift restart_keys in_file flags keys")


class DockerDaemon:
    def __init__(self, params, run, replace, temporary_directory, check_mode):
        self.params = params
        self.check_mode = check_mode
        self.temporary_directory = temporary_directory
        self.request = Request(params["config"] or {}, params["list_items"] or {}, params["exclusive"])
        self.engine = Engine(run, params["service"], params["timeout"], params["socket"])
        self.status = self.info = self.line = self.version = None
        target = params["path"] if params["target"] == "daemon_json" else params["options_file"]
        self.file = ConfigFile(target, replace, params["backups"])
        self.result = {
            "changed": False,
            "action": "none",
            "changed_keys": [],
            "restart_keys": [],
            "drift": {},
            "backup_file": None,
            "conflicts": [],
        }

    def run(self):
        check_request(self.request)
        self._look()
        work = self._plan_file() if self.params["target"] == "daemon_json" else self._plan_options()
        self._refuse(work)
        changed = work.text != self.file.text
        enable = self.params["enabled"] and self.status.loaded == "loaded" and not self.status.enabled
        self.result.update(
            changed=changed or enable or work.action != "none",
            action=work.action,
            changed_keys=work.changed_keys,
            restart_keys=work.restart_keys,
            drift=redact(work.drift),
            diff=self._diff(work, changed),
        )
        if not self.check_mode:
            self._apply(work, changed, enable)
        return self.result

    def _apply(self, work, changed, enable):
        note = self._pending()
        activation = Activation(self.engine, self.file, self.status, self.params, self.result)
        activation.apply(work, changed, previous=note["previous"] if note else self.file.text)
        if enable:
            self.engine.enable()
            self.result["engine"]["enabled"] = True

    def _look(self):
        engine = self.engine
        self.status = engine.status()
        if self.status.loaded == "masked":
            raise PlanError(
                f"{engine.service} is masked, so the engine cannot be started. Nothing was changed. "
                f"Unmask it: systemctl unmask {engine.service}"
            )
        installed = False
        if self.status.loaded == "loaded":
            self.line = flags_.command_line(self.status.unit_files, read_text)
            # A removed package leaves its init script, of which systemd makes a unit.
            binary = self.line.binary or "/etc/init.d/"
            installed = os.path.exists(binary) and not binary.startswith("/etc/init.d/")
        if not installed and self.params["missing_engine"] == "fail" and not self.check_mode:
            raise PlanError(
                f"There is no Docker engine on this host: systemd knows no usable {engine.service}. "
                "Install the engine first; nothing was changed."
            )
        if installed and self.status.active:
            hosts = flags_.flags_as_config(self._running_flags()).get("hosts", [])
            engine.use_socket_of(hosts or self._hosts_in_file())
            self.info = engine.info()
            self.version = self.info.get("ServerVersion")
        elif installed:
            self.version = engine.version_of_binary(self.line.binary)
        self.result["engine"] = {
            "installed": installed,
            "running": self.info is not None,
            "enabled": self.status.enabled,
            "version": self.version,
            "binary": self.line.binary if installed else None,
            "service": engine.service,
        }

    def _hosts_in_file(self):
        try:
            return parse(read_text(self.params["path"]), self.params["path"]).get("hosts", [])
        except PlanError:
            return []

    def _running_flags(self):
        words = self.engine.running_words(self.status.pid) or []
        return flags_.parse_flags([(word, "the running process") for word in words[1:]])

    @property
    def installed(self):
        return self.result["engine"]["installed"]

    def _current(self):
        path = self.params["path"]
        try:
            return parse(read_text(path), path)
        except PlanError:
            if self.params["broken_file"] != "replace" or self.params["target"] != "daemon_json":
                raise
            return {}

    def _pending(self):
        """The note of an interrupted run, unless the engine was started since and so has read the file."""
        note = self.file.pending()
        if note and self.info and self.engine.started_at(self.status.pid) > max(note["at"], self.file.changed_at()):
            return None
        return note

    def _plan_file(self):
        current, note = self._current(), self._pending()
        flags = self.line.flags if self.installed else []
        as_keys = flags_.flags_as_config(flags)
        keys = note["keys"] if note else []
        made = plan(current, self.request, flags=as_keys, info=self.info, pending=keys, path=self.params["path"])
        action, restart_keys = made.action, made.restart_keys
        stale = flags_.conflicts(made.content, self._running_flags()) if action == "reload" else []
        if stale:
            # The flag is gone from the unit but not from the running process, which would refuse to reload.
            action, restart_keys = "restart", [flags_.FLAGS[flag.name] for flag in stale]
        unchanged = made.content == current and (self.file.text is not None or not current)
        return Work(
            before=render(redact(current)) if self.file.text is not None else "",
            after=render(redact(made.content)),
            text=self.file.text if unchanged and not self._broken() else render(made.content),
            action=self._unless_idle(action),
            changed_keys=made.changed_keys,
            drift=made.drift,
            restart_keys=restart_keys,
            in_file=made.content,
            flags=flags,
            keys=owned_keys(self.request, current) | set(made.changed_keys) | set(keys),
        )

    def _broken(self):
        try:
            parse(self.file.text, self.file.path)
        except PlanError:
            return True
        return bool(self.file.text is not None and not self.file.text.strip())

    def _plan_options(self):
        path, text = self.params["options_file"], self.file.text
        if self.installed and not (flags_.VARIABLE in self.line.variables and path in self.line.environment_files):
            raise PlanError(
                f"{self.engine.service} does not read {flags_.VARIABLE} from {path}, so flags there would have no effect. "
                "Nothing was changed. Use target=daemon_json."
            )
        new_text, before, after = flags_.plan_options(text, self.request, path)
        flags = after
        if self.installed:
            files = self.status.unit_files
            flags = flags_.command_line(files, lambda name: new_text if name == path else read_text(name)).flags
        wanted, old = flags_.flags_as_config(flags), flags_.flags_as_config(before)
        running = flags_.flags_as_config(self._running_flags()) if self.info else {}
        new = flags_.flags_as_config(after)
        changed_keys = sorted(key for key in set(new) | set(old) if new.get(key) != old.get(key))
        keys = owned_keys(self.request, old) | set(changed_keys)
        stale = {
            key: {"declared": wanted.get(key), "running": running.get(key)}
            for key in keys
            if self.info and wanted.get(key) != running.get(key)
        }
        action = "start" if self.info is None else "restart" if stale or new_text != text else "none"
        return Work(
            before=redact(text or ""),
            after=redact(new_text or ""),
            text=new_text,
            action=self._unless_idle(action),
            changed_keys=changed_keys,
            drift={key: value for key, value in stale.items() if key not in changed_keys},
            restart_keys=sorted(set(changed_keys) | set(stale)) if action == "restart" else [],
            in_file=self._current(),
            flags=flags,
            keys=keys,
        )

    def _unless_idle(self, action):
        """An engine that is not there, or is to stay stopped, reads the file when it starts."""
        return "none" if action == "start" and not (self.installed and self.params["started"]) else action

    def _refuse(self, work):
        """Everything that can be known to go wrong, before anything is changed."""
        config_file = [flag.value for flag in work.flags if flag.name == "config-file"]
        if config_file and config_file[-1] != self.params["path"]:
            raise PlanError(
                f"{self.engine.service} reads its configuration from {config_file[-1]}, not from {self.params['path']}. "
                "Nothing was changed. Set path."
            )
        found = flags_.conflicts(work.in_file, work.flags)
        if found:
            self.result["conflicts"] = [
                {"key": flags_.FLAGS[flag.name], "flag": redact(flag.text), "source": flag.source} for flag in found
            ]
            raise PlanError(redact(flags_.conflict_message(found, self.engine.service, self.params["path"])))
        if work.action == "none" and work.text == self.file.text:
            return
        as_keys = flags_.flags_as_config(work.flags)
        version = version_tuple(self.version)
        judges = self.installed and version is not None and version >= (23, 0)
        errors = validate(work.in_file, version, engine_validates=judges, flags=as_keys)
        if not errors and judges:
            errors = [error for error in [self._engine_verdict(work)] if error]
        swarm = ((self.info or {}).get("Swarm") or {}).get("LocalNodeState", "inactive")
        if dict(as_keys, **work.in_file).get("live-restore") and swarm != "inactive":
            errors.append("live-restore: a node of a swarm cannot have it; the engine would not start again")
        if errors:
            reasons = redact("; ".join(errors))
            raise PlanError(f"The engine would refuse {self.file.path}: {reasons}. Nothing was changed.")
        if work.action == "restart" and self.params["restart"] == "never":
            raise PlanError(
                f"{self.engine.service} must restart for {', '.join(work.restart_keys)} to take effect, and restart=never "
                "forbids it. Nothing was changed. Allow the restart, or declare these keys in a maintenance window."
            )

    def _engine_verdict(self, work):
        path = os.path.join(self.temporary_directory, "daemon.json")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(render(work.in_file))
        flags = [flag for flag in work.flags if flag.name != "config-file"]
        words = [f"{'-' if len(flag.name) == 1 else '--'}{flag.name}={flag.value}" for flag in flags]
        verdict = self.engine.validate(self.line.binary, path, words)
        return verdict and verdict.replace(path, self.params["path"])

    def _diff(self, work, changed):
        parts = []
        if changed:
            parts.append(_side_by_side(self.file.path, work.before, work.after))
        if work.drift:
            before, after = (
                render({key: redact(value)[side] for key, value in sorted(work.drift.items())}) for side in ("running", "declared")
            )
            parts.append(_side_by_side(f"{self.engine.service} (running)", before, after))
        return parts


def _side_by_side(header, before, after):
    return {"before": before, "after": after, "before_header": header, "after_header": header}
