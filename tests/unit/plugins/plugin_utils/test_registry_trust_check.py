# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._registry_trust import (
    all_problems,
    certificate_problems,
    read_files,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8


def issue(start=-10, end=10):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(NOW + timedelta(days=start)).not_valid_after(NOW + timedelta(days=end))
    text = builder.sign(key, hashes.SHA256()).public_bytes(PEM).decode()
    return text, key


def as_text(key, password=None):
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(PEM, PKCS8, protection).decode()


CERT, KEY = issue()
OLD, _OLD_KEY = issue(-20, -1)
FUTURE, _FUTURE_KEY = issue(1, 20)
OTHER, OTHER_KEY = issue()


def only(entry):
    (problem,) = certificate_problems(entry, NOW)
    return problem


@pytest.mark.parametrize(
    "ca, message",
    [
        ("/etc/ssl/ca.pem", "ca is not PEM"),
        (CERT + as_text(KEY), "ca holds a private key"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----", "holds CERTIFICATE REQUEST; only certificates"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "a block that is no certificate"),
        (OLD, "ca expired on 2026-05-31"),
        (FUTURE, "ca is not valid before 2026-06-02"),
    ],
)
def test_a_ca_no_client_could_use(ca, message):
    assert message in only({"ca": ca})


def test_a_bundle_may_hold_an_expired_ca_beside_a_valid_one():
    assert certificate_problems({"ca": "# comment\n" + OLD + CERT}, NOW) == []


@pytest.mark.parametrize(
    "certificate, key, message",
    [
        (CERT, as_text(OTHER_KEY), "does not belong to the first certificate"),
        (OTHER + CERT, as_text(KEY), "does not belong to the first certificate"),
        (CERT, as_text(KEY, b"secret"), "client_key is encrypted"),
        (CERT, "nonsense", "client_key is not a private key"),
        (CERT, CERT, "client_key is not a private key"),
        (OLD, as_text(_OLD_KEY), "client_certificate expired"),
    ],
)
def test_a_pair_no_client_could_use(certificate, key, message):
    assert message in only({"client_certificate": certificate, "client_key": key})


def test_a_pair_with_its_intermediates_is_fine():
    assert certificate_problems({"client_certificate": CERT + OTHER, "client_key": as_text(KEY)}, NOW) == []


def test_files_are_read_and_relative_names_start_at_the_base(tmp_path):
    (tmp_path / "ca.pem").write_text(CERT)
    for name in ("ca.pem", str(tmp_path / "ca.pem")):
        entries, problems = read_files([{"host": "r.example.com", "ca_file": name, "port": None}], str(tmp_path))
        assert (entries, problems) == ([{"host": "r.example.com", "ca": CERT}], [])


def test_files_of_an_absent_registry_need_not_exist():
    assert all_problems([{"host": "r.example.com", "ca_file": "gone.pem", "state": "absent"}], [], ["docker"], "/") == []


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "No such file or directory"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n61", "encrypted with Ansible Vault; give its content instead"),
        (b"0\x82\x01\xff\xfe", "it is not text"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_problem(tmp_path, content, message):
    if content is not None:
        (tmp_path / "client.pem").write_bytes(content)
    entry = {"host": "r.example.com", "client_certificate_file": "client.pem", "client_key": as_text(KEY)}
    (problem,) = all_problems([entry], [], ["docker"], str(tmp_path))
    assert message in problem and problem.startswith("registry_trust_registries[0] (r.example.com): client_certificate_file client.pem")


def test_in_check_mode_a_missing_file_is_one_that_will_be_made(tmp_path):
    entries = [{"host": "r.example.com", "ca_file": "ca.pem"}]
    assert all_problems(entries, [], ["docker"], str(tmp_path), check_mode=True) == []
    ((resolved,), problems) = read_files(entries, str(tmp_path), check_mode=True)
    assert "not there yet" in resolved["ca"] and problems == []
    (tmp_path / "ca.pem").write_text("nonsense")
    assert "ca is not PEM" in all_problems(entries, [], ["docker"], str(tmp_path), check_mode=True)[0]


def test_content_and_file_together_are_one_problem():
    (problem,) = all_problems([{"host": "r.example.com", "ca": CERT, "ca_file": "ca.pem"}], [], ["docker"], "/")
    assert "ca and ca_file are both given" in problem


def test_no_problem_quotes_a_key():
    entry = {"host": "r.example.com", "client_certificate": CERT, "client_key": as_text(OTHER_KEY)}
    text = "\n".join(all_problems([entry], [], ["docker"], "/", now=NOW))
    assert text and as_text(OTHER_KEY).splitlines()[1] not in text
