# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry of one replica, from its installation to its removal; the stories run in the order of this file."""

from __future__ import annotations

import json
import re
import ssl
import urllib.error
import urllib.request
from base64 import b64encode

import pytest
from lab_run import CHECKOUT, run_playbook

SCENARIO = "dtr"
LAB = CHECKOUT / f".lab/molecule-{SCENARIO}"
ENTRY = CHECKOUT / f"molecule/{SCENARIO}/entry.yml"
ADDRESS, NAME, PASSWORD = "172.30.83.21", "dtr.lab.test", "sesame-of-the-admin"
IMAGE = "docker/dtr-registry:2.7.6"   # any image that the node has
UCP = {"ucp_api_host": "172.30.83.11"}   # the role ucp, which tells it, does not run in these plays
DRIFT = {"dtr_log_protocol": "tcp", "dtr_log_host": "syslog.lab.test:514", "dtr_log_level": "warn", "dtr_no_proxy": "lab.test",
         "dtr_replica_http_port": 8080}   # what is declared from the story of the drift on


def entry(point, *arguments, **variables):
    """The role's entry point: exit code, output on one line."""
    code, output = run_playbook(SCENARIO, ENTRY, *arguments, entry_point=point, **{**UCP, **variables})
    return code, " ".join(output.split())


def changed(output):
    """How many tasks changed something."""
    return sum(int(number) for number in re.findall(r"changed=([0-9]+)", output))


def api(method, path, body=None):
    """What DTR answers to its administrator under its node's address, verified with the CA that the role fetched."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"https://{ADDRESS}{path}", method=method, data=data)
    request.add_header("Authorization", "Basic " + b64encode(f"admin:{PASSWORD}".encode()).decode())
    request.add_header("Content-Type", "application/json")
    context = ssl.create_default_context(cafile=LAB / "inventory/.pki/dtr-ca.pem")
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def served():
    """The certificate that the replica serves, PEM."""
    return ssl.get_server_certificate((ADDRESS, 443), timeout=30)


@pytest.fixture
def registry(node):
    return node("dtr-1")


def push_and_pull(host, tag):
    """A real client: login, push, and a pull of what is no longer there."""
    target = f"{NAME}/admin/probe:{tag}"
    host.check_output(f"echo {PASSWORD} | docker login -u admin --password-stdin {NAME}")
    host.check_output(f"docker tag {IMAGE} {target} && docker push {target} && docker rmi {target} && docker pull -q {target}")


def test_the_replica_is_what_the_documents_say(registry):
    names = registry.check_output("docker ps --format '{{.Names}}'").split()
    parts = {match.group(1) for match in (re.fullmatch(r"dtr-([a-z-]+)-[0-9a-f]{12}", name) for name in names) if match}
    assert parts == {"api", "garant", "jobrunner", "nginx", "notary-server", "notary-signer", "registry", "rethinkdb", "scanningstore"}
    assert api("GET", "/api/v0/meta/cluster_status")["replica_health"].popitem()[1] == "OK"


def test_the_certificate_is_ours(registry):
    issued = (LAB / f"inventory/.pki/issued/{NAME}/dtr/certificate.pem").read_text()
    assert ssl.PEM_cert_to_DER_cert(served()) == ssl.PEM_cert_to_DER_cert(issued)
    assert (LAB / "inventory/.pki/dtr-ca.pem").read_text().strip() == (LAB / "inventory/.pki/ca.pem").read_text().strip()
    assert registry.file("/etc/dockyard/dtr-tls/key.pem").mode == 0o600


def test_a_real_client_pushes_and_pulls(registry):
    api("POST", "/api/v0/repositories/admin", {"name": "probe", "visibility": "private"})
    push_and_pull(registry, "first")


def test_status_tells_and_changes_nothing():
    code, output = entry("status")
    assert code == 0, output
    assert "1 of 1 replicas are well" in output
    assert changed(output) == 0


def test_a_wrong_password_is_refused_before_anything():
    code, output = entry("main", ucp_admin_password="not-the-password")
    assert code == 2
    assert "the credentials of 'admin' are not accepted" in output
    assert changed(output) == 0


@pytest.mark.parametrize(("variables", "says"), [
    ({"dtr_version": "2.6.9"}, "no way back to an older version"),
    ({"dtr_storage": {"volume": "images"}}, "Copy the image data there first"),
])
def test_what_is_not_right_in_this_state_is_refused(variables, says):
    code, output = entry("main", **variables)
    assert code == 2
    assert says in output
    assert changed(output) == 0


@pytest.mark.parametrize(("point", "variables", "says"), [
    ("repair", {}, "1 of 1 replicas are well"),
    ("remove_replica", {"dtr_remove_replicas": ["dtr-1"]}, "no healthy replica would stay"),
    ("upgrade", {"dtr_version": "2.8.5"}, "goes with UCP 3.3"),
    ("upgrade", {"dtr_version": "2.7.9", "dtr_pull": "missing"}, "needs a verified backup"),
    ("uninstall", {}, "set dtr_uninstall_confirm to dtr.lab.test"),
])
def test_destructive_work_is_refused_or_idle(point, variables, says):
    code, output = entry(point, **variables)
    assert code == (0 if point == "repair" else 2), output
    assert says in output
    assert changed(output) == 0


def test_drift_is_reconfigured_and_told_beforehand():
    code, output = entry("main", "--check", **DRIFT)
    assert (code, changed(output)) == (0, 2), output
    code, output = entry("main", **DRIFT)
    assert (code, changed(output)) == (0, 2), output
    settings = api("GET", "/api/v0/meta/settings")
    assert (settings["logProtocol"], settings["logHost"], settings["noProxy"]) == ("tcp", "syslog.lab.test:514", "lab.test")
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(f"http://{ADDRESS}/_ping", timeout=10)
    with urllib.request.urlopen(f"http://{ADDRESS}:8080/_ping", timeout=10) as answer:
        assert json.load(answer)["Healthy"]
    code, output = entry("main", **DRIFT)
    assert (code, changed(output)) == (0, 0), output


def test_the_certificate_rotates_while_images_are_pulled(registry):
    before = served()
    pulls = f"while true; do docker pull -q {NAME}/admin/probe:first || echo failed; sleep 0.3; done"
    registry.check_output(f"nohup sh -c '{pulls}' >/root/pulls 2>&1 & echo $! >/root/pulls.pid")
    code, output = entry("certificate", certificates_rotate=True, **DRIFT)
    registry.check_output("kill $(cat /root/pulls.pid)")
    assert code == 0, output
    assert served() != before
    assert api("GET", "/api/v0/meta/cluster_status")["replica_health"]
    pulls = registry.check_output("cat /root/pulls").splitlines()
    assert len(pulls) > 3
    assert "failed" not in pulls
    push_and_pull(registry, "rotated")


def test_a_replica_that_stops_is_told_and_comes_back(registry):
    registry.check_output("docker stop $(docker ps -q --filter name=dtr-nginx-)")
    code, output = entry("status")
    assert code == 0, output
    assert "verdict: start" in output
    code, output = entry("main", dtr_wait_timeout=1, **DRIFT)
    assert code == 2
    assert "docker start" in output
    registry.check_output("docker start $(docker ps -aq --filter name=dtr-nginx-)")
    code, output = entry("main", **DRIFT)
    assert (code, changed(output)) == (0, 0), output


def test_no_secret_is_on_a_disk_or_in_the_output(registry):
    code, output = entry("main", "-vvv", "--diff", **DRIFT)
    assert code == 0
    assert PASSWORD not in output
    assert "PRIVATE KEY" not in output
    assert registry.run(f"grep -rl {PASSWORD} /etc /root/.ansible /var/log /run 2>/dev/null | grep -v docker").stdout == ""


def test_uninstall_removes_everything_and_an_installation_is_clean_again(registry):
    code, output = entry("uninstall", dtr_uninstall_confirm=NAME)
    assert code == 0, output
    assert registry.check_output("docker ps -aq --filter name=dtr-; docker volume ls -q | grep '^dtr-' || true") == ""
    assert not registry.file("/etc/dockyard/dtr-tls").exists
    code, output = entry("uninstall", dtr_uninstall_confirm=NAME)
    assert (code, changed(output)) == (0, 0), output
    code, output = entry("main")
    assert code == 0, output
    assert api("GET", "/api/v0/repositories")["repositories"] == []
