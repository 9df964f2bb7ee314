# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.modules.distribution_removal import refused
from ansible_collections.dockyard.trusted_registry.plugins.modules.distribution_users import compare, names


def test_users_are_compared_by_name_and_hash():
    assert compare("a:1\nb:2\nc:3\n", "b:2\nc:4\nd:5\n") == {"added": ["d"], "removed": ["a"], "updated": ["c"]}
    assert compare("", "") == {"added": [], "removed": [], "updated": []}


def test_names_hold_no_hash():
    assert names("b:$2y$1\na:$2y$2\n# c\n") == ["a", "b"]


def test_directories_of_the_system_are_not_removed():
    assert all(refused(path) for path in ("/", "/etc", "/var", "/var/lib", "/var/lib/", "//", "/srv"))
    assert not any(refused(path) for path in ("/var/lib/distribution", "/etc/distribution", "/srv/registry"))
