# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""images: the names of what an installation needs, one a line (the format is a field observation)."""

from __future__ import annotations


def run(product, values, log) -> None:
    for name in product.images():
        print(name)
