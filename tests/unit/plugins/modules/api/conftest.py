# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules against the stand-in."""

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _api_http
from api_modules import FAILURES, TELL_OF_403, ModuleFailed, connection, run


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(_api_http, "BACKOFF", 0.01)


@pytest.fixture
def run_module(standin):
    """run_module(name, check=False, **options): the module against the stand-in as its administrator."""
    return lambda name, check=False, **options: run(name, {**connection(standin, name), **options}, check)


@pytest.fixture(params=FAILURES.values(), ids=FAILURES.keys())
def failure(request):
    """Each way in which a server can fail a module: test_failures(standin, run_module, failure) of every module."""
    return request.param


@pytest.fixture
def fails(standin, run_module, failure):
    """fails(name, **options): the module, run into the failure, says what it must and has written nothing."""

    def check(name, **options):
        failure.begin(standin)
        if failure.fault.get("status") == 403 and name in TELL_OF_403:
            assert run_module(name, **options)["not_readable"]
            return
        with pytest.raises(ModuleFailed, match=failure.says):
            run_module(name, **{**options, **failure.options})
        assert not standin.writes

    return check
