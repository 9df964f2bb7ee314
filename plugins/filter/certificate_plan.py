# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: certificate_plan
short_description: Says which certificates the own CA has to issue, and why, and which must not be deployed
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - An entry with C(source=issued) is issued when nothing is stored for it, when what is stored does not belong together or comes from
    another CA, when its names or key type changed, when fewer than O(renew_before_days) remain, and when O(rotate) asks for it.
  - No certificate outlives its CA. Near the CA's end a new certificate would end on the same day, and so is not issued.
  - Whatever need not be issued is judged as by P(dockyard.trusted_registry.certificate_problems#filter).
options:
  _input:
    description: What P(dockyard.trusted_registry.certificate_material#lookup) returned.
    type: dict
    required: true
  key_type:
    description: Kind of the private key. An entry may bring its own.
    type: str
    choices: [rsa-2048, rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384]
    default: rsa-2048
  validity_days:
    description: How long a new certificate is valid. An entry may bring its own.
    type: int
    default: 397
  renew_before_days:
    description: A certificate with fewer remaining days is issued anew. An entry may bring its own.
    type: int
    default: 30
  rotate:
    description: Issue all of them anew.
    type: bool
    default: false
  minimum_days:
    description: Fewer remaining days than this are a problem. An entry may bring its own.
    type: int
    default: 7
  warn_days:
    description: Fewer remaining days than this are a warning.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Say what would be issued
  ansible.builtin.debug:
    msg: "{{ (material | dockyard.trusted_registry.certificate_plan).issue | map(attribute='reason') }}"
"""

RETURN = r"""
_value:
  description:
    - C(issue) lists what to issue, each with C(name), C(reason) and what the certificate is to hold.
    - C(create_ca) tells whether the CA has to be created first.
    - C(subordinate) tells whether a subordinate CA issues, from C(issuer.pem).
    - C(ca) is the PEM text of what clients are to trust; empty as long as there is no CA.
    - C(problems) are sentences that say why issuing or deploying is impossible, C(warnings) say what ends before long.
  type: dict
  sample:
    create_ca: false
    issue:
      - name: distribution
        reason: 12 days left, renewed below 30
        common_name: registry.example.com
        subject_alt_name: ["DNS:registry.example.com", "IP:192.0.2.5"]
        key_type: rsa-2048
        not_after: +397d
    problems: []
    warnings: []
    subordinate: false
    ca: "-----BEGIN CERTIFICATE-----..."
"""

from ansible_collections.dockyard.trusted_registry.plugins.filter.certificate_problems import certificate_problems
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _certificates_pem as pem
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_check import expiry_warnings
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_plan import issuing_plan


def certificate_plan(
    material,
    *,
    key_type="rsa-2048",
    validity_days=397,
    renew_before_days=30,
    rotate=False,
    minimum_days=7,
    warn_days=30,
):
    authority, entries, now = material["authority"], material["entries"], pem.now_utc()
    plan = {"issue": [], "create_ca": False, "problems": [], "warnings": []}
    plan.update(subordinate=bool(authority.get("issuer")), ca=authority.get("certificate") or "")
    if pem.CRYPTOGRAPHY_MISSING:
        return dict(plan, problems=[pem.missing_library()])
    place = authority.get("origins", {}).get("certificate", "/")
    if not place.startswith("/"):
        return dict(plan, problems=[f"certificates_ca_dir is {place[: -len('/ca.pem')]}; write it from the root, without ~."])
    defaults = {"key_type": key_type, "validity_days": validity_days, "renew_before_days": renew_before_days}
    defaults["minimum_days"] = minimum_days
    plan.update(issuing_plan(entries, authority, now, defaults, rotate))
    pending = [item["name"] for item in plan["issue"]]
    plan["problems"] += certificate_problems(entries, minimum_days, pending)
    for entry in entries:
        if entry["name"] not in pending:
            plan["warnings"] += expiry_warnings(entry, now, warn_days)
    return plan


class FilterModule:
    def filters(self):
        return {"certificate_plan": certificate_plan}
