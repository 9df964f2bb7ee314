# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Accounts and teams by name: what the modules on people and their access have in common."""

from __future__ import annotations

import re

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import InputError

PART = re.compile(r"(?!\.{1,2}$)[^/\s]+")   # of a key; what else a name may hold is not documented, the server tells
DEFAULT_ORGANIZATION = "docker-datacenter"


def split(name, form):
    """The parts of "org/team" or "org/team/user"; InputError when it has another form.

    form: what it must look like, such as "organization/team", or what a single name names, such as "user".
    """
    parts = name.split("/")
    if len(parts) != form.count("/") + 1 or not all(PART.fullmatch(part) for part in parts):
        if "/" in form:
            raise InputError(f"'{name}' is not of the form {form}. Write it so, with no part empty and without spaces.")
        raise InputError(f"{form} '{name}': this cannot be a name. Give one without spaces and slashes.")
    return parts


def caller(client, params):
    """Name of the account that makes the requests; with a client certificate the server has to say it."""
    return params["username"] or client.basic_info()["User"]["name"]


def teams_of(client, organizations):
    """{organization: {team: record}}; an organization that does not exist has none."""
    listings = client.http.each(lambda name: client.accounts(name, "teams", key="teams"), organizations)
    return {name: {team["name"]: team for team in teams} for name, teams in zip(organizations, listings)}
