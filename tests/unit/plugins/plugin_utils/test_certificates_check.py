# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _certificates_pem as pem
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_check import (
    _judge_strength,
    _Speaker,
    expiry_warnings,
    material_problems,
)
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.certificate_factory import (
    NOW,
    authority,
    entry,
    make,
)
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

NAME = "registry.lab.test"
ROOT = authority()
MIDDLE = authority("Test intermediate", issuer=ROOT)
LOWER = authority("Test lower intermediate", issuer=MIDDLE)
OTHER_ROOT = authority("Other root")
LEAF = make(NAME, ROOT, [NAME])
# Issued by "CN=SHA1 root" and valid for a hundred years; cryptography itself no longer signs with SHA-1.
SHA1_LEAF = """\
-----BEGIN CERTIFICATE-----
MIIBhTCCASygAwIBAgIUTGftrFXspeU2VA3ojMIvM61SbQ8wCQYHKoZIzj0EATAU
MRIwEAYDVQQDDAlTSEExIHJvb3QwIBcNMjYxMTIzMDgzMjI0WhgPMjEyNjEwMzAw
ODMyMjRaMA8xDTALBgNVBAMMBHNoYTEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAQwU8Fli0/Z0j2xcidrgVaOu1UTZl4eCgQboUuDAPpeMwtpV+852AiX3hMWvnm5
auJRep+psx7CP0dzflz42bono2AwXjAcBgNVHREEFTATghFyZWdpc3RyeS5sYWIu
dGVzdDAdBgNVHQ4EFgQUsHbGIoi/TPAZ782IBfQIV3m+B18wHwYDVR0jBBgwFoAU
eyUoOP1Yz4Cuh6qpbrKo11gIPNowCQYHKoZIzj0EAQNIADBFAiEAtHu2VeZeLHYA
ayo6C7G2vdLPlq9clG51vtrjX4Z+5osCID3Qb7J/d6K/SnucCPD3TskgDVKQ7LlH
zJnknPkw+PMp
-----END CERTIFICATE-----
"""
CHAINED = make(NAME, MIDDLE, [NAME])
DEEP = make(NAME, LOWER, [NAME])


def problems(one, minimum_days=7):
    return material_problems(one, NOW, minimum_days)


def assert_one(one, *fragments):
    """Exactly one problem, that says what is wrong, where, and how to mend it, and holds nothing of the key."""
    found = problems(one)
    assert len(found) == 1, found
    for fragment in ('certificates_list entry "web"', *fragments):
        assert re.search(fragment, found[0]), found[0]
    for line in one["key"].splitlines()[1:-1]:
        assert line not in found[0]


@pytest.mark.parametrize(
    "one",
    [
        entry(LEAF, ca=ROOT),
        entry(LEAF),
        entry(CHAINED, MIDDLE, ca=ROOT),
        entry(DEEP, LOWER, MIDDLE, ca=ROOT),
        entry(DEEP, LOWER, MIDDLE, ROOT, ca=ROOT),
        entry(CHAINED, ca=MIDDLE),
        entry(CHAINED, MIDDLE),
        entry(LEAF, ca=ROOT, names=["REGISTRY.lab.test."]),
        entry(make("x", ROOT, ["*.lab.test"]), ca=ROOT),
        entry(make("x", ROOT, ["192.0.2.5", "2001:db8::1"]), ca=ROOT, names=["192.0.2.5", "2001:0db8::0001"]),
        entry(make("x", ROOT, [NAME], extended=None), ca=ROOT),
        entry(make("x", ROOT, [NAME], key=rsa.generate_private_key(65537, 2048), usage=["key_encipherment"]), ca=ROOT),
    ],
    ids=lambda one: "",
)
def test_good_ones_pass(one):
    assert problems(one) == []


def test_bundle_of_two_cas_is_fine():
    one = entry(LEAF, ca=OTHER_ROOT)
    one["ca"] += ROOT.pem
    assert problems(one) == []


def test_self_signed_certificate_is_its_own_anchor():
    alone = make(NAME, names=[NAME])
    assert problems(entry(alone, ca=alone)) == []


def test_encrypted_key_with_its_passphrase():
    one = entry(LEAF, key=LEAF.key_pem("open sesame"), key_passphrase="open sesame")
    assert problems(one) == []
    assert pem.load_key(pem.plain_key(one["key"], "open sesame")).private_numbers() == LEAF.key.private_numbers()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"certificate": ""}, r"/pki/certificate.pem: the certificate is empty; give"),
        ({"certificate": "\x00\x82 no PEM"}, "holds no PEM certificate; convert DER with"),
        ({"certificate": LEAF.key_pem()}, "holds a private key where a certificate belongs; exchange"),
        ({"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, "certificate 1 cannot be read"),
        ({"certificate": LEAF.pem + LEAF.pem[:-30]}, "without its END line; copy the file again"),
        ({"key": ""}, r"/pki/key.pem: the key is empty; give"),
        ({"key": LEAF.pem}, "holds a certificate where the private key belongs"),
        ({"key": LEAF.key_pem("secret")}, "is encrypted and no passphrase is given; set key_passphrase"),
        ({"key": LEAF.key_pem("secret"), "key_passphrase": "wrong"}, "cannot be decrypted; check key_passphrase"),
        ({"key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}, "cannot be read as a private key"),
        ({"key": LEAF.key_pem() * 2}, "holds 2 private keys"),
        ({"key": "-----BEGIN OPENSSH PRIVATE KEY-----\nA\n-----END OPENSSH PRIVATE KEY-----\n"}, "is an SSH key"),
        ({"ca": "nothing"}, r"/pki/ca.pem: the CA holds no PEM certificate"),
        ({"chain": "nothing"}, r"/pki/chain.pem: the chain holds no PEM certificate"),
        ({"key": CHAINED.key_pem()}, r"/pki/key.pem: the private key does not belong to the certificate CN=registry.lab.test; give"),
    ],
)
def test_texts_that_are_not_what_they_should_be(change, message):
    assert_one(entry(LEAF, ca=ROOT, **{key: value for key, value in change.items() if key != "ca"}) | change, message)


@pytest.mark.parametrize(
    "one, message",
    [
        (entry(make("x", ROOT, [NAME], days=-2, starts=-9), ca=ROOT), "CN=x expired on 20.*; give a current one"),
        (entry(make("x", ROOT, [NAME], days=3), ca=ROOT), "in 3 days, and at least 7 are asked for; .*certificates_minimum_days"),
        (entry(make("x", ROOT, [NAME], starts=2), ca=ROOT), "not valid before .*clock of the controller"),
        (entry(make("x", ROOT, [NAME], key=rsa.generate_private_key(65537, 1024)), ca=ROOT), "RSA key of only 1024 bits"),
        (entry(make("x", ROOT, [NAME], key=ec.generate_private_key(ec.SECP256K1())), ca=ROOT), "curve secp256k1"),
        (entry(make("x", ROOT, [NAME], extended=ExtendedKeyUsageOID.CLIENT_AUTH), ca=ROOT), "lacks serverAuth"),
        (entry(make("x", ROOT, [NAME], usage=["key_agreement"]), ca=ROOT), "lacks digitalSignature"),
        (entry(make("x", ROOT, ["other.test"]), ca=ROOT), "is for other.test and does not cover registry.lab.test"),
        (entry(make(NAME, ROOT), ca=ROOT), "has no subject alternative names"),
        (entry(make("x", ROOT, ["*.test"]), ca=ROOT), r"does not cover registry.lab.test"),
        (entry(make("x", ROOT, ["*.lab.test"]), ca=ROOT, names=["a.b.lab.test", "lab.test"]), "does not cover a.b.lab.test, lab.test"),
        (entry(make("x", ROOT, ["*.2.5"]), ca=ROOT, names=["192.0.2.5"]), "does not cover 192.0.2.5"),
        (entry(make(NAME, ca=True, names=[NAME])), "is a CA certificate, not a server's"),
        (entry(LEAF, ca=OTHER_ROOT), "chain is not complete: it ends at CN=registry.lab.test, whose issuer CN=Test root"),
        (entry(CHAINED, ca=ROOT), "chain is not complete.*issuer CN=Test intermediate.*; append"),
        (entry(DEEP, MIDDLE, LOWER, ca=ROOT), r"out of order; .*: CN=registry.lab.test \| CN=Test lower intermediate \| CN"),
        (entry(LEAF, MIDDLE, ca=ROOT), "CN=Test intermediate is not part of the chain"),
        (entry(LEAF, ca=authority(days=-1, starts=-9, key=ROOT.key)), "the CA CN=Test root is valid only from"),
    ],
)
def test_certificates_that_clients_would_refuse(one, message):
    assert_one(one, message)


def test_leaf_behind_its_issuer_is_named_with_its_place():
    swapped = entry(MIDDLE, CHAINED, ca=ROOT, key=CHAINED.key_pem())
    assert_one(swapped, r"the key belongs to certificate 2 of the chain \(CN=registry.lab.test\).*put the server's own certificate first")


def test_full_chain_with_its_chain_again():
    one = entry(CHAINED, MIDDLE, ca=ROOT)
    one["certificate"] += MIDDLE.pem
    assert_one(one, "/pki/chain.pem: CN=Test intermediate occurs twice; give it either")


def test_missing_link_names_the_stranger_and_the_gap():
    found = problems(entry(DEEP, MIDDLE, ca=ROOT))
    assert any("CN=Test intermediate is not part of the chain" in problem for problem in found)
    assert any("add the certificate of CN=Test lower intermediate" in problem for problem in found)


@pytest.mark.parametrize(
    "middle, message",
    [
        (authority("M", issuer=ROOT, days=2), "CN=M ends on"),
        (authority("M", issuer=ROOT, days=-2, starts=-9), "CN=M expired on"),
        (make("M", ROOT), "CN=M issued another one without being a CA"),
        (make("M", ROOT, ca=True, usage=["digital_signature"]), "the keyUsage of CN=M lacks keyCertSign"),
    ],
)
def test_bad_intermediates(middle, message):
    assert_one(entry(make(NAME, middle, [NAME]), middle, ca=ROOT), message)


def test_issued_certificate_that_ends_with_its_ca():
    assert_one(entry(make("x", ROOT, [NAME], days=3), ca=ROOT, source="issued"), "replace the CA, which ends as well")


def test_sha1_signature():
    issuer = authority("SHA1 root")
    one = entry(LEAF, ca=issuer, certificate=SHA1_LEAF)
    certificate = x509.load_pem_x509_certificate(SHA1_LEAF.encode())
    assert pem.issued_by(certificate, issuer.certificate)
    found = []
    _judge_strength(_Speaker(one, found), certificate)
    assert len(found) == 1 and "CN=sha1 is signed with sha1, which clients refuse" in found[0]


def test_path_length():
    short = authority("Short", issuer=ROOT, path_length=0)
    lower = authority("Lower", issuer=short)
    assert_one(entry(make(NAME, lower, [NAME]), lower, short, ca=ROOT), "CN=Short allows only 0 CAs below it")


def test_warnings_are_of_what_still_holds():
    for days, expected in ((30, 0), (29, 1), (0, 1), (-1, 0)):
        found = expiry_warnings(entry(make("x", ROOT, [NAME], days=days, starts=-20), ca=ROOT), NOW, 30)
        assert len(found) == expected, (days, found)
    assert "CN=x ends on" in expiry_warnings(entry(make("x", ROOT, [NAME], days=3)), NOW, 30)[0]


@pytest.mark.parametrize(
    "pattern, name, expected",
    [
        ("a.test", "A.TEST.", True),
        ("*.test", "a.test", True),
        ("*.test", "a.b.test", False),
        ("*.test", "test", False),
        ("*.test", ".test", False),
        ("f*.test", "foo.test", False),
        ("*.a.test", "*.a.test", True),
        ("*.test", "*.test", True),
        ("*.b.test", "*.a.b.test", False),
        ("::1", "0:0::1", True),
        ("192.0.2.1", "192.0.2.10", False),
        ("b\u00fccher.test", "xn--bcher-kva.test", True),
    ],
)
def test_covers(pattern, name, expected):
    assert pem.covers(pattern, name) is expected
