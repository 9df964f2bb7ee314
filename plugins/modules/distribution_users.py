#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_users
short_description: Replace the htpasswd file of a registry
version_added: 0.1.0
author: Dockyard contributors (@dockyard)
description:
  - Replaces the file in one step, so that a registry that reads it at this moment sees the old users or the new ones.
    CNCF Distribution reads it again by itself; nothing is restarted.
  - P(dockyard.trusted_registry.htpasswd#filter) makes the text.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
options:
  content:
    description: The text of the file.
    type: str
    required: true
  path:
    description: Where it goes. The directory is made when it is missing.
    type: path
    default: /etc/distribution/htpasswd
  group:
    description: The group that may read it.
    type: str
    default: distribution
"""

EXAMPLES = r"""
- name: Users of the registry
  dockyard.trusted_registry.distribution_users:
    content: "{{ my_current_text | dockyard.trusted_registry.htpasswd(my_users) }}"
"""

RETURN = r"""
added:
  description: Users that were not in the file.
  returned: always
  type: list
  elements: str
  sample: [alice]
removed:
  description: Users that are no longer in the file.
  returned: always
  type: list
  elements: str
  sample: []
updated:
  description: Users whose password changed.
  returned: always
  type: list
  elements: str
  sample: [bob]
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_files import Owner, mended, replace
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_state import read

MODE = 0o640


def names(text):
    """The users in the text of a file."""
    return sorted(line.split(":")[0] for line in text.splitlines() if ":" in line)


def compare(before, after):
    """Names added, removed and changed between two texts."""
    old, new = (dict(line.partition(":")[::2] for line in text.splitlines() if ":" in line) for text in (before, after))
    return {
        "added": sorted(set(new) - set(old)),
        "removed": sorted(set(old) - set(new)),
        "updated": sorted(name for name in set(old) & set(new) if old[name] != new[name]),
    }


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "content": {"type": "str", "required": True, "no_log": True},
            "path": {"type": "path", "default": "/etc/distribution/htpasswd"},
            "group": {"type": "str", "default": "distribution"},
        },
        supports_check_mode=True,
    )
    path, wanted = module.params["path"], module.params["content"]
    group = Owner("root", module.params["group"]).group
    rules = [(os.path.dirname(path), 0, group, 0o750, True), (path, 0, group, MODE, False)]
    present = read(path)
    before = (present or b"").decode("utf-8", "replace")
    result = compare(before, wanted)
    changed = present != wanted.encode() or bool(mended(rules, check_mode=True))
    if changed and not module.check_mode:
        if group is None:
            module.fail_json(msg="group {} does not exist".format(module.params["group"]))
        mended(rules, check_mode=False)
        if present != wanted.encode():
            replace(path, wanted.encode(), group, MODE)
    shown = {"before": {"users": names(before)}, "after": {"users": names(wanted)}}
    if result["updated"]:
        shown["after"]["new_password"] = result["updated"]
    module.exit_json(changed=changed, diff=shown, **result)


if __name__ == "__main__":
    main()
