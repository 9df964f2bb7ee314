# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Build a config.yml as a dictionary, and find its secrets. Checking it is in _distribution_check."""

from __future__ import annotations

import json
import re

from ansible_collections.dockyard.trusted_registry.plugins.module_utils._distribution_text import SECRET_KEYS
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._distribution_schema import STORAGE_OPTIONS

# The host module puts the secret it keeps on the host in this place.
HOST_SECRET = "@HTTP_SECRET_KEPT_ON_THIS_HOST@"

_VERSION = re.compile(r"(?<![\d.])v?(\d+)\.(\d+)(?:\.(\d+))?(?![\d])")
_USERINFO = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")


def plain(value):
    """The value as plain dictionaries, lists and scalars, free of the templating engine's own types."""
    return json.loads(json.dumps(value, default=str))


def version_tuple(version):
    """(3, 1, 0) for C(v3.1.0) or C(3.1); None when there is no version in the text."""
    found = _VERSION.search(str(version or ""))
    return tuple(int(part or 0) for part in found.groups()) if found else None


def declared_version(method, version="", url="", image=""):
    """The version that will be installed, as far as the declaration tells: said so, or readable from a file name or tag."""
    if version:
        return str(version)
    if method == "package":
        return "2.8"
    name = image.rsplit("/", 1)[-1].partition("@")[0].partition(":")[2] if method == "container" else url.rsplit("/", 1)[-1]
    found = _VERSION.search(name)
    if found:
        return found.group(0).lstrip("v")
    # A tag of one number, such as registry:3, names a major version.
    return name if method == "container" and name in ("2", "3") else ""


def merged(base, extra):
    """The two dictionaries merged at every depth; a null in the second removes the key."""
    result = dict(base)
    for key, value in extra.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def build(settings):
    """config.yml as a dictionary, from the role's settings."""
    storage = {name: {} if value is None else value for name, value in settings["storage"].items()}
    storage.setdefault("delete", {"enabled": settings["delete_enabled"]})
    if settings["cache"] != "none":
        storage.setdefault("cache", {"blobdescriptor": settings["cache"]})
    storage.setdefault(
        "maintenance",
        {"uploadpurging": {"enabled": True, "age": "168h", "interval": "24h", "dryrun": False}},
    )
    http = {
        "addr": "{}:{}".format(settings["address"], settings["port"]),
        "secret": settings["http_secret"] or HOST_SECRET,
        "draintimeout": "{}s".format(settings["drain_timeout"]),
        "headers": {"X-Content-Type-Options": ["nosniff"]},
    }
    if settings["tls"]:
        http["tls"] = dict(settings["tls"])
    if settings["debug_address"]:
        http["debug"] = {"addr": settings["debug_address"], "prometheus": {"enabled": True, "path": "/metrics"}}
    config = {
        "version": 0.1,
        "log": {"level": settings["log_level"], "fields": {"service": "distribution"}},
        "storage": storage,
        "http": http,
        "health": {"storagedriver": {"enabled": True, "interval": "10s", "threshold": 3}},
    }
    if settings["auth"] == "htpasswd":
        config["auth"] = {"htpasswd": {"realm": settings["realm"], "path": settings["htpasswd_path"]}}
    elif settings["auth"] == "token":
        config["auth"] = {"token": settings["token"]}
    if settings["redis"]:
        config["redis"] = settings["redis"]
    return merged(plain(config), plain(settings["extra"]))


def drivers(config):
    """The storage drivers a configuration names."""
    storage = config.get("storage")
    return [name for name in storage if name not in STORAGE_OPTIONS] if isinstance(storage, dict) else []


def root_directory(config):
    """The directory of a filesystem store; None for any other store."""
    section = (config.get("storage") or {}).get("filesystem")
    return (section or {}).get("rootdirectory", "/var/lib/registry") if drivers(config) == ["filesystem"] else None


def secrets(value, secret=False):
    """Every secret value in a configuration, so that nothing prints one."""
    if isinstance(value, dict):
        return sorted({item for key, member in value.items() for item in secrets(member, secret or str(key).lower() in SECRET_KEYS)})
    if isinstance(value, (list, tuple)):
        return sorted({item for member in value for item in secrets(member, secret)})
    if secret:
        return [] if value in (None, "", HOST_SECRET) else [str(value)]
    return _USERINFO.findall(value) if isinstance(value, str) else []
