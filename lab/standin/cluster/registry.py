# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python3 -m standin.cluster.registry CONFIG`: becomes Distribution, over this replica's storage, for members of the cluster only."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import sys
import time

from . import admin
from .config import Config, ConfigError, private_folder
from .context import SERVICE
from .etcd import EtcdError
from .pki import write_private

PAUSE_SECONDS = 1.0


def configuration(config: Config, token_key: str, root_file: str) -> dict:
    """No cache of blob descriptors: garbage collection removes files behind the registry's back.

    The secret signs the state of uploads; it is the same in all replicas, so that an upload goes on with any of them.
    """
    pki = config.pki
    return {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": config.registry.storage}, "delete": {"enabled": True}},
        "http": {
            "addr": config.registry.listen,
            "secret": hashlib.sha256(b"uploads" + token_key.encode()).hexdigest(),
            "tls": {"certificate": f"{pki}/node.pem", "key": f"{pki}/node-key.pem", "clientcas": [f"{pki}/ca.pem"]},
        },
        "auth": {"token": {
            "realm": f"https://{config.registry.advertise}/auth/token", "service": SERVICE, "issuer": SERVICE, "rootcertbundle": root_file,
        }},
        "validation": {"manifests": {"urls": {"allow": ["^https?://"]}}},
    }


def prepare(config: Config) -> str:
    """Waits for the metadata, writes what Distribution reads; the path of its configuration."""
    folder = private_folder(f"{config.state}/registry")
    while True:
        try:
            client = admin.client_of(config)
            authority, token = admin.get(client, "tls", "ca"), admin.get(client, "tls", "token")
        except EtcdError:
            authority = token = None
        if authority and token:
            break
        time.sleep(PAUSE_SECONDS)
    root = folder / "token-root.pem"
    root.write_text(authority["certificate"])
    file = folder / "registry.yml"
    write_private(file, json.dumps(configuration(config, token["key"], str(root)), indent=1))   # JSON is YAML
    pathlib.Path(config.registry.storage).mkdir(parents=True, exist_ok=True)
    return str(file)


def main() -> None:
    try:
        config = Config.read(sys.argv[1])
    except (ConfigError, IndexError) as problem:
        sys.exit(f"registry: {problem}")
    file = prepare(config)
    program = shutil.which(config.registry.binary)
    if not program:
        sys.exit(f"registry: there is no {config.registry.binary} on this host; install docker-registry")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "OTEL_"))}
    os.execve(program, [program, "serve", file], environment)


if __name__ == "__main__":
    main()
