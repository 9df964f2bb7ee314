# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts without a way out have every image of the bundle; a bad bundle, a full disk and a missing image are one clear error each."""

from __future__ import annotations

import json
import re
import shutil
import tarfile

import pytest
from lab_run import CHECKOUT, run_playbook

HERE = CHECKOUT / "molecule/airgap"
LAB = CHECKOUT / ".lab/molecule-airgap"
BUNDLE = LAB / "dockyard-bundle-3.2.5-2.7.6.tar"


@pytest.fixture(scope="module")
def manifest():
    with tarfile.open(BUNDLE) as tar:
        return json.load(tar.extractfile("manifest.json"))


def names(manifest, product):
    return {image["name"] for image in manifest["products"][product]["images"]}


def images(host):
    return set(host.check_output("docker image ls --format '{{.Repository}}:{{.Tag}}'").split())


def run(playbook, *arguments, **variables):
    code, output = run_playbook("airgap", playbook, *arguments, **variables)
    return code, " ".join(output.split())


@pytest.mark.parametrize("name", ["isolated-1", "isolated-2"])
def test_every_image_has_arrived_and_nothing_else_is_left(node, manifest, name):
    host = node(name)
    assert names(manifest, "ucp") | names(manifest, "dtr") == images(host)
    assert len(names(manifest, "dtr")) > 5
    assert host.check_output("ip route show default") == ""
    assert host.run("docker pull --quiet docker/ucp:3.2.4").rc != 0
    assert host.check_output("ls -A /var/tmp") == ""
    assert sorted(path.name for path in LAB.iterdir() if path.suffix in (".tar", ".gz", ".part")) == [BUNDLE.name]


def test_the_ids_are_those_of_the_bundle(node, manifest):
    for product in manifest["products"].values():
        for image in product["images"]:
            assert node("isolated-2").check_output(f"docker image inspect --format {{{{.Id}}}} {image['name']}") == image["id"]


def test_the_bundle_verifies_and_holds_what_a_controller_needs():
    code, output = run(CHECKOUT / "playbooks/bundle.yml", bundle_verify=str(BUNDLE))
    assert code == 0, output
    assert "2 collections" in output and "ucp 3.2.5" in output and "dtr 2.7.6" in output
    with tarfile.open(BUNDLE) as tar:
        held = "\n".join(tar.getnames())
    for name in ("dockyard-trusted_registry-", "community-crypto-", "ansible_core-", "requests-", "tomlkit-", "python/requirements.txt"):
        assert name in held


@pytest.fixture(scope="module")
def lacking(node):
    """A node that has lost two images, one of each product."""
    host = node("isolated-2")
    host.check_output("docker rmi docker/dtr-api:2.7.6 docker/ucp-agent:3.2.5")
    return host


@pytest.fixture
def spoilt(tmp_path):
    def spoilt(change):
        path = tmp_path / "bundle.tar"
        shutil.copy(BUNDLE, path)
        with open(path, "r+b") as file:
            change(file)
        return str(path)

    return spoilt


def refused(lacking, output, code, message):
    assert code == 2, output
    assert message in output
    assert "changed=0" in output
    assert {"docker/dtr-api:2.7.6", "docker/ucp-agent:3.2.5"} & images(lacking) == set()
    assert lacking.check_output("ls -A /var/tmp") == ""


def test_a_truncated_bundle(lacking, spoilt):
    bundle = spoilt(lambda file: file.truncate(BUNDLE.stat().st_size // 2))
    code, output = run(HERE / "bring.yml", airgap_host="isolated-2", bundle_file=bundle)
    refused(lacking, output, code, f"{bundle} is incomplete")


def test_a_bundle_damaged_on_its_way(lacking, spoilt):
    with tarfile.open(BUNDLE) as tar:
        archive = next(member for member in tar if member.name.startswith("images/ucp-"))

    def change(file):
        file.seek(archive.offset_data + archive.size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))

    bundle = spoilt(change)
    code, output = run(HERE / "bring.yml", airgap_host="isolated-2", bundle_file=bundle)
    refused(lacking, output, code, f"{bundle}: the checksum of {archive.name} is wrong; nothing was loaded")
    code, output = run(CHECKOUT / "playbooks/bundle.yml", bundle_verify=bundle)
    assert code == 2 and f"{bundle} must not be used: " in output and archive.name in output


def test_a_bundle_of_another_version(lacking):
    code, output = run(HERE / "bring.yml", airgap_host="isolated-2", bundle_file=str(BUNDLE), ucp_version="3.3.7")
    refused(lacking, output, code, "holds ucp 3.2.5, and ucp_version is 3.3.7; give the bundle of that version")


def test_preflight_names_node_and_image_and_where_it_is(lacking):
    report = LAB / "preflight.json"
    code, output = run(HERE / "preflight.yml", preflight_report_file=str(report))
    assert code == 0, output
    hosts = json.loads(report.read_text(encoding="utf-8"))["hosts"]
    found = {
        (name, one["subject"]): (one["status"], one["message"])
        for name, entry in hosts.items()
        for one in entry["results"]
        if one["check"] == "images"
    }
    assert found["isolated-1", "ucp"][0] == found["isolated-1", "dtr"][0] == "ok"
    assert found["isolated-2", "ucp"][0] == found["isolated-2", "dtr"][0] == "fail"
    assert "images are missing: docker/ucp-agent:3.2.5; they are on isolated-1" in found["isolated-2", "ucp"][1]
    assert "images are missing: docker/dtr-api:2.7.6; they are on isolated-1" in found["isolated-2", "dtr"][1]
    code, output = run(HERE / "preflight.yml", preflight_report_file="", preflight_enforce=True)
    assert code == 2 and "images ucp: 1 of" in output and "bring the images with the role bundle" in output


def test_what_is_missing_comes_back_and_only_there(lacking, manifest):
    code, output = run(HERE / "bring.yml", airgap_host="isolated", bundle_file=str(BUNDLE))
    assert code == 0, output
    assert re.search(r"isolated-1 : ok=\d+ changed=0 ", output), output
    assert images(lacking) == names(manifest, "ucp") | names(manifest, "dtr")


def test_a_disk_that_would_run_full(node):
    host = node("small-1")
    code, output = run(HERE / "bring.yml", airgap_host="small-1", bundle_file=str(BUNDLE))
    assert code == 2, output
    assert re.search(r"/var/lib/docker has 1\d\d MB free, and loading the images of ucp takes \d+ MB; make room there", output), output
    assert "or set the engine's data-root. Nothing was copied." in output
    assert images(host) == set() and host.check_output("ls -A /var/tmp") == ""


def test_a_disk_that_would_run_full_is_seen_by_the_module_too(node, manifest):
    host = node("small-1")
    archive = LAB / "ucp.tar.gz"
    with tarfile.open(BUNDLE) as tar, open(archive, "wb") as file:
        shutil.copyfileobj(tar.extractfile(manifest["products"]["ucp"]["archive"]), file)
    code, output = run(HERE / "load.yml", airgap_host="small-1", airgap_archive=str(archive))
    archive.unlink()
    assert code == 2, output
    assert "(twice its size); nothing was loaded, make room there" in output
    assert images(host) == set()
