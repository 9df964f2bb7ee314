# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stand-in checks against is what the official documents say."""

from __future__ import annotations

import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lab"))

from standin.extract import dump, extract
from standin.interface import SUBSETS


@pytest.mark.parametrize(("product", "document"), [("dtr", "dtr-2.7.json"), ("ucp", "ucp-3.2.json")])
def test_extracts_are_fresh(root, contract, product, document):
    official = json.loads((contract / "openapi" / document).read_text())
    kept = root / "lab/standin/interface" / f"{product}.json"
    assert kept.read_text() == dump(extract(official)), f"make it anew: python -m standin.extract {document} {kept.name}"


def test_every_operation_is_in_the_extract(root, contract):
    official = json.loads((contract / "openapi/dtr-2.7.json").read_text())
    kept = json.loads((root / "lab/standin/interface/dtr.json").read_text())
    wanted = {f"{verb.upper()} {path}" for path, verbs in official["paths"].items() for verb in verbs}
    assert set(kept["operations"]) == wanted and len(wanted) == 109


def test_required_fields_and_enums_are_in_the_extract(root, contract):
    official = json.loads((contract / "openapi/dtr-2.7.json").read_text())["definitions"]
    kept = json.loads((root / "lab/standin/interface/dtr.json").read_text())["definitions"]
    for name, definition in kept.items():
        assert definition.get("required") == official[name].get("required")
        assert set(definition.get("properties", {})) == set(official[name].get("properties", {}))
    assert kept["forms.Access"]["properties"]["accessLevel"]["enum"] == ["read-only", "read-write", "admin"]


def test_what_is_not_official_names_its_source(root):
    prose = json.loads((root / "lab/standin/interface/prose.json").read_text())
    entries = {**prose["dtr"], **prose["ucp"]}
    assert entries and all(entry.get("source") for entry in entries.values())


def test_subsets_are_real_subsets(root):
    definitions = {}
    for product in ("ucp", "dtr"):
        definitions.update(json.loads((root / f"lab/standin/interface/{product}.json").read_text())["definitions"])
    for name, (required, source) in SUBSETS.items():
        assert source and required < set(definitions[name]["properties"]), name
        assert set(definitions[name]["required"]) - required, f"{name} needs no entry"
