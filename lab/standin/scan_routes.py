# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image scanning over HTTP (DTR 2.7 API). Who may do what is hardly documented: reading takes sight of the repository,
starting a scan takes write access, and what works system-wide is for administrators.
"""

from __future__ import annotations

import hashlib

from aiohttp import MultipartReader

from . import scan_results
from .errors import Refused
from .paging import page
from .server import Answer, operation

BASE = "/api/v0/imagescan"
SUMMARIES = f"{BASE}/scansummary"


def _no_such(code: str, what: str) -> Refused:
    return Refused(404, code, f"There is no {what}.")


def _images(standin, call, reference: str, code: str) -> list[tuple[str, str, str]]:
    """[(repository, digest, tag)] of the images behind a tag or digest that fit `os` and `arch`."""
    namespace, name = call.path["namespace"], call.path["reponame"]
    standin.repositories.demand(call.caller, namespace, name, "read-only")
    repository = f"{namespace}/{name}"
    tag = standin.store.get("tag", f"{repository}/{reference}")
    digest = tag["digest"] if tag else reference
    found = [
        manifest for manifest in standin.scanning.manifests(repository, digest)
        if (call.query.get("os") or manifest["os"]) == manifest["os"]
        and (call.query.get("arch") or manifest["architecture"]) == manifest["architecture"]
    ]
    if not found:
        raise _no_such(code, f"image {repository}:{reference} of that kind")
    return [(repository, manifest["digest"], tag["name"] if tag else "") for manifest in found]


def _summary(standin, call, doc: dict, tag: str) -> dict:
    return scan_results.summary(doc, standin.scanning.overrides(), tag, standin.scanning.db_version, call.query["scanstatus"])


def _scans(standin, call, reference: str, code: str) -> list[dict]:
    """The summaries of a tag or digest; an image that was never scanned has none."""
    standin.scanning.demand_enabled()
    images = _images(standin, call, reference, code)
    docs = [(standin.store.get("scan", f"{repository}/{digest}"), tag) for repository, digest, tag in images]
    return [_summary(standin, call, doc, tag or doc["tag"]) for doc, tag in docs if doc]


def _listing(standin, call, fits) -> Answer:
    """A page of the scanned images which the caller may see and for which `fits(doc)` holds."""
    standin.scanning.demand_enabled()
    rights = standin.access.rights(call.caller)
    docs = [doc for doc in standin.store.all("scan") if fits(doc)]
    docs = [doc for doc in docs if rights.repository(standin.store.get("repository", f"{doc['namespace']}/{doc['repository']}"))]
    answer = page(call, docs, lambda doc: doc["pk"])
    return Answer(200, [_summary(standin, call, doc, doc["tag"]) for doc in answer.body], answer.headers)


# -- starting


@operation("POST", f"{BASE}/scan", auth="admin")
def scan_all(standin, call):
    standin.scanning.demand_enabled()
    standin.scanning.request_all(call.body["scan"], call.body["check"])
    return Answer(200)


@operation("POST", f"{BASE}/scan/{{namespace}}/{{reponame}}/{{tag}}/{{os}}/{{arch}}")
def scan_image(standin, call):
    standin.scanning.demand_enabled()
    standin.repositories.demand(call.caller, call.path["namespace"], call.path["reponame"], "read-write")
    call.query = {"os": call.path["os"], "arch": call.path["arch"]}
    for repository, digest, tag in _images(standin, call, call.path["tag"], "NO_SUCH_TAG"):
        standin.scanning.request(repository, digest, tag or digest)
    return Answer(200)


@operation("PUT", f"{BASE}/scan/update", auth="admin")
async def update_database(standin, call):
    if call.query["online"]:
        standin.jobs.submit("update_vuln_db")
        return Answer(200)
    if not call.request.content_type.startswith("multipart/"):
        raise Refused(400, "SCANNING_DB_NOT_READY", "Send the database as the multipart field file, or ask for online=true.")
    # Not request.multipart(): newer versions of aiohttp hold its parts to the size of other bodies, and databases are large.
    async for part in MultipartReader(call.request.headers, call.request.content):
        if part.name == "file":
            standin.vulnerabilities.upload(bytes(await part.read(decode=False)))
            return Answer(200)
    raise Refused(400, "SCANNING_DB_NOT_READY", "The upload has no field named file.")


@operation("GET", f"{BASE}/status")
def database_status(standin, _call):
    standin.scanning.demand_enabled()
    return standin.vulnerabilities.status()


# -- results


@operation("GET", f"{SUMMARIES}/repositories/{{namespace}}/{{reponame}}/{{reference}}")
def scan_summary(standin, call):
    return _scans(standin, call, call.path["reference"], "NO_SUCH_REF")


@operation("GET", f"{SUMMARIES}/repositories/{{namespace}}/{{reponame}}/{{tag}}/export")
def export_summary(standin, call):
    summaries = _scans(standin, call, call.path["tag"], "NO_SUCH_TAG")
    if len(summaries) != 1:
        raise Refused(400, "INVALID_PARAMETERS", f"{len(summaries)} images are scanned under this tag; name one with os and arch.")
    if "text/csv" in call.request.headers.get("Accept", ""):
        return Answer(200, scan_results.export_csv(summaries[0]["scannedImage"]), {"Content-Type": "text/csv"})
    return Answer(200, scan_results.export_json(summaries[0]["scannedImage"]), {"Content-Type": "application/json"})


@operation("GET", f"{BASE}/repositories/{{namespace}}/{{reponame}}/{{tag}}")
def old_summary(standin, call):
    standin.scanning.demand_enabled()
    images = _images(standin, call, call.path["tag"], "NO_SUCH_TAG")
    docs = [standin.store.get("scan", f"{repository}/{digest}") for repository, digest, _tag in images]
    overrides, version = standin.scanning.overrides(), standin.scanning.db_version
    return [scan_results.old_summary(doc, overrides, call.path["tag"], version, call.query["detailed"]) for doc in docs if doc]


@operation("GET", f"{SUMMARIES}/component/{{component}}")
def images_by_component(standin, call):
    name = call.path["component"]
    return _listing(standin, call, lambda doc: any(part["name"] == name for part in doc["components"]))


@operation("GET", f"{SUMMARIES}/cve/{{cve}}")
def images_by_cve(standin, call):
    name, overrides = call.path["cve"], standin.scanning.overrides()

    def affected(doc: dict) -> bool:
        image = scan_results.scanned_image(doc, overrides, doc["tag"]) if name in doc["cves"] else None
        return image is not None and any(cve["cvePK"] == name for cve in image["cves"])

    return _listing(standin, call, affected)


@operation("GET", f"{SUMMARIES}/layer/{{layerid}}")
def images_by_layer(standin, call):
    layer = call.path["layerid"]
    standin.scanning.demand_enabled()
    if not _layer_is_known(standin, layer):
        raise _no_such("NO_SUCH_LAYER", f"layer {layer}")
    return _listing(standin, call, lambda doc: any(entry["digest"] == layer for entry in doc["layers"]))


@operation("GET", f"{SUMMARIES}/license/{{license}}")
def images_by_license(standin, call):
    """By the name or by the type of a licence; the summary of the operation speaks of types, the results have both."""
    wanted = call.path["license"]

    def fits(doc: dict) -> bool:
        return any(wanted in (name, scan_results.license_type(name)) for name in scan_results.licenses(doc))

    return _listing(standin, call, fits)


@operation("POST", f"{SUMMARIES}/tags")
def summaries_of_images(standin, call):
    """Counts by the name that was asked for (`[host/]namespace/repository[:tag]`); what was not scanned is left out."""
    rights, counts = standin.access.rights(call.caller), {}
    for image in call.body["images"]:
        path = image["name"].removeprefix(f"{standin.dtr_name}/")
        name = path.partition(":")[0]
        repository = standin.store.get("repository", name)
        doc = standin.store.get("scan", f"{name}/{image['digest']}")
        if doc and doc["status"] == scan_results.COMPLETED and repository and rights.repository(repository):
            counts[image["name"]] = scan_results.scanned_image(doc, standin.scanning.overrides(), doc["tag"])["totalVulnCount"]
    return {"images": counts}


# -- overrides


def _layer_is_known(standin, digest: str) -> bool:
    return any(layer["digest"] == digest for doc in standin.store.all("scan") for layer in doc["layers"])


@operation("GET", f"{BASE}/layeroverride", auth="admin")
def list_overrides(standin, _call):
    return standin.scanning.overrides()


@operation("POST", f"{BASE}/layeroverride/{{layerid}}", auth="admin")
def set_override(standin, call):
    layer = call.path["layerid"]
    if not _layer_is_known(standin, layer):
        raise _no_such("NO_SUCH_LAYER", f"layer {layer}")
    identity = "|".join([layer, call.body["component"], call.body["componentVersion"], call.body["cve"]])
    pk = hashlib.sha256(identity.encode()).hexdigest()
    standin.store.put("override", pk, {"pk": pk, "digest": layer, **call.body})
    return Answer(200)


@operation("DELETE", f"{BASE}/layeroverride/{{vulnerabilityid}}", auth="admin")
def delete_override(standin, call):
    if not standin.store.delete("override", call.path["vulnerabilityid"]):
        raise _no_such("NO_SUCH_LAYER", f"override {call.path['vulnerabilityid']}")
    return Answer(200)
