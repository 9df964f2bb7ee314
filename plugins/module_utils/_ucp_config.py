# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""UCP's configuration file: what differs from a declaration, and the file with that changed and all else as it was. Pure functions."""

from __future__ import annotations

import re
import traceback

try:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError
except ImportError:
    MISSING = traceback.format_exc()
    tomlkit, TOMLKitError = None, ValueError
else:
    MISSING = None

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import HIDDEN, InputError, make_plan

# Sections that repeat (UCP docs, configuration file): {name: (key that tells entries apart, keys that a new entry needs)}.
LISTS = {"registries": ("host_address", ("service_id",)), "custom_api_server_headers": ("name", ("value",))}
TOP = "top level"
SECRET = re.compile("password|secret|token|private|credential", re.IGNORECASE)
KINDS = ((bool, "true or false"), (int, "a whole number"), (float, "a number"), (str, "a string"), (list, "a list"), (dict, "a section"))


def parse(text):
    """The tomlkit document of a text; ApiError when it is no TOML."""
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise ApiError(f"the server's configuration is no TOML ({error}). Is this UCP, or something in front of it?") from error


def sections(document, path=()):
    """{name of a section or entry: (its path, {key: value})} of a plain dictionary.

    The path is that of the section; of an entry, such as "registries[dtr.example.com]", the name of the list and the entry's own.
    """
    found, values = {}, {}
    for name, value in document.items():
        if not path and name in LISTS:
            found.update(entries(name, value))
        elif isinstance(value, dict):
            found.update(sections(value, (*path, name)))
        else:
            values[name] = value
    if values:
        found[".".join(path) or TOP] = (path, values)
    return found


def entries(name, listed):
    """The same of a section that repeats."""
    key = LISTS[name][0]
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise InputError(f"config: {name} must be a list of dictionaries, each with {key}.")
    found = {}
    for number, entry in enumerate(listed):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise InputError(f"config: {name}[{number}] has no {key}, which tells the entries apart. Add it.")
        if f"{name}[{entry[key]}]" in found:
            raise InputError(f"config: two entries of {name} stand for '{entry[key]}'. Keep one of them.")
        found[f"{name}[{entry[key]}]"] = ((name, entry[key]), entry)
    return found


def plan(document, config, exclusive=False):
    """(Plan, {name: path}) that makes the plain document what config declares.

    exclusive: entries of the repeating sections that config holds, and that it does not name, go.
    """
    present, declared = sections(document), sections(config)
    for name, (path, values) in declared.items():
        if path and path[0] in LISTS:
            check_entry(name, path, values, present)
        else:
            check_section(name, path, values, document)
    listed = [name for name, (path, values) in present.items() if path and path[0] in LISTS]
    mine = [name for name in listed if present[name][0][0] in config]
    found = make_plan(
        {name: values for name, (path, values) in declared.items()}, {name: values for name, (path, values) in present.items()},
        exclusive=exclusive, protected=set(present) - set(mine))
    paths = {name: path for name, (path, values) in {**present, **declared}.items()}
    return found, paths


def check_entry(name, path, values, present):
    """InputError for an entry that UCP would not take; present: what sections() says of the server."""
    state, now = values.get("state", "present"), present.get(name, (path, {}))[1]
    if state not in ("present", "absent"):
        raise InputError(f"config: {name}: state must be present or absent, not '{state}'.")
    lacking = [key for key in LISTS[path[0]][1] if not values.get(key)]
    if state == "present" and lacking and not now:
        raise InputError(f"config: {name} is not there yet: give its {' and '.join(lacking)}.")
    for key, value in values.items():
        check_kind(f"{key} of {name}", value, now.get(key))


def check_section(name, path, values, document):
    """InputError for values in a place where the server has something else."""
    for depth in range(1, len(path) + 1):
        check_kind(".".join(path[:depth]), {}, below(document, path[:depth]))
    for key, value in values.items():
        check_kind(f"{key} of {name}", value, below(document, (*path, key)))


def check_kind(what, value, now):
    """InputError when a declared value is of another type than the one on the server; None on either side is of any type."""
    if value is not None and now is not None and kind(value) != kind(now):
        raise InputError(f"config: {what} is {kind(value)}, on the server it is {kind(now)}. Declare it as that.")


def below(document, path):
    """What stands at a path, None when there is nothing."""
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return None
        document = document[name]
    return document


def kind(value):
    """What a value is, in words."""
    return next((word for cls, word in KINDS if isinstance(value, cls)), type(value).__name__)


def changed_text(document, found, paths):
    """The text of a tomlkit document after the changes of a Plan; all else stays as it was, comments and order too."""
    for change in found.changes:
        path = paths[change.key]
        if path and path[0] in LISTS:
            change_entry(document, change, path)
            continue
        table = document
        for name in path:
            if name not in table:
                table[name] = tomlkit.table(is_super_table=name != path[-1])
            table = table[name]
        for name in sorted(change.fields):
            table[name] = change.after[name]
    text = tomlkit.dumps(document)
    wanted = {change.key: change.after for change in found.changes if change.after}
    written = {name: values for name, (path, values) in sections(tomlkit.parse(text).unwrap()).items()}
    wrong = [name for name, values in wanted.items() if written.get(name) != values]
    if wrong:
        raise ApiError(f"the configuration could not be written as TOML with {', '.join(wrong)} in place. Nothing was changed.")
    return text


def change_entry(document, change, path):
    """Make, change or take away one entry of a section that repeats; path: (name of the list, the entry's key)."""
    key = LISTS[path[0]][0]
    if change.action == "create":
        if not document.get(path[0]):
            document[path[0]] = tomlkit.aot()
        entry = tomlkit.table()
        entry.update({key: path[1], **change.after})
        document[path[0]].append(entry)
        return
    position = next(number for number, entry in enumerate(document[path[0]]) if entry[key] == path[1])
    if change.action == "delete":
        del document[path[0]][position]
        if not document[path[0]]:
            del document[path[0]]
        return
    for name in sorted(change.fields):
        document[path[0]][position][name] = change.after[name]


def public(values):
    """The same dictionary, nested or not, with what looks like a secret by its name hidden."""
    if isinstance(values, dict):
        return {name: HIDDEN if secret(name, value) else public(value) for name, value in values.items()}
    return [public(value) for value in values] if isinstance(values, list) else values


def secret(name, value):
    """Whether a value is to be hidden."""
    return bool(SECRET.search(str(name)) and isinstance(value, str) and value)


def secrets(values):
    """[value to be hidden] of a dictionary, nested or not."""
    if isinstance(values, dict):
        own = [value for name, value in values.items() if secret(name, value)]
        return own + [found for value in values.values() for found in secrets(value)]
    return [found for value in values for found in secrets(value)] if isinstance(values, list) else []
