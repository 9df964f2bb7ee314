# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a handler is given and what it gives back."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass
class Answer:
    """`body` becomes JSON; None: no body; str: plain text; bytes: as they are."""

    status: int = 200
    body: object = None
    headers: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Caller:
    """Who asks. `via`: "password", "token" (access token), "bearer" (UCP session), "certificate", or "" for nobody."""

    name: str = ""
    id: str = ""
    is_admin: bool = False
    via: str = ""

    @property
    def anonymous(self) -> bool:
        return not self.name


@dataclasses.dataclass
class Call:
    """One request: `path` and `query` by name (typed, defaults applied), `body` the checked JSON, `request` aiohttp's own."""

    caller: Caller
    path: dict
    query: dict
    body: object
    request: object
    product: str
    paging_headers: bool = True
