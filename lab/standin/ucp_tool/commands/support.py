# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`support`: a tgz of this node's logs and states, on stdout."""

from __future__ import annotations

import json
import sys

from ...dtr_tool.errors import Fatal
from ...ucp_node import layout
from .backup import compressed


def run(run) -> None:
    if sys.stdout.isatty():
        raise Fatal("a support dump cannot be written to a terminal: run without -t, and send stdout to a file")
    info = run.demand_manager()
    run.demand_ucp()
    files = {"info.json": json.dumps(info, indent=1).encode(), "nodes.json": json.dumps(run.engine.get("/nodes"), indent=1).encode()}
    for container in run.engine.containers(label=[layout.INSTANCE_LABEL]):
        name = container["Names"][0].lstrip("/")
        lines = {"tail": run["loglines"], "timestamps": 1}
        log = b"".join(run.engine.logs(name, stream, **lines) for stream in ("stdout", "stderr"))
        files[f"logs/{name}.log"], files[f"inspect/{name}.json"] = log, json.dumps(run.engine.container(name), indent=1).encode()
    sys.stdout.buffer.write(compressed(files))
    sys.stdout.buffer.flush()
