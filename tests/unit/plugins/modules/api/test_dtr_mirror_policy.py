# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from api_modules import ModuleFailed, run
from standin_fixture import REGISTRY_BINARY, running

from lab.images import image, layer, push

NAME = "dtr_mirror_policy"
SECRET = "s3cret-of-a-user"
HUB = {"repository": "web/shop", "direction": "poll", "remote_host": "https://index.docker.io", "remote_repository": "library/shop"}
SITE = {"repository": "web/shop", "direction": "push", "remote_host": "https://registry.example.org", "remote_repository": "web/shop"}
HUB_KEY = "web/shop <- https://index.docker.io/library/shop"
SITE_KEY = "web/shop -> https://registry.example.org/web/shop"
STABLE = {"field": "tag", "operator": "ew", "values": ["-stable"]}
SAME = ("changed", "changes", "counts", "diff", "undeclared")


@pytest.fixture
def shop(standin, run_module):
    """Two repositories."""
    standin.accounts.create({"name": "web", "isOrg": True})
    run_module("dtr_repository", repositories=[{"name": "web/shop"}, {"name": "web/site"}])
    standin.writes.clear()


@pytest.fixture
def remotes(standin, monkeypatch):
    """The other registries take everything; what the stand-in asked them for."""
    asked = []

    async def demand(policy, permission):
        asked.append((policy["remoteHost"], permission))

    async def remember(policy):
        return {}

    monkeypatch.setattr(standin.mirroring, "demand", demand)
    monkeypatch.setattr(standin.mirroring, "remember", remember)
    return asked


def pushes(standin, repository="web/shop"):
    return standin.mirroring.push.of(repository)


def polls(standin, repository="web/shop"):
    return standin.mirroring.poll.of(repository)


def test_created_then_left_alone(standin, run_module, shop, remotes):
    wanted = [{**SITE, "username": "mirror", "password": SECRET, "rules": [STABLE]}, HUB]
    planned = run_module(NAME, check=True, policies=wanted)
    assert not standin.writes
    made = run_module(NAME, policies=wanted)
    assert {key: planned[key] for key in SAME} == {key: made[key] for key in SAME}
    assert made["diff"] == {"before": {}, "after": {
        SITE_KEY: {
            **SITE, "username": "mirror", "password": "VALUE_HIDDEN", "remote_ca": "", "skip_tls_verification": False, "enabled": True,
            "rules": [STABLE], "tag_template": "%n"},
        HUB_KEY: {**HUB, "username": "", "remote_ca": "", "skip_tls_verification": False, "enabled": True}}}
    assert [(change["key"], change["action"]) for change in made["changes"]] == [(SITE_KEY, "created"), (HUB_KEY, "created")]
    assert [write.query for write in standin.writes] == [{"initialEvaluation": "false"}] * 2
    assert sorted(remotes) == [("https://index.docker.io", "read"), ("https://registry.example.org", "write")]
    assert {name: pushes(standin)[0][name] for name in ("username", "password", "authToken")} == {
        "username": "mirror", "password": SECRET, "authToken": ""}
    standin.writes.clear()
    again = run_module(NAME, policies=wanted)
    assert (again["changed"], again["counts"]["unchanged"], standin.writes) == (False, 2, [])


def test_spelling_of_the_other_side_does_not_matter(standin, run_module, shop, remotes):
    run_module(NAME, policies=[{**SITE, "remote_host": "Registry.example.ORG"}])
    assert pushes(standin)[0]["remoteHost"] == "https://registry.example.org"
    assert not run_module(NAME, policies=[{**SITE, "remote_host": "https://registry.example.org/"}])["changed"]


def test_only_what_differs_is_changed_and_credentials_go_with_it(standin, run_module, shop, remotes):
    login = {"username": "mirror", "password": SECRET}
    run_module(NAME, policies=[{**SITE, **login, "rules": [STABLE]}, {**HUB, **login}])
    standin.writes.clear()
    assert not run_module(NAME, policies=[SITE, HUB])["changed"]   # what is not declared stays
    changed = run_module(NAME, policies=[{**SITE, **login, "rules": []}, {**HUB, "enabled": False}])
    assert changed["changes"] == [
        {"key": SITE_KEY, "action": "updated", "fields": ["rules"]}, {"key": HUB_KEY, "action": "updated", "fields": ["enabled"]}]
    assert changed["diff"] == {
        "before": {SITE_KEY: {"rules": [STABLE]}, HUB_KEY: {"enabled": True}},
        "after": {SITE_KEY: {"rules": []}, HUB_KEY: {"enabled": False}}}
    bodies = {write.path.rsplit("/", 2)[1]: write.request for write in standin.writes}
    assert bodies == {
        "pushMirroringPolicies": {"rules": [], "username": "mirror", "password": SECRET, "authToken": ""},
        "pollMirroringPolicies": {"enabled": False}}
    queries = {write.path.rsplit("/", 2)[1]: write.query for write in standin.writes}
    assert queries == {"pushMirroringPolicies": {"initialEvaluation": "false"}, "pollMirroringPolicies": {}}   # polls have none
    assert (pushes(standin)[0]["rules"], polls(standin)[0]["enabled"], polls(standin)[0]["password"]) == ([], False, SECRET)


def test_a_password_cannot_be_compared(standin, run_module, shop, remotes):
    run_module(NAME, policies=[{**SITE, "username": "mirror", "password": SECRET}])
    standin.writes.clear()
    other = {**SITE, "username": "mirror", "token": "s3cret-of-a-user, the other"}
    assert not run_module(NAME, policies=[other])["changed"]
    changed = run_module(NAME, policies=[{**other, "update_password": "always"}])
    assert changed["changes"] == [{"key": SITE_KEY, "action": "updated", "fields": ["token"]}]
    assert changed["diff"] == {"before": {SITE_KEY: {}}, "after": {SITE_KEY: {"token": "VALUE_HIDDEN"}}}
    assert (pushes(standin)[0]["password"], pushes(standin)[0]["authToken"]) == ("", "s3cret-of-a-user, the other")


def test_deleted_and_gone_already(standin, run_module, shop, remotes):
    run_module(NAME, policies=[SITE, HUB])
    absent = [{**policy, "state": "absent"} for policy in (SITE, HUB, {**HUB, "repository": "web/never"})]
    assert run_module(NAME, policies=absent)["counts"] == {"created": 0, "updated": 0, "deleted": 2, "unchanged": 1}
    assert (pushes(standin), polls(standin)) == ([], [])
    standin.writes.clear()
    assert not run_module(NAME, policies=absent)["changed"]
    assert not standin.writes


def test_a_repetition_on_the_server_is_undeclared_and_absent_removes_all(standin, run_module, shop, remotes):
    run_module(NAME, policies=[SITE])
    standin.mirroring.push.create("web/shop", {name: value for name, value in pushes(standin)[0].items() if name != "id"})
    found = run_module(NAME, policies=[SITE])
    assert (found["changed"], found["undeclared"]) == (False, [f"{SITE_KEY} (duplicate 2)"])
    gone = run_module(NAME, policies=[{**SITE, "state": "absent"}])
    assert (gone["counts"]["deleted"], gone["undeclared"], pushes(standin)) == (1, [], [])


def test_undeclared_is_reported_and_removed_only_on_confirmation(standin, run_module, shop, remotes):
    run_module(NAME, policies=[SITE, HUB, {**HUB, "repository": "web/site"}])
    wanted = {"policies": [SITE]}
    others = [HUB_KEY, HUB_KEY.replace("shop", "site", 1)]
    assert run_module(NAME, **wanted)["undeclared"] == others[:1]
    assert run_module(NAME, **wanted, repositories=["web/site"])["undeclared"] == others
    standin.writes.clear()
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=rf"remove 2 .*{others[0]}, {others[1]}.*confirm_removal to '{standin.dtr_host}'"):
            run_module(NAME, check=check, **wanted, repositories=["*"], exclusive=True)
    assert not standin.writes
    removed = run_module(NAME, **wanted, repositories=["*"], exclusive=True, confirm_removal=standin.dtr_host)
    assert [(change["key"], change["action"]) for change in removed["changes"]] == [(key, "deleted") for key in others]
    assert (len(pushes(standin)), polls(standin), polls(standin, "web/site")) == (1, [], [])


def test_check_mode_plans_for_a_repository_that_does_not_exist_yet(standin, run_module, remotes):
    wanted = [{**SITE, "repository": "new/base"}]
    assert run_module(NAME, check=True, policies=wanted)["counts"]["created"] == 1
    with pytest.raises(ModuleFailed, match=r"mirror policy 'new/base -> .*': create failed: .*404.*NO_SUCH"):
        run_module(NAME, policies=wanted)


def test_the_other_side_has_to_take_the_credentials(standin, run_module, shop, tmp_path):
    """Two stand-ins: the second one is a real registry, with a certificate of its own authority."""
    if not REGISTRY_BINARY.exists():
        pytest.fail(f"{REGISTRY_BINARY} is missing: run make setup")
    with running(tmp_path / "remote", registry_binary=str(REGISTRY_BINARY)) as remote:
        remote.accounts.create({"name": "mirror", "password": SECRET})
        run("dtr_repository", {"host": remote.dtr_host, "username": "mirror", "password": SECRET, "ca_path": str(remote.ca_file),
                               "repositories": [{"name": "mirror/shop"}]})
        push(remote, "mirror/shop:1.0", image(layer({"a": b"b"})))
        with open(remote.ca_file, encoding="utf-8") as file:
            ca = file.read()
        policy = {**HUB, "remote_host": remote.dtr_url, "remote_repository": "mirror/shop", "username": "mirror"}
        wrong = {**policy, "password": "S3-SECRET-KEY", "remote_ca": ca}
        with pytest.raises(ModuleFailed, match=r"REMOTE_REGISTRY_INVALID_PERMISSIONS.* right to read mirror/shop there: check username"):
            run_module(NAME, policies=[wrong])
        with pytest.raises(ModuleFailed, match=r"REMOTE_REGISTRY_INVALID_PERMISSIONS.*remote_ca"):
            run_module(NAME, policies=[{**policy, "password": SECRET}])
        assert not polls(standin)
        right = {**wrong, "password": SECRET}
        assert run_module(NAME, policies=[right])["counts"]["created"] == 1
        assert polls(standin)[0]["seen"] == {"1.0": remote.tags.find("mirror", "shop", "1.0")["digest"]}
        assert not run_module(NAME, policies=[right])["changed"]


def test_a_failure_half_way_tells_what_was_done(standin, run_module, shop, remotes):
    standin.faults.add(match="POST /api/v0/repositories/*", kind="status", status=500, times=1, after=1)
    wanted = [{**SITE, "remote_repository": name} for name in ("aa", "bb", "cc")]
    with pytest.raises(ModuleFailed, match="1 of 3 changes were made; when the cause is mended, run this again") as failed:
        run_module(NAME, policies=wanted, threads=1)
    assert [change["key"] for change in failed.value.result["changes"]] == ["web/shop -> https://registry.example.org/aa"]
    assert run_module(NAME, policies=wanted)["counts"] == {"created": 2, "updated": 0, "deleted": 0, "unchanged": 1}


def test_without_the_right_nothing_changes(standin, run_module, shop, remotes):
    standin.accounts.create({"name": "mallory", "password": SECRET})
    run_module("dtr_repository", repositories=[{"name": "web/shop", "visibility": "public"}])
    with pytest.raises(ModuleFailed, match=r"403 \(NOT_AUTHORIZED.*'mallory' may not do this"):
        run_module(NAME, policies=[SITE], username="mallory", password=SECRET)
    assert not pushes(standin)


@pytest.mark.parametrize(("policy", "says"), [
    ({**SITE, "repository": "shop"}, "'shop' is no repository. Give namespace/name"),
    ({**SITE, "remote_host": "https://mirror:s3cret-of-a-user@registry.example.org"}, "remote_host is no address of a registry"),
    ({**SITE, "remote_host": "https://registry.example.org/v2"}, "remote_host is no address"),
    ({**SITE, "remote_repository": "Web Shop"}, "remote_repository 'Web Shop' is no repository"),
    ({**SITE, "password": SECRET, "token": SECRET}, "both password and token are given. Keep one of them"),
    ({**SITE, "remote_ca": "/etc/ssl/ca.pem"}, "remote_ca has to be the text of a certificate, PEM"),
    ({**SITE, "tag_template": "%%"}, "tag_template '%%' has the unknown symbol '%%'"),
    ({**SITE, "rules": [{**STABLE, "operator": "gt"}]}, "a rule on tag cannot have the operator 'gt'"),
    ({**HUB, "rules": [STABLE]}, "rules do not go with the direction poll, which fetches all tags. Leave that out"),
    ({**HUB, "direction": "pull"}, "value of direction must be one of: push, poll"),
])
def test_bad_input_changes_nothing(standin, run_module, shop, policy, says):
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=says) as failed:
            run_module(NAME, check=check, policies=[policy])
        assert SECRET not in failed.value.result["msg"]
    assert not standin.writes


def test_twice_the_same_is_refused(standin, run_module, shop):
    with pytest.raises(ModuleFailed, match=rf"policies\[0\] and policies\[1\] both stand for '{SITE_KEY}'"):
        run_module(NAME, policies=[SITE, {**SITE, "remote_host": "registry.example.org"}])


def test_failures(fails):
    fails(NAME, policies=[SITE])
