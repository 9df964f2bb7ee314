# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are on UCP's nodes, named as the documents do (UCP docs, architecture and system requirements)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os

from ..product_images import image

SETTINGS = "STANDIN_SETTINGS"
PROXY, STORE, API, CONTROLLER = "ucp-proxy", "ucp-auth-store", "ucp-auth-api", "ucp-controller"
MANAGER_ONLY = (CONTROLLER, API, STORE)   # in the order in which they are stopped
PROXY_PORT, STORE_PORT, PEER_PORT, API_PORT = 12376, 12383, 12384, 12385
NODE_CERTS = "ucp-node-certs"
STORE_CERTS, API_CERTS, CONTROLLER_CERTS = "ucp-auth-store-certs", "ucp-auth-api-certs", "ucp-controller-client-certs"
WEB_CERTS, STORE_DATA = "ucp-controller-server-certs", "ucp-auth-store-data"
CLIENT_CA, CLUSTER_CA = "ucp-client-root-ca", "ucp-cluster-root-ca"
IDENTITIES = (NODE_CERTS, STORE_CERTS, API_CERTS, CONTROLLER_CERTS)
MANAGER_VOLUMES = (*IDENTITIES, WEB_CERTS, CLIENT_CA, CLUSTER_CA, STORE_DATA)
AUTHORITIES = (CLUSTER_CA, CLIENT_CA)      # secrets of the swarm carry them to every manager
MANAGER_AGENT, WORKER_AGENT = "ucp-manager-agent", "ucp-worker-agent"
BOOTSTRAPPED = "com.docker.ucp.bootstrapped"   # label of the cluster authority's secret: the store has been made
VERSION_LABEL, INSTANCE_LABEL, SPEC_LABEL = "com.docker.ucp.version", "com.docker.ucp.InstanceID", "com.docker.ucp.spec"
SANS_LABEL, HOLD_LABEL, PAUSE_LABEL = "com.docker.ucp.SANs", "com.docker.ucp.upgrade-hold", "com.docker.ucp.agent-pause"
EXTENSION = "standin.engine.extension"
STORE_ADMIN = ["python3", "-m", "standin.cluster.admin", "/ca/config.json"]   # in the store's container
SECOND = 10**9   # of the engine's durations


@dataclasses.dataclass
class Settings:
    """What every agent knows. `id`: of the swarm and of UCP; `first`: node that makes the store; `root`: the engines' data folder."""

    id: str
    first: str
    root: str = "/var/lib/docker"
    controller_port: int = 443
    kube_apiserver_port: int = 6443
    swarm_port: int = 2376
    dns: list[str] = dataclasses.field(default_factory=list)
    dns_opt: list[str] = dataclasses.field(default_factory=list)
    dns_search: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Settings:
        return cls(**json.loads(text))

    def text(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


@dataclasses.dataclass
class Product:
    """Which images a process comes from and starts."""

    version: str
    organisation: str

    @classmethod
    def own(cls) -> Product:
        return cls(os.environ["STANDIN_PRODUCT_VERSION"], os.environ["STANDIN_ORG"])

    def image(self, component: str) -> str:
        return image(component, self.version, self.organisation)


def proxy(product: Product, settings: Settings) -> dict:
    binds = [
        "/var/run/docker.sock:/var/run/docker.sock",
        f"{settings.root}/swarm:/swarm:ro",
        "/etc/docker:/etc/docker",
        f"{NODE_CERTS}:/ca",
    ]
    making = Making(product, settings)
    return making.document(PROXY, "ucp-agent", ["standin.ucp_node.proxy"], binds=binds, ports={2376: PROXY_PORT})


def managers_containers(product: Product, settings: Settings) -> dict[str, dict]:
    """name -> the document that makes the container, in the order in which they are started."""
    config, making = "/ca/config.json", Making(product, settings)
    return {
        STORE: making.document(
            STORE, "ucp-auth-store", ["standin.cluster.member", config],
            binds=[f"{STORE_CERTS}:/ca", f"{STORE_DATA}:/data"], ports={STORE_PORT: STORE_PORT, PEER_PORT: PEER_PORT}),
        API: making.document(
            API, "ucp-auth", ["standin.cluster.backend", config], ports={API_PORT: API_PORT}, environment=[f"{SETTINGS}={settings.text()}"],
            binds=[
                f"{API_CERTS}:/ca", f"{WEB_CERTS}:/web", f"{CLIENT_CA}:/client-root-ca:ro", f"{CLUSTER_CA}:/cluster-root-ca:ro",
                "/var/run/docker.sock:/var/run/docker.sock", f"{settings.root}/swarm:/swarm:ro",
            ]),
        CONTROLLER: making.document(
            CONTROLLER, "ucp-controller", ["standin.cluster.front", config], ports={8080: settings.controller_port},
            binds=[f"{CONTROLLER_CERTS}:/ca", f"{WEB_CERTS}:/web", f"{CLIENT_CA}:/client-root-ca:ro"]),
    }


@dataclasses.dataclass
class Making:
    """Documents of containers as the engine wants them."""

    product: Product
    settings: Settings

    def document(self, name: str, component: str, command: list[str], *, binds: list[str], ports: dict[int, int], environment=()) -> dict:
        settings = self.settings
        host = {
            "Binds": binds, "RestartPolicy": {"Name": "unless-stopped"},
            "PortBindings": {f"{inside}/tcp": [{"HostIp": "", "HostPort": str(outside)}] for inside, outside in ports.items()},
            "Dns": settings.dns, "DnsOptions": settings.dns_opt, "DnsSearch": settings.dns_search,
        }
        document = {
            "Image": self.product.image(component), "Cmd": ["python3", "-m", *command], "Env": list(environment), "HostConfig": host,
            "ExposedPorts": {f"{inside}/tcp": {} for inside in ports},
            "Labels": {VERSION_LABEL: self.product.version, INSTANCE_LABEL: settings.id, "com.docker.ucp.container": name},
        }
        document["Labels"][SPEC_LABEL] = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]
        return document


def service(role: str, product: Product, settings: Settings, secrets: list[dict] = ()) -> dict:
    """The agents of one role, "manager" or "worker", as a global service; `secrets`: of the authorities, as `service create` wants them."""
    manager = role == "manager"
    mounts = [{"Type": "bind", "Source": "/var/run/docker.sock", "Target": "/var/run/docker.sock"}]
    mounts += [{"Type": "volume", "Source": name, "Target": f"/v/{name}"} for name in (MANAGER_VOLUMES if manager else (NODE_CERTS,))]
    fresh = "[ $(( $(date +%s) - $(cat /tmp/converged) )) -lt 60 ]"
    # A task counts as running when the node has become what it should be, so that an update goes from node to node.
    health = {"Test": ["CMD-SHELL", fresh], "Interval": 5 * SECOND, "Timeout": 10 * SECOND, "StartPeriod": 900 * SECOND, "Retries": 100}
    container = {
        "Image": product.image("ucp-agent"), "Command": ["python3", "-m", "standin.ucp_node.agent", role], "Mounts": mounts,
        "Env": [f"{SETTINGS}={settings.text()}"], "Secrets": list(secrets), "Healthcheck": health,
        "Labels": {VERSION_LABEL: product.version},
    }
    constraints = [f"node.role=={role}", *([] if manager else [f"node.labels.{HOLD_LABEL}!=true"])]
    return {
        "Name": MANAGER_AGENT if manager else WORKER_AGENT,
        "Labels": {VERSION_LABEL: product.version, INSTANCE_LABEL: settings.id},
        "Mode": {"Global": {}},
        "TaskTemplate": {
            "ContainerSpec": container, "Placement": {"Constraints": constraints},
            "RestartPolicy": {"Condition": "any", "Delay": 2 * SECOND},
        },
        "UpdateConfig": {"Parallelism": 1 if manager else 2, "Order": "stop-first", "FailureAction": "pause"},
    }
