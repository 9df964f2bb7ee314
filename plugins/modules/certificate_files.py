#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_files
short_description: Deploys keys, certificates and CAs of TLS servers, each set as one
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Puts the private key, the certificate with its chain, and the CA of one or more servers in place, with owner and mode.
  - Loads each key with its certificate as a TLS server would before anything is touched, in check mode too.
  - Writes all files beside their targets, then renames them into place one right after the other. An error puts back what was
    renamed; a killed run is completed by the next. A service that starts between two renames can find a pair that does not match.
  - Says which services have to be restarted, also those that a killed run left with the files of before.
  - Needs nothing but the Python standard library on the host, and C(systemctl) to find the services left behind.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  diff_mode:
    details: Shows fingerprints of certificates, owners and modes. Of a private key it shows only that there is one, or another one.
options:
  sets:
    description: What to deploy. All of it is verified before the first file is changed.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name for messages.
        type: str
        required: true
      certificate:
        description: PEM text of the certificate and of the intermediates behind it.
        type: str
      certificate_path:
        description: Where the certificate belongs.
        type: path
      key:
        description: PEM text of the private key.
        type: str
      key_path:
        description: Where the key belongs. When it equals O(sets[].certificate_path), one file holds the certificate and then the key.
        type: path
      key_passphrase:
        description: Opens an encrypted key for the verification. The key is deployed as it is given.
        type: str
      ca:
        description: PEM text of the CA.
        type: str
      ca_path:
        description: Where the CA belongs.
        type: path
      owner:
        description:
          - User who owns the files, by name or number. Without it existing files keep theirs.
          - In check mode a user who does not exist yet is taken as one who will.
        type: str
      group:
        description: Group of the files, as O(sets[].owner).
        type: str
      mode:
        description: Mode of the certificate and the CA, octal.
        type: str
        default: '0644'
      key_mode:
        description: Mode of the key, octal.
        type: str
        default: '0600'
      services:
        description: Services that read these files and must be restarted when they change.
        type: list
        elements: str
        default: []
  directory_mode:
    description: Mode of directories that have to be made, octal.
    type: str
    default: '0755'
  backup:
    description: Keep a copy of each replaced file beside it, with the same owner and mode, and with a time stamp common to the change.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Deploy the certificate of the registry
  dockyard.trusted_registry.certificate_files:
    sets:
      - name: distribution
        certificate: "{{ lookup('ansible.builtin.file', 'registry.pem') }}"
        certificate_path: /etc/distribution/tls/certificate.pem
        key: "{{ lookup('ansible.builtin.file', 'registry.key') }}"
        key_path: /etc/distribution/tls/key.pem
        owner: distribution
        group: distribution
        services: [distribution]
  register: deployed

- name: Restart what holds the files of before
  ansible.builtin.service:
    name: "{{ item }}"
    state: restarted
  loop: "{{ deployed.services }}"
"""

RETURN = r"""
services:
  description: Services whose files changed, and services that run since before their files last changed.
  returned: always
  type: list
  elements: str
  sample: [distribution]
files:
  description: Paths of the files that were or would be written, or whose owner or mode were or would be set.
  returned: always
  type: list
  elements: str
  sample: [/etc/distribution/tls/certificate.pem, /etc/distribution/tls/key.pem]
backup_files:
  description: Copies of the replaced files.
  returned: always
  type: list
  elements: str
  sample: [/etc/distribution/tls/certificate.pem.20261123T081512Z~]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._certificate_files import (
    Difference,
    FilesError,
    apply,
    octal,
    targets,
    verify_pairs,
)
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._certificate_services import (
    services_of,
    waiting_services,
)

ARGUMENTS = {
    "sets": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "certificate": {"type": "str"},
            "certificate_path": {"type": "path"},
            "key": {"type": "str", "no_log": True},
            "key_path": {"type": "path", "no_log": False},
            "key_passphrase": {"type": "str", "no_log": True},
            "ca": {"type": "str"},
            "ca_path": {"type": "path"},
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "mode": {"type": "str", "default": "0644"},
            "key_mode": {"type": "str", "default": "0600", "no_log": False},
            "services": {"type": "list", "elements": "str", "default": []},
        },
        "required_together": [("certificate", "certificate_path"), ("key", "key_path"), ("ca", "ca_path")],
        "required_by": {"key": ("certificate",)},
    },
    "directory_mode": {"type": "str", "default": "0755"},
    "backup": {"type": "bool", "default": True},
}


def deploy(module):
    sets = module.params["sets"]
    directory_mode = octal(module.params["directory_mode"])
    differences = [Difference(target) for target in targets(sets)]
    changes = [difference for difference in differences if difference.changed]
    result = {"changed": bool(changes), "files": [change.target.path for change in changes], "backup_files": []}
    result["diff"] = {
        "before": {change.target.path: change.before for change in changes},
        "after": {change.target.path: change.after for change in changes},
    }
    if changes:
        verify_pairs(sets, module.tmpdir)
        if module.check_mode:
            for error in sorted({error for change in changes for error in change.errors}):
                module.warn(error)
        else:
            result["backup_files"] = apply(changes, directory_mode, module.params["backup"])
    unchanged = [difference for difference in differences if not difference.other_content]
    waiting = waiting_services(sets, unchanged, module.run_command) if module.get_bin_path("systemctl") else []
    result["services"] = sorted(set(services_of(sets, changes) + waiting))
    return result


def main():
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    try:
        result = deploy(module)
    except FilesError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
