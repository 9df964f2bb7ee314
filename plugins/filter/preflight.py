# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._preflight_declare import (
    declare_host,
    derive_profiles,
    lineage,
    probe_arguments,
)


def as_list(value):
    """Take a lone word for a list of one, as argument specs do."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value or [])


def plain(value):
    """Take a lazily templated value out of Ansible's hands once, instead of having every look at it templated anew."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def preflight_declare(catalogue, *, group_names=(), group_profiles=None, profiles=(), thresholds=None, waive=(), names=(), address=""):
    """Return what a host is judged by."""
    wanted = as_list(profiles) or derive_profiles(group_names, plain(group_profiles or {}))
    needed = {ancestor for name in wanted if name in catalogue for ancestor in lineage(catalogue, name)}
    return declare_host(
        # Templating is what takes time here: it is left to the profiles in use.
        {name: plain(catalogue[name]) if name in needed else {} for name in catalogue},
        profiles=wanted,
        thresholds=plain(thresholds or {}),
        waive=as_list(waive),
        names=as_list(names),
        address=address,
    )


def preflight_probe_arguments(declarations, name, docker_root="/var/lib/docker"):
    """Return what the probe of a host must look at."""
    return probe_arguments(plain(declarations), name, docker_root)


class FilterModule:
    """Filters of the preflight."""

    def filters(self):
        return {"preflight_declare": preflight_declare, "preflight_probe_arguments": preflight_probe_arguments}
