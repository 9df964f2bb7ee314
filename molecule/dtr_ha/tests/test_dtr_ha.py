# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three replicas lose a host, then their majority, then are fewer, while a client pushes and pulls; in the order of this file."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode

import pytest
from lab_run import CHECKOUT, run_playbook

SCENARIO = "dtr_ha"
HERE = CHECKOUT / f"molecule/{SCENARIO}"
CA = CHECKOUT / f".lab/molecule-{SCENARIO}/inventory/.pki/dtr-ca.pem"
NAME, PASSWORD = "dtr.lab.test", "sesame-of-the-admin"
ADDRESSES = {"dtr-1": "172.30.88.21", "dtr-2": "172.30.88.22", "dtr-3": "172.30.88.23"}


def play(name, *arguments, **variables):
    """A playbook of the collection: exit code, output on one line."""
    code, output = run_playbook(SCENARIO, CHECKOUT / f"playbooks/{name}.yml", *arguments, **variables)
    return code, " ".join(output.split())


def join_only(**variables):
    """What install.yml does with the registry; UCP's part wants all hosts to be there."""
    code, output = run_playbook(SCENARIO, HERE / "registry.yml", **{"dtr_wait_timeout": 5, "ucp_api_host": "172.30.88.11", **variables})
    return code, " ".join(output.split())


def changed(output):
    return sum(int(number) for number in re.findall(r"changed=([0-9]+)", output))


def api(host, method, path, body=None):
    request = urllib.request.Request(
        f"https://{ADDRESSES[host]}{path}", method=method, data=json.dumps(body).encode() if body is not None else None)
    request.add_header("Authorization", "Basic " + b64encode(f"admin:{PASSWORD}".encode()).decode())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=CA), timeout=30) as answer:
        return json.loads(answer.read() or "null")


def engine(*words):
    """The machine's own engine, on which the nodes run."""
    subprocess.run(["docker", *words], check=True, capture_output=True)


def dies(host):
    engine("kill", "--signal", "KILL", f"dockyard-{SCENARIO}-{host}")


def well():
    """{host: whether its replica calls itself healthy}."""
    states = {}
    for host in ADDRESSES:
        try:
            states[host] = api(host, "GET", "/_ping")["Healthy"]
        except (OSError, ValueError):
            states[host] = False
    return states


def members(host):
    return api(host, "GET", "/api/v0/meta/cluster_status")["replica_health"]


def eventually(happens, seconds=120):
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(2)


class Traffic:
    """The client that pushes and pulls on and on."""

    def __init__(self, client):
        self.client = client

    def start(self):
        self.client.check_output(f"echo {PASSWORD} | docker login -u admin --password-stdin {NAME}")
        script = (HERE / "files/traffic.sh").read_text()
        self.client.check_output("cat > /root/traffic.sh <<'SCRIPT'\n" + script + "\nSCRIPT")
        self.client.check_output("nohup sh /root/traffic.sh >/root/traffic.log 2>&1 &")

    def lines(self, name):
        return self.client.check_output(f"cat /root/{name} 2>/dev/null || true").splitlines()

    def goes_on(self, name="accepted", more=2):
        """Wait until there are more pushes of that fate than now."""
        target = len(self.lines(name)) + more
        eventually(lambda: len(self.lines(name)) >= target)

    def end(self):
        self.client.check_output("touch /root/stop; while pgrep -f 'root/traffic[.]sh' >/dev/null; do sleep 0.2; done")


@pytest.fixture
def traffic(node):
    return Traffic(node("ucp-1"))


def test_three_replicas_are_well_and_a_client_pushes(traffic):
    assert well() == dict.fromkeys(ADDRESSES, True)
    api("dtr-1", "POST", "/api/v0/repositories/admin", {"name": "traffic", "visibility": "private"})
    traffic.start()
    traffic.goes_on()


# A host is gone for good

def test_pushes_go_on_without_a_host(traffic):
    engine("rm", "--force", "--volumes", f"dockyard-{SCENARIO}-dtr-2")
    traffic.goes_on(more=4)
    assert well() == {"dtr-1": True, "dtr-2": False, "dtr-3": True}


def test_nothing_joins_while_a_dead_replica_is_a_member():
    code, output = join_only()
    assert code == 2
    assert "replace_replica.yml" in output
    assert "joining first can split the cluster in two" in output
    assert changed(output) == 0


def test_the_check_of_a_replacement_says_what_goes():
    code, output = play("replace_replica", "--check")
    assert code == 0, output
    assert "on dtr-2 is dead" in output
    assert len(members("dtr-1")) == 3


def test_the_dead_replica_is_taken_out(traffic):
    code, output = play("replace_replica")
    assert code == 0, output
    assert len(members("dtr-1")) == 2
    traffic.goes_on()


def test_the_host_is_taken_out_of_ucp():
    code, output = play("remove_node", ucp_remove_node="dtr-2")
    assert code == 0, output


def test_the_host_built_anew_gets_a_replica(traffic):
    molecule = [CHECKOUT / ".venv/bin/ansible-playbook", "-e", f"lab_name={SCENARIO}", "-e", f"lab_dir=.lab/molecule-{SCENARIO}",
                "-e", f"lab_topology=molecule/{SCENARIO}/topology.yml"]
    subprocess.run([*molecule, CHECKOUT / "lab/create.yml"], cwd=CHECKOUT, check=True, capture_output=True)
    for image in ("ucp-3.2.5", "dtr-2.7.6"):
        with (CHECKOUT / f".lab/images/{image}.tar").open("rb") as archive:
            subprocess.run(["docker", "exec", "-i", f"dockyard-{SCENARIO}-dtr-2", "docker", "load", "-q"], stdin=archive, check=True)
    code, output = play("install_dtr")
    assert code == 0, output
    assert well() == dict.fromkeys(ADDRESSES, True)
    assert set(members("dtr-2").values()) == {"OK"}
    traffic.goes_on()


# The majority is gone

def test_writes_are_refused_without_a_majority(traffic):
    dies("dtr-2")
    traffic.goes_on()   # accepted by both that are left, so that either has all there is
    dies("dtr-1")
    traffic.goes_on("refused", more=2)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        api("dtr-3", "POST", "/api/v0/repositories/admin", {"name": "minority", "visibility": "private"})
    assert refusal.value.code >= 500


def test_only_a_repair_is_right_now():
    code, output = join_only()
    assert code == 2
    assert "repair.yml" in output
    code, output = play("replace_replica", dtr_wait_timeout=5, ucp_api_host="172.30.88.11")
    assert code == 2
    assert "repair.yml" in output


def test_a_repair_wants_the_name_of_the_registry():
    code, output = play("repair", dtr_wait_timeout=5)
    assert code == 2
    assert f"set dtr_repair_confirm to {NAME}" in output
    assert "Lost would be" in output
    assert changed(output) == 0


def test_the_replica_that_is_left_serves_again(traffic):
    code, output = play("repair", dtr_repair_confirm=NAME)
    assert code == 0, output
    assert list(members("dtr-3").values()) == ["OK"]
    traffic.goes_on()


def test_hosts_that_return_join_anew(node, traffic):
    for host in ("dtr-1", "dtr-2"):
        engine("start", f"dockyard-{SCENARIO}-{host}")
    eventually(lambda: all(node(host).run("docker ps").rc == 0 for host in ("dtr-1", "dtr-2")))
    code, output = play("replace_replica", dtr_wait_timeout=120)
    assert code == 0, output
    assert well() == dict.fromkeys(ADDRESSES, True)
    assert set(members("dtr-1").values()) == {"OK"} and len(members("dtr-1")) == 3
    traffic.goes_on()


# Fewer, and more again

def test_an_even_number_is_refused():
    code, output = play("remove_replica", dtr_remove_replicas=["dtr-2"])
    assert code == 2
    assert "2 replicas would stay" in output
    assert changed(output) == 0


def test_two_leave_and_join_again(traffic):
    code, output = play("remove_replica", dtr_remove_replicas=["dtr-2", "dtr-3"])
    assert code == 0, output
    assert list(members("dtr-1").values()) == ["OK"]
    traffic.goes_on()
    code, output = join_only(dtr_wait_timeout=120)
    assert code == 0, output
    assert well() == dict.fromkeys(ADDRESSES, True)


def test_no_push_that_was_accepted_is_lost(traffic):
    traffic.goes_on()
    traffic.end()
    accepted = dict(line.split() for line in traffic.lines("accepted"))
    tags = {tag["name"]: tag["digest"] for tag in api("dtr-1", "GET", "/api/v0/repositories/admin/traffic/tags?pageSize=1000")}
    assert accepted.items() <= tags.items()
    pulls = f"while read -r tag digest; do docker pull -q {NAME}/admin/traffic@$digest >/dev/null || echo $tag; done < /root/accepted"
    assert traffic.client.check_output(pulls) == ""
    assert traffic.lines("lost") == []
    print(f"{len(accepted)} pushes accepted, {len(traffic.lines('refused'))} refused")


def test_site_has_nothing_left_to_do():
    code, output = play("install_dtr")
    assert (code, changed(output)) == (0, 0), output
