# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of the data plane say and do."""

from __future__ import annotations

import subprocess

import images
from standin_fixture import PASSWORD, Client


class Site:
    """A stand-in with a data plane, its administrator's client, and the words that tests of it need."""

    def __init__(self, standin, folder):
        self.standin, self.folder = standin, folder
        self.dtr = Client(standin.dtr_url, standin.ca_file, standin.admin[0])
        self.files = standin.registry.files

    def repository(self, path: str, **fields) -> None:
        namespace, _slash, name = path.partition("/")
        self.dtr("POST", f"/api/v0/repositories/{namespace}", 201, json={"name": name, **fields})

    def user(self, name: str) -> tuple[str, str]:
        """A new user's name and password."""
        self.dtr("POST", "/enzi/v0/accounts/", 201, json={"name": name, "password": PASSWORD})
        return name, PASSWORD

    def organization(self, name: str) -> None:
        self.dtr("POST", "/enzi/v0/accounts/", 201, json={"name": name, "isOrg": True})

    def team(self, org: str, team: str, *members: str) -> None:
        self.dtr("POST", f"/enzi/v0/accounts/{org}/teams", 201, json={"name": team})
        for member in members:
            self.dtr("PUT", f"/enzi/v0/accounts/{org}/teams/{team}/members/{member}", json={})

    def grant(self, path: str, team: str, level: str) -> None:
        self.dtr("PUT", f"/api/v0/repositories/{path}/teamAccess/{team}", json={"accessLevel": level})

    def settings(self, **values) -> None:
        self.dtr("POST", "/api/v0/meta/settings", 202, json=values)
        assert {name: self.dtr("GET", "/api/v0/meta/settings").json()[name] for name in values} == values

    def session(self, path: str, auth: tuple[str, str] | None = None, actions: str = "pull,push") -> images.Session:
        return images.Session(self.standin, path, auth or self.standin.admin, actions)

    def push(self, reference: str, content: images.Image, auth: tuple[str, str] | None = None) -> str:
        return images.push(self.standin, reference, content, auth)

    def tags(self, path: str) -> list[str]:
        return [tag["name"] for tag in self.dtr("GET", f"/api/v0/repositories/{path}/tags?pageSize=1000").json()]

    def get(self, path: str) -> dict:
        return self.dtr("GET", f"/api/v0/repositories/{path}").json()

    def collect(self, **arguments) -> tuple[dict, list[str]]:
        """What garbage collection removed, and its log."""
        lines: list[str] = []
        return self.standin.run(self.standin.gc.run(lines.append, **arguments)), lines

    def skopeo(self, verb: str, *arguments: str, auth: tuple[str, str] | None = None, side: str = "") -> subprocess.CompletedProcess:
        """`side`: "src-" or "dest-", where the command takes options for both."""
        certificates = self.folder / "certs"
        certificates.mkdir(exist_ok=True)
        (certificates / "ca.crt").write_text(self.standin.authority.pem)
        who = [f"--{side}creds", ":".join(auth)] if auth else [f"--{side}no-creds"]
        command = ["skopeo", verb, f"--{side}cert-dir", str(certificates), *who, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def skopeo_push(self, reference: str, content: images.Image, auth: tuple[str, str] | None) -> subprocess.CompletedProcess:
        source = images.write_folder(self.folder / content.digest[7:19], content)
        return self.skopeo("copy", "--all", source, f"docker://{self.standin.dtr_name}/{reference}", auth=auth, side="dest-")

    def skopeo_pull(self, reference: str, auth: tuple[str, str] | None) -> subprocess.CompletedProcess:
        target = f"dir:{self.folder / 'pulled'}"
        return self.skopeo("copy", "--all", f"docker://{self.standin.dtr_name}/{reference}", target, auth=auth, side="src-")
