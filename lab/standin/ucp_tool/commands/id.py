# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`id`: the instance's id, the swarm's own."""

from __future__ import annotations


def run(run) -> None:
    print(run.settings_of(run.demand_ucp()).id)
