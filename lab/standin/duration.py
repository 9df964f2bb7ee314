# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations in Go's layout, which the API uses for deadlines, ages and rules: `12h`, `1h30m`, `1.5s`, `0`."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
WHOLE = re.compile(rf"(?:{PART.pattern})+")


def parse(text: str) -> timedelta:
    """Read a duration of zero or more; `ValueError` says what a duration looks like."""
    if text == "0":
        return timedelta(0)
    if not WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration such as 90s, 12h or 1h30m")
    return timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in PART.findall(text)))
