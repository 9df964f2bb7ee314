# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.filter import (
    registry_configuration_lists,
    registry_configuration_problems,
    registry_configuration_report,
    registry_configuration_summary,
)

DICTS = ("ucp_config", "settings", "storage", "repository_defaults", "gc")
LISTS = ("ucp_roles", "users", "organizations", "repositories", "namespace_access", "webhooks", "crons", "api_tokens", "ucp_grants")
PARTS = {**{part: {} for part in DICTS}, **{part: [] for part in LISTS}}


@pytest.mark.parametrize("module", [
    registry_configuration_lists, registry_configuration_problems, registry_configuration_report, registry_configuration_summary])
def test_the_filter_is_named_as_its_file(module):
    assert list(module.FilterModule().filters()) == [module.__name__.rpartition(".")[2]]


def test_problems_of_a_tree():
    judge = registry_configuration_problems.FilterModule().filters()["registry_configuration_problems"]
    tree = {**PARTS, "users": [{"name": "ann"}]}
    assert judge(PARTS, given=[], known=[], connection={"dtr": {}, "ucp": {}}) == []
    assert "registry_configuration_host is missing" in judge(tree, given=[], known=[], connection={"dtr": {}, "ucp": {}})[0]
