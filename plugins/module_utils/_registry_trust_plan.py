# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Desired files, the record of an earlier run and what is on the host become one plan. Pure: no input or output.

The record says which paths, directories and list members this module brought to the host, so that what is no longer
declared can be undone and what others own is left alone. It is written twice: before the work as the union of old
and new (a run killed half-way forgets nothing), after it as what is true then.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

VERSION = 1
DIRECTORY_MODE = 0o755


@dataclass(frozen=True)
class Seen:
    """A file as found on the host; text is None for what must not be shown."""

    sha256: str
    mode: int
    uid: int
    text: str | None = None


@dataclass
class Record:
    files: dict = field(default_factory=dict)
    directories: list = field(default_factory=list)
    lists: dict = field(default_factory=dict)
    pending: list = field(default_factory=list)

    @classmethod
    def from_json(cls, text: str) -> Record:
        data = json.loads(text)
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']} is not {VERSION}")
        return cls(files=data["files"], directories=data["directories"], lists=data["lists"], pending=data["pending"])

    def to_json(self) -> str:
        data = {"version": VERSION, "files": self.files, "directories": self.directories, "lists": self.lists, "pending": self.pending}
        return json.dumps(data, indent=2, sort_keys=True) + "\n"

    @property
    def empty(self) -> bool:
        return not (self.files or self.directories or self.lists or self.pending)


@dataclass
class Host:
    """What the host layer found: the paths of desired and record, missing parents, modes of existing directories."""

    files: dict = field(default_factory=dict)
    missing: list = field(default_factory=list)
    modes: dict = field(default_factory=dict)
    listings: dict = field(default_factory=dict)
    uid: int = 0


@dataclass
class Plan:
    write: dict = field(default_factory=dict)
    remove: dict = field(default_factory=dict)
    keep_copy: list = field(default_factory=list)
    make: list = field(default_factory=list)
    chmod: list = field(default_factory=list)
    drop: list = field(default_factory=list)
    actions: list = field(default_factory=list)
    ahead: Record = field(default_factory=Record)
    after: Record = field(default_factory=Record)
    jobs: list = field(default_factory=list)
    forget: bool = False
    warnings: list = field(default_factory=list)
    diff: list = field(default_factory=list)
    changed: bool = False


def make_plan(desired, record: Record, host: Host, target: str) -> Plan:
    plan = Plan(make=sorted(host.missing))
    for path, file in sorted(desired.files.items()):
        seen = host.files.get(path)
        if seen is None or (seen.sha256, seen.mode, seen.uid) != (file.sha256, file.mode, host.uid):
            plan.write[path] = file
        if seen is not None and seen.sha256 != file.sha256:
            _note_foreign(plan, path, seen, record, "the declared content replaces it")
    for path, entry in sorted(record.files.items()):
        seen = host.files.get(path)
        if path not in desired.files and seen is not None:
            plan.remove[path] = entry["kind"]
            _note_foreign(plan, path, seen, record, "it is removed, as it is declared no longer")
    needed = _ancestors(desired.files)
    own = sorted(set(record.directories) | set(host.missing))
    plan.drop = [path for path in reversed(own) if path not in needed]
    plan.chmod = [path for path in own if path in needed and host.modes.get(path, DIRECTORY_MODE) != DIRECTORY_MODE]
    kinds = [file.kind for file in plan.write.values()] + list(plan.remove.values())
    plan.actions = sorted(set(record.pending) | {kind for kind in kinds if kind != "host"})
    plan.jobs, plan.forget = daemon_jobs(desired, record, target)
    _records(plan, desired, record, target, [path for path in own if path in needed])
    plan.warnings += leftovers(desired, plan, host)
    if "anchor" in plan.remove.values():
        plan.warnings.append(
            "a CA is taken out of the system's store; programs that have read it (the Docker engine does) trust it until they are restarted"
        )
    plan.diff = _diff(plan, record, host)
    plan.changed = bool(plan.write or plan.remove or plan.chmod or plan.actions or plan.after != record)
    return plan


def daemon_jobs(desired, record: Record, target: str) -> tuple:
    """What the engine's configuration has to be told, per place it may stand in; and whether members are to be forgotten.

    A member is removed for as long as the record names it, and the record names it until the engine has let go of it.
    """
    jobs, forget = [], False
    for place in sorted(set(record.lists) | {target}, key=lambda place: (place == target, place)):
        known = record.lists.get(place, {})
        present = desired.lists if place == target else {}
        explicit = desired.absent_lists if place == target else {}
        items = {}
        for key in sorted(set(known) | set(present)):
            wanted = _unique(present.get(key, []))
            stale = [member for member in known.get(key, []) if member not in wanted]
            forget = forget or bool(stale)
            absent = stale + [member for member in explicit.get(key, []) if member not in wanted + stale]
            if wanted or absent:
                items[key] = {"present": wanted, "absent": absent}
        if items:
            jobs.append({"target": place, "list_items": items})
    return jobs, forget


def target_problem(desired, record: Record, target: str) -> str | None:
    """The engine does not start with a list in both places, and a list emptied by a reload stays in daemon.json as []."""
    if target != "docker_opts" or not record.lists.get("daemon_json") or not any(desired.lists.values()):
        return None
    keys = " and ".join(sorted(record.lists["daemon_json"]))
    return (
        f"{keys} of this host stand in daemon.json and cannot move to DOCKER_OPTS in one step. Run the role's entry point "
        "uninstall, take the emptied keys out of daemon.json, and run the role again"
    )


def forget_members(record: Record, jobs: list) -> Record:
    """The record after the engine has taken these jobs."""
    lists = {place: dict(keys) for place, keys in record.lists.items()}
    for job in jobs:
        for key, items in job["list_items"].items():
            lists.setdefault(job["target"], {})[key] = sorted(items["present"])
    return Record(record.files, record.directories, _without_empty(lists), record.pending)


def leftovers(desired, plan: Plan, host: Host) -> list:
    """Files of others that spoil, or outlive, what is declared."""
    found = []
    for directory, names in sorted(host.listings.items()):
        removed = {os.path.basename(path) for path in plan.remove if os.path.dirname(path) == directory}
        written = {os.path.basename(path) for path in plan.write if os.path.dirname(path) == directory}
        after = (set(names) - removed) | written
        for name in sorted(after):
            stem, suffix = os.path.splitext(name)
            other = {".cert": ".key", ".key": ".cert"}.get(suffix)
            if other and stem + other not in after:
                found.append(f"{directory}/{name} has no {stem}{other} beside it: every pull from this registry fails until that is mended")
        if directory in desired.absent_directories:
            trusting = ", ".join(sorted(name for name in after if name.endswith((".crt", ".cert")) or name == "hosts.toml"))
            if trusting:
                found.append(f"{directory} is declared absent, but holds files of others: {trusting}; remove them by hand")
    return found


def _note_foreign(plan: Plan, path: str, seen: Seen, record: Record, consequence: str) -> None:
    known = record.files.get(path)
    if known is not None and seen.sha256 in known["sha256"]:
        return
    reason = "was changed by hand" if known is not None else "was put there by others"
    plan.keep_copy.append(path)
    plan.warnings.append(f"{path} {reason}: {consequence}; a copy is kept")


def _records(plan: Plan, desired, record: Record, target: str, directories: list) -> None:
    files = {path: {"sha256": [file.sha256], "kind": file.kind} for path, file in desired.files.items()}
    ahead = dict(record.files)
    for path, entry in files.items():
        known = record.files.get(path, {"sha256": []})["sha256"]
        ahead[path] = {"sha256": _unique(known + entry["sha256"]), "kind": entry["kind"]}
    lists = {place: dict(keys) for place, keys in record.lists.items()}
    for key, members in desired.lists.items():
        own = lists.setdefault(target, {})
        own[key] = sorted(set(own.get(key, [])) | set(members))
    lists = _without_empty(lists)
    plan.ahead = Record(ahead, sorted(set(record.directories) | set(plan.make)), lists, plan.actions)
    plan.after = Record(files, directories, lists, [])


def _diff(plan: Plan, record: Record, host: Host) -> list:
    entries = []
    for path in sorted(set(plan.write) | set(plan.remove)):
        seen, file = host.files.get(path), plan.write.get(path)
        before = "" if seen is None else _shown(seen.text, seen.sha256)
        after = "" if file is None else _shown(None if file.secret else file.content, file.sha256)
        if before == after and seen is not None and file is not None:
            before, after = f"mode {seen.mode:04o}, uid {seen.uid}\n", f"mode {file.mode:04o}, uid {host.uid}\n"
        entries.append({"before_header": path, "after_header": path, "before": before, "after": after})
    for path in plan.chmod:
        entries.append({"before_header": path, "after_header": path, "before": f"mode {host.modes[path]:04o}\n", "after": "mode 0755\n"})
    before, after = _overview(record), _overview(plan.after)
    if before != after:
        header = "record of managed trust"
        entries.append({"before_header": header, "after_header": header, "before": before, "after": after})
    return entries


def _shown(text, sha256: str) -> str:
    return f"(not shown, sha256 {sha256[:16]})\n" if text is None else text


def _overview(record: Record) -> str:
    lines = list(record.files)
    for place, keys in record.lists.items():
        lines += [f"{member} in {key} ({place})" for key, members in keys.items() for member in members]
    return "".join(line + "\n" for line in sorted(lines))


def _ancestors(paths) -> set:
    found = set()
    for path in paths:
        parent = os.path.dirname(path)
        while parent not in found:
            found.add(parent)
            parent = os.path.dirname(parent)
    return found


def _without_empty(lists: dict) -> dict:
    kept = {place: {key: members for key, members in keys.items() if members} for place, keys in lists.items()}
    return {place: keys for place, keys in kept.items() if keys}


def _unique(members: list) -> list:
    return list(dict.fromkeys(members))
