# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json
import os
import tempfile

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_report import build, render

display = Display()

ARGUMENTS = {
    "hosts": {"type": "dict", "required": True},
    "probes": {"type": "dict", "required": True},
    "inventory_groups": {"type": "dict", "default": {}},
    "path": {"type": "str", "default": ""},
    "show": {"type": "str", "choices": ["problems", "all"], "default": "problems"},
    "enforce": {"type": "bool", "default": True},
}


def write(path, report):
    """Write the report in one piece: who reads along never sees half of it."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".preflight-", dir=folder)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(report, stream, indent=2)
                stream.write("\n")
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        # The table has said it all; hosts are not refused because of a full or read-only folder on the controller.
        display.warning(f"the preflight report cannot be written to {path}: {error.strerror}; set preflight_report_file")
        return ""
    return path


class ActionModule(ActionBase):
    """Judge on the controller: it needs the probes of all hosts, and a table needs the terminal."""

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _dummy, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        report = build(arguments["hosts"], arguments["probes"], arguments["inventory_groups"], arguments["enforce"])
        for line in render(report, arguments["show"] == "all" or display.verbosity > 0):
            display.display(line)
        for name, entry in report["hosts"].items():
            waived = [f"{one['check']} {one['subject']}".strip() for one in entry["results"] if one["status"] == "waived"]
            if waived:
                display.warning(f"preflight of {name}: waived by preflight_waive: {', '.join(waived)}")
            if entry["verdict"] == "below minimum" and not entry["refused"]:
                display.warning(f"preflight of {name}: below minimum, and accepted because preflight_enforce is false")
        path = arguments["path"]
        if path:
            generated = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
            path = write(path, {"generated": generated, **report})
        if path:
            display.display(f"\nThe whole report: {path}")
        return {**result, "changed": False, "path": path, **report}
