# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import stat
import subprocess

import pytest
import requests
from api_modules import ModuleFailed
from standin.tls import Authority

NAME = "ucp_client_bundle"


@pytest.fixture
def dest(tmp_path):
    return tmp_path / "bundle"


def another(dest):
    """A CA that UCP does not know."""
    return Authority(dest.parent, "Another")


def keys(standin, name="admin"):
    """Public keys of an account."""
    return [key["publicKey"].strip() for key in standin.store.all("public_key") if key["account"] == name]


def downloads(standin):
    """How many bundles were handed out."""
    return [exchange.path for exchange in standin.exchanges].count("/api/clientbundle")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_downloaded_then_kept(standin, run_module, dest):
    planned = run_module(NAME, check=True, dest=str(dest))
    assert (planned["changed"], planned["reason"], planned["not_after"]) == (True, "ca.pem, cert.pem, key.pem missing", None)
    assert (dest.exists(), downloads(standin), standin.writes) == (False, 0, [])
    made = run_module(NAME, dest=str(dest))
    assert (made["changed"], made["user"], made["diff"]) == (True, "admin", planned["diff"])
    assert mode(dest) == 0o700
    assert {mode(path) for path in dest.iterdir()} == {0o600}
    assert keys(standin) == [(dest / "cert.pub").read_text().strip()]
    again = run_module(NAME, dest=str(dest))
    assert (again["changed"], again["reason"], again["not_after"]) == (False, "", made["not_after"])
    assert (downloads(standin), standin.writes) == (1, [])


def test_it_signs_in_and_its_script_can_be_sourced(standin, run_module, dest):
    run_module(NAME, dest=str(dest))
    with requests.Session() as session:
        session.trust_env = False
        session.verify, session.cert = str(dest / "ca.pem"), (str(dest / "cert.pem"), str(dest / "key.pem"))
        assert session.get(f"{standin.ucp_url}/id/", timeout=10).json()["name"] == "admin"
    script = 'source "$1/env.sh" && echo "$DOCKER_HOST $DOCKER_CERT_PATH"'
    shown = subprocess.run(["bash", "-c", script, "bash", str(dest)], capture_output=True, text=True, check=True).stdout
    assert shown.split() == [f"tcp://{standin.ucp_host}", str(dest)]


@pytest.mark.parametrize(("harm", "reason"), [
    (lambda dest: (dest / "key.pem").unlink(), "key.pem missing"),
    (lambda dest: (dest / "cert.pem").write_text("nothing"), "CA or certificate cannot be read"),
    (lambda dest: (dest / "key.pem").write_text("nothing"), "CA or certificate cannot be read"),
    (lambda dest: (dest / "key.pem").write_bytes(another(dest).issue("x", [])[1]), "CA or certificate cannot be read, or the key is that"),
    (lambda dest: (dest / "ca.pem").write_text("nothing"), "CA or certificate cannot be read"),
    (lambda dest: (dest / "ca.pem").write_text(another(dest).pem), "UCP does not let it in"),
])
def test_a_damaged_bundle_is_renewed_and_the_old_key_revoked(standin, run_module, dest, harm, reason):
    run_module(NAME, dest=str(dest))
    before = keys(standin)
    harm(dest)
    renewed = run_module(NAME, dest=str(dest))
    assert renewed["reason"].startswith(reason)
    after = keys(standin)
    assert len(after) == 1
    assert after != before
    assert not run_module(NAME, dest=str(dest))["changed"]


def test_renewed_before_it_ends(standin, run_module, dest):
    first = run_module(NAME, dest=str(dest))
    assert not run_module(NAME, dest=str(dest), renew_before=700)["changed"]
    assert run_module(NAME, dest=str(dest), renew_before=731)["reason"] == f"its certificate ends at {first['not_after']}"


def test_renewed_when_its_key_was_removed(standin, run_module, dest):
    run_module(NAME, dest=str(dest))
    for key, _doc in standin.store.items("public_key"):
        standin.store.delete("public_key", key)
    renewed = run_module(NAME, dest=str(dest))
    assert "401" in renewed["reason"]
    assert any("is not among those of admin" in str(warning) for warning in renewed["warnings"])
    assert not run_module(NAME, dest=str(dest))["changed"]


def test_renewed_for_another_user(standin, run_module, dest):
    run_module(NAME, dest=str(dest))
    standin.accounts.create({"name": "ann", "password": "s3cret-of-a-user"})
    renewed = run_module(NAME, dest=str(dest), username="ann", password="s3cret-of-a-user")
    assert (renewed["reason"], renewed["user"]) == ("it belongs to admin", "ann")
    assert (len(keys(standin)), len(keys(standin, "ann"))) == (1, 1)   # the administrator's may live on elsewhere


def test_the_previous_key_stays_when_told_so(standin, run_module, dest):
    run_module(NAME, dest=str(dest))
    run_module(NAME, dest=str(dest), renew_before=1000, revoke_previous=False)
    assert len(keys(standin)) == 2


def test_files_that_others_can_open_are_closed(standin, run_module, dest):
    run_module(NAME, dest=str(dest))
    dest.chmod(0o755)
    (dest / "key.pem").chmod(0o644)
    planned = run_module(NAME, check=True, dest=str(dest))
    assert mode(dest / "key.pem") == 0o644
    closed = run_module(NAME, dest=str(dest))
    assert closed["diff"] == planned["diff"] == {
        "before": {"bundle": "", "open to others": [str(dest), str(dest / "key.pem")]}, "after": {"bundle": "", "open to others": []}}
    assert (mode(dest), mode(dest / "key.pem"), downloads(standin)) == (0o700, 0o600, 1)
    assert any("If it was read, run once with renew_before" in str(warning) for warning in closed["warnings"])


def test_other_files_stay(run_module, dest):
    dest.mkdir()
    (dest / "notes.txt").write_text("mine")
    run_module(NAME, dest=str(dest))
    assert (dest / "notes.txt").read_text() == "mine"


def test_a_bundle_that_does_not_sign_in_is_an_error(standin, run_module, dest, monkeypatch):
    monkeypatch.setattr(type(standin.accounts), "add_public_key", lambda *_: None)
    with pytest.raises(ModuleFailed, match=r"the new client bundle in .* is of no use: UCP does not let it in"):
        run_module(NAME, dest=str(dest))


def test_a_place_that_cannot_be(run_module, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModuleFailed, match="is no folder"):
        run_module(NAME, dest=str(tmp_path / "file"))
    with pytest.raises(ModuleFailed, match=r"cannot be written to .*/file/below"):
        run_module(NAME, dest=str(tmp_path / "file/below"))


def test_a_session_that_ends_on_the_way_is_renewed(standin, run_module, dest):
    standin.faults.add(match="GET /api/clientbundle", kind="expire_token", times=1)
    assert run_module(NAME, dest=str(dest))["changed"]
    standin.shift = datetime.timedelta(days=1)
    assert not run_module(NAME, dest=str(dest))["changed"]


def test_failures(fails, dest):
    fails(NAME, dest=str(dest))
    assert not dest.exists()
