#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_scan
short_description: Scans of images in a Docker Trusted Registry for vulnerabilities
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Starts scans, waits for them, tells what they found, and fails where that is more than allowed, so that it can stand as a gate before a
    deployment.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._dtr_waits
options:
  images:
    description: The images.
    type: list
    elements: dict
    required: true
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
        description: The operating system, such as V(linux). By default the images for all of them that the tag stands for.
        type: str
      architecture:
        description: The architecture, such as V(amd64). By default the images for all of them that the tag stands for.
        type: str
      digest:
        description: The digest of the manifest. It is refused when the tag stands for another one.
        type: str
      checked_after:
        description: Only a result that is newer than this counts, such as V(2026-11-23T12:00:00Z).
        type: str
  start:
    description:
      - Which scans are started. V(missing) starts those of images without a result, V(always) all, V(never) none.
      - A scan that is under way is waited for, and no other is started.
    type: str
    choices: [missing, always, never]
    default: missing
  fail_above:
    description:
      - How many vulnerabilities of each severity an image may have. With more it is a failure; so is an image without a result.
      - Critical is a CVSS of 7 and more, major of 4 and more, minor all others.
    type: dict
    suboptions:
      critical:
        description: Critical ones. By default any number.
        type: int
      major:
        description: Major ones. By default any number.
        type: int
      minor:
        description: Minor ones. By default any number.
        type: int
attributes:
  diff_mode:
    support: none
    details: A scan changes nothing that was declared.
  idempotent:
    support: partial
    details: O(start=always) starts scans each time.
notes:
  - Starting needs write access to the repositories, looking read access. Source of the rules is the DTR 2.7 API and the DTR documentation
    on scanning.
  - Vulnerabilities that were hidden in the registry are not counted by it.
  - Check mode starts nothing and judges the results that are there; an image whose scan would be started is then not judged.
seealso:
  - module: dockyard.trusted_registry.dtr_scan_info
  - module: dockyard.trusted_registry.dtr_vulnerability_db
  - module: dockyard.trusted_registry.dtr_settings
  - module: dockyard.trusted_registry.dtr_repository
"""

EXAMPLES = r"""
- name: No critical vulnerability goes into production
  dockyard.trusted_registry.dtr_scan:
    host: registry.example.com
    username: ci
    token: "{{ vault_dtr_token }}"
    ca_path: /etc/ssl/registry-ca.pem
    images:
      - repository: web/shop
        tag: "2.4"
    fail_above:
      critical: 0
      major: 10

- name: What is known, without waiting
  dockyard.trusted_registry.dtr_scan:
    images: "{{ images_in_use }}"
    start: never
    wait: false
  register: scans
"""

RETURN = r"""
images:
  description: The images, one for each platform of a tag.
  returned: success, or failure of a judgement
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
    os:
      description: The operating system.
      type: str
      sample: linux
    architecture:
      description: The architecture.
      type: str
      sample: amd64
    digest:
      description: The digest of the manifest.
      type: str
      sample: sha256:4c7a0b6f5e2d1c3b8a9f0e1d2c3b4a5968778695a4b3c2d1e0f1a2b3c4d5e6f7
    state:
      description: V(unscanned), V(pending), V(scanning), V(scanned), V(checking), V(completed) or V(failed).
      type: str
      sample: completed
    critical:
      description: Critical vulnerabilities.
      type: int
      sample: 0
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
    checked_after:
      description: Only a result that is newer counts; empty for any.
      type: str
      sample: ""
    should_rescan:
      description: Whether the registry advises to scan it again.
      type: bool
      sample: false
started:
  description: The images whose scans were started, or would be in check mode.
  returned: success, or failure of a judgement
  type: list
  elements: str
  sample: ["web/shop:2.4 linux/amd64"]
waiting:
  description: Whether scans are still under way.
  returned: success, or failure of a judgement
  type: bool
  sample: false
trouble:
  description: Why the registry could not be asked at last, empty when it could.
  returned: success, or failure of a judgement
  type: str
  sample: ""
progress:
  description: One line on where it stands.
  returned: success, or failure of a judgement
  type: str
  sample: "2 of 3 images done; web/shop:2.4 linux/arm64 is scanning"
"""

from contextlib import closing

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_scans as scans
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_jobs import WAIT_ARGUMENTS, follow, patient
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_schedule import moment


def check(params):
    """InputError for options that cannot be meant."""
    if any(limit is not None for limit in limits_of(params).values()) and not params["wait"]:
        raise InputError("fail_above: without wait there may be nothing to judge yet. Leave out one of them.")
    for number, item in enumerate(params["images"]):
        try:
            moment(item["checked_after"] or scans.NEVER)
        except ValueError as error:
            raise InputError(f"images[{number}].checked_after: {error}. Give one such as 2026-12-01T01:00:00Z.") from error


def limits_of(params):
    """{severity: limit or None}."""
    return params["fail_above"] or {}


def work(client, params, check_mode):
    """The module's result."""
    check(params)
    with closing(patient(params)) as asking:
        if params["start"] == "never" and params["wait"] and params["on_timeout"] == "return":
            images, trouble = follow(lambda: scans.find_all(asking, params["images"]), bool, params["wait_timeout"])
            if images is None:
                return {
                    "changed": False, "state": "unknown", "waiting": True, "images": params["images"], "started": [],
                    "trouble": str(trouble), "progress": f"scans: unknown: {trouble}",
                }
        else:
            images = scans.find_all(client, params["images"])
        starting = [image for image in images if scans.to_start(image, params["start"])]
        if starting:
            scans.refuse_unready(client.get("meta", "features"), client.http.base_url)
        begun = {"changed": bool(starting), "started": [scans.name(image) for image in starting]}
        if check_mode:
            known = [image for image in images if image not in starting]
            return judged({**begun, "images": images}, [], "", scans.problem_of(known, limits_of(params)))
        return {**begun, **scan(asking, params, scans.start(client, images, starting))}


def scan(asking, params, images):
    """Wait for the images' scans and judge them."""
    watch = scans.Watch(asking, images)
    trouble = None
    if params["wait"] and watch.pending():
        trouble = follow(watch.look, lambda pending: not pending, params["wait_timeout"])[1]
    pending = watch.pending()
    problem = ""
    if pending and params["wait"] and params["on_timeout"] == "fail":
        problem = scans.late(pending, trouble)
    elif params["wait"]:
        problem = scans.problem_of([image for image in watch.images if image not in pending], limits_of(params))
    return judged({"images": watch.images}, pending, str(trouble or ""), problem)


def judged(result, pending, trouble, problem):
    """The result with the line that tells of it, and as a failure where there is a problem."""
    progress = scans.progress(result["images"], pending, trouble)
    failed = {"failed": True, "msg": problem} if problem else {}
    return {**result, "waiting": bool(pending), "trouble": trouble, "progress": progress, **failed}


def main():
    """Entry point."""
    run(_dtr, {
        "images": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                "repository": {"type": "str", "required": True},
                "tag": {"type": "str", "required": True},
                "os": {"type": "str"},
                "architecture": {"type": "str"},
                "digest": {"type": "str"},
                "checked_after": {"type": "str"},
            },
        },
        "start": {"type": "str", "choices": ["missing", "always", "never"], "default": "missing"},
        "fail_above": {"type": "dict", "options": {severity: {"type": "int"} for severity in scans.SEVERITIES}},
        **WAIT_ARGUMENTS,
    }, work)


if __name__ == "__main__":
    main()
