# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dockyard.trusted_registry.plugins.filter.garbage_collection_report import FilterModule

RESULT = {
    "job_id": "7", "action": "onlinegc", "state": "done", "seconds": 42, "taken_up": False, "previous": {},
    "freed": {"bytes": 734003200, "blobs": 12, "manifests": 4},
}
BEFORE = {"job_id": "6", "action": "onlinegc", "state": "errored", "seconds": 66, "scheduled_at": "2026-11-21T01:00:00Z"}
NONE, DONE = "Run before: none in the job history", "Now: done after 42 s, onlinegc job 7"


@pytest.mark.parametrize(("fields", "lines"), [
    ({}, [NONE, DONE, "Freed: 700.00 MB, 12 blobs, 4 manifests"]),
    ({"previous": BEFORE, "freed": {"bytes": 0, "blobs": None, "manifests": None}},
     ["Run before: errored in 66 s, due 2026-11-21T01:00:00Z", DONE, "Freed: 0 bytes"]),
    ({"taken_up": True, "freed": {"bytes": None, "blobs": None, "manifests": None}},
     [NONE, f"{DONE}, which was under way already", "Freed: the job's log does not tell"]),
    ({"state": "running"}, [NONE, "Now: running after 42 s, onlinegc job 7"]),
    ({"job_id": "", "state": "waiting"}, [NONE, "Now: onlinegc would be started"]),
])
def test_lines(fields, lines):
    assert FilterModule().filters()["garbage_collection_report"]({**RESULT, **fields}) == lines
