# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _htpasswd

DOCUMENTATION = r"""
name: htpasswd
short_description: Bring the text of an htpasswd file to a list of users
version_added: 0.1.0
author: Dockyard contributors (@dockyard)
description:
  - Adds, changes and removes users with bcrypt hashes. The line of a user whose password still verifies stays as it is,
    so that the result equals the input when nothing changed.
requirements:
  - bcrypt (on the controller)
positional: users
options:
  _input:
    description: The present text of the file; empty when there is none.
    type: str
    required: true
  users:
    description: Users with C(name), C(password) and C(state) (V(present) or V(absent)).
    type: list
    elements: dict
    required: true
  cost:
    description: The cost of new hashes, as a power of two.
    type: int
    default: 8
  exclusive:
    description: Whether users that are not listed are removed.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Write the file
  ansible.builtin.copy:
    content: "{{ my_current_text | dockyard.trusted_registry.htpasswd(my_users) }}"
    dest: /etc/distribution/htpasswd
    owner: root
    group: distribution
    mode: "0640"
  no_log: true
"""

RETURN = r"""
_value:
  description: The new text of the file.
  type: str
  sample: "alice:$2y$08$0mbWmPmLd0iMcvTyuuF5D.ZIuXvxiIAcCWlPBWE2rIvQkrMeU1ZyO\n"
"""


def _htpasswd_text(current, users, cost=_htpasswd.DEFAULT_COST, exclusive=False):
    found = _htpasswd.problems(users)
    if found:
        raise AnsibleFilterError("htpasswd: {}".format("; ".join(found)))
    try:
        return _htpasswd.updated(current, users, cost, exclusive)
    except RuntimeError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"htpasswd": _htpasswd_text}
