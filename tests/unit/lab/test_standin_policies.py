# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pruning, promotion and mirroring in the stand-in; the mirrors are second stand-ins and plain registries, over their own protocol."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from datetime import timedelta

import images
import pytest
import requests
from standin_fixture import PASSWORD, REGISTRY_BINARY, Client, running
from waiting import wait_for

NEVER = "0001-01-01T00:00:00Z"
BASE, TARGET = "/api/v0/repositories/ops/base", "/api/v0/repositories/ops/stable"
STABLE = {"field": "tag", "operator": "ew", "values": ["-stable"]}


def old(age: str) -> dict:
    return {"field": "updated_at_duration", "operator": "bf", "values": [age]}


def tags(dtr, path: str = BASE) -> list[str]:
    return [tag["name"] for tag in dtr("GET", f"{path}/tags?pageSize=100").json()]


def prepare(dtr) -> None:
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ops", "isOrg": True})
    for name in ("base", "stable"):
        dtr("POST", "/api/v0/repositories/ops", 201, json={"name": name})


@pytest.fixture
def place(standin, dtr):
    prepare(dtr)
    return standin


def job_ended(dtr, action: str, count: int = 1) -> list[dict]:
    def look():
        jobs = dtr("GET", f"/api/v0/jobs?action={action}").json()["jobs"]
        return jobs if len(jobs) == count and all(job["status"] in ("done", "errored") for job in jobs) else None
    return wait_for(look)


# -- pruning


def pruning(dtr, *rules: dict, initial: str = "true", status: int = 201, enabled: bool = True) -> dict:
    body = {"enabled": enabled, "rules": list(rules)}
    return dtr("POST", f"{BASE}/pruningPolicies?initialEvaluation={initial}", status, json=body).json()


def test_pruning_now(place, dtr):
    for tag in ("1-stable", "2-stable", "1-test"):
        images.plant(place, f"ops/base:{tag}")
    policy = pruning(dtr, STABLE)
    assert policy["repository"] == "ops/base" and policy["enabled"] and policy["lastPrunedAt"]
    assert tags(dtr) == ["1-test"]
    assert dtr("GET", f"{BASE}/pruningPolicies/{policy['id']}").json() == policy
    assert dtr("GET", f"{BASE}/pruningPolicies?count=true").headers["X-Resource-Count"] == "1"


def test_pruning_future_tags_only(place, dtr):
    images.plant(place, "ops/base:1-stable")
    policy = pruning(dtr, STABLE, initial="false")
    assert policy["lastPrunedAt"] == ""
    images.plant(place, "ops/base:2-stable")
    dtr("POST", "/api/v0/jobs", 202, json={"action": "tag_pruning"})
    job_ended(dtr, "tag_pruning")
    assert tags(dtr) == ["1-stable"]


def test_pruning_every_quarter_of_an_hour(place, dtr):
    dtr("POST", "/api/v0/crons", 202, json={"action": "tag_pruning", "schedule": "0 */15 * * * *"})
    images.plant(place, "ops/base:1.0")
    pruning(dtr, old("12h"))
    pruning(dtr, STABLE, enabled=False)
    assert tags(dtr) == ["1.0"]
    place.shift = timedelta(hours=13)
    images.plant(place, "ops/base:2.0-stable")
    job_ended(dtr, "tag_pruning")
    assert tags(dtr) == ["2.0-stable"]


def test_pruning_is_tried_out(place, dtr):
    for number in range(3):
        images.plant(place, f"ops/base:{number}-stable")
    images.plant(place, "ops/base:latest")
    answer = dtr("POST", f"{BASE}/pruningPolicies/test?pageSize=2&count=true", 200, json={"enabled": True, "rules": [STABLE]})
    assert [tag["name"] for tag in answer.json()] == ["0-stable", "1-stable"]
    assert (answer.headers["X-Next-Page-Start"], answer.headers["X-Resource-Count"]) == ("2-stable", "3")
    assert len(tags(dtr)) == 4


def test_pruning_policies_change_and_go(place, dtr):
    policy = pruning(dtr, STABLE)
    path = f"{BASE}/pruningPolicies/{policy['id']}"
    images.plant(place, "ops/base:1.0")
    rule = {"field": "tag", "operator": "eq", "values": ["1.0"]}
    assert dtr("PUT", f"{path}?initialEvaluation=false", 200, json={"rules": [rule]}).json()["rules"] == [rule]
    assert tags(dtr) == ["1.0"]
    assert dtr("PUT", path, 200, json={"enabled": True}).json()["rules"] == [rule]
    assert tags(dtr) == []
    dtr("DELETE", path, 204)
    assert dtr("DELETE", path, 404).json()["errors"][0]["code"] == "NO_SUCH_PRUNING_POLICY"
    dtr("GET", path, 404)


def test_pruning_leaves_signed_tags_alone(place, dtr):
    for tag in ("1-stable", "2-stable"):
        images.plant(place, f"ops/base:{tag}")
    place.tags.sign("ops", "base", "1-stable")
    pruning(dtr, STABLE)
    assert tags(dtr) == ["1-stable"]


@pytest.mark.parametrize("rules", [
    [], [{**STABLE, "operator": "gt"}], [old("3 days")], [{"field": "size", "operator": "gt", "values": ["1"]}],
])
def test_pruning_policies_that_are_refused(place, dtr, rules):
    assert pruning(dtr, *rules, status=404)["errors"][0]["code"] == "INVALID_PRUNING_POLICY"
    assert dtr("GET", f"{BASE}/pruningPolicies").json() == []


def test_policies_go_with_their_repository(place, dtr):
    pruning(dtr, STABLE)
    promotion(dtr)
    dtr("DELETE", BASE, 204)
    dtr("POST", "/api/v0/repositories/ops", 201, json={"name": "base"})
    for kind in ("pruningPolicies", "promotionPolicies"):
        assert dtr("GET", f"{BASE}/{kind}").json() == []


# -- promotion


def promotion(dtr, *rules: dict, initial: str = "true", status: int = 201, **more) -> dict:
    body = {"enabled": True, "rules": list(rules), "tagTemplate": "%n", "targetRepository": "ops/stable", **more}
    return dtr("POST", f"{BASE}/promotionPolicies?initialEvaluation={initial}", status, json=body).json()


def test_promotion_of_what_is_there_and_what_comes(place, dtr):
    digest = images.plant(place, "ops/base:1-stable")
    images.plant(place, "ops/base:1-test")
    policy = promotion(dtr, STABLE, tagTemplate="r-%n")
    assert policy["sourceRepository"] == "ops/base" and policy["lastPromotedAt"] != NEVER
    assert tags(dtr, TARGET) == ["r-1-stable"]
    images.plant(place, "ops/base:2-stable")
    images.plant(place, "ops/base:2-test")
    assert tags(dtr, TARGET) == ["r-1-stable", "r-2-stable"]
    promoted = dtr("GET", f"{TARGET}/tags/r-1-stable").json()[0]
    assert promoted["digest"] == digest
    assert promoted["promotion"] == {
        "promotionPolicyID": policy["id"], "sourceRepository": "ops/base", "sourceTag": "1-stable", "string": "",
    }


def test_promotion_from_now_on(place, dtr):
    images.plant(place, "ops/base:1.0")
    policy = promotion(dtr, initial="false")
    assert policy["lastPromotedAt"] == NEVER and tags(dtr, TARGET) == []
    images.plant(place, "ops/base:2.0")
    assert tags(dtr, TARGET) == ["2.0"]
    dtr("PUT", f"{BASE}/promotionPolicies/{policy['id']}?initialEvaluation=false", 200, json={"enabled": False})
    images.plant(place, "ops/base:3.0")
    assert tags(dtr, TARGET) == ["2.0"]


def test_promotion_policies_seen_from_both_sides(place, dtr):
    policy = promotion(dtr, STABLE)
    assert dtr("GET", f"{BASE}/promotionPolicies").json() == [policy]
    assert dtr("GET", f"{BASE}/promotionPolicies?source=false").json() == []
    assert dtr("GET", f"{TARGET}/promotionPolicies?source=false").json() == [policy]
    assert dtr("GET", f"{TARGET}/promotionPolicies/{policy['id']}").json() == policy
    dtr("DELETE", f"{TARGET}/promotionPolicies/{policy['id']}", 204)
    dtr("GET", f"{BASE}/promotionPolicies/{policy['id']}", 404)


@pytest.mark.parametrize("more", [
    {"rules": [{**STABLE, "operator": "gt"}]}, {"tagTemplate": "%q"}, {"targetRepository": "ops/nowhere"}, {"targetRepository": "stable"},
])
def test_promotion_policies_that_are_refused(place, dtr, more):
    assert promotion(dtr, status=400, **more)["errors"][0]["code"] == "INVALID_PROMOTION_POLICY"


def test_what_cannot_be_promoted_is_an_event(place, dtr):
    dtr("PATCH", TARGET, 200, json={"immutableTags": True})
    images.plant(place, "ops/stable:1.0")
    promotion(dtr, tagTemplate="1.0")
    images.plant(place, "ops/base:other")
    [event] = dtr("GET", f"{BASE}/events?eventType=FAIL").json()["events"]
    assert "immutable" in event["object"]["content"]


def test_promotion_by_hand_and_rights(place, dtr, dtr_as):
    for name in ("ann", "bob"):
        dtr("POST", "/enzi/v0/accounts/", 201, json={"name": name, "password": PASSWORD, "isActive": True})
    dtr("POST", "/api/v0/repositories/ann", 201, json={"name": "own"})
    dtr("PATCH", BASE, 200, json={"visibility": "public", "immutableTags": False})
    images.plant(place, "ops/base:1.0")
    path, body = f"{BASE}/tags/1.0/promotion", {"targetRepository": "ann/own", "targetTag": "mine"}
    made = dtr_as("ann")("POST", path, 201, json=body).json()
    assert (made["sourceRepository"], made["sourceTag"], made["promotionPolicyID"]) == ("ops/base", "1.0", "")
    assert tags(dtr, "/api/v0/repositories/ann/own") == ["mine"]
    dtr_as("bob")("POST", path, 404, json=body)      # bob does not see the target
    dtr_as("ann")("POST", f"{BASE}/tags/9.9/promotion", 404, json=body)
    bad = dtr_as("ann")("POST", path, 400, json={**body, "targetTag": "a b"}).json()
    assert bad["errors"][0]["code"] == "INVALID_TAG_NAME"
    policy = {"enabled": True, "rules": [], "tagTemplate": "", "targetRepository": "ops/stable"}
    dtr_as("ann")("POST", f"{BASE}/promotionPolicies", 403, json=policy)


# -- mirroring


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two stand-ins with real registries behind them: (standin, client) of the near one and of the far one."""
    if not REGISTRY_BINARY.exists():
        pytest.fail(f"{REGISTRY_BINARY} is missing: run make setup")
    folder, options = tmp_path_factory.mktemp("pair"), {"registry_binary": str(REGISTRY_BINARY)}
    with running(folder / "near", **options) as near, running(folder / "far", **options) as far:
        clients = [Client(side.dtr_url, side.ca_file, side.admin[0]) for side in (near, far)]
        for client in clients:
            prepare(client)
        yield (near, clients[0]), (far, clients[1])


def remote(side, repository: str, **more) -> dict:
    return {
        "remoteHost": side.dtr_url, "remoteRepository": repository, "username": "admin", "password": PASSWORD, "authToken": "",
        "remoteCA": side.authority.pem, "skipTLSVerification": False, **more,
    }


def fresh(clients, name: str) -> str:
    """A repository of that name on both sides; its path in the API."""
    for client in clients:
        client("POST", "/api/v0/repositories/ops", 201, json={"name": name})
    return f"/api/v0/repositories/ops/{name}"


def test_push_mirroring(pair):
    (near, dtr), (far, other) = pair
    path = fresh((dtr, other), "pushed")
    shared = images.layer({"shared": b"shared"})
    images.push(near, "ops/pushed:1-stable", images.image(shared, images.layer({"one": b"1"})))
    body = {**remote(far, "ops/pushed"), "enabled": True, "rules": [STABLE], "tagTemplate": "copy-of-%n"}
    policy = dtr("POST", f"{path}/pushMirroringPolicies", 201, json=body).json()
    assert "password" not in policy and "authToken" not in policy and policy["username"] == "admin"
    both = images.index(images.image(shared), images.image(shared, architecture="arm64"))
    digest = images.push(near, "ops/pushed:2-stable", both)
    images.push(near, "ops/pushed:2-test", images.image(shared))
    assert {job["status"] for job in job_ended(dtr, "push_mirror_tag", 2)} == {"done"}
    assert tags(other, path) == ["copy-of-1-stable", "copy-of-2-stable"]
    reader = images.Session(far, "ops/pushed", far.admin)
    assert reader("GET", "manifests/copy-of-2-stable", 200, headers={"Accept": both.media_type}).headers["Docker-Content-Digest"] == digest
    assert reader.pull("copy-of-1-stable") == 3
    status = dtr("GET", f"{path}/pushMirroringPolicies/{policy['id']}").json()
    assert status["lastStatus"]["code"] == "SUCCESS" and status["lastMirroredAt"]


def test_push_mirroring_that_fails_says_why(pair):
    (near, dtr), (far, other) = pair
    path = fresh((dtr, other), "failing")
    body = {**remote(far, "ops/failing"), "enabled": True, "rules": [], "tagTemplate": ""}
    policy = dtr("POST", f"{path}/pushMirroringPolicies?initialEvaluation=false", 201, json=body).json()
    other("DELETE", path, 204)
    images.push(near, "ops/failing:1.0", images.image(images.layer({"x": b"x"})))
    wait_for(lambda: dtr("GET", f"{path}/pushMirroringPolicies/{policy['id']}").json()["lastStatus"]["code"] == "FAILURE")
    shown = dtr("GET", f"{path}/pushMirroringPolicies/{policy['id']}").json()
    assert shown["lastStatus"]["detail"].startswith(("HEAD", "POST", far.dtr_url)) and shown["lastMirroredAt"] == ""


def test_poll_mirroring(pair):
    (near, dtr), (far, other) = pair
    path = fresh((dtr, other), "polled")
    first = images.push(far, "ops/polled:1.0", images.image(images.layer({"one": b"1"})))
    body = {**remote(far, "ops/polled"), "enabled": True}
    policy = dtr("POST", f"{path}/pollMirroringPolicies", 201, json=body).json()
    wait_for(lambda: tags(dtr, path) == ["1.0"])
    images.push(far, "ops/polled:2.0", images.image(images.layer({"two": b"2"})))
    dtr("POST", "/api/v0/jobs", 202, json={"action": "poll_mirror"})
    wait_for(lambda: tags(dtr, path) == ["1.0", "2.0"])
    tag = wait_for(lambda: dtr("GET", f"{path}/tags/1.0").json()[0])
    assert tag["digest"] == first
    assert tag["mirroring"] == {"digest": first, "mirroringPolicyID": policy["id"], "remoteRepository": "ops/polled", "remoteTag": "1.0"}
    assert images.Session(near, "ops/polled", near.admin).pull("2.0") == 2
    wait_for(lambda: dtr("GET", f"{path}/pollMirroringPolicies/{policy['id']}").json()["lastStatus"]["code"] == "SUCCESS")


def test_poll_mirroring_of_later_images(pair):
    (_near, dtr), (far, other) = pair
    path = fresh((dtr, other), "later")
    images.push(far, "ops/later:1.0", images.image(images.layer({"one": b"1"})))
    dtr("POST", f"{path}/pollMirroringPolicies?initialEvaluation=false", 201, json={**remote(far, "ops/later"), "enabled": True})
    images.push(far, "ops/later:2.0", images.image(images.layer({"two": b"2"})))
    dtr("POST", "/api/v0/jobs", 202, json={"action": "poll_mirror"})
    wait_for(lambda: tags(dtr, path))
    assert tags(dtr, path) == ["2.0"]
    [policy] = dtr("GET", f"{path}/pollMirroringPolicies").json()
    dtr("PUT", f"{path}/pollMirroringPolicies/{policy['id']}", 200, json={"enabled": False})
    images.push(far, "ops/later:3.0", images.image(images.layer({"three": b"3"})))
    job = dtr("POST", "/api/v0/jobs", 202, json={"action": "poll_mirror"}).json()
    wait_for(lambda: dtr("GET", f"/api/v0/jobs/{job['id']}").json()["status"] == "done")
    assert tags(dtr, path) == ["2.0"]


def test_mirroring_policies_together(pair):
    (near, dtr), (far, other) = pair
    path = fresh((dtr, other), "both")
    push = dtr("POST", f"{path}/pushMirroringPolicies", 201, json={
        **remote(far, "ops/both"), "enabled": False, "rules": [], "tagTemplate": "",
    }).json()
    poll = dtr("POST", f"{path}/pollMirroringPolicies", 201, json={**remote(far, "ops/both"), "enabled": False}).json()
    listed = dtr("GET", f"{path}/mirroringPolicies").json()
    assert {(policy["id"], policy["mirroringType"]) for policy in listed} == {(push["id"], "push"), (poll["id"], "poll")}
    images.plant(near, "ops/both:1.0")
    pushed = dtr("GET", "/api/v0/jobs?action=push_mirror_tag&limit=100").json()["jobs"]
    assert push["id"] not in {job["parameters"]["policy"] for job in pushed}   # it is disabled
    changed = dtr("PUT", f"{path}/pollMirroringPolicies/{poll['id']}", 200, json={"enabled": True}).json()
    assert changed == {**poll, "enabled": True}
    dtr("DELETE", f"{path}/mirroringPolicies", 204, json=[{"id": push["id"]}, {"id": poll["id"]}])
    assert dtr("GET", f"{path}/mirroringPolicies").json() == []
    dtr("DELETE", f"{path}/pollMirroringPolicies/{poll['id']}", 204)
    dtr("DELETE", f"{path}/pushMirroringPolicies/{push['id']}", 404)


def test_one_tag_is_pushed_by_hand(pair):
    (near, dtr), (far, other) = pair
    path = fresh((dtr, other), "byhand")
    digest = images.push(near, "ops/byhand:1.0", images.image(images.layer({"x": b"x"})))
    made = dtr("POST", f"{path}/tags/1.0/pushMirroring", 201, json={**remote(far, "ops/byhand"), "remoteTag": "one"}).json()
    assert made == {"digest": digest, "mirroringPolicyID": "", "remoteRepository": "ops/byhand", "remoteTag": "one"}
    assert tags(other, path) == ["one"]


def test_the_remote_is_checked(pair):
    (_near, dtr), (far, _other) = pair
    good = remote(far, "ops/base")
    assert dtr("POST", "/api/v0/remote/registry", 201, json=good).json() == {
        "permissions": {"read": True, "write": True}, "registryType": "dtr",
    }
    for wrong in (
        {"password": "wrong"}, {"username": "", "password": ""}, {"remoteCA": ""}, {"remoteRepository": "A B"},
        {"remoteHost": "https://127.0.0.1:1"}, {"remoteHost": "ftp://x"},
    ):
        answer = dtr("POST", "/api/v0/remote/registry", 400, json={**good, **wrong}).json()
        assert answer["errors"][0]["code"] == "REMOTE_REGISTRY_INVALID_PERMISSIONS", wrong


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A plain Distribution without TLS and without accounts; its address."""
    folder = tmp_path_factory.mktemp("plain")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '{address}'}}\n"
    )
    with subprocess.Popen([REGISTRY_BINARY, "serve", folder / "config.yml"], stderr=subprocess.DEVNULL) as process:
        def answers():
            with contextlib.suppress(requests.ConnectionError):
                return requests.get(f"http://{address}/v2/", timeout=5).ok
        wait_for(answers)
        yield f"http://{address}"
        process.terminate()


def test_mirroring_with_a_plain_registry(pair, plain):
    (near, dtr), (_far, other) = pair
    path, back = fresh((dtr, other), "plain"), fresh((dtr, other), "plain-back")
    there = {"remoteHost": plain, "remoteRepository": "some/deep/path"}
    digest = images.push(near, "ops/plain:1.0", images.image(images.layer({"x": b"x" * 3_000_000})))
    dtr("POST", f"{path}/pushMirroringPolicies", 201, json={**there, "rules": [], "tagTemplate": "", "enabled": True})
    wait_for(lambda: requests.get(f"{plain}/v2/some/deep/path/tags/list", timeout=5).json().get("tags") == ["1.0"])
    dtr("POST", f"{back}/pollMirroringPolicies", 201, json={**there, "enabled": True})
    wait_for(lambda: tags(dtr, back) == ["1.0"])
    assert dtr("GET", f"{back}/tags/1.0").json()[0]["digest"] == digest


@pytest.mark.parametrize("kind, more, status, code", [
    ("push", {"rules": [{**STABLE, "operator": "gt"}]}, 404, "INVALID_PUSH_MIRRORING_POLICY"),
    ("push", {"tagTemplate": "%q"}, 404, "INVALID_PUSH_MIRRORING_POLICY"),
    ("push", {"remoteHost": "https://"}, 404, "INVALID_PUSH_MIRRORING_POLICY"),
    ("push", {"password": "wrong"}, 400, "REMOTE_REGISTRY_INVALID_PERMISSIONS"),
    ("poll", {"remoteRepository": "No Such"}, 404, "INVALID_POLL_MIRRORING_POLICY"),
    ("poll", {"remoteCA": "nonsense"}, 404, "INVALID_POLL_MIRRORING_POLICY"),
    ("poll", {"password": "wrong"}, 400, "REMOTE_REGISTRY_INVALID_PERMISSIONS"),
])
def test_mirroring_policies_that_are_refused(pair, kind, more, status, code):
    (_near, dtr), (far, _other) = pair
    body = {**remote(far, "ops/base"), "enabled": True, **({"rules": [], "tagTemplate": ""} if kind == "push" else {}), **more}
    assert dtr("POST", f"{BASE}/{kind}MirroringPolicies", status, json=body).json()["errors"][0]["code"] == code
