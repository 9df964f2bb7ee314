# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is checked before UCP is installed: the engine, memory, addresses and ports of the host, and the files that were given."""

from __future__ import annotations

import base64
import json

from .. import ucp_config_schema as schema
from ..dtr_tool.errors import Fatal
from ..ucp_config import NO_LICENSE, license_terms
from ..ucp_node import layout
from .run import CONFIG

MEMORY_BYTES = 8 * 10**9
KERNEL_SHARE = 0.9      # of a machine's memory; the rest is the kernel's own
# The documents' error text on blocked ports names these, beside the controller's, the swarm manager's and the Kubernetes API's.
FIXED_PORTS = [179, 6444, 10250, 12376, *range(12378, 12387)]
LICENSE_FILE = "/config/docker_subscription.lic"


def numbers(version: str) -> tuple:
    return tuple(int(part) for part in version.split("."))


def path_problem(present: str, target: str) -> str:
    """Why UCP cannot go from one version to the other; empty when it can (UCP docs, upgrade: 2.2 -> 3.0 -> 3.1 -> 3.2, no skipping)."""
    old, new = numbers(present), numbers(target)
    if new == old:
        return f"UCP {present} is installed already: there is nothing to upgrade"
    if new < old:
        return f"UCP {present} cannot be downgraded to {target}: use an image of a newer version, or restore a backup of {target}"
    steps = ["2.2", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5"]
    old_step, new_step = (".".join(map(str, version[:2])) for version in (old, new))
    if old_step not in steps or new_step not in steps or steps.index(new_step) - steps.index(old_step) > 1:
        following = steps[steps.index(old_step) + 1] if old_step in steps[:-1] else "the next version"
        return f"UCP {present} cannot be upgraded to {target} in one step: upgrade to {following} first"
    return ""


def check_memory(run, info: dict) -> None:
    """UCP docs, system requirements: 8 GB for a manager."""
    memory = info["MemTotal"]
    if memory >= MEMORY_BYTES * KERNEL_SHARE:
        return
    text = f"this node has {memory / 1e9:.1f} GB of memory, UCP's managers need {MEMORY_BYTES // 10**9} GB"
    if not run["force-minimums"]:
        raise Fatal(f"{text}: give it more, or run with --force-minimums")
    run.log.warn(text)


def host(run, address: str, ports: list[int]) -> str:
    """The host's address to advertise; raises `Fatal` on a wrong one and on ports that are taken."""
    code, output, errors = run.helper(
        "ucp-port-check", ["python3", "-m", "standin.ucp_node.host_check", address or "", *map(str, ports)], host_network=True)
    if code:
        raise Fatal(f"the host cannot be checked: {errors.strip()}")
    found = json.loads(output)
    own = ", ".join(found["addresses"])
    if not found["address"] and address:
        raise Fatal(f"--host-address {address} is neither an address nor an interface of this host; its addresses: {own}")
    if not found["address"]:
        raise Fatal(f"this host has several addresses ({own}): name the one that other nodes reach with --host-address")
    if found["blocked"]:
        raise Fatal(f"the following required ports are blocked on your host: {ranges(found['blocked'])}. Check your firewall settings")
    return found["address"]


def ranges(ports: list[int]) -> str:
    """"179, 443, 12378 - 12386"."""
    parts: list[list[int]] = []
    for port in sorted(ports):
        if parts and port == parts[-1][-1] + 1:
            parts[-1].append(port)
        else:
            parts.append([port])
    return ", ".join(f"{part[0]} - {part[-1]}" if len(part) > 2 else ", ".join(map(str, part)) for part in parts)


def ports(run) -> list[int]:
    return sorted({*FIXED_PORTS, run["controller-port"], run["swarm-port"], run["kube-apiserver-port"]})


def license_of(run) -> dict | None:
    """The license as a document, from --license, its variable or the documented file; None without one."""
    text, where = run["license"], "--license"
    if not text:
        try:
            with open(LICENSE_FILE) as file:
                text, where = file.read(), LICENSE_FILE
        except FileNotFoundError:
            return None
    try:
        document = json.loads(text)
    except ValueError:
        hint = "; give the file's content, not its path" if where == "--license" else ""
        raise Fatal(f"{where} is not the content of a license file: it is no JSON{hint}") from None
    if not isinstance(document, dict) or not all(isinstance(document.get(name), str) and document[name] for name in NO_LICENSE):
        raise Fatal(f"{where} is not the content of a license file: {', '.join(NO_LICENSE)} have to be in it")
    if not license_terms(document):
        raise Fatal(f"{where} is not a valid license: its authorization cannot be read")
    return document


def configuration(run) -> dict:
    """UCP's configuration file at the start: the swarm's config with --existing-config, else the default one; options come on top."""
    document = schema.initial()
    if run["existing-config"]:
        found = run.engine.named("configs", CONFIG)
        if not found:
            raise Fatal(f"--existing-config: there is no swarm config {CONFIG}; create it, or leave the option out")
        document, wrong = schema.parse(base64.b64decode(found["Spec"]["Data"]).decode())
        if wrong:
            raise Fatal(f"--existing-config: the swarm config {CONFIG} is invalid: {'; '.join(wrong)}")
        return document
    cluster = document["cluster_config"]
    for flag in ("controller-port", "kube-apiserver-port", "swarm-port", "dns", "dns-opt", "dns-search", "kv-timeout", "kv-snapshot-count",
                 "pod-cidr", "service-cluster-ip-range", "nodeport-range"):
        cluster[flag.replace("-", "_")] = run[flag]
    cluster["profiling_enabled"] = run["enable-profiling"]
    for flag in ("external-service-lb", "cni-installer-url", "cloud-provider"):
        if run[flag]:
            cluster[flag.replace("-", "_")] = run[flag]
    document["tracking_configuration"].update(disable_tracking=run["disable-tracking"], disable_usageinfo=run["disable-usage"])
    return document


def web_certificates(run) -> None:
    """With --external-server-cert the volume holds what the documents ask for."""
    if not run["external-server-cert"]:
        return
    volume = layout.WEB_CERTS
    if not run.engine.volume(volume):
        raise Fatal(f"--external-server-cert: there is no volume {volume}; create it and lay ca.pem, cert.pem and key.pem into it")
    code, _output, errors = run.helper("ucp-certs-check", ["python3", "-m", "standin.ucp_node.web_check", "/web"], [f"{volume}:/web:ro"])
    if code:
        raise Fatal(f"--external-server-cert: volume {volume}: {errors.strip()}")
