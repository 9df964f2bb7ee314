# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: certificate_material
short_description: Reads the keys and certificates that the role certificates is to deploy
version_added: 0.1.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Completes the entries of C(certificates_list) with the PEM texts they name, and reads the state of the CA that issues the others.
  - Files are found like those of the lookup C(ansible.builtin.file), and may be encrypted with Ansible Vault.
  - A file that cannot be read is no error here, but an entry of C(errors), so that P(dockyard.trusted_registry.certificate_problems#filter)
    reports all that is wrong in one message.
options:
  _terms:
    description: The entries of C(certificates_list).
    required: true
  ca_dir:
    description: Directory of the CA.
    type: str
    required: true
  store:
    description: Directory of what was issued for this host.
    type: str
    required: true
  fetched:
    description:
      - What M(dockyard.trusted_registry.certificate_files_info) read in O(ca_dir), when that is on another machine.
      - Without it O(ca_dir) and O(store) are read on the controller.
    type: dict
"""

EXAMPLES = r"""
- name: Refuse what must not be deployed
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    material: "{{ query('dockyard.trusted_registry.certificate_material', wanted, ca_dir='pki', store='pki/issued/web') | first }}"
    problems: "{{ material.entries | dockyard.trusted_registry.certificate_problems }}"
"""

RETURN = r"""
_raw:
  description:
    - One dictionary with C(entries), the entries with their PEM texts, and C(authority), the CA with C(certificate), C(issuer),
      C(key_present) and C(origins).
    - It holds private keys. Use it where it is needed and keep it out of facts.
  type: list
  elements: dict
"""

import os.path

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._certificates_input import source_errors

_PARTS = ("certificate", "key", "chain", "ca", "key_passphrase")


class LookupModule(LookupBase):
    def run(self, terms, variables=None, ca_dir="", store="", fetched=None):
        self._variables = variables or {}
        self._ca_dir = ca_dir
        self._fetched = {item["path"]: item for item in fetched["files"]} if fetched else None
        self._store = store
        authority = self._authority()
        entries = self._flatten(terms)
        return [
            {
                "authority": authority,
                "entries": [
                    self._stored(entry, authority) if entry.get("source") == "issued" else self._provided(entry)
                    for entry in entries
                ],
            }
        ]

    def _authority(self):
        paths = {part: os.path.join(self._ca_dir, name) for part, name in
                 (("certificate", "ca.pem"), ("issuer", "issuer.pem"), ("key", "ca.key"))}
        return {
            "certificate": self._from_store(paths["certificate"]),
            "issuer": self._from_store(paths["issuer"]),
            "key_present": self._exists(paths["key"]),
            "origins": paths,
        }

    def _stored(self, entry, authority):
        paths = {part: os.path.join(self._store, str(entry.get("name")), part + ".pem") for part in ("certificate", "key")}
        return dict(
            entry,
            errors=source_errors(entry),
            chain=authority["issuer"],
            ca=authority["certificate"],
            origins=dict(paths, ca=authority["origins"]["certificate"], chain=authority["origins"]["issuer"]),
            **{part: self._from_store(path) for part, path in paths.items()},
        )

    def _provided(self, entry):
        complete = dict(entry, errors=source_errors(entry), origins={})
        for part in _PARTS:
            if entry.get(part):
                # str() also opens a value that is encrypted with Ansible Vault inline.
                complete[part] = str(entry[part])
                complete["origins"][part] = f"`{part}`"
            elif part != "key_passphrase" and entry.get(part + "_file"):
                complete["origins"][part] = entry[part + "_file"]
                try:
                    complete[part] = self._read(entry[part + "_file"])
                except AnsibleError as error:
                    complete["errors"].append(f"{part}_file {error.message}")
        return complete

    def _exists(self, path):
        if self._fetched is None:
            return os.path.isfile(path)
        return bool(self._fetched.get(path, {}).get("exists"))

    def _from_store(self, path):
        if not self._exists(path):
            return ""
        if self._fetched is not None:
            return self._fetched[path].get("content") or self._fetched[path].get("certificates") or ""
        return self._read(path)

    def _read(self, path):
        found = self.find_file_in_search_path(self._variables, "files", path, ignore_missing=True)
        if not found:
            raise AnsibleError(
                f"{path} does not exist on the controller (a relative path is looked for in files/ of the playbook); "
                "correct the path or put the file there"
            )
        try:
            # PEM is ASCII. Read as Latin-1, a DER file is text as well, and is judged with words instead of failing here.
            if hasattr(self._loader, "get_text_file_contents"):
                return self._loader.get_text_file_contents(found, encoding="latin-1")
            return self._loader._get_file_contents(found)[0].decode("latin-1")  # ansible-core before 2.19
        except AnsibleError as error:
            raise AnsibleError("{} cannot be read: {}".format(path, error.message.rstrip("."))) from error
