# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scenarios' tests share beside the fixtures of conftest.py."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]


def inventory_of(scenario):
    return CHECKOUT / f".lab/molecule-{scenario}/inventory/hosts.yml"


def run_playbook(scenario, playbook, *arguments, **variables):
    """Run a playbook on the nodes of a scenario with an operator's variables; its exit code and all it wrote."""
    done = subprocess.run(
        ["ansible-playbook", "-i", inventory_of(scenario), playbook, "-e", json.dumps(variables), *arguments],
        cwd=CHECKOUT,
        # A line that is folded cannot be looked for.
        env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_FORCE_COLOR": "0", "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
