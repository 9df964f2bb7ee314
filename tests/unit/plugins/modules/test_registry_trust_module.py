# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_trust_host import TrustError
from ansible_collections.dockyard.trusted_registry.plugins.modules import registry_trust

KEY = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"


class FakeModule:
    """As much of AnsibleModule as the module uses beyond its arguments."""

    def __init__(self, params, check_mode=False):
        self.params = params
        self.check_mode = check_mode
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)

    def get_bin_path(self, name):
        return None

    def run_command(self, argv):
        raise AssertionError(argv)


@pytest.fixture
def module(tmp_path):
    def build(*registries, check_mode=False, **params):
        defaults = {name: option.get("default") for name, option in registry_trust.ARGUMENTS.items()}
        entries = [{**{name: option.get("default") for name, option in registry_trust.REGISTRY.items()}, **entry} for entry in registries]
        places = {
            "docker_directory": str(tmp_path / "docker"),
            "containers_directory": str(tmp_path / "containers"),
            "containerd_directory": str(tmp_path / "containerd"),
            "record": str(tmp_path / "lib" / "record.json"),
        }
        return FakeModule({**defaults, **places, "registries": entries, **params}, check_mode)

    return build


MUTUAL = {"host": "r.example.com", "port": 5000, "ca": "ca", "client_certificate": "cert", "client_key": KEY}
PLAIN = {"host": "p.example.com", "insecure": True}


def test_check_mode_says_the_same_and_writes_nothing(module, tmp_path):
    predicted = registry_trust.trust(module(MUTUAL, PLAIN, check_mode=True))
    assert os.listdir(tmp_path) == []
    assert registry_trust.trust(module(MUTUAL, PLAIN)) == predicted
    assert predicted["changed"] and len(predicted["written"]) == 3
    assert not registry_trust.trust(module(MUTUAL, PLAIN))["changed"]


def test_the_key_is_in_no_result_and_not_in_the_record(module, tmp_path):
    result = registry_trust.trust(module(MUTUAL))
    record = (tmp_path / "lib" / "record.json").read_text()
    for text in (json.dumps(result), record, json.dumps(registry_trust.trust(module()))):
        assert "c2VjcmV0" not in text


def test_members_are_handed_over_and_then_forgotten(module, tmp_path):
    registry_trust.trust(module(PLAIN))
    result = registry_trust.trust(module())
    items = {"insecure-registries": {"present": [], "absent": ["p.example.com"]}}
    assert result["daemon_jobs"] == [{"target": "daemon_json", "list_items": items}]
    assert result["daemon_forget"] and not result["changed"]
    forget = module(forget=result["daemon_jobs"], registries=None)
    assert registry_trust.forget(module(forget=result["daemon_jobs"], registries=None, check_mode=True)) == {"changed": True}
    assert registry_trust.forget(forget) == {"changed": True}
    assert registry_trust.forget(forget) == {"changed": False}
    assert os.listdir(tmp_path) == []
    assert registry_trust.trust(module())["daemon_jobs"] == []


def test_a_list_that_cannot_work_is_refused_without_the_role(module, tmp_path):
    with pytest.raises(TrustError, match="never read for an insecure registry"):
        registry_trust.trust(module({**PLAIN, "ca": "ca"}))
    assert os.listdir(tmp_path) == []


def test_an_unverified_registry_is_warned_of_at_every_run(module):
    for _run in range(2):
        fake = module(PLAIN)
        registry_trust.trust(fake)
        assert "TLS is not verified" in fake.warnings[0]


def test_the_system_dialect_needs_a_store(module, monkeypatch):
    with pytest.raises(TrustError, match="install ca-certificates"):
        registry_trust.trust(module({**MUTUAL}, dialects=["system"]))


def test_the_key_is_an_argument_that_is_not_logged():
    assert registry_trust.REGISTRY["client_key"]["no_log"] is True
