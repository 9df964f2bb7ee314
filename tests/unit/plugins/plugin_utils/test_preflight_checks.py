# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every check by table: what is wrong with the host, the verdict, words of the message."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_declare import CHECKS
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_report import FUNCTIONS
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.plugin_utils.preflight_hosts import (
    GB,
    GIB,
    IMAGES,
    declare,
    host,
    probe,
)

DOCKER, DISTRIBUTION = "/var/lib/docker", "/var/lib/distribution"
REGISTRY = {"port": 5000, "protocol": "tcp", "pid": 812, "kernel": False}


def space(path, **values):
    return {"paths": {path: values}}


def skewed(seconds):
    return {"clock": {"started": 1000.4 + seconds, "finished": 1000.5 + seconds}}


def having(*present, lists=None):
    """An engine with these images; UCP's tool lists nothing here unless it is said what."""
    return {"images": {"present": list(present), "lists": {"ucp docker/ucp:3.2.5": lists}}}


UCP, DTR = IMAGES["ucp"], IMAGES["dtr"]
# check, profile, changes to a fit host's probe, status, text that the message or its mend must hold
ALONE = [
    ("images", "ucp_worker", {}, "ok", "all 3 images of ucp are here"),
    ("images", "ucp_manager", {"images": {"present": [*UCP, DTR[0]]}}, "ok", "all 3 images of ucp are here"),
    ("images", "ucp_manager", {"images": {"present": UCP}}, "fail", "1 of 1 images are missing: docker/dtr:2.7.6"),
    ("images", "ucp_worker", {"images": {"present": UCP[:2]}}, "fail", "1 of 3 images are missing: docker/ucp-auth:3.2.5"),
    ("images", "ucp_worker", {"images": {"present": UCP[:2]}}, "fail", "docker load on one"),
    ("images", "dtr", {"images": {"present": UCP}}, "fail", "2 of 2 images are missing: docker/dtr-api:2.7.6, docker/dtr:2.7.6"),
    ("images", "ucp_worker", {"images": None}, "skipped", "no engine is installed yet"),
    ("images", "ucp_worker", {"images": {"error": "the engine does not list its images"}}, "fail", "does not list its images"),
    ("images", "ucp_worker", having(*UCP), "fail", "no host has docker/ucp:3.2.5"),
    ("images", "ucp_worker", having(*UCP, lists={"names": [], "error": "it printed 'help'"}), "fail", "'help'"),
    ("memory", "dtr", {"memory": {"total": 15.6 * GIB}}, "ok", "15.6 GiB of RAM; minimum 16 GiB"),
    ("memory", "dtr", {"memory": {"total": 15.0 * GIB}}, "fail", "15 GiB of RAM"),
    ("memory", "dtr_scanning", {"memory": {"total": 16 * GIB}}, "fail", "minimum 32 GiB"),
    ("memory", "ucp_manager", {"memory": {"total": 8 * GIB}}, "warn", "recommended 16 GiB"),
    ("memory", "ucp_worker", {"memory": {"total": 4 * GIB}}, "ok", "minimum 4 GiB"),
    ("memory", "ucp_worker", {"memory": {"cgroup_limit": 2 * GIB}}, "fail", "limit of the control group"),
    ("memory", "ucp_worker", {"memory": {"cgroup_limit": 64 * GIB}}, "ok", "32 GiB"),
    ("cpus", "dtr", {}, "ok", "8 CPUs; minimum 2, recommended 4"),
    ("cpus", "dtr", {"cpus": {"usable": 2}}, "warn", "2 CPUs"),
    ("cpus", "dtr", {"cpus": {"usable": 1}}, "fail", "1 CPUs"),
    ("cpus", "dtr", {"cpus": {"quota": 1.5}}, "fail", "1.5 CPUs"),
    ("disk", "dtr", {}, "ok", "100 GB free for /var/lib/docker"),
    ("disk", "dtr", space(DOCKER, free=12 * GB), "warn", "minimum 10 GB, recommended 25 GB"),
    ("disk", "dtr", space(DOCKER, free=9 * GB, mount="/var"), "fail", "9 GB free"),
    ("disk", "dtr", {**space(DOCKER, free=9 * GB), "traces": ["/var/lib/docker/volumes/dtr-rethink-*"]}, "warn", "installed already"),
    ("disk", "distribution", {"engine": None, **space(DISTRIBUTION, free=1 * GB)}, "fail", "/var/lib/distribution"),
    ("disk", "registry_client", {"engine": {"root": "/srv/docker"}, "paths": {"/srv/docker": None}}, "fail", "/srv/docker cannot be"),
    ("inodes", "dtr", {}, "ok", "9000000 inodes free"),
    ("inodes", "dtr", space(DOCKER, inodes_free=50_000), "warn", "recommended 100000"),
    ("inodes", "dtr", space(DOCKER, inodes_free=500), "fail", "500 inodes"),
    ("inodes", "dtr", space(DOCKER, inodes_total=0, inodes_free=0, fstype="btrfs"), "ok", "no fixed number"),
    ("filesystem", "dtr", space(DOCKER, fstype="xfs"), "ok", "lies on xfs, fit for overlay2"),
    ("filesystem", "dtr", space(DOCKER, fstype="xfs", d_type=False), "fail", "ftype=0"),
    ("filesystem", "registry_client", space(DOCKER, fstype="overlay"), "warn", "overlay2 cannot use"),
    ("filesystem", "dtr", space(DOCKER, fstype="nfs4"), "fail", "nfs4"),
    ("swap", "ucp_worker", {}, "ok", "no swap"),
    ("swap", "ucp_worker", {"memory": {"swap": 2 * GIB}}, "warn", "2 GiB of swap"),
    ("kernel", "dtr", {}, "ok", "5.14.0-427.el9; minimum 3.10"),
    ("kernel", "dtr", {"kernel": {"release": "3.10.0-1160.el7.x86_64"}}, "ok", "3.10.0"),
    ("kernel", "dtr", {"kernel": {"release": "2.6.32-754.el6"}}, "fail", "minimum 3.10"),
    ("architecture", "dtr", {}, "ok", "x86_64"),
    ("architecture", "dtr", {"kernel": {"machine": "aarch64"}}, "fail", "supported: x86_64"),
    ("architecture", "distribution", {"kernel": {"machine": "aarch64"}}, "ok", "aarch64"),
    ("architecture", "distribution", {"kernel": {"machine": "riscv64"}}, "warn", "riscv64"),
    ("os", "dtr", {}, "ok", "Red Hat Enterprise Linux 8.9"),
    ("os", "dtr", {"os": {"version": "80.1"}}, "warn", "not in the supported list"),
    ("os", "dtr", {"os": {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12"}}, "warn", "rhel 7, 8"),
    ("os", "distribution", {"os": {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12"}}, "ok", "Debian"),
    ("selinux", "dtr", {}, "ok", "absent"),
    ("selinux", "dtr", {"selinux": "enforcing"}, "warn", "label=disable"),
    ("engine", "dtr", {}, "ok", "20.10.24"),
    ("engine", "dtr", {"engine": {"version": "18.09.1"}}, "warn", "recommended 19.03"),
    ("engine", "dtr", {"engine": {"version": "17.06.2-ee-16"}}, "fail", "minimum 18.09"),
    ("engine", "dtr", {"engine": None}, "skipped", "no engine is installed yet"),
    ("engine", "dtr", {"engine": {"version": "", "error": "permission denied"}}, "warn", "permission denied"),
    ("storage_driver", "dtr", {}, "ok", "overlay2"),
    ("storage_driver", "dtr", {"engine": {"driver": "devicemapper"}}, "warn", "devicemapper"),
    ("storage_driver", "dtr", {"engine": {"driver": "vfs"}}, "fail", "vfs"),
    ("storage_driver", "dtr", {"engine": None}, "skipped", "no engine"),
    ("userns_remap", "dtr", {}, "ok", "no userns-remap"),
    ("userns_remap", "dtr", {"engine": {"userns": True}}, "fail", "userns-remap"),
    ("userns_remap", "dtr", {"engine": None, "daemon_json": {"userns-remap": "default"}}, "fail", "userns-remap"),
    ("hostname", "dtr", {}, "ok", "now and after a boot"),
    ("hostname", "dtr", {"hostname": {"static": "two"}}, "fail", "one now and two after the next boot"),
    ("hostname", "distribution", {"hostname": {"static": "two"}}, "warn", "hostnamectl"),
    ("hostname", "dtr", {"hostname": {"static": None, "current": "one"}}, "fail", "not fixed"),
    ("hostname", "dtr", {"hostname": {"static": "localhost.localdomain", "current": "localhost.localdomain"}}, "fail", "no name"),
    ("hostname", "dtr", {"hostname": {"static": "Node_1", "current": "Node_1"}}, "warn", "not a DNS name"),
    ("clock_synchronised", "dtr", {}, "ok", "synchronised"),
    ("clock_synchronised", "dtr", {"clock": {"synchronised": False}}, "warn", "chrony"),
    ("clock_synchronised", "dtr", {"clock": {"synchronised": None}}, "skipped", "not known"),
    ("clock_controller", "dtr", {}, "ok", "no skew"),
    ("clock_controller", "dtr", skewed(0.4), "ok", "no skew"),
    ("clock_controller", "dtr", skewed(10), "warn", "ahead of"),
    ("clock_controller", "dtr", skewed(-3600), "fail", "behind"),
    ("ports", "distribution", {}, "ok", "registry: free"),
    ("ports", "distribution", {"listeners": [{**REGISTRY, "process": "registry", "unit": "distribution.service"}]}, "ok", "itself"),
    ("ports", "distribution", {"listeners": [{**REGISTRY, "process": "docker-proxy", "container": "distribution"}]}, "ok", "itself"),
    ("ports", "distribution", {"listeners": [{**REGISTRY, "process": "python3"}]}, "fail", "held by process:python3 (pid 812)"),
    (
        "ports",
        "distribution",
        {"listeners": [{**REGISTRY, "process": "registry", "unit": "docker-registry.service"}]},
        "fail",
        "unit:docker-",
    ),
    ("ports", "distribution", {"listeners": [{**REGISTRY, "process": "docker-proxy", "container": "shop"}]}, "fail", "container:shop"),
    ("ports", "distribution", {"listeners": [{**REGISTRY, "pid": None}]}, "warn", "as root"),
    (
        "ports",
        "distribution",
        {"listeners": [{**REGISTRY, "process": "registry", "unit": "distribution.service"}, {**REGISTRY, "process": "nc", "pid": 9}]},
        "fail",
        "process:nc",
    ),
    ("resolve_own", "dtr", {}, "ok", "one resolves to 192.0.2.11"),
    ("resolve_own", "dtr", {"names": {"one": []}}, "fail", "does not resolve on the host itself"),
    ("resolve_own", "dtr", {"names": {"one": ["127.0.1.1"]}}, "warn", "127.0.1.1 only"),
    ("resolve_own", "dtr", {"names": {"one": ["192.0.2.99"]}}, "fail", "no address of this host"),
    ("resolve_own", "distribution", {"names": {"one": []}}, "warn", "/etc/hosts"),
    ("resolve_reverse", "dtr", {}, "ok", "lead back"),
    ("resolve_reverse", "dtr", {"reverse": {"192.0.2.11": []}}, "warn", "no name for 192.0.2.11"),
    ("resolve_reverse", "dtr", {"reverse": {"192.0.2.11": ["other.example.com"]}}, "warn", "not to one"),
    ("resolve_reverse", "dtr", {"reverse": {"192.0.2.11": ["one.example.com"]}}, "ok", "lead back"),
    ("mtu", "dtr", {}, "ok", "MTU 1500 on eth0"),
    ("mtu", "dtr", {"primary": {"mtu": 1400}}, "warn", "overlay networks to 1350"),
    ("mtu", "dtr", {"primary": {"mtu": 576}}, "fail", "minimum 1280"),
    ("address_pools", "dtr", {}, "ok", "free of the host's routes"),
    ("address_pools", "dtr", {"routes": [{"destination": "192.168.7.0/24", "interface": "eth1"}]}, "fail", "192.168.7.0/24 on eth1"),
    ("address_pools", "dtr", {"routes": [{"destination": "10.1.0.0/16", "interface": "eth1"}]}, "warn", "pool 10.0.0.0/8 overlaps"),
    ("address_pools", "dtr", {"routes": [{"destination": "192.168.7.0/24", "interface": "cali01"}]}, "ok", "free"),
    ("address_pools", "registry_client", {"peer_addresses": ["172.17.9.9"]}, "warn", "host 172.17.9.9"),
    ("address_pools", "registry_client", {"peer_addresses": ["192.0.2.12"]}, "ok", "free"),
]

WORST = ("ok", "skipped", "waived", "warn", "fail")


def worst(check, seen):
    verdicts = list(FUNCTIONS[check](seen, seen.profile[check]))
    assert verdicts, f"{check} said nothing"
    assert all(verdict["check"] == check for verdict in verdicts)
    assert all(verdict["mend"] for verdict in verdicts if verdict["status"] in ("warn", "fail")), "a refusal without a mend"
    return max(verdicts, key=lambda verdict: WORST.index(verdict["status"]))


@pytest.mark.parametrize("check,profile,changes,status,text", ALONE)
def test_a_host_by_itself(check, profile, changes, status, text):
    verdict = worst(check, host(profile, copy.deepcopy(changes)))
    assert verdict["status"] == status, verdict
    assert text in f"{verdict['message']} {verdict['mend']}"


def peer(name, address, profiles, **changes):
    return {"hosts": {name: declare(profiles, name, address)}, "probes": {name: probe(name, address, **changes)}}


TWO = ("two", "192.0.2.12")
REACHED = {"connections": {"192.0.2.12 5000": "open"}, "names": {"two": ["192.0.2.12"]}}

# check, own profile, changes, the other hosts, groups, status, text
TOGETHER = [
    ("images", "ucp_worker", having(*UCP), peer(*TWO, ["ucp_worker"]), {}, "ok", "all 3 images of ucp are here"),
    ("images", "ucp_worker", having(), peer(*TWO, ["ucp_worker"]), {}, "fail", "3 of 3 images are missing"),
    ("images", "ucp_worker", having(*UCP[:2]), peer(*TWO, ["ucp_worker"]), {}, "fail", "docker/ucp-auth:3.2.5; they are on two"),
    ("hostname_unique", "dtr", {}, peer(*TWO, ["dtr"]), {}, "ok", "no other host"),
    ("hostname_unique", "dtr", {}, peer(*TWO, ["dtr"], hostname={"current": "one"}), {}, "fail", "two also called one"),
    ("hostname_unique", "distribution", {}, peer(*TWO, ["dtr"], hostname={"current": "one"}), {}, "warn", "a name of its own"),
    ("resolve_peers", "registry_client", REACHED, peer(*TWO, ["distribution"]), {}, "ok", "resolves: two"),
    ("resolve_peers", "registry_client", {"names": {"two": []}}, peer(*TWO, ["distribution"]), {}, "fail", "not resolve here: two"),
    ("resolve_peers", "registry_client", {"names": {"two": ["192.0.2.77"]}}, peer(*TWO, ["distribution"]), {}, "warn", "192.0.2.77"),
    ("reach", "registry_client", REACHED, peer(*TWO, ["distribution"]), {}, "ok", "TCP 5000 (1 open, 0 closed)"),
    ("reach", "registry_client", {"connections": {"192.0.2.12 5000": "refused"}}, peer(*TWO, ["distribution"]), {}, "ok", "1 closed"),
    ("reach", "registry_client", {"connections": {"192.0.2.12 5000": "filtered"}}, peer(*TWO, ["distribution"]), {}, "fail", "filtered"),
    (
        "reach",
        "registry_client",
        {"connections": {"192.0.2.12 5000": "unreachable"}},
        peer(*TWO, ["distribution"]),
        {},
        "fail",
        "firewalls",
    ),
    (
        "reach",
        "registry_client",
        {"connections": {"192.0.2.12 5000": "unresolved"}},
        peer(*TWO, ["distribution"]),
        {},
        "fail",
        "preflight_address",
    ),
    ("clock_hosts", "dtr", skewed(0.2), peer(*TWO, ["dtr"]), {}, "ok", "no skew"),
    ("clock_hosts", "dtr", skewed(8), peer(*TWO, ["dtr"]), {}, "warn", "ahead of that of two"),
    ("clock_hosts", "dtr", skewed(300), peer(*TWO, ["dtr"]), {}, "fail", "at least 29"),
    ("mtu_same", "dtr", {}, peer(*TWO, ["dtr"]), {}, "ok", "MTU 1500"),
    ("mtu_same", "dtr", {"primary": {"mtu": 1400}}, peer(*TWO, ["dtr"]), {}, "warn", "most hosts have 1500"),
    ("engine_same", "dtr", {}, peer(*TWO, ["dtr"]), {}, "ok", "engine 20.10.24"),
    ("engine_same", "dtr", {"engine": {"version": "19.03.5"}}, peer(*TWO, ["dtr"]), {}, "warn", "most hosts run 20.10.24"),
    ("members", "dtr", {}, {}, {"dtr_replicas": ["a", "b", "c"]}, "ok", "survive the loss of 1"),
    ("members", "dtr", {}, {}, {"dtr_replicas": ["a", "b"]}, "fail", "a quorum wants 1, 3, 5, 7"),
    ("members", "ucp_manager", {}, {}, {"ucp_managers": list("abcd")}, "fail", "ucp_managers has 4 hosts"),
]


@pytest.mark.parametrize("check,profile,changes,others,groups,status,text", TOGETHER)
def test_a_host_among_others(check, profile, changes, others, groups, status, text):  # noqa: PLR0917
    verdict = worst(check, host(profile, copy.deepcopy(changes), groups=groups, **others))
    assert verdict["status"] == status, verdict
    assert text in f"{verdict['message']} {verdict['mend']}"


@pytest.mark.parametrize(
    "profiles,status",
    [(["ucp_worker", "dtr"], "ok"), (["dtr"], "warn"), (["ucp_manager", "ucp_worker", "dtr"], "warn")],
)
def test_placement(profiles, status):
    assert worst("placement", host("dtr", profiles=profiles))["status"] == status


def test_images_that_a_bundle_is_to_bring_are_not_refused():
    thresholds = {"ucp_node": {"images": {"ucp": {"bundle": "/srv/bundle.tar"}}}}
    verdict = worst("images", host("ucp_worker", {"images": {"present": []}}, thresholds=thresholds))
    assert verdict["status"] == "skipped"
    assert "3 of 3 images are missing" in verdict["message"] and "from /srv/bundle.tar" in verdict["message"]


def test_images_that_can_be_pulled_are_not_looked_for():
    thresholds = {"ucp_node": {"images": {"ucp": {"tool": ""}}}}
    seen = host("ucp_worker", {"images": {"present": []}}, thresholds=thresholds)
    assert list(FUNCTIONS["images"](seen, seen.profile["images"])) == []


def test_placement_can_be_made_a_refusal():
    assert worst("placement", host("dtr", thresholds={"dtr": {"placement": {"level": "fail"}}}))["status"] == "fail"


def test_swarm_and_vxlan_of_the_product_are_not_in_the_way():
    changes = {
        "listeners": [
            {"port": 2377, "protocol": "tcp", "pid": 7, "process": "dockerd", "unit": "docker.service", "kernel": False},
            {"port": 4789, "protocol": "udp", "pid": None, "kernel": True},
            {"port": 10250, "protocol": "tcp", "pid": 8, "process": "kubelet", "container": "ucp-kubelet", "kernel": False},
        ]
    }
    assert worst("ports", host("ucp_manager", changes))["status"] == "ok"


def test_every_check_has_its_rows():
    """No check without a row that passes and one that does not."""
    rows = [(row[0], row[-2]) for row in [*ALONE, *TOGETHER]] + [("placement", "ok"), ("placement", "warn")]
    for check in CHECKS:
        statuses = {status for name, status in rows if name == check}
        assert "ok" in statuses, check
        assert statuses & {"warn", "fail"}, check
    assert set(FUNCTIONS) == set(CHECKS)
