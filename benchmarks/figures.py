# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks share: timing a command, and a result file with a table."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def timed(*command: str, **environment: str) -> float:
    """Seconds a command took; its failure ends the benchmark with its output."""
    path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    start = time.monotonic()
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                            env={**os.environ, "PATH": path, **environment})
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with status {result.returncode}:\n{result.stdout}")
    return round(time.monotonic() - start, 2)


def median(repeats: int, *command: str, **environment: str) -> float:
    """Seconds, the middle of several runs."""
    return statistics.median(timed(*command, **environment) for _repeat in range(repeats))


def publish(name: str, figures: list[dict], conditions: dict) -> None:
    """Writes benchmarks/results/NAME.json and prints a table.

    A figure holds figure, value, unit, goal (None: none is set), peer, peer_value and ratio.
    """
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    conditions = {"date": today, "cores": os.cpu_count(), "machine": platform.machine(), **conditions}
    result = ROOT / f"benchmarks/results/{name}.json"
    result.parent.mkdir(exist_ok=True)
    result.write_text(json.dumps({"figures": figures, "conditions": conditions}, indent=2) + "\n")
    print(f"{'figure':<42}{'seconds':>9}{'goal':>7}{'peer':>9}{'ratio':>8}  peer")
    for row in figures:
        goal = "-" if row["goal"] is None else row["goal"]
        print(f"{row['figure']:<42}{row['value']:>9}{goal:>7}{row['peer_value']:>9}{row['ratio']:>8}  {row['peer']}")
