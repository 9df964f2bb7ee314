# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
import ssl

import pytest
from cryptography import x509
from standin import product_images
from standin.cluster import pki
from standin.engine.client import EngineError, demultiplexed, packed
from standin.tls import Authority, certificates_of
from standin.ucp_node import certificates, cleanup, layout, proxy, rounds, web_check
from standin.ucp_node.layout import Product, Settings

PRODUCT = Product("3.2.5", "docker")
SETTINGS = Settings(id="cluster", first="node1", controller_port=8443)


def names(file) -> set:
    extension = certificates_of(pathlib.Path(file).read_text())[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return {str(name.value) for name in extension.value}


@pytest.fixture
def volumes(tmp_path):
    for name in layout.MANAGER_VOLUMES:
        (tmp_path / name).mkdir()
    Authority(tmp_path / layout.CLUSTER_CA, "Cluster")
    Authority(tmp_path / layout.CLIENT_CA, "Clients")
    return tmp_path


# Layout

def test_every_container_comes_from_an_image_of_the_archive():
    documents = [layout.proxy(PRODUCT, SETTINGS), *layout.managers_containers(PRODUCT, SETTINGS).values()]
    services = [layout.service(role, PRODUCT, SETTINGS)["TaskTemplate"]["ContainerSpec"] for role in ("manager", "worker")]
    used = {document["Image"] for document in documents + services}
    assert used < set(product_images.names("ucp", "3.2.5", "docker"))


def test_what_makes_a_container_decides_whether_it_is_made_anew():
    def mark(product, settings):
        return layout.managers_containers(product, settings)[layout.CONTROLLER]["Labels"][layout.SPEC_LABEL]
    assert mark(PRODUCT, SETTINGS) == mark(PRODUCT, Settings.of(SETTINGS.text()))
    assert mark(PRODUCT, SETTINGS) != mark(Product("3.2.6", "docker"), SETTINGS)
    assert mark(PRODUCT, SETTINGS) != mark(PRODUCT, Settings(id="cluster", first="node1", controller_port=443))


def test_held_workers_get_no_agent():
    placement = layout.service("worker", PRODUCT, SETTINGS)["TaskTemplate"]["Placement"]["Constraints"]
    assert "node.labels.com.docker.ucp.upgrade-hold!=true" in placement
    assert layout.service("manager", PRODUCT, SETTINGS)["TaskTemplate"]["Placement"]["Constraints"] == ["node.role==manager"]


# Certificates

def test_identities_are_made_once_and_again_for_another_name_or_authority(volumes):
    own = ["ucp-1", "10.0.0.1"]
    assert certificates.place_identities("ucp-1", own, volumes)
    assert not certificates.place_identities("ucp-1", own, volumes)
    assert certificates.place_identities("ucp-1", [*own, "10.0.0.2"], volumes)
    for file in (volumes / layout.CLUSTER_CA).iterdir():
        file.unlink()
    Authority(volumes / layout.CLUSTER_CA, "Another")
    assert certificates.place_identities("ucp-1", own, volumes)
    for name in layout.IDENTITIES:
        assert (volumes / name / "node-key.pem").stat().st_mode & 0o777 == 0o600
        assert (volumes / name / "ca.pem").read_text() == (volumes / layout.CLUSTER_CA / "ca.pem").read_text()


def test_the_own_web_certificate_follows_the_node_label(volumes):
    web = certificates.Web(volumes)
    node = {"Description": {"Hostname": "ucp-1"}, "Spec": {"Labels": {layout.SANS_LABEL: "ucp.example.com, 10.0.0.9,"}}}
    wanted = certificates.web_names(node, "10.0.0.1")
    assert web.issue("ucp-1", wanted) and not web.issue("ucp-1", wanted)
    assert names(volumes / layout.WEB_CERTS / "cert.pem") == {"ucp-1", "10.0.0.1", "localhost", "127.0.0.1", "ucp.example.com", "10.0.0.9"}
    assert not web.is_operators()
    assert web.issue("ucp-1", [*wanted, "more.example.com"])


def operators(volumes, name="own"):
    with_ca = Authority(volumes / f"{name}-ca", name)
    certificate, key = pki.issue(with_ca, "ucp", ["ucp.example.com"])
    return {"ca": with_ca.pem, "cert": certificate, "key": key}


class Documents:
    """The store of several managers."""

    def __init__(self, monkeypatch):
        self.kept: dict = {}
        monkeypatch.setattr(rounds.admin, "get", lambda _client, kind, key: self.kept.get((kind, key)))
        monkeypatch.setattr(rounds.admin, "put", lambda _client, kind, key, document: self.kept.update({(kind, key): document}))


def manager(volumes, name, documents):
    folder = volumes / name
    for volume in layout.MANAGER_VOLUMES:
        (folder / volume).mkdir(parents=True)
    for file in ("ca.pem", "ca-key.pem"):
        (folder / layout.CLIENT_CA / file).write_text((volumes / layout.CLIENT_CA / file).read_text())
    made = rounds.Manager(None, PRODUCT, SETTINGS)
    made.web, made.here = certificates.Web(folder), "10.0.0.1"
    return made


def converge_web(one):
    one._place_web({"Description": {"Hostname": "ucp"}, "Spec": {"Labels": {}}})
    one._follow_web(None)


def test_an_operators_certificate_reaches_managers_that_have_none(volumes, monkeypatch):
    documents = Documents(monkeypatch)
    first, second, third = (manager(volumes, name, documents) for name in ("m1", "m2", "m3"))
    own, other = operators(volumes), operators(volumes, "other")
    first.web._write(own)                       # --external-server-cert
    third.web._write(other)                     # laid into its volume before it joined
    for one in (first, second, third):
        converge_web(one)
    assert first.web.read() == own and second.web.read() == own
    assert third.web.read() == other
    second.web._write(other)                    # replaced on one manager alone
    for _round in range(3):
        for one in (first, second, third):
            converge_web(one)
    assert first.web.read() == own and second.web.read() == other


def test_a_certificate_by_the_interface_reaches_all_managers(volumes, monkeypatch):
    documents = Documents(monkeypatch)
    first, second = (manager(volumes, name, documents) for name in ("m1", "m2"))
    first.web._write(operators(volumes))
    converge_web(first)
    converge_web(second)
    new = operators(volumes, "new")
    documents.kept[rounds.WEB_KIND, rounds.WEB_KIND] = {"number": 2, **new}
    converge_web(first)
    converge_web(second)
    assert first.web.read() == new and second.web.read() == new


@pytest.mark.parametrize("change, problem", [
    ({}, ""), ({"key": ""}, "key.pem missing"), ({"cert": "x"}, "cert.pem holds no certificate"),
    ({"key": "-----BEGIN ENCRYPTED PRIVATE KEY-----"}, "key.pem is encrypted"),
])
def test_the_files_of_an_own_certificate_are_checked(volumes, change, problem):
    found = web_check.problem({**operators(volumes), **change})
    assert (problem in found) if problem else not found


# Cleaning

class Engine:
    """An engine with these volumes, of which some are in use until the containers of ended tasks are gone."""

    def __init__(self, used):
        self.volumes, self.used, self.removed = {*layout.MANAGER_VOLUMES, "mine"}, set(used), []

    def remove(self, name):
        self.removed.append(name)
        if name == "task":
            self.used.clear()

    def containers(self, **filters):
        return [{"Id": "task"}] if "status" in filters else []

    def delete(self, path):
        name = path.rpartition("/")[2]
        if name in self.used:
            raise EngineError(409, "volume is in use")
        self.volumes.discard(name)


def test_cleaning_removes_what_is_ucps_and_nothing_else():
    engine = Engine(used=[layout.STORE_DATA])
    assert cleanup.clean(engine) == [layout.STORE_DATA]
    assert cleanup.clean(engine) == []
    assert engine.volumes == {"mine"}
    assert {layout.PROXY, *layout.MANAGER_ONLY} <= set(engine.removed)


# The engine's streams

def test_frames_of_an_attached_stream_become_text():
    frames = b"".join(bytes([stream, 0, 0, 0]) + len(text).to_bytes(4, "big") + text for stream, text in ((1, b"one\n"), (2, b"two\n")))
    assert demultiplexed(frames) == b"one\ntwo\n"
    assert len(packed({"given": b"secret"})) % 512 == 0


# The proxy

def swarm_folder(folder, authority, role):
    """Files as the swarm lays them out, with its notes in the key."""
    folder.mkdir()
    certificate, key = pki.issue(authority, "node1", ["node1", f"swarm-{role}"], f"swarm-{role}")
    begin, _line, rest = key.partition("\n")
    (folder / "swarm-node.key").write_text(f"{begin}\nkek-version: 0\n\n{rest}")
    (folder / "swarm-node.crt").write_text(certificate)
    (folder / "swarm-root-ca.crt").write_text(authority.pem)
    return folder


async def through(monkeypatch, tmp_path, server: pathlib.Path, client: pathlib.Path) -> bytes:
    """What a node's engine answers to a caller with these certificates."""
    async def engine(reader, writer):
        writer.write(b"engine heard " + await reader.readline())
        await writer.drain()
        writer.close()

    monkeypatch.setattr(proxy, "SOCKET", str(tmp_path / "engine.sock"))
    behind = await asyncio.start_unix_server(engine, tmp_path / "engine.sock")
    context = proxy.certificates(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), server)
    context.verify_mode = ssl.CERT_REQUIRED
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=context)
    tls = proxy.certificates(ssl.create_default_context(), client)
    try:
        port = listener.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="node1")
        writer.write(b"GET\n")
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answer
    finally:
        listener.close()
        behind.close()


def test_only_managers_of_this_swarm_come_through_the_proxy(tmp_path, monkeypatch):
    ours, theirs = Authority(tmp_path / "a", "swarm-ca"), Authority(tmp_path / "b", "swarm-ca")
    node = swarm_folder(tmp_path / "node", ours, "worker")
    callers = {"manager": swarm_folder(tmp_path / "manager", ours, "manager"), "worker": swarm_folder(tmp_path / "worker", ours, "worker")}
    assert asyncio.run(through(monkeypatch, tmp_path, node, callers["manager"])) == b"engine heard GET\n"
    assert asyncio.run(through(monkeypatch, tmp_path, node, callers["worker"])) == b""
    stranger = swarm_folder(tmp_path / "stranger", theirs, "manager")
    (stranger / "swarm-root-ca.crt").write_text(ours.pem)
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        assert asyncio.run(through(monkeypatch, tmp_path, node, stranger)) == b""


def test_settings_come_back_as_they_went():
    assert Settings.of(SETTINGS.text()) == SETTINGS
    assert json.loads(SETTINGS.text())["controller_port"] == 8443
