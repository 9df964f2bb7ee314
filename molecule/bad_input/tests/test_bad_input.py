# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of tests/bad_input/: the role refuses it with its message, before anything on the host is changed."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
TABLES = sorted((ROOT / "tests/bad_input").glob("*.yml"))
ROWS = [(table.stem, row) for table in TABLES for row in yaml.safe_load(table.read_text())]
# The directories that any of the roles writes to.
WRITTEN = "/etc /opt /usr/local /var/lib/dockyard /var/lib/distribution"


def test_every_role_has_a_table():
    assert [table.stem for table in TABLES] == sorted(role.name for role in (ROOT / "roles").iterdir())


@pytest.mark.parametrize(("role", "row"), ROWS, ids=[f"{role}: {row['name']}" for role, row in ROWS])
def test_bad_input(node, tmp_path, role, row):
    variables = tmp_path / "vars.json"
    variables.write_text(json.dumps({"bad_input_role": role, "bad_input_entry_point": row.get("entry_point", "main"), **row["vars"]}))
    host = node("host-1")
    host.check_output("touch /run/before")
    result = subprocess.run(
        [
            "ansible-playbook", "-i", ROOT / ".lab/molecule-bad_input/inventory/hosts.yml",
            "-e", f"@{variables}", ROOT / "molecule/bad_input/role.yml",
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )
    output = " ".join((result.stdout + result.stderr).split())
    assert result.returncode == 2, output
    assert re.search(row["message"], output), output
    assert "changed=0" in output
    assert host.check_output(f"find {WRITTEN} -newer /run/before -type f 2>/dev/null || true") == ""
