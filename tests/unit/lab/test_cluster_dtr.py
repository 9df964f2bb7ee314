# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DTR of three replicas beside a UCP, all of it processes of this machine; its health, names, certificates and accounts."""

from __future__ import annotations

import socket
import ssl

import images
import pytest
import requests
from cluster_fixtures import ADMIN, ping, repository, until_refused
from cluster_site import Target, eventually
from standin.cluster import admin, pki
from standin.tls import Authority
from standin_fixture import PASSWORD, Client

# Health, fronts and names


def test_every_replica_answers_for_itself(cluster, api):
    healthy = ping(cluster, cluster.replicas[2])
    assert healthy.json() == {"Error": "", "Healthy": True}
    everything = {replica.id: "OK" for replica in cluster.replicas}
    eventually(lambda: api("GET", "/api/v0/meta/cluster_status").json()["replica_health"] == everything)
    shown = api("GET", "/api/v0/meta/settings").json()["replicaSettings"]
    assert {name: entry["node"] for name, entry in shown.items()} == {replica.id: replica.config.node for replica in cluster.replicas}


def test_without_tls_there_is_health_and_a_redirect(cluster, api):
    plain = f"http://{cluster.replicas[0].config.front.listen_http}"
    assert requests.get(f"{plain}/_ping", timeout=5).json()["Healthy"]
    moved = requests.get(f"{plain}/api/v0/meta/settings?a=b", timeout=5, allow_redirects=False)
    assert moved.headers["Location"] == f"{Target(cluster).dtr_url}/api/v0/meta/settings?a=b"


def test_names_itself_by_its_setting_whichever_way_a_client_came(cluster, api):
    path = repository(api, "names")
    direct = images.Session(Target(cluster, cluster.replicas[1].config.front.listen_https), path, ADMIN)
    assert direct("POST", "blobs/uploads/", 202).headers["Location"].startswith(f"{Target(cluster).dtr_url}/v2/")
    challenge = requests.get(f"{cluster.replicas[1].url}/v2/", verify=cluster.ca_file, timeout=5).headers["WWW-Authenticate"]
    assert f'realm="{Target(cluster).dtr_url}/auth/token"' in challenge


def test_clients_cannot_speak_for_a_front(cluster, api):
    """Who says in a header which certificate it came with is not believed."""
    forged = {"X-Standin-Client-Certificate": "AAAA"}
    answer = requests.get(f"{Target(cluster).dtr_url}/basic_info", headers=forged, verify=cluster.ca_file, timeout=9)
    assert answer.status_code == 401


def test_only_members_reach_what_is_behind(cluster, api):
    leader = cluster.leader()
    for behind in (leader.config.backend.advertise, leader.config.registry.advertise):
        with pytest.raises(requests.RequestException):
            requests.get(f"https://{behind}/v2/", verify=str(cluster.folder / "ca/ca.pem"), timeout=5)


def test_big_blobs_pass_in_pieces_and_parts(cluster, api):
    path, blob = repository(api, "big"), bytes(range(256)) * 4096 * 48   # 48 MiB
    session = images.Session(Target(cluster), path, ADMIN)
    location = session("POST", "blobs/uploads/", 202).headers["Location"]
    for start in range(0, len(blob), len(blob) // 3):
        piece = blob[start:start + len(blob) // 3]
        answer = session.http.patch(location, data=iter([piece]), headers={"Content-Type": "application/octet-stream"})
        assert answer.status_code == 202, answer.text
        location = answer.headers["Location"]
    digest = images.digest_of(blob)
    assert session.http.put(f"{location}&digest={digest}").status_code == 201
    part = session("GET", f"blobs/{digest}", 206, headers={"Range": "bytes=1000-1999"}).content
    assert part == blob[1000:2000]
    assert images.digest_of(session("GET", f"blobs/{digest}", 200).content) == digest


# Certificates


def served(replica) -> bytes:
    host, port = replica.config.front.listen_https.split(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, int(port)), timeout=5) as plain, context.wrap_socket(plain) as channel:
        return channel.getpeercert(binary_form=True)


def test_a_new_certificate_is_served_by_all_replicas_at_once(cluster, api, tmp_path):
    own = Authority(tmp_path, "Somebody's CA")
    certificate, key = pki.issue(own, "127.0.0.1", ["127.0.0.1", "localhost"])
    before = admin.get(cluster.client(), "tls", "web")
    former = served(cluster.replicas[0])
    api("POST", "/api/v0/meta/settings", 202, json={"webTLSCert": certificate, "webTLSKey": key, "webTLSCA": own.pem})
    expected = ssl.PEM_cert_to_DER_cert(certificate)
    for replica in cluster.replicas:
        eventually(lambda replica=replica: served(replica) == expected, 10)
    assert requests.get(f"{Target(cluster).dtr_url}/ca", verify=str(tmp_path / "ca.pem"), timeout=9).text == own.pem
    admin.put(cluster.client(), "tls", "web", before)   # from outside, as reconfigure does
    for replica in cluster.replicas:
        eventually(lambda replica=replica: served(replica) == former)
    url = f"{Target(cluster).dtr_url}/api/v0/meta/settings"
    settings = eventually(lambda: requests.get(url, auth=ADMIN, verify=cluster.ca_file, timeout=9)).json()
    assert (settings["webTLSCA"], settings["webTLSCert"]) == (before["ca"], before["certificate"])


def test_client_certificates_are_asked_for_as_soon_as_they_are_wanted(cluster, api, tmp_path):
    clients = Authority(tmp_path, "Clients")
    certificate, key = clients.issue("admin", [], client=True)
    (tmp_path / "cert.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(key)

    def who() -> requests.Response:
        pair = (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
        return requests.get(f"{Target(cluster).dtr_url}/basic_info", cert=pair, verify=cluster.ca_file, timeout=9)
    assert who().status_code == 401
    api("POST", "/api/v0/meta/settings", 202, json={"webTLSClientCA": clients.pem, "clientCertAuthEnabled": True})
    assert eventually(lambda: (found := who()).ok and found, 15).json()["AuthnMethod"] == "TLSClientCertificate"
    api("POST", "/api/v0/meta/settings", 202, json={"clientCertAuthEnabled": False})
    eventually(lambda: who().status_code == 401, 15)


# UCP's accounts


def test_accounts_of_ucp_count_here_at_once(cluster, api, accounts):
    accounts("POST", "/enzi/v0/accounts/", 201, json={"name": "ann", "password": PASSWORD})
    own = (Target(cluster).dtr_url, cluster.ca_file)
    token = eventually(lambda: Client(*own, "ann")("POST", "/api/v0/api_tokens?username=ann", json={"tokenLabel": "a"}), 5).json()["token"]
    assert Client(*own, "ann", token)("GET", "/basic_info").json()["User"]["name"] == "ann"
    api("POST", "/enzi/v0/accounts/", 201, json={"name": "ops", "isOrg": True})   # by way of DTR
    team = accounts("POST", "/enzi/v0/accounts/ops/teams", 201, json={"name": "build"}).json()["id"]
    eventually(lambda: api("POST", "/api/v0/repositories/ops", 201, json={"name": "app"}), 5)
    api("PUT", "/api/v0/repositories/ops/app/teamAccess/build", json={"accessLevel": "read-write"})
    accounts("PATCH", "/enzi/v0/accounts/ops/teams/build", json={"name": "builders"})

    def teams() -> list[str]:
        """DTR names teams by id only."""
        return [entry["team"]["id"] for entry in api("GET", "/api/v0/repositories/ops/app/teamAccess").json()["teamAccessList"]]
    eventually(lambda: teams() == [team], 5)
    assert eventually(lambda: api("GET", "/api/v0/accounts/ops/teams/builders/repositoryAccess").json()["repositoryAccessList"], 5)
    accounts("DELETE", "/enzi/v0/accounts/ops/teams/builders", 204)
    eventually(lambda: teams() == [], 5)
    accounts("DELETE", "/enzi/v0/accounts/ann", 204)
    eventually(lambda: requests.get(f"{own[0]}/basic_info", auth=("ann", PASSWORD), verify=own[1], timeout=9).status_code == 401, 5)
    accounts("POST", "/enzi/v0/accounts/", 201, json={"name": "ann", "password": PASSWORD})
    eventually(lambda: Client(*own, "ann")("GET", "/basic_info"), 5)
    Client(*own, "ann", token)("GET", "/basic_info", 401)


def test_an_unknown_authority_of_ucp_breaks_accounts_and_nothing_else(cluster, api, tmp_path):
    kept = admin.get(cluster.client(), "ucp", "ucp")
    api("GET", "/enzi/v0/accounts/")
    admin.put(cluster.client(), "ucp", "ucp", {**kept, "ca": Authority(tmp_path, "former CA of UCP").pem})
    until_refused(lambda: requests.get(f"{Target(cluster).dtr_url}/enzi/v0/accounts/", auth=ADMIN, verify=cluster.ca_file, timeout=9))
    eventually(lambda: api("GET", "/api/v0/meta/settings"))
    admin.put(cluster.client(), "ucp", "ucp", kept)
    eventually(lambda: api("GET", "/enzi/v0/accounts/"))
