# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_schedule as dtr_schedule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError


@pytest.mark.parametrize(("text", "same"), [
    ("0 0 1 * * 6", "0 0 1 * * 6"),
    ("  57 54   3 * * * ", "57 54 3 * * *"),
    ("*/10 0-30/5 1,2,20-23 ? jan-MAR,12 mon-fri", "*/10 0-30/5 1,2,20-23 ? jan-MAR,12 mon-fri"),
    ("0 5/15 * * * *", "0 5/15 * * * *"),
    ("@weekly", "@weekly"),
    (" @midnight ", "@midnight"),
])
def test_schedules(text, same):
    assert dtr_schedule.schedule(text, "it") == same


@pytest.mark.parametrize(("text", "says"), [
    ("", "has 0 fields. Give six, second minute hour"),
    ("0 0 1 * *", r"five fields; the registry's have six, the seconds first. Write '0 0 0 1 \* \*'"),
    ("0 0 0 1 * * 2026", "has 7 fields"),
    ("@reboot", "is no macro. There are @yearly, "),
    ("60 0 0 * * *", "the second '60' is not within 0 to 59"),
    ("0 0 0 0 * *", "the day of the month '0' is not within 1 to 31"),
    ("0 0 0 * 13 *", "the month '13' is not within 1 to 12"),
    ("0 0 0 * * 7", "the day of the week '7' is not within 0 to 6"),
    ("0 0 0 * * fri-mon", "the day of the week 'fri-mon' is not within"),
    ("0 0 0 * * friday", "the day of the week 'friday' is neither a number or name nor a range"),
    ("0 0 5-2 * * *", "the hour '5-2' is not within"),
    ("0 0 1-2-3 * * *", "the hour '1-2-3' is neither"),
    ("0 */0 * * * *", r"the minute '\*/0' has a step that is not a whole number above 0"),
    ("0 */ * * * *", "has a step"),
    ("0 1, * * * *", "the minute '' is neither a number nor a range"),
    ("0 -1 * * * *", "the minute '-1' is neither"),
    ("0 0 \u0661 * * *", "the hour '\u0661' is neither a number"),
    ("0 0 \u00b2 * * *", "the hour '\u00b2' is neither a number"),
    ("0 */\u00b2 * * * *", "has a step"),
    ("jan 0 * * * *", "the second 'jan' is neither a number nor"),
])
def test_schedules_that_are_none(text, says):
    with pytest.raises(InputError, match=f"^cron 'x': schedule .*{says}"):
        dtr_schedule.schedule(text, "cron 'x'")


@pytest.mark.parametrize(("text", "same"), [
    (None, ""), ("", ""), ("0", ""), ("0s", ""), ("0h0m", ""),
    ("90s", "1m30s"), ("90m", "1h30m"), ("1h30m0s", "1h30m"), ("36h", "36h"), ("1.5h", "1h30m"), (".5m", "30s"),
    ("300ms", "0.3s"), ("0.30s", "0.3s"), ("2m5µs", "2m0.000005s"), ("100h", "100h"), ("600s", "10m"),
])
def test_durations(text, same):
    assert dtr_schedule.duration(text, "deadline") == same
    assert dtr_schedule.duration(same, "deadline") == same


@pytest.mark.parametrize("text", ["10", "1 h", "h", "1d", "-1h", "1h30", "soon", "1..5h"])
def test_durations_that_are_none(text):
    with pytest.raises(InputError, match=f"^deadline: '{text}' is no duration. Give numbers with units"):
        dtr_schedule.duration(text, "deadline")


@pytest.mark.parametrize(("text", "iso"), [
    ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00+00:00"),
    ("2026-11-23T12:00:00.123456789Z", "2026-11-23T12:00:00.123456+00:00"),
    ("2026-11-23 12:00:00.5+01:00", "2026-11-23T12:00:00.500000+01:00"),
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
])
def test_moments(text, iso):
    assert dtr_schedule.moment(text).isoformat() == iso


@pytest.mark.parametrize("text", ["", "now", "2026-11-23", "2026-11-23T12:00:00", "2026-13-23T12:00:00Z"])
def test_moments_that_are_none(text):
    with pytest.raises(ValueError):
        dtr_schedule.moment(text)
