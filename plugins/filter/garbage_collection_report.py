# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: garbage_collection_report
short_description: Tells of a garbage collection in a few lines
version_added: 0.2.0
author:
  - Dockyard contributors (@dockyard)
description:
  - Lines of text for the terminal. They tell of the run before, of this run, and of what it freed.
options:
  _input:
    description: Result of M(dockyard.trusted_registry.dtr_gc) with C(state=run), also of one in check mode.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Tell what was freed
  ansible.builtin.debug:
    msg: "{{ collection | dockyard.trusted_registry.garbage_collection_report }}"
"""

RETURN = r"""
_value:
  description: Lines of text.
  type: list
  elements: str
"""

from ansible.module_utils.common.text.formatters import bytes_to_human


def garbage_collection_report(result):
    """Lines of text for the result of a run."""
    return [before(result.get("previous")), run(result), *freed(result)]


def before(previous):
    """The line on the run before."""
    if not previous:
        return "Run before: none in the job history"
    return f"Run before: {previous['state']} in {previous['seconds']} s, due {previous['scheduled_at']}"


def run(result):
    """The line on this run."""
    if not result["job_id"]:
        return f"Now: {result['action']} would be started"
    taken_up = ", which was under way already" if result["taken_up"] else ""
    return f"Now: {result['state']} after {result['seconds']} s, {result['action']} job {result['job_id']}{taken_up}"


def freed(result):
    """The line on what was freed, where the run has ended."""
    if result["state"] != "done":
        return []
    counts = result["freed"]
    if counts["bytes"] is None:
        return ["Freed: the job's log does not tell"]
    others = [f"{counts[name]} {name}" for name in ("blobs", "manifests") if counts[name] is not None]
    size = bytes_to_human(counts["bytes"]) if counts["bytes"] >= 1024 else f"{counts['bytes']} bytes"
    return [f"Freed: {', '.join([size, *others])}"]


class FilterModule:
    def filters(self):
        return {"garbage_collection_report": garbage_collection_report}
