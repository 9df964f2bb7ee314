# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""From a list of registries to the files each client family reads. Pure: nothing here looks at the host."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_rules import DOCKER_HUB

# A HOST file lives in the directory named after one registry, which changes as a whole; the other kinds stand alone,
# and a change of theirs has to be announced (see the actions of the host layer).
HOST, CONF, ANCHOR = "host", "conf", "anchor"

HEADER = "# Written by dockyard.trusted_registry.registry_trust; changes made here are put back.\n"
CONF_NAME = "50-dockyard-registry-trust.conf"
ANCHOR_PREFIX = "dockyard-registry-"
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True)
class File:
    content: str
    kind: str
    secret: bool = False

    @property
    def mode(self) -> int:
        return 0o600 if self.secret else 0o644

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content.encode()).hexdigest()


@dataclass(frozen=True)
class Places:
    """Where each dialect looks."""

    docker: str = "/etc/docker/certs.d"
    containers: str = "/etc/containers"
    containerd: str = "/etc/containerd/certs.d"
    anchors: str = "/usr/local/share/ca-certificates"


@dataclass
class Desired:
    files: dict = field(default_factory=dict)
    lists: dict = field(default_factory=dict)
    absent_lists: dict = field(default_factory=dict)
    absent_directories: list = field(default_factory=list)


def desired_state(registries: list, networks: list, dialects: list, places: Places) -> Desired:
    """Every file of every dialect, and the members the Docker engine's own lists must and must not have."""
    live = [registry for registry in registries if not registry.absent]
    gone = [registry for registry in registries if registry.absent]
    desired = Desired()
    if "docker" in dialects:
        desired.files.update(_certificates(live, places.docker))
        desired.lists = docker_lists(live, networks)
        desired.absent_lists = {
            "insecure-registries": [registry.name for registry in gone],
            "registry-mirrors": [mirror_url(registry) for registry in gone],
        }
        desired.absent_directories += [os.path.join(places.docker, registry.name) for registry in gone]
    if "containers" in dialects:
        directory = os.path.join(places.containers, "certs.d")
        desired.files.update(_certificates(live, directory))
        conf = registries_conf(live)
        if conf:
            desired.files[os.path.join(places.containers, "registries.conf.d", CONF_NAME)] = File(conf, CONF)
        desired.absent_directories += [os.path.join(directory, registry.name) for registry in gone]
    if "containerd" in dialects:
        desired.files.update(_certificates(live, places.containerd))
        desired.files.update(_hosts_files(live, places.containerd))
        desired.absent_directories += [os.path.join(places.containerd, registry.name) for registry in gone]
    if "system" in dialects:
        desired.files.update(_anchors(live, places.anchors))
    return desired


def docker_lists(registries: list, networks: list) -> dict:
    return {
        "insecure-registries": [registry.name for registry in registries if registry.insecure] + list(networks),
        "registry-mirrors": [mirror_url(registry) for registry in registries if DOCKER_HUB in registry.mirror_of],
    }


def mirror_url(registry) -> str:
    return f"https://{registry.name}"


def registries_conf(registries: list) -> str | None:
    """registries.conf.d for podman, skopeo, buildah and CRI-O; one section per name, as a repeated prefix is an error."""
    mirrors = _mirrors_by_upstream(registries)
    insecure = [registry.name for registry in registries if registry.insecure]
    sections = []
    for name in insecure + [upstream for upstream in mirrors if upstream not in insecure]:
        lines = ["[[registry]]", f"prefix = {_quoted(name)}", f"location = {_quoted(name)}"]
        lines += ["insecure = true"] if name in insecure else []
        for mirror in mirrors.get(name, []):
            lines += ["", "[[registry.mirror]]", f"location = {_quoted(mirror.name)}"]
        sections.append("\n".join(lines) + "\n")
    return HEADER + "\n" + "\n".join(sections) if sections else None


def hosts_toml(name: str, registry, mirrors: list, directory: str) -> str:
    """containerd's hosts.toml for one name: the mirrors in order, then the server itself."""
    insecure = registry is not None and registry.insecure
    server = "registry-1.docker.io" if name == DOCKER_HUB else name
    lines = [f"server = {_quoted(('http://' if insecure else 'https://') + server)}"]
    if registry is not None:
        lines += _tls_lines(registry, directory)
    for mirror in mirrors:
        lines += ["", f"[host.{_quoted('https://' + mirror.name)}]", '  capabilities = ["pull", "resolve"]']
        lines += ["  " + line for line in _tls_lines(mirror, directory)]
    if insecure:
        # Like Docker: TLS without verification is tried before plain HTTP.
        lines += ["", f"[host.{_quoted('https://' + name)}]", '  capabilities = ["pull", "resolve"]', "  skip_verify = true"]
    return HEADER + "\n" + "\n".join(lines) + "\n"


def _certificates(registries: list, directory: str) -> dict:
    files = {}
    for registry in registries:
        own = os.path.join(directory, registry.name)
        if registry.ca:
            files[os.path.join(own, "ca.crt")] = File(tidy_pem(registry.ca), HOST)
        if registry.has_client:
            files[os.path.join(own, "client.cert")] = File(tidy_pem(registry.client_certificate), HOST)
            files[os.path.join(own, "client.key")] = File(tidy_pem(registry.client_key), HOST, secret=True)
    return files


def _hosts_files(registries: list, directory: str) -> dict:
    mirrors = _mirrors_by_upstream(registries)
    own = {registry.name: registry for registry in registries}
    return {
        os.path.join(directory, name, "hosts.toml"): File(hosts_toml(name, own.get(name), mirrors.get(name, []), directory), HOST)
        for name in list(own) + [upstream for upstream in mirrors if upstream not in own]
    }


def _anchors(registries: list, directory: str) -> dict:
    """One file per distinct certificate, as the tools of the store expect; named by content, so that registries share it."""
    files = {}
    for registry in registries:
        for match in _PEM.finditer(registry.ca or ""):
            anchor = File(tidy_pem(match.group(0)), ANCHOR)
            files[os.path.join(directory, f"{ANCHOR_PREFIX}{anchor.sha256[:16]}.crt")] = anchor
    return files


def _tls_lines(registry, directory: str) -> list:
    own = os.path.join(directory, registry.name)
    lines = [f"ca = {_quoted(os.path.join(own, 'ca.crt'))}"] if registry.ca else []
    if registry.has_client:
        pair = ", ".join(_quoted(os.path.join(own, name)) for name in ("client.cert", "client.key"))
        lines.append(f"client = [[{pair}]]")
    return lines


def _mirrors_by_upstream(registries: list) -> dict:
    found: dict = {}
    for registry in registries:
        for upstream in registry.mirror_of:
            found.setdefault(upstream, []).append(registry)
    return found


def tidy_pem(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def _quoted(text: str) -> str:
    # A TOML basic string and a JSON string are written alike for the names that reach this point.
    return json.dumps(text)
