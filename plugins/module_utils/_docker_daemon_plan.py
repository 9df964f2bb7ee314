# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""From the declared and the present daemon.json, and what the engine says it runs with, to a plan. No I/O."""

from __future__ import annotations

import json
import re
from collections import namedtuple

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_info import drift
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._docker_daemon_keys import (
    KEYS,
    is_live,
    neutral,
)


class PlanError(Exception):
    """A declaration or a file that cannot be worked with; the text is for the operator."""


Request = namedtuple("Request", "config list_items exclusive")
# content: the daemon.json to be; action: none, reload, restart or start; changed_keys: what differs in the file;
# drift: what the engine runs with otherwise than the file says; restart_keys: why a reload is not enough
Plan = namedtuple("Plan", "content action changed_keys drift restart_keys")


def parse(text, path):
    """The content of a daemon.json; a file that is empty or missing is an empty map."""
    if text is None or not text.strip():
        return {}
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise PlanError(
            f"{path} is not valid JSON: line {error.lineno} column {error.colno}: {error.msg}. Nothing was changed. "
            "Mend the file, or set broken_file=replace to put the declared keys in its place (a backup is kept)."
        ) from error
    if not isinstance(content, dict):
        raise PlanError(f"{path} must hold a JSON object with keys, not {type(content).__name__}. Nothing was changed.")
    return content


def render(content):
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def check_request(request):
    """What is wrong with a declaration whatever the host looks like."""
    both = sorted(set(request.config) & set(request.list_items))
    if both:
        raise PlanError(
            "{}: declared in config and in list_items; a key is owned whole or by its members, not both.".format(", ".join(both))
        )
    for key, members in request.list_items.items():
        if key in KEYS and KEYS[key].kind != "list":
            raise PlanError(f"list_items: {key} is not a list key of the engine.")
        if not isinstance(members, dict) or not members or set(members) - {"present", "absent"}:
            raise PlanError(f"list_items: {key} must be a map with present, absent or both.")
        for name, values in members.items():
            if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                raise PlanError(f"list_items: {key}.{name} must be a list of strings.")
        twice = sorted(set(members.get("present", [])) & set(members.get("absent", [])))
        if twice:
            raise PlanError("list_items: {} has {} both present and absent.".format(key, ", ".join(twice)))


def merge(current, request, path="daemon.json"):
    """The file as declared, with the keys of others kept; a removed key is simply not there."""
    merged = {key: value for key, value in current.items() if not request.exclusive or key in request.config or key in request.list_items}
    for key, value in request.config.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = value
    for key, members in request.list_items.items():
        before = current.get(key, [])
        if not isinstance(before, list):
            raise PlanError(f"{path}: {key} must be a list, not {before!r}. Nothing was changed.")
        after = [item for item in before if item not in members.get("absent", [])]
        after += [item for item in dict.fromkeys(members.get("present", [])) if item not in after]
        if after or key in current:
            merged[key] = after
    return merged


def owned_keys(request, current):
    """The keys this declaration answers for: their drift is mended, that of others is not."""
    owned = set(request.config) | set(request.list_items)
    return owned | set(current) | set(KEYS) if request.exclusive else owned


def plan(current, request, *, flags=None, info=None, pending=(), path="daemon.json"):
    """Decide file and action.

    flags: what the unit's flags set, as keys; info: the answer of /info, None while the engine does not run;
    pending: keys an interrupted run wrote without seeing them take effect.
    """
    check_request(request)
    content = merge(current, request, path)
    removed = {key for key in current if key not in content}
    # A key left behind with its neutral value is what undoing it live looks like: it counts as removed.
    kept = {key for key in removed if neutral(key) is not None and current[key] == neutral(key)}
    content.update({key: current[key] for key in kept})
    removed -= kept
    changed = removed | {key for key in content if key not in current or current[key] != content[key]}
    if info is None:
        return Plan(content, "start", sorted(changed), {}, [])

    owned = owned_keys(request, current) | set(pending)
    found = drift(dict(flags or {}, **content), info, owned | changed)
    suspects = changed | set(pending) | set(found.differing)
    unproven = suspects - found.equal
    restart = sorted(key for key in unproven if not is_live(key, current.get(key) if key in changed else None, content.get(key)))
    if restart:
        return Plan(content, "restart", sorted(changed), _only_foreign(found, changed), restart)
    # A reload keeps the old value of an absent key, so what must go is written down as empty.
    for key in removed | {key for key in found.differing if key not in content and key not in (flags or {})}:
        if neutral(key) is not None:
            content[key] = neutral(key)
            changed.add(key)
    action = "reload" if changed or unproven else "none"
    return Plan(content, action, sorted(changed), _only_foreign(found, changed), [])


def undo_by_reload(previous, failed):
    """A file whose reload takes the engine back to `previous` after `failed` was, wholly or in part, taken over."""
    return dict({key: neutral(key) for key in failed if key not in previous and neutral(key) is not None}, **previous)


def _only_foreign(found, changed):
    """Drift in the narrow sense: the file was as it should be, the engine was not."""
    return {key: value for key, value in found.differing.items() if key not in changed}


_SECRET = re.compile(r"token|password|secret|access-key|apikey|api-key", re.IGNORECASE)
_CREDENTIALS = re.compile(r"(?<=://)([^/@\s]+)(?=@)")


def secrets(value, name=""):
    """Every secret in a daemon.json: credentials in URLs and log-opts such as splunk-token."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in secrets(item, key)]
    if isinstance(value, list):
        return [found for item in value for found in secrets(item, name)]
    if isinstance(value, str) and value:
        if _SECRET.search(name):
            return [value]
        return _CREDENTIALS.findall(value)
    return []


def redact(value, name=""):
    """The same content, fit for a diff."""
    if isinstance(value, dict):
        return {key: redact(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [redact(item, name) for item in value]
    if isinstance(value, str):
        return "********" if value and _SECRET.search(name) else _CREDENTIALS.sub("********", value)
    return value
