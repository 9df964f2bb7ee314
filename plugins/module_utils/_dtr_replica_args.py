# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""Options of the host modules and the flags and variables of docker/dtr they become. Pure.

Source: DTR docs, command line; the table of flags and commands. Secrets, certificates and addresses that may hold a password go by the
environment, so that no process list shows them; all else are flags. What is not given is not sent.
"""

from __future__ import annotations

import re

REPLICA_ID = re.compile(r"[0-9a-f]{12}")
# option: (flag, environment variable or None, commands)
TABLE = {
    "overlay_subnet": ("--overlay-subnet", None, ("install", "emergency-repair")),
    "external_url": ("--dtr-external-url", None, ("install", "reconfigure")),
    "dtr_ca": ("--dtr-ca", "DTR_CA", ("install", "reconfigure")),
    "dtr_cert": ("--dtr-cert", "DTR_CERT", ("install", "reconfigure")),
    "dtr_key": ("--dtr-key", "DTR_KEY", ("install", "reconfigure")),
    "client_cert_auth": ("--enable-client-cert-auth", None, ("install", "reconfigure")),
    "client_cert_auth_ca": ("--client-cert-auth-ca", "CLIENT_CA", ("install", "reconfigure")),
    "storage_volume": ("--dtr-storage-volume", None, ("install", "reconfigure")),
    "nfs_storage_url": ("--nfs-storage-url", None, ("install", "reconfigure")),
    "nfs_options": ("--nfs-options", None, ("install", "reconfigure")),
    "async_nfs": ("--async-nfs", None, ("install", "reconfigure")),
    "storage_migrated": ("--storage-migrated", None, ("reconfigure",)),
    "http_proxy": ("--http-proxy", "DTR_HTTP_PROXY", ("install", "reconfigure")),
    "https_proxy": ("--https-proxy", "DTR_HTTPS_PROXY", ("install", "reconfigure")),
    "no_proxy": ("--no-proxy", None, ("install", "reconfigure")),
    "log_protocol": ("--log-protocol", None, ("install", "reconfigure")),
    "log_host": ("--log-host", None, ("install", "reconfigure")),
    "log_level": ("--log-level", None, ("install", "reconfigure")),
    "pprof": ("--enable-pprof", None, ("install", "reconfigure")),
    "replica_http_port": ("--replica-http-port", None, ("install", "join", "reconfigure")),
    "replica_https_port": ("--replica-https-port", None, ("install", "join", "reconfigure")),
    "rethinkdb_cache_mb": ("--replica-rethinkdb-cache-mb", None, ("install", "join", "reconfigure")),
    "existing_replica_id": ("--existing-replica-id", None, ("join", "reconfigure", "remove", "upgrade", "emergency-repair")),
    "replica_id": ("--replica-id", None, ("install", "join", "destroy")),
    "replica_ids": ("--replica-ids", None, ("remove",)),
    "node": ("--ucp-node", None, ("install", "join")),
    "skip_network_test": ("--skip-network-test", None, ("join",)),
    "prune": ("--prune", None, ("emergency-repair",)),
    "debug": ("--debug", None, ("install", "join", "reconfigure", "remove", "destroy", "upgrade", "emergency-repair")),
}
SECRET = ("dtr_key", "http_proxy", "https_proxy")
BOOLEANS = ("client_cert_auth", "async_nfs", "storage_migrated", "pprof", "skip_network_test", "prune", "debug")
WITH_FALSE = ("client_cert_auth", "pprof")   # false is an order for these, and nothing to say for the others
NUMBERS = ("replica_http_port", "replica_https_port", "rethinkdb_cache_mb")
NEVER_EMPTY = ("existing_replica_id", "replica_id", "node", "replica_ids", "overlay_subnet", "rethinkdb_cache_mb")

CONNECTION = {
    "image": {"type": "str", "required": True},
    "pull": {"type": "str", "choices": ["never", "missing", "always"], "default": "never"},
    "ucp_url": {"type": "str", "required": True},
    "ucp_username": {"type": "str", "required": True},
    "ucp_password": {"type": "str", "required": True, "no_log": True},
    "ucp_ca": {"type": "str"},
    "ucp_insecure_tls": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 1800},
    "debug": {"type": "bool", "default": False},
    "extra_args": {"type": "list", "elements": "str", "default": []},
}


def argument(name):
    """Argument spec of an option of TABLE."""
    if name == "replica_ids":
        return {"type": "list", "elements": "str"}
    kind = "bool" if name in BOOLEANS else "int" if name in NUMBERS else "str"
    more = {"default": False} if name in BOOLEANS and name not in WITH_FALSE else {}
    choices = {"log_protocol": ["tcp", "udp", "internal"], "log_level": ["debug", "info", "warn", "error", "fatal"]}.get(name)
    if choices:
        more["choices"] = choices
    return {"type": kind, **more, **({"no_log": True} if name in SECRET else {})}


def options_of(*commands):
    """Names of the options that any of the commands takes."""
    return [name for name, entry in TABLE.items() if set(commands) & set(entry[2])]


def arguments_of(command, params):
    """(flags, environment) of a command; params: options, None where not given."""
    flags, env = [], {"UCP_USERNAME": params["ucp_username"], "UCP_PASSWORD": params["ucp_password"]}
    flags += ["--ucp-url", params["ucp_url"]]
    if params.get("ucp_ca"):
        env["UCP_CA"] = params["ucp_ca"]
    if params.get("ucp_insecure_tls"):
        flags.append("--ucp-insecure-tls")
    for name, (flag, variable, commands) in TABLE.items():
        value = params.get(name)
        if command not in commands or value is None or (value in ("", []) and name in NEVER_EMPTY):
            continue
        if variable:
            env[variable] = value
        elif name in BOOLEANS:
            flags += [flag] if value else [f"{flag}=false"] if name in WITH_FALSE else []
        else:
            flags += [flag, ",".join(value) if isinstance(value, list) else str(value)]
    flags += ["--yes"] if command == "emergency-repair" else []   # it asks a person otherwise, and there is none
    return flags + list(params.get("extra_args") or []), env


def problems(command, params):
    """What is wrong with the options of a command, one sentence each."""
    found = [f"{name} '{value}' is no replica id. Give the 12 hexadecimal digits, such as 0a1b2c3d4e5f."
             for name, value in identities(params) if not REPLICA_ID.fullmatch(value)]
    found += [f"{name} {params[name]} is no port. Give a number from 1 to 65535."
              for name in ("replica_http_port", "replica_https_port") if params.get(name) is not None and not 0 < params[name] < 65536]
    taken = [name for name in ("storage_volume", "nfs_storage_url") if params.get(name)]
    if len(taken) > 1:
        found.append("storage_volume and nfs_storage_url exclude each other. Give one of them.")
    moves = [name for name in ("storage_volume", "nfs_storage_url") if params.get(name) is not None]
    if command == "reconfigure" and moves and not params.get("storage_migrated"):
        found.append(f"{moves[0]} would make the registry begin with an empty store and erase all tags. Copy the image data there, with"
                     " garbage collection off, and then set storage_migrated.")
    if (params.get("nfs_options") or params.get("async_nfs")) and not params.get("nfs_storage_url"):
        found.append("nfs_options and async_nfs need nfs_storage_url. Give it, or leave them out.")
    if params.get("log_host") and not params.get("log_protocol"):
        found.append("log_host needs log_protocol. Give tcp or udp.")
    pem = [name for name in ("dtr_ca", "dtr_cert", "dtr_key") if params.get(name)]
    if pem and len(pem) < 3:
        found.append(f"{', '.join(pem)} is given without the others. Give dtr_ca, dtr_cert and dtr_key together.")
    for name in ("ucp_ca", "dtr_ca", "dtr_cert", "dtr_key", "client_cert_auth_ca"):
        if params.get(name) and "-----BEGIN " not in params[name]:
            found.append(f"{name} is no PEM text. Give the content of the file, not its path.")
    if params.get("client_cert_auth") and not params.get("client_cert_auth_ca") and command == "install":
        found.append("client_cert_auth needs client_cert_auth_ca, the CAs whose certificates may sign in.")
    return found


def identities(params):
    """[(option, value)] of what must be a replica id."""
    single = [(name, params[name]) for name in ("replica_id", "existing_replica_id") if params.get(name)]
    return single + [("replica_ids", value) for value in params.get("replica_ids") or []]
