# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What the modules found, as one report: what differs from its declaration, and what nobody declared."""

from __future__ import annotations

import fnmatch

SHOWN = 20   # names of a kind on one line; the rest is counted


def summary(results, accepted=None):
    """{"differs": {kind: [{key, action, fields}]}, "undeclared": {kind: [key]}, "compared": [kind], "as_declared": bool}.

    results: {kind: result of its module, skipped ones among them}; accepted: {kind: [pattern]} of what may exist undeclared.
    """
    done = {kind: result for kind, result in results.items() if result and not result.get("skipped")}
    differs = {kind: changes(kind, result) for kind, result in done.items() if result.get("changed")}
    undeclared = {kind: unaccepted(result.get("undeclared") or [], (accepted or {}).get(kind) or []) for kind, result in done.items()}
    undeclared = {kind: keys for kind, keys in undeclared.items() if keys}
    return {"differs": differs, "undeclared": undeclared, "compared": list(done), "as_declared": not (differs or undeclared)}


def changes(kind, result):
    """[{key, action, fields}] of a module's result; modules that know no items count as one."""
    if "changes" in result:
        return result["changes"]
    return [{"key": kind, "action": "updated", "fields": result.get("fields") or []}]


def unaccepted(keys, patterns):
    """The keys that no pattern, such as sandbox/*, names."""
    return [key for key in keys if not any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)]


def lines(found, host, words=None):
    """A summary as lines of text; words: {action: how it is called here}."""
    if not found["compared"]:
        return ["Nothing is declared, so nothing was looked at."]
    said = []
    for kind in found["compared"]:
        actions = by_action(found["differs"].get(kind, []))
        own = [f"    {(words or {}).get(action, action)}: {listing(entries)}" for action, entries in actions.items()]
        if found["undeclared"].get(kind):
            own.append(f"    undeclared: {listing(found['undeclared'][kind])}")
        if own:
            said += [f"  {kind.replace('_', ' ')}", *own]
    compared = f"{len(found['compared'])} kinds of things compared"
    if not said:
        return [f"{host}: as declared ({compared})."]
    return [f"{host}:", *said, f"  {compared}, {len(found['differs'])} differ, {len(found['undeclared'])} with something undeclared."]


def by_action(entries):
    """{action: ["key (fields)"]}; the fields are named where not all of them are new or gone."""
    found = {}
    for entry in entries:
        fields = f" ({', '.join(entry['fields'])})" if entry["action"] == "updated" and entry["fields"] else ""
        found.setdefault(entry["action"], []).append(f"{entry['key']}{fields}")
    return found


def listing(names):
    """The first names, and how many more."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
