# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""An htpasswd file with bcrypt hashes, the only kind CNCF Distribution accepts."""

from __future__ import annotations

import re

try:
    import bcrypt
except ImportError:
    bcrypt = None

# A client sends its password with every request of a push or pull, and the registry hashes it each time: some 5 ms at
# cost 5, doubled with each step. 8 keeps a push of a dozen layers under two seconds of CPU.
DEFAULT_COST = 8

_HASH = re.compile(r"^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$")
_BAD_NAME = re.compile(r"[:\s\x00-\x1f\x7f]")
_LONGEST = 72


def problems(users):
    """What is wrong with a list of users, one message each."""
    found, seen = [], set()
    for index, user in enumerate(users):
        name = str(user.get("name") or "")
        label = f"user {name}" if name else f"user number {index + 1}"
        if not name:
            found.append(f"{label} has no name")
        elif _BAD_NAME.search(name) or name.startswith("#"):
            found.append(f"{label}: a name cannot hold a colon or white space, nor start with #")
        if name in seen:
            found.append(f"{label} is listed twice")
        seen.add(name)
        if user.get("state", "present") not in ("present", "absent"):
            found.append("{}: state is present or absent, not {}".format(label, user["state"]))
        elif user.get("state", "present") == "present":
            password = str(user.get("password") or "")
            if not password:
                found.append(f"{label} has an empty password")
            elif len(password.encode()) > _LONGEST:
                found.append(f"{label}: bcrypt reads {_LONGEST} bytes of a password, this one is longer")
            elif "\x00" in password:
                found.append(f"{label}: a password cannot hold a null character")
    return found


def updated(current, users, cost=DEFAULT_COST, exclusive=False):
    """The file's new text. A user whose password still verifies keeps the line as it is."""
    if bcrypt is None:
        raise RuntimeError("hashing passwords needs the Python library bcrypt on the controller")
    wanted = {str(user["name"]): user for user in users}
    present = {name for name, user in wanted.items() if user.get("state", "present") == "present"}
    lines, kept = [], set()
    for line in (current or "").splitlines():
        name, colon, hashed = line.partition(":")
        if not colon or line.startswith("#"):
            if not exclusive and line.strip():
                lines.append(line)
        elif name in present and name not in kept:
            kept.add(name)
            lines.append(line if _verifies(wanted[name]["password"], hashed) else _line(wanted[name], cost))
        elif name not in wanted and not exclusive:
            lines.append(line)
    lines.extend(_line(wanted[name], cost) for name in wanted if name in present - kept)
    return "".join(line + "\n" for line in lines)


def _verifies(password, hashed):
    return bool(_HASH.match(hashed)) and bcrypt.checkpw(str(password).encode(), hashed.encode())


def _line(user, cost):
    hashed = bcrypt.hashpw(str(user["password"]).encode(), bcrypt.gensalt(cost)).decode()
    # The same algorithm; $2y$ is the spelling that htpasswd and every reader of its files know.
    return "{}:$2y${}".format(user["name"], hashed[4:])
