# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""A registry configuration as text, with its secrets blanked, for diffs."""

from __future__ import annotations

import re

BLANK = "********"

# Keys whose values are never printed, wherever in the file they stand.
SECRET_KEYS = frozenset(
    (
        "secret",
        "password",
        "sentinelpassword",
        "accesskey",
        "secretkey",
        "accountkey",
        "accesskeyid",
        "accesskeysecret",
        "apikey",
        "licensekey",
        "private_key",
        "private_key_id",
        "tempurlkey",
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "x-auth-token",
    )
)

_LINE = re.compile(r"^(?P<indent>\s*(?:- )*)(?P<quote>['\"]?)(?P<key>[^\s:'\"#][^:'\"]*)(?P=quote)\s*:(?P<value>.*)$")
_USERINFO = re.compile(r"(://[^/\s:@]*):[^/\s@]+@")


def blanked(text):
    """The text with the value of every secret key, and every password inside a URL, replaced."""
    result, inside = [], None
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if inside is not None:
            # A list may stand at the same depth as its key, so only another key at that depth ends the secret.
            if not line.strip() or indent > inside or (indent == inside and line.lstrip().startswith("- ")):
                continue
            inside = None
        found = _LINE.match(line)
        if found and found.group("key").strip().lower() in SECRET_KEYS:
            inside = len(found.group("indent"))
            result.append("{}: {}".format(line[: found.end("quote") + len(found.group("key"))].rstrip(":"), BLANK))
            continue
        result.append(_USERINFO.sub(rf"\1:{BLANK}@", line))
    return "".join(line + "\n" for line in result)


def config_diff(before, after, path):
    """What C(--diff) shows; says so when nothing but a secret differs."""
    shown = {"before": blanked(before), "after": blanked(after), "before_header": path, "after_header": path}
    if before != after and shown["before"] == shown["after"]:
        shown["after"] += "# only secret values differ\n"
    return shown
