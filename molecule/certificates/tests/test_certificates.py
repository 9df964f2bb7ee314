# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What two real registries serve after each change, after each refusal, and while a certificate is rotated under load.

The tests run in their order: what changes the CA comes last.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCENARIO = ROOT / "molecule/certificates"
INVENTORY = ROOT / ".lab/molecule-certificates/inventory"
ADDRESS = {"issued": "registry-1.lab.test:5000", "provided": "registry-1.lab.test:5001"}
FILES = ("certificate.pem", "key.pem", "ca.pem")


@pytest.fixture(scope="module")
def host(node):
    return node("registry-1")


def play(*arguments, playbook="converge.yml", succeeds=True):
    command = ["ansible-playbook", "-i", INVENTORY / "hosts.yml", SCENARIO / playbook, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    output = result.stdout + result.stderr
    assert (result.returncode == 0) is succeeds, output
    assert not re.search("PRIVATE KEY", output)
    return output


def state(host):
    """All that must not change when a certificate is refused: files, backups, running processes."""
    return host.check_output(
        "find /etc/registries -type f -exec sha256sum {} + | sort; stat -c '%n %Y %a %U' /etc/registries/*/*;"
        "systemctl show -p MainPID registry@issued registry@provided"
    )


def served(host, name):
    """Fingerprint of what is served. The handshake is verified against the CA that was deployed for it, and for the name."""
    return host.check_output(
        f"openssl s_client -connect {ADDRESS[name]} -verify_hostname registry-1.lab.test -verify_return_error "
        f"-CAfile /etc/registries/{name}/ca.pem -no-CApath </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
    )


def deployed(host, name):
    return host.check_output(f"openssl x509 -noout -fingerprint -sha256 -in /etc/registries/{name}/certificate.pem")


def answers(host, name, ca=None):
    ca = ca or f"/etc/registries/{name}/ca.pem"
    return host.run(f"curl -sS --cacert {ca} -o /dev/null -w '%{{http_code}}' https://{ADDRESS[name]}/v2/").stdout == "200"


@pytest.mark.parametrize("name", ADDRESS)
def test_deployed_certificate_is_served_and_verifies(host, name):
    assert served(host, name) == deployed(host, name)
    assert answers(host, name)


def test_issued_certificate_serves_each_of_its_names(host):
    for address in ("registry-1", "172.30.65.11", "registry-1.lab.test"):
        assert host.run(f"curl -sSf --cacert /etc/registries/issued/ca.pem https://{address}:5000/v2/").rc == 0


def test_intermediate_is_sent(host):
    shown = host.check_output(f"openssl s_client -showcerts -connect {ADDRESS['provided']} </dev/null 2>/dev/null")
    assert shown.count("BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize(
    ("name", "owner", "key_mode"), [("issued", "root", 0o600), ("provided", "daemon", 0o640)], ids=["issued", "provided"]
)
def test_modes(host, name, owner, key_mode):
    for file, mode in zip(FILES, (0o644, key_mode, 0o644)):
        found = host.file(f"/etc/registries/{name}/{file}")
        assert (found.mode, found.user, found.group) == (mode, owner, owner), file


def test_ca_is_closed():
    assert (INVENTORY / ".pki").stat().st_mode & 0o777 == 0o700
    keys = [INVENTORY / ".pki/ca.key", *(INVENTORY / ".pki/issued").rglob("key.pem")]
    assert len(keys) == 2
    for key in keys:
        assert key.stat().st_mode & 0o777 == 0o600


REFUSED = {
    "expired": r"expired\.pem: CN=registry-1\.lab\.test expired on .*; give a current one",
    "ending": "in 3 days, and at least 7 are asked for",
    "wrong_key": r"renewed\.key: the private key does not belong to the certificate CN=registry-1\.lab\.test; give the key",
    "name_missing": r"is for elsewhere\.lab\.test, \*\.lab\.example and does not cover registry-1\.lab\.test",
    "chain_missing": "whose issuer CN=Lab intermediate is neither in the chain nor in the CA file; append",
    "chain_gap": "CN=Lab root is not part of the chain .*; remove it, or add the certificate of CN=Lab intermediate",
    "other_ca": "whose issuer CN=Stranger root is neither in the chain nor in the CA file",
    "unordered": "put the server's own certificate first",
    "ca_as_leaf": "CN=Lab intermediate is a CA certificate, not a server's",
    "encrypted": "is encrypted and no passphrase is given; set key_passphrase",
    "gone": r"gone\.pem does not exist on the controller",
}


def test_refused_certificates_leave_files_and_services_alone(host):
    """One run names everything that is wrong; the good entries beside it wait as well."""
    before = state(host)
    output = " ".join(play("-e", f"@{SCENARIO}/vars/refused.yml", "-e", "key=renewed certificate=renewed", succeeds=False).split())
    for name, message in REFUSED.items():
        assert re.search(f'certificates_list entry "{name}"[^"]*{message}', output), f"{name}: {output}"
    assert 'entry "provided"' not in output and "changed=0" in output
    assert state(host) == before


RENEWED = "certificate=renewed key=locked passphrase='open sesame'"


def test_renewed_certificate_replaces_the_old_and_leaves_a_backup(host):
    """Its key comes encrypted, and is deployed in the clear."""
    old = served(host, "provided")
    output = play("-e", RENEWED, "--diff", "-vvv")
    assert "another private key" in output
    assert served(host, "provided") == deployed(host, "provided") != old
    backups = host.check_output("stat -c '%n %a %U' /etc/registries/provided/*~").splitlines()
    assert len(backups) == 2 and any(re.search(r"key\.pem\.\d{8}T\d{6}Z~ 640 daemon", line) for line in backups)
    assert answers(host, "provided")


def test_killed_run_is_completed_by_the_next(host):
    """The files were replaced and nobody restarted the service."""
    before = host.check_output("systemctl show -p MainPID registry@issued")
    host.check_output("touch /etc/registries/issued/certificate.pem")
    output = play("-e", RENEWED)
    assert "changed=1" in output and "(item=registry@issued)" in output and "(item=registry@provided)" not in output
    assert host.check_output("systemctl show -p MainPID registry@issued") != before


LOAD = """
rm -f /run/load.stop; : > /run/load
while [ ! -e /run/load.stop ]; do
  if curl -sf --max-time 5 --cacert {ca} -o /dev/null {url}; then echo ok >> /run/load
  else sleep 0.5; curl -sf --max-time 5 --cacert {ca} -o /dev/null {url} && echo retried >> /run/load || echo lost >> /run/load; fi
  sleep 0.02
done
"""


def test_rotation_under_load(host):
    """Clients see at most the moment of the restart: a request that fails then succeeds when it is tried once more."""
    old, key = served(host, "issued"), host.check_output("sha256sum /etc/registries/issued/key.pem")
    script = LOAD.format(ca="/etc/registries/issued/ca.pem", url=f"https://{ADDRESS['issued']}/v2/")
    host.run(f"cat > /run/load.sh <<'END'\n{script}\nEND")
    host.check_output("systemd-run --unit=load sh /run/load.sh")
    try:
        output = play("-e", RENEWED, "-e", "certificates_rotate=true", "-vvv")
    finally:
        host.run("touch /run/load.stop; while systemctl -q is-active load; do sleep 0.1; done")
    counts = {word: host.check_output(f"grep -cx {word} /run/load || true") for word in ("ok", "retried", "lost")}
    print("requests during the rotation:", counts)
    assert int(counts["ok"]) > 50 and counts["lost"] == "0", counts
    assert "(item=registry@issued)" in output and "(item=registry@provided)" not in output
    assert served(host, "issued") == deployed(host, "issued") != old
    assert host.check_output("sha256sum /etc/registries/issued/key.pem") != key


def test_status(host, tmp_path):
    """Good, nearly over, missing, and replaced without a restart."""
    report = tmp_path / "report.json"
    host.check_output("mv /etc/registries/provided/ca.pem /run/; mv /etc/registries/issued/certificate.pem /run/")
    host.check_output("cp /etc/registries/provided/certificate.pem /etc/registries/issued/")
    try:
        output = play("-e", f"report={report}", "-e", "certificates_warn_days=100", playbook="status.yml")
    finally:
        host.check_output("mv /run/ca.pem /etc/registries/provided/; mv /run/certificate.pem /etc/registries/issued/")
    rows = {(row["name"], row["path"].rsplit("/", 1)[1]): row for row in json.loads(report.read_text())}
    assert {key: row["state"] for key, row in rows.items()} == {
        ("issued", "certificate.pem"): "warn",
        ("issued", "ca.pem"): "ok",
        ("issued", ADDRESS["issued"]): "stale",
        ("provided", "certificate.pem"): "warn",
        ("provided", "ca.pem"): "missing",
        ("provided", ADDRESS["provided"]): "warn",
    }
    assert rows["issued", ADDRESS["issued"]]["names"] == ["registry-1.lab.test", "registry-1", "172.30.65.11"]
    assert rows["issued", ADDRESS["issued"]]["days_left"] in (396, 397)
    assert re.search(r"HOST +NAME +PATH", output)


def test_replacing_the_ca_is_never_noticed_by_who_trusts_the_bundle(host):
    """With the CA on a host of its own, and the next CA's key encrypted."""
    variables = ("-e", RENEWED, "-e", "certificates_ca_host=ca-1 certificates_ca_passphrase=sesame-2")
    ca = INVENTORY / ".pki/ca.pem"
    trusted = [ca.read_text()]
    old = served(host, "issued")
    for step in ("prepare", "activate", "finish"):
        verbosity = "-vvv" if step == "activate" else "-v"
        output = play("-i", SCENARIO / "files/ca_host.yml", *variables, "-e", f"certificates_ca_rotation={step}", verbosity)
        assert "sesame" not in output
        assert "(item=registry@issued)" in output, step
        trusted.append(ca.read_text())
        for bundle in trusted[-2:]:  # who has the bundle of the step before is served, and so is who has this one
            host.run(f"cat > /run/bundle.pem <<'END'\n{bundle}END")
            assert answers(host, "issued", "/run/bundle.pem"), step
    assert served(host, "issued") == deployed(host, "issued") != old
    assert [bundle.count("BEGIN CERTIFICATE") for bundle in trusted] == [1, 2, 2, 1]
    assert trusted[0] != trusted[3]
    assert "ENCRYPTED" in (INVENTORY / ".pki/ca.key").read_text()
    assert not (INVENTORY / ".pki/next").exists()
