# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real pulls and pushes against three real registries; the stories run in the order of this file."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

HOST = "registry-1.lab.test"
TLS, MUTUAL, PLAIN = 5000, 5001, 5002
NETWORK = "172.30.63.0/24"
SCENARIO = Path(__file__).resolve().parents[1]
CHECKOUT = SCENARIO.parents[1]
LAB = CHECKOUT / ".lab" / f"molecule-{SCENARIO.name}"
RECORD = "/var/lib/dockyard/registry_trust.json"

SECURE = {"host": HOST, "port": TLS, "ca_file": "ca.pem"}
CLIENT = {"client_certificate_file": "client.pem", "client_key_file": "client.key"}
STRANGER = {"client_certificate_file": "stranger.pem", "client_key_file": "stranger.key"}
WITHOUT_PAIR = {"host": HOST, "port": MUTUAL, "ca_file": "ca.pem"}
INSECURE = {"host": HOST, "port": PLAIN, "insecure": True}

PULLS = {
    "docker": "docker pull -q {image}",
    "skopeo": "rm -rf /tmp/copy && skopeo copy -q docker://{image} dir:/tmp/copy",
    "containerd": "ctr images pull --hosts-dir /etc/containerd/certs.d {image}",
}


@pytest.fixture
def client(node):
    return node("client-1")


@pytest.fixture
def pulls(client):
    """Whether a client can pull the image of one registry, and what it says."""

    def pull(how, port_or_image):
        image = port_or_image if isinstance(port_or_image, str) else f"{HOST}:{port_or_image}/library/app:1"
        result = client.run(PULLS[how].format(image=image))
        return result.rc == 0, result.stdout + result.stderr

    return pull


@pytest.fixture
def play(tmp_path):
    """Run the role, or another playbook, with these variables; returns the number of changes and the output."""

    def run(*arguments, playbook="converge.yml", fails=False, **variables):
        values = tmp_path / "vars.json"
        values.write_text(json.dumps(variables))
        command = [
            "ansible-playbook",
            f"--inventory={LAB}/inventory/hosts.yml",
            f"--extra-vars=@{values}",
            *arguments,
            str(SCENARIO / playbook),
        ]
        environment = dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_FORCE_COLOR="0")
        result = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, env=environment, check=False)
        output = result.stdout + result.stderr
        assert (result.returncode != 0) == fails, output
        return sum(int(number) for number in re.findall(r"changed=(\d+)", output)), output

    return run


def first_pid(client):
    return client.check_output("cat /root/engine.pid").strip()


def engine_pid(client):
    return client.check_output("systemctl show --value -p MainPID docker").strip()


def insecure_in_engine(client):
    info = json.loads(client.check_output("docker info --format '{{json .RegistryConfig}}'"))
    names = {name for name, index in info["IndexConfigs"].items() if not index["Secure"]}
    return names | set(info["InsecureRegistryCIDRs"])


def all_files(client):
    return client.check_output("find /etc /var/lib/dockyard /usr/local/share -type f -exec sha256sum {} + 2>/dev/null | sort")


@pytest.mark.parametrize("port", [TLS, MUTUAL, PLAIN])
@pytest.mark.parametrize("how", PULLS)
def test_every_client_pulls_from_every_registry(pulls, how, port):
    done, said = pulls(how, port)
    assert done, said


@pytest.mark.parametrize("port", [TLS, MUTUAL, PLAIN])
def test_docker_pushes_to_every_registry(client, port):
    name = f"{HOST}:{port}/library/pushed:1"
    result = client.run(f"docker tag {HOST}:{TLS}/library/app:1 {name} && docker push -q {name}")
    assert result.rc == 0, result.stderr


def test_mirrors_answer_for_registries_out_of_reach(pulls):
    for how, image in (("docker", "app:1"), ("skopeo", "quay.io/library/app:1"), ("containerd", "docker.io/library/app:1")):
        done, said = pulls(how, image)
        assert done, (how, said)


def test_the_system_store_trusts_the_ca(client):
    assert client.run(f"curl -fsS https://{HOST}:{TLS}/v2/").rc == 0


def test_modes(client):
    for directory in ("/etc/docker/certs.d", "/etc/containers/certs.d", "/etc/containerd/certs.d"):
        own = f"{directory}/{HOST}:{MUTUAL}"
        assert client.file(own).mode == 0o755
        assert [client.file(f"{own}/{name}").mode for name in ("ca.crt", "client.cert", "client.key")] == [0o644, 0o644, 0o600]
    assert client.file(RECORD).mode == 0o600


def test_what_others_own_is_as_it_was(client):
    strangers = (LAB / "pki" / "strangers-ca.pem").read_text()
    assert client.file(f"/etc/docker/certs.d/{HOST}:{TLS}/others.crt").content_string == strangers
    assert client.file("/etc/docker/certs.d/others.lab.test/ca.crt").content_string == strangers
    assert "others.lab.test" in client.file("/etc/containers/registries.conf.d/others.conf").content_string
    assert "others.lab.test:5000" in insecure_in_engine(client)
    assert json.loads(client.file("/etc/docker/daemon.json").content_string)["labels"] == ["owner=others"]


def test_the_engine_was_not_restarted(client):
    assert engine_pid(client) == first_pid(client)


def test_a_file_changed_by_hand_is_put_back_and_a_copy_kept(client, play):
    path = f"/etc/docker/certs.d/{HOST}:{MUTUAL}/ca.crt"
    client.check_output(f"echo by hand >> {path}")
    changes, output = play()
    assert changes == 1 and "was changed by hand" in re.sub(r"\s+", " ", output)
    assert "by hand" not in client.file(path).content_string
    assert "by hand" in client.check_output("cat /var/lib/dockyard/registry_trust.replaced/*")


def test_check_mode_shows_the_change_without_making_it(client, play):
    before = all_files(client)
    changes, output = play("--check", "--diff", registry_trust_registries=[SECURE])
    assert changes == 3
    assert f"--- before: /etc/docker/certs.d/{HOST}:{MUTUAL}/client.key" in output
    assert all_files(client) == before


def test_what_is_taken_out_of_the_list_is_trusted_no_longer(client, pulls, play):
    changes, _output = play(registry_trust_registries=[])
    assert changes == 3
    for how in PULLS:
        for port in (TLS, MUTUAL, PLAIN):
            done, said = pulls(how, port)
            assert not done, (how, port, said)
    assert not pulls("skopeo", "quay.io/library/app:1")[0]
    assert client.run(f"curl -fsS https://{HOST}:{TLS}/v2/").rc != 0
    assert client.check_output("find /etc/ssl/certs /usr/local/share/ca-certificates -name '*dockyard*'") == ""
    for directory in ("/etc/containerd/certs.d", "/etc/containers/certs.d", f"/etc/docker/certs.d/{HOST}:{MUTUAL}"):
        assert not client.file(directory).exists
    test_what_others_own_is_as_it_was(client)
    test_the_engine_was_not_restarted(client)
    assert not client.file(RECORD).exists


def test_a_client_certificate_is_needed_and_must_be_the_right_one(client, pulls, play):
    for pair, good in (({}, False), (STRANGER, False), (CLIENT, True)):
        play(registry_trust_registries=[{**WITHOUT_PAIR, **pair}])
        for how in PULLS:
            done, said = pulls(how, MUTUAL)
            assert done == good, (how, pair, said)
    test_the_engine_was_not_restarted(client)


def test_an_unverified_tls_registry_is_pulled_from_as_well(pulls, play):
    play(registry_trust_registries=[{"host": HOST, "port": TLS, "insecure": True}])
    for how in PULLS:
        done, said = pulls(how, TLS)
        assert done, (how, said)


def test_a_run_killed_before_the_engine_was_told_is_mended_by_the_next(client, pulls, play):
    play(playbook="killed.yml", registry_trust_registries=[])
    assert f"{HOST}:{TLS}" in insecure_in_engine(client)
    assert play(registry_trust_registries=[])[0] == 2
    assert f"{HOST}:{TLS}" not in insecure_in_engine(client)
    assert not pulls("docker", TLS)[0]
    assert not client.file(RECORD).exists


def test_a_network_covers_every_port_of_its_hosts(pulls, play):
    play(registry_trust_registries=[], registry_trust_insecure_networks=[NETWORK])
    assert pulls("docker", PLAIN)[0] and pulls("docker", TLS)[0]


def test_client_certificates_under_an_insecure_network_are_refused_on_the_host(client, play):
    before = all_files(client)
    mutual = {**WITHOUT_PAIR, **CLIENT}
    _changes, output = play(fails=True, registry_trust_registries=[mutual], registry_trust_insecure_networks=[NETWORK])
    assert f"resolves to 172.30.63.11 in the insecure network {NETWORK}" in re.sub(r"\s+", " ", output)
    assert all_files(client) == before


def test_keys_given_as_text_are_in_no_output_and_a_network_taken_out_is_gone(client, pulls, play):
    pair = {name: (LAB / "pki" / file).read_text() for name, file in (("client_certificate", "client.pem"), ("client_key", "client.key"))}
    _changes, output = play("-vvv", "--diff", registry_trust_registries=[{**WITHOUT_PAIR, **pair}])
    secret = pair["client_key"].splitlines()[1]
    assert secret not in output
    assert secret not in client.check_output(f"cat {RECORD}")
    assert pulls("docker", MUTUAL)[0] and not pulls("docker", PLAIN)[0] and not pulls("docker", TLS)[0]
    test_the_engine_was_not_restarted(client)


def test_docker_opts_take_the_list_of_an_old_engine(client, pulls, play):
    client.check_output("cp /etc/docker/daemon.json /root/daemon.json; rm /etc/docker/daemon.json; systemctl restart docker")
    opts = {"registry_trust_dialects": ["docker"], "registry_trust_docker_config": "docker_opts"}
    play(registry_trust_registries=[INSECURE], **opts)
    assert "--insecure-registry" in client.file("/etc/default/docker").content_string
    assert pulls("docker", PLAIN)[0]
    assert play(registry_trust_registries=[INSECURE], **opts)[0] == 0
    play(registry_trust_registries=[], **opts)
    assert not pulls("docker", PLAIN)[0]
    client.check_output("cp /root/daemon.json /etc/docker/daemon.json; systemctl restart docker")


def test_uninstall_leaves_nothing_of_ours(client, play):
    play()
    assert play(playbook="uninstall.yml")[0] > 0
    ours = "-name '*dockyard*' -o -path '*/certs.d/*' -o -path '/var/lib/dockyard/*.json'"
    left = client.check_output(f"find /etc /usr/local /var/lib/dockyard {ours}")
    assert set(left.splitlines()) == {
        "/var/lib/dockyard",  # the copy of the file that was changed by hand stays
        f"/etc/docker/certs.d/{HOST}:{TLS}",
        f"/etc/docker/certs.d/{HOST}:{TLS}/others.crt",
        "/etc/docker/certs.d/others.lab.test",
        "/etc/docker/certs.d/others.lab.test/ca.crt",
    }
    assert insecure_in_engine(client) == {"others.lab.test:5000", "127.0.0.0/8"}
    assert play(playbook="uninstall.yml")[0] == 0
