# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules: six fields with seconds, macros, and the next run of each."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from standin import cron

NOW = datetime(2026, 2, 27, 12, 30, 15, 500, tzinfo=timezone.utc)   # a Friday


@pytest.mark.parametrize(
    "schedule, expected",
    [
        ("* * * * * *", "2026-02-27 12:30:16"),
        ("15 30 12 * * *", "2026-02-28 12:30:15"),          # strictly after now
        ("16 30 12 * * *", "2026-02-27 12:30:16"),
        ("0 0 0 * * *", "2026-02-28 00:00:00"),
        ("0 */15 * * * *", "2026-02-27 12:45:00"),
        ("0 5/15 * * * *", "2026-02-27 12:35:00"),
        ("0 0 9-17/4 * * *", "2026-02-27 13:00:00"),
        ("0 0 1,13,23 * * *", "2026-02-27 13:00:00"),
        ("0 0 1 * * sat", "2026-02-28 01:00:00"),
        ("0 0 1 * * SUN", "2026-03-01 01:00:00"),
        ("0 0 1 * * mon-wed", "2026-03-02 01:00:00"),
        ("0 0 0 30 * *", "2026-03-30 00:00:00"),             # February has none
        ("0 0 0 31 * *", "2026-03-31 00:00:00"),
        ("0 0 0 29 feb *", "2028-02-29 00:00:00"),           # two years to the leap day
        ("0 0 0 1 jan *", "2027-01-01 00:00:00"),
        ("0 0 0 15 * mon", "2026-03-02 00:00:00"),           # both days restricted: either will do
        ("0 0 0 */2 * mon", "2026-03-09 00:00:00"),          # a star with a step is still a star: both have to hold
        ("0 0 0 ? * 0", "2026-03-01 00:00:00"),
        ("57 54 3 * * *", "2026-02-28 03:54:57"),
        ("@hourly", "2026-02-27 13:00:00"),
        ("@daily", "2026-02-28 00:00:00"),
        ("@midnight", "2026-02-28 00:00:00"),
        ("@weekly", "2026-03-01 00:00:00"),
        ("@monthly", "2026-03-01 00:00:00"),
        ("@yearly", "2027-01-01 00:00:00"),
    ],
)
def test_next_run(schedule, expected):
    found = cron.next_run(cron.parse(schedule), NOW)
    assert found == datetime.fromisoformat(expected + "+00:00")


def test_next_run_over_new_year():
    last = datetime(2026, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
    assert cron.next_run(cron.parse("* * * * * *"), last) == datetime(2027, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "schedule, message",
    [
        ("0 0 * * *", "has 5 fields; it takes six"),
        ("", "has 0 fields"),
        ("60 0 0 * * *", "second '60' is outside 0-59"),
        ("0 0 24 * * *", "hour '24' is outside 0-23"),
        ("0 0 0 0 * *", "day of month '0' is outside 1-31"),
        ("0 0 0 * 13 *", "month '13'"),
        ("0 0 0 * * 7", "day of week '7'"),
        ("0 30-10 * * * *", "minute '30-10'"),
        ("0 */0 * * * *", "step"),
        ("0 x * * * *", "minute 'x' is not a number"),
        ("0 0 0 * foo *", "not a number or a name"),
        ("@fortnightly", "no such macro"),
    ],
)
def test_what_is_no_schedule(schedule, message):
    with pytest.raises(cron.ScheduleError, match=message.replace("*", r"\*")):
        cron.parse(schedule)


def test_a_day_that_never_comes():
    with pytest.raises(cron.ScheduleError, match="never comes"):
        cron.next_run(cron.parse("0 0 0 31 feb *"), NOW)
