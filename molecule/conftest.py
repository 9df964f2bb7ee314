# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
import testinfra


@pytest.fixture(scope="session")
def node():
    """`node("client-1")` is the testinfra host of that node of the scenario's lab."""
    return lambda name: testinfra.get_host(f"docker://dockyard-{os.environ['LAB_NAME']}-{name}")
