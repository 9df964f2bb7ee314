# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real clients meet what was declared; the stories run in the order of this file."""

from __future__ import annotations

import json
import re
import shlex
import ssl
import time
import urllib.request
from base64 import b64encode

import pytest
import yaml
from lab_run import CHECKOUT, run_playbook

SCENARIO = "registry_configuration"
LAB = CHECKOUT / ".lab" / f"molecule-{SCENARIO}"
ADDRESS, NAME = "172.30.70.11", "dtr-1.lab.test"
ADMIN = "sesame-of-the-admin"
PASSWORDS = {user: f"sesame-of-{user}" for user in ("wendy", "rita", "otto", "sam")}
CONFIGURE = CHECKOUT / "playbooks/configure.yml"
# For runs that are about a few kinds of things only.
LISTS = ("users", "organizations", "repositories", "namespace_access", "crons", "api_tokens", "ucp_roles", "ucp_grants")
NOTHING_ELSE = {f"registry_configuration_{name}": [] for name in LISTS}
NOTHING_ELSE |= {f"registry_configuration_{name}": {} for name in ("settings", "gc", "ucp_config")}
SESSIONS = ("/auth/login", "/id/logout")   # every run signs in to UCP and out again
SECRETS = [ADMIN, *PASSWORDS.values(), "sesame-of-user", "sesame-of-the-hook"]


@pytest.fixture(scope="session")
def client(node):
    """The clients' host; logged in as each of the users, each with a configuration of its own."""
    host = node("client-1")
    for user, password in PASSWORDS.items():
        login(host, user, password)
    return host


@pytest.fixture
def registry(node):
    return node("dtr-1")


def login(host, user, password):
    host.check_output(f"echo {shlex.quote(password)} | docker --config /root/.docker-{user} login -u {user} --password-stdin {NAME}")


def push(host, user, image, target):
    """The push of a local image under another name: whether it was taken, and what docker said."""
    done = host.run(f"docker tag lab/{image} {NAME}/{target} && docker --config /root/.docker-{user} push {NAME}/{target}")
    return done.rc == 0, done.stdout + done.stderr


def pull(host, user, target):
    host.run(f"docker rmi {NAME}/{target}")
    done = host.run(f"docker --config /root/.docker-{user} pull -q {NAME}/{target}")
    return done.rc == 0, done.stdout + done.stderr


def api(verb, path, body=None):
    """What DTR answers to its administrator, as curl would ask."""
    request = urllib.request.Request(f"https://{ADDRESS}{path}", method=verb, data=json.dumps(body).encode() if body is not None else None)
    request.add_header("Authorization", "Basic " + b64encode(f"admin:{ADMIN}".encode()).decode())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=LAB / "ca.pem"), timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def writes():
    """The requests so far that could have changed something, of DTR or UCP."""
    return [f"{exchange['method']} {exchange['path']}" for exchange in api("GET", "/_standin/exchanges")
            if exchange["reached"] and exchange["method"] not in ("GET", "HEAD") and exchange["path"] not in SESSIONS]


def play(playbook, *arguments, fails=False, **variables):
    """The number of changes and the output of a playbook."""
    code, output = run_playbook(SCENARIO, playbook, *arguments, **variables)
    assert (code != 0) == fails, output
    return sum(int(number) for number in re.findall(r"changed=(\d+)", output)), output


def used(registry):
    """Bytes of all layers and manifests in the image store."""
    sizes = "find /var/lib/standin/registry -path '*/blobs/*' -name data -printf '%s\\n'"
    return int(registry.check_output(f"{sizes} | awk '{{ sum += $1 }} END {{ printf \"%d\", sum }}'"))


def eventually(condition, seconds=15):
    """The first true value of condition()."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)
    return value


def tags(repository):
    return {tag["name"] for tag in api("GET", f"/api/v0/repositories/{repository}/tags?pageSize=100")}


def test_all_of_the_tree_is_there():
    tree = yaml.safe_load((LAB / "inventory/group_vars/all/tree.yml").read_text())
    found = api("GET", "/api/v0/repositories?pageSize=1000")["repositories"]
    assert len(found) == len(tree["tree_repositories"]) + 6 == 200
    organizations = api("GET", "/enzi/v0/accounts/?filter=orgs&limit=1000")["accounts"]
    assert len({account["name"] for account in organizations} - {"docker-datacenter"}) == 20
    assert sum(account["teamsCount"] for account in organizations) == 60


@pytest.mark.parametrize(("user", "repository", "pulls", "pushes"), [
    ("wendy", "shop/web", True, True),
    ("rita", "shop/web", True, False),
    ("otto", "shop/web", True, False),     # through the grant on the whole organization
    ("sam", "shop/web", False, False),
    ("sam", "shop/public", True, False),
])
def test_docker_may_what_was_granted(client, user, repository, pulls, pushes):
    assert push(client, "wendy", "one", f"{repository}:1")[0]
    done, said = push(client, user, "one", f"{repository}:by-{user}")
    assert done == pushes, said
    assert pushes or "denied" in said
    done, said = pull(client, user, f"{repository}:1")
    assert done == pulls, said


@pytest.mark.parametrize(("credentials", "repository", "allowed"), [
    ("--no-creds", "shop/public", True),
    ("--no-creds", "shop/web", False),
    ("--creds rita:sesame-of-rita", "shop/web", True),
])
def test_skopeo_may_what_was_granted(client, credentials, repository, allowed):
    assert (client.run(f"skopeo inspect {credentials} docker://{NAME}/{repository}:1").rc == 0) == allowed


def test_a_pipeline_signs_in_with_its_token(client):
    token = LAB / "pipeline.token"
    assert token.stat().st_mode & 0o777 == 0o600
    login(client, "wendy", token.read_text())
    assert push(client, "wendy", "one", "shop/web:pipeline")[0]


def test_immutable_tags_stay(client):
    assert push(client, "wendy", "one", "shop/production:1.0")[0]
    before = api("GET", "/api/v0/repositories/shop/production/tags/1.0")[0]["digest"]
    done, said = push(client, "wendy", "two", "shop/production:1.0")
    assert not done
    assert f"unknown: tag=1.0 cannot be overwritten because {NAME}/shop/production is an immutable repository" in said
    assert api("GET", "/api/v0/repositories/shop/production/tags/1.0")[0]["digest"] == before


def test_the_oldest_tag_makes_room(client):
    for number in range(5):
        assert push(client, "wendy", "one", f"shop/few:{number}")[0]
    assert tags("shop/few") == {"2", "3", "4"}


def test_no_repository_comes_by_a_push(client):
    assert not push(client, "wendy", "one", "wendy/mine:1")[0]
    assert not push(client, "wendy", "one", "shop/another:1")[0]
    assert not api("GET", "/api/v0/repositories/wendy")["repositories"]


def test_a_stable_tag_is_promoted(client):
    assert push(client, "wendy", "two", "shop/web:7-stable")[0]
    eventually(lambda: "7-stable" in tags("shop/production"))
    assert pull(client, "rita", "shop/production:7-stable")[0]


def test_a_push_is_told_to_the_webhook(client):
    assert push(client, "wendy", "two", "shop/web:hooked")[0]
    told = eventually(lambda: [
        event["contents"] for event in map(json.loads, client.check_output("cat /var/lib/pushed 2>/dev/null || true").splitlines())
        if event["contents"]["tag"] == "hooked"])
    assert (told[0]["namespace"], told[0]["repository"]) == ("shop", "web")


def test_the_scanning_gate(client):
    for image in ("vulnerable", "sound"):
        assert push(client, "wendy", image, f"shop/scanned:{image}")[0]
    playbook = CHECKOUT / f"molecule/{SCENARIO}/scan.yml"
    eventually(lambda: all(
        summary["critical"] is not None and summary["last_scan_status"] == 6
        for image in ("vulnerable", "sound") for summary in [scan(image)]))
    play(playbook, tag="sound")
    _changes, output = play(playbook, fails=True, tag="vulnerable")
    assert re.search(r"shop/scanned:vulnerable linux/amd64 +1 +0 +0", output), output


def scan(tag):
    return api("GET", f"/api/v0/repositories/shop/scanned/tags/{tag}")[0].get("vuln_summary") or {"critical": None}


def test_garbage_collection_frees_what_it_says(client, registry):
    assert push(client, "wendy", "large", "shop/old:large")[0]
    api("DELETE", "/api/v0/repositories/shop/old/tags/large")
    before = used(registry)
    _changes, output = play(CHECKOUT / "playbooks/collect_garbage.yml", "-v")
    freed = before - used(registry)
    assert freed > 20_000_000
    assert f"bytes: {freed}\n" in output, (freed, output)
    assert pull(client, "rita", "shop/web:1")[0]


def test_check_mode_shows_what_would_be_made_and_makes_nothing():
    before = writes()
    organization = {"name": "new", "teams": [{"name": "makers", "members": ["wendy"]}]}
    repository = {"name": "new/thing", "access": [{"team": "makers", "level": "admin"}], "scan_on_push": True}
    user = {"name": "newcomer", "password": "sesame-of-the-newcomer"}
    _changes, output = play(CONFIGURE, "--check", "--diff", "-vvv", **{
        **NOTHING_ELSE, "registry_configuration_users": [user], "registry_configuration_organizations": [organization],
        "registry_configuration_repositories": [repository]})
    for made in ("newcomer, new", "new/makers, new/makers/wendy", "new/thing", "new/makers on new/thing"):
        assert f"to be created: {made}\n" in output, output
    assert "sesame-of-the-newcomer" not in output
    assert writes() == before


def test_drift_is_told():
    api("PATCH", "/api/v0/repositories/shop/production", {"immutableTags": False})
    fields = {"shortDescription": "", "longDescription": "", "enableManifestLists": False, "scanOnPush": False, "tagLimit": 0}
    api("POST", "/api/v0/repositories/shop", {"name": "byhand", "immutableTags": False, **fields})
    before = writes()
    _changes, output = play(CHECKOUT / "playbooks/status.yml", fails=True, status_strict=True)
    assert "to be updated: shop/production (immutable_tags)" in output
    assert "undeclared: shop/byhand" in output
    assert writes() == before


def test_after_a_restart_a_run_writes_what_differs_and_nothing_else_and_tells_no_secret(registry):
    """Of all that was declared, one field differs; the record of requests begins anew with the restart."""
    registry.check_output("systemctl restart standin")
    eventually(lambda: registry.run("curl -fsk https://127.0.0.1/_ping").rc == 0)
    changes, output = play(CONFIGURE, "-vvv", "--diff")
    assert (changes, writes()) == (1, ["PATCH /api/v0/repositories/shop/production"])
    assert api("GET", "/api/v0/repositories/shop/production")["immutableTags"] is True
    assert [secret for secret in SECRETS if secret in output] == []


def test_what_is_undeclared_goes_on_confirmation_only():
    declared = [{"name": f"shop/{name}"} for name in ("web", "production", "public", "few", "scanned", "old")]
    exclusive = {**NOTHING_ELSE, "registry_configuration_repositories": declared, "registry_configuration_exclusive": ["repositories"]}
    _changes, output = play(CONFIGURE, fails=True, **exclusive)
    assert f"remove 1 that stand in no declaration, from {ADDRESS}, repository: shop/byhand" in " ".join(output.split())
    changes, _output = play(CONFIGURE, **exclusive, registry_configuration_confirm_removal=ADDRESS)
    assert changes == 1
    assert "byhand" not in [found["name"] for found in api("GET", "/api/v0/repositories/shop?pageSize=100")["repositories"]]


def test_nothing_outside_the_interface_was_asked_for():
    assert api("GET", "/_standin/violations") == {"violations": [], "answers": [], "crashes": []}
