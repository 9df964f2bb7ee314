# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates for the names of promoted and mirrored tags (DTR docs: promotion policies, templates)."""

from __future__ import annotations

import re
from datetime import datetime

CLOCK = "AawdBbmYyHIpMSfZjW"   # these mean what they mean to strftime
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def check(template: str) -> None:
    """`ValueError` for a symbol that is not documented."""
    for symbol in re.findall(r"%(.?)", template):
        if not symbol or symbol not in CLOCK + "n":
            raise ValueError(f"tag template {template!r}: %{symbol} is not a symbol")


def expand(template: str, tag: str, moment: datetime) -> str:
    """The new name of `tag`; an empty template keeps it; `ValueError` when the result is no tag name."""
    check(template)
    name = re.sub(r"%(.)", lambda found: tag if found[1] == "n" else moment.strftime(found[0]), template or "%n")
    if not TAG.fullmatch(name):
        raise ValueError(f"tag template {template!r} makes {name!r} of {tag!r}, which is no tag name")
    return name
