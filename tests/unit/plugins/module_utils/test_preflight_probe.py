# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the probe reads, from tables of the kernel and an engine of its own."""

from __future__ import annotations

import http.server
import json
import socket
import socketserver
import threading
import time

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _preflight_engine as engine
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _preflight_host as host
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _preflight_network as network
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _preflight_probe as probe

TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1388 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
"""
UDP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  10: 00000000:12B5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 0 2 0 0
"""
ROUTES = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth1\t0040A8C0\t00000000\t0001\t0\t0\t0\t00C0FFFF\t0\t0\t0
eth2\t000000C6\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""
MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 8:2 / /var/lib/docker rw shared:2 - xfs /dev/sdb1 rw
31 22 8:3 / /srv/with\040space rw - btrfs /dev/sdc1 rw
32 30 8:4 / /var/lib/docker rw - ext4 /dev/sdd1 rw
"""


def tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return f"{root}/"


def test_memory_and_the_limits_of_control_groups(tmp_path):
    meminfo = "MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\nSwapTotal:       1000 kB\nHugePages_Total:       0\n"
    root = tree(tmp_path, {"proc/meminfo": meminfo})
    assert host.memory(root) == {"total": 16384000000, "available": 8192000000, "swap": 1024000, "cgroup_limit": None}
    tree(tmp_path, {"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n", "sys/fs/cgroup/memory.max": "max\n"})
    assert host.memory(root)["cgroup_limit"] is None
    tree(tmp_path, {"sys/fs/cgroup/memory.max": "1073741824\n"})
    assert host.memory(root)["cgroup_limit"] == 1 << 30


@pytest.mark.parametrize(
    "files,quota",
    [
        ({}, None),
        ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
    ],
)
def test_the_share_of_cpus(tmp_path, files, quota):
    found = host.cpus(tree(tmp_path, files))
    assert found["quota"] == quota
    assert found["usable"] >= 1


def test_the_system(tmp_path):
    root = tree(tmp_path, {"etc/os-release": 'ID="rhel"\nVERSION_ID="8.9"\nPRETTY_NAME="Red Hat Enterprise Linux 8.9"\n'})
    assert host.system(root) == {"id": "rhel", "version": "8.9", "name": "Red Hat Enterprise Linux 8.9"}
    assert host.system(f"{tmp_path}/nothing/") == {"id": "unknown", "version": "", "name": "unknown system"}


@pytest.mark.parametrize("text,static", [("one\n", "one"), ("# by hand\none.example.com\n", "one.example.com"), ("\n", None)])
def test_the_fixed_host_name(tmp_path, text, static):
    assert host.hostname(tree(tmp_path, {"etc/hostname": text})) == {"current": socket.gethostname(), "static": static}


def test_selinux(tmp_path):
    assert host.selinux(f"{tmp_path}/") is None
    assert host.selinux(tree(tmp_path, {"sys/fs/selinux/enforce": "1"})) == "enforcing"


@pytest.mark.parametrize(
    "text,found",
    [
        (
            '{"data-root": "/srv/docker", "userns-remap": "default", "proxies": {"no-proxy": "x"}}',
            ["data-root", "userns-remap"],
        ),
        ("{broken", []),
        ("", []),
        ("[]", []),
    ],
)
def test_only_what_matters_of_the_engines_configuration(tmp_path, text, found):
    assert sorted(host.daemon_json(tree(tmp_path, {"etc/docker/daemon.json": text}))) == found


def test_mounts():
    assert host.mounts(MOUNTS) == {"/": "ext4", "/var/lib/docker": "ext4", "/srv/with space": "btrfs"}


def test_paths_that_do_not_exist_are_measured_at_their_nearest_parent(tmp_path):
    (tmp_path / "there").mkdir()
    wanted = str(tmp_path / "there" / "not" / "yet")
    found = host.paths([wanted])[wanted]
    assert found["measured_at"] == str(tmp_path / "there")
    assert found["total"] > found["free"] > 0
    assert not (tmp_path / "there" / "not").exists()


def test_d_type_is_told_by_an_entry_and_not_guessed(tmp_path):
    assert host.d_type(str(tmp_path)) is None
    (tmp_path / "entry").write_text("", encoding="utf-8")
    assert host.d_type(str(tmp_path)) is True
    assert host.d_type(str(tmp_path / "missing")) is None


def test_traces(tmp_path):
    (tmp_path / "dtr-rethink-0123456789ab").mkdir()
    pattern = f"{tmp_path}/dtr-rethink-*"
    assert host.traces([pattern, f"{tmp_path}/ucp-kv"]) == [pattern]


def test_listening_sockets():
    assert network.listening(TCP, "tcp", {5000}) == [(5000, 4711)]
    assert network.listening(UDP, "udp", {4789}) == [(4789, 0)]


def test_owners_of_sockets(tmp_path):
    folder = tmp_path / "812" / "fd"
    folder.mkdir(parents=True)
    (folder / "3").symlink_to("socket:[4711]")
    (folder / "4").symlink_to("/dev/null")
    assert network.owners({4711, 4712, 0}, str(tmp_path)) == {4711: 812}


@pytest.mark.parametrize(
    "cgroup,unit,container",
    [
        ("0::/system.slice/distribution.service\n", "distribution.service", None),
        ("0::/system.slice/docker-" + "a" * 64 + ".scope\n", None, "a" * 64),
        ("3:memory:/docker/" + "b" * 64 + "\n", None, "b" * 64),
        # A host that is itself a container: what matters is inside of it.
        ("1:name=systemd:/docker/" + "c" * 64 + "/system.slice/distribution.service\n", "distribution.service", None),
        ("0::/user.slice/user-0.slice/session-1.scope\n", None, None),
    ],
)
def test_unit_and_container(cgroup, unit, container):
    assert network.unit_and_container(cgroup) == (unit, container)


def test_a_listener_of_this_process_is_found_and_named():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        found = network.listeners([f"{port}/tcp"], None)
        assert [(one["port"], one["protocol"], one["kernel"], bool(one["process"])) for one in found] == [(port, "tcp", False, True)]
        assert network.connect([("127.0.0.1", port)], 1.0) == {("127.0.0.1", port): "open"}
    assert network.listeners([f"{port}/tcp"], None) == []
    assert network.connect([("127.0.0.1", port)], 1.0) == {("127.0.0.1", port): "refused"}


def test_routes_are_those_that_are_up():
    assert network.routes(ROUTES) == [
        {"interface": "eth0", "destination": "0.0.0.0/0"},
        {"interface": "docker0", "destination": "172.17.0.0/16"},
        {"interface": "eth1", "destination": "192.168.64.0/18"},
    ]


@pytest.mark.parametrize(
    "peers,interface", [([], "eth0"), (["198.51.100.1"], "eth0"), (["192.168.65.9"], "eth1"), (["2001:db8::1"], "eth0")]
)
def test_the_interface_towards_the_peers(peers, interface):
    cards = {"eth0": {"mtu": 1500, "address": "192.0.2.2"}, "eth1": {"mtu": 9000, "address": "192.168.64.2"}}
    assert network.primary(peers, network.routes(ROUTES), cards) == {"interface": interface, **cards[interface]}
    assert network.primary(peers, [], cards) == {}


def test_own_addresses():
    assert "127.0.0.1" in network.addresses()
    assert network.interfaces()["lo"]["address"] == "127.0.0.1"


def test_names_that_hang_hold_nobody_up(monkeypatch):
    monkeypatch.setattr(network, "_forward", lambda name: time.sleep(3) if name == "slow" else ["192.0.2.1"])
    started = time.monotonic()
    assert network.forward(["slow", "quick"], 0.2) == {"slow": [], "quick": ["192.0.2.1"]}
    assert time.monotonic() - started < 1


def test_a_filtered_port_is_told_from_a_closed_one(monkeypatch):
    class Silent(socket.socket):
        def connect_ex(self, address):
            return 115 if address[1] == 1 else super().connect_ex(address)

    monkeypatch.setattr(network.socket, "socket", Silent)
    monkeypatch.setattr(network.errno, "EINPROGRESS", 115)
    # A socket that was never connected reports itself writable with a hang-up; hide it from the selector.
    monkeypatch.setattr(network.selectors.DefaultSelector, "register", lambda *_args: None)
    assert network.connect([("127.0.0.1", 1)], 0.1) == {("127.0.0.1", 1): "filtered"}


def test_targets_prefer_ipv4():
    names = {"two": ["2001:db8::2", "192.0.2.2"], "gone": []}
    assert probe.resolve_targets(["two 5000", "192.0.2.9 80", "gone 1"], names) == {
        "two 5000": ("192.0.2.2", 5000),
        "192.0.2.9 80": ("192.0.2.9", 80),
        "gone 1": (None, 1),
    }


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(self.server.answers.get(self.path, {})).encode()
        self.send_response(200 if self.path in self.server.answers else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "engine"

    def log_message(self, *arguments):
        pass


@pytest.fixture
def engine_socket(tmp_path):
    path = str(tmp_path / "docker.sock")
    server = socketserver.UnixStreamServer(path, Handler)
    server.answers = {}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield path, server.answers
    server.shutdown()
    server.server_close()


def test_the_engines_account(engine_socket):
    path, answers = engine_socket
    identity = "d" * 64
    answers["/info"] = {
        "ServerVersion": "20.10.24",
        "Driver": "overlay2",
        "DockerRootDir": "/srv/docker",
        "SecurityOptions": ["name=seccomp,profile=default", "name=userns"],
        "Swarm": {"LocalNodeState": "active"},
        "Labels": ["not=asked"],
    }
    answers["/containers/json"] = [
        {
            "Id": identity,
            "Names": ["/dtr-nginx-0123456789ab"],
            "Ports": [{"PublicPort": 443, "Type": "tcp"}, {"PrivatePort": 80, "Type": "tcp"}],
        }
    ]
    assert engine.engine(path) == {
        "version": "20.10.24",
        "driver": "overlay2",
        "root": "/srv/docker",
        "userns": True,
        "swarm": "active",
        "containers": {identity: "dtr-nginx-0123456789ab"},
        "published": {"443/tcp": "dtr-nginx-0123456789ab"},
        "bootstrappers": [],
    }


@pytest.mark.parametrize(("entry", "running"), [
    ({"Names": ["/ucp"]}, ["ucp"]),
    ({"Names": ["/proud_kalam"], "Labels": {"dockyard.trusted_registry.bootstrapper": "dtr"}}, ["proud_kalam"]),
    ({"Names": ["/ucp-controller"], "Labels": {"com.docker.ucp.version": "3.2.5"}}, []),
])
def test_a_run_of_a_bootstrapper_is_seen(entry, running):
    assert engine.summary({}, [{"Id": "e" * 64, **entry}])["bootstrappers"] == running


def test_an_installation_under_way_is_let_end(monkeypatch):
    accounts = [{"bootstrappers": ["ucp"]}, {"bootstrappers": ["ucp"]}, {"bootstrappers": []}]
    monkeypatch.setattr(engine, "_PAUSE", 0.01)
    monkeypatch.setattr(engine, "engine", lambda _path: accounts.pop(0))
    account, waited = engine.settled("docker.sock", 60)
    assert (account, accounts) == ({"bootstrappers": []}, [])
    assert waited > 0.01


@pytest.mark.parametrize("account", [None, {"error": "it is installed and does not run"}, {"bootstrappers": []}])
def test_nothing_is_waited_for_where_no_installation_runs(monkeypatch, account):
    monkeypatch.setattr(engine, "engine", lambda _path: account)
    monkeypatch.setattr(engine.time, "sleep", lambda _seconds: pytest.fail("waited"))
    assert engine.settled("docker.sock", 60)[0] is account


def test_an_installation_that_does_not_end_is_told(monkeypatch):
    monkeypatch.setattr(engine, "engine", lambda _path: {"bootstrappers": ["ucp"]})
    assert engine.settled("docker.sock", 0)[0] == {"bootstrappers": ["ucp"]}


def test_an_engine_that_does_not_answer(engine_socket, tmp_path, monkeypatch):
    assert engine.engine(engine_socket[0]) == {"error": "/info answered 500"}
    dead = tmp_path / "dead.sock"
    socket.socket(socket.AF_UNIX).bind(str(dead))
    assert "refused" in engine.engine(str(dead))["error"].lower()
    monkeypatch.setattr(engine.shutil, "which", lambda *_args, **_kwargs: None)
    assert engine.engine(str(tmp_path / "none.sock")) is None
    monkeypatch.setattr(engine.shutil, "which", lambda *_args, **_kwargs: "/usr/bin/dockerd")
    assert engine.engine(str(tmp_path / "none.sock")) == {"error": "it is installed and does not run"}


def test_the_whole_probe_is_quick_and_has_all_that_the_checks_read():
    params = {
        "paths": ["/var/lib/docker"],
        "traces": [],
        "ports": ["5000/tcp", "4789/udp"],
        "names": ["localhost"],
        "targets": ["127.0.0.1 1"],
        "image_tools": [],
        "docker_root": "/var/lib/docker",
        "connect_timeout": 1.0,
        "resolve_timeout": 2.0,
    }
    found = probe.gather(params, None)
    assert found["connections"] == {"127.0.0.1 1": "refused"}
    assert found["peer_addresses"] == ["127.0.0.1"]
    assert found["engine"] is None
    assert json.loads(json.dumps(found)) == found
