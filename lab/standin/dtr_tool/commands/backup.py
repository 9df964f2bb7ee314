# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""backup: the metadata as a tar on stdout; log lines go to stderr (DTR docs: backup)."""

from __future__ import annotations

import sys

from .. import archive, deploy
from ..errors import Fatal
from ..session import Session


def run(product, values, log) -> None:
    if sys.stdout.isatty():
        raise Fatal("The backup is written to standard output, which is a terminal: run the container without -t and redirect its "
                    "output to a file")
    log.info("Beginning Docker Trusted Registry backup")
    session = Session.connect(product, values, log)
    origin = session.existing()
    session.check_version(origin.id, origin.version)
    stopped = values.get("offline-backup")
    _status, _health, found = session.check_healthy(origin, [] if stopped else [{"do": "export"}])
    export = offline(session, origin) if stopped else found[0]
    log.info("Writing the backup")
    archive.write(sys.stdout.buffer, export, product.version)
    log.info("Backup is complete")


def offline(session, origin) -> dict:
    """The replica's database stands still meanwhile, and starts again whatever happens."""
    place, identity = session.place_of(origin), origin.containers["rethinkdb"]["id"]
    session.log.info(f"Stopping dtr-rethinkdb-{origin.id}")
    session.engine.stop(identity)
    try:
        return session.helper.run(place, [{"do": "export_offline"}], data=True, as_database=True)[0]
    finally:
        session.log.info(f"Starting dtr-rethinkdb-{origin.id}")
        session.engine.start(identity)
        deploy.wait(session, place)
