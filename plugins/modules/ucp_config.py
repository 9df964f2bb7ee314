#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ucp_config
short_description: Configuration of Universal Control Plane
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Sets what is declared in UCP's configuration file and leaves the rest of the file as it is, with its order and comments.
  - UCP takes the file as a whole. It is read, changed, uploaded and read again, to see that the server shows what was declared.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._ucp
options:
  config:
    description:
      - What the file shall say, as nested dictionaries with the names of its sections and keys. What is not named, or has no value
        (C(null)), stays as it is. A list of plain values is replaced as a whole.
      - C(registries) and C(custom_api_server_headers) are lists of dictionaries. Their entries are told apart by C(host_address) and
        C(name); of an entry that exists, the declared keys are changed. An entry with C(state=absent) is removed.
      - A value of another type than the server has, such as V("443") for a number, is refused. An unknown section or key is refused by UCP.
    type: dict
    required: true
  exclusive:
    description:
      - Whether entries of C(registries) and C(custom_api_server_headers) that are not declared are removed, from those of the two lists
        that O(config) holds. Without it, they are only reported, in RV(undeclared).
    type: bool
    default: false
  confirm_removal:
    description:
      - The value of O(host), written out, as the confirmation that undeclared entries may be removed there.
      - Without it, O(exclusive) with something to remove is refused, with a list of what would go, in check mode as well.
    type: str
requirements:
  - tomlkit
notes:
  - Needs an administrator. The sections and keys are those of the UCP documentation, configuration file. Values of keys that are named
    like a secret are hidden in the diff and in the output.
  - Do not change the configuration while UCP is being upgraded.
  - UCP takes the configuration as a whole. What somebody else changes between the module's reading and its writing is lost, so that there
    should be one place from which it is changed.
  - A change of C(auth.sessions.store_token_per_session) signs all users out.
seealso:
  - module: dockyard.trusted_registry.ucp_info
  - module: dockyard.trusted_registry.ucp_license
"""

EXAMPLES = r"""
- name: Sessions, scheduling and the registries that are trusted
  dockyard.trusted_registry.ucp_config:
    host: ucp.example.com
    username: admin
    password: "{{ vault_ucp_password }}"
    ca_path: /etc/ssl/ucp-ca.pem
    config:
      auth:
        sessions:
          lifetime_minutes: 60
          renewal_threshold_minutes: 20
      scheduling_configuration:
        enable_admin_ucp_scheduling: false
      registries:
        - host_address: registry.example.com
          ca_bundle: "{{ lookup('ansible.builtin.file', 'registry-ca.pem') }}"
        - host_address: old-registry.example.com
          state: absent
"""

RETURN = r"""
changes:
  description: What was set, added and removed, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    key:
      description: Section, or list and entry.
      type: str
      sample: registries[registry.example.com]
    action:
      description: C(created), C(updated) or C(deleted).
      type: str
      sample: updated
    fields:
      description: Keys that differed.
      type: list
      elements: str
      sample: [ca_bundle]
undeclared:
  description: Entries of the declared lists that exist and were not declared.
  returned: success
  type: list
  elements: str
  sample: ["registries[test-registry.example.com]"]
message:
  description: What UCP said to the new configuration.
  returned: when it was changed
  type: str
  sample: Successfully updated the configuration
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_config as toml
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_items import ARGUMENTS, confirm
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError


class Entries:
    """What the question for confirmation has to know."""

    noun = "entry of the configuration"

    def __init__(self, params):
        self.params = params


def work(client, params, check_mode):
    """The module's result."""
    if toml.MISSING:
        raise InputError("the Python library tomlkit is needed where this module runs. Install it, such as with the package"
                         " python3-tomlkit.")
    document = toml.parse(client.config_text())
    plan, paths = toml.plan(document.unwrap(), params["config"], params["exclusive"])
    confirm(Entries(params), plan.removed_undeclared())
    result = {
        "changed": bool(plan.changes),
        "changes": [change.report() for change in plan.changes],
        "undeclared": plan.undeclared,
        "diff": toml.public(plan.diff()),
    }
    if plan.changes and not check_mode:
        said = client.replace_config(toml.changed_text(document, plan, paths))
        check_effect(client, params)
        result["message"] = said
    return result


def check_effect(client, params):
    """ApiError when the server does not show what it took."""
    left, _paths = toml.plan(toml.parse(client.config_text()).unwrap(), params["config"], params["exclusive"])
    if left.changes:
        missing = [f"{change.key}: {', '.join(sorted(change.fields))}" for change in left.changes]
        raise ApiError(f"UCP took the configuration, yet still shows other values of {'; '.join(missing)}. Compare with what"
                       " GET /api/ucp/config-toml says; this version may not know these keys, or somebody else changed them meanwhile.")


def main():
    """Entry point."""
    run(_ucp, {**ARGUMENTS, "config": {"type": "dict", "required": True}}, work, conceal=lambda params: toml.secrets(params["config"]))


if __name__ == "__main__":
    main()
