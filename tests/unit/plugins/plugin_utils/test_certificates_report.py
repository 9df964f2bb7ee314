# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_report import (
    expiry_rows,
    table,
)
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.certificate_factory import NOW, authority, make

ROOT = authority()
GOOD = make("good", ROOT, ["web.test", "192.0.2.5"])
ENTRY = {"name": "web", "deploy": {"certificate": "/c.pem", "key": "/k.pem"}, "status_addresses": ["web.test:443"]}


def rows(certificates=GOOD.pem, served=None, entry=None, exists=True):
    leaf = {"path": "/c.pem", "exists": exists, "certificates": certificates}
    found = {"files": [leaf, {"path": "/ca.pem", "exists": True, "certificates": ROOT.pem}]}
    if served is not None:
        found["endpoints"] = [{"address": "web.test:443", "certificate": served}]
    return expiry_rows([entry or ENTRY], found, NOW, 30, "h")


def test_good_file():
    assert rows() == [
        {
            "host": "h",
            "name": "web",
            "path": "/c.pem",
            "subject": "CN=good",
            "names": ["web.test", "192.0.2.5"],
            "not_after": GOOD.certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "days_left": 90,
            "state": "ok",
        }
    ]


def state(**more):
    return rows(**more)[-1]["state"]


def test_states():
    assert state(exists=False) == "missing"
    assert state(certificates="") == "invalid"
    assert state(certificates=make("x", ROOT, days=29).pem) == "warn"
    assert state(certificates=make("x", ROOT, days=30).pem) == "ok"
    assert state(certificates=make("x", ROOT, days=-1, starts=-9).pem) == "expired"
    assert state(served=GOOD.pem) == "ok"
    assert state(served="") == "unreachable"
    assert state(served=make("other", ROOT).pem) == "stale"
    assert state(served=make("other", ROOT, days=-1, starts=-9).pem) == "expired"


def test_chain_is_worth_what_its_shortest_member_is():
    middle = authority("M", issuer=ROOT, days=10)
    row = rows(certificates=make("x", middle).pem + middle.pem)[0]
    assert (row["subject"], row["days_left"], row["state"]) == ("CN=x", 10, "warn")


def test_ca_has_a_row():
    found = rows(entry=dict(ENTRY, deploy=dict(ENTRY["deploy"], ca="/ca.pem")))
    assert [(row["path"], row["subject"]) for row in found] == [("/c.pem", "CN=good"), ("/ca.pem", "CN=Test root")]


def test_ca_that_was_never_given_is_not_missed():
    deploy = dict(ENTRY["deploy"], ca="/none.pem")
    assert len(rows(entry=dict(ENTRY, deploy=deploy))) == 1
    for more in ({"source": "issued"}, {"ca_file": "ca.pem"}):
        assert rows(entry=dict(ENTRY, deploy=deploy, **more))[1]["state"] == "missing"


def test_table_puts_trouble_first():
    lines = table(rows() + rows(exists=False) + rows(certificates=make("x", ROOT, days=3).pem))
    assert lines[0].split() == ["HOST", "NAME", "PATH", "NAMES", "NOT", "AFTER", "DAYS", "LEFT", "STATE"]
    assert [line.split()[-1] for line in lines[1:]] == ["missing", "warn", "ok"]
