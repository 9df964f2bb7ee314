# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Scans of images: found, started, waited for, judged.

An image is {repository, tag, os, architecture, digest, state, critical, major, minor, checked_at, checked_after, should_rescan}: one
manifest of a tag with its last scan. checked_after: RFC 3339; only a result that is newer counts; "" for any.
"""

from __future__ import annotations

import time

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_schedule import moment

STATES = ("failed", "unscanned", "scanning", "pending", "scanned", "checking", "completed")   # by number (DTR docs: webhooks)
UNDER_WAY = ("scanning", "pending", "scanned", "checking")
SEVERITIES = ("critical", "major", "minor")
NEVER = "0001-01-01T00:00:00Z"
SETTLE = 5   # seconds within which a scan that was started shows; until then a failure may be the one before


def name(image):
    """ "ops/base:1.0 linux/amd64"."""
    platform = f"{image['os']}/{image['architecture']}".strip("/")
    return f"{image['repository']}:{image['tag']}{f' {platform}' if platform else ''}"


def key(image):
    """What tells one image from the others."""
    return image["repository"], image["tag"], image["digest"]


def find_all(client, declared):
    """The images that a declared list means, each once."""
    found = client.http.each(lambda item: find(client, item), declared)
    return list({key(image): image for images in found for image in images}.values())


def find(client, declared):
    """The images that one declared item means, one for each platform; InputError when there is none or the digest is another."""
    records = client.find("repositories", declared["repository"], "tags", declared["tag"], os=declared["os"], arch=declared["architecture"])
    images = [image_of(declared, record) for record in records or []]
    if declared["digest"]:
        images = [image for image in images if image["digest"] == declared["digest"]]
    if not images:
        wanted = name({part: declared[part] or "" for part in ("repository", "tag", "os", "architecture")})
        pinned = f" with the digest {declared['digest']}; the tag may have been pushed again" if declared["digest"] else ""
        raise InputError(f"image '{wanted}': {client.http.base_url} has none{pinned}. Check repository, tag and platform.")
    return images


def image_of(declared, record):
    """The image of a responses.Tag. One that was never scanned has no summary."""
    manifest, scan = record["manifest"], record.get("vuln_summary") or {}
    status = scan.get("last_scan_status", STATES.index("unscanned"))
    return {
        "repository": declared["repository"], "tag": declared["tag"], "os": manifest.get("os") or "",
        "architecture": manifest.get("architecture") or "", "digest": manifest["digest"],
        "state": STATES[status] if status in range(len(STATES)) else str(status),
        **{severity: scan.get(severity, 0) for severity in SEVERITIES},
        "checked_at": scan.get("check_completed_at") or NEVER, "checked_after": declared["checked_after"] or "",
        "should_rescan": bool(scan.get("should_rescan")),
    }


def has_result(image):
    """Whether it was checked to the end, recently enough."""
    newer = not image["checked_after"] or moment(image["checked_at"]) > moment(image["checked_after"])
    return image["state"] == "completed" and newer


def to_start(image, start):
    """Whether a scan has to be started; one that is under way serves as well."""
    if start == "never" or image["state"] in UNDER_WAY:
        return False
    return start == "always" or not has_result(image)


def refuse_unready(features, where):
    """InputError when no scan can be started, from responses.Features."""
    if not features["scanningLicensed"]:
        raise InputError(f"{where}: the licence does not include scanning. Load one that does, or leave the scan out.")
    if not features["scanningEnabled"]:
        raise InputError(f"{where}: scanning is not enabled. Set scanning_enabled with dtr_settings.")
    if not features["db_version"]:
        raise InputError(f"{where}: there is no database of vulnerabilities yet. Load it with dtr_vulnerability_db; then run this"
                         " again.")


def start(client, images, starting):
    """All images, after the scans of some were started: of those only a newer result counts from now on."""
    begun = client.http.each(lambda image: start_one(client, image), starting)
    changed = {key(image): image for image in begun}
    return [changed.get(key(image), image) for image in images]


def start_one(client, image):
    """The image after its scan was started. InputError where the registry does not tell the platform."""
    if not (image["os"] and image["architecture"]):
        raise InputError(f"image '{name(image)}': the registry does not tell its os and architecture, which a scan needs. Push it again.")
    client.post("imagescan", "scan", image["repository"], image["tag"], image["os"], image["architecture"])
    return {**image, "checked_after": image["checked_at"]}


class Watch:
    """Looks at images again and again; images: as seen last."""

    def __init__(self, client, images, clock=time.monotonic):
        self.client, self.images, self.clock = client, images, clock
        self.began = clock()
        self.moved = set()   # digests whose scan was seen under way

    def over(self, image):
        """Whether nothing more is to be expected of an image."""
        if image["state"] in UNDER_WAY:
            self.moved.add(image["digest"])
            return False
        if has_result(image) or not image["checked_after"]:
            return True
        return image["state"] == "failed" and (image["digest"] in self.moved or self.clock() - self.began > SETTLE)

    def pending(self):
        """The images that are not over."""
        return [image for image in self.images if not self.over(image)]

    def look(self):
        """Look at the pending ones again; the images that are still pending."""
        fresh = {key(image): image for image in find_all(self.client, self.pending())}
        self.images = [fresh.get(key(image), image) for image in self.images]
        return self.pending()


def problem_of(images, limits):
    """Why images are not good enough, with a table of them; "" when they are.

    limits: {severity: int or None}. An image with checked_after has to have a result even without limits.
    """
    bounds = {severity: limit for severity, limit in limits.items() if limit is not None}
    bad = [image for image in images if (bounds or image["checked_after"]) and not has_result(image)]
    bad += [image for image in images if has_result(image) and any(image[severity] > bounds[severity] for severity in bounds)]
    if not bad:
        return ""
    allowed = ", ".join(f"{severity} {bounds[severity]}" for severity in SEVERITIES if severity in bounds)
    said = f"more vulnerabilities than allowed ({allowed}) or no result" if bounds else "no result"
    return f"{len(bad)} of {len(images)} images have {said}:\n" + "\n".join(table(bad))


def late(pending, trouble):
    """What is said when the time is over before the scans are."""
    cannot = f" The registry cannot be asked at the moment: {trouble}" if trouble else ""
    return (f"{len(pending)} scans have not ended in time, and go on. Run this again with a longer wait_timeout to wait for them.{cannot}\n"
            + "\n".join(table(pending)))


def progress(images, pending, trouble):
    """One line on where it stands."""
    first = f"; {name(pending[0])} is {pending[0]['state']}" if pending else ""
    return f"scans: {len(images) - len(pending)} of {len(images)} images done{first}{f': {trouble}' if trouble else ''}"


def table(images):
    """Lines with a heading: image and counts, or the state where there are none."""
    width = max(len(name(image)) for image in images)
    lines = [f"{'image':{width}}  {'critical':>8}  {'major':>8}  {'minor':>8}"]
    for image in images:
        counts = "  ".join(f"{image[severity]:>8}" for severity in SEVERITIES)
        state = "outdated" if image["state"] == "completed" else image["state"]
        lines.append(f"{name(image):{width}}  {counts if has_result(image) else state}")
    return lines
