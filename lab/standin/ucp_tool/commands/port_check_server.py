# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`port-check-server`: whether UCP's ports are free on this node (what the documents' server prints is not documented)."""

from __future__ import annotations

import json

from ...dtr_tool.errors import Fatal
from .. import preconditions as checks


def run(run) -> None:
    wanted = sorted({443, 6443, *checks.FIXED_PORTS, int(run["listen-address"].rpartition(":")[2])})
    code, output, errors = run.helper(
        "ucp-port-check", ["python3", "-m", "standin.ucp_node.host_check", "", *map(str, wanted)], host_network=True)
    if code:
        raise Fatal(f"the host cannot be checked: {errors.strip()}")
    if taken := json.loads(output)["blocked"]:
        raise Fatal(f"the following required ports are blocked on your host: {checks.ranges(taken)}. Check your firewall settings")
    run.log.info("All ports that UCP needs are free on this node")
