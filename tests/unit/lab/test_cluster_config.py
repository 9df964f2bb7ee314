# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a replica is told, and what it is given to show others."""

from __future__ import annotations

import copy
import dataclasses
import stat
import subprocess
import sys

import pytest
from cluster_site import ENVIRONMENT
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from standin.cluster import admin, member, pki, registry, replicas
from standin.cluster.config import Config, ConfigError, address
from standin.cluster.ops import end_of
from standin.cluster.store import key_of, parse_key
from standin.tls import Authority

DTR = {
    "product": "dtr", "version": "2.7.6", "id": "0123456789ab", "node": "dtr-1", "pki": "/ca",
    "etcd": {"name": "dtr-rethinkdb-0123456789ab", "client": "db.dtr-ol:28015", "peer": "db.dtr-ol:29015"},
    "backend": {"advertise": "api.dtr-ol:4443"}, "front": {}, "registry": {"advertise": "registry.dtr-ol:5000"},
}


def changed(**values) -> dict:
    return {**copy.deepcopy(DTR), **values}


def test_is_written_for_its_owner_and_read_again(tmp_path):
    config = Config.of(DTR)
    config.write(tmp_path / "config.json")
    assert Config.read(tmp_path / "config.json") == config
    assert stat.S_IMODE((tmp_path / "config.json").stat().st_mode) == 0o600
    assert config.front.public_https == 443 and config.registry.storage == "/storage"


@pytest.mark.parametrize(("document", "why"), [
    (changed(colour="red"), "the configuration does not know colour"),
    (changed(etcd={"name": "a"}), "etcd lacks client, peer"),
    (changed(backend="api:1"), "backend has to be a mapping"),
    (changed(product="k8s"), "product is 'k8s'"),
    (changed(registry=None), "registry is missing; dtr needs it"),
    (changed(product="ucp"), "web, client_ca is missing; ucp needs it"),
])
def test_mistakes_are_named(document, why):
    with pytest.raises(ConfigError, match=why):
        Config.of(document)


def test_processes_say_what_is_wrong_with_their_file(tmp_path):
    for part in ("member", "backend", "admin"):
        command = [sys.executable, "-m", f"standin.cluster.{part}", str(tmp_path / "absent.json"), *(["status"] if part == "admin" else [])]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT)
        assert ended.returncode == 1 and "absent.json: [Errno 2]" in ended.stderr and "Traceback" not in ended.stderr


def test_addresses():
    assert address("[::1]:443") == ("::1", 443) and address("db.dtr-ol:28015") == ("db.dtr-ol", 28015)
    with pytest.raises(ConfigError, match="is not HOST:PORT"):
        address("db")


def test_keys_of_documents():
    assert parse_key(key_of("tag", "ann/tools/1.0")) == ("tag", "ann/tools/1.0")
    assert parse_key("/standin/leader") is None
    assert end_of("a/") == "a0"


def test_a_member_starts_alone_or_joins():
    alone = member.command(Config.of(DTR))
    assert "--initial-cluster=dtr-rethinkdb-0123456789ab=https://db.dtr-ol:29015" in alone
    assert "--initial-cluster-state=new" in alone and "--client-cert-auth" in alone and "--peer-client-cert-auth" in alone
    joining = changed(etcd={**DTR["etcd"], "initial_cluster": "a=https://a:1,b=https://b:1", "join": True})
    words = member.command(Config.of(joining), force_new_cluster=True)
    assert {"--initial-cluster=a=https://a:1,b=https://b:1", "--initial-cluster-state=existing", "--force-new-cluster"} <= set(words)


def test_all_registries_share_the_secret_of_uploads():
    one, other = (dataclasses.replace(Config.of(DTR), id=name, node=name) for name in "ab")
    first, second = (registry.configuration(config, "key", "/root.pem") for config in (one, other))
    assert first["http"]["secret"] == second["http"]["secret"] != registry.configuration(one, "another key", "/root.pem")["http"]["secret"]
    assert first["http"]["tls"]["clientcas"] == ["/ca/ca.pem"]
    assert "key" not in str(first["http"]["secret"])


def test_identities_serve_and_ask(tmp_path):
    authority = Authority(tmp_path / "ca", "internal")
    pki.identity(tmp_path, "dtr-1", ["db.dtr-ol", "10.0.0.7"], authority, "replica")
    certificate = x509.load_pem_x509_certificate((tmp_path / "node.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["db.dtr-ol", "localhost"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.7", "127.0.0.1"]
    usages = set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert usages == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert stat.S_IMODE((tmp_path / "node-key.pem").stat().st_mode) == 0o600
    assert (tmp_path / "ca.pem").read_text() == authority.pem and not (tmp_path / "ca-key.pem").exists()


def test_identities_need_an_authority(tmp_path):
    command = [sys.executable, "-m", "standin.cluster.pki", "identity", str(tmp_path), "--name", "a"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT)
    assert ended.returncode == 1 and "holds no ca.pem; make an authority there" in ended.stderr


def test_who_is_silent_is_not_well():
    def of(seconds: float, problem: str) -> dict:
        return {"time": replicas.stamped(replicas.now() - replicas.datetime.timedelta(seconds=seconds)), "problem": problem}
    assert replicas.health(of(5, "")) == "OK"
    assert replicas.health(of(5, "registry")) == "registry"
    assert replicas.health(found := of(30, "")) == f"Replica reported health too long ago: {found['time']}"


@pytest.mark.parametrize(("given", "why"), [
    ({}, "wrong or missing: id, node, version, https_port, http_port"),
    ({"id": "a", "node": "n", "version": "2", "https_port": "443", "http_port": 80}, "wrong or missing: https_port"),
    ({"id": "a", "node": "n", "version": "2", "https_port": 443, "http_port": 80, "x": 1}, "wrong or missing: x"),
])
def test_replicas_are_checked(given, why):
    with pytest.raises(admin.Wrong, match=why):
        admin.add_replica(None, given)
