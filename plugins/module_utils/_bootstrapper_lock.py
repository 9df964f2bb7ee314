# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""One run of a bootstrapper at a time on a host: a lock for runs of ours, and a look at the engine for those that outlived us."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import EngineError

LABEL = "dockyard.trusted_registry.bootstrapper"
DIRECTORY = "/run/lock"
_PAUSE = 1.0   # seconds between two looks


class Busy(Exception):
    """Somebody else's run is under way; one sentence."""


@contextmanager
def exclusive(kind, engine, wait, directory=DIRECTORY):
    """Hold the host's only run of a kind ("ucp", "dtr"); Busy when it is not free within wait seconds.

    A run of ours that was cut off goes on in its container, so its end is waited for; what is left of a dead one is removed.
    """
    deadline = time.monotonic() + wait
    path = os.path.join(directory, f"dockyard-{kind}.lock")
    with open(path, "a+", encoding="utf-8") as file:
        os.chmod(path, 0o600)
        while not _taken(file):
            if time.monotonic() >= deadline:
                raise Busy(f"another run on {engine.host} has held {path} for {_age(os.stat(path).st_mtime)}: let it end, then run again.")
            time.sleep(_PAUSE)
        os.utime(path)
        clear(kind, engine, deadline)
        yield


def clear(kind, engine, deadline):
    """Wait for runs of ours to end, remove their remains, refuse a run that somebody else started. deadline: of time.monotonic()."""
    while True:
        running = [one for one in _runs(kind, engine) if not _dismissed(one, engine, kind)]
        if not running:
            return
        foreign = [one for one in running if (one.get("Labels") or {}).get(LABEL) != kind]
        if foreign or time.monotonic() >= deadline:
            raise Busy(_told((foreign or running)[0], engine.host))
        time.sleep(_PAUSE)


def _taken(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _runs(kind, engine):
    """Containers of runs of this kind: those with our label and, for UCP, the one that has the only name it accepts."""
    return [one for one in engine.containers()
            if (one.get("Labels") or {}).get(LABEL) == kind or (kind == "ucp" and "/ucp" in (one.get("Names") or []))]


def _dismissed(one, engine, kind):
    """Whether it is over, and now removed. A dead container of another image is not ours to remove."""
    if one["State"] in ("running", "paused", "restarting", "removing"):
        return False
    if (one.get("Labels") or {}).get(LABEL) != kind and _repository(one["Image"]) != "ucp":
        return False
    try:
        engine.call("DELETE", f"/containers/{one['Id']}", force=True)
    except EngineError as error:
        if error.status not in (404, 409):   # gone, or going, by its own --rm
            raise
    return True


def _repository(image):
    return image.rpartition("/")[2].partition(":")[0]


def _told(one, host):
    name = (one.get("Names") or ["/?"])[0].lstrip("/")
    return (f"container {name} ({one['Image']}, {one.get('Command', '')[:60]!r}) is {one['State']} on {host} since "
            f"{_age(one.get('Created', 0))}: only one run at a time is possible. Let it end, or end it with \"docker rm --force {name}\", "
            "then run again.")


def _age(since):
    seconds = max(0, int(time.time() - since))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
