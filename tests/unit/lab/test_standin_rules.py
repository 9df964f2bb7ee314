# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules, tag templates, durations and package versions: what decides, without a server."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from standin import duration, rules, templates, versions

NOW = datetime(2026, 11, 23, 15, 4, 5, 678901, tzinfo=timezone.utc)   # a Monday
IMAGE = {
    "tag": "1.2-stable",
    "updated_at": NOW - timedelta(hours=20),
    "licenses": ["GPL-2", "MIT"],
    "components": ["bash", "openssl"],
    "vulnerabilities": {"critical": 1, "major": 2, "minor": 0},
}


@pytest.mark.parametrize(
    "field, operator, values, holds",
    [
        ("tag", "eq", ["1.2-stable"], True), ("tag", "eq", ["1.2"], False),
        ("tag", "sw", ["1."], True), ("tag", "sw", ["2."], False),
        ("tag", "ew", ["-stable"], True), ("tag", "ew", ["1"], False),
        ("tag", "c", ["2-s"], True), ("tag", "c", ["3"], False),
        ("tag", "oo", ["a", "1.2-stable"], True), ("tag", "oo", ["a", "b"], False),
        ("tag", "noo", ["a", "b"], True), ("tag", "noo", ["1.2-stable"], False),
        ("license.name", "oo", ["MIT", "BSD"], True), ("license.name", "noo", ["MIT"], False),
        ("component.name", "oo", ["curl"], False), ("component.name", "noo", ["curl"], True),
        ("vulnerability_all", "eq", ["3"], True), ("vulnerability_all", "gt", ["3"], False),
        ("vulnerability_critical", "gte", ["1"], True), ("vulnerability_critical", "lt", ["1"], False),
        ("vulnerability_major", "lte", ["2"], True), ("vulnerability_major", "neq", ["2"], False),
        ("vulnerability_minor", "eq", ["0"], True), ("vulnerability_minor", "neq", ["0"], False),
        ("updated_at", "bf", ["2026-11-23T00:00:00Z"], True), ("updated_at", "af", ["2026-11-23T00:00:00Z"], False),
        ("updated_at_duration", "bf", ["12h"], True), ("updated_at_duration", "bf", ["24h"], False),
        ("updated_at_duration", "af", ["24h"], True), ("updated_at_duration", "af", ["12h30m"], False),
    ],
)
def test_one_rule(field, operator, values, holds):
    rule = {"field": field, "operator": operator, "values": values}
    rules.check([rule])
    assert rules.matches([rule], IMAGE, NOW) is holds


def test_several_rules_all_have_to_hold():
    right = {"field": "tag", "operator": "ew", "values": ["-stable"]}
    wrong = {"field": "vulnerability_critical", "operator": "eq", "values": ["0"]}
    assert rules.matches([right], IMAGE, NOW)
    assert not rules.matches([right, wrong], IMAGE, NOW)
    assert rules.matches([], IMAGE, NOW)


@pytest.mark.parametrize("field, operator, value", [
    ("vulnerability_all", "gte", "0"), ("license.name", "noo", "GPL-3"), ("component.name", "noo", "curl"),
])
def test_no_rule_on_a_scan_holds_before_the_scan(field, operator, value):
    rule = {"field": field, "operator": operator, "values": [value]}
    unscanned = {**IMAGE, "licenses": None, "components": None, "vulnerabilities": None}
    assert rules.needs_scan([rule])
    assert rules.matches([rule], IMAGE, NOW)
    assert not rules.matches([rule], unscanned, NOW)


@pytest.mark.parametrize(
    "rule, message",
    [
        ({"field": "tags", "operator": "eq", "values": ["a"]}, "unknown field 'tags'"),
        ({"operator": "eq", "values": ["a"]}, "unknown field ''"),
        ({"field": "tag", "operator": "gt", "values": ["a"]}, "not 'gt'"),
        ({"field": "component.name", "operator": "eq", "values": ["a"]}, "takes oo, noo, not 'eq'"),
        ({"field": "tag", "operator": "eq", "values": []}, "exactly one value, not 0"),
        ({"field": "tag", "operator": "eq", "values": ["a", "b"]}, "exactly one value, not 2"),
        ({"field": "tag", "operator": "oo", "values": []}, "at least one value"),
        ({"field": "vulnerability_all", "operator": "gt", "values": ["few"]}, "'few' is not a whole number"),
        ({"field": "vulnerability_all", "operator": "gt", "values": ["-1"]}, "'-1' is not a whole number"),
        ({"field": "updated_at_duration", "operator": "bf", "values": ["3 days"]}, "'3 days' is not a duration"),
        ({"field": "updated_at", "operator": "bf", "values": ["yesterday"]}, "yesterday"),
        ({"field": "updated_at", "operator": "bf", "values": ["2026-11-23T00:00:00"]}, "no time zone"),
    ],
)
def test_rules_that_are_refused(rule, message):
    with pytest.raises(rules.RuleError, match=message):
        rules.check([rule])


@pytest.mark.parametrize(
    "template, expected",
    [
        ("", "1.2"), ("%n", "1.2"), ("prod-%n", "prod-1.2"), ("%n-%Y%m%d", "1.2-20261123"),
        ("%A-%a-%w", "Monday-Mon-1"), ("%B.%b.%y", "November.Nov.26"), ("%H_%I%p_%M_%S", "15_03PM_04_05"),
        ("%f", "678901"), ("%Z", "UTC"), ("%j-%W", "327-47"),
    ],
)
def test_tag_template(template, expected):
    assert templates.expand(template, "1.2", NOW) == expected


@pytest.mark.parametrize(
    "template, message",
    [("%q", "%q is not a symbol"), ("a%", "is not a symbol"), ("-%n", "no tag name"), ("a b", "no tag name")],
)
def test_tag_templates_that_are_refused(template, message):
    with pytest.raises(ValueError, match=message):
        templates.expand(template, "1.2", NOW)


@pytest.mark.parametrize(
    "text, seconds",
    [("0", 0), ("90s", 90), ("12h", 43200), ("1h30m", 5400), ("1.5s", 1.5), ("250ms", 0.25), (".5h", 1800)],
)
def test_duration(text, seconds):
    assert duration.parse(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "12", "h", "1d", "-5m", "1h 30m", "1h30"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="not a duration"):
        duration.parse(text)


@pytest.mark.parametrize(
    "older, newer",
    [
        ("1.0", "1.1"), ("1.9", "1.10"), ("1.0~rc1", "1.0"), ("1.0", "1.0-1"), ("1.0-1", "1.0-1+deb12u1"), ("1.0-1~bpo1", "1.0-1"),
        ("9.9", "1:0.1"), ("1.0a", "1.0b"), ("1.0a", "1.0+"), ("1.0~~", "1.0~"), ("1.0~", "1.0"), ("2.36-9+deb12u3", "2.36-9+deb12u10"),
        ("1.0-1-1", "1.0-1-2"), ("1.002", "1.3"), ("1.2.13.dfsg-1", "1:1.2.13.dfsg-1"),
    ],
)
def test_debian_versions(older, newer):
    assert versions.compare_debian(older, newer) < 0 < versions.compare_debian(newer, older)
    assert versions.compare_debian(newer, newer) == 0


@pytest.mark.parametrize("left, right", [("1.0", "0:1.0"), ("1.01", "1.1"), ("1.0-0", "1.0")])
def test_debian_versions_that_are_the_same(left, right):
    assert versions.compare_debian(left, right) == 0


@pytest.mark.parametrize(
    "older, newer",
    [
        ("1.2", "1.10"), ("1.2", "1.2.1"), ("1.2-r1", "1.2-r10"), ("1.2_rc1", "1.2"), ("1.2_alpha", "1.2_beta"), ("1.2", "1.2_p1"),
        ("1.2_rc1", "1.2_rc2"), ("1.2", "1.2a"), ("1.2a", "1.2b"), ("1.2_rc1-r9", "1.2-r0"),
    ],
)
def test_alpine_versions(older, newer):
    assert versions.compare_apk(older, newer) < 0 < versions.compare_apk(newer, older)
    assert versions.compare_apk(newer, newer) == 0


def test_what_is_no_alpine_version():
    with pytest.raises(ValueError, match="not an Alpine version"):
        versions.compare_apk("latest", "1.0")
