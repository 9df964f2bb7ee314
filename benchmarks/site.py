# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long site.yml takes on bare hosts and on its second run, beside a bare `ansible -m ping` of the same hosts in the same run.

Writes benchmarks/results/site-ENGINE.json and prints a table.
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOALS = {"site.yml on bare hosts": 60, "site.yml, second run": 10}
REPEATS = 3


def timed(*command: str) -> float:
    """Seconds a command took; its failure ends the benchmark with its output."""
    start = time.monotonic()
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with status {result.returncode}:\n{result.stdout}")
    return round(time.monotonic() - start, 2)


def median(*command: str) -> float:
    return statistics.median(timed(*command) for _repeat in range(REPEATS))


def figure(name: str, seconds: float, ping: float) -> dict:
    return {
        "figure": name, "value": seconds, "unit": "s", "goal": GOALS[name],
        "peer": "ansible -m ping of the same hosts", "peer_value": ping, "ratio": round(seconds / ping, 1),
    }


def main() -> None:
    engine = sys.argv[1]
    timed("ansible-playbook", "lab/destroy.yml", "-e", "lab_name=quickstart", "-e", "lab_dir=.lab/quickstart")
    timed("scripts/lab", "up", engine)
    inventory = json.loads((ROOT / ".lab/summary.json").read_text())["inventory"]
    site = ("ansible-playbook", "-i", inventory, "playbooks/site.yml")
    hosts = "registries:registry_clients"
    cold = timed(*site)
    ping = median("ansible", "-i", inventory, hosts, "-m", "ansible.builtin.ping")
    second = median(*site)
    figures = [figure("site.yml on bare hosts", cold, ping), figure("site.yml, second run", second, ping)]
    conditions = {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "cores": os.cpu_count(), "machine": platform.machine(), "engine": engine,
        "repeats": {"second run": REPEATS, "ping": REPEATS, "bare hosts": 1},
        "hosts": "1 registry, 2 clients (containers with systemd; packages in the nodes' apt cache)",
    }
    result = ROOT / f"benchmarks/results/site-{engine}.json"
    result.parent.mkdir(exist_ok=True)
    result.write_text(json.dumps({"figures": figures, "conditions": conditions}, indent=2) + "\n")
    print(f"{'figure':<26}{'seconds':>9}{'goal':>7}{'ping':>7}{'ratio':>7}")
    for row in figures:
        print(f"{row['figure']:<26}{row['value']:>9}{row['goal']:>7}{row['peer_value']:>7}{row['ratio']:>7}")


if __name__ == "__main__":
    os.environ["PATH"] = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    main()
