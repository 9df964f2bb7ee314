# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


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
