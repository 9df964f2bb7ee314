# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`dump-certs`: the public certificates of the web interface, or those of the cluster."""

from __future__ import annotations

import io
import tarfile

from ...ucp_node import layout


def run(run) -> None:
    run.demand_ucp()
    files = read_certificates(run, layout.CONTROLLER, "/ca" if run["cluster"] else "/web")
    ca, certificate = files["ca.pem"], files["node.pem" if run["cluster"] else "cert.pem"]
    print((ca if run["ca"] else ca + certificate).rstrip("\n"))


def read_certificates(run, container: str, folder: str) -> dict[str, str]:
    """Files by name of a folder in a container."""
    archive = run.engine.get(f"/containers/{container}/archive", query={"path": folder}, raw=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        return {member.name.rpartition("/")[2]: members.extractfile(member).read().decode() for member in members if member.isfile()}
