# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts etcd as the configuration says: `python3 -m standin.cluster.member CONFIG [--force-new-cluster]`.

The process becomes etcd. `--force-new-cluster` makes the member the only one of its cluster, with all that it knows: what is left to do
when too many others are gone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from .config import Config, ConfigError, private_folder

# Room for large documents (scans, job logs); old revisions are of no use to anybody.
LIMITS = [
    "--max-request-bytes=10485760", "--quota-backend-bytes=4294967296",
    "--auto-compaction-mode=revision", "--auto-compaction-retention=2000",
]


def command(config: Config, force_new_cluster: bool = False) -> list[str]:
    """The program and its arguments."""
    etcd, pki = config.etcd, config.pki
    files = [f"cert-file={pki}/node.pem", f"key-file={pki}/node-key.pem", f"trusted-ca-file={pki}/ca.pem", "client-cert-auth"]
    arguments = [
        f"--name={etcd.name}",
        f"--data-dir={etcd.data}",
        f"--listen-client-urls=https://{etcd.client_listen}",
        f"--advertise-client-urls=https://{etcd.client}",
        f"--listen-peer-urls=https://{etcd.peer_listen}",
        f"--initial-advertise-peer-urls=https://{etcd.peer}",
        f"--initial-cluster={etcd.initial_cluster or f'{etcd.name}=https://{etcd.peer}'}",
        f"--initial-cluster-state={'existing' if etcd.join else 'new'}",
        f"--initial-cluster-token={config.product}",
        f"--heartbeat-interval={etcd.heartbeat}", f"--election-timeout={etcd.election}",
        *(f"--{name}" for name in files), *(f"--peer-{name}" for name in files),
        *LIMITS, "--logger=zap", "--log-level=warn",
    ]
    return ["etcd", *arguments, *(["--force-new-cluster"] if force_new_cluster else [])]


def main() -> None:
    parser = argparse.ArgumentParser("member", description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("--force-new-cluster", action="store_true")
    arguments = parser.parse_args()
    try:
        config = Config.read(arguments.config)
        private_folder(config.etcd.data)
    except (ConfigError, OSError) as problem:
        sys.exit(f"member: {problem}")
    words = command(config, arguments.force_new_cluster)
    program = os.environ.get("STANDIN_ETCD") or shutil.which("etcd")
    if not program:
        sys.exit("member: there is no etcd on this host; install etcd-server, or name the program in STANDIN_ETCD")
    os.execv(program, words)


if __name__ == "__main__":
    main()
