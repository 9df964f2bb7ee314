# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport against the stand-in: retries, redirects, what is not JSON, check mode."""

from __future__ import annotations

import threading
from unittest import mock

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _api_auth, _api_errors, _api_http, _dtr, _ucp
from ansible_collections.dockyard.trusted_registry.tests.unit.plugins.certificate_factory import make

REPOSITORY = {"name": "base", "shortDescription": "", "longDescription": "", "scanOnPush": False, "immutableTags": False,
              "enableManifestLists": False, "tagLimit": 0}


@pytest.fixture
def params(standin, monkeypatch):
    """Options of a connection as administrator."""
    monkeypatch.setattr(_api_http, "BACKOFF", 0.01)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")   # must not override ca_path
    user, password = standin.admin
    return {"host": standin.dtr_host, "username": user, "password": password, "token": None, "ca_path": str(standin.ca_file),
            "client_cert": None, "client_key": None, "validate_certs": True, "timeout": 5, "retries": 3, "threads": 4}


@pytest.fixture
def dtr(params):
    """A client of the registry."""
    return _dtr.connect(params, read_only=False)


@pytest.mark.parametrize("fault", [{"kind": "status", "status": status} for status in (429, 502, 503, 504)] + [{"kind": "drop"}])
def test_reading_is_tried_again(standin, dtr, fault):
    standin.faults.add(match="GET /api/v0/repositories", times=3, **fault)
    assert dtr.get("repositories")["repositories"] == []


@pytest.mark.parametrize(("fault", "tries"), [
    ({"kind": "status", "status": 503}, 2), ({"kind": "status", "status": 429}, 2),
    ({"kind": "status", "status": 502}, 1), ({"kind": "status", "status": 504}, 1),
])
def test_a_creation_is_repeated_only_when_it_was_not_begun(standin, dtr, fault, tries):
    standin.accounts.create({"name": "ops", "isOrg": True})
    standin.faults.add(match="POST /api/v0/repositories/ops", times=1, **fault)
    if tries == 1:
        with pytest.raises(_api_errors.ApiError, match=f"answered {fault['status']}.*Whether the change was made is not known"):
            dtr.post("repositories", "ops", body=REPOSITORY)
        assert dtr.http.changed
    else:
        dtr.post("repositories", "ops", body=REPOSITORY)
    assert (standin.store.get("repository", "ops/base") is not None) == (tries == 2)


def test_a_creation_whose_answer_was_lost_says_that_it_may_have_happened(standin, dtr):
    standin.accounts.create({"name": "ops", "isOrg": True})
    standin.faults.add(match="POST /api/v0/repositories/ops", kind="drop", times=1)
    with pytest.raises(_api_errors.ApiError, match=r"the connection broke.*Whether the change was made is not known; run this again"):
        dtr.post("repositories", "ops", body=REPOSITORY)


def test_a_redirect_is_not_followed(standin, dtr):
    """The credentials would go along."""
    elsewhere = {"Location": f"{standin.dtr_url}/api/v0/repositories"}
    standin.faults.add(match="GET /api/v0/repositories", kind="status", status=302, headers=elsewhere)
    with pytest.raises(_api_errors.ApiError, match=r"redirects to https://127\.0\.0\.1.*Give the option host the name under which"):
        dtr.get("repositories")


def test_a_server_with_another_authority_is_not_talked_to(standin, dtr):
    standin.faults.add(match="*", kind="wrong_ca")
    with pytest.raises(_api_errors.ApiError, match=r"certificate is not trusted.*ca_path"):
        dtr.get("repositories")
    assert standin.exchanges == []


def test_an_error_that_will_stay_is_not_repeated(standin, dtr):
    for _number in range(2):
        with pytest.raises(_api_errors.ApiError) as refused:
            dtr.get("repositories", "nobody", "nothing")
        assert (refused.value.status, refused.value.code) == (404, "NO_SUCH_REPOSITORY")


@pytest.mark.parametrize("name", ["..", ".", "", "../../accounts"])
def test_a_name_that_would_lead_elsewhere_is_never_sent(standin, dtr, name):
    for call in (lambda: dtr.delete("accounts", name, "x"), lambda: dtr.account("GET", name, "members")):
        with pytest.raises(_api_errors.ApiError, match=r"was not sent: an empty name, '\.' or '\.\.' stands in it"):
            call()
    assert standin.exchanges == []


@pytest.mark.parametrize(("asked", "pause"), [("7", 7), ("86400", 60), (None, None)])
def test_a_server_does_not_make_a_module_wait_for_ever(asked, pause):
    answer = mock.Mock(headers={"Retry-After": asked} if asked else {})
    assert _api_http.PatientRetry().get_retry_after(answer) == pause


def test_check_mode_stops_at_the_transport(standin, params):
    dtr = _dtr.connect(params, read_only=True)
    for write in (lambda: dtr.post("jobs", body={}), lambda: dtr.put("x"), lambda: dtr.patch("x"), lambda: dtr.delete("x")):
        with pytest.raises(_api_errors.WriteRefused):
            write()
    assert dtr.get("repositories") == {"repositories": []}
    assert standin.writes == []


def test_a_session_that_expired_is_renewed_once(standin, params):
    ucp = _ucp.connect({**params, "host": standin.ucp_host}, read_only=True)
    first = ucp.get("accounts", "admin")["name"]
    standin.faults.add(match="GET /accounts/admin", kind="status", status=401, times=1)
    assert ucp.get("accounts", "admin")["name"] == first == "admin"
    standin.faults.add(match="GET /accounts/admin", kind="status", status=401, times=5)
    with pytest.raises(_api_errors.ApiError, match="401"):
        ucp.get("accounts", "admin")


def test_requests_run_side_by_side_and_keep_their_order(dtr):
    both = threading.Barrier(4, timeout=5)
    assert dtr.http.each(lambda number: both.wait() >= 0 and number, range(4)) == [0, 1, 2, 3]


@pytest.mark.parametrize(("host", "url"), [
    ("registry", "https://registry"), (" registry.example.com:4443 ", "https://registry.example.com:4443"),
    ("10.0.0.1:443", "https://10.0.0.1:443"), ("[fd00::1]:443", "https://[fd00::1]:443"),
    ("https://registry", None), ("registry/", None), ("registry:0", None), ("registry:70000", None), ("", None), ("-a", None),
])
def test_an_address_is_a_name_with_an_optional_port(host, url):
    if url:
        assert _api_auth.base_url(host) == url
    else:
        with pytest.raises(_api_auth.InputError, match="is no address"):
            _api_auth.base_url(host)


@pytest.mark.parametrize(("options", "says"), [
    ({"ca_path": "/nowhere/ca.pem"}, "ca_path '/nowhere/ca.pem' cannot be read. Give a file"),
    ({"client_cert": "/nowhere/c.pem", "client_key": "/nowhere/k.pem"}, "client_cert '/nowhere/c.pem' cannot be read"),
    ({"timeout": 0}, "timeout 0 is out of range. Give a number from 1 to"), ({"timeout": 10**12}, "timeout 1000000000000 is out"),
    ({"retries": -1}, "retries -1 is out of range"), ({"threads": 0}, "threads 0 is out of range"),
])
@pytest.mark.parametrize("product", [_dtr, _ucp])
def test_options_that_cannot_be_meant_are_refused(params, product, options, says):
    with pytest.raises(_api_auth.InputError, match=says):
        product.connect({**params, **options}, read_only=True)


def test_a_file_without_certificates_is_told(params, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing\n")
    dtr = _dtr.connect({**params, "ca_path": str(tmp_path / "ca.pem")}, read_only=True)
    with pytest.raises(_api_errors.ApiError, match=r"repositories: the server's certificate is not trusted \(\[X509.* no certificate"):
        dtr.get("repositories")


def test_a_key_of_another_certificate_is_told(standin, params, tmp_path):
    pair = {"client_cert": str(standin.ca_file), "client_key": str(tmp_path / "key.pem")}
    (tmp_path / "key.pem").write_text(make("other").key_pem())
    dtr = _dtr.connect({**params, **pair}, read_only=True)
    with pytest.raises(_api_errors.ApiError, match=r"the client certificate cannot be used \(\[X509: KEY_VALUES_MISMATCH.* client_key"):
        dtr.get("repositories")


def test_credentials_are_demanded(params):
    with pytest.raises(_api_auth.InputError, match="no credentials"):
        _dtr.connect({**params, "password": None}, read_only=True)
    with pytest.raises(_api_auth.InputError, match="no credentials"):
        _ucp.connect({**params, "password": None}, read_only=True)


@pytest.mark.parametrize(("data", "told"), [
    ({"errors": [{"code": "NO_SUCH_TAG", "message": "no tag", "detail": "ops/base:1"}]}, ("NO_SUCH_TAG", "no tag (ops/base:1)")),
    ({"errors": [{"code": "NO_SUCH_TAG", "message": "no tag", "detail": {"a": 1}}]}, ("NO_SUCH_TAG", "no tag")),
    ({"message": "node not found"}, ("", "node not found")),
    ({"errors": []}, ("", "")), ({"errors": "x"}, ("", "")), ("<html>", ("", "")), (None, ("", "")), ([], ("", "")),
])
def test_every_shape_of_an_error_is_read(data, told):
    assert _api_errors.refusal(data) == told


@pytest.mark.parametrize(("text", "seconds"), [
    ("24h", 86400), ("24h0m0s", 86400), ("1.5h", 5400), ("90m", 5400), ("1h30m", 5400), ("0s", 0)])
def test_durations_compare_by_their_length(text, seconds):
    assert _dtr.canonical(text) == seconds


@pytest.mark.parametrize("value", ["", "5", "h", "1d", True, 3, None, "registry.example.com"])
def test_other_values_compare_as_they_are(value):
    assert _dtr.canonical(value) == value
