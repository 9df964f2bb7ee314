# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long site.yml takes on bare hosts and on its second run, beside a bare `ansible -m ping` of the same hosts in the same run.

Writes benchmarks/results/site-ENGINE.json and prints a table.
"""

from __future__ import annotations

import json
import sys

from figures import ROOT, median, publish, timed

GOALS = {"site.yml on bare hosts": 60, "site.yml, second run": 10}
REPEATS = 3


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
    ping = median(REPEATS, "ansible", "-i", inventory, hosts, "-m", "ansible.builtin.ping")
    second = median(REPEATS, *site)
    figures = [figure("site.yml on bare hosts", cold, ping), figure("site.yml, second run", second, ping)]
    publish(f"site-{engine}", figures, {
        "engine": engine, "repeats": {"second run": REPEATS, "ping": REPEATS, "bare hosts": 1},
        "hosts": "1 registry, 2 clients (containers with systemd; packages in the nodes' apt cache)",
    })


if __name__ == "__main__":
    main()
