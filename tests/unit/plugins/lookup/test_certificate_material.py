# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.dockyard.trusted_registry.plugins.filter.certificate_plan import certificate_plan
from ansible_collections.dockyard.trusted_registry.plugins.filter.certificate_problems import certificate_problems
from ansible_collections.dockyard.trusted_registry.plugins.filter.certificate_sets import deployable as certificate_sets
from ansible_collections.dockyard.trusted_registry.plugins.lookup.certificate_material import LookupModule
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.certificate_factory import authority, make

CA = authority("Own CA")
LEAF = make("x", CA, ["web.test"])
DEPLOY = {"certificate": "/etc/web/c.pem", "key": "/etc/web/k.pem", "ca": "/etc/web/ca.pem"}
ISSUED = {"name": "web", "source": "issued", "names": ["web.test"], "deploy": DEPLOY}


@pytest.fixture
def pki(tmp_path):
    store = tmp_path / "issued" / "h" / "web"
    store.mkdir(parents=True)
    (tmp_path / "ca.pem").write_text(CA.pem)
    (tmp_path / "ca.key").write_text("never read")
    (store / "certificate.pem").write_text(LEAF.pem)
    (store / "key.pem").write_text(LEAF.key_pem())
    return tmp_path


def material(entries, ca_dir, **more):
    loader = DataLoader()
    plugin = LookupModule(loader=loader, templar=Templar(loader=loader))
    return plugin.run([entries], {}, ca_dir=str(ca_dir), store=str(ca_dir / "issued" / "h"), **more)[0]


def test_stored_certificate_is_found_good(pki):
    found = material([ISSUED], pki)
    assert found["authority"]["key_present"] and "never read" not in repr(found)
    assert certificate_problems(found["entries"]) == []
    plan = certificate_plan(found, key_type="ecdsa-p256", warn_days=100)
    assert (plan["issue"], plan["problems"], plan["subordinate"], plan["ca"]) == ([], [], False, CA.pem)
    assert len(plan["warnings"]) == 1


def test_nothing_there_yet(tmp_path):
    found = material([ISSUED], tmp_path / "none")
    plan = certificate_plan(found)
    assert plan["problems"] == plan["warnings"] == [] and plan["ca"] == ""
    assert plan["create_ca"] and [item["name"] for item in plan["issue"]] == ["web"]
    assert certificate_problems(found["entries"], pending=["web"]) == []
    assert certificate_problems(found["entries"]) != []


def test_relative_directory_of_the_ca_is_refused():
    for place in ("pki", "~/pki"):
        authority_of = {"origins": {"certificate": place + "/ca.pem"}}
        problems = certificate_plan({"entries": [ISSUED], "authority": authority_of})["problems"]
        assert problems == [f"certificates_ca_dir is {place}; write it from the root, without ~."]


def test_chain_of_a_subordinate_ca_stays_with_the_ca(pki):
    middle = authority("Middle", issuer=CA)
    leaf = make("x", middle, ["web.test"])
    (pki / "issuer.pem").write_text(middle.pem)
    (pki / "issued/h/web/certificate.pem").write_text(leaf.pem)
    (pki / "issued/h/web/key.pem").write_text(leaf.key_pem())
    found = material([ISSUED], pki)
    plan = certificate_plan(found, key_type="ecdsa-p256")
    assert (plan["issue"], plan["problems"], plan["subordinate"]) == ([], [], True)
    assert certificate_sets(found["entries"])[0]["certificate"] == leaf.pem + middle.pem


def test_ca_on_another_machine(pki, tmp_path):
    fetched = {"files": [{"path": str(path), "exists": True, "content": path.read_text()} for path in pki.rglob("*.pem")]}
    fetched["files"].append({"path": str(pki / "ca.key"), "exists": True, "certificates": ""})
    here = material([ISSUED], pki)
    for path in pki.rglob("*.pem"):
        path.unlink()
    there = material([ISSUED], pki, fetched=fetched)
    assert certificate_problems(there["entries"]) == [] and there["authority"]["key_present"]
    assert [entry["key"].strip() for entry in there["entries"]] == [entry["key"].strip() for entry in here["entries"]]


def test_provided_files_and_texts(pki):
    files = {"certificate_file": str(pki / "issued/h/web/certificate.pem"), "key_file": str(pki / "issued/h/web/key.pem")}
    entry = dict(ISSUED, source="provided", ca=CA.pem, **files)
    found = material([entry], pki)["entries"]
    assert certificate_problems(found) == []
    assert found[0]["origins"]["certificate"] == files["certificate_file"] and found[0]["origins"]["ca"] == "`ca`"


def test_missing_files_are_all_named_at_once(tmp_path):
    entry = dict(ISSUED, source="provided", certificate_file="gone.pem", key_file="/gone.key", ca=CA.pem)
    problems = certificate_problems(material([entry], tmp_path)["entries"])
    assert len(problems) == 2
    assert "certificate_file gone.pem does not exist on the controller" in problems[0]
    assert "key_file /gone.key does not exist" in problems[1]


def test_mixed_up_sources_are_reported_and_not_hidden(pki):
    problems = certificate_problems(material([dict(ISSUED, key="text")], pki)["entries"])
    assert problems == ['certificates_list entry "web": it is issued here and yet brings key; drop these, or set source: provided.']


def test_problem_filter_honours_the_limit_of_the_entry(pki):
    found = material([ISSUED], pki)["entries"]
    assert certificate_problems([dict(found[0], minimum_days=100)])
    assert not certificate_problems([dict(found[0], minimum_days=0)], minimum_days=1000)
