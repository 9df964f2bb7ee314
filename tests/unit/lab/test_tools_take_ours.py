# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules hand to docker/dtr and docker/ucp, read by the command lines that take nothing undocumented."""

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_replica_args as ours
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_cluster as ucp_rules
from ansible_collections.dockyard.trusted_registry.plugins.modules import ucp_cluster
from standin.dtr_tool import flags as dtr_flags
from standin.dtr_tool import parse as dtr_parse
from standin.dtr_tool import rules as dtr_rules
from standin.tls import Authority
from standin.ucp_tool import parse as ucp_parse

ACCOUNT = {"ucp_url": "ucp.example.com", "ucp_username": "admin", "ucp_password": "sesame"}
COMMANDS = ("install", "join", "reconfigure", "remove", "destroy", "upgrade", "emergency-repair")
A, B, C = "0a1b2c3d4e5f", "111111111111", "222222222222"


@pytest.fixture(scope="module")
def pems(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("ca"), "Some CA")
    certificate, key = authority.issue("dtr.example.com", ["dtr.example.com"])
    return {"dtr_ca": authority.pem, "dtr_cert": certificate.decode(), "dtr_key": key.decode(), "client_cert_auth_ca": authority.pem,
            "ucp_ca": authority.pem}


def everything(pems):
    """Every option of the modules that can be given together with the others."""
    given = {
        **ACCOUNT, **pems, "overlay_subnet": "10.2.0.0/24", "external_url": "https://dtr.example.com", "client_cert_auth": True,
        "nfs_storage_url": "nfs://nfs.example.com/images", "nfs_options": "rw,nfsvers=4", "storage_migrated": True,
        "http_proxy": "http://user:word@proxy:3128", "https_proxy": "", "no_proxy": "lab.test", "log_protocol": "tcp",
        "log_host": "syslog:514", "log_level": "warn", "pprof": False, "replica_http_port": 8080, "replica_https_port": 8443,
        "rethinkdb_cache_mb": 512, "existing_replica_id": A, "replica_id": B, "replica_ids": [B, C], "node": "dtr-1",
        "skip_network_test": True, "prune": True, "debug": True,
    }
    assert set(ours.TABLE) - set(given) == {"storage_volume", "async_nfs"}, "they exclude others, and have a test of their own"
    return given


def taken(command, given):
    """{name of the flag: value} as the tool reads what the modules hand over."""
    words, environ = ours.arguments_of(command, given)
    values = dtr_parse.complete(command, dtr_parse.read(command, dtr_parse.texts(command, words, environ)), terminal=False)
    dtr_rules.check(command, values)
    return values


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_arrives_under_its_documented_name(command, pems):
    given = everything(pems)
    values = taken(command, given)
    missing = {flag for name, (flag, _env, commands) in ours.TABLE.items() if command in commands and given.get(name) not in ("", None)}
    assert {flag.lstrip("-") for flag in missing} <= set(values)
    assert set(values) <= {flag.name for flag in dtr_flags.of(command)}


def test_an_id_means_what_each_command_means_by_it(pems):
    """--replica-id names what is made, or what is wiped; what is removed has an option of its own."""
    given = everything(pems)
    assert {command: taken(command, given).get("replica-id") for command in COMMANDS} == {
        "install": B, "join": B, "destroy": B, "reconfigure": None, "remove": None, "upgrade": None, "emergency-repair": None}
    assert taken("remove", given)["replica-ids"] == [B, C]
    assert "replica-ids" not in taken("destroy", given)


def test_variables_of_the_caller_choose_nothing(pems):
    """Whatever a shell has set, ids are flags, and flags count first."""
    words, environ = ours.arguments_of("remove", everything(pems))
    around = {"DTR_REMOVE_REPLICA_ID": "f" * 12, "DTR_REMOVE_REPLICA_IDS": "f" * 12, "DTR_REPLICA_ID": "f" * 12, **environ}
    values = dtr_parse.read("remove", dtr_parse.texts("remove", [word for word in words if word != "--debug"], around))
    assert (values["existing-replica-id"], values["replica-ids"]) == (A, [B, C])


def test_certificates_arrive_as_text_and_on_no_command_line(pems):
    given = everything(pems)
    words, environ = ours.arguments_of("install", given)
    assert not [word for word in words if "BEGIN" in word]
    values = dtr_parse.read("install", dtr_parse.texts("install", words, environ))
    assert (values["dtr-ca"], values["dtr-cert"], values["dtr-key"], values["client-cert-auth-ca"]) == (
        pems["dtr_ca"], pems["dtr_cert"], pems["dtr_key"], pems["client_cert_auth_ca"])


@pytest.mark.parametrize("command", ["install", "reconfigure"])
def test_other_stores_arrive(command):
    given = {**ACCOUNT, "node": "dtr-1", "existing_replica_id": A, "storage_migrated": True}
    assert taken(command, {**given, "storage_volume": "images"})["dtr-storage-volume"] == "images"
    assert taken(command, {**given, "nfs_storage_url": "nfs://nfs.example.com/images", "async_nfs": True})["async-nfs"] is True


def test_the_store_is_spelled_as_the_tool_knows_it():
    """Some pages write --nfs-url, which is no option."""
    with pytest.raises(dtr_parse.Usage, match="not defined: --nfs-url"):
        dtr_parse.texts("install", ["--nfs-url", "nfs://nfs.example.com/images"], {})
    assert "--nfs-url" not in str(ours.TABLE)


def test_every_option_of_ucp_arrives():
    lists = {"sans": ["ucp.example.com"], "dns": ["192.0.2.1"], "dns_opt": ["timeout:1"], "dns_search": ["example.com"]}
    values = {
        "host_address": "192.0.2.2", "data_path_addr": "192.0.2.2", "controller_port": 8443, "swarm_port": 2376, "swarm_grpc_port": 2377,
        "kube_apiserver_port": 6443, "nodeport_range": "32768-35535", "pod_cidr": "10.4.0.0/16", "service_cluster_ip_range": "10.96.0.0/16",
        "cloud_provider": "aws", "cni_installer_url": "https://example.com/cni", "external_service_lb": "lb.example.com",
        "kv_timeout": 5000, "kv_snapshot_count": 20000,
    }
    assert set(values) == set(ucp_rules.INSTALL_VALUES) and set(lists) == set(ucp_rules.INSTALL_LISTS)
    secrets = dict.fromkeys(ucp_rules.INSTALL_ENVIRONMENT, "s3cret")
    given = {**{name: option.get("default") for name, option in ucp_cluster.options().items()}, **values, **lists, **secrets,
             **dict.fromkeys(ucp_rules.INSTALL_SWITCHES, True), "debug": True, "manual_worker_upgrade": True, "purge_config": True}
    words = ucp_rules.install_flags(given)
    assert "s3cret" not in str(words)
    read = ucp_parse.values("install", words, ucp_rules.environment(given, ucp_rules.INSTALL_ENVIRONMENT))
    assert (read["admin-password"], read["license"], read["san"], read["controller-port"]) == (
        "s3cret", "s3cret", ["ucp.example.com"], 8443)
    assert ucp_parse.values("upgrade", ucp_rules.upgrade_flags(given, "ID"), {})["id"] == "ID"
    assert ucp_parse.values("uninstall-ucp", ucp_rules.uninstall_flags(given, "ID"), {})["purge-config"] is True
