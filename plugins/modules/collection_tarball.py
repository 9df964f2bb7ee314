#!/usr/bin/python
# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: collection_tarball
short_description: Make an installable archive of a collection that is in use here
version_added: 0.3.0
author: Dockyard contributors (@dockyard)
description:
  - Runs on the controller. Finds a collection where Ansible itself finds it, and makes the archive from which
    C(ansible-galaxy collection install --offline) installs it elsewhere.
  - A checkout (with C(galaxy.yml)) is built by C(ansible-galaxy). An installed collection is packed as it is, with a new list of its
    files, because packagers leave some out.
extends_documentation_fragment:
  - dockyard.trusted_registry._attributes
attributes:
  check_mode:
    support: none
    details: It is skipped.
  diff_mode:
    support: none
    details: An archive has no readable difference.
  idempotent:
    support: none
    details: The archive is made anew each time; its bytes differ, its content does not.
options:
  collection:
    description: Name of the collection with its namespace.
    type: str
    required: true
  directory:
    description: Existing directory on the controller that the archive goes to.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Pack what this playbook runs with
  dockyard.trusted_registry.collection_tarball:
    collection: community.crypto
    directory: /srv/collections
"""

RETURN = r"""
archive:
  description: The file.
  returned: success
  type: str
  sample: /srv/collections/community-crypto-3.0.5.tar.gz
"""
