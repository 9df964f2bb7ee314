# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UCP over HTTP: sessions, identity, health, nodes, the Swarm, roles, collections, grants, the configuration, the license, bundles."""

from __future__ import annotations

import base64
import datetime
import io
import json
import zipfile

import pytest
import requests
from standin import ucp_config_schema as schema
from standin_fixture import PASSWORD, Client, running

TERMS = base64.b64encode(b'{"expiration":"2027-03-24T00:00:00Z"}').decode()
LICENSE = {"key_id": "key-1", "private_key": "private", "authorization": base64.b64encode(json.dumps({"payload": TERMS}).encode()).decode()}


def sign_in(standin, user="admin", password=PASSWORD):
    """A client of UCP with a session."""
    client = Client(standin.ucp_url, standin.ca_file)
    token = client("POST", "/auth/login", 200, json={"username": user, "password": password}).json()["auth_token"]
    client.session.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.fixture
def ucp(standin):
    return sign_in(standin)


@pytest.fixture
def ann(standin, ucp):
    ucp("POST", "/accounts/", 201, json={"name": "ann", "password": PASSWORD})
    return sign_in(standin, "ann")


def test_signing_in_and_out(standin, ucp):
    assert ucp("GET", "/id/").json()["name"] == "admin"
    ucp("POST", "/id/logout", 204)
    ucp("GET", "/id/", 401)
    assert not standin.writes


def test_wrong_credentials_and_none(standin):
    nobody = Client(standin.ucp_url, standin.ca_file)
    nobody("POST", "/auth/login", 401, json={"username": "admin", "password": "wrong"})
    nobody("GET", "/id/", 401)
    nobody.session.headers["Authorization"] = "Bearer nothing"
    nobody("GET", "/nodes", 401)


def test_a_session_ends_after_its_lifetime(standin, ucp):
    standin.shift = datetime.timedelta(minutes=39)
    ucp("GET", "/id/")
    standin.shift = datetime.timedelta(minutes=61)
    ucp("GET", "/id/", 401)


def test_a_session_in_use_is_renewed(standin, ucp):
    standin.shift = datetime.timedelta(minutes=41)
    ucp("GET", "/id/")
    standin.shift = datetime.timedelta(minutes=100)
    ucp("GET", "/id/")


def test_the_least_recently_used_session_makes_room(standin, ucp):
    others = []
    for minute in range(1, 10):
        standin.shift = datetime.timedelta(minutes=minute)
        others.append(sign_in(standin))
    ucp("GET", "/id/")
    sign_in(standin)
    ucp("GET", "/id/")
    others[0]("GET", "/id/", 401)
    others[1]("GET", "/id/")


def test_health_and_ca_need_no_session(standin):
    nobody = Client(standin.ucp_url, standin.ca_file)
    answer = nobody("GET", "/_ping")
    assert (answer.text, answer.headers["X-Server-Name"]) == ("OK", "ucp-1")
    nobody("HEAD", "/_ping", 404)
    assert nobody("GET", "/ca").text.startswith("-----BEGIN CERTIFICATE")
    standin.ucp.problem = "rethinkdb: no quorum"
    assert nobody("GET", "/_ping", 500).json() == {"message": "rethinkdb: no quorum"}


def test_version_and_info(ucp):
    assert ucp("GET", "/version").json()["Version"] == "ucp/3.2.5"
    swarm = ucp("GET", "/info").json()["Swarm"]
    assert (swarm["Nodes"], swarm["Managers"], swarm["ControlAvailable"]) == (2, 1, True)


def test_a_node_changes_only_for_its_current_version(ucp):
    worker = next(node for node in ucp("GET", "/nodes").json() if node["Spec"]["Role"] == "worker")
    where, spec = f"/nodes/{worker['ID']}", {**worker["Spec"], "Availability": "drain", "Labels": {"zone": "a"}}
    ucp("POST", f"{where}/update?version=1", 500, json=spec)
    ucp("POST", f"{where}/update?version={worker['Version']['Index']}", 200, json=spec)
    changed = ucp("GET", where).json()
    assert changed["Spec"]["Availability"] == "drain"
    assert changed["Spec"]["Labels"] == {"zone": "a", "com.docker.ucp.access.label": "/Shared"}
    assert changed["Version"]["Index"] == worker["Version"]["Index"] + 1
    assert ucp("GET", f"/nodes/{worker['Description']['Hostname']}").json() == changed


def test_promotion_demotion_and_removal(ucp):
    manager, worker = sorted(ucp("GET", "/nodes").json(), key=lambda node: node["Spec"]["Role"])

    def update(node, status=200, **spec):
        now = ucp("GET", f"/nodes/{node['ID']}").json()
        ucp("POST", f"/nodes/{node['ID']}/update?version={now['Version']['Index']}", status, json={**now["Spec"], **spec})

    update(manager, 400, Role="worker")
    ucp("DELETE", f"/nodes/{manager['ID']}?force=true", 500)
    update(worker, Role="manager")
    assert ucp("GET", f"/nodes/{worker['ID']}").json()["ManagerStatus"]["Reachability"] == "reachable"
    update(worker, Role="worker")
    assert "ManagerStatus" not in ucp("GET", f"/nodes/{worker['ID']}").json()
    ucp("DELETE", f"/nodes/{worker['ID']}", 500)
    ucp("DELETE", f"/nodes/{worker['ID']}?force=true", 200)
    ucp("GET", f"/nodes/{worker['ID']}", 404)


def test_nodes_are_seen_through_grants_and_filters(standin, ucp, ann):
    assert [node["Description"]["Hostname"] for node in ann("GET", "/nodes").json()] == ["dtr-1"]
    assert [node["Description"]["Hostname"] for node in ucp("GET", '/nodes?filters={"role":["manager"]}').json()] == ["ucp-1"]
    ucp("GET", '/nodes?filters={"colour":["red"]}', 500)


def test_join_tokens_are_for_administrators_and_rotate(ucp, ann):
    ann("GET", "/swarm", 403)
    before = ucp("GET", "/swarm").json()
    ucp("POST", f"/swarm/update?version={before['Version']['Index']}&rotateWorkerToken=true", 200, json=before["Spec"])
    after = ucp("GET", "/swarm").json()
    assert after["JoinTokens"]["Worker"] != before["JoinTokens"]["Worker"]
    assert after["JoinTokens"]["Manager"] == before["JoinTokens"]["Manager"]
    ucp("POST", f"/swarm/update?version={before['Version']['Index']}", 500, json=before["Spec"])


def test_roles_are_made_and_deleted_never_while_in_use(ucp, ann):
    body = {"id": "", "name": "pullers", "operations": {"Image": {"Image Load": []}}, "system_role": False}
    ann("POST", "/roles", 403, json=body)
    identity = ucp("POST", "/roles", 201, json=body).json()[0]["id"]
    ucp("POST", "/roles", 409, json=body)
    assert ucp("GET", f"/roles/{identity}").json() == {**body, "id": identity}
    subject = ucp("GET", "/accounts/ann").json()["id"]
    ucp("PUT", f"/collectionGrants/{subject}/swarm/{identity}", 201)
    assert "pullers" in [role["name"] for role in ann("GET", "/totalRole").json()]
    ucp("DELETE", f"/roles/{identity}", 409)
    ucp("DELETE", f"/collectionGrants/{subject}/swarm/{identity}", 204)
    ucp("DELETE", f"/roles/{identity}", 204)
    ucp("GET", f"/roles/{identity}", 404)
    ucp("DELETE", "/roles/viewonly", 400)


def test_operations_of_a_role_have_a_form(ucp):
    ucp("POST", "/roles", 400, json={"name": "odd", "operations": {"Image": ["Image Load"]}})


def collection(name, parent):
    return {"name": name, "parent_id": parent, "label_constraints": [], "legacy_label_key": "", "legacy_label_value": ""}


def test_collections_form_a_tree(ucp):
    team = ucp("POST", "/collections", 201, json=collection("team", "shared")).json()["id"]
    ucp("POST", "/collections", 409, json=collection("team", "shared"))
    inner = ucp("POST", "/collections", 201, json=collection("inner", team)).json()["id"]
    found = ucp("GET", "/collectionByPath?path=/Shared/team/inner").json()
    assert (found["id"], found["parent_ids"]) == (inner, ["swarm", "shared", team])
    assert [child["id"] for child in ucp("GET", f"/collections/{team}/children").json()] == [inner]
    ucp("DELETE", f"/collections/{team}", 409)
    ucp("DELETE", f"/collections/{inner}", 204)
    constraint = {"type": "node", "label_key": "zone", "label_value": "a", "equality": True}
    ucp("PATCH", f"/collections/{team}", 200, json={"label_constraints": [constraint]})
    assert ucp("GET", f"/collections/{team}").json()["label_constraints"] == [constraint]
    assert len(ucp("GET", "/collections?limit=2").json()) == 2


def test_a_collection_with_a_node_in_it_stays(ucp):
    team = ucp("POST", "/collections", 201, json=collection("team", "shared")).json()["id"]
    worker = next(node for node in ucp("GET", "/nodes").json() if node["Spec"]["Role"] == "worker")
    spec = {**worker["Spec"], "Labels": {"com.docker.ucp.access.label": "/Shared/team"}}
    ucp("POST", f"/nodes/{worker['ID']}/update?version={worker['Version']['Index']}", 200, json=spec)
    ucp("DELETE", f"/collections/{team}", 409)


def test_the_first_login_makes_a_private_collection(ucp, ann):
    subject = ucp("GET", "/accounts/ann").json()["id"]
    private = ann("GET", f"/defaultCollection/{subject}").json()
    assert private["path"] == "/Shared/Private/ann"
    assert ann("GET", "/defaultCollectionRole").json()["id"] == "scheduler"
    grants = ucp("GET", f"/collectionGrants?subjectID={subject}").json()["grants"]
    assert grants == [{"subjectID": subject, "objectID": private["id"], "roleID": "restrictedcontrol"}]
    ann("PUT", f"/defaultCollection/{subject}", 201, json={"id": "shared"})
    assert ann("GET", f"/defaultCollection/{subject}").json()["path"] == "/Shared"
    ann("DELETE", f"/defaultCollection/{subject}", 204)
    ann("GET", f"/defaultCollection/{ucp('GET', '/id/').json()['id']}", 403)


def test_grants_decide_what_is_seen_and_come_in_pages(ucp, ann):
    ann("GET", "/collections/system", 403)
    subject = ucp("GET", "/accounts/ann").json()["id"]
    for role in ("viewonly", "none", "fullcontrol"):
        ann("PUT", f"/collectionGrants/{subject}/system/{role}", 403)
        ucp("PUT", f"/collectionGrants/{subject}/system/{role}", 201)
        ucp("PUT", f"/collectionGrants/{subject}/system/{role}", 201)
    ann("GET", "/collections/system", 200)
    seen, start = [], ""
    while True:
        page = ucp("GET", f"/collectionGrants?limit=2&start={start}").json()
        assert len(page["grants"]) <= 2
        assert {subject["id"] for subject in page["subjects"]} == {grant["subjectID"] for grant in page["grants"]}
        seen += page["grants"]
        start = page["nextPageStart"]
        if not start:
            break
    assert len(seen) == page["resourceCount"] == 5
    ucp("PUT", f"/collectionGrants/nobody/system/{role}", 404)
    ucp("DELETE", f"/collectionGrants/{subject}/shared/none", 404)


def test_service_accounts_and_teams_are_subjects(ucp):
    ucp("POST", "/accounts/", 201, json={"name": "ops", "isOrg": True})
    team = ucp("POST", "/accounts/ops/teams", 201, json={"name": "dev"}).json()["id"]
    for subject in (team, "system:serviceaccount:default:builder"):
        ucp("PUT", f"/collectionGrants/{subject}/shared/viewonly", 201)
    page = ucp("GET", "/collectionGrants?subjectType=team").json()
    assert page["subjects"] == [{"id": team, "subject_type": "team"}]
    admin = ucp("GET", "/id/").json()
    ucp("PUT", f"/collectionGrants/{admin['id']}/shared/viewonly", 201)
    expanded = ucp("GET", "/collectionGrants?subjectType=user&expandUser=true").json()["subjects"]
    assert expanded == [{"id": admin["id"], "subject_type": "user", "account": admin}]


def test_the_configuration_is_replaced_as_a_whole(standin, ucp, ann):
    ann("GET", "/api/ucp/config-toml", 403)
    answer = ucp("GET", "/api/ucp/config-toml")
    assert answer.headers["Content-Type"] == "application/toml"
    document, problems = schema.parse(answer.text)
    assert not problems
    document["custom_api_server_headers"] = [{"name": "X-Color", "value": "blue"}]
    document["cluster_config"]["exclude_server_identity_headers"] = True
    del document["tracking_configuration"]
    assert ucp("PUT", "/api/ucp/config-toml", data=schema.dump(document)).json()["message"]
    answer = ucp("GET", "/api/ucp/config-toml")
    assert schema.parse(answer.text)[0] == document
    assert answer.headers["X-Color"] == "blue"
    assert "X-Server-Name" not in answer.headers


@pytest.mark.parametrize(("text", "says"), [("= no", "not TOML"), ("[cluster_config]\nbogus = 1", "unknown key cluster_config.bogus")])
def test_a_wrong_configuration_is_refused(ucp, text, says):
    before = ucp("GET", "/api/ucp/config-toml").text
    assert says in ucp("PUT", "/api/ucp/config-toml", 400, data=text).json()["message"]
    assert ucp("GET", "/api/ucp/config-toml").text == before


def test_session_rules_of_the_configuration_take_effect(standin, ucp):
    document = schema.parse(ucp("GET", "/api/ucp/config-toml").text)[0]
    document["auth"]["sessions"] = {"lifetime_minutes": 10, "renewal_threshold_minutes": 0, "per_user_limit": 1}
    ucp("PUT", "/api/ucp/config-toml", data=schema.dump(document))
    other = sign_in(standin)
    ucp("GET", "/id/", 401)
    standin.shift = datetime.timedelta(minutes=11)
    other("GET", "/id/", 401)


def test_logging_and_trusted_registries_are_parts_of_the_configuration(ucp):
    ucp("PUT", "/api/ucp/config/logging", json={"logLevel": "info", "auditLevel": "request"})
    shown = ucp("GET", "/api/ucp/config/logging").json()
    assert shown == {"logLevel": "info", "auditLevel": "request", "supportDumpIncludeAuditLogs": False}
    ucp("PUT", "/api/ucp/config/logging", 400, json={"auditLevel": "everything"})
    ucp("POST", "/api/config/trustedregistry_", json={"hostAddress": "dtr.example.com", "caBundle": "pem"})
    document = schema.parse(ucp("GET", "/api/ucp/config-toml").text)[0]
    assert document["audit_log_configuration"]["level"] == "request"
    assert [entry["host_address"] for entry in document["registries"]] == ["dtr.example.com"]


def test_the_license_is_kept_and_looked_into(ucp, ann):
    assert ucp("GET", "/api/config/license").json()["license_config"]["key_id"] == ""
    ann("GET", "/api/config/license", 403)
    ucp("POST", "/api/config/license", json={"auto_refresh": False, "license_config": LICENSE})
    assert ucp("GET", "/api/config/license").json() == {"auto_refresh": False, "license_config": LICENSE}
    for wrong in ({**LICENSE, "key_id": ""}, {**LICENSE, "authorization": "x"}):
        ucp("POST", "/api/config/license", 400, json={"auto_refresh": False, "license_config": wrong})


def test_a_client_bundle_signs_in_until_its_key_is_removed(standin, ucp, ann, tmp_path):
    with zipfile.ZipFile(io.BytesIO(ann("GET", "/api/clientbundle").content)) as bundle:
        assert sorted(bundle.namelist()) == ["ca.pem", "cert.pem", "cert.pub", "env.cmd", "env.ps1", "env.sh", "key.pem"]
        assert f"tcp://{standin.ucp_host}" in bundle.read("env.sh").decode()
        bundle.extractall(tmp_path)
    with requests.Session() as session:
        session.trust_env = False
        session.verify, session.cert = str(tmp_path / "ca.pem"), (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
        assert session.get(f"{standin.ucp_url}/id/", timeout=10).json()["name"] == "ann"
        keys = ann("GET", "/accounts/ann/publicKeys").json()["accountPublicKeys"]
        assert [key["publicKey"] for key in keys] == [(tmp_path / "cert.pub").read_text()]
        ann("DELETE", f"/accounts/ann/publicKeys/{keys[0]['id']}", 204)
        assert session.get(f"{standin.ucp_url}/id/", timeout=10).status_code == 401


def test_nodes_come_from_the_options_and_everything_survives_a_restart(tmp_path):
    worker = {"hostname": "w1", "role": "worker", "address": "10.1.0.2", "state": "down"}
    nodes = ({"hostname": "m1", "role": "manager", "address": "10.1.0.1"}, worker)
    with running(tmp_path, memory=False, nodes=nodes) as standin:
        ucp = sign_in(standin)
        before = [ucp("GET", path).json() for path in ("/nodes", "/swarm", "/collections", "/roles", "/collectionGrants")]
        assert sorted(node["Description"]["Hostname"] for node in before[0]) == ["m1", "w1"]
        ucp("DELETE", "/nodes/w1", 200)
        token = ucp.session.headers["Authorization"]
    with running(tmp_path, memory=False, nodes=nodes) as standin:
        again = Client(standin.ucp_url, standin.ca_file)
        again.session.headers["Authorization"] = token
        assert [node["Description"]["Hostname"] for node in again("GET", "/nodes").json()] == ["m1"]
        assert [again("GET", path).json() for path in ("/swarm", "/collections", "/roles", "/collectionGrants")] == before[1:]
