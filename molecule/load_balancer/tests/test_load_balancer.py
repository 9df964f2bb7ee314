# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pair of balancers from their first connection to their removal. The tests stand in the order of their life."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lab_run import run_playbook

HERE = Path(__file__).parents[1]
VIRTUAL = "172.30.84.100"
BALANCERS = ("lb-1", "lb-2")
CURL = "curl -s --cacert /root/ca/ca.crt"
REPLICAS = ("dtr-1", "dtr-2")


def run_entry(entry="main", *arguments, **variables):
    return run_playbook("load_balancer", HERE / "entry.yml", *arguments, entry=entry, **variables)


def changed(output, host="lb-1"):
    return int(re.search(rf"{host} .*changed=(\d+)", output).group(1))


def until(condition, what, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.5)


@pytest.fixture
def status(tmp_path):
    def ask():
        file = tmp_path / "status.json"
        code, output = run_entry("status", status_file=str(file))
        assert code == 0, output
        return json.loads(file.read_text(encoding="utf-8"))

    return ask


@pytest.fixture(scope="module")
def client(node):
    return node("client-1")


def holder(node):
    """The balancer that has the virtual address."""
    found = [name for name in BALANCERS if f" {VIRTUAL}/" in node(name).check_output("ip -o -4 address show")]
    return found[0] if len(found) == 1 else None


def replicas(client, count=6):
    """Which replicas answered so many connections."""
    return {client.check_output(f"{CURL} --max-time 10 https://dtr.lab.test/ || echo nobody") for number in range(count)}


def worker(balancer):
    return balancer.check_output("pgrep --newest -u haproxy haproxy")


@pytest.fixture
def download(node, client):
    """A download that flows through lb-1 until C(finish); C(replica) serves it."""
    found = Download(node, client)
    yield found
    found.finish()


class Download:
    def __init__(self, node, client):
        self.node, self.client = node, client
        for name in REPLICAS:
            node(name).check_output("rm -f /run/enough")
        client.check_output("rm -f /root/blob /root/blob.code")
        client.check_output(f"systemd-run -q --collect sh -c '{CURL} -o /root/blob https://dtr.lab.test/blob; echo $? > /root/blob.code'")
        until(lambda: client.run("test -s /root/blob").rc == 0, "a download has begun")
        self.replica = client.check_output("head -c 5 /root/blob")
        self.other = next(name for name in REPLICAS if name != self.replica)

    def flows(self):
        before = self.client.file("/root/blob").size
        time.sleep(2)
        return self.client.file("/root/blob").size > before and not self.client.file("/root/blob.code").exists

    def finish(self):
        """How curl ended; 0 when nothing was cut off."""
        for name in REPLICAS:
            self.node(name).check_output("touch /run/enough")
        until(lambda: self.client.run("test -s /root/blob.code").rc == 0, "the download has ended")
        return self.client.check_output("cat /root/blob.code")


def test_nothing_is_open_but_what_is_declared(node):
    for name in BALANCERS:
        # Docker's name server has a port of its own in each node.
        listening = set(node(name).check_output("ss -Hltn '! src 127.0.0.11' | awk '{print $4}'").split())
        assert listening == {"0.0.0.0:443", "0.0.0.0:5000"}, "in particular no statistics page"
        assert node(name).check_output("stat -c %a:%U /run/haproxy/admin.sock /run/haproxy-master.sock").split() == ["600:root"] * 2
        assert node(name).check_output("stat -c %a:%U /etc/keepalived/keepalived.conf") == "600:root"


def test_connections_reach_every_replica_through_one_address(node, client):
    assert holder(node) == "lb-1"
    assert replicas(client) == set(REPLICAS)


def test_pushes_and_pulls_go_through(client):
    name = "docker://registry.lab.test:5000/team/busybox:1"
    client.check_output(f"skopeo copy -q --authfile /root/auth.json --dest-cert-dir /root/ca oci:/root/image:1 {name}")
    client.check_output(f"skopeo copy -q --authfile /root/auth.json --src-cert-dir /root/ca {name} dir:/root/first")


def test_a_replica_that_says_it_is_ill_gets_nothing(node, client, status):
    node("dtr-1").check_output("touch /run/ill")
    until(lambda: replicas(client, 3) == {"dtr-2"}, "dtr-1 has left")
    found = status()
    assert found["lb-1"]["backends"]["dtr"]["up"] == 1 and found["lb-1"]["held"] == [VIRTUAL] and found["lb-2"]["held"] == []
    assert found["lb-1"]["backends"]["dtr"]["servers"]["dtr-1"]["check"] == "L7STS 503"
    node("dtr-1").check_output("rm /run/ill")
    until(lambda: replicas(client) == set(REPLICAS), "dtr-1 is back")


def test_a_replica_with_a_certificate_of_an_unknown_authority_gets_nothing(node, client):
    replica = node("dtr-1")
    replica.check_output(
        "cp -a /etc/replica /root/kept && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=dtr.lab.test -addext subjectAltName=DNS:dtr.lab.test "
        "-keyout /etc/replica/key.pem -out /etc/replica/certificate.pem && systemctl restart replica"
    )
    until(lambda: replicas(client, 3) == {"dtr-2"}, "dtr-1 has left")
    replica.check_output("rm -r /etc/replica && mv /root/kept /etc/replica && systemctl restart replica")
    until(lambda: replicas(client) == set(REPLICAS), "dtr-1 is back")


def test_a_reload_breaks_no_connection(node, download):
    balancer = node("lb-1")
    before = worker(balancer)
    code, output = run_entry(load_balancer_log_level="notice")
    assert code == 0 and changed(output) == 1 and worker(balancer) != before, output
    assert download.flows() and download.finish() == "0"


def test_a_drain_waits_for_the_last_connection_even_over_a_reload(node, client, download):
    server, other = download.replica, download.other
    assert run_entry(load_balancer_idle_timeout=3700)[0] == 0, "a reload: the connection is an older worker's now"
    code, output = run_entry("drain", "--check", on=server)
    assert code == 0 and replicas(client) == set(REPLICAS), output
    with ThreadPoolExecutor() as pool:
        drain = pool.submit(run_entry, "drain", on=server)
        until(lambda: replicas(client, 3) == {other}, "new connections go to the other one")
        assert download.flows() and not drain.done(), "the drain has not waited"
        assert download.finish() == "0"
        code, output = drain.result()
    assert code == 0 and changed(output, server) == 1, output
    code, output = run_entry("drain", on=server)
    assert code == 0 and changed(output, server) == 0, output


def test_a_drain_outlives_reloads_and_restarts_and_ends_when_told(node, client, status):
    found = status()["lb-1"]["backends"]["dtr"]["servers"]
    server = next(name for name, row in found.items() if row["drained"])
    other = next(name for name in REPLICAS if name != server)
    assert run_entry()[0] == 0 and replicas(client) == {other}, "a reload has undone the drain"
    for name in BALANCERS:
        node(name).check_output("systemctl restart haproxy")
    until(lambda: replicas(client, 3) == {other}, "the restart is over")
    time.sleep(5)
    assert replicas(client) == {other}, "a restart has undone the drain"
    code, output = run_entry("drain", on=other)
    assert code != 0 and f"{other} is the last server that is up in dtr" in output and replicas(client) == {other}, output
    code, output = run_entry("undrain", on=server)
    assert code == 0 and changed(output, server) == 1 and replicas(client) == set(REPLICAS), output
    code, output = run_entry("undrain", on=server)
    assert code == 0 and changed(output, server) == 0, output
    for name in BALANCERS:
        node(name).check_output("systemctl restart haproxy")
    until(lambda: replicas(client) == set(REPLICAS), "a restart has not brought the drain back")


def test_connections_that_do_not_end_are_told_and_closed_only_when_asked(download):
    server = download.replica
    code, output = run_entry("drain", on=server, load_balancer_drain_timeout=1)
    assert code != 0 and f"{server} is drained, but 1 of its connections did not end within 1 s" in output, output
    assert download.flows()
    code, output = run_entry("drain", on=server, load_balancer_drain_timeout=1, load_balancer_drain_close=True)
    assert code == 0 and download.finish() != "0", output
    assert run_entry("undrain", on=server)[0] == 0


def test_no_push_and_no_pull_is_lost_meanwhile(node, client, status):
    client.check_output("rm -f /root/stop && systemd-run -q --unit=traffic /root/pulls.sh")

    def done():
        return int(client.run("grep -c done /root/traffic").stdout.strip() or 0)

    def flows():
        before = done()
        until(lambda: done() > before + 2, "traffic flows")

    flows()
    code, output = run_entry("drain", on="registry-1")
    assert code == 0, output
    code, output = run_entry(load_balancer_log_level="notice")
    assert code == 0, output
    assert run_entry("undrain", on="registry-1")[0] == 0
    node("registry-2").check_output("systemctl kill -s KILL distribution && systemctl stop distribution")
    flows()
    node("registry-2").check_output("systemctl start distribution")
    until(lambda: all(found["backends"]["distribution"]["up"] == 2 for found in status().values()), "both registries are up")
    node(holder(node)).check_output("systemctl stop haproxy")
    flows()
    client.check_output("touch /root/stop")
    until(lambda: client.run("systemctl is-active traffic").stdout.strip() != "active", "traffic ends")
    words = client.check_output("cat /root/traffic").split()
    assert set(words) == {"done"}, (words, client.check_output("tail -n 20 /root/traffic.log"))


def test_the_address_moves_and_does_not_come_back_unasked(node, client):
    assert holder(node) == "lb-2" and replicas(client) == set(REPLICAS)
    node("lb-1").check_output("systemctl start haproxy")
    time.sleep(10)
    assert holder(node) == "lb-2"
    node("lb-2").check_output("systemctl stop haproxy")
    until(lambda: holder(node) == "lb-1", "the address has moved")
    assert replicas(client) == set(REPLICAS)
    node("lb-2").check_output("systemctl start haproxy")
    assert run_entry()[0] == 0
    until(lambda: holder(node) == "lb-1", "one of them has it")


def test_what_haproxy_does_not_take_is_refused_and_the_old_one_runs_on(node, client):
    balancer = node("lb-1")
    before, file = worker(balancer), balancer.file("/etc/haproxy/haproxy.cfg").sha256sum
    code, output = run_entry(load_balancer_log_targets=["nowhere.invalid:514"])
    assert code != 0 and "haproxy refuses the new configuration; the old one has been left as it was" in output, output
    assert worker(balancer) == before and balancer.file("/etc/haproxy/haproxy.cfg").sha256sum == file


def test_what_does_not_run_is_put_back(node, client):
    balancer = node("lb-1")
    before = balancer.file("/etc/haproxy/haproxy.cfg").sha256sum
    balancer.check_output(
        "systemd-run --unit=squatter --collect python3 -c 'import socket,time; s=socket.create_server((\"\",8080)); time.sleep(600)'"
    )
    until(lambda: ":8080" in balancer.check_output("ss -Hltn"), "the port is taken")
    code, output = run_entry("main", "--limit", "lb-1", load_balancer_dtr_http_port=8080)
    balancer.run("systemctl stop squatter")
    assert code != 0 and "The old configuration has been put back and runs" in output and "8080" in output, output
    assert balancer.file("/etc/haproxy/haproxy.cfg").sha256sum == before and replicas(client) == set(REPLICAS)
    assert changed(run_entry()[1]) == 0


def test_a_run_that_was_killed_before_the_reload_is_made_up_for(node):
    balancer = node("lb-1")
    started = "systemctl show --property=StateChangeTimestampMonotonic --value haproxy keepalived"
    before = balancer.check_output(started).split()
    balancer.check_output("touch /etc/haproxy/haproxy.cfg /etc/keepalived/keepalived.conf")
    code, output = run_entry()
    assert code == 0 and changed(output) == 2, output
    after = balancer.check_output(started).split()
    assert len(before) == 2 and not set(before) & set(after)
    assert changed(run_entry()[1]) == 0


def test_somebody_elses_configuration_is_not_replaced_unasked(node):
    balancer = node("lb-2")
    balancer.check_output(
        "cp -a /etc/haproxy/haproxy.cfg /root/ours && printf 'listen theirs\\n  bind :7000\\n' > /etc/haproxy/haproxy.cfg"
    )
    code, output = run_entry("main", "--limit", "lb-2")
    assert code != 0 and "/etc/haproxy/haproxy.cfg is somebody else's" in output, output
    assert "theirs" in balancer.check_output("cat /etc/haproxy/haproxy.cfg")
    code, output = run_entry("main", "--limit", "lb-2", load_balancer_replace_confirm="lb-2")
    assert code == 0 and "theirs" in balancer.check_output("cat /etc/haproxy/haproxy.cfg.before-*"), output


def test_the_password_is_in_no_words_of_a_run(node):
    code, output = run_entry("main", "-vvv", "--diff", load_balancer_router_id=85)
    assert code == 0 and "virtual_router_id 85" in output and "vrrp-pwd" not in output, output


def test_an_address_that_is_no_longer_declared_is_given_up(node):
    code, output = run_entry(load_balancer_virtual_addresses=[])
    assert code == 0 and changed(output) == 2 and holder(node) is None, output
    assert node("lb-1").run("systemctl is-active keepalived").stdout.strip() == "inactive"
    assert changed(run_entry(load_balancer_virtual_addresses=[])[1]) == 0


def test_uninstall_asks_first_and_leaves_nothing(node):
    code, output = run_entry("uninstall")
    assert code != 0 and "ends every connection through lb-1, which serves dtr, distribution" in output, output
    name = "lb-1"
    code, output = run_entry("uninstall", "--limit", name, load_balancer_uninstall_confirm=name)
    assert code == 0, output
    left = "find /etc/systemd/system/haproxy.service.d /etc/haproxy/check-ca-* /etc/haproxy/haproxy.cfg /var/lib/haproxy/drained -type f"
    assert node(name).run(left).stdout == "" and node(name).run("command -v haproxy").rc != 0
    assert changed(run_entry("uninstall", "--limit", name, load_balancer_uninstall_confirm=name)[1], name) == 0
