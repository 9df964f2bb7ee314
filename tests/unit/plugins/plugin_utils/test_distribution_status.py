# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._distribution_status import problems, table

WELL = {
    "host": "registry-1",
    "name": "registry.example.com:5000",
    "version": "2.8.2",
    "active": True,
    "healthy": True,
    "problem": "",
    "restart_reasons": [],
    "differing": [],
    "driver": "filesystem",
}
CERTIFICATE = {"host": "registry-1", "path": "/etc/distribution/tls/certificate.pem", "state": "ok", "days_left": 300}


def test_nothing_to_say():
    assert problems(WELL, [CERTIFICATE]) == []


@pytest.mark.parametrize(
    ("registry", "certificate", "said"),
    [
        ({"healthy": False, "problem": "nobody listens"}, {}, "registry.example.com:5000 on registry-1: nobody listens"),
        ({"healthy": False, "active": False}, {}, "registry.example.com:5000 on registry-1: the service does not run"),
        (
            {"differing": ["config.yml"]},
            {},
            "registry.example.com:5000 on registry-1: differs from its declaration in config.yml; run site.yml",
        ),
        (
            {"restart_reasons": ["key.pem changed"]},
            {},
            "registry.example.com:5000 on registry-1: a restart is due: key.pem changed; run site.yml",
        ),
        ({}, {"state": "warn", "days_left": 12}, "/etc/distribution/tls/certificate.pem on registry-1: certificate warn, 12 days left"),
        ({}, {"state": "missing", "days_left": None}, "/etc/distribution/tls/certificate.pem on registry-1: certificate missing"),
    ],
)
def test_one_sentence_each(registry, certificate, said):
    assert problems({**WELL, **registry}, [{**CERTIFICATE, **certificate}]) == [said]


def test_table_lines_up():
    heading, first, second = table([WELL, {**WELL, "host": "r-2", "healthy": False, "differing": ["unit"]}])
    assert heading.index("HEALTH") == first.index("healthy") == second.index("NOT HEALTHY")
    assert first.endswith("as it is")
    assert second.endswith("differs: unit")
