# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules of periodic jobs: six fields with seconds, or a macro; all times in UTC (DTR 2.7 API: crons)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
MONTHS = dict(jan=1, feb=2, mar=3, apr=4, may=5, jun=6, jul=7, aug=8, sep=9, oct=10, nov=11, dec=12)
WEEKDAYS = dict(sun=0, mon=1, tue=2, wed=3, thu=4, fri=5, sat=6)
FIELDS = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, MONTHS),
    ("day of week", 0, 6, WEEKDAYS),
)
HORIZON_DAYS = 9 * 366   # 29 February can be eight years away, around a century that is no leap year


class ScheduleError(ValueError):
    """A schedule that cannot be read, or that never comes; says what is wrong with it."""


@dataclass(frozen=True)
class Schedule:
    """The values each field allows; `any_dom` and `any_dow` say that the field was a star."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    doms: frozenset[int]
    months: frozenset[int]
    dows: frozenset[int]
    any_dom: bool
    any_dow: bool

    def allows(self, day: datetime) -> bool:
        """With both day fields restricted, either is enough; a star leaves the decision to the other."""
        if day.month not in self.months:
            return False
        dom = day.day in self.doms
        dow = day.isoweekday() % 7 in self.dows
        return (dom and dow) if self.any_dom or self.any_dow else (dom or dow)


def parse(text: str) -> Schedule:
    """Read a schedule such as `0 30 2 * * sat` or `@weekly`; `ScheduleError` when it is none."""
    expression = text.strip()
    if expression.startswith("@"):
        if expression not in MACROS:
            raise ScheduleError(f"schedule {text!r}: no such macro; there are {', '.join(MACROS)}")
        expression = MACROS[expression]
    words = expression.split()
    if len(words) != len(FIELDS):
        raise ScheduleError(f"schedule {text!r} has {len(words)} fields; it takes six: second minute hour day-of-month month day-of-week")
    values = [_field(word, *field) for word, field in zip(words, FIELDS)]
    return Schedule(
        *(tuple(sorted(part)) for part in values[:3]), *values[3:], any_dom=words[3][0] in "*?", any_dow=words[5][0] in "*?",
    )


def next_run(schedule: Schedule, after: datetime) -> datetime:
    """The first moment strictly after `after`, of the same time zone; `ScheduleError` when there is none (31 February)."""
    start = after.replace(microsecond=0) + timedelta(seconds=1)
    day = start.replace(hour=0, minute=0, second=0)
    for offset in range(HORIZON_DAYS):
        candidate = day + timedelta(days=offset)
        if schedule.allows(candidate):
            found = _first_time(schedule, start if offset == 0 else candidate)
            if found:
                return found
    raise ScheduleError("the schedule names a day that never comes")


def _first_time(schedule: Schedule, start: datetime) -> datetime | None:
    """The first allowed time of day at `start` or later on the same day."""
    earliest = (start.hour, start.minute, start.second)
    for hour in schedule.hours:
        for minute in schedule.minutes:
            if (hour, minute, 59) < earliest:
                continue
            for second in schedule.seconds:
                if (hour, minute, second) >= earliest:
                    return start.replace(hour=hour, minute=minute, second=second)
    return None


def _field(word: str, name: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    values: set[int] = set()
    for part in word.split(","):
        values |= _part(part, name, low, high, names)
    return frozenset(values)


def _part(part: str, name: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    """One element of a list: `*`, `n`, `n-m`, each with an optional `/step`; `n/step` runs to the end of the field."""
    span, slash, step_text = part.partition("/")
    if slash and (not step_text.isdigit() or int(step_text) == 0):
        raise ScheduleError(f"{name} {part!r}: the step has to be a whole number above 0")
    step = int(step_text) if slash else 1
    if span in ("*", "?"):
        first, last = low, high
    else:
        first_text, dash, last_text = span.partition("-")
        first = _number(first_text, part, name, names)
        last = _number(last_text, part, name, names) if dash else (high if slash else first)
    if not low <= first <= last <= high:
        raise ScheduleError(f"{name} {part!r} is outside {low}-{high}")
    return set(range(first, last + 1, step))


def _number(text: str, part: str, name: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not text.isdigit():
        raise ScheduleError(f"{name} {part!r} is not a number" + (" or a name" if names else ""))
    return int(text)
