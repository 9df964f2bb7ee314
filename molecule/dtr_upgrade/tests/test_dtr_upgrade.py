# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UCP and a DTR of three replicas to their next minor versions under traffic; the stories run in the order of this file."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import time
import urllib.request
from base64 import b64encode

import pytest
from lab_run import CHECKOUT, run_playbook

SCENARIO = "dtr_upgrade"
LAB = CHECKOUT / f".lab/molecule-{SCENARIO}"
REPLICAS = ("dtr-1", "dtr-2", "dtr-3")
BALANCER, UCP, NAME, PASSWORD = "172.30.86.31", "172.30.86.11", "dtr.lab.test", "sesame-of-the-admin"
TARGET = {"ucp_version": "3.3.7", "dtr_version": "2.8.5"}
WAIVED = {"ucp_upgrade_waive_backup": UCP, "dtr_upgrade_waive_backup": NAME}
PROBE = {"dtr_probe_repository": "admin/probe"}


def play(playbook, *arguments, **variables):
    """A playbook of the collection: exit code, output on one line."""
    code, output = run_playbook(SCENARIO, f"playbooks/{playbook}.yml", *arguments, **variables)
    return code, " ".join(output.split())


def changed(output):
    return sum(int(number) for number in re.findall(r"changed=([0-9]+)", output))


def api(path, method="GET", body=None):
    """What DTR answers to its administrator through the balancer."""
    request = urllib.request.Request(f"https://{BALANCER}{path}", method=method, data=json.dumps(body).encode() if body else None)
    request.add_header("Authorization", "Basic " + b64encode(f"admin:{PASSWORD}".encode()).decode())
    request.add_header("Content-Type", "application/json")
    context = ssl.create_default_context(cafile=LAB / "inventory/.pki/dtr-ca.pem")
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def versions(node):
    """{node: versions of the images of its UCP or DTR}."""
    found = {}
    for name in ("ucp-1", *REPLICAS):
        images = node(name).check_output("docker ps --format '{{.Image}} {{.Names}}'").splitlines()
        product = "ucp" if name == "ucp-1" else "dtr"
        found[name] = sorted({re.search(r":([0-9.]+) ", line)[1] for line in images if f"/{product}-" in line})
    return found


@pytest.fixture(scope="module")
def client(node):
    return node("ucp-1")


# Each turn pushes an image that nobody has seen, and pulls another one that was accepted before.
TRAFFIC = f"""
set -u
number=0
while [ ! -e /root/stop ]; do
  number=$((number + 1)) image={NAME}/admin/traffic:$number
  echo $number > /root/content
  tar -cC /root content | docker import - $image >/dev/null
  if said=$(docker push $image 2>&1); then echo "$number $(echo "$said" | grep -o 'sha256:[0-9a-f]*' | tail -n 1)" >> /root/accepted
  else echo "push $number: $said" | tr '\\n' ' ' >> /root/failed; echo >> /root/failed; fi
  docker rmi -f $image >/dev/null
  sleep 3   # two cores serve all of this
  set -- $(shuf -n 1 /root/accepted)
  if said=$(docker pull -q {NAME}/admin/traffic@$2 2>&1); then docker rmi -f {NAME}/admin/traffic@$2 >/dev/null
  else echo "pull $1: $said" | tr '\\n' ' ' >> /root/failed; echo >> /root/failed; fi
done
"""


def lines(client, file):
    return client.check_output(f"cat /root/{file}").splitlines()


@pytest.fixture(scope="module")
def traffic(client):
    """Pushes and pulls until the end of the module."""
    client.check_output(f"echo {PASSWORD} | docker login -u admin --password-stdin {NAME}")
    subprocess.run(["docker", "exec", "-i", f"dockyard-{SCENARIO}-ucp-1", "sh", "-c", "cat > /root/traffic.sh"],
                   input=TRAFFIC, text=True, check=True)
    client.check_output("rm -f /root/stop; : > /root/accepted; : > /root/failed")
    client.check_output("nohup sh /root/traffic.sh >/root/traffic.log 2>&1 & echo $! >/root/traffic.pid; sleep 8")
    yield client
    client.check_output("touch /root/stop")


def test_images_are_pushed(traffic):
    for name in ("probe", "traffic"):
        api("/api/v0/repositories/admin", "POST", {"name": name, "visibility": "private"})
    time.sleep(8)
    assert len(lines(traffic, "accepted")) > 1
    traffic.check_output(": > /root/failed")


@pytest.mark.parametrize(("variables", "says"), [
    (TARGET, "needs a verified backup of version 2.7.6"),
    ({**TARGET, "dtr_upgrade_waive_backup": NAME}, f"set ucp_upgrade_waive_backup to {UCP}"),
    ({**TARGET, **WAIVED, "dtr_version": "2.7.6"}, "DTR 2.7.6 on UCP 3.3.7: DTR 2.7 goes with UCP 3.2"),
    ({**TARGET, **WAIVED, "ucp_version": "3.2.5"}, "DTR 2.8.5 on UCP 3.2.5: DTR 2.8 goes with UCP 3.3"),
    ({**TARGET, **WAIVED, "dtr_version": "2.9.1"}, "skips a minor version"),
    ({**TARGET, **WAIVED, "dtr_version": "2.8.9"}, "is not on dtr-1"),
])
def test_what_cannot_go_well_is_refused_before_anything(node, traffic, variables, says):
    before = versions(node)
    code, output = play("upgrade", **variables)
    assert code == 2 and says in output and changed(output) == 0, output
    assert versions(node) == before


def test_check_mode_tells_and_changes_nothing(node, traffic):
    before = versions(node)
    code, output = play("upgrade", "--check", **TARGET, **WAIVED)
    assert code == 0 and changed(output) >= 2, output
    assert versions(node) == before


def test_a_run_that_is_killed_leaves_a_registry_that_serves_and_says_what_to_do(node, traffic):
    variables = json.dumps({**TARGET, **WAIVED, **PROBE})
    command = ["ansible-playbook", "-i", LAB / "inventory/hosts.yml", "playbooks/upgrade.yml", "-e", variables]
    with open(LAB / "killed.log", "w", encoding="utf-8") as log:
        run = subprocess.Popen(command, cwd=CHECKOUT, stdout=log, stderr=log, start_new_session=True,
                               env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")})
        end = time.monotonic() + 500
        while not any(versions(node)[name] == ["2.8.5"] for name in REPLICAS):
            assert run.poll() is None and time.monotonic() < end, (LAB / "killed.log").read_text()[-3000:]
            time.sleep(1)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    # As if the host that ran docker/dtr had been restarted.
    for name in REPLICAS:
        node(name).check_output("docker ps -q --filter ancestor=mirantis/dtr:2.8.5 | xargs -r docker kill")
    found = versions(node)
    assert found["ucp-1"] == ["3.3.7"] and {one for name in REPLICAS for one in found[name]} == {"2.7.6", "2.8.5"}, found
    before = len(lines(traffic, "accepted"))
    time.sleep(15)
    assert len(lines(traffic, "accepted")) > before
    output = play("status", **TARGET)[1]
    assert "an upgrade was interrupted" in output and "Run upgrade.yml" in output, output


def test_the_next_run_ends_what_was_begun(node, traffic):
    code, output = play("upgrade", **TARGET, **WAIVED, **PROBE)
    assert code == 0 and "vulnerability database again" in output, output
    assert versions(node) == {"ucp-1": ["3.3.7"], **{name: ["2.8.5"] for name in REPLICAS}}
    assert set(api("/api/v0/meta/cluster_status")["replica_health"].values()) == {"OK"}


def test_once_more_changes_nothing(traffic):
    code, output = play("upgrade", **TARGET, **PROBE)
    assert (code, changed(output)) == (0, 0), output
    code, output = run_playbook(SCENARIO, CHECKOUT / f"molecule/{SCENARIO}/converge.yml", **TARGET)
    assert (code, changed(output)) == (0, 0), output


def test_replicas_leave_the_balancer_before_they_are_removed(traffic):
    traffic.check_output(": > /root/failed")
    before = len(lines(traffic, "accepted"))
    code, output = play("remove_replica", **TARGET, dtr_remove_replicas=["dtr-2", "dtr-3"])
    assert code == 0, output
    # A cluster whose members change may answer 503 for a moment; a connection that breaks is what the drain is against.
    assert [line for line in lines(traffic, "failed") if "503 Service Unavailable" not in line] == []
    assert len(lines(traffic, "accepted")) > before
    assert set(api("/api/v0/meta/cluster_status")["replica_health"].values()) == {"OK"}


def test_no_image_that_was_accepted_is_lost(traffic):
    traffic.check_output("touch /root/stop; while kill -0 $(cat /root/traffic.pid) 2>/dev/null; do sleep 0.2; done")
    accepted = [line.split() for line in lines(traffic, "accepted")]
    assert len(accepted) > 20
    shown = {tag["name"]: tag["digest"] for tag in api("/api/v0/repositories/admin/traffic/tags?pageSize=10000&includeManifests=true")}
    assert [number for number, digest in accepted if shown.get(number) != digest] == []
    pulled = traffic.run("for d in $(cut -d' ' -f2 /root/accepted | shuf -n 25); do "
                         f"docker pull -q {NAME}/admin/traffic@$d || echo lost $d; done").stdout
    assert "lost" not in pulled
