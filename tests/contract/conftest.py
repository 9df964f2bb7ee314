# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import exchange_log  # noqa: E402


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def contract():
    """The folder of documented facts beside the checkout; without it these tests cannot say anything and say so."""
    folder = ROOT.parent / "shared/contract"
    if not folder.is_dir():
        pytest.skip("the documents are not here: ../shared/contract is missing")
    return folder


@pytest.fixture(scope="session")
def exchanges(root):
    """The log of the unit tests; they run once more when the sources have changed since."""
    log = exchange_log.load()
    if log is None:
        tests = ["tests/unit/plugins/modules/api", "tests/unit/lab", "tests/unit/plugins/module_utils/test_api_http.py"]
        command = [sys.executable, "-m", "pytest", "-q", "--numprocesses", "auto", "--dist", "loadfile", *tests]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:]
        log = exchange_log.load()
    assert log
    return log
