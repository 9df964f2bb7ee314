# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run of the tool ends early."""

from __future__ import annotations


class Fatal(Exception):
    """The run cannot go on; the message is logged with level fatal, and the exit code is 1."""


class Usage(Exception):
    """The command line is wrong; usage is printed, and the exit code is 1."""
