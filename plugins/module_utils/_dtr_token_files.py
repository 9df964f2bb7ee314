# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Files that hold access tokens: checked before a token is made, for its value cannot be had again, and written at once."""

from __future__ import annotations

import contextlib
import os
import tempfile

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError


def check_files(files, new, check_mode):
    """InputError where two tokens share a file, or where a new token cannot be written.

    files: {key: file} of all declared tokens; new: keys of those that will be written; in check mode their folders may not be there yet.
    """
    for key, file in files.items():
        other = next((name for name, its in files.items() if os.path.realpath(its) == os.path.realpath(file) and name != key), None)
        if other:
            raise InputError(f"tokens '{key}' and '{other}' have the same dest {file}. Give each its own file.")
        folder = os.path.dirname(file) or "."
        writable = os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK) and not os.path.isdir(file)
        if key in new and not writable and not check_mode:
            raise InputError(f"token '{key}': {file} cannot be written. Give a file in a folder that exists and that you may write to.")


def write(file, text):
    """Put text into a file for its owner only, at once: nobody ever sees half of it."""
    handle, name = tempfile.mkstemp(dir=os.path.dirname(file) or ".", prefix=".token-")   # mode 0600
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, file)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
