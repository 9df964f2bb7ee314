#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_binary
short_description: Unpack a release of CNCF Distribution into a directory of its own
version_added: 0.1.0
author: Dockyard contributors (@dockyard)
description:
  - Checks the SHA-256 of a release that lies on the host, takes the binary C(registry) out of it, sees that it runs and is of the
    expected version, and puts it into its directory in one step. The release is removed afterwards.
  - Nothing that runs is touched; M(dockyard.trusted_registry.distribution_service) selects the directory.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  diff_mode:
    support: none
    details: A binary has no readable difference.
options:
  archive:
    description: A C(tar.gz) that holds C(registry), or the bare binary.
    type: path
    required: true
  sha256:
    description: Its SHA-256.
    type: str
    required: true
  directory:
    description: Where C(registry) goes.
    type: path
    required: true
  version:
    description: The version it must be of; V(3) accepts any 3.x, V(3.1) any 3.1.x.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Unpack a release
  dockyard.trusted_registry.distribution_binary:
    archive: /opt/distribution/0123456789ab.download
    sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    directory: /opt/distribution/0123456789ab
    version: 3.1.2
"""

RETURN = r"""
version:
  description: The version the binary tells of itself.
  returned: when it was unpacked
  type: str
  sample: 3.1.2
"""

import os
import shutil
import tarfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_state import version_of


def unpack(archive, target):
    """Write the binary in a release to a file."""
    if not tarfile.is_tarfile(archive):
        shutil.copyfile(archive, target)
        return
    with tarfile.open(archive) as release:
        for member in release:
            if member.isfile() and os.path.basename(member.name) == "registry":
                with open(target, "wb") as stream:
                    shutil.copyfileobj(release.extractfile(member), stream)
                return
    raise ValueError(f"{archive} holds no file named registry")


def is_version(found, expected):
    """Whether a version is the expected one, or one of its line."""
    wanted = expected.lstrip("v").split(".")
    return found.replace("-", ".").replace("+", ".").split(".")[: len(wanted)] == wanted


def install(params):
    """Returns the version."""
    home = params["directory"]
    new = home + ".new"
    shutil.rmtree(new, ignore_errors=True)
    os.mkdir(new, 0o755)
    try:
        binary = os.path.join(new, "registry")
        unpack(params["archive"], binary)
        os.chmod(binary, 0o755)
        version = version_of(binary)
        if not version:
            raise ValueError("the binary does not run on this host (another architecture?)")
        if not is_version(version, params["version"]):
            raise ValueError("the binary is {}, not {} as declared".format(version, params["version"]))
        shutil.rmtree(home, ignore_errors=True)
        os.rename(new, home)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    os.unlink(params["archive"])
    return version


def main():
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "archive": {"type": "path", "required": True},
            "sha256": {"type": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "version": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    if os.path.exists(os.path.join(params["directory"], "registry")):
        module.exit_json(changed=False)
    if module.check_mode:
        module.exit_json(changed=True)
    try:
        found = module.sha256(params["archive"])
        if found != params["sha256"]:
            module.fail_json(msg="the SHA-256 of the release is {}, not {} as declared".format(found, params["sha256"]))
        module.exit_json(changed=True, version=install(params))
    except (OSError, ValueError, tarfile.TarError) as error:
        module.fail_json(msg="cannot unpack {}: {}".format(params["archive"], error))


if __name__ == "__main__":
    main()
