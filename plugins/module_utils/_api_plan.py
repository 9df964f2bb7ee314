# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What to create, change and delete so that what is becomes what was declared. Pure functions: no I/O, no AnsibleModule."""

from __future__ import annotations

import re

USERINFO = re.compile(r"//([^/@\s]*)@")   # user and password in an address
HIDDEN = "VALUE_HIDDEN"   # stands in a diff for a secret that is set anew
DONE = {"create": "created", "update": "updated", "delete": "deleted"}


def without_userinfo(text):
    """The text with user and password of the addresses in it hidden."""
    return USERINFO.sub(f"//{HIDDEN}@", text)


class InputError(Exception):
    """What was declared cannot be meant: one sentence with what, where and how to mend."""


class Change:
    """One difference.

    action: create, update or delete; key: the item's natural name; before: {field: value} as it is, {} on create;
    after: {field: value} as it shall be, {} on delete; fields: names that differ; item: the declared item, {} when it was not declared.
    """

    def __init__(self, action, key, *, before, after, fields, item):
        self.action, self.key, self.before, self.after, self.fields, self.item = action, key, before, after, fields, item

    def report(self):
        """What a module tells of it: {key, action, fields}."""
        return {"key": self.key, "action": DONE[self.action], "fields": sorted(self.fields)}


class Plan:
    """changes: [Change]; unchanged: how many declared items are as declared; undeclared: keys that exist and were not declared."""

    def __init__(self, changes, unchanged, undeclared):
        self.changes, self.unchanged, self.undeclared = changes, unchanged, undeclared

    def diff(self):
        """{before, after}: per changed item the fields that differ."""
        before, after = {}, {}
        for change in self.changes:
            if change.before:
                before[change.key] = {name: change.before.get(name) for name in sorted(change.fields) if name in change.before}
            if change.after:
                after[change.key] = {name: change.after[name] for name in sorted(change.fields) if name in change.after}
        return {"before": before, "after": after}

    def counts(self):
        """{created, updated, deleted, unchanged}."""
        done = [DONE[change.action] for change in self.changes]
        return {**{name: done.count(name) for name in DONE.values()}, "unchanged": self.unchanged}

    def removed_undeclared(self):
        """Keys that go although nobody declared them."""
        return [change.key for change in self.changes if change.action == "delete" and not change.item]


def by_key(items, key_of, option):
    """{key: item} of a declared list; InputError when two stand for the same thing.

    option: its name, for the error.
    """
    found = {}
    for number, item in enumerate(items):
        key = key_of(item)
        if key in found:
            first = next(n for n, other in enumerate(items) if key_of(other) == key)
            raise InputError(f"{option}[{first}] and {option}[{number}] both stand for '{key}'. Keep one of them.")
        found[key] = item
    return found


def make_plan(declared, current, *, defaults_of=lambda item: {}, secrets=(), exclusive=False, protected=()):
    """The Plan from {key: declared item} and {key: {field: value}} as it is.

    A declared item holds the fields that shall have a value (None: not declared, stays as it is) and may hold state (present or absent) and
    renew (true: set its secrets anew although they cannot be compared).
    defaults_of(item): values of the fields that a declared item leaves open when it is created; secrets: fields that are sent but never
    compared or shown.
    exclusive: what is not declared goes, except the keys in protected.
    """
    changes, unchanged = [], 0
    for key, item in declared.items():
        change = compare(key, item, current.get(key), defaults_of(item), secrets)
        if change:
            changes.append(change)
        else:
            unchanged += 1
    undeclared = sorted(set(current) - set(declared) - set(protected))
    if exclusive:
        changes += [Change("delete", key, before=current[key], after={}, fields=set(current[key]), item={}) for key in undeclared]
    return Plan(changes, unchanged, undeclared)


def compare(key, item, present, defaults, secrets=()):
    """The Change that makes present (None: there is none) what the declared item says, or None."""
    if item.get("state") == "absent":
        return None if present is None else Change("delete", key, before=present, after={}, fields=set(present), item=item)
    wanted = {name: value for name, value in item.items() if value is not None and name not in ("state", "renew")}
    hidden = {name: HIDDEN for name in wanted if name in secrets}
    shown = {name: value for name, value in wanted.items() if name not in secrets}
    if present is None:
        after = {**defaults, **shown, **hidden}
        return Change("create", key, before={}, after=after, fields=set(after), item=item)
    fields = {name for name, value in shown.items() if present.get(name) != value}
    if item.get("renew"):
        fields |= set(hidden)
    if not fields:
        return None
    return Change("update", key, before=present, after={**present, **shown, **hidden}, fields=fields, item=item)
