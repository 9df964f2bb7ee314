# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stories on the nodes the converge left, told by runs of the module; the uninstall comes last."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parents[1]
PROJECT = HERE.parents[1]
FILE = "/etc/docker/daemon.json"
ROLE_KEYS = {"live-restore", "log-opts", "default-address-pools"}
OPTIONS = "/etc/default/docker"
DROP_IN = "/etc/systemd/system/docker.service.d/10-flags.conf"


def run(*command):
    inventory = PROJECT / ".lab" / f"molecule-{HERE.name}" / "inventory" / "hosts.yml"
    environment = dict(os.environ, ANSIBLE_CALLBACK_RESULT_FORMAT="json", ANSIBLE_FORCE_COLOR="0", NO_COLOR="1")
    return subprocess.run(
        [command[0], "-i", str(inventory), *command[1:]],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def daemon(**options):
    """One run of the module on engine-1."""
    options.setdefault("service", "docker")  # ad hoc, an empty map is not taken for options
    output = run("ansible", "engine-1", "-m", "dockyard.trusted_registry.docker_daemon", "-a", json.dumps(options))
    assert "=> {" in output, output
    return json.loads(output[output.index("=> {") + 3 :])


@pytest.fixture
def engine(node):
    """engine-1, which every story leaves as it found it."""
    engine = Engine(node("engine-1"))
    before = {path: engine.read(path) for path in (FILE, OPTIONS, DROP_IN)}
    yield engine
    if before != {path: engine.read(path) for path in before}:
        for path, text in before.items():
            engine.write(text, path)
        engine.restart()


class Engine:
    def __init__(self, host):
        self.host = host

    def sh(self, command):
        return self.host.check_output(command)

    def read(self, path):
        return self.host.file(path).content_string if self.host.file(path).exists else None

    def write(self, text, path=FILE):
        if text is None:
            self.sh(f"rm -f {path}")
        else:
            encoded = base64.b64encode(text.encode()).decode()
            self.sh(f"mkdir -p {os.path.dirname(path)}; echo {encoded} | base64 -d > {path}")

    @property
    def text(self):
        return self.read(FILE)

    @property
    def config(self):
        return json.loads(self.text)

    @property
    def info(self):
        return json.loads(self.sh("docker info --format '{{json .}}'"))

    @property
    def insecure(self):
        return [name for name, index in self.info["RegistryConfig"]["IndexConfigs"].items() if not index["Secure"]]

    @property
    def pid(self):
        return self.sh("systemctl show docker -p MainPID --value")

    def restart(self):
        self.sh("systemctl daemon-reload; systemctl reset-failed docker; systemctl restart docker")


def test_a_fresh_node_runs_an_engine_that_started_with_its_configuration(node):
    host = node("bare-1")
    assert host.service("docker").is_running and host.service("docker").is_enabled
    assert host.file(FILE).mode == 0o644 and host.file(FILE).user == "root"
    assert json.loads(host.file(FILE).content_string)["log-opts"] == {"max-size": "10m"}
    # The bridge is made at the first start: only a file that was there before gives it this network.
    assert "inet 10.61.0.1/24" in host.check_output("ip -4 addr show docker0")
    assert host.run(f"ls {FILE}*.bak").rc != 0


def test_keys_of_others_are_kept(engine):
    assert engine.config["max-concurrent-uploads"] == 7
    assert engine.info["Labels"] == ["owner=others"]
    assert engine.info["LiveRestoreEnabled"] is True
    assert engine.sh(f"ls {FILE}.*.bak | wc -l") == "1"


def test_a_container_outlives_a_reload_and_with_live_restore_a_restart(engine):
    engine.sh("tar -C / -c bin/busybox | docker import - lab/busybox:1")
    container = engine.sh("docker run -d --name lived lab/busybox:1 /bin/busybox sleep 3600")
    started = engine.sh(f"docker inspect -f '{{{{.State.StartedAt}}}}' {container}")
    reload = daemon(list_items={"labels": {"present": ["site=lab"]}})
    assert (reload["action"], reload["changed_keys"]) == ("reload", ["labels"])
    before = engine.text
    assert "must restart for mtu to take effect" in daemon(config={"mtu": 1400}, restart="never")["msg"]
    assert engine.text == before
    restart = daemon(config={"mtu": 1400})
    assert (restart["action"], restart["restart_keys"]) == ("restart", ["mtu"])
    assert sorted(engine.info["Labels"]) == ["owner=others", "site=lab"]
    assert engine.sh(f"docker inspect -f '{{{{.State.Running}}}} {{{{.State.StartedAt}}}}' {container}") == f"true {started}"
    engine.sh(f"docker rm -f {container}")


def test_a_flag_in_a_drop_in_is_found_and_named(engine):
    start = "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock --log-driver=json-file"
    engine.write(f"[Service]\nExecStart=\nExecStart={start}\n", DROP_IN)
    engine.sh("systemctl daemon-reload")
    before = engine.text
    result = daemon(config={"log-driver": "local"})
    assert f"log-driver (--log-driver=json-file in {DROP_IN})" in result["msg"]
    assert result["conflicts"] == [{"key": "log-driver", "flag": "--log-driver=json-file", "source": DROP_IN}]
    assert engine.text == before


def test_broken_json_is_one_clear_error(engine):
    pid = engine.pid
    engine.write('{\n  "debug": true\n  "mtu": 1\n}')
    result = daemon(config={"debug": True})
    assert f"{FILE} is not valid JSON: line 3 column 3" in result["msg"]
    assert '"mtu"' in engine.text and engine.pid == pid
    result = daemon(config={"debug": True, "live-restore": True}, broken_file="replace")
    assert engine.config == {"debug": True, "live-restore": True}
    assert '"mtu"' in engine.sh(f"cat {result['backup_file']}")


def test_a_reload_the_engine_refuses_is_rolled_back(engine):
    before = engine.text, engine.pid
    result = daemon(config={"registry-mirrors": ["https://mirror.lab.test/path"], "labels": ["new=one"], "debug": True})
    assert "invalid mirror" in result["msg"] and "The previous file is back and the engine runs with it." in result["msg"]
    assert (engine.text, engine.pid) == before
    # This engine takes over the keys before the refused one; they are undone as well.
    assert engine.info["Labels"] == ["owner=others"] and engine.info["Debug"] is False


def test_a_start_the_engine_refuses_is_rolled_back(engine):
    before = engine.text
    result = daemon(config={"storage-driver": "nosuch"})
    assert "failed to start daemon" in result["msg"] and "driver not supported" in result["msg"]
    assert "The previous file is back and the engine runs with it." in result["msg"]
    assert engine.text == before and engine.info["Driver"] == "overlay2"


def test_written_but_not_reloaded_is_mended_and_removed_without_a_restart(engine):
    engine.write(json.dumps(dict(engine.config, **{"insecure-registries": ["10.9.0.0/16", "late.lab.test"]})))
    assert engine.insecure == []
    config = {"insecure-registries": ["10.9.0.0/16", "late.lab.test"]}
    result = daemon(config=config)
    assert (result["action"], result["changed_keys"]) == ("reload", [])
    assert result["drift"]["insecure-registries"]["running"] == []
    assert engine.insecure == ["late.lab.test"]
    # Trust is taken back by a reload too: an absent key would keep its value, so an empty one is written.
    pid = engine.pid
    assert daemon(config={"insecure-registries": None})["action"] == "reload"
    assert engine.insecure == [] and engine.config["insecure-registries"] == []
    assert engine.pid == pid
    assert daemon(config={"insecure-registries": None})["changed"] is False


def test_keys_info_does_not_show_are_mended_after_a_killed_run(engine):
    engine.write(json.dumps(dict(engine.config, **{"default-ulimits": {"nofile": {"Name": "nofile", "Hard": 99, "Soft": 99}}})))
    engine.write(json.dumps({"keys": ["default-ulimits"], "previous": "{}"}), "/etc/docker/.daemon.json.pending")
    result = daemon()
    assert (result["action"], result["restart_keys"]) == ("restart", ["default-ulimits"])
    assert engine.sh("docker run --rm lab/busybox:1 /bin/busybox sh -c 'ulimit -n'") == "99"
    assert engine.sh("ls -A /etc/docker | grep -c pending || true") == "0"


def test_docker_opts(engine):
    engine.write('# kept\nDOCKER_OPTS="--max-download-attempts=3"\n', OPTIONS)
    wish = {"target": "docker_opts", "list_items": {"insecure-registries": {"present": ["old.lab.test:5000"]}}}
    result = daemon(**wish)
    assert (result["action"], result["changed_keys"]) == ("restart", ["insecure-registries"])
    assert engine.insecure == ["old.lab.test:5000"]
    assert "# kept" in engine.sh("cat /etc/default/docker")
    flags = engine.sh("tr '\\0' ' ' < /proc/$(systemctl show docker -p MainPID --value)/cmdline")
    assert "--max-download-attempts=3 --insecure-registry=old.lab.test:5000" in flags
    assert daemon(**wish)["changed"] is False
    # The same key in daemon.json would keep the engine from starting.
    assert f"insecure-registries (--insecure-registry=old.lab.test:5000 in {OPTIONS})" in daemon(config={"insecure-registries": []})["msg"]
    wish["list_items"]["insecure-registries"] = {"absent": ["old.lab.test:5000"]}
    assert daemon(**wish)["action"] == "restart" and engine.insecure == []


def test_a_stopped_engine_is_started(engine):
    engine.sh("systemctl stop docker.socket docker")
    assert daemon()["action"] == "start"
    assert engine.info["LiveRestoreEnabled"] is True


def test_exclusive_removes_the_keys_of_others_but_not_those_of_registry_trust(engine):
    daemon(config={"insecure-registries": ["kept.lab.test"], "labels": ["gone=soon"]})
    output = run("ansible-playbook", "-l", "engine-1", "-e", "docker_engine_daemon_config_exclusive=true", f"{HERE}/converge.yml")
    assert "failed=0" in output and "changed=1" in output, output
    assert {key for key, value in engine.config.items() if value} == {*ROLE_KEYS, "insecure-registries"}
    assert engine.insecure == ["kept.lab.test"] and not engine.info["Labels"]
    assert int(engine.sh(f"ls {FILE}.*.bak | wc -l")) == 5, "backups are limited"


def test_uninstall_keeps_the_data_unless_confirmed_by_name(node):
    host = node("bare-1")
    host.check_output("tar -C / -c bin/busybox | docker import - lab/busybox:1")
    host.check_output("docker run -d lab/busybox:1 /bin/busybox sleep 3600")
    refused = run("ansible-playbook", "-e", "docker_engine_uninstall_confirm=other", f"{HERE}/uninstall.yml")
    assert "names other, not this host" in refused and host.service("docker").is_running
    assert "failed=0" in run("ansible-playbook", f"{HERE}/uninstall.yml")
    assert not host.exists("dockerd") and host.run("pgrep -x busybox").rc == 1
    assert host.file("/var/lib/docker/overlay2").exists and host.file(FILE).exists
    assert "failed=0" in run("ansible-playbook", "-e", "docker_engine_uninstall_confirm=bare-1", f"{HERE}/uninstall.yml")
    assert host.file("/var/lib/docker").listdir() == [] and not host.file(FILE).exists
