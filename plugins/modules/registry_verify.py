#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_verify
short_description: See whether a store has everything that its tags promise
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Follows every tag of a filesystem store of CNCF Distribution to its manifest, and every manifest to its layers and, for images of
    several platforms, to its manifests, and finds what is missing, dangling or damaged. Blobs are hashed as far as O(contents) says.
  - Only reads, unless O(repair) names something. The registry may run and take pushes; what changes while it is looked at is looked at
    again.
  - Works on a copy of a store, such as a backup, just as well.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  diff_mode:
    support: none
    details: What is repaired is listed in RV(repaired).
options:
  path:
    description: The store's root directory, which holds C(docker/registry/v2).
    type: path
    required: true
  contents:
    description:
      - Which blobs are read and hashed. Manifests always are.
      - With V(sample) it is as many of the blobs as O(sample) says, others each time; with V(all) every one.
    type: str
    choices: [none, sample, all]
    default: none
  sample:
    description: How many of the blobs V(sample) reads, in percent.
    type: float
    default: 5.0
  repositories:
    description: Names of the repositories to look at, and whose blobs O(contents) reads; all, if empty. One that is not there is an error.
    type: list
    elements: str
    default: []
  upload_age:
    description: Hours without a write after which an upload counts as given up. The registry itself removes them after 168.
    type: int
    default: 168
  repair:
    description:
      - Kinds of findings to repair, of those for which it is safe.
      - V(layer_unlinked) and V(manifest_unlinked) write a lost link to a blob that is there and hashes to its name.
      - V(layer_dangling) removes a link to a blob that is gone and that no manifest needs, all of the repository's being readable;
        V(upload_orphan) removes what is left of an upload.
      - Have a backup, and let no garbage collection run.
    type: list
    elements: str
    choices: [layer_dangling, layer_unlinked, manifest_unlinked, upload_orphan]
    default: []
  fail_on:
    description: The least severity at which the module fails; V(never) only tells.
    type: str
    choices: [error, warning, never]
    default: error
  report:
    description: File on the host for everything that was found, as JSON, mode 0600. Its folder must be there. Not written in check mode.
    type: path
"""

EXAMPLES = r"""
- name: Is every tag of the store whole
  dockyard.trusted_registry.registry_verify:
    path: /var/lib/distribution
    contents: all
    report: /var/log/distribution-verify.json

- name: Put lost links back
  dockyard.trusted_registry.registry_verify:
    path: /var/lib/distribution
    repair: [layer_unlinked, manifest_unlinked]
"""

RETURN = r"""
severity:
  description: The worst that was found, none, info, warning or error.
  returned: always
  type: str
  sample: none
counts:
  description: Number of findings by kind.
  returned: always
  type: dict
  sample: {blob_missing: 1}
findings:
  description: What was found, the worst first, at most 100; O(report) has all.
  returned: always
  type: list
  elements: dict
  sample:
    - kind: blob_missing
      severity: error
      repository: team/app
      tag: ""
      digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
      message: manifest sha256:2c26... of team/app needs blob sha256:9f86..., which is not in the store
      mend: restore the blob from a backup, or push the image again
repaired:
  description: What was repaired, or in check mode would be tried, as RV(findings) has it. The other results tell how it is afterwards.
  returned: always
  type: list
  elements: dict
  sample: []
store:
  description: Numbers of repositories, tags, manifests and blobs, and the blobs' size in bytes.
  returned: always
  type: dict
  sample: {repositories: 12, tags: 340, manifests: 355, blobs: 2210, bytes: 73400320}
hashed:
  description: Blobs that were read beside the manifests, their size in bytes, and how long that took in seconds.
  returned: always
  type: dict
  sample: {blobs: 1855, bytes: 73100320, seconds: 0.1}
unreferenced:
  description: Number and size in bytes of the blobs that no manifest needs; null with O(repositories).
  returned: always
  type: dict
  sample: {blobs: 0, bytes: 0}
seconds:
  description: How long the look took.
  returned: always
  type: float
  sample: 0.7
"""

import json
import os
from collections import Counter

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_repair import repair
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_store import Store
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._registry_verify import (
    CONTENTS,
    REPAIRABLE,
    SEVERITIES,
    Verification,
)

SHOWN = 100


def summary(look, repaired):
    """The module's result."""
    return {
        "severity": look.severity,
        "counts": dict(Counter(one.kind for one in look.findings)),
        "findings": [one.told() for one in look.findings],
        "repaired": [one.told() for one in repaired],
        "store": {
            "repositories": len(look.repositories),
            "tags": sum(len(one.tags) for one in look.repositories),
            "manifests": len(set().union(*(one.revisions for one in look.repositories))),
            "blobs": len(look.blobs),
            "bytes": sum(look.blobs.values()),
        },
        "hashed": {"blobs": look.hashed, "bytes": look.hashed_bytes, "seconds": round(look.hashing_seconds, 3)},
        "unreferenced": look.unreferenced(),
        "seconds": round(look.seconds, 3),
    }


def refusal(found, fail_on):
    """Why the module fails, None where it does not."""
    if fail_on == "never" or SEVERITIES.index(found["severity"]) < SEVERITIES.index(fail_on):
        return None
    count = sum(SEVERITIES.index(one["severity"]) >= SEVERITIES.index(fail_on) for one in found["findings"])
    worst = found["findings"][0]
    return f"{worst['message']}. Mend: {worst['mend']}." + (f" {count - 1} more of this weight: see findings." if count > 1 else "")


def write(path, found):
    """Keep the report, for its owner only."""
    with open(os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        json.dump(found, stream, indent=1)
    os.replace(f"{path}.new", path)


def run(module):
    """Look, repair what was asked for, look again; the whole result."""
    params = module.params
    store = Store(params["path"])
    if not store.exists():
        module.fail_json(msg=f"{params['path']} holds no store: there is no {store.top}. Give the registry's rootdirectory.")

    def look():
        return Verification(store, contents=params["contents"], sample=params["sample"], upload_age=params["upload_age"],
                            only=params["repositories"])

    seen = look()
    if seen.unknown:
        module.fail_json(msg=f"repositories: {', '.join(seen.unknown)} not in the store {params['path']}; nothing was judged.")
    # Several manifests may lack the same link.
    wanted = list({one.needs or one.because: one for one in seen.findings if one.kind in params["repair"]}.values())
    repaired = wanted if module.check_mode else [one for one in wanted if repair(store, one)]
    if repaired and not module.check_mode:
        seen = look()
    return summary(seen, repaired)


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "contents": {"type": "str", "choices": list(CONTENTS), "default": "none"},
            "sample": {"type": "float", "default": 5.0},
            "repositories": {"type": "list", "elements": "str", "default": []},
            "upload_age": {"type": "int", "default": 168},
            "repair": {"type": "list", "elements": "str", "choices": list(REPAIRABLE), "default": []},
            "fail_on": {"type": "str", "choices": ["error", "warning", "never"], "default": "error"},
            "report": {"type": "path"},
        },
        supports_check_mode=True,
    )
    if not 0 < module.params["sample"] <= 100:
        module.fail_json(msg=f"sample is a share of the blobs in percent, more than 0 and at most 100, not {module.params['sample']}")
    try:
        found = run(module)
        if module.params["report"] and not module.check_mode:
            write(module.params["report"], found)
    except OSError as error:
        module.fail_json(msg=f"cannot read the store, or write what was found: {error}")
    refused = refusal(found, module.params["fail_on"])
    found.update(changed=bool(found["repaired"]), findings=found["findings"][:SHOWN])
    if refused:
        module.fail_json(msg=refused, **found)
    module.exit_json(**found)


if __name__ == "__main__":
    main()
