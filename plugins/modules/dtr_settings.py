#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dtr_settings
short_description: Settings of a Docker Trusted Registry
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Changes the declared settings and leaves the others as they are. The registry only acknowledges a change; the module waits until it
    can be read back, and until a new certificate is served.
  - A change of the image store is refused while it would lose tags.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._dtr
options:
  settings:
    description: The settings. Those that are not given stay as they are.
    type: dict
    default: {}
    suboptions:
      dtr_host:
        description:
          - Name under which clients reach the registry, that of the balancer if there is one, with a port when it is not 443.
        type: str
      sso:
        description: Whether the web interface signs in through UCP. C(docker login) then needs access tokens.
        type: bool
      create_repository_on_push:
        description:
          - Whether a push makes a repository that does not exist yet, private, in the namespace of the user or in an organization
            that the user administers. Off in a new registry.
        type: bool
      read_only_registry:
        description: Whether pushes are refused.
        type: bool
      scanning_enabled:
        description: Whether images can be scanned for vulnerabilities. Needs a licence that includes it. Off in a new registry.
        type: bool
      scanning_sync_online:
        description: Whether the vulnerability database is fetched by itself, at 3:00 UTC and when this is switched on.
        type: bool
      scanning_deadline:
        description: How long a scan may take. The unit is not documented.
        type: int
      scanning_enable_auto_recheck:
        description: Whether images that were scanned are checked again after an update of the database.
        type: bool
      job_history_compaction_enabled:
        description: Whether logs of old jobs are deleted, which garbage collection does. One of the two limits suffices.
        type: bool
      job_history_to_keep:
        description: How many jobs are kept.
        type: int
      job_history_max_age:
        description: How long jobs are kept, as a duration such as V(720h).
        type: str
      repo_event_history_compaction_enabled:
        description: Whether old events of repositories are deleted, which garbage collection does.
        type: bool
      repo_event_history_to_keep:
        description: How many events are kept.
        type: int
      repo_event_history_max_age:
        description: How long events are kept, as a duration such as V(720h).
        type: str
      client_cert_auth_enabled:
        description: Whether clients may sign in with a TLS certificate (DTR 2.7).
        type: bool
      web_tls_cert:
        description: The registry's certificate followed by its intermediates, PEM. The module waits until it is served.
        type: str
      web_tls_key:
        description: Its private key, PEM, without a passphrase. It is sent together with a new certificate and cannot be read back.
        type: str
      web_tls_ca:
        description: The CA that signed it, PEM; handed out under C(/ca).
        type: str
      web_tls_client_ca:
        description: CAs whose client certificates may sign in, PEM (DTR 2.7).
        type: str
      disable_persistent_cookies:
        description: Whether sessions of the web interface end with the browser.
        type: bool
      disable_upgrades:
        description: Whether the registry stops looking for new versions.
        type: bool
      disable_backup_warning:
        description: Whether the banner that asks for a backup is hidden.
        type: bool
      report_analytics:
        description: Whether usage data is sent to the vendor.
        type: bool
      anonymize_analytics:
        description: Whether the licence stays out of it.
        type: bool
      http_proxy:
        description: Proxy for outgoing HTTP. Cannot be set through the API, see O(on_reconfigure).
        type: str
      https_proxy:
        description: Proxy for outgoing HTTPS. Cannot be set through the API, see O(on_reconfigure).
        type: str
      no_proxy:
        description: Names and addresses reached without a proxy, separated by commas. Cannot be set through the API, see O(on_reconfigure).
        type: str
      log_protocol:
        description: Protocol of the syslog server. Cannot be set through the API, see O(on_reconfigure).
        type: str
      log_host:
        description: Address of the syslog server. Cannot be set through the API, see O(on_reconfigure).
        type: str
      log_level:
        description: What is logged. Cannot be set through the API, see O(on_reconfigure).
        type: str
      storage_volume:
        description: Volume or path of a local image store. Cannot be set through the API, see O(on_reconfigure).
        type: str
      nfs_host:
        description: Server of an image store on NFS. Cannot be set through the API, see O(on_reconfigure).
        type: str
      nfs_path:
        description: Its path. Cannot be set through the API, see O(on_reconfigure).
        type: str
  storage:
    description:
      - >-
        Settings of the image store as the registry's storage settings show them, nested, such as V({"storage": {"s3": {"bucket":
        "images"}}}). Only the given keys are changed. Their names are those of the registry's storage drivers.
      - Any change is made with the order to keep the tags, which DTR 2.6.6 and newer understand; older ones are refused.
    type: dict
  storage_data_migrated:
    description:
      - Your word that the image data has been copied to the store that O(storage) names. Without it, changes of anything but secrets
        are refused.
    type: bool
    default: false
  on_reconfigure:
    description:
      - Proxies, logging and the local or NFS store are shown by the API but can only be set with the C(reconfigure) command of the
        installer. When one of them is declared and differs, the module fails before it changes anything (V(fail)), or warns, does the
        rest and returns them in RV(reconfigure) (V(report)).
    type: str
    choices: [fail, report]
    default: fail
notes:
  - Needs a system administrator. Sources of the rules are the DTR 2.7 API, the DTR documentation and its release notes (2.6.4, 2.6.6). The
    address of the storage settings stands in the release notes only.
  - A duration is compared by its length, so V(24h) and V(24h0m0s) are the same.
"""

EXAMPLES = r"""
- name: Scanning on, the name of the balancer, history of half a year
  dockyard.trusted_registry.dtr_settings:
    host: registry.example.com
    username: admin
    password: "{{ vault_dtr_password }}"
    ca_path: /etc/ssl/registry-ca.pem
    settings:
      dtr_host: registry.example.com
      scanning_enabled: true
      scanning_sync_online: false
      job_history_compaction_enabled: true
      job_history_max_age: 4380h

- name: A certificate of our own in place of the self-signed one
  dockyard.trusted_registry.dtr_settings:
    settings:
      web_tls_cert: "{{ lookup('ansible.builtin.file', 'registry.pem') }}"
      web_tls_key: "{{ vault_registry_key }}"
      web_tls_ca: "{{ lookup('ansible.builtin.file', 'ca.pem') }}"

- name: Pushes are refused from now on
  dockyard.trusted_registry.dtr_settings:
    settings:
      read_only_registry: true
"""

RETURN = r"""
fields:
  description: Settings that were changed, or would be in check mode. Those of the image store start with C(storage:).
  returned: success
  type: list
  elements: str
  sample: [dtr_host, scanning_enabled]
reconfigure:
  description:
    - Settings that differ from what was declared and that only the C(reconfigure) command can set.
    - Users and passwords in addresses are hidden.
  returned: success
  type: list
  elements: dict
  contains:
    field:
      description: The setting.
      type: str
      sample: https_proxy
    current:
      description: What it is.
      type: str
      sample: ""
    declared:
      description: What it shall be.
      type: str
      sample: http://proxy.example.com:3128
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr, _dtr_storage
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import USERINFO, InputError, without_userinfo
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_tls import await_served, check_pair

FIELDS = {
    "dtr_host": "dtrHost",
    "sso": "sso",
    "create_repository_on_push": "createRepositoryOnPush",
    "read_only_registry": "readOnlyRegistry",
    "scanning_enabled": "scanningEnabled",
    "scanning_sync_online": "scanningSyncOnline",
    "scanning_deadline": "scanningDeadline",
    "scanning_enable_auto_recheck": "scanningEnableAutoRecheck",
    "job_history_compaction_enabled": "jobHistoryCompactionEnabled",
    "job_history_to_keep": "jobHistoryToKeep",
    "job_history_max_age": "jobHistoryMaxAge",
    "repo_event_history_compaction_enabled": "repoEventHistoryCompactionEnabled",
    "repo_event_history_to_keep": "repoEventHistoryToKeep",
    "repo_event_history_max_age": "repoEventHistoryMaxAge",
    "client_cert_auth_enabled": "clientCertAuthEnabled",
    "web_tls_cert": "webTLSCert",
    "web_tls_key": "webTLSKey",
    "web_tls_ca": "webTLSCA",
    "web_tls_client_ca": "webTLSClientCA",
    "disable_persistent_cookies": "disablePersistentCookies",
    "disable_upgrades": "disableUpgrades",
    "disable_backup_warning": "disableBackupWarning",
    "report_analytics": "reportAnalytics",
    "anonymize_analytics": "anonymizeAnalytics",
}
READ_ONLY = {
    "http_proxy": "httpProxy",
    "https_proxy": "httpsProxy",
    "no_proxy": "noProxy",
    "log_protocol": "logProtocol",
    "log_host": "logHost",
    "log_level": "logLevel",
    "storage_volume": "storageVolume",
    "nfs_host": "nfsHost",
    "nfs_path": "nfsPath",
}
NUMBERS = ("scanning_deadline", "job_history_to_keep", "repo_event_history_to_keep")
TEXTS = ("dtr_host", "job_history_max_age", "repo_event_history_max_age", "web_tls_cert", "web_tls_key", "web_tls_ca", "web_tls_client_ca")


def setting(name):
    """Argument spec of a setting."""
    kind = "int" if name in NUMBERS else "str" if name in TEXTS or name in READ_ONLY else "bool"
    return {"type": kind, "no_log": True} if name == "web_tls_key" else {"type": kind}


def apply_settings(dtr, params, check_mode):
    """The module's result."""
    now = dtr.settings()
    declared = {name: value for name, value in params["settings"].items() if value is not None}
    unreachable = reconfigure(declared, now, params["on_reconfigure"])
    changed = changed_fields(declared, now)
    store = StorageChange(dtr, params)
    if not check_mode:
        if changed:
            change(dtr, declared, changed)
        store.make()
    return {
        "changed": bool(changed or store.differences),
        "fields": [*changed, *(f"storage: {name}" for name in store.differences)],
        "reconfigure": unreachable,
        "warnings": [f"{item['field']} is '{item['current']}' and not '{item['declared']}': only the installer's reconfigure can set it."
                     for item in unreachable],
        "diff": {
            "before": {**{name: now.get(FIELDS[name]) for name in changed}, **{name: pair[0] for name, pair in store.differences.items()}},
            "after": {**{name: declared[name] for name in changed}, **{name: pair[1] for name, pair in store.differences.items()}},
        },
    }


def changed_fields(declared, now):
    """Names of the settings to send; InputError where the certificate and key do not fit."""
    fields = sorted(name for name, value in declared.items() if name in FIELDS and name != "web_tls_key"
                    and _dtr.canonical(now.get(FIELDS[name])) != _dtr.canonical(value))
    if "web_tls_cert" in fields:
        if "web_tls_key" not in declared:
            raise InputError("web_tls_cert differs from the registry's certificate, but its key is not given. Give it as web_tls_key.")
        check_pair(declared["web_tls_cert"], declared["web_tls_key"])
    return fields


def reconfigure(declared, now, on_reconfigure):
    """[{field, current, declared}] of what the API cannot set; InputError if that is not to be tolerated."""
    found = [{"field": name, "current": without_userinfo(now.get(api_name) or ""), "declared": without_userinfo(declared[name])}
             for name, api_name in READ_ONLY.items() if name in declared and (now.get(api_name) or "") != declared[name]]
    if found and on_reconfigure == "fail":
        told = "; ".join(f"{item['field']} is '{item['current']}', declared is '{item['declared']}'" for item in found)
        raise InputError(f"{told}. The API cannot set this: run the installer's reconfigure, or take it out of settings."
                         " Nothing was changed.")
    return found


def change(dtr, declared, fields):
    """Send the settings; with a certificate also its key."""
    body = {FIELDS[name]: declared[name] for name in fields}
    if "web_tls_cert" in fields:
        body["webTLSKey"] = declared["web_tls_key"]
        dtr.http.trust_also("\n".join(declared.get(name) or "" for name in ("web_tls_ca", "web_tls_cert")))
    dtr.change_settings(body)
    if "web_tls_cert" in fields:
        await_served(dtr.http.base_url, declared["web_tls_cert"])


class StorageChange:
    """What O(storage) would change; differences: {name: (before, after)}, secrets hidden."""

    def __init__(self, dtr, params):
        self.dtr, self.differences = dtr, {}
        if params["storage"]:
            current = dtr.get(*_dtr_storage.ADDRESS)
            self.wanted = _dtr_storage.merged(current, params["storage"])
            self.differences = _dtr_storage.differences(current, self.wanted)
            if self.differences:
                _dtr_storage.check(self.differences, self.wanted, params["storage_data_migrated"], dtr.basic_info()["CurrentVersion"])

    def make(self):
        """Send it, with the order to keep the tags."""
        if self.differences:
            self.dtr.put(*_dtr_storage.ADDRESS, body={**self.wanted, "keep_metadata": True})


def hidden(params):
    """What must stand in no output: secrets of the image store, users and passwords of proxies."""
    texts = [value for name, value in params["settings"].items() if name in READ_ONLY and value]
    return [*_dtr_storage.secrets(params), *filter(None, USERINFO.findall(" ".join(texts)))]


def main():
    """Entry point."""
    run(_dtr, {
        "settings": {"type": "dict", "default": {}, "options": {name: setting(name) for name in (*FIELDS, *READ_ONLY)}},
        "storage": {"type": "dict"},
        "storage_data_migrated": {"type": "bool", "default": False},
        "on_reconfigure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
    }, apply_settings, conceal=hidden)


if __name__ == "__main__":
    main()
