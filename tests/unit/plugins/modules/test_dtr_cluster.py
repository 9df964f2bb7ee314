# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_replica import path_problem
from dtr_tool import KEY, PEM, ModuleFailed, flag, run, world

__all__ = ["world"]

UCP = ("--ucp-url", "ucp.example.com")
A, B, C = "a" * 12, "b" * 12, "c" * 12


@pytest.fixture
def three(world):
    """A world with three replicas."""
    for number, name in enumerate((A, B, C), 1):
        world.add(name, f"dtr-{number}")
    return world


def reconfigure(**options):
    return run("dtr_cluster", action="reconfigure", existing_replica_id=A, **options)


def test_reconfigure_sends_only_what_is_given(three):
    assert reconfigure(log_protocol="tcp", log_host="syslog.example.com:514")["changed"]
    command, flags, env = three.runs[0]
    assert command == "reconfigure"
    assert flags == [*UCP, "--log-protocol", "tcp", "--log-host", "syslog.example.com:514", "--existing-replica-id", A]
    assert set(env) == {"UCP_USERNAME", "UCP_PASSWORD", "UCP_CA"}


def test_reconfigure_hides_certificate_and_proxies(three):
    reconfigure(dtr_ca=PEM, dtr_cert=PEM, dtr_key=KEY, http_proxy="", https_proxy="http://u:s3cret@proxy", client_cert_auth=False)
    _command, flags, env = three.runs[0]
    assert flags == [*UCP, "--enable-client-cert-auth=false", "--existing-replica-id", A]
    assert (env["DTR_KEY"], env["DTR_HTTP_PROXY"], env["DTR_HTTPS_PROXY"]) == (KEY, "", "http://u:s3cret@proxy")


def test_reconfigure_in_check_mode_runs_nothing(three):
    assert reconfigure(pprof=True, check=True)["changed"]
    assert three.runs == []


def test_reconfigure_looks_whether_the_port_came(three):
    with pytest.raises(ModuleFailed, match="is on port 443 and not 4443"):
        reconfigure(replica_https_port=4443)


def test_a_change_of_the_store_needs_the_word_of_the_operator(three):
    with pytest.raises(ModuleFailed, match=r"erase all tags.*storage_migrated"):
        reconfigure(nfs_storage_url="nfs://host/images")
    assert three.runs == []
    reconfigure(nfs_storage_url="", storage_migrated=True)
    assert flag(three.runs[0][1], "--nfs-storage-url") == ""


def upgrade(image="mirantis/dtr:2.8.5", **options):
    return run("dtr_cluster", action="upgrade", existing_replica_id=A, image=image, **options)


def moves(*names, version="2.8.5"):
    """An upgrade that reaches these replicas."""

    def effect(world, command, flags):
        for number, name in enumerate(names, 1):
            world.remove(name)
            world.add(name, f"dtr-{number}", version)

    return effect


def test_upgrade(three):
    three.effect = moves(A, B, C)
    found = upgrade()
    assert (found["changed"], found["versions"], found["diff"]["before"]) == (True, ["2.8.5"], {"versions": ["2.7.6"]})
    assert not upgrade()["changed"]
    assert len(three.runs) == 1


def test_upgrade_in_check_mode(three):
    assert upgrade(check=True)["versions"] == ["2.7.6"]
    assert three.runs == []


def test_an_upgrade_that_stopped_half_way_is_no_success_and_goes_on(three):
    three.effect = moves(A)
    with pytest.raises(ModuleFailed, match=r"there are replicas of version 2.7.6, 2.8.5. Run the upgrade again"):
        upgrade()
    three.effect = moves(A, B, C)
    assert upgrade()["versions"] == ["2.8.5"]


@pytest.mark.parametrize(("image", "says"), [
    ("mirantis/dtr:2.9.1", "skips a minor version"),
    ("docker/dtr:2.6.9", "no way back"),
    ("docker/dtr", "has no tag"),
])
def test_upgrades_that_are_refused(three, image, says):
    with pytest.raises(ModuleFailed, match=says):
        upgrade(image)
    assert three.runs == []


@pytest.mark.parametrize(("current", "target", "allowed"), [
    ("2.7.4", "2.7.6", True), ("2.6.0", "2.7.6", True), ("2.7.6", "2.8.5", True), ("2.9.1", "3.0.0", True),
    ("2.7.6", "2.7.5", False), ("2.6.9", "2.8.0", False), ("2.9.1", "3.1.0", False), ("2.9.1", "4.0.0", False),
])
def test_version_paths(current, target, allowed):
    assert bool(path_problem(current, target)) != allowed


def test_repair_is_confirmed(three):
    def effect(world, command, flags):
        world.remove(B)
        world.remove(C)

    three.effect = effect
    with pytest.raises(ModuleFailed, match=f"forgets all others: {B} on dtr-2, {C} on dtr-3.*set confirm to {A}"):
        run("dtr_cluster", action="emergency_repair", existing_replica_id=A)
    assert three.runs == []
    run("dtr_cluster", action="emergency_repair", existing_replica_id=A, confirm=A, prune=True, overlay_subnet="10.3.0.0/24")
    command, flags, _env = three.runs[0]
    assert command == "emergency-repair"
    assert {"--prune", "--yes", "--overlay-subnet"} <= set(flags)


def test_a_replica_that_nobody_knows(three):
    with pytest.raises(ModuleFailed, match="is no replica that UCP sees"):
        run("dtr_cluster", action="reconfigure", existing_replica_id="d" * 12, pprof=True)


def test_a_repair_that_left_others_is_no_success(three):
    with pytest.raises(ModuleFailed, match=f"containers of {B}, {C} are still there"):
        run("dtr_cluster", action="emergency_repair", existing_replica_id=A, confirm=A)
