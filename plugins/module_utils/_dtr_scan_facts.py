# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What scans found: of images, and across images. Reads, and pure functions of what was read.

An entry is what dtr_scan_info returns of one image: {repository, tag, digest, os, architecture, state, critical, major, minor, checked_at,
should_rescan, layers, licenses, components, cut}.
"""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_scans as scans

SEARCHES = ("cve", "component", "layer", "license")
COUNTED = ("repository", "tag", "digest", "os", "architecture", "state", *scans.SEVERITIES, "checked_at", "should_rescan")
UNKNOWN = {**{name: None for name in COUNTED}, "layers": None, "licenses": None, "components": None, "cut": False}


# Reads

def counts(client, declared):
    """Entries with the counts of images; those with a digest take one request for all of them together."""
    named = [item for item in declared if item["digest"]]
    others = scans.find_all(client, [lookup(item) for item in declared if not item["digest"]])
    found = {}
    for batch in batches(named):
        form = {"images": [{"name": name_of(item), "digest": item["digest"]} for item in batch]}
        answer = client.http.call("POST", _dtr.path("imagescan", "scansummary", "tags"), body=form, safe=True).data["images"] or {}
        found.update((identity(item), answer.get(name_of(item))) for item in batch)
    return [counted(item, found[identity(item)]) for item in named] + [entry(image) for image in others]


def details(client, declared, limit):
    """Entries of images with what the scans found in them."""
    images = scans.find_all(client, [lookup(item) for item in declared])
    places = sorted({(image["repository"], image["tag"]) for image in images})
    answers = client.http.each(lambda place: client.get("imagescan", "scansummary", "repositories", *place), places)
    records = {
        (*place, record["scannedImage"]["manifestDigest"]): record for place, answer in zip(places, answers) for record in answer or []}
    return [with_findings(entry(image), records.get(scans.key(image)), limit) for image in images]


def search(client, kind, name, limit):
    """(entries of the images that have a vulnerability, component, layer or license; whether there are more).

    kind: one of SEARCHES.
    """
    records = client.pages(
        "imagescan", "scansummary", kind, name, identity=lambda record: record["scannedImage"]["pk"], limit=limit + 1 if limit else None)
    found = [concerned(record, kind, name) for record in records]
    return found[:limit or None], bool(limit) and len(found) > limit


# Pure functions

def name_of(item):
    """How the request for many images calls one."""
    return f"{item['repository']}:{item['tag']}"


def identity(item):
    """What tells one declared image from the others."""
    return name_of(item), item["digest"]


def lookup(item):
    """A declared image as _dtr_scans wants it."""
    return {**item, "checked_after": None}


def batches(items):
    """Lists of the items none of which has a name twice: answers come by name, and a tag can stand for several images."""
    lists, used = [], {}
    for item in {identity(item): item for item in items}.values():
        number = used[name_of(item)] = used.get(name_of(item), -1) + 1
        lists += [[]] if number == len(lists) else []
        lists[number].append(item)
    return lists


def entry(image):
    """The entry of an image of _dtr_scans."""
    return {**UNKNOWN, **{name: image[name] for name in COUNTED}}


def counted(item, found):
    """The entry of an image of which only the digest was known; found: schema.ScannerVulnCount, None where there is no result."""
    known = {name: item[name] for name in ("repository", "tag", "digest")}
    return {**UNKNOWN, **known, **({"state": "completed", **severities(found)} if found else {"state": "unknown"})}


def severities(count):
    """{critical, major, minor} of a schema.ScannerVulnCount."""
    return {severity: count[severity] for severity in scans.SEVERITIES}


def with_findings(image, record, limit):
    """The entry with the findings of its responses.ScanSummary, None where it was never scanned."""
    if record is None:
        return image
    found = record["scannedImage"]
    bad = sorted((part for part in found["components"] or [] if part["cves"]), key=badness)
    return {
        **image, "layers": [layer["digest"] for layer in found["layers"] or []],
        "licenses": sorted({one["name"] for one in found["licenses"] or []}),
        "components": [component(part, found) for part in bad[:limit or None]], "cut": bool(limit) and len(bad) > limit,
    }


def badness(part):
    """Sorts components, the worst first."""
    return [-part["vulnCount"][severity] for severity in scans.SEVERITIES], part["name"], part["version"]


def component(part, image):
    """A component with its vulnerabilities; image: the schema.ScannedImage that it is in."""
    known = {cve["cvePK"]: cve for cve in image["cves"] or []}
    layer = next((layer["digest"] for layer in image["layers"] or [] if part["componentPK"] in (layer["components"] or [])), None)
    return {
        "name": part["name"], "version": part["version"], "layer": layer, **severities(part["vulnCount"]),
        "cves": [{"cve": name, "cvss": known[name]["cvss"] if name in known else None} for name in part["cves"] or []],
    }


def concerned(record, kind, name):
    """The entry of a responses.ScanSummary that a search found, with the components because of which it was."""
    found = record["scannedImage"]
    status = record.get("scanStatus")
    parts = {
        "cve": [part for part in found["components"] or [] if name in (part["cves"] or [])],
        "component": [part for part in found["components"] or [] if part["name"] == name],
    }.get(kind, [])
    return {
        **UNKNOWN, "repository": f"{found['namespace']}/{found['repository']}", "tag": found["tag"], "digest": found["manifestDigest"],
        "state": scans.STATES[status] if status in range(len(scans.STATES)) else "unknown", **severities(found["totalVulnCount"]),
        "should_rescan": record["shouldRescan"], "components": [component(part, found) for part in parts],
    }
