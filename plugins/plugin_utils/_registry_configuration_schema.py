# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Is a declared item made of what its module knows? The modules' own documentation is the one list of names, types and choices."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping

from ansible.module_utils.common.validation import check_type_bool, check_type_int
from ansible.module_utils.common.yaml import yaml_load

MODULES = "ansible_collections.dockyard.trusted_registry.plugins.modules"
KNOWN_TYPES = {
    "str": "text", "path": "a path", "int": "a whole number", "bool": "true or false", "list": "a list", "dict": "a dictionary",
}


def options_of(module, option=None):
    """{name: documented option} of a module, or the suboptions of one of its options."""
    options = yaml_load(importlib.import_module(f"{MODULES}.{module}").DOCUMENTATION)["options"]
    return options[option]["suboptions"] if option else options


def without(options, *names):
    """The options but for those that their place in the tree says already."""
    return {name: option for name, option in options.items() if name not in names}


def listed(options, required=False):
    """A documented option that is a list of such items."""
    return {"type": "list", "elements": "dict", "suboptions": options, "required": required}


def users():
    """Users: accounts without what only organizations have."""
    return listed(without(options_of("dtr_account", "accounts"), "type", "owners"))


def organizations():
    """Organizations: accounts without what only users have, with teams."""
    account = without(options_of("dtr_account", "accounts"), "type", "password", "update_password", "active", "admin")
    return listed({**account, "teams": listed(options_of("dtr_team", "teams"))})


def repository_defaults():
    """What repositories may have in common."""
    return {"type": "dict", "suboptions": without(options_of("dtr_repository", "repositories"), "name", "state")}


def repositories():
    """Repositories with what stands under them."""
    return listed({
        **options_of("dtr_repository", "repositories"),
        "access": namespace_access(),
        "pruning_policies": listed(without(options_of("dtr_pruning_policy", "policies"), "repository")),
        "promotion_policies": listed(without(options_of("dtr_promotion_policy", "policies"), "repository")),
        "mirror_policies": listed(without(options_of("dtr_mirror_policy", "policies"), "repository")),
        "webhooks": listed(without(options_of("dtr_webhook", "webhooks"), "key")),
    })


def namespace_access():
    """Grants; on what is said by their place."""
    return listed(without(options_of("dtr_access", "access"), "repository", "namespace"))


def gc():
    """The schedule of garbage collection."""
    options = options_of("dtr_gc")
    state = {"type": "str", "choices": ["scheduled", "unscheduled"]}
    return {"type": "dict", "suboptions": {"schedule": options["schedule"], "deadline": options["deadline"], "state": state}}


# {part of the tree: what makes the documented option that it is}
PARTS = {
    "ucp_config": lambda: {"type": "dict"},
    "ucp_roles": lambda: options_of("ucp_role")["roles"],
    "settings": lambda: options_of("dtr_settings")["settings"],
    "storage": lambda: options_of("dtr_settings")["storage"],
    "users": users,
    "organizations": organizations,
    "repository_defaults": repository_defaults,
    "repositories": repositories,
    "namespace_access": namespace_access,
    "webhooks": lambda: options_of("dtr_webhook")["webhooks"],
    "crons": lambda: options_of("dtr_cron")["crons"],
    "gc": gc,
    "api_tokens": lambda: options_of("dtr_api_token")["tokens"],
    "ucp_grants": lambda: options_of("ucp_grant")["grants"],
}


def value_problems(where, value, option):
    """Sentences on a value held against its documented option."""
    kind = option.get("type", "str")
    if not is_kind(value, kind):
        return [f"{where} is not {KNOWN_TYPES[kind]}. Write {KNOWN_TYPES[kind]} there."]
    choices = option.get("choices")
    if choices and value not in choices:
        return [f"{where} is '{value}'. Use one of {', '.join(choices)}."]
    if kind == "dict" and option.get("suboptions"):
        return dict_problems(where, value, option["suboptions"])
    if kind == "list":
        element = {"type": option.get("elements", "str"), "suboptions": option.get("suboptions"), "choices": option.get("choices")}
        return [found for number, item in enumerate(value) for found in value_problems(label(where, number, item), item, element)]
    return []


def dict_problems(where, value, options):
    """Sentences on a dictionary held against documented options."""
    found = []
    for name in value:
        if name not in options:
            near = difflib.get_close_matches(str(name), options, 1)
            advice = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(sorted(options))}."
            found.append(f"{where}: '{name}' is unknown. {advice}")
    for name, option in options.items():
        if value.get(name) is not None:
            found += value_problems(f"{where}, {name}", value[name], option)
        elif option.get("required"):
            found.append(f"{where}: {name} is missing. Give it.")
    return found


def is_kind(value, kind):
    """Whether a value can stand for a documented type; as strict as an operator wants it: no dictionary for a text, no text for a list."""
    if kind in ("list", "dict"):
        return isinstance(value, list if kind == "list" else Mapping)
    if kind in ("str", "path"):
        return isinstance(value, (str, int, float)) and not isinstance(value, bool)
    try:
        return not (kind == "int" and isinstance(value, bool)) and (check_type_int if kind == "int" else check_type_bool)(value) is not None
    except TypeError:
        return False


def label(where, number, item):
    """The place of an item for a message: its number and, where it has one, its name."""
    name = next((item[key] for key in ("name", "label", "action", "team") if isinstance(item.get(key), str)), None) if isinstance(
        item, Mapping) else None
    return f"{where}[{number}]" + (f" '{name}'" if name else "")
