# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._ucp_role_input import problems

GIVEN = {
    "ucp_version": "3.2.5", "ucp_image": "", "ucp_hostname": "ucp.example.com", "ucp_api_host": "", "ucp_sans": [], "role": "manager",
    "ucp_controller_port": 443, "ucp_swarm_port": 2376, "ucp_swarm_grpc_port": 2377, "ucp_kube_apiserver_port": 6443,
    "ucp_admin_username": "admin", "ucp_admin_password": "given", "ucp_license_file": "", "ucp_tls_source": "self_signed",
    "ucp_tls_certificate_file": "", "ucp_tls_key_file": "", "ucp_tls_ca_file": "", "ucp_ca_path": "/x/ucp-ca.pem", "ucp_wait_timeout": 900,
    "ucp_worker_batch": 1, "ucp_install_args": [], "groups": {"ucp_managers": ["a"], "ucp_workers": ["w"]},
    "addresses": {"a": "192.0.2.1"}, "labels": {"a": {"zone": "a"}},
}


def test_what_is_right_passes():
    assert problems(GIVEN) == []


@pytest.mark.parametrize(("change", "message"), [
    ({"ucp_version": ""}, "ucp_version: say which version"),
    ({"ucp_version": "3.2"}, "ucp_version: 3.2 is no version"),
    ({"ucp_version": "2.2.9"}, "ucp_version: 2.2.9 is not supported"),
    ({"ucp_image": "docker/ucp:3.2.4"}, "ucp_image: docker/ucp:3.2.4 has another tag"),
    ({"groups": {}}, "ucp_managers: the group has no host"),
    ({"groups": {"ucp_managers": ["a"], "dtr_replicas": ["a"]}}, "ucp_managers and dtr_replicas both hold a: DTR runs on workers"),
    ({"groups": {"ucp_managers": ["a"], "ucp_workers": ["a"]}}, "ucp_managers and ucp_workers both hold a"),
    ({"ucp_controller_port": 70000}, "ucp_controller_port: 70000 is not a port"),
    ({"ucp_controller_port": 6443}, "ucp_controller_port and ucp_kube_apiserver_port: the same port 6443"),
    ({"ucp_hostname": "https://ucp.example.com"}, "ucp_hostname: https://ucp.example.com is not a host name"),
    ({"ucp_sans": ["ucp.example.com:443"]}, "ucp_sans: ucp.example.com:443 is not a host name"),
    ({"addresses": {"a": "192.0.2.1/24"}}, "ucp_host_address of a: 192.0.2.1/24 is neither"),
    ({"ucp_admin_password": ""}, "ucp_admin_password: the administrator's password is missing"),
    ({"ucp_admin_username": ""}, "ucp_admin_username: the administrator needs a name"),
    ({"ucp_license_file": "/nonexistent/x.lic"}, "ucp_license_file: /nonexistent/x.lic cannot be read"),
    ({"ucp_tls_source": "provided"}, "provided needs ucp_tls_certificate_file, ucp_tls_key_file, ucp_tls_ca_file"),
    ({"ucp_tls_source": "issued", "addresses": {"a": ""}}, "ucp_host_address of a: with an own certificate"),
    ({"labels": {"a": {"com.docker.ucp.SANs": "x"}}}, "ucp_node_labels of a: com.docker.ucp.SANs"),
    ({"labels": {"a": {"com.docker.ucp.collection.root": "x"}}}, "ucp_node_labels of a"),
    ({"ucp_ca_path": ""}, "ucp_ca_path: say where"),
    ({"ucp_ca_path": "/tmp"}, "ucp_ca_path: /tmp is a folder"),
    ({"ucp_wait_timeout": 0}, "ucp_wait_timeout: 0 is no number of seconds"),
    ({"ucp_worker_batch": 0}, "ucp_worker_batch: 0 is no number"),
    ({"ucp_install_args": ["--admin-password=x"]}, "ucp_install_args: --admin-password would show a secret"),
    ({"ucp_install_args": ["--san=x"]}, "ucp_install_args: --san is set by an option"),
])
def test_mistakes(change, message):
    (problem,) = problems({**GIVEN, **change})
    assert message in problem


def test_own_certificates_where_the_api_has_a_name_of_its_own():
    assert problems({**GIVEN, "ucp_tls_source": "issued", "addresses": {"a": ""}, "ucp_api_host": "ucp.example.com"}) == []
    assert problems({**GIVEN, "ucp_tls_source": "issued", "addresses": {"w": ""}, "role": "worker"}) == []


def test_a_license_is_looked_into(tmp_path):
    path = tmp_path / "docker_subscription.lic"
    whole = json.dumps({"key_id": "k", "private_key": "p", "authorization": "a"})
    for text, fine in ((whole, True), ("$ANSIBLE_VAULT;1.1;AES256\n00", True), ("{}", False), ("[1]", False), ("no json", False)):
        path.write_text(text)
        found = problems({**GIVEN, "ucp_license_file": str(path)})
        assert (found == []) == fine and all(re.search("is no license file", one) for one in found)
