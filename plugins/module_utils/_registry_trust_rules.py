# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What a list of trusted registries may say: names, contradictions, and what deserves a warning.

Used on the controller before anything is touched, and again by the module, which may be called without the role.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from ansible.module_utils.parsing.convert_bool import boolean

DIALECTS = ("docker", "containers", "containerd", "system")
MIRROR_DIALECTS = ("docker", "containers", "containerd")
DOCKER_HUB = "docker.io"
DOCKER_HUB_ALIASES = ("index.docker.io", "registry-1.docker.io", "hub.docker.com")

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_NUMERIC = re.compile(r"[0-9.]+\Z")


@dataclass(frozen=True)
class Registry:
    """One entry of the list, as valid as `problems` says."""

    host: str
    port: int | None = None
    ca: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    insecure: bool = False
    mirror_of: tuple = ()
    absent: bool = False

    @property
    def name(self) -> str:
        """The name as it stands in an image reference, and so in every directory and list."""
        return authority(self.host, self.port)

    @property
    def has_client(self) -> bool:
        return bool(self.client_certificate or self.client_key)

    def works_in(self, dialect: str) -> bool:
        """Whether this entry changes anything for clients of that dialect."""
        if dialect == "system":
            return bool(self.ca)
        mirrors = DOCKER_HUB in self.mirror_of if dialect == "docker" else bool(self.mirror_of)
        return bool(self.ca or self.has_client or self.insecure or mirrors)


def authority(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def registry_of(entry: dict) -> Registry:
    """A Registry from one mapping whose host and port are sound; spellings are those Ansible accepts."""
    upstreams = entry.get("mirror_of") or ()
    return Registry(
        host=str(entry["host"]).strip("[]"),
        port=None if entry.get("port") is None else int(entry["port"]),
        ca=entry.get("ca") or None,
        client_certificate=entry.get("client_certificate") or None,
        client_key=entry.get("client_key") or None,
        insecure=boolean(entry.get("insecure") or False, strict=False),
        mirror_of=tuple(upstreams.split(",") if isinstance(upstreams, str) else upstreams),
        absent=entry.get("state") == "absent",
    )


def problems(entries: list, networks: list, dialects: list, where: str = "registries") -> list:
    """Everything that is wrong, each as one sentence with the place and the remedy."""
    found = []
    seen: dict = {}
    nets = [net for net in (_network(text) for text in networks) if net is not None]
    for index, entry in enumerate(entries):
        label = label_of(entry, index, where)
        own = _name_problems(entry)
        if not own:
            registry = registry_of(entry)
            key = registry.name.lower()
            if key in seen:
                own.append(f"is declared a second time (first in {seen[key]}); keep one entry per host and port")
            seen.setdefault(key, label)
            if not registry.absent:
                own += _contradictions(registry, nets, dialects)
        found += [f"{label}: {text}" for text in own]
    if networks and "docker" not in dialects:
        found.append("insecure networks are known to the Docker engine only; add 'docker' to the dialects or remove them")
    found += [f"insecure network '{text}': {why}" for text in networks for why in _network_problems(text)]
    return found


def label_of(entry: dict, index: int, where: str) -> str:
    host, port = entry.get("host"), entry.get("port")
    shown = f" ({host}{'' if port is None else ':' + str(port)})" if host else ""
    return f"{where}[{index}]{shown}"


def host_problem(host) -> str | None:
    if not isinstance(host, str) or not host:
        return "has no host; give the name or address that stands in image references"
    scheme, _separator, bare = host.rpartition("://")
    if scheme or "/" in bare:
        return f"host contains a {'scheme' if scheme else 'path'}; write the bare name: {bare.split('/')[0]}"
    if _address(host) is not None:
        return None
    if ":" in host:
        return "host contains a port; move it to the key 'port'"
    sound = _NAME.match(host) and not _NUMERIC.match(host) and len(host) <= 253
    return None if sound else f"host '{host}' is neither a DNS name nor an IP address"


def port_problem(port) -> str | None:
    if port is None:
        return None
    try:
        number = int(str(port))
    except ValueError:
        return f"port '{port}' is not a number"
    return None if 1 <= number <= 65535 else f"port {number} is out of range (1 to 65535)"


def warnings(registries: list, networks: list, dialects: list) -> list:
    """What works, but deserves a word at every run."""
    found = []
    live = [registry for registry in registries if not registry.absent]
    unverified = [registry.name for registry in live if registry.insecure] + list(networks)
    if unverified:
        found.append(f"TLS is not verified and plain HTTP is allowed for: {', '.join(unverified)}")
    for registry in live:
        ignored = [upstream for upstream in registry.mirror_of if upstream != DOCKER_HUB]
        if ignored and "docker" in dialects:
            found.append(
                f"{registry.name} is a mirror of {', '.join(ignored)} for the other dialects only: "
                "the Docker engine knows mirrors of docker.io alone"
            )
        if registry.ca and "docker" in dialects and _is_loopback(registry.host):
            found.append(f"{registry.name}: the Docker engine treats loopback addresses as insecure and never reads this CA")
    return found


def covering_network(addresses: list, networks: list) -> tuple | None:
    """The first (address, network) where an address lies in one of the networks."""
    for text in networks:
        net = _network(text)
        for address in addresses:
            if net is not None and _inside(ipaddress.ip_address(address), net):
                return address, text
    return None


def resolved_conflicts(registries: list, networks: list, resolve) -> tuple:
    """(errors, warnings) about names whose address lies in an insecure network: the engine never reads their certificates."""
    errors, warned = [], []
    for registry in registries:
        if registry.absent or not networks or not (registry.ca or registry.has_client):
            continue
        covered = covering_network(resolve(registry.host), networks)
        if covered:
            address, network = covered
            text = f"{registry.name} resolves to {address} in the insecure network {network}, so Docker never reads its certificates"
            (errors if registry.has_client else warned).append(text + "; narrow the network")
    return errors, warned


def _name_problems(entry: dict) -> list:
    found = [text for text in (host_problem(entry.get("host")), port_problem(entry.get("port"))) if text]
    if found or entry.get("port") is not None:
        return found
    host = entry["host"]
    if "." not in host and ":" not in host and host != "localhost":
        return [f"host '{host}' has neither a dot nor a port, and '{host}/app' means Docker Hub; give the port or the full name"]
    return []


def _contradictions(registry: Registry, networks: list, dialects: list) -> list:
    found = []
    if bool(registry.client_certificate) != bool(registry.client_key):
        missing = "client_key" if registry.client_certificate else "client_certificate"
        found.append(f"is half a client pair: {missing} is missing, and every pull would fail; give both or neither")
    if registry.insecure:
        if registry.has_client:
            found.append("is insecure and has a client certificate, which is never sent to an insecure registry; choose one")
        if registry.ca:
            found.append("is insecure and has a CA, which is never read for an insecure registry; choose one")
        if registry.mirror_of:
            found.append("is insecure and a mirror; give the mirror a CA instead")
    elif "docker" in dialects and (registry.ca or registry.has_client):
        found += _unread_by_docker(registry, networks)
    for upstream in registry.mirror_of:
        found += _mirror_problems(registry, upstream, dialects)
    if not found and not any(registry.works_in(dialect) for dialect in dialects):
        found.append(
            f"has no effect for the dialects {', '.join(dialects)}: give a CA, a client pair, insecure or mirror_of "
            "that they know (a registry with a publicly trusted certificate needs no entry)"
        )
    return found


def _unread_by_docker(registry: Registry, networks: list) -> list:
    if registry.has_client and _is_loopback(registry.host):
        return ["has a client certificate, but Docker treats loopback addresses as insecure and never sends it; use another name"]
    address = _address(registry.host)
    inside = [str(net) for net in networks if address is not None and _inside(address, net)]
    return [f"lies in the insecure network {inside[0]}, so its certificates are never read; narrow the network"] if inside else []


def _mirror_problems(registry: Registry, upstream: str, dialects: list) -> list:
    host, _colon, port = (upstream, "", "") if "/" in upstream else upstream.partition(":")
    why = host_problem(host) or port_problem(port or None)
    if why:
        return [f"mirror_of '{upstream}': {why}"]
    if upstream in DOCKER_HUB_ALIASES:
        return [f"mirror_of '{upstream}': image references say docker.io; write docker.io"]
    if upstream == registry.name:
        return [f"mirror_of '{upstream}': a registry cannot mirror itself"]
    if upstream != DOCKER_HUB and not {"containers", "containerd"}.intersection(dialects):
        return [f"mirror_of '{upstream}': the Docker engine knows mirrors of docker.io only; use the containers or containerd dialect"]
    return []


def _address(host: str):
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _inside(address, network) -> bool:
    return address.version == network.version and address in network


def _network(text):
    try:
        return ipaddress.ip_network(str(text))
    except ValueError:
        return None


def _network_problems(text) -> list:
    if "/" not in str(text):
        return ["has no prefix length; write a CIDR such as 10.20.0.0/16"]
    net = _network(text)
    if net is not None:
        return [] if net.prefixlen else ["covers every registry there is; name the networks of yours"]
    try:
        return [f"has host bits set; write {ipaddress.ip_network(str(text), strict=False)}"]
    except ValueError:
        return ["is not a CIDR; write one such as 10.20.0.0/16"]
