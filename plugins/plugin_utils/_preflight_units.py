# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Sizes and versions as people write them, and the one shape every verdict has."""

from __future__ import annotations

import re
from collections import Counter

UNITS = {
    "": 1,
    "B": 1,
    **{prefix + "B": 1000**power for power, prefix in enumerate(("k", "M", "G", "T", "P"), start=1)},
    **{prefix + "iB": 1024**power for power, prefix in enumerate(("K", "M", "G", "T", "P"), start=1)},
}
SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")


def parse_size(value):
    """Return the bytes meant by C(16 GiB), C(500 MB) or a plain number; ValueError says what is wrong."""
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a size")
    if isinstance(value, (int, float)):
        return int(value)
    match = SIZE.fullmatch(str(value))
    if not match or match.group(2) not in UNITS:
        raise ValueError(f"{value!r} is not a size; write a number and a unit, such as '16 GiB' or '500 MB'")
    return int(float(match.group(1)) * UNITS[match.group(2)])


def format_size(number, binary=True):
    """Write bytes for people: memory counts in GiB, disks are sold and documented in GB."""
    step, names = (1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB")) if binary else (1000, ("B", "kB", "MB", "GB", "TB", "PB"))
    value, index = float(number), 0
    while value >= step and index < len(names) - 1:
        value, index = value / step, index + 1
    return f"{value:.1f}".rstrip("0").rstrip(".") + " " + names[index]


def parse_version(value):
    """Return the leading numbers of a version: C(20.10.24+dfsg1) is (20, 10, 24)."""
    match = re.match(r"\s*v?(\d+(?:\.\d+)*)", str(value))
    if not match:
        raise ValueError(f"{value!r} is not a version; write it as in '19.03' (in quotes)")
    return tuple(int(part) for part in match.group(1).split("."))


def result(check, status, message, *, subject="", measured=None, minimum=None, recommended=None, unit="", mend=""):
    """Return one verdict. Units are those of the raw figures; the message is for people."""
    return {
        "check": check,
        "subject": subject,
        "status": status,
        "measured": measured,
        "minimum": minimum,
        "recommended": recommended,
        "unit": unit,
        "message": message,
        "mend": mend if status != "ok" else "",
    }


def judge(measured, minimum, recommended, tolerance=0):
    """Return ok, warn or fail for a figure that should be large; the tolerance is in percent."""

    def short(limit):
        return limit is not None and measured < (limit * (1 - tolerance / 100) if tolerance else limit)

    if short(minimum):
        return "fail"
    if short(recommended):
        return "warn"
    return "ok"


def figures(limits):
    """Return the two limits of a check that counts something."""
    return limits.get("minimum"), limits.get("recommended")


def most_common(values):
    """Return what most hosts have; of equals the greatest, so that the answer does not hang on the order of hosts."""
    counted = Counter(values)
    return max(counted, key=lambda value: (counted[value], value))


def wanted(minimum, recommended, write=str):
    """Put the two limits in words, to follow a measured figure."""
    words = []
    if minimum is not None:
        words.append(f"minimum {write(minimum)}")
    if recommended is not None and recommended != minimum:
        words.append(f"recommended {write(recommended)}")
    return "".join(["; ", ", ".join(words)]) if words else ""
