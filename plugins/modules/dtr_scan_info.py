#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_scan_info
short_description: What scans found in the images of a Docker Trusted Registry
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Returns how many vulnerabilities images have and in which components, or which images have a vulnerability, component, layer or license.
  - Writes the registry's own report on an image to a file.
  - Nothing is changed in the registry, and no scan is started; M(dockyard.trusted_registry.dtr_scan) does that.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
options:
  images:
    description: The images to return.
    type: list
    elements: dict
    suboptions:
      repository:
        description: Namespace and name, such as V(ops/base).
        type: str
        required: true
      tag:
        description: The tag.
        type: str
        required: true
      digest:
        description:
          - The digest of the manifest. Without O(details) the counts of all images with a digest take one request together; an image
            without a digest takes one of its own. The registry then tells nothing of the image but its counts.
        type: str
      os:
        description: The operating system, such as V(linux). By default the images for all of them that the tag stands for.
        type: str
      architecture:
        description: The architecture, such as V(amd64). By default the images for all of them that the tag stands for.
        type: str
  details:
    description: Whether components with their vulnerabilities, layers and licenses of O(images) are returned, for two requests each.
    type: bool
    default: false
  cve:
    description: Returns the images with this vulnerability, such as V(CVE-2019-0001).
    type: str
  component:
    description: Returns the images with this component, such as V(openssl).
    type: str
  layer:
    description: Returns the images with the layer of this digest.
    type: str
  license:
    description: Returns the images with this license, such as V(GPL-3.0).
    type: str
  limit:
    description:
      - How many components of an image of O(images), and how many images of a search, are returned at the most; V(0) for all. What is
        longer is told by RV(images[].cut) and RV(cut).
    type: int
    default: 100
  export:
    description: Writes the report on one image to a file, where the module runs.
    type: dict
    suboptions:
      repository:
        description: Namespace and name, such as V(ops/base).
        type: str
        required: true
      tag:
        description: The tag.
        type: str
        required: true
      os:
        description: The operating system, where the tag stands for images of several.
        type: str
      architecture:
        description: The architecture, where the tag stands for images of several.
        type: str
      format:
        description: The format. The columns and fields are the registry's.
        type: str
        choices: [csv, json]
        default: json
      dest:
        description: The file, in a folder that exists. It is replaced as a whole, and for its owner only.
        type: path
        required: true
attributes:
  check_mode:
    details: Reads the same as without it. A report is fetched and compared, but not written.
  diff_mode:
    support: none
    details: Nothing but a report is written.
notes:
  - Give one of O(images), O(cve), O(component), O(layer), O(license) and O(export).
  - Needs read access to the repositories; images in others are left out of a search. O(export) may need a system administrator.
  - A component or license with a slash in its name cannot be searched for.
  - Vulnerabilities that M(dockyard.trusted_registry.dtr_scan_override) hides are neither listed nor counted by the registry.
  - Sources are the DTR 2.7 API and the DTR release notes (2.6.0) for reports. How the request for many images names an image is not
    documented; C(NAMESPACE/NAME:TAG) is an inference from its answer.
  - It is C(changed) only where a report differs from the file.
seealso:
  - module: dockyard.trusted_registry.dtr_scan
  - module: dockyard.trusted_registry.dtr_scan_override
"""

EXAMPLES = r"""
- name: Which components are to blame
  dockyard.trusted_registry.dtr_scan_info:
    host: registry.example.com
    username: auditor
    token: "{{ vault_dtr_token }}"
    ca_path: /etc/ssl/registry-ca.pem
    images:
      - repository: web/shop
        tag: "2.4"
    details: true

- name: Where is the vulnerability of this morning
  dockyard.trusted_registry.dtr_scan_info:
    cve: CVE-2099-0001
    limit: 0
  register: concerned

- name: The report for the auditors
  dockyard.trusted_registry.dtr_scan_info:
    export:
      repository: web/shop
      tag: "2.4"
      format: csv
      dest: /srv/reports/web-shop-2.4.csv
"""

RETURN = r"""
images:
  description: The images, one for each platform of a tag. What is not known of an image is null.
  returned: when O(export) is not given
  type: list
  elements: dict
  contains:
    repository:
      description: Namespace and name.
      type: str
      sample: web/shop
    tag:
      description: The tag.
      type: str
      sample: "2.4"
    digest:
      description: The digest of the manifest.
      type: str
      sample: sha256:4c7a0b6f5e2d1c3b8a9f0e1d2c3b4a5968778695a4b3c2d1e0f1a2b3c4d5e6f7
    os:
      description: The operating system.
      type: str
      sample: linux
    architecture:
      description: The architecture.
      type: str
      sample: amd64
    state:
      description:
        - V(unscanned), V(pending), V(scanning), V(scanned), V(checking), V(completed) or V(failed). Of an image with a digest and without
          O(details) it is V(completed), or V(unknown) where the registry has no counts to tell.
      type: str
      sample: completed
    critical:
      description: Critical vulnerabilities.
      type: int
      sample: 1
    major:
      description: Major vulnerabilities.
      type: int
      sample: 3
    minor:
      description: Minor vulnerabilities.
      type: int
      sample: 12
    checked_at:
      description: When it was last checked to the end; the year 1 is never.
      type: str
      sample: "2026-11-23T12:00:00Z"
    should_rescan:
      description: Whether the registry advises to scan it again.
      type: bool
      sample: false
    layers:
      description: With O(details), the digests of its layers.
      type: list
      elements: str
    licenses:
      description: With O(details), the licenses of its components.
      type: list
      elements: str
      sample: [GPL-3.0, MIT]
    components:
      description:
        - With O(details), the components with vulnerabilities, the worst first. With O(cve) and O(component), those because of which the
          image is in the list.
      type: list
      elements: dict
      contains:
        name:
          description: Its name.
          type: str
          sample: openssl
        version:
          description: Its version.
          type: str
          sample: 3.0.11-1~deb12u1
        layer:
          description: The digest of the layer it came with; null when the registry does not tell.
          type: str
          sample: sha256:4c7a0b6f5e2d1c3b8a9f0e1d2c3b4a5968778695a4b3c2d1e0f1a2b3c4d5e6f7
        critical:
          description: Its critical vulnerabilities.
          type: int
          sample: 1
        major:
          description: Its major vulnerabilities.
          type: int
          sample: 0
        minor:
          description: Its minor vulnerabilities.
          type: int
          sample: 0
        cves:
          description: Its vulnerabilities, with the score.
          type: list
          elements: dict
          sample: [{cve: CVE-2099-0001, cvss: 9.8}]
    cut:
      description: Whether there are more components than O(limit).
      type: bool
      sample: false
cut:
  description: Whether there are more images than O(limit).
  returned: when O(export) is not given
  type: bool
  sample: false
dest:
  description: The file with the report.
  returned: when O(export) is given
  type: str
  sample: /srv/reports/web-shop-2.4.csv
"""

import os

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_scan_facts as facts
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_token_files import write

KINDS = ("images", *facts.SEARCHES, "export")
TYPES = {"csv": "text/csv", "json": "application/json"}


def work(client, params, check_mode):
    """The module's result."""
    given = [kind for kind in KINDS if params[kind] not in (None, "")]
    if len(given) != 1:
        raise InputError(f"{' and '.join(given) or 'nothing'} to look for: give one of {', '.join(KINDS)}, with a value, and only one.")
    try:
        return look(client, params, given[0], check_mode)
    except ApiError as error:
        if error.code != "SCANNING_NOT_ENABLED":
            raise
        raise InputError(f"{client.http.base_url}: scanning is not enabled, so that nothing is known of images. Set scanning_enabled with"
                         " dtr_settings, and scan with dtr_scan.") from error


def look(client, params, kind, check_mode):
    """The result of the one kind of question that was asked."""
    if kind == "export":
        return export(client, params["export"], check_mode)
    if kind == "images":
        read = facts.details(client, params["images"], params["limit"]) if params["details"] else facts.counts(client, params["images"])
        return {"changed": False, "images": read, "cut": False}
    if "/" in params[kind]:
        raise InputError(f"{kind} '{params[kind]}': a name with a slash cannot be asked for, as the registry's address for it has one part."
                         " Ask for images with details instead, and look for it in the result.")
    images, cut = facts.search(client, kind, params[kind], params["limit"])
    return {"changed": False, "images": images, "cut": cut}


def export(client, wanted, check_mode):
    """Write the report on an image, unless the file has it already."""
    dest = wanted["dest"]
    folder = os.path.dirname(dest) or "."
    if os.path.isdir(dest) or not (check_mode or os.access(folder, os.W_OK | os.X_OK)):
        raise InputError(f"export.dest '{dest}' cannot be written. Give a file in a folder that exists and that you may write to.")
    report = fetch(client, wanted)
    changed = content(dest) != report
    if changed and not check_mode:
        write(dest, report.decode())
    return {"changed": changed, "dest": dest}


def fetch(client, wanted):
    """The report, bytes of UTF-8; ApiError where the answer is none."""
    path = _dtr.path("imagescan", "scansummary", "repositories", wanted["repository"], wanted["tag"], "export")
    kind = TYPES[wanted["format"]]
    answer = client.http.call("GET", path, query={"os": wanted["os"], "arch": wanted["architecture"]}, raw=True, headers={"Accept": kind})
    sent = answer.headers.get("Content-Type", "")
    if not sent.startswith(kind):
        raise ApiError(f"GET {client.http.base_url}{path} answered with {sent or 'no content type'} where {kind} was due. Is this the"
                       " registry, in version 2.6 or later, or something before it?")
    return answer.data


def content(file):
    """The bytes of a file, None when it is missing."""
    if not os.path.exists(file):
        return None
    with open(file, "rb") as stream:
        return stream.read()


def main():
    """Entry point."""
    image = {
        "repository": {"type": "str", "required": True},
        "tag": {"type": "str", "required": True},
        "os": {"type": "str"},
        "architecture": {"type": "str"},
    }
    run(_dtr, {
        "images": {"type": "list", "elements": "dict", "options": {**image, "digest": {"type": "str"}}},
        "details": {"type": "bool", "default": False},
        **{name: {"type": "str"} for name in facts.SEARCHES},
        "limit": {"type": "int", "default": 100},
        "export": {
            "type": "dict",
            "options": {
                **image,
                "format": {"type": "str", "choices": ["csv", "json"], "default": "json"},
                "dest": {"type": "path", "required": True},
            },
        },
    }, work)


if __name__ == "__main__":
    main()
