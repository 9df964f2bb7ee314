# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:
    """What every module that takes a list has in common."""

    DOCUMENTATION = r"""
options:
  exclusive:
    description:
      - Whether what exists and is not declared is removed. Without it, it is only reported, in RV(undeclared).
    type: bool
    default: false
  confirm_removal:
    description:
      - The value of O(host), written out, as the confirmation that undeclared items may be removed there.
      - Without it, O(exclusive) with something to remove is refused, with a list of what would go, in check mode as well.
    type: str
notes:
  - The whole list is one call. What exists is read first, several requests at a time; only differences are written. A field that is
    not given stays as it is.
  - When a change fails, the ones under way are ended and no other is begun; the error names what failed and what was done. Running the
    task again does the rest.
"""
