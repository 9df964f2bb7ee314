# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import pathlib

import pytest
import yaml
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import connection_arguments

ROOT = pathlib.Path(__file__).parents[5]
MODULES = sorted(path for product in ("dtr", "ucp") for path in (ROOT / "plugins/modules").glob(f"{product}_*.py"))


def documentation(path):
    """The DOCUMENTATION of a module, as a dictionary."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "DOCUMENTATION":
            return yaml.safe_load(node.value.value)
    raise AssertionError(f"{path.name} has no DOCUMENTATION")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_gives_an_option_of_the_connection_another_meaning(path):
    """module_defaults set them for the whole group, and so does the environment."""
    assert not set(documentation(path).get("options", {})) & set(connection_arguments(path.stem[:3].upper()))


def test_all_modules_are_looked_at():
    assert {"dtr_job", "dtr_gc", "ucp_config"} <= {path.stem for path in MODULES}


def test_every_module_is_in_its_action_group():
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    for product in ("dtr", "ucp"):
        assert groups[product] == [path.stem for path in MODULES if path.stem.startswith(product)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_is_tested_and_documents_its_connection(path):
    assert (pathlib.Path(__file__).parent / f"test_{path.stem}.py").exists()
    assert f"dockyard.trusted_registry._{path.stem[:3]}" in documentation(path)["extends_documentation_fragment"]
