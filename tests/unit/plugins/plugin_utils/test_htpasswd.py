# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import bcrypt
import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _htpasswd as htpasswd

COST = 4


def line(name, password):
    return f"{name}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()}"


def verifies(text, name, password):
    hashed = dict(entry.split(":", 1) for entry in text.splitlines())[name]
    return bcrypt.checkpw(password.encode(), hashed.encode())


def test_new_file_has_the_spelling_every_reader_knows():
    text = htpasswd.updated("", [{"name": "alice", "password": "one"}], COST)
    assert text.startswith("alice:$2y$04$") and text.endswith("\n") and verifies(text, "alice", "one")


def test_second_run_changes_nothing():
    users = [{"name": "alice", "password": "one"}, {"name": "bob", "password": "two"}, {"name": "eve", "state": "absent"}]
    text = htpasswd.updated("", users, COST)
    assert htpasswd.updated(text, users, COST + 1) == text


def test_changed_password_changes_one_line_in_place():
    before = "".join(entry + "\n" for entry in (line("alice", "old"), line("bob", "two")))
    after = htpasswd.updated(before, [{"name": "alice", "password": "new"}], COST)
    assert after.splitlines()[1] == before.splitlines()[1]
    assert verifies(after, "alice", "new") and not verifies(after, "alice", "old")


def test_strangers_stay_unless_exclusive():
    before = "# kept by hand\n" + line("stranger", "x") + "\n"
    users = [{"name": "alice", "password": "one"}]
    assert htpasswd.updated(before, users, COST).startswith(before)
    assert "stranger" not in htpasswd.updated(before, users, COST, exclusive=True)


def test_absent_user_is_removed():
    before = line("alice", "one") + "\n" + line("bob", "two") + "\n"
    after = htpasswd.updated(before, [{"name": "bob", "state": "absent"}], COST)
    assert [entry.split(":")[0] for entry in after.splitlines()] == ["alice"]


@pytest.mark.parametrize("hashed", ["{SHA}5yfRRkrhJDbomacm2lsvEdg4GyY=", "$apr1$x$y", "plain", "$2y$05$short"])
def test_other_hashes_of_a_managed_user_are_replaced(hashed):
    after = htpasswd.updated(f"alice:{hashed}\n", [{"name": "alice", "password": "one"}], COST)
    assert verifies(after, "alice", "one")


def test_a_name_found_twice_in_the_file_is_kept_once():
    before = (line("alice", "one") + "\n") * 2
    assert len(htpasswd.updated(before, [{"name": "alice", "password": "one"}], COST).splitlines()) == 1


@pytest.mark.parametrize(
    "users, message",
    [
        ([{"name": "a", "password": "x"}, {"name": "a", "password": "y"}], "user a is listed twice"),
        ([{"name": "a", "password": ""}], "user a has an empty password"),
        ([{"name": "a"}], "user a has an empty password"),
        ([{"name": "a:b", "password": "x"}], "cannot hold a colon"),
        ([{"name": "a\nb", "password": "x"}], "cannot hold a colon or white space"),
        ([{"name": "#a", "password": "x"}], "nor start with #"),
        ([{"password": "x"}], "user number 1 has no name"),
        ([{"name": "a", "password": "x" * 73}], "bcrypt reads 72 bytes"),
        ([{"name": "a", "password": "é" * 37}], "bcrypt reads 72 bytes"),
        ([{"name": "a", "password": "x", "state": "gone"}], "present or absent, not gone"),
    ],
)
def test_problems(users, message):
    found = htpasswd.problems(users)
    assert any(message in text for text in found)
    assert not any("xxx" in text for text in found)


def test_good_users_have_no_problem():
    assert htpasswd.problems([{"name": "a", "password": "x"}, {"name": "b", "state": "absent"}]) == []
