# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_cluster_state as states
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_engine import EngineError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._bootstrapper_lock import LABEL
from fake_docker import FakeEngine, container, node

VERSION = {states.VERSION_LABEL: "3.2.5"}
PARTS = [container("ucp-proxy", **VERSION), container("ucp-controller", image="docker/ucp-controller:3.2.5", **VERSION),
         container("ucp-reconcile", "exited", **VERSION), container("ucp-manager-agent.x.y", **VERSION), container("web")]
AGENTS = [{"Spec": {"Name": f"ucp-{name}-agent", "TaskTemplate": {"ContainerSpec": {"Image": "docker/ucp-agent:3.2.5@sha256:0"}}}}
          for name in ("manager", "worker")]
MANAGER = {"LocalNodeState": "active", "NodeID": "id-a", "NodeAddr": "192.0.2.1", "ControlAvailable": True, "Cluster": {"ID": "c"}}
WORKER = {"LocalNodeState": "active", "NodeID": "id-w"}


@pytest.fixture
def look(monkeypatch):
    monkeypatch.setattr(states, "ping", lambda engine, port: "")
    monkeypatch.setattr(states, "served", lambda engine, port: True)

    def observe(swarm, containers=(), services=(), volumes=()):
        return states.observe(FakeEngine({
            "/info": {"Name": "a", "ServerVersion": "19.03.5", "Swarm": swarm}, "/containers/json": list(containers), "/services": services,
            "/nodes": [node("a")], "/volumes": {"Volumes": [{"Name": name} for name in volumes]},
        }))
    return observe


def test_a_bare_host(look):
    state = look({}, [container("web")], volumes=["data"])
    assert not any(state[name] for name in ("installed", "half_installed", "leftovers", "healthy", "version", "containers", "volumes"))
    assert state["swarm"]["state"] == "inactive"


def test_a_manager_with_ucp(look):
    state = look(MANAGER, PARTS, AGENTS, ["ucp-kv", "dtr-ca-0123456789ab"])
    assert state["installed"] and state["healthy"] and state["version"] == "3.2.5" and state["missing"] == []
    assert state["containers"] == ["ucp-controller", "ucp-proxy", "ucp-reconcile"] and state["not_running"] == ["ucp-reconcile"]
    assert state["versions"] == dict.fromkeys(
        ["ucp-controller", "ucp-manager-agent", "ucp-proxy", "ucp-worker-agent"], "3.2.5")
    assert state["dtr_volumes"] == ["dtr-ca-0123456789ab"] and state["nodes"][0]["hostname"] == "a"
    assert state["web_certificate_served"] is True


def test_a_manager_that_has_just_joined_is_not_well_and_not_half_installed(look):
    state = look(MANAGER, [], AGENTS)
    assert state["installed"] and not state["half_installed"] and state["missing"] == ["ucp-proxy", "ucp-controller"]
    assert state["problem"] == "ucp-proxy, ucp-controller has not been started"


def test_parts_without_agents_are_an_installation_cut_short(look):
    state = look(MANAGER, PARTS[:1], [], ["ucp-kv"])
    assert state["half_installed"] and not state["installed"]


def test_volumes_made_beforehand_are_none(look):
    assert not look(MANAGER, [], [], ["ucp-controller-server-certs", "ucp-kv"])["half_installed"]


def test_without_a_quorum_nothing_is_taken_for_half_installed(look):
    state = look(MANAGER, PARTS, EngineError("context deadline exceeded", 500))
    assert state["installed"] and not state["half_installed"] and "majority of its managers" in state["problem"] and not state["healthy"]


def test_a_stopped_part_is_told(look):
    stopped = [container("ucp-controller", "exited"), container("ucp-proxy")]
    assert look(MANAGER, stopped, AGENTS)["problem"] == "ucp-controller does not run"


def test_a_worker_is_judged_by_its_proxy(look):
    assert look(WORKER, [container("ucp-proxy", **VERSION)])["healthy"]
    assert not look(WORKER)["installed"]


def test_a_host_that_left_has_leftovers(look):
    state = look({"LocalNodeState": "inactive"}, [container("ucp-proxy", **VERSION)])
    assert state["leftovers"] and not state["installed"] and not state["half_installed"]


def test_a_run_of_the_installer_is_no_part(look):
    assert look(MANAGER, [container("ucp-install", **{LABEL: "ucp"})])["containers"] == []


@pytest.mark.parametrize("pem", ["", "no certificate"])
def test_a_certificate_that_cannot_be_compared_is_not_served(monkeypatch, tmp_path, pem):
    (tmp_path / "cert.pem").write_text(pem)
    shown = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
    monkeypatch.setattr(states.ssl, "get_server_certificate", lambda address: shown)
    assert not states.served(FakeEngine({f"/volumes/{states.WEB_CERTIFICATES}": {"Mountpoint": str(tmp_path)}}), 443)


def test_a_ping_without_a_ca_says_so():
    assert "there is no ca.pem in the volume" in states.ping(FakeEngine(), 1)
