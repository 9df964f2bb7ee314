# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What UCP's configuration file may hold, and the file in and out of a dictionary.

The keys are those of the UCP docs ("UCP configuration file"), the types of the fields without a documented one are those of
`config.*` and `types.ClusterConfig` in the UCP 3.2 API.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import tomllib


class Key(NamedTuple):
    """One key: its type (`str`, `int`, `bool`, or `list` of strings), whether a section must have it, its values, what a new UCP has."""

    type: type
    required: bool = False
    choices: tuple = ()
    default: object = None


VALUE = {"value": Key(str)}

# Section -> keys. "" is the top of the file.
SECTIONS = {
    "": {"pre_logon_message": Key(str)},
    "auth": {
        "backend": Key(str, choices=("managed", "ldap"), default="managed"),
        "default_new_user_role": Key(
            str, choices=("admin", "viewonly", "scheduler", "restrictedcontrol", "fullcontrol"), default="restrictedcontrol"
        ),
    },
    "auth.sessions": {
        "lifetime_minutes": Key(int, default=60),
        "renewal_threshold_minutes": Key(int, default=20),
        "per_user_limit": Key(int, default=10),
        "store_token_per_session": Key(bool, default=False),
    },
    "audit_log_configuration": {
        "level": Key(str, choices=("", "metadata", "request"), default=""),
        "support_dump_include_audit_logs": Key(bool, default=False),
    },
    "scheduling_configuration": {
        "enable_admin_ucp_scheduling": Key(bool, default=False),
        "default_node_orchestrator": Key(str, choices=("swarm", "kubernetes"), default="swarm"),
    },
    "tracking_configuration": {
        "disable_usageinfo": Key(bool, default=False),
        "disable_tracking": Key(bool, default=False),
        "anonymize_tracking": Key(bool, default=False),
        "cluster_label": Key(str, default=""),
    },
    "trust_configuration": {"require_content_trust": Key(bool, default=False), "require_signature_from": Key(list)},
    "log_configuration": {
        "protocol": Key(str, choices=("tcp", "udp")),
        "host": Key(str),
        "level": Key(str, choices=("debug", "info", "notice", "warning", "err", "crit", "alert", "emerg")),
    },
    "license_configuration": {"auto_refresh": Key(bool, default=True)},
    "user_workload_defaults.swarm_defaults.tasktemplate.restartpolicy.delay": VALUE,
    "user_workload_defaults.swarm_defaults.tasktemplate.restartpolicy.maxattempts": VALUE,
    "cluster_config": {
        "controller_port": Key(int, True, default=443),
        "kube_apiserver_port": Key(int, True, default=6443),
        "swarm_port": Key(int, True, default=2376),
        "swarm_strategy": Key(str, choices=("spread", "binpack", "random"), default="spread"),
        "dns": Key(list, True, default=[]),
        "dns_opt": Key(list, True, default=[]),
        "dns_search": Key(list, True, default=[]),
        "profiling_enabled": Key(bool, default=False),
        "kv_timeout": Key(int, default=5000),
        "kv_snapshot_count": Key(int, default=20000),
        "external_service_lb": Key(str, default=""),
        "cni_installer_url": Key(str),
        "metrics_retention_time": Key(str, default="24h"),
        "metrics_scrape_interval": Key(str, default="1m"),
        "metrics_disk_usage_interval": Key(str),
        "rethinkdb_cache_size": Key(str, default="1GB"),
        "exclude_server_identity_headers": Key(bool, default=False),
        "cloud_provider": Key(str),
        "pod_cidr": Key(str, True, default="192.168.0.0/16"),
        "calico_mtu": Key(str),
        "ipip_mtu": Key(str),
        "azure_ip_count": Key(str),
        "service_cluster_ip_range": Key(str, True, default="10.96.0.0/16"),
        "nodeport_range": Key(str, True, default="32768-35535"),
        "custom_kube_api_server_flags": Key(list),
        "custom_kube_controller_manager_flags": Key(list),
        "custom_kubelet_flags": Key(list),
        "custom_kube_scheduler_flags": Key(list),
        "local_volume_collection_mapping": Key(bool, default=False),
        "manager_kube_reserved_resources": Key(str),
        "worker_kube_reserved_resources": Key(str),
        "kubelet_max_pods": Key(int, True, default=110),
        "secure-overlay": Key(bool, default=False),
        "image_scan_aggregation_enabled": Key(bool, default=False),
        "swarm_polling_disabled": Key(bool, default=False),
    },
}
# Repeated sections: name -> keys.
LISTS = {
    "registries": {"host_address": Key(str, True), "service_id": Key(str, True), "ca_bundle": Key(str)},
    "custom_api_server_headers": {"name": Key(str, True), "value": Key(str, True)},
}
REQUIRED_SECTIONS = ("cluster_config",)
_NAMES = {str: "a string", int: "a whole number", bool: "true or false", list: "a list of strings"}


def initial() -> dict:
    """The configuration of a new UCP: every key that has a default."""
    document: dict = {}
    for section, keys in SECTIONS.items():
        defaults = {name: key.default for name, key in keys.items() if key.default is not None}
        if defaults:
            _section(document, section, create=True).update(json.loads(json.dumps(defaults)))
    return document


def parse(text: str) -> tuple[dict, list[str]]:
    """TOML text -> (document, what is wrong with it). Text that is no TOML gives an empty document and one problem."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return {}, [f"not TOML: {error}"]
    return document, problems(document)


def problems(document: dict) -> list[str]:
    """Unknown sections and keys, wrong types, undocumented values, missing keys, session times that cannot be."""
    found = _unknown(document, "")
    for section, keys in SECTIONS.items():
        table = _section(document, section)
        if table is None:
            found += [f"section {section} is missing"] if section in REQUIRED_SECTIONS else []
        elif isinstance(table, dict):
            found += _table_problems(table, keys, section)
    for section, keys in LISTS.items():
        for position, table in enumerate(_tables(document, section)):
            found += _table_problems(table, keys, f"{section}[{position}]")
    return found + _session_problems(document)


def dump(document: dict) -> str:
    """The document as TOML, the way a program writes it: no comments, keys in the order of the document."""
    return "\n".join(_lines(document, ""))


def _section(document: dict, path: str, create: bool = False):
    """The table at a dotted path; None when it is not there."""
    table = document
    for part in filter(None, path.split(".")):
        if create:
            table = table.setdefault(part, {})
        elif not isinstance(table, dict) or part not in table:
            return None
        else:
            table = table[part]
    return table


def _tables(document: dict, section: str) -> list[dict]:
    value = document.get(section, [])
    return [table for table in value if isinstance(table, dict)] if isinstance(value, list) else []


def _unknown(table: dict, path: str) -> list[str]:
    """Names that are neither a key of this section, nor a section below it."""
    found = []
    for name, value in table.items():
        where = f"{path}.{name}" if path else name
        if where in LISTS:
            if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
                found.append(f"{where} must be written as [[{where}]]")
        elif where in SECTIONS or any(section.startswith(f"{where}.") for section in SECTIONS):
            found += _unknown(value, where) if isinstance(value, dict) else [f"{where} must be a section"]
        elif name not in SECTIONS.get(path, {}):
            found.append(f"unknown {'section' if isinstance(value, dict) else 'key'} {where}")
    return found


def _table_problems(table: dict, keys: dict, where: str) -> list[str]:
    found = [f"{where}.{name} is missing" for name, key in keys.items() if key.required and name not in table]
    if where.endswith("]"):
        found += [f"unknown key {where}.{name}" for name in table if name not in keys]
    for name in table.keys() & keys.keys():
        key, value = keys[name], table[name]
        if not _fits(value, key.type):
            found.append(f"{where}.{name} must be {_NAMES[key.type]}")
        elif key.choices and value not in key.choices:
            found.append(f"{where}.{name} must be one of {', '.join(repr(choice) for choice in key.choices)}")
    return found


def _fits(value, kind: type) -> bool:
    """Whether a value is of that type; true and false are no numbers, and a list holds strings."""
    if kind is list:
        return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    return isinstance(value, kind) and isinstance(value, bool) == (kind is bool)


def _session_problems(document: dict) -> list[str]:
    """UCP docs, session timeout: a session lives 10 minutes or more, and is renewed at most its lifetime less 5 minutes before its end."""
    sessions = _section(document, "auth.sessions")
    if not isinstance(sessions, dict):
        return []
    lifetime, threshold = sessions.get("lifetime_minutes", 60), sessions.get("renewal_threshold_minutes", 20)
    if not isinstance(lifetime, int) or not isinstance(threshold, int):
        return []
    found = ["auth.sessions.lifetime_minutes must be 10 or more"] if lifetime < 10 else []
    if threshold < 0 or threshold > lifetime - 5:
        found.append("auth.sessions.renewal_threshold_minutes must be between 0 and lifetime_minutes - 5")
    return found


def _lines(table: dict, path: str) -> list[str]:
    plain = {name: value for name, value in table.items() if not isinstance(value, dict) and f"{path}{name}" not in LISTS}
    lines = [f"{name} = {json.dumps(value)}" for name, value in plain.items()] + ([""] if plain else [])
    for name, value in table.items():
        if name in plain:
            continue
        if isinstance(value, dict):
            own = any(not isinstance(entry, dict) for entry in value.values()) or not value
            lines += [f"[{path}{name}]"] * own + _lines(value, f"{path}{name}.")
        else:
            for entry in value:
                lines += [f"[[{path}{name}]]", *_lines(entry, f"{path}{name}.")]
    return lines
