#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_scan_override
short_description: Vulnerabilities that a Docker Trusted Registry does not count
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Hides vulnerabilities of a component in a layer, such as those that were found not to apply, and shows them again.
  - It holds for all images with the layer. What is hidden is neither listed nor counted in the results of scans.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
  - dockyard.trusted_registry._items
options:
  overrides:
    description: The hidden vulnerabilities.
    type: list
    elements: dict
    required: true
    suboptions:
      layer:
        description: The digest of the layer. It has to be one that was scanned.
        type: str
        required: true
      component:
        description: The component, as M(dockyard.trusted_registry.dtr_scan_info) names it.
        type: str
        required: true
      version:
        description: Its version, as M(dockyard.trusted_registry.dtr_scan_info) has it.
        type: str
        required: true
      cve:
        description: The vulnerability, such as V(CVE-2019-0001).
        type: str
        required: true
      notes:
        description: Why it does not count. New ones have none. An override whose notes are changed is set anew.
        type: str
      state:
        description: Whether it shall be hidden.
        type: str
        choices: [present, absent]
        default: present
notes:
  - Needs a system administrator. Source of the rules is the DTR 2.7 API and the DTR documentation on overriding vulnerabilities.
  - RV(undeclared) reports, and O(exclusive) removes, all overrides of the registry that are not declared.
  - Hiding a vulnerability does not make the registry evaluate its promotion policies again.
seealso:
  - module: dockyard.trusted_registry.dtr_scan
  - module: dockyard.trusted_registry.dtr_scan_info
"""

EXAMPLES = r"""
- name: What was looked into and does not apply to us
  dockyard.trusted_registry.dtr_scan_override:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    overrides:
      - layer: sha256:4c7a0b6f5e2d1c3b8a9f0e1d2c3b4a5968778695a4b3c2d1e0f1a2b3c4d5e6f7
        component: openssl
        version: 3.0.11-1~deb12u1
        cve: CVE-2099-0001
        notes: The cipher is switched off in our build. Looked into by security on 3 November.
"""

RETURN = r"""
changes:
  description: What was made, changed and deleted, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    key:
      description: Layer, component, version and vulnerability.
      type: str
      sample: sha256:4c7a0b6f5e2d1c3b8a9f0e1d2c3b4a5968778695a4b3c2d1e0f1a2b3c4d5e6f7/openssl/3.0.11-1~deb12u1/CVE-2099-0001
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: created
    fields:
      description: Options that differed.
      type: list
      elements: str
      sample: [notes]
counts:
  description: How many were made, changed, deleted and left as they are.
  returned: success
  type: dict
  sample: {created: 1, updated: 0, deleted: 0, unchanged: 12}
undeclared:
  description: Overrides that exist and were not declared.
  returned: success
  type: list
  elements: str
  sample: [sha256:4c7a0b6f5e2d1c3b8a9f0e1d2c3b4a5968778695a4b3c2d1e0f1a2b3c4d5e6f7/bash/5.2.15-2/CVE-2099-0003]
"""

import re

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import Items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run_items
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
NAMES = {"layer": "digest", "component": "component", "version": "componentVersion", "cve": "cve"}   # {option: name of it in the API}


class Overrides(Items):
    """Keys are "layer/component/version/cve"."""

    noun = "override"
    option = "overrides"
    fields = {"notes": "notes"}
    defaults = {"notes": ""}

    def __init__(self, client, params):
        super().__init__(client, params)
        self.ids = {}   # {key: [ids of the registry]}, filled by current()

    def key(self, item):
        if not DIGEST.fullmatch(item["layer"]):
            raise InputError(f"override of {item['cve']}: layer '{item['layer']}' is no digest. Give one such as sha256: and 64 hexadecimal"
                             " digits; dtr_scan_info shows those of an image.")
        return "/".join(item[name] for name in NAMES)

    def current(self, declared):
        found = {}
        for record in self.client.get("imagescan", "layeroverride") or []:
            names = {option: record[name] for option, name in NAMES.items()}
            key = "/".join(names.values())
            self.ids.setdefault(key, []).append(record["pk"])
            found[key] = {**names, **self.seen(record)}
        return found

    def create(self, change):
        layer = change.after["layer"]
        body = {NAMES[option]: change.after[option] for option in ("component", "version", "cve")}
        self.client.post("imagescan", "layeroverride", layer, body={**body, "notes": change.after["notes"]})

    def update(self, change):
        # Whether setting one that is there replaces it is not documented: two of them would never become one again.
        self.delete(change)
        self.create(change)

    def delete(self, change):
        for identity in self.ids[change.key]:
            self.client.delete("imagescan", "layeroverride", identity)


def main():
    """Entry point."""
    run_items(_dtr, Overrides, {
        "overrides": {
            "type": "list", "elements": "dict", "required": True,
            "options": {
                **{name: {"type": "str", "required": True} for name in NAMES},
                "notes": {"type": "str"},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
        },
    })


if __name__ == "__main__":
    main()
