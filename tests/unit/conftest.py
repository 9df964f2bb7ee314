# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import exchange_log
from standin_fixture import dtr, dtr_as, standin, standin_with_registry

__all__ = ["dtr", "dtr_as", "standin", "standin_with_registry"]   # fixtures of all unit tests

HERE = pathlib.Path(__file__).parent


def pytest_sessionfinish(session, exitstatus):
    """Keeps what was said for the contract tests, if all tests that say something have run."""
    talking = {file for folder in ("lab", "plugins/modules/api") for file in (HERE / folder).rglob("test_*.py")}
    ran = {item.path for item in getattr(session, "items", [])}
    if exitstatus == 0 and talking <= ran and not session.config.getoption("keyword"):
        exchange_log.save()
