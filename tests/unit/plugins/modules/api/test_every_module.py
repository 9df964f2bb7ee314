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
# Bootstrapper modules run on the hosts and have no connection.
MODULES = sorted(path for product in ("dtr", "ucp") for path in (ROOT / "plugins/modules").glob(f"{product}_*.py")
                 if "_api_" in path.read_text(encoding="utf-8"))
OF_UCP = ("dtr_cluster_info",)   # signs in to UCP, and asks replicas one by one


def product_of(path):
    """Whose connection a module has."""
    return "ucp" if path.stem in OF_UCP else path.stem[:3]


def documentation(path):
    """The DOCUMENTATION of a module, as a dictionary."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "DOCUMENTATION":
            return yaml.safe_load(node.value.value)
    raise AssertionError(f"{path.name} has no DOCUMENTATION")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_gives_an_option_of_the_connection_another_meaning(path):
    """module_defaults set them for the whole group, and so does the environment."""
    assert not set(documentation(path).get("options", {})) & set(connection_arguments(product_of(path).upper()))


def test_all_modules_are_looked_at():
    assert {"dtr_job", "dtr_gc", "ucp_config"} <= {path.stem for path in MODULES}


def test_every_module_is_in_its_action_group():
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    for product in ("dtr", "ucp"):
        assert groups[product] == [path.stem for path in MODULES if product_of(path) == product]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_is_tested_and_documents_its_connection(path):
    assert (pathlib.Path(__file__).parent / f"test_{path.stem}.py").exists()
    assert f"dockyard.trusted_registry._{product_of(path)}" in documentation(path)["extends_documentation_fragment"]
