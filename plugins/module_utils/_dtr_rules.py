# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Rules of pruning, promotion and push mirroring policies, and templates of tag names. Pure functions.

A rule is {"field": str, "operator": str, "values": [str]}; all rules of a policy have to hold (DTR 2.7 API: the three create operations).
"""

from __future__ import annotations

import re
import shlex
from datetime import datetime, timezone
from decimal import Decimal

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

SETS = ("oo", "noo")
TEXT = ("eq", "sw", "ew", "c")
NUMBER = ("gte", "gt", "eq", "neq", "lte", "lt")
TIME = ("bf", "af")
COUNTS = ("vulnerability_all", "vulnerability_critical", "vulnerability_major", "vulnerability_minor")
OPERATORS = {
    "tag": TEXT + SETS, "license.name": SETS, "component.name": SETS, **dict.fromkeys(COUNTS, NUMBER),
    "updated_at": TIME, "updated_at_duration": TIME,
}
OPTION = {
    "type": "list", "elements": "dict", "options": {
        "field": {"type": "str", "required": True, "choices": list(OPERATORS)},
        "operator": {"type": "str", "required": True, "choices": [*TEXT, *SETS, "gte", "gt", "neq", "lte", "lt", *TIME]},
        "values": {"type": "list", "elements": "str", "required": True},
    },
}
TAG = re.compile(r"[A-Za-z0-9_.-]{1,128}")   # a tag or a part of one
MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
SECONDS = {"ns": Decimal("1e-9"), "us": Decimal("1e-6"), "ms": Decimal("1e-3"), "s": 1, "m": 60, "h": 3600}
PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|ms|s|m|h)")
SYMBOLS = "nAawdBbmYyHIpMSfZjW"   # DTR docs: promotion policies, templates


def checked(rules, where):
    """Declared rules in their one form, see normal().

    where: whose they are, for the error. InputError for a rule that the registry cannot evaluate or that can never hold.
    """
    for rule in rules:
        check(rule, where)
    return normal(rules)


def check(rule, where):
    """InputError unless field, operator and values of the rule go together."""
    field, operator, values = rule["field"], rule["operator"], rule["values"]
    if operator not in OPERATORS[field]:
        raise InputError(f"{where}: a rule on {field} cannot have the operator '{operator}'. Use one of {', '.join(OPERATORS[field])}.")
    if operator in SETS and not values:
        raise InputError(f"{where}: the rule {field} {operator} has no values. Give at least one.")
    if operator not in SETS and len(values) != 1:
        raise InputError(f"{where}: the rule {field} {operator} takes one value, not {len(values)}. Give one, or one rule for each.")
    for value in values:
        try:
            form(field, value)
        except ValueError as error:
            raise InputError(f"{where}: the rule {field} {operator} cannot have the value '{value}'. {error}") from error


def normal(rules):
    """Rules in the one form that equal rules have: sorted, without repetition, numbers, times and durations spelled one way.

    What cannot be read stays as it is: another client may have written it.
    """
    forms = set()
    for rule in rules:
        values = {lenient(rule["field"], value) for value in rule["values"]}
        forms.add((rule["field"], rule["operator"], tuple(sorted(values))))
    return [{"field": field, "operator": operator, "values": list(values)} for field, operator, values in sorted(forms)]


def told(rules):
    """Rules in their one form as one line, different for different rules, such as "tag ew -rc & updated_at_duration bf 720h"."""
    return " & ".join(" ".join([rule["field"], rule["operator"], *map(shlex.quote, rule["values"])]) for rule in rules) or "every tag"


def lenient(field, value):
    """form(), or the value itself where that does not know it."""
    try:
        return form(field, value)
    except ValueError:
        return value


def form(field, value):
    """The one spelling of a rule's value; ValueError with how to mend it where it is none."""
    if field in COUNTS:
        if not re.fullmatch("[0-9]+", value):
            raise ValueError("Give a whole number.")
        return str(int(value))
    if field == "updated_at":
        return moment(value)
    if field == "updated_at_duration":
        return duration(value)
    if field == "tag" and not TAG.fullmatch(value):
        raise ValueError("Tags consist of letters, digits, '_', '.' and '-'; several tags are several values, with the operator oo or noo.")
    if not value:
        raise ValueError("Give a name.")
    return value


def moment(text):
    """RFC 3339 in UTC, as times are spelled everywhere in the API (the layout in a rule is not documented)."""
    match = MOMENT.fullmatch(text)
    try:
        zone = match[4].upper().replace("Z", "+00:00")
        utc = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}").astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError):   # no match, or no such day
        raise ValueError("Give date, time and zone such as 2026-01-31T00:00:00Z.") from None
    fraction = (match[3] or "").rstrip("0").rstrip(".")
    return f"{utc:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def duration(text):
    """A Go duration (DTR 2.7 API) with whole hours, minutes and the rest in seconds, parts that are zero left out."""
    text = re.sub("[µμ]s", "us", text)
    if not re.fullmatch(rf"0|({PART.pattern})+", text):
        raise ValueError("Give a duration of hours, minutes and seconds such as 12h or 1h30m; 30 days are 720h.")
    total = sum(Decimal(number) * SECONDS[unit] for number, unit in PART.findall(text))
    hours, rest = divmod(total, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{part:f}{unit}" for part, unit in ((hours, "h"), (minutes, "m"), (trimmed(seconds), "s")) if part]
    return "".join(parts) or "0s"


def trimmed(number):
    """A Decimal without zeros behind its point."""
    return Decimal(number).normalize()


def check_template(template, where):
    """InputError unless the template makes names of tags, with documented symbols only."""
    for symbol in re.findall("%(.?)", template):
        if not symbol or symbol not in SYMBOLS:
            raise InputError(f"{where}: tag_template '{template}' has the unknown symbol '%{symbol}'. Use %n for the tag's name or"
                             f" one of the symbols for date and time: {' '.join(f'%{known}' for known in SYMBOLS[1:])}.")
    literal = re.sub("%.", "", template)
    if not template or template[0] in ".-" or (literal and not TAG.fullmatch(literal)):
        raise InputError(f"{where}: tag_template '{template}' makes no tag. Beside symbols such as %n it may hold letters, digits, '_', '.'"
                         " and '-', and it may not begin with '.' or '-'.")
