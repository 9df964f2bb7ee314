# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Write a planned configuration, activate it, see that the engine runs with it, or go back to the old one."""

from __future__ import annotations

import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _docker_daemon_flags as flags_
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_engine import (
    EngineError,
    read_text,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_info import drift
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_plan import (
    PlanError,
    parse,
    redact,
    render,
    undo_by_reload,
)


class Activation:
    def __init__(self, engine, file, status, params, result):
        self.engine = engine
        self.file = file
        self.status = status  # of the service, before anything is done
        self.params = params
        self.result = result

    def apply(self, work, changed, previous):
        """`previous` is the text of the last file the engine is known to have run with."""
        if work.action != "none":
            self.file.begin(work.keys, previous)
        if changed:
            self.result["backup_file"] = self.file.write(work.text)
        try:
            if work.action != "none":
                self._activate(work)
        except EngineError as error:
            raise EngineError(redact(self._roll_back(work, previous, error))) from error
        self.file.finish()

    def _activate(self, work):
        if work.action == "reload":
            self.engine.reload()
        else:
            self._start()
        self._verify(work.keys)

    def _start(self):
        self.engine.socket_path = self.params["socket"]
        self.engine.use_socket_of(self._on_disk().get("hosts", []))
        self.engine.start()

    def _on_disk(self):
        """daemon.json and flags together, as the engine reads them."""
        flags = flags_.command_line(self.status.unit_files, read_text).flags
        return dict(flags_.flags_as_config(flags), **parse(read_text(self.params["path"]), self.params["path"]))

    def _verify(self, keys):
        content = self._on_disk()
        for _attempt in range(5):
            info = self.engine.info()
            found = drift(content, info, keys).differing
            if not found:
                self.result["engine"].update(running=True, version=info.get("ServerVersion"))
                return
            time.sleep(0.2)
        seen = (f"{key}={item['running']!r} instead of {item['declared']!r}" for key, item in sorted(found.items()))
        raise EngineError(f"the engine took the file but has {', '.join(seen)}")

    def _roll_back(self, work, previous, reason):
        message = f"{self.engine.service} does not run with the new {self.file.path}: {reason}. The previous file is back"
        try:
            self._restore(work, previous)
        except (EngineError, PlanError) as error:
            self.file.put(previous)
            return f"{message}, but the engine does not come up with it: {error}. See journalctl -u {self.engine.service}."
        self.file.finish()
        state = "the engine runs with it" if self.status.active else "the service is stopped, as it was before"
        return f"{message} and {state}."

    def _restore(self, work, previous):
        if not self.status.active:
            self.file.put(previous)
            self.engine.stop()
            return
        now = self.engine.status()
        if work.action == "reload" and now.active and now.pid == self.status.pid:
            try:
                # A refused reload may have been taken over in part, and an absent key would keep what it set.
                self.file.put(render(undo_by_reload(parse(previous, self.file.path), work.in_file)))
                self.engine.reload()
                self.file.put(previous)
                self._verify(work.changed_keys)
                return
            except EngineError:
                if self.params["restart"] == "never":
                    raise
        self.file.put(previous)
        self._start()
        self._verify(work.changed_keys)
