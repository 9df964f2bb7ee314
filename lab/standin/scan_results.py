# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a scan found to what the API answers (DTR 2.7 API: image scanning). Pure.

A stored scan is {"pk", "namespace", "repository", "tag", "digest", "status", "error", "checkedAt", "dbVersion", "foreign",
"components": [scanner component], "found": {component key: [cve]}, "cves": {cve: {"cvss", "summary"}},
"layers": [{"digest", "mediaType", "size"}]}; `overrides` are schema.LayerVulnOverride objects.
"""

from __future__ import annotations

import csv
import io
import json

from . import scanner

FAILED, UNSCANNED, SCANNING, PENDING, SCANNED, CHECKING, COMPLETED = range(7)
SEVERITIES = ("critical", "major", "minor")
FINGERPRINT = {"scannerType": 0, "version": ["1"]}
PERMISSIVE = ("MIT", "BSD", "APACHE", "ISC", "ZLIB", "EXPAT")


def scanned_image(doc: dict, overrides: list[dict], tag: str) -> dict:
    """schema.ScannedImage. A CVE that an override hides in its layer is neither listed nor counted."""
    relevant = [item for item in overrides if item["digest"] in {layer["digest"] for layer in doc["layers"]}]
    parts = [_component(part, doc, relevant) for part in doc["components"]]
    cves = sorted({cve for part in parts for cve in part["cves"]})
    return {
        "pk": doc["pk"],
        "namespace": doc["namespace"],
        "repository": doc["repository"],
        "tag": tag,
        "manifestDigest": doc["digest"],
        "totalVulnCount": {name: sum(part["vulnCount"][name] for part in parts) for name in SEVERITIES},
        "licenses": [_license(name) for name in licenses(doc)],
        "layers": [_layer(index, layer, doc) for index, layer in enumerate(doc["layers"])],
        "components": parts,
        "cves": [{"cvePK": cve, "cvss": doc["cves"][cve]["cvss"], "summary": doc["cves"][cve]["summary"], "notes": ""} for cve in cves],
        "maxCVSSValue": max((doc["cves"][cve]["cvss"] for cve in cves), default=0.0),
        "scannerFingerprint": FINGERPRINT,
        "vulnOverrides": relevant,
    }


def summary(doc: dict, overrides: list[dict], tag: str, db_version: int, with_status: bool = True) -> dict:
    """responses.ScanSummary; `scanStatus` is left out on request."""
    status = {"scanStatus": doc["status"]} if with_status else {}
    return {**status, "scannedImage": scanned_image(doc, overrides, tag), "shouldRescan": stale(doc, db_version)}


def old_summary(doc: dict, overrides: list[dict], tag: str, db_version: int, detailed: bool = False) -> dict:
    """responses.OldScanSummary: what tags and the deprecated endpoint show."""
    image = scanned_image(doc, overrides, tag)
    result = {
        "namespace": doc["namespace"],
        "reponame": doc["repository"],
        "tag": tag,
        **image["totalVulnCount"],
        "last_scan_status": doc["status"],
        "check_completed_at": doc["checkedAt"],
        "should_rescan": stale(doc, db_version),
        "has_foreign_layers": doc["foreign"],
    }
    return {**result, "layer_details": [_details(layer, image) for layer in image["layers"]]} if detailed else result


def stale(doc: dict, db_version: int) -> bool:
    """Whether the database is newer than the one the image was checked against."""
    return doc["dbVersion"] < db_version


def licenses(doc: dict) -> list[str]:
    return sorted({name for part in doc["components"] for name in part["licenses"]})


def license_type(name: str) -> str:
    """A rough class; the product's own classes are not documented."""
    if "GPL" in name.upper():
        return "copyleft"
    return "permissive" if name.upper().startswith(PERMISSIVE) else "unknown"


def export_csv(image: dict) -> str:
    """One row for each component and CVE; the product's columns are not documented."""
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(["component", "version", "cve", "cvss", "severity", "summary"])
    known = {cve["cvePK"]: cve for cve in image["cves"]}
    for part in image["components"]:
        for name in part["cves"]:
            cve = known[name]
            writer.writerow([part["name"], part["version"], name, cve["cvss"], scanner.severity(cve["cvss"]) or "none", cve["summary"]])
    return rows.getvalue()


def export_json(image: dict) -> str:
    return json.dumps(image, indent=1)


def _component(part: dict, doc: dict, overrides: list[dict]) -> dict:
    layer = doc["layers"][part["layer"]]["digest"]
    hidden = {
        item["cve"] for item in overrides
        if (item["digest"], item["component"], item["componentVersion"]) == (layer, part["name"], part["version"])
    }
    key = scanner.key(part)
    cves = [cve for cve in doc["found"].get(key, []) if cve not in hidden]
    found = [scanner.severity(doc["cves"][cve]["cvss"]) for cve in cves]
    return {
        "componentPK": key,
        "vulnCount": {name: found.count(name) for name in SEVERITIES},
        "name": part["name"],
        "version": part["version"],
        "filepaths": part["filepaths"],
        "cves": cves,
        "licenses": part["licenses"],
        "source": part["source"],
    }


def _layer(index: int, layer: dict, doc: dict) -> dict:
    keys = [scanner.key(part) for part in doc["components"] if part["layer"] == index]
    return {"digest": layer["digest"], "mediaType": layer["mediaType"], "author": "", "size": layer["size"], "components": keys}


def _license(name: str) -> dict:
    return {"name": name, "type": license_type(name), "url": ""}


def _details(layer: dict, image: dict) -> dict:
    """responses.DetailedSummary of one layer."""
    cves = {cve["cvePK"]: cve for cve in image["cves"]}
    components = []
    for part in image["components"]:
        if part["componentPK"] not in layer["components"]:
            continue
        vulns = [
            {"exact": True, "notes": [], "vuln": {"cve": name, "cvss": cves[name]["cvss"], "summary": cves[name]["summary"]}}
            for name in part["cves"]
        ]
        named = {"license": _license(part["licenses"][0])} if part["licenses"] else {}
        components.append({"component": part["name"], "version": part["version"], "fullpath": part["filepaths"], "vulns": vulns, **named})
    return {"sha256sum": layer["digest"], "components": components}
