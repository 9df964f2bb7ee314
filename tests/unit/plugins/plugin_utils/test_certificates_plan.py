# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _certificates_plan as plans
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.certificate_factory import (
    NOW,
    authority,
    entry,
    make,
)
from cryptography.hazmat.primitives.asymmetric import rsa

DEFAULTS = {"key_type": "ecdsa-p256", "validity_days": 397, "renew_before_days": 30, "minimum_days": 7}
NAMES = ("registry.lab.test", "192.0.2.5")
CA = authority("Own CA")


def state(ca=CA, **more):
    return dict({"certificate": ca.pem if ca else "", "issuer": "", "key_present": bool(ca), "origins": {}}, **more)


def stored(pair=None, names=NAMES, **more):
    texts = {"certificate": pair.pem, "key": pair.key_pem()} if pair else {"certificate": "", "key": ""}
    return entry(pair or CA, names=names, source="issued", origins={}, **dict(texts, **more))


def plan(*entries, ca=None, **more):
    return plans.issuing_plan(entries, ca or state(), NOW, DEFAULTS, **more)


def reasons(*args, **more):
    result = plan(*args, **more)
    assert result["problems"] == []
    return [item["reason"] for item in result["issue"]]


def test_first_run_creates_the_ca_and_asks_for_a_certificate():
    result = plan(stored(), ca=state(None))
    assert result["create_ca"] and result["problems"] == []
    assert result["issue"] == [
        {
            "name": "web",
            "reason": "not issued yet",
            "common_name": "registry.lab.test",
            "subject_alt_name": ["DNS:registry.lab.test", "IP:192.0.2.5"],
            "key_type": "ecdsa-p256",
            "not_after": "+397d",
        }
    ]


def test_second_run_issues_nothing():
    assert reasons(stored(make("x", CA, NAMES))) == []
    assert reasons(stored(make("x", CA, NAMES), names=["192.0.2.5", "REGISTRY.lab.test."])) == []


def test_nothing_to_issue_needs_no_ca():
    provided = entry(make("x", CA, NAMES))
    assert plan(provided, ca=state(None)) == {"issue": [], "create_ca": False, "problems": []}
    assert plan(stored(make("x", CA, NAMES)), ca=state(key_present=False))["problems"] == []


def test_reasons():
    good = make("x", CA, NAMES)
    assert reasons(stored(good), rotate=True) == ["rotation asked for"]
    assert reasons(stored(good, key=CA.key_pem())) == ["stored key and certificate do not belong together"]
    assert reasons(stored(good, certificate="rubbish"))[0].startswith("what is stored holds no PEM certificate")
    assert reasons(stored(good, names=["registry.lab.test", "new.test"])) == ["names changed (+new.test -192.0.2.5)"]
    assert reasons(stored(good), ca=state(authority("New CA"))) == ["issued by another CA (CN=Own CA)"]
    assert reasons(stored(good), ca=state(authority("Own CA"))) == ["issued by another CA (CN=Own CA)"]
    assert reasons(stored(make("x", CA, NAMES, days=12))) == ["12 days left, renewed below 30"]
    assert reasons(stored(make("x", CA, NAMES, key=rsa.generate_private_key(65537, 2048)))) == ["key type rsa-2048 instead of ecdsa-p256"]


def test_an_entry_overrides_the_defaults():
    assert reasons(stored(make("x", CA, NAMES, days=12), renew_before_days=10)) == []
    item = plan(stored(validity_days=31, key_type="rsa-3072"))["issue"][0]
    assert item["not_after"] == "+31d" and item["key_type"] == "rsa-3072"


def test_no_certificate_outlives_its_ca_nor_is_renewed_in_vain():
    old = authority("Old CA", days=20)
    assert plan(stored(), ca=state(old))["issue"][0]["not_after"] == f"{old.certificate.not_valid_after_utc:%Y%m%d%H%M%SZ}"
    assert reasons(stored(make("x", old, NAMES, days=20)), ca=state(old)) == []


def test_renewal_comes_before_refusal():
    short = {"renew_before_days": 3}
    assert reasons(stored(make("x", CA, NAMES, days=6), **short)) == ["6 days left, renewed below 7"]
    assert reasons(stored(make("x", CA, NAMES, days=6), minimum_days=5, **short)) == []


def test_validity_that_would_be_renewed_at_every_run():
    found = plan(stored(validity_days=30))["problems"]
    assert len(found) == 1 and "validity_days is 30, and it is renewed 30 days before its end, so at every run; raise" in found[0]


def test_bundle_of_old_and_new_ca_issues_from_the_first():
    new = authority("New CA")
    both = state(new, certificate=new.pem + CA.pem)
    assert reasons(stored(make("x", CA, NAMES)), ca=both) == ["issued by another CA (CN=Own CA)"]
    assert reasons(stored(make("x", new, NAMES)), ca=both) == []


def test_subordinate_ca_sends_its_chain():
    middle = authority("Middle", issuer=CA)
    ca = state(issuer=middle.pem)
    assert reasons(stored(make("x", middle, NAMES)), ca=ca) == []
    assert reasons(stored(make("x", CA, NAMES)), ca=ca) == ["issued by another CA (CN=Own CA)"]
    assert "is not a root; keep the root in ca.pem" in plan(stored(), ca=state(middle))["problems"][0]


@pytest.mark.parametrize(
    "ca, message",
    [
        (state(key_present=False), "the CA's private key is missing and web must be issued (not issued yet); bring the key back"),
        (state(authority("Old CA", days=-1, starts=-9)), "ends or ended on"),
        (state(make("leaf", names=NAMES)), "CN=leaf is not a CA certificate"),
        (state(certificate="rubbish"), "the CA's certificate holds no PEM certificate"),
    ],
)
def test_a_ca_that_cannot_issue(ca, message):
    found = plan(stored(), ca=ca)["problems"]
    assert len(found) == 1 and found[0].startswith("certificates_ca_dir, ") and message in found[0]


def test_long_names_stay_out_of_the_common_name():
    assert plan(stored(names=["a" * 60 + ".lab.test"]))["issue"][0]["common_name"] == "web"


def test_sets_hold_chain_in_one_text_and_a_plain_key():
    middle = authority("Middle", issuer=CA)
    leaf = make("x", middle, NAMES)
    one = entry(leaf, middle, ca=CA, names=NAMES, key=leaf.key_pem("secret"), key_passphrase="secret", services=["web"],
                deploy={"certificate": "/c.pem", "key": "/k.pem", "ca": "/ca.pem", "owner": "web"})
    one["certificate"] = "text before\n" + one["certificate"]
    made = plans.deployable([one, dict(one, name="other")], pending=["other"])
    assert len(made) == 1
    assert made[0]["certificate"] == leaf.pem + middle.pem
    assert made[0]["key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert (made[0]["ca"], made[0]["ca_path"], made[0]["key_mode"]) == (CA.pem, "/ca.pem", "0600")
    assert (made[0]["owner"], made[0]["services"]) == ("web", ["web"])
    assert made[0]["group"] == "root"


def test_store_keeps_leaf_and_key():
    made = plans.stored_sets("/pki/issued/h", [{"name": "web"}], ["key"], [CA.pem])
    assert made[0]["certificate"] == CA.pem
    assert made[0]["key_path"] == "/pki/issued/h/web/key.pem"
