# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of UCP and DTR, and their CA, replaced while images are pulled; the stories run in the order of this file."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import re
import ssl
import subprocess
import urllib.request
from base64 import b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lab_run import CHECKOUT, run_playbook

SCENARIO = "dtr_certificates"
LAB = CHECKOUT / f".lab/molecule-{SCENARIO}"
PKI = LAB / "inventory/.pki"
UCP, DTR, BALANCER, NAME = "172.30.87.11", "172.30.87.21", "172.30.87.31", "dtr.lab.test"
PASSWORD = "sesame-of-the-admin"
IMAGE = f"{NAME}/admin/probe:1"
CONVERGE = f"molecule/{SCENARIO}/converge.yml"


def play(playbook, *arguments, **variables):
    """A playbook of the collection, with a certificate of UCP that is issued: exit code, output on one line."""
    code, output = run_playbook(SCENARIO, CHECKOUT / playbook, *arguments, **{"ucp_tls_source": "issued", **variables})
    return code, " ".join(output.split())


def changed(output):
    return sum(int(number) for number in re.findall(r"changed=([0-9]+)", output))


def api(path, method="GET", body=None, address=BALANCER, ca="dtr-ca.pem"):
    """What DTR, or UCP, answers to its administrator; verified with the CA that the roles left on the controller."""
    request = urllib.request.Request(f"https://{address}{path}", method=method, data=json.dumps(body).encode() if body else None)
    request.add_header("Authorization", "Basic " + b64encode(f"admin:{PASSWORD}".encode()).decode())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=PKI / ca), timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def served(address):
    return x509.load_pem_x509_certificate(ssl.get_server_certificate((address, 443), timeout=30).encode())


def both():
    """The certificates that UCP and DTR serve."""
    return served(UCP), served(DTR)


def dtr_asks_ucp():
    """DTR asks UCP for accounts, over TLS that it verifies with the CA that it was told."""
    return [account["name"] for account in api("/enzi/v0/accounts/")["accounts"]]


@pytest.fixture(scope="module")
def client(node):
    return node("client-1")


class Pulls:
    """What became of the logins and pulls of a real client meanwhile."""

    def __init__(self, client):
        self.client, self.lines = client, []

    def failed(self):
        return [line for line in self.lines if not line.startswith("done")]


@contextlib.contextmanager
def pulling(client):
    """Signs in and pulls what it has just removed, again and again; a line for each turn, `done` or the error."""
    turn = (f"echo {PASSWORD} | docker login -u admin --password-stdin {NAME} 2>&1 >/dev/null && "
            f"docker rmi -f {IMAGE} 2>&1 >/dev/null && docker pull -q {IMAGE} 2>&1 >/dev/null")
    client.check_output(f"docker pull -q {IMAGE}")
    loop = f"while [ ! -e /root/stop ]; do said=$({turn}) && echo done || echo failed: $said; sleep 2; done"
    client.check_output(f"rm -f /root/stop; nohup sh -c '{loop}' >/root/pulls 2>/dev/null & echo $! >/root/pulls.pid")
    found = Pulls(client)
    try:
        yield found
    finally:
        client.check_output("touch /root/stop; while kill -0 $(cat /root/pulls.pid) 2>/dev/null; do sleep 0.2; done")
        found.lines = client.check_output("cat /root/pulls").splitlines()


def test_a_client_pushes_and_pulls(client):
    api("/api/v0/repositories/admin", "POST", {"name": "probe", "visibility": "private"})
    client.check_output(f"echo {PASSWORD} | docker login -u admin --password-stdin {NAME}")
    client.check_output(f"tar -cC /etc os-release | docker import - {IMAGE} && docker push {IMAGE}")
    assert "admin" in dtr_asks_ucp()


def test_ucp_gets_its_certificate_from_the_ca_and_dtr_is_told_of_it():
    assert served(UCP).issuer != served(DTR).issuer
    code, output = play(CONVERGE)
    assert code == 0 and "ucp_ca" in output, output
    assert served(UCP).issuer == served(DTR).issuer
    assert (PKI / "ucp-ca.pem").read_text() == (PKI / "ca.pem").read_text()
    assert "admin" in dtr_asks_ucp()


def test_new_certificates_of_the_same_ca_break_no_pull(client):
    before = both()
    with pulling(client) as pulls:
        code, output = play("playbooks/rotate_certificates.yml")
    assert code == 0, output
    assert all(now != then for now, then in zip(both(), before, strict=True))
    assert len(pulls.lines) > 3 and pulls.failed() == []
    assert "admin" in dtr_asks_ucp()


def test_what_is_not_due_is_not_rotated():
    before = both()
    code, output = play("playbooks/rotate_certificates.yml", certificates_rotate=False)
    assert (code, changed(output)) == (0, 0), output
    assert both() == before


def test_another_ca_takes_over_with_nobody_cut_off(node, client):
    first = (PKI / "ca.pem").read_text()
    with pulling(client) as pulls:
        code, output = play("playbooks/rotate_ca.yml")
    assert code == 0, output
    assert (PKI / "ca.pem").read_text() != first and (PKI / "ca.pem").read_text().count("BEGIN") == 1
    issuer = x509.load_pem_x509_certificate((PKI / "ca.pem").read_bytes()).subject
    assert {one.issuer for one in both()} == {issuer}
    # The only replica restarts twice, as it is told of UCP's next CA and of the end of the former one; nothing fails for a lack of trust.
    assert [line for line in pulls.failed() if "x509" in line or "certificate" in line] == []
    assert pulls.lines[-1] == "done", pulls.lines[-5:]
    assert "admin" in dtr_asks_ucp()
    for name in ("client-1", "ucp-1", "dtr-1"):
        assert node(name).check_output(f"cat /etc/docker/certs.d/{NAME}/ca.crt").strip() == (PKI / "ca.pem").read_text().strip()


def authority():
    """The lab's CA: (certificate, key)."""
    certificate, key = (PKI / "ca.pem").read_bytes(), (PKI / "ca.key").read_bytes()
    return x509.load_pem_x509_certificate(certificate), serialization.load_pem_private_key(key, None)


def signed(names, days, issuer=None):
    """A certificate that ends in so many days, by the issuer or by itself: (x509 certificate, key)."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    above, signer = issuer or (None, key)
    alternative = [x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names]
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(above.subject if above else subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=9))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return made, key


def pem(thing):
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM).decode()
    return thing.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def expire(what):
    """Has UCP or DTR serve a certificate that ended yesterday."""
    certificate, key = map(pem, signed([NAME, "ucp.lab.test"], -1, authority()))
    if what == "dtr":
        api("/api/v0/meta/settings", "POST", {"webTLSCert": certificate, "webTLSKey": key})
        return
    for name, text in (("key", key), ("cert", certificate)):
        file = f"/var/lib/docker/volumes/ucp-controller-server-certs/_data/{name}.pem"
        command = ["docker", "exec", "-i", f"dockyard-{SCENARIO}-ucp-1", "sh", "-c", f"cat > {file}"]
        subprocess.run(command, input=text, text=True, check=True)


def test_an_expired_certificate_of_the_registry_is_told_with_what_to_run():
    expire("dtr")
    code, output = play("playbooks/status.yml")
    assert code == 0 and "has expired" in output and "Run rotate_certificates.yml" in output, output
    code, output = play(CONVERGE)
    assert code == 2 and "Run rotate_certificates.yml" in output, output


def test_rotation_replaces_what_has_expired(client):
    expire("ucp")
    assert play("playbooks/status.yml", status_strict=True)[0] == 2
    code, output = play("playbooks/rotate_certificates.yml")
    assert code == 0, output
    code, output = play("playbooks/status.yml", status_strict=True)
    assert code == 0, output
    client.check_output(f"docker pull -q {IMAGE}")


@pytest.fixture(scope="module")
def own():
    """Files of an operator's own authority: options of both roles."""
    root = signed(["Authority of the operator"], 400)
    folder = LAB / "own"
    folder.mkdir(exist_ok=True)
    (folder / "ca.pem").write_text(pem(root[0]))
    options = {"dtr_api_host": BALANCER}
    for product, names in (("ucp", [UCP, "ucp-1"]), ("dtr", [NAME, BALANCER, "dtr-1", DTR])):
        certificate, key = signed(names, 90, root)
        (folder / f"{product}.pem").write_text(pem(certificate))
        (folder / f"{product}.key").write_text(pem(key))
        options |= {f"{product}_tls_source": "provided", f"{product}_tls_certificate_file": str(folder / f"{product}.pem"),
                    f"{product}_tls_key_file": str(folder / f"{product}.key"), f"{product}_tls_ca_file": str(folder / "ca.pem")}
    return {**options, "load_balancer_check_ca_file": str(folder / "ca.pem")}


def test_own_files_that_do_not_belong_together_are_refused_before_anything(own):
    before = both()
    code, output = play("playbooks/rotate_certificates.yml", **{**own, "dtr_tls_key_file": own["ucp_tls_key_file"]})
    assert code == 2 and "belong" in output and changed(output) == 0, output
    assert both() == before


def test_own_certificates_of_another_authority_are_served_and_trusted(node, client, own):
    code, output = play("playbooks/rotate_certificates.yml", **own)
    assert code == 0, output
    assert [one.issuer.rfc4514_string() for one in both()] == ["CN=Authority of the operator"] * 2
    assert "admin" in dtr_asks_ucp()
    client.check_output(f"echo {PASSWORD} | docker login -u admin --password-stdin {NAME} && docker pull -q {IMAGE}")
    code, output = play(CONVERGE, **own)
    assert (code, changed(output)) == (0, 0), output
