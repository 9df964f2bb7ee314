# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of pruning, promotion and push mirroring policies (DTR 2.7 API: the three create operations).

A rule is {"field", "operator", "values"}; a policy applies when all its rules hold. Facts of an image:
{"tag": str, "updated_at": aware datetime, "licenses": [name] | None, "components": [name] | None,
"vulnerabilities": {"critical", "major", "minor"} | None}; None means: not scanned, and no rule on it holds.
"""

from __future__ import annotations

import operator
from datetime import datetime

from . import duration

SETS = ("oo", "noo")
TEXT = {"eq": operator.eq, "sw": str.startswith, "ew": str.endswith, "c": operator.contains}
NUMERIC = {"gte": operator.ge, "gt": operator.gt, "eq": operator.eq, "neq": operator.ne, "lte": operator.le, "lt": operator.lt}
TIME = {"bf": operator.lt, "af": operator.gt}
VULNERABILITIES = ("vulnerability_all", "vulnerability_critical", "vulnerability_major", "vulnerability_minor")
OPERATORS = {
    "tag": (*TEXT, *SETS),
    "license.name": SETS,
    "component.name": SETS,
    **dict.fromkeys(VULNERABILITIES, tuple(NUMERIC)),
    "updated_at": tuple(TIME),
    "updated_at_duration": tuple(TIME),
}
SCANNED = ("license.name", "component.name", *VULNERABILITIES)


class RuleError(ValueError):
    """A rule that cannot be evaluated; says which and why."""


def check(rules: list[dict]) -> None:
    """Refuse what the engine cannot evaluate: field, operator, number of values, numbers, times, durations."""
    for rule in rules:
        _check(rule.get("field", ""), rule.get("operator", ""), rule.get("values") or [])


def needs_scan(rules: list[dict]) -> bool:
    """Whether a rule asks for what only a scan can tell."""
    return any(rule["field"] in SCANNED for rule in rules)


def matches(rules: list[dict], facts: dict, now: datetime) -> bool:
    """Whether all rules hold for the image; no rules hold for every image."""
    return all(_holds(rule["field"], rule["operator"], rule["values"], facts, now) for rule in rules)


def timestamp(text: str) -> datetime:
    """RFC 3339 with a zone, as everywhere in the API; the layout in a rule is not documented."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment


def _check(field: str, name: str, values: list[str]) -> None:
    if field not in OPERATORS:
        raise RuleError(f"unknown field {field!r}; there are {', '.join(OPERATORS)}")
    if name not in OPERATORS[field]:
        raise RuleError(f"field {field} takes {', '.join(OPERATORS[field])}, not {name!r}")
    if not values or (name not in SETS and len(values) != 1):
        raise RuleError(f"{field} {name} takes {'at least' if name in SETS else 'exactly'} one value, not {len(values)}")
    try:
        for value in values:
            _value(field, value)
    except ValueError as problem:
        raise RuleError(f"{field} {name}: {problem}") from problem


def _value(field: str, text: str):
    """The value of a rule in the type its field compares."""
    if field in VULNERABILITIES:
        if not text.isdigit():
            raise ValueError(f"{text!r} is not a whole number")
        return int(text)
    if field == "updated_at":
        return timestamp(text)
    if field == "updated_at_duration":
        return duration.parse(text)
    return text


def _holds(field: str, name: str, values: list[str], facts: dict, now: datetime) -> bool:
    if field == "tag":
        return _in(name, [facts["tag"]], values) if name in SETS else TEXT[name](facts["tag"], values[0])
    if field == "updated_at":
        return TIME[name](facts["updated_at"], _value(field, values[0]))
    if field == "updated_at_duration":
        return TIME[name](facts["updated_at"], now - _value(field, values[0]))
    if field in VULNERABILITIES:
        counts = facts["vulnerabilities"]
        return counts is not None and NUMERIC[name](_count(field, counts), _value(field, values[0]))
    found = facts["licenses" if field == "license.name" else "components"]
    return found is not None and _in(name, found, values)


def _count(field: str, counts: dict) -> int:
    severity = field.partition("_")[2]
    return sum(counts.values()) if severity == "all" else counts[severity]


def _in(name: str, found: list[str], values: list[str]) -> bool:
    present = not set(found).isdisjoint(values)
    return present if name == "oo" else not present
