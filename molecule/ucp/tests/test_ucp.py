# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster of UCP from its first sign-in to its removal. The tests stand in the order of its life."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from lab_run import CHECKOUT, run_playbook

HERE = Path(__file__).parents[1]
LAB = CHECKOUT / ".lab/molecule-ucp"
CA = LAB / "ucp-ca.pem"
MANAGERS = {"ucp-1": "172.30.82.11", "ucp-2": "172.30.82.12", "ucp-3": "172.30.82.13"}
PASSWORD = "sesame-of-the-admin"


def run_entry(entry="main", *arguments, **variables):
    """One entry of the role with an operator's variables: exit code and words."""
    return run_playbook("ucp", HERE / "entry.yml", *arguments, entry=entry, **variables)


def curl(address, path, *arguments):
    """(status, body) of a request that is verified with UCP's CA."""
    done = subprocess.run(
        ["curl", "-s", "--max-time", "20", "--cacert", CA, "-w", "\n%{http_code}", *arguments, f"https://{address}{path}"],
        capture_output=True, text=True, check=False)
    body, _newline, status = done.stdout.rpartition("\n")
    return int(status), body


def login(address, password=PASSWORD):
    return curl(address, "/auth/login", "-d", json.dumps({"username": "admin", "password": password}))


def nodes(address):
    """{name: state} as UCP shows them, {} while the manager does not answer."""
    status, body = login(address)
    if status == 200:
        status, body = curl(address, "/nodes", "-H", f"Authorization: Bearer {json.loads(body)['auth_token']}")
    return {one["Description"]["Hostname"]: one["Status"]["State"] for one in json.loads(body)} if status == 200 else {}


def eventually(happens, seconds=120):
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(2)


def served(address):
    """The certificate that a manager shows."""
    pem = ssl.get_server_certificate((address, 443))
    return subprocess.run(["openssl", "x509", "-noout", "-serial", "-ext", "subjectAltName"], input=pem, capture_output=True, text=True,
                          check=True).stdout


def test_every_manager_is_well_under_a_verified_certificate():
    for address in MANAGERS.values():
        assert curl(address, "/_ping")[0] == 200


def test_the_certificate_is_for_the_cluster_and_each_manager():
    for address in MANAGERS.values():
        names = served(address)
        assert "DNS:ucp.lab.test" in names and all(f"IP Address:{one}" in names for one in MANAGERS.values())


def test_all_nodes_are_in_the_swarm_and_ready_in_ucp(node):
    listed = node("ucp-2").check_output("docker node ls --format '{{.Hostname}} {{.ManagerStatus}}'").split("\n")
    assert len(listed) == 4 and sum(bool(re.search("Leader|Reachable", line)) for line in listed) == 3
    assert nodes(MANAGERS["ucp-2"]) == dict.fromkeys([*MANAGERS, "worker-1"], "ready")


def test_the_right_password_only():
    assert login(MANAGERS["ucp-1"])[0] == 200
    assert login(MANAGERS["ucp-1"], "wrong")[0] == 401


def test_a_wrong_password_is_one_clear_error_without_the_password():
    code, output = run_entry(ucp_admin_password="wr0ng-sesame")
    assert code != 0 and re.search("password", output) and "401" in output and "wr0ng-sesame" not in output


def test_an_upgrade_is_refused_until_the_backup_is_waived():
    code, output = run_entry("upgrade", ucp_version="3.3.7")
    assert code != 0 and "set ucp_upgrade_waive_backup to ucp.lab.test" in " ".join(output.split())


def test_another_version_is_no_installation():
    code, output = run_entry(ucp_version="3.3.7")
    assert code != 0 and "UCP is 3.2.5, and 3.3.7 is wanted: an installation does not change versions" in " ".join(output.split())


def test_a_foreign_run_of_the_tool_is_waited_for_by_nobody(node):
    host = node("ucp-1")
    host.check_output("docker run -d --name ucp --entrypoint sleep docker/ucp:3.2.5 300")
    try:
        code, output = run_entry("uninstall", ucp_uninstall_confirm="ucp.lab.test")
    finally:
        host.check_output("docker rm --force ucp")
    assert code != 0 and "only one run at a time is possible" in " ".join(output.split())


def test_the_cluster_bears_the_loss_of_a_manager(node):
    subprocess.run(["docker", "kill", "dockyard-ucp-ucp-3"], check=True, capture_output=True)
    try:
        for name in ("ucp-1", "ucp-2"):
            eventually(lambda address=MANAGERS[name]: login(address)[0] == 200)
        eventually(lambda: nodes(MANAGERS["ucp-1"]).get("ucp-3") == "down")
        output = " ".join(run_entry("status")[1].split())
        assert re.search(r"ucp-3 +ucp-3 +manager .* down +- +NOT HEALTHY", output), output[-3000:]
        assert "cannot lose another one" in output and "the host does not answer" in output
    finally:
        subprocess.run(["docker", "start", "dockyard-ucp-ucp-3"], check=True, capture_output=True)
    eventually(lambda: nodes(MANAGERS["ucp-3"]).get("ucp-3") == "ready", 300)
    code, output = run_entry()
    assert code == 0 and not re.search(r"changed=[1-9]", output), output[-3000:]


def test_a_node_is_removed_and_its_host_cleaned_then_it_joins_again(node):
    code, output = run_entry("remove_node", ucp_remove_node="worker-1")
    assert code == 0, output[-3000:]
    worker = node("worker-1")
    assert worker.check_output("docker info --format '{{.Swarm.LocalNodeState}}'") == "inactive"
    assert "ucp-" not in worker.check_output("docker ps -a --format '{{.Names}}'; docker volume ls -q")
    assert set(nodes(MANAGERS["ucp-1"])) == set(MANAGERS)
    assert run_entry()[0] == 0
    assert nodes(MANAGERS["ucp-1"])["worker-1"] == "ready"


def test_certificates_are_rotated_under_way():
    before = {address: served(address) for address in MANAGERS.values()}
    code, output = run_entry("certificate", certificates_rotate=True)
    assert code == 0, output[-3000:]
    for address in MANAGERS.values():
        assert served(address) != before[address]
        # The stand-in's leader makes room when the certificate is kept for managers to come; meanwhile it answers 503.
        eventually(lambda address=address: login(address)[0] == 200, 30)


def test_an_uninstallation_lists_what_goes(node):
    code, output = run_entry("uninstall")
    output = " ".join(output.split())
    assert code != 0 and "takes it from ucp-1, ucp-2, ucp-3, worker-1" in output and "set ucp_uninstall_confirm to ucp.lab.test" in output
    assert login(MANAGERS["ucp-1"])[0] == 200


@pytest.mark.parametrize("name", [*MANAGERS, "worker-1"])
def test_after_it_the_hosts_are_bare(node, name):
    if name == "ucp-1":
        code, output = run_entry("uninstall", ucp_uninstall_confirm="ucp.lab.test")
        assert code == 0, output[-3000:]
    host = node(name)
    assert host.check_output("docker info --format '{{.Swarm.LocalNodeState}}'") == "inactive"
    assert "ucp-" not in host.check_output("docker ps -a --format '{{.Names}}'; docker volume ls -q")
    assert not CA.exists()
