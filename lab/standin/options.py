# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a stand-in is set up."""

from __future__ import annotations

import dataclasses
import pathlib


@dataclasses.dataclass(slots=True)
class Options:
    """Ports of 0 are chosen by the system. `memory`: documents are not written to disk (certificates always are)."""

    state: pathlib.Path
    password: str
    admin: str = "admin"
    listen: str = "127.0.0.1"
    dtr_host: str = "127.0.0.1"
    dtr_port: int = 0
    ucp_host: str = "127.0.0.1"
    ucp_port: int = 0
    san: tuple[str, ...] = ()
    version: str = "2.7.6"
    ucp_version: str = "3.2.5"
    replica_id: str = "0123456789ab"
    dtr_node: str = ""                   # the UCP node that the replica is on; without it, dtr_host
    registry_binary: str | None = None   # None: no data plane
    memory: bool = False
    record: bool = False
    faults: bool = False                 # /_standin/... is served
    paging_headers: bool = True          # lists say in headers where the next page starts (field observation)
    settings_delay: float = 0.0          # seconds between the 202 of a settings update and its effect
    job_spelling: str = "api"            # "docs": error, cancel ... instead of errored, canceled
    claim_delay: float = 3.0             # seconds, at most, until a worker claims a waiting job
    default_crons: bool = True           # the schedules a new installation comes with
    advisories: str | None = None        # None: the shipped ones; "": the online feed cannot be reached
    nodes: tuple[dict, ...] = ()         # UCP's nodes
