# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`variables.py LAB_DIR`: the quickstart's group_vars, with this scenario's addresses."""

from __future__ import annotations

import pathlib
import sys

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
NETWORKS = ("172.30.50.", "172.30.71.")   # the quickstart's, this scenario's

target = pathlib.Path(sys.argv[1]) / "inventory/group_vars"
target.mkdir(exist_ok=True)
for file in (CHECKOUT / "lab/topologies/dtr/group_vars").iterdir():
    (target / file.name).write_text(file.read_text().replace(*NETWORKS))
