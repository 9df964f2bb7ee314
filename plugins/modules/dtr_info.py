#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_info
short_description: What a Docker Trusted Registry tells of itself
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Returns the version, replicas and their health, settings, the image store, garbage collection, scanning, certificates and more.
  - Nothing is changed. Repositories are read with M(dockyard.trusted_registry.dtr_repository_info).
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
attributes:
  check_mode:
    details: Reads the same as without it.
  diff_mode:
    support: none
    details: Nothing is changed.
options:
  gather:
    description: What to return. Fewer parts take fewer requests.
    type: list
    elements: str
    choices: [version, replicas, issues, settings, storage, gc, features, scanning, certificates, workers, alerts]
    default: [version, replicas, issues, settings, storage, gc, features, scanning, certificates, workers, alerts]
notes:
  - V(version), V(features) and V(scanning) can be read by every user, the others by system administrators. A part that the account may
    not see, or that this version of the registry does not have, is null, and RV(not_readable) says why.
  - Sources are the DTR 2.7 API; DTR documentation (monitoring, client certificates) for the version and the shape of the cluster's status;
    DTR release notes (2.6.6) for the address of V(storage).
  - V(certificates) needs the Python library C(cryptography) where the module runs.
"""

EXAMPLES = r"""
- name: Is the registry well
  dockyard.trusted_registry.dtr_info:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    gather: [version, replicas, certificates]
  register: registry

- name: All replicas answer, and no certificate ends within a month
  ansible.builtin.assert:
    that:
      - registry.not_readable == []
      - registry.replicas | rejectattr('healthy') | length == 0
      - registry.certificates | map(attribute='days_left') | min > 30
"""

RETURN = r"""
not_readable:
  description: The parts that are null because they could not be read.
  returned: success
  type: list
  elements: dict
  contains:
    part:
      description: Its name in O(gather).
      type: str
    reason:
      description: Why it could not be read.
      type: str
  sample:
    - part: storage
      reason: >-
        GET https://registry.example.com/api/v0/admin/settings/registry answered 404: there is no such object, or this version does not know
        the address.
version:
  description: Version of the registry.
  returned: when in O(gather)
  type: str
  sample: 2.7.6
replicas:
  description: The replicas, as the one that answered sees them.
  returned: when in O(gather)
  type: list
  elements: dict
  contains:
    id:
      description: Replica ID.
      type: str
    node:
      description: Name of the node it runs on; null when the settings do not have it.
      type: str
    http_port:
      description: Port for HTTP.
      type: int
    https_port:
      description: Port for HTTPS.
      type: int
    health:
      description: C(OK), or what is wrong with it; null when nothing is known of a replica that stands in the settings.
      type: str
    healthy:
      description: Whether the health is C(OK).
      type: bool
    read_only:
      description: Whether it refuses pushes.
      type: bool
    seen_at:
      description: When its health was written.
      type: str
  sample:
    - {id: 0123456789ab, node: node-1, http_port: 80, https_port: 443, health: OK, healthy: true, read_only: false,
       seen_at: "2020-01-02T03:04:05Z"}
issues:
  description: What the metadata store (RethinkDB) complains of, in its own words.
  returned: when in O(gather)
  type: list
  elements: dict
  sample: []
settings:
  description:
    - The settings, by the names that M(dockyard.trusted_registry.dtr_settings) has for them. The private key is never among them, and
      credentials within the address of a proxy are hidden.
  returned: when in O(gather)
  type: dict
  sample: {dtr_host: registry.example.com, sso: false, read_only_registry: false, scanning_enabled: true}
storage:
  description:
    - Settings of the image store as the registry has them, with hidden keys and passwords.
    - Its address is not part of the official interface, so a registry may not have it.
  returned: when in O(gather)
  type: dict
  sample: {storage: {s3: {bucket: images, region: eu-central-1, accesskey: VALUE_HIDDEN, secretkey: VALUE_HIDDEN}}}
gc:
  description: Garbage collection.
  returned: when in O(gather)
  type: dict
  contains:
    schedule:
      description: When it runs, null when it has no schedule.
      type: dict
      contains:
        action:
          description: C(onlinegc), or C(gc), which refuses pushes meanwhile.
          type: str
        schedule:
          description: Six fields, seconds first.
          type: str
        deadline:
          description: How long a run may take, as a duration; empty for no limit.
          type: str
        next_run:
          description: When it runs next.
          type: str
    lock_holder:
      description: Replica that collects garbage right now, empty when none does.
      type: str
    runs:
      description: The last five runs, the newest first.
      type: list
      elements: dict
      contains:
        job_id:
          description: ID of the job.
          type: str
        action:
          description: C(onlinegc) or C(gc).
          type: str
        state:
          description: C(waiting), C(running), C(done), C(errored), C(canceled), C(deleted) or C(lost).
          type: str
        scheduled_at:
          description: When it was due.
          type: str
        last_updated:
          description: When its state changed last.
          type: str
        seconds:
          description: How long it took, or takes by now.
          type: int
        freed:
          description:
            - What the log says was freed, as C(bytes), C(blobs) and C(manifests). Null where the log does not tell; the documents do not
              say what it looks like.
          type: dict
  sample:
    schedule: {action: onlinegc, schedule: "0 0 1 * * 6", deadline: 3h, next_run: "2020-01-04T01:00:00Z"}
    lock_holder: ""
    runs:
      - job_id: 5c2f0a1e-7d1c-4d6e-9f0b-2a6f3f0c9a11
        action: onlinegc
        state: done
        scheduled_at: "2020-01-02T01:00:00Z"
        last_updated: "2020-01-02T01:07:10Z"
        seconds: 430
        freed: {bytes: 734003200, blobs: 12, manifests: 4}
features:
  description: What the licence includes and what is switched on.
  returned: when in O(gather)
  type: dict
  contains:
    scanning_licensed:
      description: Whether the licence includes scanning.
      type: bool
    scanning_enabled:
      description: Whether scanning is on.
      type: bool
    promotion_licensed:
      description: Whether the licence includes promotion policies.
      type: bool
    mirroring_licensed:
      description: Whether the licence includes mirroring policies.
      type: bool
    online_gc_enabled:
      description: Whether garbage is collected beside pushes.
      type: bool
    metadata_store_opted_in:
      description: Whether metadata lives in the metadata store.
      type: bool
    db_version:
      description: Version of the vulnerability database.
      type: int
    ucp_host:
      description: Address of UCP.
      type: str
  sample: {scanning_licensed: true, scanning_enabled: true, promotion_licensed: true, mirroring_licensed: true, online_gc_enabled: true,
           metadata_store_opted_in: true, db_version: 1234, ucp_host: ucp.example.com}
scanning:
  description: Scanning for vulnerabilities. What only the scanner tells is null while scanning is off.
  returned: when in O(gather)
  type: dict
  contains:
    licensed:
      description: Whether the licence includes it.
      type: bool
    enabled:
      description: Whether it is on.
      type: bool
    db_version:
      description: Version of the vulnerability database.
      type: int
    db_updated_at:
      description: When the database was updated; null when it never was.
      type: str
    db_age_days:
      description: Whole days since then.
      type: int
    last_update_failed:
      description: Whether the last update of the database failed.
      type: bool
    scanner_version:
      description: Version of the scanner.
      type: int
    state:
      description: State of the scanner, a number that is not documented.
      type: int
  sample: {licensed: true, enabled: true, db_version: 1234, db_updated_at: "2020-01-02T03:00:00Z", db_age_days: 3,
           last_update_failed: false, scanner_version: 3, state: 0}
certificates:
  description: Each certificate in the settings.
  returned: when in O(gather)
  type: list
  elements: dict
  contains:
    setting:
      description:
        - Where it stands. C(web_tls_cert) is the server's own followed by its intermediates, C(web_tls_ca) its CA, C(web_tls_client_ca) the
          CAs of clients.
      type: str
    subject:
      description: Common name, or the whole subject.
      type: str
    issuer:
      description: Common name, or the whole subject, of who signed it.
      type: str
    names:
      description: Names and addresses it is for.
      type: list
      elements: str
    not_after:
      description: When it ends.
      type: str
    days_left:
      description: Whole days until then, negative when it has ended.
      type: int
  sample:
    - {setting: web_tls_cert, subject: registry.example.com, issuer: Example CA, names: [registry.example.com],
       not_after: "2021-01-02T03:04:05Z", days_left: 365}
workers:
  description: The job runners, one for each replica.
  returned: when in O(gather)
  type: list
  elements: dict
  contains:
    id:
      description: ID of the worker, in the documentation's examples that of its replica.
      type: str
    status:
      description: Such as C(running).
      type: str
    capacity_map:
      description: How much it takes on, by kind of work.
      type: dict
    heartbeat_expiration:
      description: When it counts as dead unless it shows itself before.
      type: str
  sample:
    - {id: 0123456789ab, status: running, capacity_map: {scan: 1, scanCheck: 1}, heartbeat_expiration: "2020-01-02T03:04:05Z"}
alerts:
  description: Messages that the web interface shows to administrators, as the registry has them.
  returned: when in O(gather)
  type: list
  elements: dict
  contains:
    message:
      description: The text.
      type: str
    class:
      description: How bad it is.
      type: str
    id:
      description: Which alert it is.
      type: str
    url:
      description: Where to read more.
      type: str
    img:
      description: Picture beside it.
      type: str
  sample:
    - {id: backup, message: There is no recent backup of this installation., class: warning, img: "", url: ""}
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_facts import gather
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_facts import PARTS, READS


def read(client, params, check_mode):
    """The module's result."""
    return {"changed": False, **gather(client, READS, PARTS, params["gather"])}


def main():
    """Entry point."""
    run(_dtr, {"gather": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)}}, read)


if __name__ == "__main__":
    main()
