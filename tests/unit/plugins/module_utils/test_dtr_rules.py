# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_rules
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError


def rule(field, operator, *values):
    return {"field": field, "operator": operator, "values": list(values)}


@pytest.mark.parametrize(("given", "one_form"), [
    (rule("tag", "eq", "1.0"), rule("tag", "eq", "1.0")),
    (rule("tag", "oo", "b", "a", "b"), rule("tag", "oo", "a", "b")),
    (rule("license.name", "noo", "GPL 3", "AGPL"), rule("license.name", "noo", "AGPL", "GPL 3")),
    (rule("component.name", "oo", "openssl"), rule("component.name", "oo", "openssl")),
    (rule("vulnerability_all", "gte", "007"), rule("vulnerability_all", "gte", "7")),
    (rule("vulnerability_minor", "neq", "0"), rule("vulnerability_minor", "neq", "0")),
    (rule("updated_at", "bf", "2026-01-31T00:00:00Z"), rule("updated_at", "bf", "2026-01-31T00:00:00Z")),
    (rule("updated_at", "bf", "2026-01-31 01:30:00+01:30"), rule("updated_at", "bf", "2026-01-31T00:00:00Z")),
    (rule("updated_at", "af", "2026-01-30t23:59:59.500-00:00"), rule("updated_at", "af", "2026-01-30T23:59:59.5Z")),
    (rule("updated_at_duration", "bf", "720m"), rule("updated_at_duration", "bf", "12h")),
    (rule("updated_at_duration", "bf", "1.5h"), rule("updated_at_duration", "bf", "1h30m")),
    (rule("updated_at_duration", "bf", "12h0m0s"), rule("updated_at_duration", "bf", "12h")),
    (rule("updated_at_duration", "bf", "90061s"), rule("updated_at_duration", "bf", "25h1m1s")),
    (rule("updated_at_duration", "bf", "1500ms"), rule("updated_at_duration", "bf", "1.5s")),
    (rule("updated_at_duration", "bf", "100µs"), rule("updated_at_duration", "bf", "0.0001s")),
    (rule("updated_at_duration", "bf", "36000h"), rule("updated_at_duration", "bf", "36000h")),
    (rule("updated_at_duration", "bf", "0"), rule("updated_at_duration", "bf", "0s")),
])
def test_one_form(given, one_form):
    assert _dtr_rules.checked([given], "here") == [one_form]
    assert _dtr_rules.checked([one_form], "here") == [one_form]


def test_order_and_repetition_do_not_count():
    first, second = rule("tag", "sw", "v"), rule("updated_at_duration", "bf", "12h")
    assert _dtr_rules.normal([second, first, second]) == _dtr_rules.normal([first, second]) == [first, second]


def test_what_the_server_has_and_nobody_understands_stays():
    odd = [rule("updated_at", "bf", "yesterday"), rule("weight", "gt", "3kg")]
    assert _dtr_rules.normal(odd) == odd
    assert _dtr_rules.told(odd) == "updated_at bf yesterday & weight gt 3kg"


@pytest.mark.parametrize(("rules", "line"), [
    ([], "every tag"),
    ([rule("tag", "ew", "-rc"), rule("updated_at_duration", "bf", "12h")], "tag ew -rc & updated_at_duration bf 12h"),
    ([rule("license.name", "oo", "GPL 3", "MIT")], "license.name oo 'GPL 3' MIT"),
    ([rule("license.name", "oo", "a", "&", "b")], "license.name oo a '&' b"),   # not to be mistaken for two rules
])
def test_told_in_one_line(rules, line):
    assert _dtr_rules.told(rules) == line


NUMBER, TIME, DURATION = (
    "Give a whole number.", "Give date, time and zone such as 2026-01-31T00:00:00Z.",
    "Give a duration of hours, minutes and seconds such as 12h or 1h30m; 30 days are 720h.")
TAGS = "Tags consist of letters, digits, '_', '.' and '-'; several tags are several values, with the operator oo or noo."


@pytest.mark.parametrize(("given", "says"), [
    (rule("tag", "gt", "1"), "a rule on tag cannot have the operator 'gt'. Use one of eq, sw, ew, c, oo, noo."),
    (rule("license.name", "c", "GPL"), "a rule on license.name cannot have the operator 'c'. Use one of oo, noo."),
    (rule("vulnerability_all", "c", "1"),
     "a rule on vulnerability_all cannot have the operator 'c'. Use one of gte, gt, eq, neq, lte, lt."),
    (rule("updated_at", "eq", "x"), "a rule on updated_at cannot have the operator 'eq'. Use one of bf, af."),
    (rule("tag", "oo"), "the rule tag oo has no values. Give at least one."),
    (rule("tag", "eq"), "the rule tag eq takes one value, not 0. Give one, or one rule for each."),
    (rule("tag", "eq", "a", "b"), "the rule tag eq takes one value, not 2. Give one, or one rule for each."),
    (rule("tag", "oo", "a,b"), f"the rule tag oo cannot have the value 'a,b'. {TAGS}"),
    (rule("license.name", "oo", ""), "the rule license.name oo cannot have the value ''. Give a name."),
    (rule("vulnerability_major", "gt", "-1"), f"the rule vulnerability_major gt cannot have the value '-1'. {NUMBER}"),
    (rule("vulnerability_major", "gt", "1.5"), f"the rule vulnerability_major gt cannot have the value '1.5'. {NUMBER}"),
    (rule("updated_at", "bf", "2026-01-31"), f"the rule updated_at bf cannot have the value '2026-01-31'. {TIME}"),
    (rule("updated_at", "bf", "2026-02-31T00:00:00Z"), f"the rule updated_at bf cannot have the value '2026-02-31T00:00:00Z'. {TIME}"),
    (rule("updated_at", "bf", "2026-01-31T00:00:00"), f"the rule updated_at bf cannot have the value '2026-01-31T00:00:00'. {TIME}"),
    (rule("updated_at_duration", "bf", "30d"), f"the rule updated_at_duration bf cannot have the value '30d'. {DURATION}"),
    (rule("updated_at_duration", "bf", "-1h"), f"the rule updated_at_duration bf cannot have the value '-1h'. {DURATION}"),
    (rule("updated_at_duration", "bf", "12"), f"the rule updated_at_duration bf cannot have the value '12'. {DURATION}"),
])
def test_refused(given, says):
    with pytest.raises(InputError) as refused:
        _dtr_rules.checked([given], "here")
    assert str(refused.value) == f"here: {says}"


def test_the_options_name_every_field_and_operator():
    options = _dtr_rules.OPTION["options"]
    assert options["field"]["choices"] == list(_dtr_rules.OPERATORS)
    assert set(options["operator"]["choices"]) == {name for names in _dtr_rules.OPERATORS.values() for name in names}


@pytest.mark.parametrize("template", ["%n", "%n-%Y%m%d", "v%H.%M_%S", "latest", "%A%a%w%d%B%b%m%Y%y%H%I%p%M%S%f%Z%j%W"])
def test_templates(template):
    _dtr_rules.check_template(template, "here")


@pytest.mark.parametrize(("template", "says"), [
    ("%n-%Q", "'%n-%Q' has the unknown symbol '%Q'. Use %n for the tag's name or one of the symbols for date and time: %A %a"),
    ("%n%", "has the unknown symbol '%'."),
    ("%%", "has the unknown symbol '%%'."),
    ("", "here: tag_template '' makes no tag."),
    ("-%n", "'-%n' makes no tag. Beside symbols such as %n it may hold letters, digits, '_', '.' and '-', and it may not begin"),
    ("%n/x", "tag_template '%n/x' makes no tag."),
])
def test_templates_refused(template, says):
    with pytest.raises(InputError) as refused:
        _dtr_rules.check_template(template, "here")
    assert says in str(refused.value)
