# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import time

import images
import jwt
import pytest
import requests
from images import image, index, layer
from registry_site import Site
from standin.registry import RegistryFailed
from standin_fixture import PASSWORD, REGISTRY_BINARY, Client, running

SMALL = image(layer({"etc/motd": b"hello"}), layer({"app": b"one"}))
OTHER = image(layer({"etc/motd": b"hello"}), layer({"app": b"two"}))
OCI = index(image(layer({"a": b"amd"}), style="oci"), image(layer({"a": b"arm"}), style="oci", architecture="arm64"), style="oci")


def error(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.mark.parametrize("content", [SMALL, OCI], ids=["docker", "oci index"])
def test_skopeo_pushes_and_pulls_the_same(site, content):
    site.repository("admin/tools")
    admin = site.standin.admin
    pushed = site.skopeo_push("admin/tools:1.0", content, admin)
    assert pushed.returncode == 0, pushed.stderr
    pulled = site.skopeo_pull("admin/tools:1.0", admin)
    assert pulled.returncode == 0, pulled.stderr
    assert (site.folder / "pulled/manifest.json").read_bytes() == content.manifest
    for blob in [*content.blobs, *(blob for child in content.children for blob in child.blobs)]:
        assert (site.folder / "pulled" / images.digest_of(blob)[7:]).read_bytes() == blob
    listed = site.skopeo("list-tags", f"docker://{site.standin.dtr_name}/admin/tools", auth=admin)
    assert '"1.0"' in listed.stdout


def test_skopeo_is_told_why(site):
    ann = site.user("ann")
    site.repository("admin/tools", immutableTags=True)
    assert site.skopeo_push("admin/tools:1", SMALL, site.standin.admin).returncode == 0
    name = f"{site.standin.dtr_name}/admin/tools"
    refused = site.skopeo_push("admin/tools:1", OTHER, site.standin.admin)
    assert f"unknown: tag=1 cannot be overwritten because {name} is an immutable repository" in refused.stderr
    assert "denied" in site.skopeo_pull("admin/tools:1", ann).stderr
    assert "denied" in site.skopeo_push("ann/absent:1", SMALL, ann).stderr
    assert "unauthorized" in site.skopeo_pull("admin/tools:1", ("ann", "wrong")).stderr
    site.settings(readOnlyRegistry=True)
    assert "unsupported: the registry is read-only" in site.skopeo_push("admin/tools:2", OTHER, site.standin.admin).stderr
    assert site.skopeo_pull("admin/tools:1", site.standin.admin).returncode == 0


# Who may do what

PEOPLE = ["admin", "owner", "reader", "writer", "boss", "stranger", None]


@pytest.fixture
def ops(site):
    """ops/secret and ops/open; team members with each level on both; somebody else; an owner."""
    for name in PEOPLE[1:-1]:
        site.user(name)
    site.organization("ops")
    site.dtr("PUT", "/enzi/v0/accounts/ops/members/owner", json={"isAdmin": True})
    for path, visibility in (("ops/secret", "private"), ("ops/open", "public")):
        site.repository(path, visibility=visibility)
        site.push(f"{path}:1", SMALL)
    for who, level in (("reader", "read-only"), ("writer", "read-write"), ("boss", "admin")):
        site.team("ops", f"{who}s", who)
        for path in ("ops/secret", "ops/open"):
            site.grant(path, f"{who}s", level)
    return site


@pytest.mark.parametrize(("path", "pullers"), [("ops/secret", {"admin", "owner", "reader", "writer", "boss"}), ("ops/open", set(PEOPLE))])
def test_rights(ops, path, pullers):
    pushers = {"admin", "owner", "writer", "boss"}
    for number, who in enumerate(PEOPLE):
        session = images.Session(ops.standin, path, who and (who, PASSWORD))
        pulled = session("GET", "manifests/1", headers={"Accept": SMALL.media_type}).status_code
        uploaded = session("POST", "blobs/uploads/").status_code
        assert (who, pulled, uploaded) == (who, 200 if who in pullers else 401, 202 if who in pushers else 401)
        if who in pushers:
            session.push(f"by-{who}", image(layer({"who": bytes([number])})))
            assert ops.standin.tags.find(*path.split("/"), f"by-{who}")["author"] == who


def test_a_token_is_worth_what_the_account_may_do_now(ops):
    session = ops.session("ops/secret", ("writer", PASSWORD))
    session("POST", "blobs/uploads/", 202)
    ops.dtr("DELETE", "/api/v0/repositories/ops/secret/teamAccess/writers", 204)
    refused = session("POST", "blobs/uploads/")
    assert error(refused) == (401, "UNAUTHORIZED")
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    reader = ops.session("ops/open", ("reader", PASSWORD), "pull")
    reader("GET", "tags/list", 200)
    ops.dtr("PATCH", "/enzi/v0/accounts/reader", json={"isActive": False})
    assert error(reader("GET", "tags/list")) == (401, "UNAUTHORIZED")


def test_mount_needs_the_source(ops):
    secret = images.digest_of(SMALL.blobs[2])
    for who, status in (("reader", 201), ("stranger", 202)):
        ops.repository(f"{who}/copy")
        scopes = [f"repository:{who}/copy:pull,push", "repository:ops/secret:pull"]
        session = ops.session(f"{who}/copy", (who, PASSWORD))
        answer = requests.get(f"{ops.standin.dtr_url}/auth/token", {"scope": scopes}, auth=(who, PASSWORD), verify=ops.standin.ca_file)
        session.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        session("POST", f"blobs/uploads/?mount={secret}&from=ops/secret", status)
        session("HEAD", f"blobs/{secret}", 200 if status == 201 else 404)


# Tokens

def claims_of(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def test_token_holds_what_may_be_done_of_what_was_asked(ops):
    def access(auth, *scopes):
        answer = requests.get(f"{ops.standin.dtr_url}/auth/token", {"scope": scopes}, auth=auth, verify=ops.standin.ca_file)
        assert answer.status_code == 200
        body = answer.json()
        assert body["token"] == body["access_token"]
        assert body["expires_in"] > 0
        return {entry["name"]: entry["actions"] for entry in claims_of(body["token"])["access"]}

    writer = ("writer", PASSWORD)
    assert access(writer, "repository:ops/secret:pull,push") == {"ops/secret": ["pull", "push"]}
    assert access(writer, "repository:ops/secret:pull repository:ops/open:pull") == {"ops/secret": ["pull"], "ops/open": ["pull"]}
    assert access(("reader", PASSWORD), "repository:ops/secret:pull,push") == {"ops/secret": ["pull"]}
    assert access(("stranger", PASSWORD), "repository:ops/secret:pull,push") == {}
    assert access(None, "repository:ops/open:pull,push", "registry:catalog:*") == {"ops/open": ["pull"]}
    assert access(writer, "registry:catalog:*") == {"catalog": ["*"]}
    assert access(writer) == {}


def test_access_tokens_and_the_form_of_engines(ops):
    url, verify = f"{ops.standin.dtr_url}/auth/token", ops.standin.ca_file
    writer = Client(ops.standin.dtr_url, verify, "writer")
    created = writer("POST", "/api/v0/api_tokens", json={"tokenLabel": "ci"}).json()
    scope = "repository:ops/secret:push"
    forms = [
        {"grant_type": "password", "username": "writer", "password": PASSWORD, "scope": scope},
        {"grant_type": "password", "username": "writer", "password": created["token"], "scope": scope},
        {"grant_type": "refresh_token", "refresh_token": created["token"], "scope": scope},
    ]
    answers = [requests.post(url, form, verify=verify) for form in forms]
    answers.append(requests.get(url, {"scope": scope}, auth=("writer", created["token"]), verify=verify))
    answers.append(requests.get(url, {"scope": scope, "refresh_token": created["token"]}, verify=verify))
    for answer in answers:
        assert claims_of(answer.json()["access_token"])["access"] == [{"type": "repository", "name": "ops/secret", "actions": ["push"]}]
    writer("PATCH", f"/api/v0/api_tokens/{created['hashedToken']}", json={"isActive": False})
    for form in forms[1:]:
        assert error(requests.post(url, form, verify=verify)) == (401, "UNAUTHORIZED")
    assert error(requests.get(url, auth=("writer", created["token"]), verify=verify)) == (401, "UNAUTHORIZED")
    assert error(requests.post(url, {"grant_type": "magic"}, verify=verify)) == (400, "INVALID_PARAMETERS")
    assert error(requests.get(url, {"scope": "nonsense"}, verify=verify)) == (400, "INVALID_PARAMETERS")


def test_only_own_and_valid_tokens_are_taken(ops):
    session = ops.session("ops/secret")
    good = session.http.headers["Authorization"].split()[1]
    expired = ops.standin.registry.tokens.issue("admin", claims_of(good)["access"], -60)
    forged = jwt.encode(claims_of(good), "no key of ours, but long enough to be one", "HS256")
    for token in (expired, forged, good[:-4], ""):
        session.http.headers["Authorization"] = f"Bearer {token}"
        refused = session("GET", "manifests/1")
        assert error(refused) == (401, "UNAUTHORIZED")
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    del session.http.headers["Authorization"]
    challenge = session("GET", "manifests/1").headers["WWW-Authenticate"]
    url, host = ops.standin.dtr_url, ops.standin.dtr_name
    assert challenge == f'Bearer realm="{url}/auth/token",service="{host}",scope="repository:ops/secret:pull"'


def test_distribution_checks_the_token_too(ops):
    """The front would let a trusted token through; Distribution holds it against its access list."""
    token = ops.standin.registry.tokens.issue("", [{"type": "repository", "name": "ops/open", "actions": ["pull"]}], trusted=True)
    session = ops.session("ops/open")
    session.http.headers["Authorization"] = f"Bearer {token}"
    blob = images.digest_of(SMALL.blobs[0])
    session("GET", f"blobs/{blob}", 200)

    async def behind():
        address = f"http://registry/v2/ops/secret/blobs/{blob}"
        async with ops.standin.registry.session.get(address, headers={"Authorization": f"Bearer {token}"}) as answer:
            return answer.status

    assert ops.standin.run(behind()) == 401


def test_every_answer_has_the_security_headers(ops):
    session = ops.session("ops/open")
    for rest in ("tags/list", "manifests/1", f"blobs/{images.digest_of(SMALL.blobs[0])}", "manifests/absent"):
        assert session("GET", rest).headers["X-Content-Type-Options"] == "nosniff", rest


# Lists

def test_lists_show_what_may_be_seen_page_by_page(ops):
    def catalog(auth, query=""):
        answer = requests.get(f"{ops.standin.dtr_url}/auth/token", {"scope": "registry:catalog:*"}, auth=auth, verify=ops.standin.ca_file)
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        return requests.get(f"{ops.standin.dtr_url}/v2/_catalog{query}", headers=headers, verify=ops.standin.ca_file)

    admin = ops.standin.admin
    assert catalog(admin).json() == {"repositories": ["ops/open", "ops/secret"]}
    assert catalog(("stranger", PASSWORD)).json() == {"repositories": ["ops/open"]}
    assert catalog(None).status_code == 401
    first = catalog(admin, "?n=1")
    assert first.json() == {"repositories": ["ops/open"]}
    assert first.headers["Link"] == '</v2/_catalog?last=ops/open&n=1>; rel="next"'
    last = catalog(admin, "?last=ops/open&n=1")
    assert last.json() == {"repositories": ["ops/secret"]}
    assert "Link" not in last.headers
    for tag in ("2", "3"):
        ops.push(f"ops/open:{tag}", SMALL)
    session = images.Session(ops.standin, "ops/open", None)
    assert session("GET", "tags/list", 200).json() == {"name": "ops/open", "tags": ["1", "2", "3"]}
    assert session("GET", "tags/list?n=2&last=1", 200).json()["tags"] == ["2", "3"]
    assert error(session("GET", "tags/list?n=x")) == (400, "PAGINATION_NUMBER_INVALID")


# Rules for pushes

def test_immutable_tags(site):
    site.repository("admin/fixed", immutableTags=True)
    session = site.session("admin/fixed")
    session.push("1", SMALL)
    session.push("1", SMALL)   # the same image again changes nothing
    refused = session.push("1", OTHER, status=409)
    name = f"{site.standin.dtr_name}/admin/fixed"
    assert refused.json()["errors"][0] == {
        "code": "UNKNOWN", "message": f"tag=1 cannot be overwritten because {name} is an immutable repository"
    }
    session.push("2", OTHER)
    assert site.standin.tags.find("admin", "fixed", "1")["digest"] == SMALL.digest
    site.dtr("PATCH", "/api/v0/repositories/admin/fixed", json={"immutableTags": False})
    session.push("1", OTHER)
    assert site.standin.tags.find("admin", "fixed", "1")["digest"] == OTHER.digest


def test_tag_limit_removes_the_oldest(site):
    site.repository("admin/few", tagLimit=2)
    session = site.session("admin/few")
    for tag in ("c", "b", "a"):
        session.push(tag, SMALL)
    assert site.tags("admin/few") == ["a", "b"]
    session.push("b", OTHER)   # now the younger one
    session.push("d", SMALL)
    assert site.tags("admin/few") == ["b", "d"]


def test_read_only(site):
    site.repository("admin/tools")
    session = site.session("admin/tools")
    session.push("1", SMALL)
    site.settings(readOnlyRegistry=True)
    for refused in (session("POST", "blobs/uploads/"), session.put("2", SMALL, 405)):
        assert error(refused) == (405, "UNSUPPORTED")
    assert session.pull("1") == 3
    site.settings(readOnlyRegistry=False)
    session.push("2", OTHER)


def test_create_on_push(site):
    ann, eve = site.user("ann"), site.user("eve")
    site.organization("ops")
    site.dtr("PUT", "/enzi/v0/accounts/ops/members/ann", json={"isAdmin": True})
    assert site.session("ann/new", ann)("POST", "blobs/uploads/").status_code == 401
    site.settings(createRepositoryOnPush=True)
    for path in ("ann/new", "ops/new"):
        assert site.session(path, eve)("POST", "blobs/uploads/").status_code == 401
        site.push(f"{path}:1", SMALL, ann)
        assert site.get(path)["visibility"] == "private"
    assert site.session("nobody/new", site.standin.admin)("POST", "blobs/uploads/").status_code == 401
    site.session("ann/looked-at", ann)("GET", "manifests/1", 404)
    site.dtr("GET", "/api/v0/repositories/ann/looked-at", 404)
    refused = site.session("ann/" + "x" * 60, ann)("POST", "blobs/uploads/")
    assert refused.status_code == 400


def test_counters(site):
    site.repository("admin/tools")
    session = site.session("admin/tools")
    session.push("1", SMALL)
    session.push("2", OCI)
    assert (site.get("admin/tools")["pushes"], site.get("admin/tools")["pulls"]) == (2, 0)
    session.pull("1")
    session.pull(SMALL.digest)
    session.pull("2")
    session("HEAD", "manifests/1", 200, headers={"Accept": SMALL.media_type})
    assert (site.get("admin/tools")["pushes"], site.get("admin/tools")["pulls"]) == (2, 3)


def test_refusals(site):
    site.repository("admin/tools")
    session, absent = site.session("admin/tools"), f"sha256:{'0' * 64}"
    for verb, rest, expected in (
        ("GET", "manifests/absent", (404, "MANIFEST_UNKNOWN")),
        ("GET", f"manifests/{absent}", (404, "MANIFEST_UNKNOWN")),
        ("GET", f"blobs/{absent}", (404, "BLOB_UNKNOWN")),
        ("GET", "blobs/sha512:0", (400, "DIGEST_INVALID")),
        ("GET", "nonsense", (404, "NAME_UNKNOWN")),
        ("DELETE", f"manifests/{absent}", (405, "UNSUPPORTED")),
        ("DELETE", f"blobs/{absent}", (405, "UNSUPPORTED")),
        ("POST", "tags/list", (405, "UNSUPPORTED")),
        ("PATCH", "manifests/1", (405, "UNSUPPORTED")),
    ):
        assert (verb, rest, *error(session(verb, rest))) == (verb, rest, *expected)


def test_bad_manifests(site):
    site.repository("admin/tools")
    session, old = site.session("admin/tools"), "application/vnd.docker.distribution.manifest.v1+prettyjws"
    for reference, body, media_type, code in (
        ("1", b"{}", SMALL.media_type, "MANIFEST_INVALID"),
        ("1", b"not json", SMALL.media_type, "MANIFEST_INVALID"),
        ("1", SMALL.manifest, old, "MANIFEST_INVALID"),
        ("1", SMALL.manifest, SMALL.media_type, "MANIFEST_BLOB_UNKNOWN"),
        ("1", OCI.manifest, OCI.media_type, "MANIFEST_BLOB_UNKNOWN"),
        (".1", SMALL.manifest, SMALL.media_type, "TAG_INVALID"),
        (f"sha256:{'0' * 64}", SMALL.manifest, SMALL.media_type, "DIGEST_INVALID"),
    ):
        refused = session("PUT", f"manifests/{reference}", data=body, headers={"Content-Type": media_type})
        assert error(refused) == (400, code), (reference, body, media_type)
    assert site.tags("admin/tools") == []


def test_manifest_size_has_a_limit(site):
    site.repository("admin/tools")
    headers = {"Content-Type": SMALL.media_type}
    assert error(site.session("admin/tools")("PUT", "manifests/1", data=b" " * 5_000_000, headers=headers)) == (413, "SIZE_INVALID")


# The process behind

def test_a_large_blob_passes_through_in_pieces(site):
    """In chunks of unknown total, as engines upload, and back."""
    site.repository("admin/big")
    piece = os.urandom(1 << 20)
    session = site.session("admin/big")
    location = session("POST", "blobs/uploads/", 202).headers["Location"]
    before = _resident()
    answer = session.http.patch(location, data=(piece for _number in range(48)), headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 202
    digest = images.digest_of(piece * 48)
    assert session.http.put(f"{answer.headers['Location']}&digest={digest}").status_code == 201
    with session("GET", f"blobs/{digest}", 200, stream=True) as download:
        assert sum(len(part) for part in download.iter_content(1 << 20)) == 48 << 20
    assert _resident() - before < 32 << 20
    assert site.files.blob(digest).stat().st_size == 48 << 20


def _resident() -> int:
    """Bytes of memory of this process, which the stand-in runs in."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_the_registry_is_started_again_when_it_dies(site):
    site.repository("admin/tools")
    site.push("admin/tools:1", SMALL)
    pid = site.standin.registry.pid
    os.kill(pid, signal.SIGKILL)
    limit = time.monotonic() + 10
    while site.standin.registry.pid == pid and time.monotonic() < limit:
        time.sleep(0.05)
    while site.session("admin/tools")("GET", f"blobs/{images.digest_of(SMALL.blobs[0])}").status_code == 503:
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert site.session("admin/tools").pull("1") == 3


def test_a_restart_keeps_everything_and_leaves_no_process(tmp_path):
    options = {"memory": False, "registry_binary": str(REGISTRY_BINARY)}
    with running(tmp_path / "state", **options) as standin:
        site = Site(standin, tmp_path)
        site.repository("admin/tools")
        site.push("admin/tools:1", OCI)
        first = standin.registry.pid
        upload = site.session("admin/tools")("POST", "blobs/uploads/", 202).headers["Location"]
    assert not os.path.exists(f"/proc/{first}")
    with running(tmp_path / "state", **options) as standin:
        site = Site(standin, tmp_path)
        assert site.session("admin/tools").pull("1") == 4
        assert standin.tags.find("admin", "tools", "1")["digest"] == OCI.digest
        # An upload goes on where it was.
        session, blob = site.session("admin/tools"), b"late"
        address = f"{standin.dtr_url}/{upload.split('/', 3)[3]}&digest={images.digest_of(blob)}"
        assert session.http.put(address, data=blob).status_code == 201


def test_the_state_may_be_anywhere(tmp_path):
    """Also where a socket's path would be too long, and below a folder with a blank."""
    with running(tmp_path / "a folder" / ("x" * 100), registry_binary=str(REGISTRY_BINARY)) as standin:
        site = Site(standin, tmp_path)
        site.repository("admin/tools")
        site.push("admin/tools:1", SMALL)
        assert site.session("admin/tools").pull("1") == 3


def test_a_binary_that_does_not_run_is_named(tmp_path):
    for binary, why in ((str(tmp_path / "absent"), "cannot be started"), ("/bin/false", "does not come up")):
        with pytest.raises(RegistryFailed, match=why), running(tmp_path / "state", registry_binary=binary):
            pass


def test_without_a_binary_there_is_no_data_plane(standin):
    answer = requests.get(f"{standin.dtr_url}/v2/", verify=standin.ca_file)
    assert error(answer) == (503, "UNAVAILABLE")
