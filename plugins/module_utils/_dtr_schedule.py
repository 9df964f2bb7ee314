# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Schedules, durations and moments of DTR's jobs, checked before they are sent. Pure functions."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# name, lowest, highest, {name of a value: value}
FIELDS = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(MONTHS, 1)}),
    ("day of the week", 0, 6, {name: number for number, name in enumerate(DAYS)}),
)
ORDER = "second minute hour day-of-the-month month day-of-the-week, in UTC"
UNITS = {"h": Decimal(3600), "m": Decimal(60), "s": Decimal(1), "ms": Decimal("1e-3"), "us": Decimal("1e-6"), "ns": Decimal("1e-9")}
DIGITS = re.compile(r"[0-9]+")   # str.isdigit() holds for those of other scripts as well
DURATION = re.compile(r"(?:([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|m|us|ns|s))")


def schedule(text, where):
    """A schedule with its fields one blank apart; InputError when the registry could not read it (DTR 2.7 API: crons).

    where: what the schedule is of, for the error, such as "cron 'onlinegc'".
    """
    words = text.split()
    if len(words) == 1 and words[0].startswith("@"):
        if words[0] not in MACROS:
            raise InputError(f"{where}: schedule '{text}' is no macro. There are {', '.join(MACROS)}.")
        return words[0]
    if len(words) == 5:
        raise InputError(
            f"{where}: schedule '{text}' has five fields; the registry's have six, the seconds first. Write '0 {' '.join(words)}'.")
    if len(words) != 6:
        raise InputError(f"{where}: schedule '{text}' has {len(words)} fields. Give six, {ORDER}, or one of {', '.join(MACROS)}.")
    for word, field in zip(words, FIELDS):
        problem = field_problem(word, *field)
        if problem:
            raise InputError(f"{where}: schedule '{text}': {problem}. The fields are {ORDER}.")
    return " ".join(words)


def field_problem(word, name, low, high, names):
    """What is wrong with one field of a schedule, such as "1-5/2,7"; "" when nothing is."""
    for part in word.split(","):
        span, slash, step = part.partition("/")
        if slash and not (DIGITS.fullmatch(step) and int(step) > 0):
            return f"the {name} '{part}' has a step that is not a whole number above 0"
        ends = ["*"] if span in ("*", "?") else span.split("-")
        values = [names.get(end.lower(), end) for end in ends]
        numbers = [int(value) for value in values if DIGITS.fullmatch(str(value))]
        if ends == ["*"]:
            continue
        if len(values) > 2 or len(numbers) != len(values):
            return f"the {name} '{part}' is neither a number{' or name' if names else ''} nor a range of them"
        if not low <= numbers[0] <= numbers[-1] <= high:
            return f"the {name} '{part}' is not within {low} to {high}"
    return ""


def duration(text, where):
    """A duration in the shortest spelling, such as 1h30m for 90m, "" for none; InputError when Go would not read it.

    Two spellings of the same time become the same text, so that they can be compared.
    """
    text = (text or "").strip().replace("µs", "us")
    if text in ("", "0"):
        return ""
    parts = DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        raise InputError(f"{where}: '{text}' is no duration. Give numbers with units, such as 90s, 30m or 1h30m.")
    return duration_text(sum(Decimal(number) * UNITS[unit] for number, unit in parts))


def duration_text(seconds):
    """Seconds (Decimal or int) as a duration; "" for 0."""
    minutes, seconds = divmod(Decimal(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return "".join(f"{number.normalize():f}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if number)


def moment(text):
    """An aware datetime of an RFC 3339 time, which may have more digits after the point than Python reads; ValueError."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text)
    if not match:
        raise ValueError(f"'{text}' is no time")
    date, time, fraction, zone = match.groups()
    micros = ((fraction or ".") + "000000")[:7]
    return datetime.fromisoformat(f"{date}T{time}{micros}{'+00:00' if zone in 'Zz' else zone}")
