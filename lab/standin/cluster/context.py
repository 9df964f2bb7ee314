# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in as one product's leader: the same services, over documents in etcd and a Distribution beside it."""

from __future__ import annotations

import base64
import dataclasses
import pathlib
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp

from .. import parts
from ..errors import Refused
from ..options import Options
from ..pins import Pins
from ..registry import Registry
from ..registry_files import Files
from ..standin import Standin
from ..tls import Authority, Listener
from .config import Config, address, private_folder
from .etcd import Client, EtcdError
from .pki import write_private
from .replicas import health, known
from .store import KINDS_OF_UCP, CombinedStore, EtcdStore, Mirror

# What a front adds to a request; only what came over mutual TLS is believed.
CERTIFICATE_HEADER = "X-Standin-Client-Certificate"
ADDRESS_HEADER = "X-Standin-Client-Address"
SERVICE = "dtr"          # issuer and audience of registry tokens, the same whoever leads
RENAME_SECONDS = 1.0     # between the end of a team's old name and its new one, at most


@dataclasses.dataclass
class ClusterContext:
    """The cluster as services and extensions see it."""

    config: Config
    client: Client
    is_leader: bool = False


class MetadataListener(Listener):
    """The certificate that all fronts serve: kept with the documents."""

    def __init__(self, folder: pathlib.Path, name: str, store):
        super().__init__(folder, name)
        self._store = store

    def install(self, certificate: str, key: str) -> None:
        super().install(certificate, key)
        authority = self._store.get("settings", "dtr")["webTLSCA"]
        self._store.put("tls", "web", {"certificate": certificate, "key": key, "ca": authority})


class RemoteRegistry(Registry):
    """Distribution in a container of its own; its folder is there too."""

    def __init__(self, standin):
        super().__init__(standin)
        self.config: Config = standin.cluster.config
        self.folder = pathlib.Path(self.config.registry.storage)
        self.files = Files(self.folder)
        self.pins = Pins(standin.clock, standin.store)
        self.base = f"https://{self.config.registry.advertise}"

    async def start(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self.config.client_context(), limit=0)
        self.session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None), auto_decompress=False)

    async def stop(self) -> None:
        if self.session:
            await self.session.close()
            self.session = None


class ClusterStandin(Standin):
    """`still_leading`: see election.py; `lost(why)` ends the process."""

    def __init__(self, config: Config, client: Client, still_leading: list[dict], lost: Callable[[str], None]):
        self.product = config.product
        self.cluster = ClusterContext(config, client, True)
        self._still_leading, self._lost = still_leading, lost
        self._mirror: Mirror | None = None
        self._former_teams: dict[str, dict] = {}
        super().__init__(Options(
            state=private_folder(config.state), password="", dtr_host=SERVICE, version=config.version, ucp_version=config.version,
            replica_id=config.id, dtr_node=config.node, settings_delay=0.2,
        ))

    def service_classes(self) -> dict:
        return {**parts.SERVICES, "registry": RemoteRegistry}

    def _make_store(self):
        config = self.cluster.config
        own = EtcdStore(self.cluster.client, self._still_leading, self._lost)
        if config.product == "ucp":
            return own
        settings, web = own.get("settings", "dtr"), own.get("tls", "web")
        if web["ca"] != settings["webTLSCA"]:   # replaced from outside (admin.py)
            own.put("settings", "dtr", {**settings, "webTLSCA": web["ca"]})
        client = client_of_ucp(own.get("ucp", "ucp")["store"], private_folder(f"{config.state}/ucp"))
        self._mirror = Mirror(client, KINDS_OF_UCP, self._changed_in_ucp)
        return CombinedStore(own, self._mirror)

    def _make_tls(self) -> None:
        config = self.cluster.config
        if config.product == "ucp":
            self.authority, self.listeners = Authority(pathlib.Path(config.client_ca), "UCP Client Root CA"), {}
            return
        folder = private_folder(f"{config.state}/tls")
        for kind, name in (("ca", "ca"), ("token", "token"), ("web", "dtr")):
            pair = self.store.get("tls", kind)
            write_private(folder / f"{name}.pem", pair["certificate"])
            write_private(folder / f"{name}-key.pem", pair["key"])
        self.authority = Authority(folder, "DTR CA")
        self.listeners = {"dtr": MetadataListener(folder, "dtr", self.store)}
        self.listeners["dtr"].load()

    # Names and addresses

    @property
    def dtr_name(self) -> str:
        return self.store.get("settings", "dtr")["dtrHost"]

    dtr_host = dtr_name

    @property
    def ucp_name(self) -> str:
        """As DTR was told, or of the manager that leads."""
        if self.product == "dtr":
            return urlsplit(self.store.get("ucp", "ucp")["url"]).netloc
        config = self.cluster.config
        return f"{address(config.backend.advertise)[0]}:{config.front.public_https}"

    ucp_host = ucp_name

    @property
    def web_authority(self) -> str:
        return pathlib.Path(self.cluster.config.web, "ca.pem").read_text()

    def public_host(self, http) -> str:
        """DTR names itself by its setting, whichever address a client used; what comes from this process itself stays here."""
        return self.dtr_name if self.product == "dtr" and _from_front(http) else http.host

    def client_certificate(self, http) -> bytes | None:
        passed = http.headers.get(CERTIFICATE_HEADER) if _from_front(http) else None
        return base64.b64decode(passed) if passed else None

    def client_address(self, http) -> str | None:
        return http.headers.get(ADDRESS_HEADER) if _from_front(http) else http.remote

    def replicas(self) -> dict[str, dict]:
        try:
            found = known(self.cluster.client)
        except EtcdError as problem:
            raise Refused(503, "INTERNAL_ERROR", "internal server error") from problem
        return {name: {**replica, "health": health(replica)} for name, replica in found.items()}

    def manager_identity(self) -> tuple[str, str]:
        return address(self.cluster.config.backend.advertise)[0], self.cluster.config.node

    # Its life

    async def start(self) -> None:
        if self._mirror:
            self._mirror.start()
            self.hooks.on("SETTINGS_CHANGED", self._keep_authority)
        await super().start()
        if self._mirror:
            self._catch_up()

    def _keep_authority(self, before: dict, after: dict) -> None:
        if before["webTLSCA"] != after["webTLSCA"]:
            self.store.put("tls", "web", {**self.store.get("tls", "web"), "ca": after["webTLSCA"]})

    async def _listen(self) -> None:
        host, port = address(self.cluster.config.backend.listen)
        self.ports["internal"] = await self._open_port(self.product, host, port, self.cluster.config.server_context())
        if self.product == "dtr":   # mirroring to and from this DTR itself
            self.ports["dtr"] = await self._open_port("dtr", "127.0.0.1", 0, self.listeners["dtr"].context)

    # What UCP tells

    def _changed_in_ucp(self, kind: str, _key: str, before: dict | None, after: dict | None) -> None:
        """Called in the mirror's thread."""
        if self.loop and kind in ("account", "team"):
            self.loop.call_soon_threadsafe(self._follow, kind, before, after)

    def _follow(self, kind: str, before: dict | None, after: dict | None) -> None:
        if kind == "account":
            if after:
                self.accounts.learn(after)
            else:
                self.accounts.forget(before)
        elif not after:   # or only its name is gone: the same id comes back under another one
            self._former_teams[before["id"]] = before
            self.later(RENAME_SECONDS, self._team_gone, before)
        elif after["id"] in self._former_teams:
            former = self._former_teams.pop(after["id"])
            self.teams.rename_grants(former["org"], former["name"], after["name"])

    def _team_gone(self, team: dict) -> None:
        if self._former_teams.pop(team["id"], None):
            self.teams.drop_grants(team["org"], team["name"])

    def _catch_up(self) -> None:
        """What was deleted in UCP while nobody led here."""
        for kind in ("team_access", "namespace_access"):
            for key, grant in self.store.items(kind):
                org = key.partition("/")[0]
                if not self.store.get("team", f"{org}/{grant['team']}"):
                    self.store.delete(kind, key)
        for key, token in self.store.items("token"):
            if not self.store.get("account", token["username"]):
                self.store.delete("token", key)


def client_of_ucp(access: dict, folder: pathlib.Path) -> Client:
    """Of UCP's store: {"endpoints", "ca", "certificate", "key"} as DTR got them when it was registered."""
    write_private(folder / "cert.pem", access["certificate"])
    write_private(folder / "key.pem", access["key"])
    tls = ssl.create_default_context(cadata=access["ca"])
    tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return Client(access["endpoints"], tls)


def _from_front(http) -> bool:
    """Whether a request came from a member of the cluster."""
    channel = http.transport and http.transport.get_extra_info("ssl_object")
    return bool(channel and channel.getpeercert(binary_form=True))
