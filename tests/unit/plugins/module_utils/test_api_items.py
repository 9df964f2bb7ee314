# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of changes, and what is left when one of them fails; without a server."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items, Unfinished, apply_items


def one_by_one(function, items):
    """Http.each without threads."""
    return [function(item) for item in items]


class Letters(Items):
    """Capital letters need the small ones; a letter in `breaks` cannot be made."""

    noun, option, breaks = "letter", "letters", ()

    def __init__(self, present, params):
        client = SimpleNamespace(http=SimpleNamespace(each=one_by_one))
        super().__init__(client, {"host": "registry", "exclusive": False, "confirm_removal": None, **params})
        self.present, self.made = present, []

    def current(self, declared):
        return {name: {"size": 1} for name in self.present}

    def stage(self, change):
        return int(change.key.isupper())

    def create(self, change):
        if change.key in self.breaks:
            raise ApiError("no such ink.")
        self.made.append(f"+{change.key}")

    def update(self, change):
        self.made.append(f"~{change.key}")

    def delete(self, change):
        self.made.append(f"-{change.key}")


def letters(text, **more):
    """Declared letters; a leading - stands for absent."""
    declared = [{"name": part.strip("-"), "state": "absent" if "-" in part else "present", "size": 1} for part in text.split()]
    return {"letters": declared, **more}


def test_what_others_need_comes_first_and_goes_last():
    items = Letters("xX", letters("B a -X -x A b"))
    apply_items(items, check_mode=False)
    assert items.made == ["+a", "+b", "+B", "+A", "-X", "-x"]


def test_old_items_make_room_where_they_must():
    items = Letters("x", letters("a -x"))
    items.deletes_first = True
    apply_items(items, check_mode=False)
    assert items.made == ["-x", "+a"]


def test_check_mode_makes_nothing_and_tells_the_same():
    planned, made = Letters("x", letters("a -x")), Letters("x", letters("a -x"))
    assert apply_items(planned, check_mode=True) == apply_items(made, check_mode=False)
    assert (planned.made, made.made) == ([], ["+a", "-x"])


def test_after_a_failure_nothing_else_begins():
    items = Letters("x", letters("a b c -x"))
    items.breaks = ("b",)
    with pytest.raises(Unfinished, match=r"letter 'b': create failed: no such ink. 1 of 4 changes were made") as stopped:
        apply_items(items, check_mode=False)
    assert (items.made, [change.key for change in stopped.value.done]) == (["+a"], ["a"])
