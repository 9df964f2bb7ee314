# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Makes a declared list true: reads what is, plans, writes only the differences. Knows no product and no AnsibleModule."""

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError, by_key, make_plan

ARGUMENTS = {"exclusive": {"type": "bool", "default": False}, "confirm_removal": {"type": "str"}}


class Unfinished(Exception):
    """Some changes were made, one failed; done: the changes that were made."""

    def __init__(self, message, done):
        super().__init__(message)
        self.done = done


class Items:
    """What a list module says of its kind of item; made with the product's client and the module's parameters."""

    noun = "item"            # in messages
    option = "items"         # the module's option with the declared list
    defaults = {}            # what a new item gets where nothing is declared
    fields = {}              # {field: name of it in the API}
    secrets = ()             # fields that are sent but never read back, compared or shown
    deletes_first = False    # where a new item may need the place of an old one

    def __init__(self, client, params):
        self.client, self.params = client, params
        self.http = client.http

    def key(self, item):
        """The natural name of a declared item."""
        return item["name"]

    def declared(self, item):
        """The declared item, normalised: {field: value}, None where a field is not declared, with state and renew as they are."""
        return {name: value for name, value in item.items() if name != "name"}

    def current(self, declared):
        """{key: {field: value}} as it is; of all there is, or of what the declared items can reach."""
        raise NotImplementedError

    def defaults_of(self, item):
        """What the declared item gets, when it is new, where nothing is declared."""
        return self.defaults

    def stage(self, change):
        """Where items need others: changes of a lower stage end before those of a higher one begin; removals go the other way round."""
        return 0

    def protected(self):
        """Keys that exclusive never removes."""
        return ()

    def body(self, values):
        """{field: value} as the API names it; fields that it does not know are left out."""
        return {self.fields[name]: value for name, value in values.items() if name in self.fields}

    def seen(self, record):
        """{field: value} of the API's record."""
        return {name: record.get(api_name) for name, api_name in self.fields.items()}

    def create(self, change):
        """Make the item of the Change; its secrets stand in change.item, in change.after they are hidden."""
        raise NotImplementedError

    def update(self, change):
        """Change the item of the Change."""
        raise NotImplementedError

    def delete(self, change):
        """Remove the item of the Change."""
        raise NotImplementedError


def apply_items(items, check_mode):
    """The module's result; without check_mode the changes are made.

    Raises ApiError (nothing was changed), InputError (nothing was changed), Unfinished (some was).
    """
    params = items.params
    declared = {key: items.declared(item) for key, item in by_key(params[items.option], items.key, items.option).items()}
    current = items.current(declared)
    plan = make_plan(declared, current, defaults_of=items.defaults_of, secrets=items.secrets, exclusive=params["exclusive"],
                     protected=items.protected())
    confirm(items, plan.removed_undeclared())
    if not check_mode:
        carry_out(items, plan.changes)
    return {
        "changed": bool(plan.changes),
        "changes": [change.report() for change in plan.changes],
        "counts": plan.counts(),
        "undeclared": plan.undeclared,
        "diff": plan.diff(),
    }


def confirm(items, removed):
    """InputError unless the operator named the server from which undeclared items go."""
    host = items.params["host"]
    if removed and items.params["confirm_removal"] != host:
        raise InputError(
            f"exclusive would remove {len(removed)} that stand in no declaration, from {host}, {items.noun}: {', '.join(removed)}."
            f" Declare what shall stay, or set confirm_removal to '{host}' to have them removed. Nothing was changed.")


def carry_out(items, changes):
    """Make the changes, several at a time; after a failure the ones under way end and no other begins."""
    done, failed = [], []

    def one(change):
        if failed:
            return
        try:
            getattr(items, change.action)(change)
            done.append(change)
        except (ApiError, InputError) as error:
            failed.append((change, error))

    def turn(change):
        deletes = change.action == "delete"
        return deletes != items.deletes_first, -items.stage(change) if deletes else items.stage(change)

    for step in sorted({turn(change) for change in changes}):
        items.http.each(one, [change for change in changes if turn(change) == step])
        if failed:
            change, error = failed[0]
            raise Unfinished(
                f"{items.noun} '{change.key}': {change.action} failed: {error} {len(done)} of {len(changes)} changes were made;"
                " when the cause is mended, run this again for the rest.", done)
