# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import exchange_log
from standin_fixture import dtr, dtr_as, standin, standin_with_registry

__all__ = ["dtr", "dtr_as", "standin", "standin_with_registry"]   # fixtures of all unit tests

HERE = pathlib.Path(__file__).parent
ran = set()   # files of which at least one test ended well


def pytest_runtest_logreport(report):
    """Notes which files have run; with several processes this is called in the one that leads them."""
    if report.when == "call" and report.passed:
        ran.add(report.nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Takes over what one of several processes has kept (pytest-xdist)."""
    exchange_log.merge(node.workeroutput.get("exchanges", "{}"))


def pytest_sessionfinish(session, exitstatus):
    """Keeps what was said for the contract tests, if all tests that say something have run."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["exchanges"] = exchange_log.dump()
        return
    talking = {str(file.relative_to(session.config.rootpath)) for folder in ("lab", "plugins/modules/api")
               for file in (HERE / folder).rglob("test_*.py")}
    if exitstatus == 0 and talking <= ran and not session.config.getoption("keyword"):
        exchange_log.save()
