# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of tests/bad_input/: the role refuses it with its message, before anything on the host is changed."""

from __future__ import annotations

import re

import pytest
import yaml
from lab_run import CHECKOUT, run_playbook

TABLES = sorted((CHECKOUT / "tests/bad_input").glob("*.yml"))
ROWS = [(table.stem, row) for table in TABLES for row in yaml.safe_load(table.read_text())]
# The directories that any of the roles writes to.
WRITTEN = "/etc /opt /usr/local /var/lib/dockyard /var/lib/distribution"


def test_every_role_has_a_table():
    assert [table.stem for table in TABLES] == sorted(role.name for role in (CHECKOUT / "roles").iterdir())


@pytest.mark.parametrize(("role", "row"), ROWS, ids=[f"{role}: {row['name']}" for role, row in ROWS])
def test_bad_input(node, role, row):
    host = node("host-1")
    host.check_output("touch /run/before")
    options = {"bad_input_role": role, "bad_input_entry_point": row.get("entry_point", "main"), **row["vars"]}
    code, output = run_playbook("bad_input", CHECKOUT / "molecule/bad_input/role.yml", **options)
    output = " ".join(output.split())
    assert code == 2, output
    assert re.search(row["message"], output), output
    assert "changed=0" in output
    assert host.check_output(f"find {WRITTEN} -newer /run/before -type f 2>/dev/null || true") == ""
