# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of tests/bad_input/: the role refuses it with its message, before anything on the host is changed."""

from __future__ import annotations

import re

import pytest
import yaml
from lab_run import CHECKOUT, inventory_of, run_playbook

TABLES = sorted((CHECKOUT / "tests/bad_input").glob("*.yml"))
ROWS = {
    f"{table.stem}-{number}".replace("_", "-"): {"role": table.stem, **row}
    for table in TABLES
    for number, row in enumerate(yaml.safe_load(table.read_text()), start=1)
}
# The directories that any of the roles writes to.
WRITTEN = "/etc /opt /usr/local /var/lib/dockyard /var/lib/distribution"


@pytest.fixture(scope="module")
def run(node, tmp_path_factory):
    """What ansible-playbook wrote for each row, and its recap: each is a host of the inventory, and all of them the same node."""
    at = yaml.safe_load(inventory_of("bad_input").read_text())["all"]["hosts"]["host-1"]
    hosts = {
        name: {**at, "bad_input_role": row["role"], "bad_input_entry_point": row.get("entry_point", "main"), **row["vars"]}
        for name, row in ROWS.items()
    }
    rows = tmp_path_factory.mktemp("inventory") / "rows.yml"
    rows.write_text(yaml.safe_dump({"bad_input": {"hosts": hosts}}, sort_keys=False))
    rows.chmod(0o600)
    node("host-1").check_output("touch /run/before")
    code, output = run_playbook("bad_input", CHECKOUT / "molecule/bad_input/role.yml", "-i", rows)
    assert code == 0, output
    output, recap = output.split("PLAY RECAP", 1)
    said = [" ".join(part.split()) for part in output.split("PLAY [A role with bad input]")[1:]]
    return dict(zip(ROWS, said, strict=True)), dict(re.findall(r"^(\S+) +: (.*)$", recap, re.MULTILINE))


def test_every_role_has_a_table():
    assert [table.stem for table in TABLES] == sorted(role.name for role in (CHECKOUT / "roles").iterdir())


@pytest.mark.parametrize(("name", "row"), ROWS.items(), ids=[f"{row['role']}: {row['name']}" for row in ROWS.values()])
def test_bad_input(run, name, row):
    output, recap = run[0][name], run[1][name]
    assert f"[{name}]" in output
    assert re.search(row["message"], output), output
    assert "changed=0 " in recap, output
    assert "rescued=1 " in recap, output


def test_nothing_is_written(run, node):
    assert node("host-1").check_output(f"find {WRITTEN} -newer /run/before -type f 2>/dev/null || true") == ""
