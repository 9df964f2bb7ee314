# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Files with their owners and modes, replaced in one step."""

from __future__ import annotations

import grp
import os
import pwd
import tempfile


class Owner:
    """A user and a group by name; None for what is still to be made, as in check mode on a bare host."""

    def __init__(self, user, group):
        try:
            self.user = pwd.getpwnam(user).pw_uid
        except KeyError:
            self.user = None
        try:
            self.group = grp.getgrnam(group).gr_gid
        except KeyError:
            self.group = None

    @property
    def ids(self):
        """C(user:group) in numbers; empty when one is unknown."""
        return "" if None in (self.user, self.group) else f"{self.user}:{self.group}"


def replace(path, content, group, mode):
    """Write a file in one step; it never stands there with wider permissions than it ends with."""
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o750, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".new-", dir=directory)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chown(name, 0, group)
        os.chmod(name, mode)
        os.rename(name, path)
    except BaseException:
        os.unlink(name)
        raise


def mended(rules, check_mode):
    """Paths whose owner, group or mode was not as the rules say (path, user, group, mode or None, make directory)."""
    wrong = []
    for path, user, group, mode, make in rules:
        if not os.path.exists(path):
            if not make:
                continue
            wrong.append(path)
            if check_mode:
                continue
            os.makedirs(path, mode=0o750)
        found = os.stat(path)
        if (found.st_uid, found.st_gid) != (user, group) or mode not in (None, found.st_mode & 0o7777):
            wrong.append(path)
            if not check_mode:
                os.chown(path, user, group)
                os.chmod(path, found.st_mode & 0o7777 if mode is None else mode)
    return wrong
