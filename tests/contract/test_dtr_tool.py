# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker/dtr of the stand-in takes exactly the options and variables that the documents name, command by command."""

from __future__ import annotations

import importlib
import re
import sys

import pytest


@pytest.fixture(scope="module")
def flags(root):
    sys.path.insert(0, str(root / "lab"))
    return importlib.import_module("standin.dtr_tool.flags")


@pytest.fixture(scope="module")
def document(contract):
    return (contract / "cli-dtr.md").read_text()


def section(document: str, number: str) -> str:
    return re.search(rf"^## {number}\. .*?(?=^## |\Z)", document, re.MULTILINE | re.DOTALL)[0]


def matrix(document: str) -> set:
    """{(command, option)}"""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section(document, "13").splitlines() if line.startswith("|")]
    commands, found = rows[0][1:], set()
    for name, *marks in rows[2:]:
        option = name.strip("`").lstrip("-").partition(",")[0]
        found |= {(command, option) for command, mark in zip(commands, marks, strict=True) if mark.startswith("x")}
    return found


def test_commands_take_the_documented_options(flags, document):
    documented = matrix(document)
    assert len(documented) > 100
    assert {(command, flag.name) for command in flags.COMMANDS for flag in flags.of(command)} == documented


def test_commands_are_the_documented_ones(flags, document):
    table = section(document, "1").partition("### 1.1")[2]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == set(flags.COMMANDS)


def test_variables_are_the_documented_ones(flags, document):
    """Every option's variable stands beside it in one of the tables; those of --replica-id in the remark below the matrix."""
    beside = set()
    for line in document.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) > 2:
            options, variables = (re.findall(pattern, cell) for pattern, cell in ((r"--([a-z-]+)", cells[0]), (r"\$([A-Z_]+)", cells[1])))
            beside |= set(zip(options, variables, strict=False))
    remark = section(document, "13")
    for flag in flags.FLAGS:
        known = (flag.name, flag.env) in beside or (flag.name == "replica-id" and f"${flag.env}" in remark)
        assert known, f"--{flag.name}: ${flag.env} is not documented"
