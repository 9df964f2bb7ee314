# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from dtr_tool import KEY, PASSWORD, PEM, ModuleFailed, flag, run, world

__all__ = ["world"]

A, B = "a" * 12, "b" * 12
FIRST = {"node": "dtr-1", "replica_id": A, "external_url": "https://dtr.example.com", "dtr_ca": PEM, "dtr_cert": PEM, "dtr_key": KEY}


def makes(name):
    """What a good installer does: the replica, and a word about it."""

    def effect(world, command, flags):
        world.add(name, flag(flags, "--ucp-node"))
        world.log = [{"level": "info", "text": f"Replica ID is set to: {name}"}]

    return effect


def drops(world, command, flags):
    """What remove and destroy do."""
    for name in (flag(flags, "--replica-ids") if command == "remove" else flag(flags, "--replica-id")).split(","):
        world.remove(name)


def test_first_replica(world):
    world.effect = makes(A)
    found = run("dtr_replica", **FIRST)
    command, flags, env = world.runs[0]
    assert (found["changed"], found["replica_id"], command) == (True, A, "install")
    assert (flag(flags, "--replica-id"), flag(flags, "--dtr-external-url"), flag(flags, "--ucp-url")) == (
        A, "https://dtr.example.com", "ucp.example.com")
    assert env == {"UCP_USERNAME": "admin", "UCP_PASSWORD": PASSWORD, "UCP_CA": PEM, "DTR_CA": PEM, "DTR_CERT": PEM, "DTR_KEY": KEY}
    assert world.closed


def test_no_secret_and_no_certificate_is_a_flag(world):
    world.effect = makes(A)
    run("dtr_replica", **FIRST, http_proxy="http://user:s3cret@proxy:3128", https_proxy="http://user:s3cret@proxy:3128")
    flags = " ".join(world.runs[0][1])
    assert not [word for word in ("s3cret", "BEGIN", "password", "admin") if word in flags]


def test_second_run_changes_nothing(world):
    world.add(A, "dtr-1")
    assert run("dtr_replica", **FIRST) == {**run("dtr_replica", **FIRST, check=True), "changed": False, "replica_id": A}
    assert world.runs == []


def test_check_mode_says_what_would_come_and_runs_nothing(world):
    found = run("dtr_replica", check=True, node="dtr-1")
    assert (found["changed"], found["replica_id"], found["diff"]["after"]) == (True, "", {"node": "dtr-1", "state": "present"})
    assert world.runs == []


def test_what_is_not_given_is_not_sent(world):
    world.effect = makes(A)
    run("dtr_replica", node="dtr-1")
    assert world.runs[0][1] == ["--ucp-url", "ucp.example.com", "--ucp-node", "dtr-1"]


def test_a_replica_needs_its_node(world):
    """Without one the installer takes any."""
    with pytest.raises(ModuleFailed, match="are missing: node"):
        run("dtr_replica")
    assert world.runs == []


def test_join(world):
    world.add(A, "dtr-1")
    world.effect = makes(B)
    found = run("dtr_replica", node="dtr-2", existing_replica_id=A, replica_https_port=4443, rethinkdb_cache_mb=512)
    command, flags, _env = world.runs[0]
    assert (command, found["replica_id"]) == ("join", B)
    assert (flag(flags, "--existing-replica-id"), flag(flags, "--replica-https-port")) == (A, "4443")
    assert "--unsafe-join" not in flags


def test_a_join_takes_no_settings_of_the_cluster(world):
    world.add(A, "dtr-1")
    world.effect = makes(B)
    run("dtr_replica", node="dtr-2", existing_replica_id=A, external_url="https://dtr.example.com", log_protocol="internal", dtr_ca=PEM,
        dtr_cert=PEM, dtr_key=KEY)
    assert world.runs[0][1] == ["--ucp-url", "ucp.example.com", "--existing-replica-id", A, "--ucp-node", "dtr-2"]
    assert "DTR_KEY" not in world.runs[0][2]


def test_remove(world):
    world.add(A, "dtr-1")
    world.add(B, "dtr-2")
    world.effect = drops
    found = run("dtr_replica", state="absent", existing_replica_id=A, replica_ids=[B])
    assert found["changed"]
    assert found["diff"]["after"] == {"replicas": [A]}
    assert flag(world.runs[0][1], "--replica-ids") == B


def test_destroy_is_confirmed_and_done_once(world):
    world.add(A, "dtr-1")
    world.effect = drops
    with pytest.raises(ModuleFailed, match=f"dtr-rethink-{A}.*set confirm to {A}. Nothing was changed"):
        run("dtr_replica", state="destroyed", replica_id=A)
    assert world.runs == []
    assert run("dtr_replica", state="destroyed", replica_id=A, confirm=A)["changed"]
    assert not run("dtr_replica", state="destroyed", replica_id=A, confirm=A)["changed"]
    assert [command for command, _flags, _env in world.runs] == ["destroy"]


@pytest.mark.parametrize(("options", "says"), [
    ({"node": "dtr-2"}, "there is a registry already.*existing_replica_id"),
    ({"node": "dtr-2", "existing_replica_id": B}, f"existing_replica_id {B} is no replica"),
    ({"node": "dtr-2", "existing_replica_id": A, "replica_id": A}, f"replica {A} is on dtr-1"),
    ({"node": "dtr-1", "replica_id": B}, "a node takes one|A node takes one"),
    ({"state": "absent", "existing_replica_id": A, "replica_ids": [A]}, "It is the one that stays"),
    ({"state": "absent", "existing_replica_id": B, "replica_ids": [A]}, "is no replica that UCP sees"),
])
def test_what_cannot_be_meant(world, options, says):
    world.add(A, "dtr-1")
    with pytest.raises(ModuleFailed, match=says):
        run("dtr_replica", **options)
    assert world.runs == []


@pytest.mark.parametrize(("options", "says"), [
    ({"replica_id": "0A1B2C3D4E5F"}, "replica_id '0A1B2C3D4E5F' is no replica id"),
    ({"replica_https_port": 70000}, "is no port"),
    ({"storage_volume": "images", "nfs_storage_url": "nfs://host/images"}, "exclude each other"),
    ({"nfs_options": "rw,nfsvers=4"}, "need nfs_storage_url"),
    ({"log_host": "syslog:514"}, "log_host needs log_protocol"),
    ({"dtr_cert": PEM}, "without the others"),
    ({"ucp_ca": "/etc/ssl/ca.pem"}, "ucp_ca is no PEM text"),
    ({"client_cert_auth": True}, "client_cert_auth needs client_cert_auth_ca"),
    ({"extra_args": ["--unsafe-join"]}, "--unsafe-join"),
    ({"extra_args": ["--ucp-password=x"]}, "show a secret"),
])
def test_bad_options(world, options, says):
    with pytest.raises(ModuleFailed, match=says):
        run("dtr_replica", node="dtr-1", **options)
    assert world.runs == []


def test_half_made_replicas_are_named(world):
    world.add(A, "dtr-1", components=["rethinkdb"])
    with pytest.raises(ModuleFailed, match=f"replica {A} on dtr-1 was never finished"):
        run("dtr_replica", node="dtr-1")


def test_an_installer_of_somebody_else(world):
    world.containers.append({"Names": ["/dtr-2/dtr-phase2"], "Image": "docker/dtr:2.7.6", "State": "running"})
    with pytest.raises(ModuleFailed, match="at work: dtr-2/dtr-phase2"):
        run("dtr_replica", node="dtr-1")


def test_an_installer_that_lies(world):
    with pytest.raises(ModuleFailed, match="ended well, but UCP shows no finished replica on dtr-1"):
        run("dtr_replica", node="dtr-1")
    world.add(A, "dtr-1")
    with pytest.raises(ModuleFailed, match="ended well, but containers of"):
        run("dtr_replica", state="destroyed", replica_id=A, confirm=A)


def test_an_installer_that_fails_shows_its_log(world):
    world.failure = "docker/dtr:2.7.6 install on dtr-1 failed (no space)"
    with pytest.raises(ModuleFailed, match="no space") as failed:
        run("dtr_replica", node="dtr-1")
    assert failed.value.result["log"] == [{"level": "fatal", "text": world.failure}]


def test_warnings_of_the_installer_are_ours(world):
    def effect(world, command, flags):
        world.add(A, "dtr-1")
        world.log = [{"level": "warning", "text": "This node is a manager"}]

    world.effect = effect
    assert "This node is a manager" in str(run("dtr_replica", node="dtr-1", ucp_insecure_tls=True)["log"])
    assert "--ucp-insecure-tls" in world.runs[0][1]
