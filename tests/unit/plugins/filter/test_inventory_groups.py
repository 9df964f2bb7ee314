# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.filter.inventory_groups import inventory_groups


def test_only_groups_of_ours_that_have_hosts():
    groups = {"all": ["a", "b"], "registry_clients": ["b"], "registries": ["a"], "dtr_replicas": [], "web": ["a"]}
    assert inventory_groups(groups) == ["registries", "registry_clients"]


def test_none():
    assert inventory_groups({"all": ["a"], "ungrouped": ["a"]}) == []
