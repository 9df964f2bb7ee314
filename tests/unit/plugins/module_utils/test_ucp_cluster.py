# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_cluster as rules
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_cluster_apply as apply
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper import Bootstrapper
from ansible_collections.dockyard.trusted_registry.plugins.modules import ucp_cluster, ucp_cluster_info
from fake_docker import FakeDocker, FakeEngine, container

DOWN = {"state": "inactive", "manager": False, "node_id": "", "cluster_id": ""}
UP = {"state": "active", "manager": True, "node_id": "id-a", "cluster_id": "c"}
NONE = {"swarm": UP, "installed": False, "half_installed": False, "leftovers": False, "containers": [], "services": [], "volumes": [],
        "dtr_volumes": [], "nodes": [{"hostname": "a", "id": "id-a"}], "versions": {}, "version": "", "healthy": False, "problem": ""}


def state(**more):
    return {**NONE, **more}


def there(*found, **more):
    return state(installed=True, version=found[0], versions={f"part{n}": version for n, version in enumerate(found)}, healthy=True, **more)


@pytest.mark.parametrize(("seen", "upgrade", "action"), [
    (state(), False, "install"),
    (state(swarm=DOWN), False, "install"),
    (there("3.2.5"), False, "none"),
    (there("3.2.5"), True, "none"),
    (there("3.2.4"), True, "upgrade"),
    (there("3.1.9", "3.2.5"), True, "upgrade"),          # cut off on the way
    (state(half_installed=True, containers=["ucp-proxy"]), False, "mend"),
])
def test_steps_to_a_running_ucp(seen, upgrade, action):
    assert rules.present_step(seen, "3.2.5", upgrade, "a").action == action


@pytest.mark.parametrize(("seen", "upgrade", "message"), [
    (state(swarm={**UP, "manager": False}), False, "a is a worker of a swarm"),
    (state(swarm=DOWN, leftovers=True, containers=["ucp-kv"]), False, r"in no swarm, yet has parts of an earlier UCP \(ucp-kv\)"),
    (there("3.2.4"), False, "UCP is 3.2.4, and 3.2.5 is wanted: an installation does not change versions"),
    (there("3.1.9", "3.2.5"), False, "an upgrade to 3.2.5 that did not come to its end left 3.1.9 and 3.2.5 side by side"),
    (there("3.3.7"), True, "cannot go back"),
    (there("3.2.5", "3.3.7"), True, "cannot go back"),
    (there("3.0.1"), True, "3.1, then 3.2"),
    (state(half_installed=True, containers=["ucp-kv"], nodes=[*NONE["nodes"], {"hostname": "b", "id": "id-b"}]), False, "nodes b beside"),
    (state(half_installed=True, containers=["ucp-kv"], dtr_volumes=["dtr-ca-1"]), False, "volumes of DTR"),
])
def test_refusals(seen, upgrade, message):
    with pytest.raises(rules.ClusterError, match=message):
        rules.present_step(seen, "3.2.5", upgrade, "a")


def test_steps_to_none():
    assert rules.absent_step(state(swarm=DOWN), "a").action == rules.absent_step(state(), "a").action == "none"
    assert rules.absent_step(there("3.2.5"), "a").action == "uninstall"
    assert rules.absent_step(state(half_installed=True), "a").action == "clean"
    with pytest.raises(rules.ClusterError, match="is a worker"):
        rules.absent_step(state(swarm={**UP, "manager": False}), "a")


@pytest.mark.parametrize("confirm", ["", "other", None])
def test_a_removal_lists_what_goes(confirm):
    with pytest.raises(rules.ClusterError, match=r"from 1 nodes \(a\).*set confirm to ucp\.example\.com or ID"):
        rules.refuse_unconfirmed(there("3.2.5"), confirm, ["ucp.example.com", "a"], "ID")


@pytest.mark.parametrize("confirm", ["ucp.example.com", "a", "ID"])
def test_a_removal_is_confirmed_by_name_or_id(confirm):
    rules.refuse_unconfirmed(there("3.2.5"), confirm, ["ucp.example.com", "a"], "ID")


def params(**more):
    return {**{name: option.get("default") for name, option in ucp_cluster.options().items()}, "image": "docker/ucp:3.2.5", **more}


def test_flags_hold_no_secret_and_each_option_once():
    secrets = {name: f"s-{name}" for name in rules.INSTALL_ENVIRONMENT}
    given = params(host_address="192.0.2.1", sans=["x", "y"], controller_port=8443, external_server_cert=True, pull="never", debug=True,
                   extra_args=["--random"], **secrets)
    flags = rules.install_flags(given)
    assert flags == ["--host-address=192.0.2.1", "--controller-port=8443", "--external-server-cert", "--san=x", "--san=y", "--pull=never",
                     "--debug", "--random"]
    assert rules.environment(given, rules.INSTALL_ENVIRONMENT) == {
        "UCP_ADMIN_USER": "s-admin_username", "UCP_ADMIN_PASSWORD": "s-admin_password", "UCP_LICENSE": "s-license",
        "UNLOCK_KEY": "s-unlock_key",
        "REGISTRY_USERNAME": "s-registry_username", "REGISTRY_PASSWORD": "s-registry_password"}
    assert rules.upgrade_flags(params(manual_worker_upgrade=True), "ID") == ["--id=ID", "--manual-worker-upgrade", "--pull=missing"]
    assert rules.uninstall_flags(params(purge_config=True), "ID") == ["--id=ID", "--purge-config", "--pull=missing"]


def test_secrets_are_marked():
    hidden = {name for name, option in ucp_cluster.options().items() if option.get("no_log")}
    assert hidden == {"admin_password", "license", "unlock_key", "registry_password"}


class Scene:
    """A module call: what the host shows, one state after the other, and the tool."""

    def __init__(self, folder, looks, **given):
        self.docker = FakeDocker(folder, sys.executable)
        engine = FakeEngine({"/images/docker/ucp:3.2.5/json": {}}, host="a")
        tool = Bootstrapper("ucp", "docker/ucp:3.2.5", engine=engine, docker=self.docker.path)
        options = params(**{"admin_username": "admin", "admin_password": "sesame", "timeout": 1, **given})
        self.cluster = apply.Cluster(options, tool, "3.2.5")
        self.looks = iter(looks)
        self.cluster.look = lambda: next(self.looks)

    def run(self, check_mode=False):
        return ucp_cluster.work(self.cluster, check_mode)

    def commands(self):
        return [call["argv"][call["argv"].index("docker/ucp:3.2.5") + 1] for call in self.docker.calls()]


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.setattr(apply, "_PAUSE", 0.05)
    monkeypatch.setattr(Bootstrapper, "exclusive", lambda self: Unlocked())
    return lambda looks, **given: Scene(tmp_path, looks, **given)


class Unlocked:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


def test_an_installation_is_waited_for_until_ucp_is_well(scene):
    one = scene([state(), state(), state(), state(problem="500"), there("3.2.5")])
    result = one.run()
    assert (result["action"], result["version"], result["changed"], one.commands()) == ("install", "3.2.5", True, ["install"])
    assert result["diff"] == {"before": {"version": ""}, "after": {"version": "3.2.5"}} and "sesame" not in json.dumps(result)


def test_an_installation_that_does_not_get_well_is_told(scene):
    with pytest.raises(rules.ClusterError, match=r"not well after 1 s \(_ping answers 500\)"):
        scene([state(), *[state(problem="_ping answers 500")] * 1000]).run()


def test_a_second_run_runs_nothing(scene):
    one = scene([there("3.2.5")] * 3)
    assert one.run()["changed"] is False and one.commands() == []


def test_another_run_may_have_done_it_meanwhile(scene):
    one = scene([state(), there("3.2.5"), there("3.2.5")])
    assert one.run()["changed"] is False and one.commands() == []


def test_check_mode_tells_the_command(scene):
    one = scene([state()])
    result = one.run(check_mode=True)
    assert (result["action"], result["command"], one.commands()) == ("install", ["install", "--pull=missing"], [])


def test_a_new_ucp_needs_its_administrator(scene):
    with pytest.raises(rules.ClusterError, match=r"admin_password: a new UCP needs its first administrator"):
        scene([state()], admin_password="").run(check_mode=True)


def test_an_upgrade_and_a_removal_name_the_id(scene):
    one = scene([there("3.2.4")] * 2 + [there("3.2.5")], upgrade=True)
    one.docker.plays(stdout="ABCD:EFGH\n")
    assert one.run()["action"] == "upgrade" and one.commands() == ["id", "upgrade"]
    assert "--id=ABCD:EFGH" in one.docker.calls()[1]["argv"]


def test_a_removal(scene):
    one = scene([there("3.2.5")] * 2 + [state(), state()], state="absent", confirm="ABCD:EFGH")
    one.docker.plays(stdout="ABCD:EFGH\n")
    assert one.run()["diff"]["after"] == {"version": ""} and one.commands() == ["id", "uninstall-ucp"]


def test_an_unconfirmed_removal_removes_nothing(scene):
    one = scene([there("3.2.5")] * 2, state="absent")
    one.docker.plays(stdout="ABCD:EFGH\n")
    with pytest.raises(rules.ClusterError, match="set confirm to a or ABCD:EFGH"):
        one.run()
    assert one.commands() == ["id"]


def test_an_installation_cut_short_is_removed_before_the_next(scene):
    half = state(half_installed=True, containers=["ucp-proxy"])
    one = scene([half, half, there("3.2.5")])
    one.cluster.engine.answers["/containers/json"] = [container("ucp-proxy"), container("web")]
    one.cluster.engine.answers["/services"] = [{"Spec": {"Name": "ucp-x"}}]
    one.cluster.engine.answers["/volumes"] = {"Volumes": [
        {"Name": "ucp-kv", "Driver": "local"}, {"Name": "ucp-node-certs", "Driver": "local", "Options": {"type": "nfs"}},
        {"Name": "data", "Driver": "local"}]}
    assert one.run()["action"] == "mend" and one.commands() == ["install"]
    assert [call[1] for call in one.cluster.engine.sent] == ["/services/ucp-x", "/containers/ucp-proxyucp-proxy", "/volumes/ucp-kv"]


def test_leftovers_are_named():
    engine = FakeEngine({"/containers/json": [container("ucp-proxy"), container("x")], "/volumes": {"Volumes": [
        {"Name": "ucp-kv", "Driver": "local"}, {"Name": "ucp-keep", "Driver": "local"}]}})
    assert apply.leftovers(engine, ["ucp-keep"]) == ["ucp-proxy", "ucp-kv"]


WAIT = {"wait": 1, "wait_version": None, "wait_worker": False, "wait_certificate": False, "controller_port": 443}


@pytest.mark.parametrize(("seen", "asked", "problem"), [
    (there("3.2.5"), {}, ""),
    (state(), {}, "it is not installed"),
    (state(problem="answers 500"), {}, "answers 500"),
    (there("3.2.5", "3.3.7"), {"wait_version": "3.3.7"}, "part0 is not of version 3.3.7"),
    (there("3.3.7"), {"wait_version": "3.3.7"}, ""),
    (there("3.2.5", containers=["ucp-controller"]), {"wait_worker": True}, "it still has a controller"),
    (there("3.2.5", web_certificate_served=False), {"wait_certificate": True}, "it shows another certificate"),
    (there("3.2.5", web_certificate_served=True), {"wait_certificate": True}, ""),
])
def test_what_is_waited_for(seen, asked, problem):
    found = ucp_cluster_info.lacking(seen, {**WAIT, **asked})
    assert problem in found and bool(problem) == bool(found)


def test_waiting_ends_when_it_is_so_or_when_the_time_is_over(monkeypatch):
    monkeypatch.setattr(ucp_cluster_info, "PAUSE", 0.01)
    looks = iter([state(), there("3.2.5")])
    monkeypatch.setattr(ucp_cluster_info, "observe", lambda engine, port: next(looks))
    assert ucp_cluster_info.waited(FakeEngine(), WAIT)["version"] == "3.2.5"
    monkeypatch.setattr(ucp_cluster_info, "observe", lambda engine, port: state())
    with pytest.raises(ucp_cluster_info.NotSo, match="UCP on ucp-1 is not as it should be after 1 s: it is not installed"):
        ucp_cluster_info.waited(FakeEngine(), WAIT)
    assert ucp_cluster_info.waited(FakeEngine(), {**WAIT, "wait": 0})["version"] == ""
