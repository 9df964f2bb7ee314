# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A root, an intermediate, good certificates and one of each bad kind, in the directory given."""

from __future__ import annotations

import os
import pathlib
import sys

from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.certificate_factory import authority, make

NAME = "registry-1.lab.test"


def main(directory):
    os.umask(0o077)
    directory.mkdir(parents=True, exist_ok=True)
    root = authority("Lab root")
    intermediate = authority("Lab intermediate", issuer=root)
    pairs = {
        "root": root,
        "intermediate": intermediate,
        "leaf": make(NAME, intermediate, [NAME]),
        "renewed": make(NAME, intermediate, [NAME, "*.registry-1.lab.test"]),
        "expired": make(NAME, intermediate, [NAME], starts=-30, days=-1),
        "ending": make(NAME, intermediate, [NAME], days=3),
        "elsewhere": make("elsewhere.lab.test", intermediate, ["elsewhere.lab.test", "*.lab.example"]),
        "stranger": make(NAME, authority("Stranger root"), [NAME]),
    }
    for name, pair in pairs.items():
        (directory / f"{name}.pem").write_text(pair.pem)
        (directory / f"{name}.key").write_text(pair.key_pem())
    (directory / "unordered.pem").write_text(intermediate.pem + pairs["leaf"].pem)
    (directory / "locked.key").write_text(pairs["renewed"].key_pem("open sesame"))
    (directory / "complete").touch()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
