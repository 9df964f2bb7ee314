# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module of this collection run as Ansible runs it."""

from __future__ import annotations

import contextlib
import importlib
import io
import json

import pytest
from ansible.module_utils.testing import patch_module_args

MODULES = "ansible_collections.dockyard.trusted_registry.plugins.modules"


def run_module(name, check=False, **options):
    """What the module answers, failed or not."""
    main = importlib.import_module(f"{MODULES}.{name}").main
    printed = io.StringIO()
    with patch_module_args({**options, "_ansible_check_mode": check}), contextlib.redirect_stdout(printed), pytest.raises(SystemExit):
        main()
    return json.loads(printed.getvalue())
