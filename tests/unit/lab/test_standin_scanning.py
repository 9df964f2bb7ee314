# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scanning: the scanner on layers, and the stand-in on images that were really pushed."""

from __future__ import annotations

import io
import json
import tarfile

import images
import pytest
from standin import scanner
from standin_fixture import PASSWORD, REGISTRY_BINARY, Client, running
from waiting import wait_for

DPKG, APK = "var/lib/dpkg/status", "lib/apk/db/installed"
OLD_OPENSSL = {"openssl": "3.0.11-1~deb12u1", "zlib1g": "1:1.2.13.dfsg-1", "bash": "5.2.15-2"}
PENDING, SCANNED, COMPLETED, FAILED = 3, 4, 6, 0


def status(**packages: str) -> bytes:
    return "\n".join(f"Package: {name}\nStatus: install ok installed\nVersion: {version}\n" for name, version in packages.items()).encode()


def scan(*layers: dict[str, bytes]) -> dict[tuple[str, str], int]:
    """(name, version) -> index of the layer it came with."""
    found = scanner.scan([io.BytesIO(images.layer(files)) for files in layers])
    return {(part["name"], part["version"]): part["layer"] for part in found}


# -- the scanner


def test_packages_belong_to_the_layer_that_brought_them():
    first, second = status(bash="5.1", zlib1g="1.2"), status(bash="5.2", zlib1g="1.2", curl="8.0")
    assert scan({DPKG: first}, {"etc/motd": b"x"}, {DPKG: second}) == {("bash", "5.2"): 2, ("curl", "8.0"): 2, ("zlib1g", "1.2"): 0}


def test_removed_and_unpacked_packages_do_not_count():
    text = b"Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: here\nStatus: install ok installed\nVersion: 2\n"
    assert scan({DPKG: text}) == {("here", "2"): 0}


@pytest.mark.parametrize("whiteout", [
    "var/lib/dpkg/.wh.status", "var/lib/.wh.dpkg", ".wh.var", "var/lib/dpkg/.wh..wh..opq", "./var/lib/dpkg/.wh.status", ".wh..wh..opq",
])
def test_whiteouts_hide_lower_layers(whiteout):
    assert scan({DPKG: status(bash="5.1")}, {whiteout: b""}) == {}


def test_an_opaque_folder_keeps_what_its_own_layer_brings():
    assert scan({DPKG: status(bash="5.1")}, {DPKG: status(curl="8.0"), "var/lib/dpkg/.wh..wh..opq": b""}) == {("curl", "8.0"): 1}


def test_folders_of_single_packages_and_alpine():
    apk = b"C:Q1\nP:musl\nV:1.2.4-r1\nL:MIT\n\nP:busybox\nV:1.36.1-r4\nL:GPL-2.0-only AND MIT\n"
    found = scanner.scan([io.BytesIO(images.layer({"var/lib/dpkg/status.d/tzdata": b"Package: tzdata\nVersion: 2024a\n", APK: apk}))])
    assert [(part["source"], part["name"], part["licenses"]) for part in found] == [
        ("apk", "busybox", ["GPL-2.0-only", "MIT"]), ("apk", "musl", ["MIT"]), ("deb", "tzdata", []),
    ]


def test_licences_of_machine_readable_copyright_files():
    copyright_file = b"Format: machine-readable\n\nFiles: *\nLicense: GPL-2+\n\nLicense: MIT\n"
    [part] = scanner.scan([io.BytesIO(images.layer({DPKG: status(bash="5"), "usr/share/doc/bash/copyright": copyright_file}))])
    assert part["licenses"] == ["GPL-2+", "MIT"]


def test_what_is_no_layer():
    with pytest.raises(scanner.ScanError, match="not a tar"):
        scanner.scan([io.BytesIO(b"nonsense" * 200)])


def test_matching():
    found = [{"source": "deb", "name": "openssl", "version": "3.0.11-1~deb12u1"}, {"source": "deb", "name": "bash", "version": "9"}]
    advisories = [
        {"cve": "A", "source": "deb", "package": "openssl", "fixed_in": "3.0.11-1~deb12u2"},
        {"cve": "B", "source": "deb", "package": "openssl", "fixed_in": "3.0.11-1~deb12u1"},
        {"cve": "C", "source": "apk", "package": "openssl", "fixed_in": ""},
        {"cve": "D", "source": "deb", "package": "bash", "fixed_in": ""},
    ]
    assert scanner.match(found, advisories) == {"deb/openssl@3.0.11-1~deb12u1": ["A"], "deb/bash@9": ["D"]}


@pytest.mark.parametrize("cvss, name", [
    (10, "critical"), (7, "critical"), (6.9, "major"), (4, "major"), (3.9, "minor"), (0.1, "minor"), (0, None),
])
def test_severity(cvss, name):
    assert scanner.severity(cvss) == name


# -- in the stand-in


@pytest.fixture(scope="module")
def side(tmp_path_factory):
    """A stand-in with a real registry, scanning on and the shipped advisories loaded, and its client."""
    if not REGISTRY_BINARY.exists():
        pytest.fail(f"{REGISTRY_BINARY} is missing: run make setup")
    with running(tmp_path_factory.mktemp("scan") / "standin", registry_binary=str(REGISTRY_BINARY)) as standin:
        dtr = Client(standin.dtr_url, standin.ca_file, standin.admin[0])
        dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ops", "isOrg": True})
        enable(dtr)
        dtr("PUT", "/api/v0/imagescan/scan/update?online=true", 200)
        wait_for(lambda: dtr("GET", "/api/v0/imagescan/status").json()["db_version"] == 1)
        yield standin, dtr


def enable(dtr) -> None:
    dtr("POST", "/api/v0/meta/settings", 202, json={"scanningEnabled": True})
    wait_for(lambda: dtr("GET", "/api/v0/meta/settings").json()["scanningEnabled"])


def repository(dtr, name: str, scan_on_push: bool = True) -> str:
    dtr("POST", "/api/v0/repositories/ops", 201, json={"name": name, "scanOnPush": scan_on_push})
    return f"ops/{name}"


def summaries(dtr, path: str, reference: str, query: str = "") -> list[dict]:
    return dtr("GET", f"/api/v0/imagescan/scansummary/repositories/{path}/{reference}{query}").json()


def scanned(dtr, path: str, reference: str, expected: int = COMPLETED) -> dict:
    """The one summary of an image once its scan has come so far."""
    def look():
        found = summaries(dtr, path, reference)
        return found[0] if found and found[0]["scanStatus"] == expected else None
    return wait_for(look)


def database(*advisories: dict, version: int = 1) -> dict:
    content = json.dumps({"version": version, "advisories": list(advisories)}).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("db/advisories.json")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return {"file": ("db.tar", packed.getvalue())}


def advisory(cve: str, **more) -> dict:
    return {"cve": cve, "source": "deb", "package": "openssl", "fixed_in": "", "cvss": 5.0, "summary": "made up", **more}


def test_scan_on_push_counts_by_severity(side):
    standin, dtr = side
    path = repository(dtr, "onpush")
    digest = images.push(standin, f"{path}:1.0", images.image(images.layer({"etc/motd": b"x"}), images.dpkg_layer(OLD_OPENSSL)))
    result = scanned(dtr, path, "1.0")
    image = result["scannedImage"]
    assert image["totalVulnCount"] == {"critical": 1, "major": 1, "minor": 1} and image["maxCVSSValue"] == 9.8
    assert [cve["cvePK"] for cve in image["cves"]] == ["CVE-2099-0001", "CVE-2099-0003", "CVE-2099-0005"]
    assert (image["manifestDigest"], image["tag"], result["shouldRescan"]) == (digest, "1.0", False)
    openssl = next(part for part in image["components"] if part["name"] == "openssl")
    assert openssl["cves"] == ["CVE-2099-0001"] and openssl["filepaths"] == [DPKG]
    assert [len(layer["components"]) for layer in image["layers"]] == [0, 3]
    summary = dtr("GET", f"/api/v0/repositories/{path}/tags/1.0").json()[0]["vuln_summary"]
    assert (summary["critical"], summary["major"], summary["minor"], summary["last_scan_status"]) == (1, 1, 1, COMPLETED)
    assert summaries(dtr, path, digest)[0] == result
    assert "scanStatus" not in summaries(dtr, path, "1.0", "?scanstatus=false")[0]


def test_scan_on_demand_and_one_architecture_of_an_index(side):
    standin, dtr = side
    path = repository(dtr, "ondemand", scan_on_push=False)
    clean, bad = images.image(images.dpkg_layer({"curl": "8"})), images.image(images.dpkg_layer(OLD_OPENSSL), architecture="arm64")
    images.push(standin, f"{path}:multi", images.index(clean, bad))
    assert summaries(dtr, path, "multi") == []
    dtr("POST", f"/api/v0/imagescan/scan/{path}/multi/linux/arm64", 200)
    arm = scanned(dtr, path, bad.digest)
    assert arm["scannedImage"]["totalVulnCount"]["critical"] == 1
    assert summaries(dtr, path, "multi", "?arch=amd64") == []
    dtr("POST", f"/api/v0/imagescan/scan/{path}/multi/linux/amd64", 200)
    scanned(dtr, path, clean.digest)
    assert len(summaries(dtr, path, "multi")) == 2
    dtr("POST", f"/api/v0/imagescan/scan/{path}/multi/windows/amd64", 404)
    dtr("POST", f"/api/v0/imagescan/scan/{path}/nothing/linux/amd64", 404)


def test_a_scan_is_pending_until_a_worker_has_room(side):
    standin, dtr = side
    path = repository(dtr, "waiting")
    worker = f"/api/v0/workers/{standin.options.replica_id}/capacity"
    dtr("POST", worker, 202, json={"capacityMap": {"scan": 0}})
    images.push(standin, f"{path}:1.0", images.image(images.dpkg_layer({"bash": "5"})))
    images.push(standin, f"{path}:2.0", images.image(images.dpkg_layer({"bash": "6"})))
    assert [summaries(dtr, path, tag)[0]["scanStatus"] for tag in ("1.0", "2.0")] == [PENDING, PENDING]
    [job] = [job for job in dtr("GET", "/api/v0/jobs?action=scan_check&limit=100").json()["jobs"]
             if job["parameters"]["key"] == f"{path}/{summaries(dtr, path, '1.0')[0]['scannedImage']['manifestDigest']}"]
    dtr("POST", f"/api/v0/jobs/{job['id']}/cancel", 204)
    assert summaries(dtr, path, "1.0")[0]["scanStatus"] == FAILED
    dtr("POST", worker, 202, json={"capacityMap": {"scan": 1, "scanCheck": 1}})
    scanned(dtr, path, "2.0")


def test_all_images_with_a_layer(side):
    standin, dtr = side
    path, layer = repository(dtr, "single"), images.dpkg_layer({"bash": "4"})
    images.push(standin, f"{path}:1.0", images.image(layer))
    before = scanned(dtr, path, "1.0")
    [first] = dtr("GET", f"/api/v0/repositories/{path}/tags/1.0").json()

    def run(digest: str) -> str:
        body = {"action": "scan_check_single", "parameters": {"SHA256SUM": digest}}
        job = dtr("POST", "/api/v0/jobs", 202, json=body).json()
        return wait_for(lambda: (now := dtr("GET", f"/api/v0/jobs/{job['id']}").json()["status"]) in ("done", "errored") and now)

    assert run(images.digest_of(layer)) == "done"
    assert scanned(dtr, path, "1.0") == before
    [second] = dtr("GET", f"/api/v0/repositories/{path}/tags/1.0").json()
    assert second["vuln_summary"]["check_completed_at"] > first["vuln_summary"]["check_completed_at"]
    assert run("0" * 64) == "errored"


def test_the_lists(side):
    standin, dtr = side
    path = repository(dtr, "listed")
    licensed = images.layer({APK: b"P:rare-package\nV:1.0-r0\nL:Artistic-2.0\n"})
    image = images.image(licensed)
    images.push(standin, f"{path}:1.0", image)
    wanted = scanned(dtr, path, "1.0")
    layer = images.digest_of(licensed)

    def listed(rest: str) -> list[dict]:
        return dtr("GET", f"/api/v0/imagescan/scansummary/{rest}").json()

    assert listed("component/rare-package") == listed("license/Artistic-2.0") == listed(f"layer/{layer}") == [wanted]
    assert listed("component/no-such") == listed("cve/CVE-2099-9999") == []
    affected = images.push(standin, f"{repository(dtr, 'affected')}:1", images.image(images.dpkg_layer({"libc6": "2.36-9"})))
    scanned(dtr, "ops/affected", "1")
    assert [found["scannedImage"]["manifestDigest"] for found in listed("cve/CVE-2099-0004")] == [affected]
    dtr("GET", "/api/v0/imagescan/scansummary/layer/sha256:none", 404)
    body = {"images": [{"name": "ops/affected:1", "digest": affected}, {"name": "ops/affected:2", "digest": "sha256:0"}]}
    counts = dtr("POST", "/api/v0/imagescan/scansummary/tags", 200, json=body).json()
    assert counts == {"images": {"ops/affected:1": {"critical": 1, "major": 0, "minor": 0}}}


def test_export_and_the_deprecated_summary(side):
    standin, dtr = side
    path = repository(dtr, "exported")
    images.push(standin, f"{path}:1.0", images.image(images.dpkg_layer(OLD_OPENSSL)))
    scanned(dtr, path, "1.0")
    export = f"/api/v0/imagescan/scansummary/repositories/{path}/1.0/export"
    rows = dtr("GET", export, 200, headers={"Accept": "text/csv"}).text.splitlines()
    assert len(rows) == 4 and any(row.startswith("openssl,3.0.11-1~deb12u1,CVE-2099-0001,9.8,critical,") for row in rows)
    assert dtr("GET", export, 200, headers={"Accept": "application/json"}).json()["totalVulnCount"]["critical"] == 1
    [old] = dtr("GET", f"/api/v0/imagescan/repositories/{path}/1.0").json()
    assert old["reponame"] == "exported" and old["critical"] == 1
    [details] = old["layer_details"]
    [bash] = [part for part in details["components"] if part["component"] == "bash"]
    assert [vuln["vuln"]["cve"] for vuln in bash["vulns"]] == ["CVE-2099-0003"]
    assert "layer_details" not in dtr("GET", f"/api/v0/imagescan/repositories/{path}/1.0?detailed=false").json()[0]


def test_an_override_changes_the_counts(side):
    standin, dtr = side
    path, layer = repository(dtr, "overridden"), images.dpkg_layer({"openssl": "3.0.10-1", "own": "1"})
    images.push(standin, f"{path}:1.0", images.image(layer))
    assert scanned(dtr, path, "1.0")["scannedImage"]["totalVulnCount"] == {"critical": 1, "major": 1, "minor": 0}
    body = {"component": "openssl", "componentVersion": "3.0.10-1", "cve": "CVE-2099-0001", "notes": "not reachable"}
    where = f"/api/v0/imagescan/layeroverride/{images.digest_of(layer)}"
    dtr("POST", where, 200, json=body)
    dtr("POST", where, 200, json=body)   # the same once more is the same override
    [override] = dtr("GET", "/api/v0/imagescan/layeroverride").json()
    image = summaries(dtr, path, "1.0")[0]["scannedImage"]
    assert image["totalVulnCount"] == {"critical": 0, "major": 1, "minor": 0} and image["vulnOverrides"] == [override]
    assert [cve["cvePK"] for cve in image["cves"]] == ["CVE-2099-0002"]
    dtr("POST", "/api/v0/imagescan/layeroverride/sha256:none", 404, json=body)
    dtr("DELETE", f"/api/v0/imagescan/layeroverride/{override['pk']}", 200)
    dtr("DELETE", f"/api/v0/imagescan/layeroverride/{override['pk']}", 404)
    assert summaries(dtr, path, "1.0")[0]["scannedImage"]["totalVulnCount"]["critical"] == 1


def test_promotion_waits_for_the_scan(side):
    standin, dtr = side
    source, target = repository(dtr, "gate"), repository(dtr, "through", scan_on_push=False)
    rule = {"field": "vulnerability_critical", "operator": "eq", "values": ["0"]}
    body = {"enabled": True, "rules": [rule], "tagTemplate": "", "targetRepository": target}
    dtr("POST", f"/api/v0/repositories/{source}/promotionPolicies", 201, json=body)
    images.push(standin, f"{source}:bad", images.image(images.dpkg_layer(OLD_OPENSSL)))
    images.push(standin, f"{source}:good", images.image(images.dpkg_layer({"openssl": "3.0.11-1~deb12u2"})))
    scanned(dtr, source, "bad"), scanned(dtr, source, "good")
    assert [tag["name"] for tag in wait_for(lambda: dtr("GET", f"/api/v0/repositories/{target}/tags").json())] == ["good"]


def test_a_broken_layer_fails_the_scan(side):
    standin, dtr = side
    path = repository(dtr, "broken")
    failures = []
    standin.hooks.on("SCAN_FAILED", lambda **facts: failures.append(facts))
    image = images.image(images.layer({"x": b"x"}))
    broken = json.loads(image.manifest)
    garbage = b"this is no tar" * 100
    broken["layers"][0] |= {"digest": images.digest_of(garbage), "size": len(garbage)}
    blobs = (image.blobs[0], garbage)
    images.push(standin, f"{path}:1.0", images.Image(image.media_type, json.dumps(broken).encode(), image.platform, blobs))
    assert scanned(dtr, path, "1.0", FAILED)
    [failure] = failures
    assert failure["repository"] == "broken" and "not a tar" in failure["error"]
    [job] = [job for job in dtr("GET", "/api/v0/jobs?action=scan_check&limit=100").json()["jobs"] if job["status"] == "errored"]
    assert "not a tar" in dtr("GET", f"/api/v0/jobs/{job['id']}/logs").json()[-1]["data"]


def test_reading_takes_sight_and_scanning_takes_write(side):
    standin, dtr = side
    path = repository(dtr, "closed")
    images.push(standin, f"{path}:1.0", images.image(images.dpkg_layer({"closed-package": "1"})))
    scanned(dtr, path, "1.0")
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ann", "password": PASSWORD, "isActive": True})
    ann = Client(standin.dtr_url, standin.ca_file, "ann")
    ann("GET", f"/api/v0/imagescan/scansummary/repositories/{path}/1.0", 404)
    assert ann("GET", "/api/v0/imagescan/scansummary/component/closed-package").json() == []
    dtr("PATCH", f"/api/v0/repositories/{path}", 200, json={"visibility": "public", "immutableTags": False})
    assert len(ann("GET", "/api/v0/imagescan/scansummary/component/closed-package").json()) == 1
    ann("POST", f"/api/v0/imagescan/scan/{path}/1.0/linux/amd64", 403)
    ann("POST", "/api/v0/imagescan/scan", 403, json={"scan": True, "check": False})
    ann("PUT", "/api/v0/imagescan/scan/update?online=true", 403)
    ann("GET", "/api/v0/imagescan/layeroverride", 403)


def test_a_new_database_asks_for_a_rescan(standin_with_registry, dtr_of):
    standin, dtr = standin_with_registry, dtr_of(standin_with_registry)
    dtr("POST", "/enzi/v0/accounts/", 201, json={"name": "ops", "isOrg": True})
    for rest in ("status", "scansummary/cve/CVE-1"):
        assert dtr("GET", f"/api/v0/imagescan/{rest}", 400).json()["errors"][0]["code"] == "SCANNING_NOT_ENABLED"
    enable(dtr)
    path = repository(dtr, "base")
    images.push(standin, f"{path}:1.0", images.image(images.dpkg_layer({"openssl": "1"})))
    assert scanned(dtr, path, "1.0", SCANNED)["scannedImage"]["totalVulnCount"] == {"critical": 0, "major": 0, "minor": 0}
    dtr("PUT", "/api/v0/imagescan/scan/update", 200, files=database(advisory("CVE-2099-1001")))
    assert summaries(dtr, path, "1.0")[0]["shouldRescan"] is True
    dtr("POST", "/api/v0/imagescan/scan", 200, json={"scan": False, "check": True})
    assert scanned(dtr, path, "1.0")["scannedImage"]["totalVulnCount"]["major"] == 1
    updated = []
    standin.hooks.on("SCANNER_UPDATE_COMPLETED", lambda **facts: updated.append(facts["db_version"]))
    dtr("POST", "/api/v0/meta/settings", 202, json={"scanningEnableAutoRecheck": True})
    dtr("PUT", "/api/v0/imagescan/scan/update", 200, files=database(advisory("CVE-2099-1002", cvss=9.0), version=2))
    wait_for(lambda: summaries(dtr, path, "1.0")[0]["scannedImage"]["totalVulnCount"]["critical"] == 1)
    assert updated == [2]
    status_now = dtr("GET", "/api/v0/imagescan/status").json()
    assert status_now["db_version"] == 2 and status_now["lastDBUpdateFailed"] is False
    for files in ({"file": ("db.tar", b"nonsense")}, {"other": ("db.tar", b"")}, database({"cve": "CVE-1"}), database(version=0)):
        answer = dtr("PUT", "/api/v0/imagescan/scan/update", 400, files=files).json()
        assert answer["errors"][0]["code"] == "SCANNING_DB_NOT_READY"
    assert dtr("GET", "/api/v0/imagescan/status").json()["lastDBUpdateFailed"] is True
    assert dtr("GET", "/api/v0/imagescan/status").json()["db_version"] == 2


@pytest.fixture
def dtr_of():
    return lambda standin: Client(standin.dtr_url, standin.ca_file, standin.admin[0])


def test_the_online_feed(tmp_path):
    with running(tmp_path / "standin", advisories="") as standin:
        dtr = Client(standin.dtr_url, standin.ca_file, standin.admin[0])
        dtr("POST", "/api/v0/meta/settings", 202, json={"scanningEnabled": True, "scanningSyncOnline": True})
        wait_for(lambda: [job["status"] for job in dtr("GET", "/api/v0/jobs?action=update_vuln_db").json()["jobs"]] == ["errored"])
        assert dtr("GET", "/api/v0/imagescan/status").json()["lastDBUpdateFailed"] is True
        assert standin.scanning.db_version == 0
