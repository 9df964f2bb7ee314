#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ucp_license
short_description: License of Universal Control Plane
version_added: 0.2.0
author: Dockyard contributors (@dockyard)
description:
  - Uploads a license file unless UCP has that license already, and reads it back.
  - Licenses are compared by what UCP shows of them, being key id, end, tier and number of engines. What it does not show counts as equal.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
  - dockyard.trusted_registry._ucp
options:
  content:
    description: Content of the license file (C(docker_subscription.lic)), JSON.
    type: jsonarg
  src:
    description: Path of the license file where the module runs.
    type: path
  auto_refresh:
    description:
      - Whether UCP renews the license by itself over the Internet. V(false) where it cannot get there.
      - Without it, the setting stays as it is; with the first license it becomes V(true).
    type: bool
notes:
  - Needs an administrator.
  - The endpoint (C(/api/config/license)) and the form of the license are field observations. The UCP documentation knows the web page and
    the option of the installer only. A version without this endpoint makes the task fail with its answer.
  - DTR copies UCP's license, except after an upgrade to a new major version or when its own has expired. With an expired license DTR takes
    no pushes, while UCP goes on.
seealso:
  - module: dockyard.trusted_registry.ucp_info
"""

EXAMPLES = r"""
- name: The license, renewed by hand as the site has no way to the Internet
  dockyard.trusted_registry.ucp_license:
    host: ucp.example.com
    username: admin
    password: "{{ vault_ucp_password }}"
    ca_path: /etc/ssl/ucp-ca.pem
    content: "{{ lookup('ansible.builtin.file', 'docker_subscription.lic') }}"
    auto_refresh: false
"""

RETURN = r"""
license:
  description: The license that UCP has, or would have in check mode.
  returned: success
  type: dict
  contains:
    key_id:
      description: Its id.
      type: str
      sample: Xyz-1
    expires_at:
      description: When it ends.
      type: str
      sample: "2027-03-24T00:00:00Z"
    days_left:
      description: Whole days until then, negative when it has ended.
      type: int
      sample: 365
    tier:
      description: Its kind.
      type: str
      sample: Production
    max_engines:
      description: How many engines it is for.
      type: int
      sample: 50
    auto_refresh:
      description: Whether UCP renews it by itself.
      type: bool
      sample: false
fields:
  description: What differed.
  returned: success
  type: list
  elements: str
  sample: [expires_at, key_id]
"""

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _ucp_license as license_file
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_module import run
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError


def work(client, params, check_mode):
    """The module's result."""
    if not (params["content"] or params["src"]):
        raise InputError("content and src are empty: is the variable behind it empty? Give the license or the path of its file.")
    wanted = license_file.read(params["content"] or content_of(params["src"]))
    present = current(client)
    auto_refresh = params["auto_refresh"] if params["auto_refresh"] is not None else (present or {}).get("auto_refresh", True)
    after = license_file.shown(wanted, auto_refresh)
    fields = license_file.differences(present, after)
    if fields and not check_mode:
        client.change("POST", *license_file.ADDRESS, body={"auto_refresh": auto_refresh, "license_config": wanted})
        check_effect(client, after)
    return {
        "changed": bool(fields), "fields": fields, "license": after if fields else present,
        "diff": {"before": {name: present[name] for name in fields} if present else {}, "after": {name: after[name] for name in fields}},
        "warnings": [f"The license {after['key_id']} ended at {after['expires_at']}: DTR takes no pushes with it. Get a new one."]
        if (after["days_left"] or 0) < 0 else [],
    }


def content_of(path):
    """The text of a file."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"src: the license file {path} cannot be read ({error}). Check the path, and where the task runs.") from error


def current(client):
    """What the server shows of its license, None when it has none."""
    answer = client.get(*license_file.ADDRESS)
    return license_file.shown(answer.get("license_config"), answer.get("auto_refresh"))


def check_effect(client, wanted):
    """ApiError when the server does not show what it took."""
    left = license_file.differences(current(client), wanted)
    if left:
        raise ApiError(f"UCP took the license {wanted['key_id']}, yet shows another {', '.join(left)}. Look at Admin Settings, License.")


def main():
    """Entry point."""
    run(_ucp, {
        "content": {"type": "jsonarg", "no_log": True},
        "src": {"type": "path"},
        "auto_refresh": {"type": "bool"},
    }, work, required_one_of=[("content", "src")], mutually_exclusive=[("content", "src")])


if __name__ == "__main__":
    main()
