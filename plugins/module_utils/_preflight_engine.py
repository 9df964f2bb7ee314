# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What the engine says of itself, asked over its socket: no client to start, no secret to read."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_lock import LABEL
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._unix_http import UnixConnection

_PAUSE = 1.0   # seconds between two looks


def get(connection, address):
    connection.request("GET", address)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise OSError(f"{address} answered {answer.status}")
    return json.loads(body)


def summary(info, containers):
    """Return of the engine's own account what fitness hangs on."""
    names = {entry["Id"]: entry["Names"][0].lstrip("/") for entry in containers if entry.get("Names")}
    published = {
        f"{port['PublicPort']}/{port['Type']}": names.get(entry["Id"], "")
        for entry in containers
        for port in entry.get("Ports") or []
        if port.get("PublicPort")
    }
    return {
        "version": info.get("ServerVersion", ""),
        "driver": info.get("Driver", ""),
        "root": info.get("DockerRootDir", ""),
        "userns": any(option.startswith("name=userns") for option in info.get("SecurityOptions") or []),
        "swarm": (info.get("Swarm") or {}).get("LocalNodeState", "inactive"),
        "containers": names,
        "bootstrappers": [names[entry["Id"]] for entry in containers if _is_bootstrapper(entry)],
        "published": published,
    }


def _is_bootstrapper(entry):
    """Whether it is a run of docker/ucp or docker/dtr: ours have a label, and docker/ucp accepts no other name than ucp."""
    return LABEL in (entry.get("Labels") or {}) or "/ucp" in (entry.get("Names") or [])


def engine(path="/var/run/docker.sock", timeout=2.0):
    """Return the engine's account, its failure to give one, or None where there is no engine."""
    if not os.path.exists(path):
        installed = shutil.which("dockerd", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin")
        return {"error": "it is installed and does not run"} if installed else None
    connection = UnixConnection(path, timeout)
    try:
        return summary(get(connection, "/info"), get(connection, "/containers/json"))
    except (OSError, ValueError, http.client.HTTPException) as error:
        return {"error": str(error) or error.__class__.__name__}
    finally:
        connection.close()


def settled(path, wait):
    """Return the engine's account once no bootstrapper runs, and the seconds until then; after wait seconds as it is then.

    Ports and services of a host on which an installation goes on, cut off from its controller perhaps, are neither here nor there.
    """
    started = time.monotonic()
    while True:
        account = engine(path)
        waited = time.monotonic() - started
        if not (account or {}).get("bootstrappers") or waited >= wait:
            return account, waited
        time.sleep(_PAUSE)
