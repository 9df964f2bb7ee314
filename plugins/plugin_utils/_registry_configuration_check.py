# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Everything that can be known to be wrong with a tree of variables before the first request; each a sentence: what, where, how to mend."""

from __future__ import annotations

import difflib
import os
from collections import Counter

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _dtr_rules, _dtr_schedule
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _registry_configuration_tree as tree_of
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._registry_configuration_schema import PARTS, label, value_problems

PREFIX = "registry_configuration_"
EXAMPLE_SECRET = "change-me"   # what vault.yml of the example inventory has in place of secrets
GC_ACTIONS = ("onlinegc", "gc")
# {policies of a repository: what tells them apart, beside their rules}
POLICIES = {
    "pruning_policies": (),
    "promotion_policies": ("target_repository",),
    "mirror_policies": ("direction", "remote_host", "remote_repository"),
}
UCP_KINDS = ("ucp_config", "ucp_roles", "ucp_grants")


def all_problems(tree, variables, connection, removal):
    """Sentences; none when all is well.

    tree: {part: value}; variables: {"given": names with the role's prefix that are set, "known": names of the role's variables};
    connection: {"dtr": {host, username, ...}, "ucp": the same};
    removal: {"exclusive": kinds, "accepted": {kind: patterns}, "confirm": [host named for DTR, for UCP]}.
    """
    found = unknown_variables(**variables)
    for part, value in tree.items():
        if value:
            found += value_problems(PREFIX + part, value, PARTS[part]())
    if found:
        return found   # what follows relies on names and types
    used = {*tree_of.lists(tree)["kinds"], *removal["exclusive"]}
    for product, kinds in (("dtr", used - set(UCP_KINDS)), ("ucp", used & set(UCP_KINDS))):
        if kinds:
            found += connection_problems(connection[product], product, sorted(kinds))
    found += removal_problems(removal, [connection[product].get("host") for product in ("dtr", "ucp")])
    for judge in (repeated, names, secrets, access, limits, rules, schedules, tokens):
        found += judge(tree)
    return found


def removal_problems(removal, hosts):
    """Is it clear what may go, and from where? hosts: DTR's and UCP's."""
    found = []
    for prefix, named, host in zip((PREFIX, f"{PREFIX}ucp_"), removal["confirm"], hosts):
        if named and named != host:
            found.append(f"{prefix}confirm_removal is '{named}', but {prefix}host is '{host}'."
                         " Write the name of the server that may lose what is not declared.")
    for name, kinds in (("exclusive", removal["exclusive"]), ("accepted", removal["accepted"])):
        found += [f"{PREFIX}{name}: '{kind}' is no kind of thing that is listed. Use any of {', '.join(tree_of.LISTS)}."
                  for kind in kinds if kind not in tree_of.LISTS]
    found += [f"{kind} is in {PREFIX}accepted, which lets undeclared ones be, and in {PREFIX}exclusive. Take it out of one."
              for kind in removal["accepted"] if kind in removal["exclusive"]]
    return found


def unknown_variables(given, known):
    """A misspelt variable would read as "not declared, leave it alone"."""
    found = []
    for name in sorted(set(given) - set(known)):
        near = difflib.get_close_matches(name[len(PREFIX):], [other[len(PREFIX):] for other in known], 1, 0.5)
        found.append(f"{name} is no variable of the role registry_configuration. "
                     + (f"Did you mean {PREFIX}{near[0]}?" if near else "Rename it; the role's README lists those there are."))
    return found


def connection_problems(options, product, kinds):
    """Can the server be reached with these options at all? product: "dtr" or "ucp"; kinds: what is to be applied there."""
    found = []
    prefix, environment = PREFIX + ("ucp_" if product == "ucp" else ""), product.upper()
    if not options.get("host"):
        what = ", ".join(kind.replace("_", " ") for kind in kinds)
        found.append(f"{prefix}host is missing, and there is something to apply ({what}). Give it, or set {environment}_HOST.")
    signs_in = options.get("username") and (options.get("password") or options.get("token"))
    if not (signs_in or options.get("client_cert") or (product == "ucp" and options.get("token"))):
        found.append(f"{prefix}username with {prefix}password or {prefix}token is missing. Give them, the secret from a vault, or set"
                     f" {environment}_USERNAME and {environment}_PASSWORD.")
    for name in ("ca_path", "client_cert", "client_key"):
        file = options.get(name)
        if file and not os.path.exists(os.path.expanduser(file)):
            found.append(f"{prefix}{name} is {file}, and there is no such file on the controller. Put it there, or correct the name.")
    return found


def placed(tree, part):
    """[(place for messages, item)] of a part of the tree that is a list."""
    return [(label(PREFIX + part, number, item), item) for number, item in enumerate(tree[part])]


def repeated(tree):
    """Things that are declared twice: which of the two counts, nobody can say."""
    found = []
    for part in ("users", "organizations", "repositories"):
        found += twice(PREFIX + part, [item["name"] for item in tree[part]])
    users, organizations = ({item["name"] for item in tree[part]} for part in ("users", "organizations"))
    found += [f"'{name}' is in {PREFIX}users and in {PREFIX}organizations; they share their names. Rename one of them."
              for name in sorted(users & organizations)]
    for place, organization in placed(tree, "organizations"):
        found += twice(f"{place}, teams", [team["name"] for team in organization.get("teams") or []])
    for place, repository in placed(tree, "repositories"):
        name = repository["name"]
        found += twice(f"{place}, access", [tree_of.team_name(name, grant["team"]) for grant in repository.get("access") or []])
    found += twice(f"{PREFIX}namespace_access", [item["team"] for item in tree["namespace_access"]])
    found += twice(f"{PREFIX}crons", [item["action"] for item in tree["crons"]])
    found += twice(f"{PREFIX}api_tokens", [f"{item.get('user') or ''}/{item['label']}" for item in tree["api_tokens"]])
    found += twice(f"{PREFIX}api_tokens, dest", [item["dest"] for item in tree_of.present(tree["api_tokens"]) if item.get("dest")])
    webhooks = Counter((item["type"], item.get("key"), item["endpoint"]) for item in tree_of.lists(tree)["webhooks"])
    # The endpoint stays out of the message: it may hold a token.
    found += [f"{PREFIX}webhooks, or those of repositories: {kind} of {key or 'everything'} goes to the same endpoint {count} times."
              " Keep one of them." for (kind, key, _endpoint), count in webhooks.items() if count > 1]
    return found


def twice(where, keys):
    """Sentences on keys that occur more than once."""
    return [f"{where}: '{key}' is declared {count} times. Keep one of them." for key, count in Counter(keys).items() if count > 1]


def names(tree):
    """Are names whole, and are they there where others stand under them?"""
    found = []
    gone = {item["name"] for part in ("users", "organizations") for item in tree[part] if item.get("state") == "absent"}
    for place, organization in placed(tree, "organizations"):
        found += [f"{place}: team '{team['name']}' has a slash in its name. Write the bare name; the organization is the one above."
                  for team in organization.get("teams") or [] if "/" in team["name"]]
    for place, repository in placed(tree, "repositories"):
        namespace, slash, name = repository["name"].partition("/")
        if not (slash and name):
            found.append(f"{place}: the name has no namespace. Write namespace/name, such as ops/{namespace}.")
        elif namespace in gone and repository.get("state") != "absent":
            found.append(f"{place}: '{namespace}' is declared absent, and takes its repositories with it. Take out one of the two.")
    return found


def secrets(tree):
    """Are secrets there, and are they real ones?"""
    found = [f"{place}: the password is still the '{EXAMPLE_SECRET}' of the example. Choose another and keep it in a vault."
             for place, item in placed(tree, "users") if item.get("password") == EXAMPLE_SECRET]
    for place, repository in placed(tree, "repositories"):
        for number, policy in enumerate(repository.get("mirror_policies") or []):
            if policy.get("username") and not (policy.get("password") or policy.get("token") or policy.get("state") == "absent"):
                found.append(f"{place}, mirror_policies[{number}]: username is given, but no password or token. Give one, from a vault.")
    return found


def access(tree):
    """Is every grant one that the registry can make: of a team that there will be, on what its organization owns?"""
    declared = {organization["name"]: {team["name"] for team in tree_of.present(organization.get("teams") or [])}
                for organization in tree_of.present(tree["organizations"])}
    users = {item["name"] for item in tree["users"]}
    found = []
    for place, grant in placed(tree, "namespace_access"):
        if "/" not in grant["team"]:
            found.append(f"{place}: the team has no organization. Write organization/team; the grant is on that organization's namespace.")
        elif grant.get("state") != "absent":
            found += team_problems(place, grant["team"], declared)
    for parent, repository in placed(tree, "repositories"):
        namespace = repository["name"].split("/")[0]
        for number, grant in enumerate(repository.get("access") or []):
            place, team = f"{parent}, access[{number}]", tree_of.team_name(repository["name"], grant["team"])
            if namespace in users:
                found.append(f"{place}: '{namespace}' is a user, and only repositories of organizations take grants. Take it out.")
            elif team.split("/")[0] != namespace:
                found.append(f"{place}: team '{team}' is of another organization than the repository, which no grant allows. Take it out.")
            elif grant.get("state") != "absent":
                found += team_problems(place, team, declared)
    return found


def team_problems(place, team, declared):
    """Is the team declared, where its organization is declared with teams? Others may come from elsewhere, LDAP for one."""
    organization, name = team.split("/", 1)
    if not declared.get(organization) or name in declared[organization]:
        return []
    near = difflib.get_close_matches(name, declared[organization], 1)
    advice = f"Did you mean {near[0]}?" if near else f"Declare it there, or name one of {', '.join(sorted(declared[organization]))}."
    return [f"{place}: organization '{organization}' is declared without a team '{name}'. {advice}"]


def limits(tree):
    """A tag limit removes tags, immutable tags stay: the registry refuses the two together (DTR docs: tag pruning)."""
    found = []
    for (place, source), repository in zip(placed(tree, "repositories"), tree_of.repositories_of(tree)):
        if boolean(repository.get("immutable_tags") or False) and int(repository.get("tag_limit") or 0):
            inherited = [name for name in ("immutable_tags", "tag_limit") if name not in source]
            note = f" ({' and '.join(inherited)} from {PREFIX}repository_defaults)" if inherited else ""
            found.append(f"{place}: tag_limit {repository['tag_limit']} and immutable_tags exclude each other{note}."
                         " Set one of them to 0 or false.")
    return found


def rules(tree):
    """Can the registry evaluate the rules of all policies, and is none of them declared twice?"""
    found = []
    for parent, repository in placed(tree, "repositories"):
        for part, identity in POLICIES.items():
            keys = []
            for number, policy in enumerate(repository.get(part) or []):
                place = f"{parent}, {part}[{number}]"
                declared = policy.get("rules") or []
                wrong = said(_dtr_rules.checked, declared, place)
                if policy.get("tag_template"):
                    wrong += said(_dtr_rules.check_template, policy["tag_template"], place)
                if part == "pruning_policies" and not declared:
                    wrong.append(f"{place}: there are no rules, so that every tag would go. Give at least one.")
                if not wrong:
                    keys.append(" to ".join([*(str(policy.get(name)) for name in identity), _dtr_rules.told(_dtr_rules.normal(declared))]))
                found += wrong
            found += twice(f"{parent}, {part}", keys)
    return found


def schedules(tree):
    """Can the registry read the schedules and durations?"""
    found = []
    if tree["gc"].get("schedule") and any(item["action"] in GC_ACTIONS for item in tree["crons"]):
        found.append(f"{PREFIX}gc and {PREFIX}crons both schedule garbage collection. Keep it in {PREFIX}gc.")
    if tree["gc"] and not tree["gc"].get("schedule") and tree["gc"].get("state") != "unscheduled":
        found.append(f"{PREFIX}gc: schedule is missing. Give it, or write state: unscheduled.")
    for place, item in [*placed(tree, "crons"), (f"{PREFIX}gc", tree["gc"])]:
        if item.get("schedule"):
            found += said(_dtr_schedule.schedule, item["schedule"], place)
        for name in ("deadline", "stop_timeout"):
            if item.get(name):
                found += said(_dtr_schedule.duration, item[name], f"{place}, {name}")
    return found


def said(check, value, place):
    """What a check raises, as a list of sentences."""
    try:
        check(value, place)
    except InputError as error:
        return [str(error)]
    return []


def tokens(tree):
    """Is there a place for what is shown only once?"""
    found = []
    for place, item in placed(tree, "api_tokens"):
        dest = item.get("dest")
        if not dest and item.get("state") != "absent":
            found.append(f"{place}: dest is missing. The token is shown once; give the file on the controller that shall keep it.")
        elif dest and not os.path.isabs(os.path.expanduser(dest)):
            found.append(f"{place}: dest {dest} depends on where the play runs. Write it from the root, with inventory_dir for example.")
    return found
