# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import ssl

import pytest
import requests
import standin as standin_package
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr, _dtr_tls
from ansible_collections.dockyard.trusted_registry.plugins.modules.dtr_settings import FIELDS, READ_ONLY
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.certificate_factory import authority, make
from api_modules import ModuleFailed

NAME = "dtr_settings"
S3 = {"storage": {"s3": {"bucket": "images", "region": "eu-1", "secretkey": "S3-SECRET-KEY"}}}


def now(standin):
    """The settings in force."""
    return standin.store.get("settings", "dtr")


def standin_folder():
    """Where the stand-in lies."""
    return pathlib.Path(standin_package.__file__).parent


def test_every_field_of_the_interface_has_an_option(standin):
    interface = json.loads((standin_folder() / "interface/dtr.json").read_text())["definitions"]
    fields = set(interface["forms.Settings"]["properties"])
    shown = set(interface["responses.Settings"]["properties"])
    assert set(FIELDS.values()) == fields
    assert set(READ_ONLY.values()) == shown - fields - {"replicaID", "replicaSettings"}   # those two say what is, not what shall be


def test_only_declared_settings_are_sent_and_awaited(standin, run_module):
    standin.options.settings_delay = 0.3
    wanted = {"sso": True, "job_history_max_age": "24h", "scanning_enabled": False}
    planned = run_module(NAME, check=True, settings=wanted)
    assert (planned["fields"], standin.writes) == (["job_history_max_age", "sso"], [])
    done = run_module(NAME, settings=wanted)
    assert done["diff"] == {"before": {"job_history_max_age": "", "sso": False}, "after": {"job_history_max_age": "24h", "sso": True}}
    assert done["diff"] == planned["diff"]
    assert [one.request for one in standin.writes] == [{"jobHistoryMaxAge": "24h", "sso": True}]
    assert now(standin)["sso"] is True   # in force when the module ended
    standin.writes.clear()
    again = run_module(NAME, settings={**wanted, "job_history_max_age": "24h0m0s"})
    assert (again["changed"], again["fields"], standin.writes) == (False, [], [])


def test_settings_that_never_take_effect_are_an_error(standin, run_module, monkeypatch):
    monkeypatch.setattr(_dtr, "SETTINGS_WAIT", 0.5)
    standin.options.settings_delay = 30
    with pytest.raises(ModuleFailed, match=r"took the settings sso but still shows the old values after 0.5 s"):
        run_module(NAME, settings={"sso": True})


def test_what_the_registry_refuses_is_told(standin, run_module):
    with pytest.raises(ModuleFailed, match=r"400 \(INVALID_SETTINGS: dtrHost is"):
        run_module(NAME, settings={"dtr_host": "https://registry/"})


class TestCertificate:
    @pytest.fixture
    def ca(self):
        """An authority that the stand-in does not know yet."""
        return authority("New authority")

    @pytest.fixture
    def pair(self, ca):
        """A certificate for the stand-in's address."""
        return make("127.0.0.1", ca, ["127.0.0.1"])

    def settings(self, pair, ca):
        """The settings that install it."""
        return {"web_tls_cert": pair.pem, "web_tls_key": pair.key_pem(), "web_tls_ca": ca.pem}

    def test_it_is_served_when_the_module_ends(self, standin, run_module, ca, pair, tmp_path):
        done = run_module(NAME, settings=self.settings(pair, ca))
        assert done["fields"] == ["web_tls_ca", "web_tls_cert"]
        port = int(standin.dtr_host.rpartition(":")[2])
        assert ssl.get_server_certificate(("127.0.0.1", port)).strip() == pair.pem.strip()
        (tmp_path / "new.pem").write_text(ca.pem)
        assert requests.get(f"{standin.dtr_url}/_ping", verify=str(tmp_path / "new.pem"), timeout=5).status_code == 200
        standin.writes.clear()
        assert not run_module(NAME, settings=self.settings(pair, ca), ca_path=str(tmp_path / "new.pem"))["changed"]
        assert standin.writes == []

    def test_a_new_connection_is_trusted_on_the_way(self, standin, run_module, ca, pair):
        standin.faults.add(match="GET /api/v0/meta/settings", kind="drop", after=1)   # the next one meets the new certificate
        assert run_module(NAME, settings=self.settings(pair, ca))["changed"]

    def test_a_certificate_that_is_never_served_is_an_error(self, run_module, ca, pair, monkeypatch):
        monkeypatch.setattr(_dtr_tls, "SERVED_WAIT", 0.2)
        monkeypatch.setattr(_dtr_tls.ssl, "get_server_certificate", lambda address, timeout: ca.pem)
        with pytest.raises(ModuleFailed, match=r"does not serve it after 0\.2 s\. Is there a balancer"):
            run_module(NAME, settings=self.settings(pair, ca))

    def test_bad_pairs_are_refused_before_anything(self, standin, run_module, ca, pair):
        other, expired = make("other", ca), make("127.0.0.1", ca, ["127.0.0.1"], starts=-30, days=-10)
        for settings, says in (
            ({"web_tls_cert": pair.pem}, "its key is not given"),
            ({"web_tls_cert": pair.pem, "web_tls_key": other.key_pem()}, "is not the key of the first certificate"),
            ({"web_tls_cert": "nonsense", "web_tls_key": pair.key_pem()}, "no PEM certificate"),
            ({"web_tls_cert": pair.pem, "web_tls_key": "nonsense"}, "no PEM private key"),
            ({"web_tls_cert": expired.pem, "web_tls_key": expired.key_pem()}, "which is not now"),
        ):
            with pytest.raises(ModuleFailed, match=says):
                run_module(NAME, settings=settings)
        assert standin.writes == []


class TestStorage:
    def push_something(self, standin, run_module):
        """A tag, as metadata."""
        standin.accounts.create({"name": "ops", "isOrg": True})
        run_module("dtr_repository", repositories=[{"name": "ops/base"}])
        standin.writes.clear()
        standin.store.put("tag", "ops/base/1", {"name": "1", "digest": "sha256:" + "0" * 64})

    def test_another_store_is_refused_until_the_data_moved(self, standin, run_module):
        self.push_something(standin, run_module)
        for check in (True, False):
            with pytest.raises(ModuleFailed, match=r"storage\.s3\.bucket.*storage_data_migrated to true. Nothing was changed"):
                run_module(NAME, check=check, storage=S3)
        assert standin.writes == []

    def test_with_the_data_moved_the_tags_stay(self, standin, run_module):
        self.push_something(standin, run_module)
        done = run_module(NAME, storage=S3, storage_data_migrated=True)
        assert done["fields"] == ["storage: storage.s3.bucket", "storage: storage.s3.region", "storage: storage.s3.secretkey"]
        assert done["diff"]["after"]["storage.s3.secretkey"] == "VALUE_HIDDEN"
        assert standin.store.get("tag", "ops/base/1")
        standin.writes.clear()
        assert not run_module(NAME, storage=S3)["changed"]
        assert not run_module(NAME, storage={"storage": {"s3": {"region": "eu-1"}}})["changed"]
        assert standin.writes == []

    def test_a_changed_secret_alone_is_no_move(self, standin, run_module):
        run_module(NAME, storage=S3, storage_data_migrated=True)
        assert run_module(NAME, storage={"storage": {"s3": {"secretkey": "another"}}})["fields"] == ["storage: storage.s3.secretkey"]

    def test_a_refusal_of_other_options_does_not_show_it(self, run_module):
        with pytest.raises(ModuleFailed, match="on_reconfigure must be one of"):
            run_module(NAME, storage=S3, on_reconfigure="hope")

    def test_a_masked_secret_is_not_sent_back(self, standin, run_module):
        standin.store.put("settings", "registry", {"storage": {"s3": {"bucket": "images", "secretkey": "********"}}})
        with pytest.raises(ModuleFailed, match=r"shows storage\.s3\.secretkey masked"):
            run_module(NAME, storage={"storage": {"s3": {"region": "eu-2"}}}, storage_data_migrated=True)
        assert standin.writes == []

    def test_an_old_registry_would_lose_the_tags(self, standin, run_module):
        standin.options.version = "2.6.4"
        with pytest.raises(ModuleFailed, match=r"DTR 2\.6\.4 cannot keep the tags.*Upgrade first"):
            run_module(NAME, storage=S3, storage_data_migrated=True)
        assert standin.writes == []


def test_what_only_reconfigure_can_set(standin, run_module):
    wanted = {"https_proxy": "http://proxy:3128", "sso": True}
    with pytest.raises(ModuleFailed, match=r"https_proxy is '', declared is 'http://proxy:3128'\. The API cannot set this: run the"):
        run_module(NAME, settings=wanted)
    assert standin.writes == []
    done = run_module(NAME, settings=wanted, on_reconfigure="report")
    assert done["reconfigure"] == [{"field": "https_proxy", "current": "", "declared": "http://proxy:3128"}]
    assert done["fields"] == ["sso"]
    assert "only the installer's reconfigure can set it" in str(done["warnings"])


@pytest.mark.parametrize("on_reconfigure", ["fail", "report"])
def test_the_password_of_a_proxy_is_not_shown(standin, run_module, on_reconfigure):
    standin.store.put("settings", "dtr", {**now(standin), "httpsProxy": "http://other:other-S3-SECRET-KEY@proxy:3128"})
    wanted = {"https_proxy": "http://proxy-user:S3-SECRET-KEY@proxy:3128"}   # run_module looks for it in the whole output
    try:
        shown = json.dumps(run_module(NAME, settings=wanted, on_reconfigure=on_reconfigure))
    except ModuleFailed as error:
        shown = json.dumps(error.result)
    assert "https_proxy is 'http://VALUE_HIDDEN@proxy:3128'" in shown


def test_needs_an_administrator(standin, run_module):
    standin.accounts.create({"name": "mallory", "password": "s3cret-of-a-user"})
    with pytest.raises(ModuleFailed, match="403"):
        run_module(NAME, settings={"sso": True}, username="mallory", password="s3cret-of-a-user")


def test_an_unverified_connection_is_warned_about(run_module):
    assert "is not verified" in str(run_module(NAME, ca_path=None, validate_certs=False)["warnings"])


def test_failures(fails):
    fails(NAME, settings={"sso": True})
