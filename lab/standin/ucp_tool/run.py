# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the tool: its options, the node's engine, the images, and helpers in containers."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import time

from .. import product_images
from ..dtr_tool.errors import Fatal
from ..engine.client import SOCKET, Engine, EngineError
from ..ucp_node import layout
from ..ucp_node.layout import Product, Settings
from . import flags

WAIT_SECONDS = 600.0
CONFIG = "com.docker.ucp.config"
NO_SOCKET = (
    "unable to get valid Docker client: unable to ping Docker daemon: {problem} - If SELinux is enabled on the Docker daemon, "
    'make sure you run UCP with "docker run --security-opt label=disable -v /var/run/docker.sock:/var/run/docker.sock ..."'
)


class Run:
    """`values` by flag. `engine` is the node's own; asking for it checks that the container was started as documented."""

    def __init__(self, command: str, values: dict, environ: dict, log):
        self.command, self.values, self.log = command, values, log
        self.product = Product(environ["STANDIN_PRODUCT_VERSION"], environ["STANDIN_ORG"])
        self._engine: Engine | None = None

    def __getitem__(self, flag: str):
        return self.values[flag]

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            engine = Engine()
            try:
                engine.get("/_ping", raw=True)
            except EngineError as problem:
                text = str(problem) if os.path.exists(SOCKET) else f"{SOCKET} is not there; mount it with -v {SOCKET}:{SOCKET}"
                raise Fatal(NO_SOCKET.format(problem=text)) from None
            self._check_name(engine)
            self._engine = engine
        return self._engine

    def _check_name(self, engine: Engine) -> None:
        own = engine.container(_own_container()) or {}
        if own.get("Name") != "/ucp" and self.command not in flags.FREE_STANDING:
            raise Fatal(f"this container is named {own.get('Name', '?').lstrip('/')!r}: run the tool with --name ucp")
        self.container = own

    # Swarm and UCP

    def info(self) -> dict:
        return self.engine.get("/info")

    def demand_manager(self) -> dict:
        """The engine's document; this has to be a manager of a swarm."""
        info = self.info()
        if not info["Swarm"].get("ControlAvailable"):
            raise Fatal(f"{info['Name']} is not a swarm manager: run this on a manager node")
        return info

    def service(self, name: str = layout.MANAGER_AGENT) -> dict | None:
        return self.engine.named("services", name)

    def demand_ucp(self) -> dict:
        """The service of the managers' agents, which every UCP has."""
        self.demand_manager()
        service = self.service()
        if not service:
            raise Fatal("UCP is not installed in this swarm")
        return service

    def settings_of(self, service: dict) -> Settings:
        environment = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"]
        return Settings.of(next(line.partition("=")[2] for line in environment if line.startswith(f"{layout.SETTINGS}=")))

    # Images

    def images(self) -> list[str]:
        return product_images.names("ucp", self.product.version, self.product.organisation)

    def provide_images(self) -> None:
        """As --pull says; raises `Fatal` that names those that cannot be had."""
        self.log.info("Checking required container images")
        how, failed = self["pull"], {}
        present = {name: bool(self.engine.image(name)) for name in self.images()}
        wanted = [name for name in self.images() if how == "always" or not present[name]]
        if how == "never" and wanted:
            raise Fatal(f"Missing required images: {', '.join(wanted)}; load them on this node (docker load), or run with --pull missing")
        if wanted:
            self.log.info("Pulling required images... (this may take a while)")
        for name in wanted:
            self.log.info(f"Pulling image: {name}")
            try:
                self._pull(name)
            except EngineError as problem:
                failed[name] = str(problem)
        if failed:
            reason = next(iter(failed.values()))
            raise Fatal(f"Unable to pull the required images {', '.join(failed)}: {reason}; load them on every node (docker load)")

    def _pull(self, name: str) -> None:
        account = {"username": self["registry-username"] or "", "password": self["registry-password"] or ""}
        header = {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(account).encode()).decode()} if account["username"] else {}
        image, _colon, tag = name.rpartition(":")
        answer = self.engine.post("/images/create", query={"fromImage": image, "tag": tag}, raw=True, timeout=600, headers=header)
        failures = [line["error"] for line in map(json.loads, answer.splitlines()) if "error" in line]
        if failures:
            raise EngineError(500, failures[0])

    # Helpers

    def helper(self, name: str, command: list[str], binds=(), *, given=None, host_network=False, timeout=60.0) -> tuple[int, bytes, str]:
        """Runs UCP's own code in a container on this node: (exit code, stdout, stderr)."""
        document = {
            "Image": self.product.image("ucp-agent"), "Cmd": command,
            "HostConfig": {"Binds": list(binds), **({"NetworkMode": "host"} if host_network else {})},
        }
        return self.engine.run(name, document, given, timeout)

    def admin(self, *words: str, given: dict | None = None, timeout: float = 60.0):
        """An action on UCP's store (standin.cluster.admin); raises `Fatal` with what it says."""
        shell = ["sh", "-c", 'exec python3 -m standin.cluster.admin /ca/config.json --timeout 30 "$@" </run/given', "admin", *words]
        binds = [f"{layout.STORE_CERTS}:/ca"]
        code, output, errors = self.helper("ucp-admin", shell, binds, given=json.dumps(given or {}), timeout=timeout)
        if code:
            raise Fatal(f"UCP's store: {errors.strip().splitlines()[-1] if errors.strip() else f'exit code {code}'}")
        return json.loads(output)

    def wait(self, what: str, ready, seconds: float = WAIT_SECONDS) -> None:
        """Until `ready()` gives "" instead of what is missing; raises `Fatal` with the last that was missing."""
        limit = time.monotonic() + seconds
        while missing := ready():
            if time.monotonic() > limit:
                raise Fatal(f"{what} took longer than {int(seconds)} s: {missing}")
            time.sleep(1)


def _own_container() -> str:
    """The id of the container this runs in: its host name, unless it shares the host's."""
    host = socket.gethostname()
    if re.fullmatch(r"[0-9a-f]{12}", host):
        return host
    with open("/proc/self/mountinfo") as mounts:
        found = re.search(r"/containers/([0-9a-f]{64})/", mounts.read())
    return found.group(1) if found else host
