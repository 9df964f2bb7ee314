# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long site.yml takes on bare hosts and on its second run.

Its peer on bare hosts is, for DTR, benchmarks/by_hand.sh on equally bare ones; otherwise a bare `ansible -m ping` of the same hosts in the
same run. Writes benchmarks/results/site-ENGINE.json and prints a table.
"""

from __future__ import annotations

import json
import sys
import tempfile

from figures import ROOT, median, publish, timed

REPEATS = 3
REPOSITORIES = 100
PING = "ansible -m ping of the same hosts"
BY_HAND = 1.2   # times what the commands by hand take


def figure(name: str, seconds: float, goal: float | None, peer: str, peer_seconds: float) -> dict:
    return {"figure": name, "value": seconds, "unit": "s", "goal": goal, "peer": peer, "peer_value": peer_seconds,
            "ratio": round(seconds / peer_seconds, 2)}


def lab(engine: str) -> str:
    """Bare nodes; the inventory."""
    timed("ansible-playbook", "lab/destroy.yml", "-e", "lab_name=quickstart", "-e", "lab_dir=.lab/quickstart")
    timed("scripts/lab", "up", engine)
    return json.loads((ROOT / ".lab/summary.json").read_text())["inventory"]


def distribution() -> None:
    inventory = lab("distribution")
    site = ("ansible-playbook", "-i", inventory, "playbooks/site.yml")
    cold = timed(*site)
    ping = median(REPEATS, "ansible", "-i", inventory, "registries:registry_clients", "-m", "ansible.builtin.ping")
    second = median(REPEATS, *site)
    figures = [figure("site.yml on bare hosts", cold, 60, PING, ping), figure("site.yml, second run", second, 10, PING, ping)]
    publish("site-distribution", figures, {
        "engine": "distribution", "repeats": {"second run": REPEATS, "ping": REPEATS, "bare hosts": 1},
        "hosts": "1 registry, 2 clients (containers with systemd; packages in the nodes' apt cache)",
    })


def dtr() -> None:
    lab("dtr")
    by_hand = timed("benchmarks/by_hand.sh")
    inventory = lab("dtr")
    timed("ansible-playbook", "-i", inventory, "playbooks/bundle.yml")
    site = ("ansible-playbook", "-i", inventory, "playbooks/site.yml")
    cold = timed(*site)
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(repositories())
        file.flush()
        filled = (*site, "-e", f"@{file.name}")
        timed(*filled)
        four = ("--limit", "ucp_managers:dtr_replicas:localhost")
        ping = median(REPEATS, "ansible", "-i", inventory, "ucp_managers:dtr_replicas", "-m", "ansible.builtin.ping")
        ping_all = median(REPEATS, "ansible", "-i", inventory, "all", "-m", "ansible.builtin.ping")
        second, second_all = median(REPEATS, *filled, *four), median(REPEATS, *filled)
    publish("site-dtr", [
        figure("site.yml on bare hosts", cold, round(BY_HAND * by_hand, 1), "benchmarks/by_hand.sh", by_hand),
        figure("site.yml, second run, 4 nodes", second, 25, PING, ping),
        figure("site.yml, second run, all 6 hosts", second_all, None, PING, ping_all),
    ], {
        "engine": "dtr", "repeats": {"second run": REPEATS, "ping": REPEATS, "bare hosts": 1, "by hand": 1},
        "repositories": f"{REPOSITORIES} declared in the second run",
        "hosts": "1 manager of UCP, 3 replicas, 1 balancer, 1 client (containers with systemd; packages in the nodes' apt cache)",
    })


def repositories() -> str:
    """A file of variables (JSON is YAML)."""
    declared = [{"name": f"quickstart/bench-{number:03}", "access": [{"team": "pipelines", "level": "read-write"}]}
                for number in range(REPOSITORIES)]
    return json.dumps({"registry_configuration_repositories": declared})


if __name__ == "__main__":
    {"distribution": distribution, "dtr": dtr}[sys.argv[1]]()
