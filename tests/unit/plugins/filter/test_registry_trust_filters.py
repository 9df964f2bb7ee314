# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.dockyard.trusted_registry.plugins.filter import registry_trust_problems, registry_trust_resolved

ENTRY = {"host": "r.example.com", "ca_file": "missing.pem"}


def test_problems_are_returned_as_a_list(tmp_path):
    filters = registry_trust_problems.FilterModule().filters()
    (problem,) = filters["registry_trust_problems"]([ENTRY], base=str(tmp_path))
    assert "missing.pem cannot be read" in problem


def test_resolving_what_cannot_be_read_is_an_error(tmp_path):
    resolve = registry_trust_resolved.FilterModule().filters()["registry_trust_resolved"]
    with pytest.raises(AnsibleFilterError, match=r"missing\.pem cannot be read"):
        resolve([ENTRY], base=str(tmp_path))
    (tmp_path / "missing.pem").write_text("ca")
    assert resolve([ENTRY], base=str(tmp_path)) == [{"host": "r.example.com", "ca": "ca"}]
