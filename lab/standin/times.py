# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments as the API writes them: RFC 3339, in UTC."""

from __future__ import annotations

from datetime import datetime

NEVER = "0001-01-01T00:00:00Z"   # how the product, written in Go, says that something has not happened yet


def stamp(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """`ValueError` for what is no moment."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
