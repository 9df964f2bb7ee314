# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""From the role's variables to everything the role does on a host, decided before a host is asked anything."""

from __future__ import annotations

import re

import yaml
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _htpasswd as htpasswd
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._distribution_check import problems
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._distribution_config import (
    build,
    declared_version,
    drivers,
    plain,
    root_directory,
    secrets,
    version_tuple,
)

PREFIX = "/opt/distribution"
PACKAGED = "/usr/bin/docker-registry"

_HEADER = "Managed by Ansible (dockyard.trusted_registry.distribution): change the role's variables, not this file."
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_PLAIN_HTTP = "distribution_tls_source is disabled_insecure: passwords and images cross the network in the clear"
_ANONYMOUS = "distribution_auth is anonymous_insecure: everybody who reaches the port can push, overwrite and delete images"
_PACKAGE = (
    "the distribution's package is 2.8, without the fixes of CVE-2026-33540 and CVE-2026-35172 (3.1.0) and CVE-2026-85747 (3.1.2); "
    "prefer distribution_install_method binary or container with 3.1.2 or later"
)


def rendering(settings):
    """The text of config.yml and the secrets in it. Apart from the plan, which holds no secret and may be kept as a fact."""
    settings = plain(settings)
    settings["tls"] = _tls(settings)
    config = build(settings)
    return {"text": _text(config), "secrets": secrets(config)}


def plan(settings):
    """Errors, warnings and, without errors, what is to stand on the host."""
    settings = plain(settings)
    errors, warnings = _errors(settings), _warnings(settings)
    version = declared_version(settings["method"], settings["version"], settings["binary_url"], settings["container_image"])
    if not version_tuple(version) and version not in ("2", "3"):
        errors.append("distribution_version: cannot be told from the file name or tag; say it, such as 3.1.2")
    if errors:
        return {"errors": errors, "warnings": warnings}
    settings["tls"] = _tls(settings)
    config = build(settings)
    found = problems(config, version, settings["accepted_cves"])
    errors.extend(f"config.yml: {text}" for text in found["errors"])
    warnings.extend(f"config.yml: {text}" for text in found["warnings"])
    if errors:
        return {"errors": errors, "warnings": warnings}
    result = {
        "errors": [],
        "warnings": warnings,
        "version": version,
        "major": 3 if (version_tuple(version) or (int(version),))[0] >= 3 else 2,
        "store": root_directory(config),
        "driver": drivers(config)[0],
        "remote_store": drivers(config)[0] not in ("filesystem", "inmemory"),
        "watched": _watched(config, settings),
        "health": _health(config, settings),
        # A second registry may not answer for a host name at Let's Encrypt, nor share the state file of a proxy.
        "trial": settings["method"] != "container" and not config.get("proxy") and not _letsencrypt(config),
    }
    result.update(_paths(settings))
    return result


def _errors(settings):
    found = []
    name, port = settings["hostname"], settings["port"]
    if not re.match(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", name):
        found.append(f"distribution_hostname: {name} is not a host name (no scheme, port or path)")
    if not 0 < port < 65536:
        found.append(f"distribution_port: {port} is not a port")
    if settings["method"] == "container" and port < 1024:
        found.append(f"distribution_port: a container that does not run as root cannot listen on port {port}; use a port from 1024 on")
    if settings["method"] == "binary":
        if not settings["binary_url"]:
            found.append("distribution_binary_url: the binary method needs the address or the controller's path of a release")
        if not _SHA256.match(settings["binary_sha256"]):
            found.append("distribution_binary_sha256: the binary method needs the SHA-256 of that file, 64 lower-case hexadecimal digits")
    if settings["method"] == "container" and not settings["container_image"]:
        found.append("distribution_container_image: the container method needs an image, such as registry.example.com/registry:3.1.2")
    if settings["tls_source"] == "provided" and not (settings["tls_certificate_file"] and settings["tls_key_file"]):
        found.append("distribution_tls_source: provided needs distribution_tls_certificate_file and distribution_tls_key_file")
    if settings["http_secret"] and len(settings["http_secret"]) < 16:
        found.append("distribution_http_secret: use 16 characters or more")
    if settings["shared_store"] and not settings["http_secret"]:
        found.append(
            "distribution_http_secret: several hosts share this store, so they need one secret (an upload begun on one "
            "goes on at another); set the same for all, from a vault"
        )
    if settings["htpasswd_cost"] not in range(5, 16):
        found.append("distribution_htpasswd_cost: use 5 to 15")
    return found + user_errors(settings)


def user_errors(settings):
    """What is wrong with the users and the way they are let in."""
    users = settings["users"]
    found = [f"distribution_users: {text}" for text in htpasswd.problems(users)]
    if settings["auth"] == "htpasswd" and not any(user.get("state", "present") == "present" for user in users):
        found.append(
            "distribution_users: nobody could log in. List at least one user, or set distribution_auth to token, or to "
            "anonymous_insecure if everybody may push and pull"
        )
    if settings["auth"] != "htpasswd" and users:
        found.append("distribution_users: is used only with distribution_auth: htpasswd, which is {}".format(settings["auth"]))
    return found


def _warnings(settings):
    return [
        text
        for condition, text in (
            (settings["tls_source"] == "disabled_insecure", _PLAIN_HTTP),
            (settings["auth"] == "anonymous_insecure", _ANONYMOUS),
            (settings["method"] == "package", _PACKAGE),
        )
        if condition
    ]


def _tls(settings):
    if settings["tls_source"] == "disabled_insecure":
        return {}
    directory = settings["tls_directory"]
    return {
        "certificate": directory + "/certificate.pem",
        "key": directory + "/key.pem",
        "minimumtls": "tls1.2",
    }


def _text(config):
    return f"# {_HEADER}\n{yaml.safe_dump(config, sort_keys=False, default_flow_style=False, width=1000, allow_unicode=True)}"


def _letsencrypt(config):
    return bool((((config.get("http") or {}).get("tls") or {}).get("letsencrypt") or {}).get("cachefile"))


def _watched(config, settings):
    """Files that the registry reads once, when it starts."""
    tls, token = config["http"].get("tls") or {}, (config.get("auth") or {}).get("token") or {}
    redis = (config.get("redis") or {}).get("tls") or {}
    paths = [settings["config_path"], settings["unit_path"]]
    paths += [section.get(key) for section in (tls, redis) for key in ("certificate", "key")]
    paths += [token.get("rootcertbundle"), token.get("jwks")]
    paths += (tls.get("clientcas") or []) + (redis.get("rootcas") or []) + (redis.get("clientcas") or [])
    return sorted({path for path in paths if path})


def _health(config, settings):
    http, auth = config["http"], config.get("auth")
    tls = http.get("tls") or {}
    host, _colon, port = str(http["addr"]).rpartition(":")
    host = host.strip("[]")
    return {
        "address": "127.0.0.1" if host in ("", "0.0.0.0") else "::1" if host == "::" else host,
        "port": int(port),
        "name": settings["hostname"],
        "prefix": http.get("prefix") or "/",
        "tls": bool(tls.get("certificate") or _letsencrypt(config)),
        "certificate": tls.get("certificate") or "",
        "mutual_tls": bool(tls.get("clientcas")) and "if-given" not in str(tls.get("clientauth")),
        "expected": 401 if auth else 200,
        "debug": (http.get("debug") or {}).get("addr") or "",
    }


def _paths(settings):
    if settings["method"] == "package":
        return {"executable": PACKAGED, "trial_executable": PACKAGED, "link": "", "link_target": "", "container_image": ""}
    if settings["method"] == "binary":
        home = "{}/{}".format(PREFIX, settings["binary_sha256"][:12])
        return {
            "executable": PREFIX + "/current/registry",
            "trial_executable": home + "/registry",
            "link": PREFIX + "/current",
            "link_target": home,
            "container_image": "",
        }
    return {"executable": "", "trial_executable": "", "link": "", "link_target": "", "container_image": settings["container_image"]}


def upgrade(current, target, scan, driver):
    """What an upgrade would cost: C(errors) to acknowledge, C(notices) to read.

    C(current) and C(target) are versions; C(scan) is what distribution_store_info found, or None when the store cannot be read.
    """
    old, new = version_tuple(current), version_tuple(target) or (int(target), 0, 0)
    errors, notices = [], []
    if old is None or old[:2] == new[:2]:
        return {"errors": errors, "notices": notices}
    if new < old:
        notices.append(f"{target} is older than the installed {current}; the layout of the store is the same")
    elif old[0] < 3 <= new[0]:
        notices.append(f"{current} to {target} crosses a major version; the layout of the store is unchanged, so going back stays possible")
        notices.append("token servers: 3.x names keys differently, try a login before you rely on it")
        if scan is None:
            errors.append(f"whether the {driver} store holds schema1 manifests, which 3.x cannot read, cannot be told from this host")
        else:
            errors.extend(
                f"{name} is a schema1 manifest, which 3.x cannot read; push it again with a current client" for name in scan["schema1"]
            )
            if scan["schema1_count"] > len(scan["schema1"]):
                errors.append(f"there are {scan['schema1_count']} schema1 manifests in all")
            if not scan["complete"]:
                errors.append("the store is too large to look at every manifest: {} were read".format(scan["manifests"]))
    return {"errors": errors, "notices": notices}
