#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_removal
short_description: Stop a registry service and remove its files
version_added: 0.1.0
author: Dockyard contributors (@dockyard)
description:
  - Stops and disables the service, giving uploads in progress their time, and removes its unit and the given files and directories.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
options:
  service:
    description: Name of the systemd unit, without C(.service).
    type: str
    default: distribution
  paths:
    description: Files and directories to remove with everything in them. Directories of the system itself are refused.
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Remove a registry and keep its images
  dockyard.trusted_registry.distribution_removal:
    paths:
      - /etc/distribution
      - /opt/distribution
"""

RETURN = r"""
removed:
  description: What was there and is no longer.
  returned: success
  type: list
  elements: str
  sample: [/etc/systemd/system/distribution.service, /etc/distribution]
"""

import os
import shutil

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_state import run

# First-level directories, and what the system keeps directly beneath some of them.
SHALLOW = 2


def refused(path):
    """Whether a path is too near to the root to be removed."""
    return len([part for part in os.path.normpath(path).split("/") if part]) < SHALLOW or os.path.normpath(path) in (
        "/var/lib",
        "/var/log",
        "/etc/systemd",
        "/usr/bin",
        "/usr/lib",
        "/usr/local",
    )


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "str", "default": "distribution"},
            "paths": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    service = module.params["service"]
    unit = f"/etc/systemd/system/{service}.service"
    for path in module.params["paths"]:
        if refused(path):
            module.fail_json(msg=f"{path} is a directory of the system; nothing has been removed")
    present = [path for path in [unit] + module.params["paths"] if os.path.lexists(path)]
    if present and not module.check_mode:
        if unit in present:
            code, text = run("systemctl", "disable", "--now", service, timeout=600)
            if code:
                module.fail_json(msg=f"systemctl disable --now {service}: {text.strip()}")
        for path in present:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        run("systemctl", "daemon-reload")
        run("systemctl", "reset-failed", service)
    before = {"present": present}
    module.exit_json(changed=bool(present), removed=present, diff={"before": before, "after": {"present": []} if present else before})


if __name__ == "__main__":
    main()
