# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
import stat

import pytest
import requests
from ansible_collections.dockyard.trusted_registry.plugins.modules import dtr_api_token
from api_modules import ModuleFailed

NAME = "dtr_api_token"
SECRET = "s3cret-of-a-user"


@pytest.fixture
def build(standin, tmp_path):
    """The declaration of a token of the user ci."""
    standin.accounts.create({"name": "ci", "password": SECRET})
    return {"label": "build servers", "user": "ci", "dest": str(tmp_path / "token")}


@pytest.fixture
def accepted(standin):
    """accepted(user, token): whether the registry takes the token in place of the user's password."""
    return lambda user, token: requests.get(f"{standin.dtr_url}/basic_info", auth=(user, token), verify=standin.ca_file, timeout=10).ok


def content(file):
    with open(file, encoding="utf-8") as stream:
        return stream.read()


def labels(standin, user="ci"):
    return sorted(token["tokenLabel"] for token in standin.store.all("token") if token["username"] == user)


def test_created_then_left_alone(standin, run_module, build, accepted):
    planned = run_module(NAME, check=True, tokens=[build])
    assert not standin.writes
    assert not os.path.exists(build["dest"])
    made = run_module(NAME, tokens=[build])
    assert {key: planned[key] for key in ("changed", "changes", "counts", "diff")} == {
        key: made[key] for key in ("changed", "changes", "counts", "diff")}
    assert made["changes"] == [{"key": "ci/build servers", "action": "created", "fields": ["active", "token"]}]
    assert made["diff"] == {"before": {}, "after": {"ci/build servers": {"active": True, "token": "VALUE_HIDDEN"}}}
    token = content(build["dest"])
    assert accepted("ci", token)
    assert token not in json.dumps(made)
    assert stat.S_IMODE(os.stat(build["dest"]).st_mode) == 0o600
    assert os.listdir(os.path.dirname(build["dest"])).count("token") == 1
    assert not [name for name in os.listdir(os.path.dirname(build["dest"])) if name.startswith(".token-")]
    standin.writes.clear()
    again = run_module(NAME, tokens=[build])
    assert (again["changed"], again["counts"]["unchanged"], standin.writes, content(build["dest"])) == (False, 1, [], token)


def test_deactivated_and_activated(standin, run_module, build, accepted):
    run_module(NAME, tokens=[{**build, "active": False}])
    token = content(build["dest"])
    assert not accepted("ci", token)
    standin.writes.clear()
    changed = run_module(NAME, tokens=[{**build, "active": True, "dest": None}])
    assert changed["diff"] == {"before": {"ci/build servers": {"active": False}}, "after": {"ci/build servers": {"active": True}}}
    assert len(standin.writes) == 1
    assert accepted("ci", token)


def test_renewed(standin, run_module, build, accepted):
    run_module(NAME, tokens=[build])
    old = content(build["dest"])
    planned = run_module(NAME, check=True, tokens=[{**build, "renew": True}])
    assert content(build["dest"]) == old
    changed = run_module(NAME, tokens=[{**build, "renew": True}])
    assert changed["diff"] == {"before": {"ci/build servers": {}}, "after": {"ci/build servers": {"token": "VALUE_HIDDEN"}}}
    assert planned["diff"] == changed["diff"]
    assert not accepted("ci", old)
    assert accepted("ci", content(build["dest"]))
    assert labels(standin) == ["build servers"]


def test_a_lost_file_is_told_and_mended_by_renew(standin, run_module, build, accepted):
    run_module(NAME, tokens=[build])
    os.unlink(build["dest"])
    standin.writes.clear()
    says = rf"'ci/build servers' exists, but its file {build['dest']} does not.*renew to true"
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, tokens=[build])
    checked = run_module(NAME, check=True, tokens=[build])   # it may run where the files are not
    assert checked["changed"] is False
    assert re.search(says, json.dumps(checked["warnings"]))
    assert not standin.writes
    run_module(NAME, tokens=[{**build, "renew": True}])
    assert accepted("ci", content(build["dest"]))


def test_several_with_one_label(standin, run_module, build, accepted):
    for number in range(2):
        standin.tokens.create({"name": "ci"}, "build servers", f"browser {number}")
    with pytest.raises(ModuleFailed, match="'ci/build servers': there are 2 with this label"):
        run_module(NAME, tokens=[build])
    run_module(NAME, tokens=[{**build, "renew": True}])
    assert labels(standin) == ["build servers"]
    assert accepted("ci", content(build["dest"]))
    standin.tokens.create({"name": "ci"}, "build servers", "browser")
    assert run_module(NAME, tokens=[{**build, "state": "absent"}])["counts"]["deleted"] == 1
    assert labels(standin) == []


def test_deleted_and_gone_already(standin, run_module, build):
    run_module(NAME, tokens=[build])
    gone = run_module(NAME, tokens=[{**build, "state": "absent"}, {**build, "label": "never", "state": "absent"}])
    assert gone["counts"] == {"created": 0, "updated": 0, "deleted": 1, "unchanged": 1}
    assert (labels(standin), os.path.exists(build["dest"])) == ([], True)


def test_undeclared_is_reported_and_removed_only_on_confirmation(standin, run_module, build):
    for label in ("laptop", "a/b", "laptop"):
        standin.tokens.create({"name": "ci"}, label, "browser")
    standin.tokens.create({"name": "admin"}, "of another user", "browser")
    run_module(NAME, tokens=[build])
    wanted = {"tokens": [build]}
    assert run_module(NAME, **wanted)["undeclared"] == ["ci/a/b", "ci/laptop"]
    assert run_module(NAME, **wanted, users=["admin"])["undeclared"] == ["admin/of another user", "ci/a/b", "ci/laptop"]
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=rf"remove 2 .*ci/a/b, ci/laptop.*confirm_removal to '{standin.dtr_host}'"):
            run_module(NAME, check=check, **wanted, exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, exclusive=True, confirm_removal=standin.dtr_host)
    assert removed["counts"]["deleted"] == 2
    assert (labels(standin), labels(standin, "admin")) == (["build servers"], ["of another user"])


def test_exclusive_does_not_saw_off_the_branch(standin, run_module, build):
    token, _kept = standin.tokens.create({"name": "ci"}, "of this connection", "browser")
    run_module(NAME, tokens=[build])
    standin.writes.clear()
    with pytest.raises(ModuleFailed, match="would remove ci/of this connection, and one of them may be the token"):
        run_module(NAME, tokens=[build], username="ci", password=None, token=token, exclusive=True, confirm_removal=standin.dtr_host)
    assert not standin.writes
    declared = [build, {"label": "of this connection"}]   # by default of the account that makes the requests
    assert run_module(NAME, tokens=declared, username="ci", password=None, token=token, exclusive=True)["counts"]["unchanged"] == 2


def test_every_page_is_read(standin, run_module, build, monkeypatch):
    for number in range(23):
        standin.tokens.create({"name": "ci"}, f"t{number:02}", "browser")
    wanted = [{"label": f"t{number:02}", "user": "ci"} for number in range(23)]
    monkeypatch.setattr("ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr.PAGE", 5)
    assert run_module(NAME, tokens=wanted)["counts"]["unchanged"] == 23


def test_a_token_that_cannot_be_written_does_not_stay(standin, run_module, build, monkeypatch):
    def full(file, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dtr_api_token, "write", full)
    with pytest.raises(ModuleFailed, match=r"No space left on device\). The new token was deleted again.*0 of 1 changes were made"):
        run_module(NAME, tokens=[build])
    assert labels(standin) == []


def test_the_file_of_another_token_is_not_overwritten(standin, run_module, build):
    run_module(NAME, tokens=[build])
    standin.writes.clear()
    with pytest.raises(ModuleFailed, match="'ci/build servers' and 'ci/laptop' have the same dest"):
        run_module(NAME, tokens=[build, {**build, "label": "laptop"}])
    assert not standin.writes


def test_check_mode_does_not_need_the_folder_or_the_user(run_module, build, tmp_path):
    wanted = [{**build, "dest": str(tmp_path / "new" / "token")}, {"label": "x", "user": "new", "dest": str(tmp_path / "x")}]
    assert run_module(NAME, check=True, tokens=wanted)["counts"]["created"] == 2


def test_a_renewal_that_fails_half_way_is_told_as_a_change(standin, run_module, build):
    run_module(NAME, tokens=[build])
    standin.faults.add(match="DELETE /api/v0/api_tokens/*", kind="status", status=500)
    with pytest.raises(ModuleFailed, match=r"update failed: DELETE .* answered 500") as failed:
        run_module(NAME, tokens=[{**build, "renew": True}])
    assert (failed.value.result["changed"], failed.value.result["changes"]) == (True, [])
    with pytest.raises(ModuleFailed, match="there are 2 with this label") as failed:
        run_module(NAME, tokens=[build])
    assert failed.value.result["changed"] is False


def test_without_the_right_nothing_changes(standin, run_module, build):
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'ci' may not do this"):
        run_module(NAME, tokens=[{**build, "user": "admin"}], username="ci", password=SECRET)
    assert (standin.writes, os.path.exists(build["dest"])) == ([], False)


@pytest.mark.parametrize(("wanted", "says"), [
    ([{"label": "x", "user": "ci"}], "'ci/x' does not exist yet, and a new one needs dest"),
    ([{"label": "x", "user": "ci", "renew": True}], "'ci/x': renew needs dest"),
    ([{"label": " "}], "tokens of 'admin': a label is empty"),
    ([{"label": "x", "user": "ops/ci"}], "user 'ops/ci': this cannot be a name"),
    ([{"label": "x", "dest": "/nowhere/to/be/found"}], "'admin/x': /nowhere/to/be/found cannot be written"),
    ([{"label": "x", "dest": "/tmp"}], "'admin/x': /tmp cannot be written"),
    ([{"label": "x", "dest": "/tmp/t"}, {"label": "y", "dest": "/tmp/t"}], "'admin/x' and 'admin/y' have the same dest /tmp/t"),
    ([{"label": "x", "dest": "/tmp/t"}, {"label": "y", "dest": "/tmp/../tmp/t"}], "'admin/x' and 'admin/y' have the same dest /tmp/t"),
    ([{"label": "x"}, {"label": "y"}, {"label": "x", "user": "admin"}], r"tokens\[0\] and tokens\[2\] both stand for 'admin/x'"),
])
def test_bad_input_changes_nothing(standin, run_module, build, wanted, says):
    with pytest.raises(ModuleFailed, match=says):
        run_module(NAME, tokens=wanted)
    assert not standin.writes


def test_failures(fails, tmp_path):
    fails(NAME, tokens=[{"label": "x", "dest": str(tmp_path / "token")}])
    assert not (tmp_path / "token").exists()
