# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""The configuration file on disk: atomic writes, dated backups, and a note of what has not taken effect yet."""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
from datetime import datetime, timezone

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_engine import read_text

_BACKUP = re.compile(r"\.\d{8}T\d{12}Z\.bak")


class ConfigFile:
    """`replace` moves a finished temporary file into place (AnsibleModule.atomic_move, which keeps the security context)."""

    def __init__(self, path, replace, backups):
        # A link stays a link: its target is what is written.
        self.path = os.path.realpath(path)
        self.replace = replace
        self.backups = backups
        self.note_path = os.path.join(os.path.dirname(self.path), f".{os.path.basename(self.path)}.pending")
        self.text = read_text(self.path)

    def changed_at(self):
        try:
            return os.stat(self.path).st_mtime
        except OSError:
            return 0.0

    def pending(self):
        """What an interrupted run wrote without seeing it take effect: {keys, previous, at}, None when there was none."""
        try:
            note = json.loads(read_text(self.note_path) or "null")
        except ValueError:
            # Killed while writing the note: the file itself was not touched yet.
            return None
        return dict(note, at=os.stat(self.note_path).st_mtime) if note else None

    def begin(self, keys, previous):
        """Leave a note for the run after one that is killed; `previous` is the text to go back to."""
        self._write(self.note_path, json.dumps({"keys": sorted(keys), "previous": previous}), 0o600)

    def finish(self):
        if os.path.exists(self.note_path):
            os.unlink(self.note_path)

    def write(self, text):
        """Put `text` into place, None to have no file; returns the backup of what stood there."""
        backup = self._keep()
        self.put(text)
        return backup

    def put(self, text):
        if text is None:
            if os.path.exists(self.path):
                os.unlink(self.path)
            return
        mode = 0o644
        if os.path.exists(self.path):
            # Somebody who closed the file, say over a proxy password, keeps it closed.
            mode &= stat.S_IMODE(os.stat(self.path).st_mode)
        self._write(self.path, text, mode | 0o600)

    def _write(self, path, text, mode):
        directory = os.path.dirname(path)
        if not os.path.isdir(directory):
            os.makedirs(directory)
            os.chmod(directory, 0o755)
        handle, temporary = tempfile.mkstemp(dir=directory, prefix=f".{os.path.basename(path)}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            self.replace(temporary, path)
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise
        os.chmod(path, mode)

    def _keep(self):
        if self.text is None or not self.backups:
            return None
        path = "{}.{}.bak".format(self.path, datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S%fZ"))
        self._write(path, self.text, stat.S_IMODE(os.stat(self.path).st_mode) & 0o644 | 0o600)
        self._prune()
        return path

    def _prune(self):
        directory, name = os.path.split(self.path)
        kept = sorted(entry for entry in os.listdir(directory) if entry.startswith(name) and _BACKUP.fullmatch(entry[len(name) :]))
        for entry in kept[: -self.backups]:
            os.unlink(os.path.join(directory, entry))
