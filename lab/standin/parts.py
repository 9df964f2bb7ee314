# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one list of what the stand-in is made of: services (attributes of `Standin`, in the order they start) and modules with routes."""

from __future__ import annotations

from . import (
    access,
    access_routes,
    account_routes,
    accounts,
    actions,
    events,
    gc,
    hooks,
    job_routes,
    jobs,
    mirror_routes,
    mirroring,
    misc,
    policies,
    policy_routes,
    registry,
    registry_auth,
    registry_front,
    repositories,
    scan_routes,
    scanning,
    settings,
    tag_routes,
    tags,
    team_routes,
    teams,
    tokens,
    ucp,
    ucp_bundle,
    ucp_collections,
    ucp_config,
    ucp_grants,
    ucp_roles,
    ucp_swarm,
    vulnerabilities,
    webhook_routes,
    webhooks,
)

# name of the attribute -> class, made as Class(standin); `async start()` and `async stop()` are called where they exist.
SERVICES = {
    "hooks": hooks.Hooks,
    "accounts": accounts.Accounts,
    "teams": teams.Teams,
    "access": access.Access,
    "tokens": tokens.Tokens,
    "settings": settings.Settings,
    "events": events.Events,
    "tags": tags.Tags,
    "registry": registry.Registry,
    "gc": gc.Collector,
    "jobs": jobs.Jobs,
    "actions": actions.Actions,
    "repositories": repositories.Repositories,
    "vulnerabilities": vulnerabilities.Vulnerabilities,
    "scanning": scanning.Scanning,
    "policies": policies.Policies,
    "mirroring": mirroring.Mirroring,
    "webhooks": webhooks.Webhooks,
    "misc": misc.Misc,
    "ucp": ucp.Ucp,
}

PRODUCTS = ("dtr", "ucp")
# Services that a process for one product alone does without are named with the products that need them.
ONLY = {name: ("ucp",) if name == "ucp" else ("dtr",) for name in SERVICES if name not in ("hooks", "accounts", "teams", "access")}

# Importing them registers their routes.
ROUTE_MODULES = [
    access_routes,
    account_routes,
    events,
    job_routes,
    mirror_routes,
    misc,
    policy_routes,
    registry_auth,
    registry_front,
    repositories,
    scan_routes,
    settings,
    tag_routes,
    team_routes,
    tokens,
    ucp,
    ucp_bundle,
    ucp_collections,
    ucp_config,
    ucp_grants,
    ucp_roles,
    ucp_swarm,
    webhook_routes,
]
