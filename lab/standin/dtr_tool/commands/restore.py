# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""restore: a new first replica with the metadata of a backup, which comes as a tar on stdin (DTR docs: restore)."""

from __future__ import annotations

import sys

from .. import archive, cluster
from ..errors import Fatal
from ..session import Session
from . import install


def run(product, values, log) -> None:
    if sys.stdin.isatty():
        raise Fatal("The backup is read from standard input, which is a terminal: run the container with -i, without -t, "
                    "and redirect the file to it")
    log.info("Beginning Docker Trusted Registry restore")
    backup = archive.read(sys.stdin.buffer, product.version)   # to its end: nothing is touched unless all of it is there
    session = Session.connect(product, values, log)
    if session.replicas:
        raise Fatal(f"UCP has DTR still; it contains the replicas: {cluster.listed(session.replicas)}. "
                    "Run `destroy` for each of them first")
    place = install.choose(session)
    install.first_replica(session, place, backup)
    log.info("Restore is complete; images are not part of a backup")
    log.info(f"Replica ID is set to: {place.id}")
