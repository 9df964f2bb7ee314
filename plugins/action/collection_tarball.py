# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._collection_tarball import TarballError, tarball

ARGUMENTS = {"collection": {"type": "str", "required": True}, "directory": {"type": "path", "required": True}}


def home(collection):
    """Return where Ansible found a collection."""
    try:
        return next(iter(importlib.import_module(f"ansible_collections.{collection}").__path__))
    except ImportError as error:
        raise TarballError(f"the collection {collection} is not installed here; ansible-galaxy collection install {collection}") from error


class ActionModule(ActionBase):
    """Only the controller knows where its collections are."""

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _dummy, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        if self._task.check_mode:
            return {**result, "changed": False, "skipped": True}
        try:
            archive = tarball(home(arguments["collection"]), arguments["directory"])
        except (TarballError, OSError) as error:
            raise AnsibleActionFail(f"no archive of {arguments['collection']} was made: {error}") from error
        return {**result, "changed": True, "archive": archive}
