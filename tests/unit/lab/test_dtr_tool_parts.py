# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker/dtr: decisions that need no cluster, the archive of a backup, and signing in to UCP."""

from __future__ import annotations

import io
import json
import tarfile

import pytest
from standin.dtr_tool import archive, cluster, product, settings, specs
from standin.dtr_tool.errors import Fatal
from standin.dtr_tool.product import COMPONENTS, Product
from standin.dtr_tool.ucp_client import UcpClient
from standin_fixture import PASSWORD, running

EXPORT = {
    "documents": {
        "settings": {"dtr": {"dtrHost": "dtr.example.com", "httpProxy": "p"}, "registry": {"storage": {"s3": {}}}},
        "tls": {"web": {"certificate": "C", "key": "K", "ca": "A"}, "token": {"key": "T"}}, "repository": {"a/b": {"name": "b"}},
        "tag": {"a/b/1": {"digest": "sha256:0"}}, "ucp": {"ucp": {"url": "old"}}, "cluster": {"cluster": {"version": "2.7.6"}}, "cron": {},
    },
    "authority": {"ca.pem": "CA", "ca-key.pem": "KEY"},
}


@pytest.fixture
def backup():
    stream = io.BytesIO()
    archive.write(stream, EXPORT, "2.7.6")
    return stream.getvalue()


def test_a_backup_has_the_documented_layout(backup):
    with tarfile.open(fileobj=io.BytesIO(backup)) as tar:
        names = tar.getnames()
    assert names[0] == "dtr-backup-v2.7.6"
    for name in ("rethink", "rethink/properties", "rethink/properties/0", "rethink/repositories/0", "rethink/tags/0"):
        assert f"dtr-backup-v2.7.6/{name}" in names


def test_a_backup_comes_back_as_it_was(backup):
    assert archive.read(io.BytesIO(backup), "2.7.6") == EXPORT


def test_a_backup_of_another_version_is_refused(backup):
    with pytest.raises(Fatal, match=r"use the image of version 2\.7\.6"):
        archive.read(io.BytesIO(backup), "2.8.5")


def test_a_backup_cut_off_anywhere_is_refused(backup):
    for size in range(0, len(backup) - tarfile.RECORDSIZE, 512):
        with pytest.raises(Fatal, match="backup"):
            archive.read(io.BytesIO(backup[:size]), "2.7.6")


def test_a_damaged_backup_is_refused(backup):
    at = backup.index(b'"dtr.example.com"')
    with pytest.raises(Fatal, match="not whole: rethink/properties"):
        archive.read(io.BytesIO(backup[:at] + b'"xxx.example.com"' + backup[at + 17:]), "2.7.6")


@pytest.mark.parametrize("data", [b"", b"hello", b"\x1f\x8b\x08" + 600 * b"x"])
def test_what_is_no_backup_is_refused(data):
    with pytest.raises(Fatal, match="backup"):
        archive.read(io.BytesIO(data), "2.7.6")


def test_a_tar_of_something_else_is_refused():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("etc/passwd"))
    with pytest.raises(Fatal, match="no backup of DTR"):
        archive.read(io.BytesIO(stream.getvalue()), "2.7.6")


def test_what_is_restored_and_what_is_new():
    documents = settings.restored(EXPORT)
    assert set(documents) == {"tls", "repository", "tag"}
    assert documents["tls"] == {"token": {"key": "T"}}
    assert settings.storage({"dtr-use-default-storage": True, "dtr-storage-volume": ""}, EXPORT) == specs.Storage()
    assert settings.storage({"dtr-storage-volume": "images"}, EXPORT) == specs.Storage("images")


# Versions

@pytest.mark.parametrize(("present", "target", "fine"), [
    ("2.7.6", "2.7.6", True), ("2.7.1", "2.7.6", True), ("2.6.0", "2.7.6", True), ("2.7.6", "2.8.5", True), ("2.5.9", "2.7.6", False),
    ("2.7.7", "2.7.6", False), ("2.8.5", "2.7.6", False), ("2.9.4", "3.0.1", True), ("2.9.4", "3.1.0", False), ("1.4.3", "3.0.0", False),
    ("2.7.10", "2.7.9", False),
])
def test_upgrade_paths(present, target, fine):
    assert (product.path_problem(present, target) == "") is fine


@pytest.mark.parametrize(("dtr", "ucp", "fine"), [
    ("2.7.6", "3.2.5", True), ("2.7.6", "3.3.7", True), ("2.7.6", "3.1.9", False), ("2.8.5", "3.2.5", False), ("2.8.5", "3.3.7", True),
])
def test_dtr_goes_with_its_ucp_or_a_newer_one(dtr, ucp, fine):
    assert (product.ucp_problem(dtr, ucp) == "") is fine


# Replicas and containers

def test_replicas_are_told_by_the_names_of_their_containers():
    entries = [
        {"id": str(number), "node": "n1", "name": name, "labels": {}, "state": "running"} for number, name in enumerate((
            "dtr-notary-server-0a1b2c3d4e5f", "dtr-api-0a1b2c3d4e5f", "dtr-phase2", "dtr-api-xyz", "my-dtr-api-0a1b2c3d4e5f", "ucp-agent"))
    ]
    found = cluster.replicas_of(entries)
    assert set(found) == {"0a1b2c3d4e5f"} and set(found["0a1b2c3d4e5f"].containers) == {"notary-server", "api"}


def test_new_ids_are_twelve_hexadecimal_digits():
    assert len({cluster.new_id("", ()) for _time in range(20)}) == 20
    assert all(set(cluster.new_id("", ())) <= set("0123456789abcdef") and len(cluster.new_id("", ())) == 12 for _time in range(20))


def test_even_numbers_of_replicas_get_a_hint():
    assert [bool(cluster.even_hint(count)) for count in range(1, 8)] == [False, True, False, True, False, True, False]


def container(component, storage=None, **place):
    where = specs.Place("0a1b2c3d4e5f", "dtr-1", "10.0.0.2", **place)
    return specs.container(Product("2.7.6", "docker"), where, component, storage or specs.Storage())


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_container_tells_its_version_and_replica(component):
    spec = container(component)
    assert spec["Labels"]["com.docker.dtr.version"] == "2.7.6" and spec["Labels"]["com.docker.dtr.replica"] == "0a1b2c3d4e5f"
    assert spec["Labels"]["com.docker.compose.project"] == "Docker Trusted Registry 2.7.6 - (Replica 0a1b2c3d4e5f)"
    assert {"DTR_VERSION=2.7.6", "DTR_REPLICA_ID=0a1b2c3d4e5f"} <= set(spec["Env"])
    assert spec["HostConfig"]["NetworkMode"] == "dtr-ol" and ("PortBindings" in spec["HostConfig"]) is (component == "nginx")


def test_only_the_images_of_two_components_have_names_of_their_own():
    assert {component: container(component)["Image"] for component in ("api", "rethinkdb", "scanningstore")} == {
        "api": "docker/dtr-api:2.7.6", "rethinkdb": "docker/dtr-rethink:2.7.6", "scanningstore": "docker/dtr-postgres:2.7.6"}
    assert {container(component)["Image"] for component in COMPONENTS} < set(Product("2.7.6", "docker").images())


@pytest.mark.parametrize(("storage", "source"), [
    (specs.Storage(), "dtr-registry-0a1b2c3d4e5f"), (specs.Storage(volume="images"), "images"), (specs.Storage(volume="/mnt/x"), "/mnt/x"),
    (specs.Storage(nfs={"host": "h", "path": "/p"}), "dtr-nfs-registry-0a1b2c3d4e5f"),
])
def test_registry_and_api_share_the_image_store(storage, source):
    for component in ("registry", "api"):
        assert f"{source}:/storage" in container(component, storage)["HostConfig"]["Binds"]
    assert not any("/storage" in bind for bind in container("nginx", storage)["HostConfig"]["Binds"])


def test_the_identity_covers_every_name_that_others_use():
    place = specs.Place("0a1b2c3d4e5f", "dtr-1", "10.0.0.2")
    document = json.dumps(specs.config(Product("2.7.6", "docker"), place))
    for name in ("dtr-rethinkdb-0a1b2c3d4e5f.dtr-ol", "dtr-api-0a1b2c3d4e5f.dtr-ol", "dtr-registry-0a1b2c3d4e5f.dtr-ol"):
        assert name in document and name in place.names()


# UCP

def address(standin):
    return "127.0.0.1", standin.ports["ucp"]


def test_an_administrator_signs_in_with_ucps_ca(standin):
    client = UcpClient(address(standin), standin.authority.pem, insecure=False)
    client.sign_in("admin", PASSWORD)
    assert client.call("GET", "/version")["Version"] == "ucp/3.2.5"


def test_without_verification_any_certificate_will_do(standin):
    UcpClient(address(standin), "", insecure=True).sign_in("admin", PASSWORD)


def test_a_wrong_password_is_fatal_and_not_repeated(standin):
    with pytest.raises(Fatal, match="Unable to sign in to UCP") as caught:
        UcpClient(address(standin), standin.authority.pem, insecure=False).sign_in("admin", "not the password")
    assert "not the password" not in str(caught.value)


def test_an_unknown_authority_is_fatal_and_names_the_option(standin):
    with pytest.raises(Fatal, match=r"x509: certificate signed by unknown authority.*--ucp-ca"):
        UcpClient(address(standin), "", insecure=False).sign_in("admin", PASSWORD)


def test_a_certificate_for_other_names_is_fatal(tmp_path):
    with running(tmp_path, listen="0.0.0.0") as standin, pytest.raises(Fatal, match="certificate for other names"):
        UcpClient(("127.0.0.2", standin.ports["ucp"]), standin.authority.pem, insecure=False).sign_in("admin", PASSWORD)


def test_only_administrators_may_use_the_tool(standin):
    admin = UcpClient(address(standin), standin.authority.pem, insecure=False)
    admin.sign_in("admin", PASSWORD)
    admin.call("POST", "/accounts/", {"name": "someone", "password": "a long password", "isOrg": False})
    with pytest.raises(Fatal, match="someone is not an administrator"):
        UcpClient(address(standin), standin.authority.pem, insecure=False).sign_in("someone", "a long password")


def test_ucp_that_cannot_be_reached_is_fatal():
    with pytest.raises(Fatal, match=r"Unable to reach UCP at https://127\.0\.0\.1:1: .*--ucp-url"):
        UcpClient(("127.0.0.1", 1), "", insecure=True).sign_in("admin", "x")
