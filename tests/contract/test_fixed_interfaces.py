# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others rely on by name: make targets, the lab's summary, groups and variables of the example inventory."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml
from jinja2 import Environment

TARGETS = [
    "quickstart", "test", "lint", "sanity", "unit", "contract", "molecule", "bench", "lab-up", "lab-down",
]
PLAYBOOKS = [
    "site", "install", "trust", "preflight", "status", "rotate_certificates", "uninstall", "configure", "drift", "collect_garbage",
    "upgrade", "replace_replica", "repair", "bundle",
]


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_the_target(root, target):
    # -n: nothing is run.
    assert subprocess.run(["make", "-n", target], cwd=root, capture_output=True, check=False).returncode == 0


def test_make_refuses_an_unknown_target(root):
    assert subprocess.run(["make", "-n", "no-such-target"], cwd=root, capture_output=True, check=False).returncode != 0


def test_every_playbook_is_short_and_loads(root):
    texts = {path.stem: path.read_text() for path in (root / "playbooks").glob("*.yml")}
    assert set(PLAYBOOKS) <= set(texts)
    assert {name: len(text.splitlines()) for name, text in texts.items() if len(text.splitlines()) > 40} == {}
    assert all(isinstance(yaml.safe_load(text), list) for text in texts.values())


@pytest.mark.parametrize(("engine", "further"), [("distribution", set()), ("dtr", {"ucp"})])
def test_summary_has_every_key(root, engine, further):
    topology = yaml.safe_load((root / f"lab/topologies/{engine}/topology.yml").read_text())
    environment = Environment(autoescape=False)
    environment.filters.update(to_nice_json=json.dumps, combine=lambda one, other: {**one, **other})
    text = environment.from_string((root / "lab/summary.json.j2").read_text()).render(
        lab_name="quickstart", lab_dir=".lab/quickstart", **topology,
    )
    summary = json.loads(text)
    assert set(summary) == {"engine", "registry", "ca_file", "username", "password_file", "inventory", "client_node"} | further
    assert not further or set(summary["ucp"]) == {"host", "address", "port", "ca_file"}
    assert set(summary["registry"]) == {"host", "address", "port"}
    assert summary["client_node"] in topology["lab_nodes"]
    assert all(summary[key].startswith(".lab/") for key in ("ca_file", "password_file", "inventory"))


def test_example_inventory_uses_only_variables_that_exist(root):
    known = set()
    for role in (root / "roles").iterdir():
        specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]
        known |= {option for spec in specs.values() for option in spec.get("options", {})}
    files = list((root / "inventory.example/group_vars").rglob("*.yml"))
    assert files
    used = {
        (str(path.relative_to(root)), name)
        for path in files
        for name in (yaml.safe_load(path.read_text()) or {})
    }
    roles = [role.name for role in (root / "roles").iterdir()]
    ours = {(path, name) for path, name in used if re.match(rf"({'|'.join(roles)})_", name)}
    assert ours
    assert {(path, name) for path, name in ours if name not in known} == set()
