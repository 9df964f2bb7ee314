# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""Find what is wrong with a registry configuration before a registry reads it.

The registry itself ignores unknown keys without a word and panics on some known ones.
"""

from __future__ import annotations

import difflib
import ipaddress
import re

from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils import _distribution_schema as data
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._distribution_config import (
    drivers,
    plain,
    version_tuple,
)

_DURATION = re.compile(r"^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$")
_WANTED = {
    "str": "a text",
    "int": "a whole number without quotes",
    "bool": "true or false without quotes",
    "duration": "a duration with its unit, such as 30s or 168h",
    "strings": "a list of texts",
    "map": "a map",
    "headers": "a map of lists, such as {X-Frame-Options: [deny]}",
}


def problems(config, version, accepted=()):
    """C(errors) and C(warnings) of a configuration for a version; errors named by CVE in C(accepted) become warnings."""
    number = version_tuple(version) or (int(version), 0, 0)
    major = 3 if number[0] >= 3 else 2
    found = _Findings(accepted)
    config = plain(config)
    if not isinstance(config, dict):
        found.error("", "the configuration must be a map")
        return found.result()
    _Walker(found, major, number).walk(config, data.SCHEMA[major], "")
    if not found.errors:
        # The rules below rely on every section having its proper type.
        _check_storage(config, number, found)
        _check_http(config, found)
        _check_rest(config, number, found)
    return found.result()


class _Findings:
    def __init__(self, accepted):
        self.errors, self.warnings, self.accepted = [], [], set(accepted)

    def error(self, path, text):
        self.errors.append(f"{path}: {text}" if path else text)

    def warn(self, path, text):
        self.warnings.append(f"{path}: {text}" if path else text)

    def cve(self, path, name, text):
        if name in self.accepted:
            self.warn(path, f"{text} ({name}, accepted)")
        else:
            self.error(path, f"{text} ({name}). To run it all the same, add {name} to distribution_accepted_cves")

    def result(self):
        return {"errors": self.errors, "warnings": self.warnings}


class _Walker:
    """Compare a configuration with the schema, section by section."""

    def __init__(self, found, major, number):
        self.found, self.major = found, major
        self.number, self.version = number, ".".join(str(part) for part in number)

    def walk(self, value, schema, path):
        if value is None or schema == data.ANY:
            return
        if isinstance(schema, dict):
            self._section(value, schema, path)
        elif isinstance(schema, list):
            if not isinstance(value, list):
                self.found.error(path, "must be a list")
                return
            for index, member in enumerate(value):
                self.walk(member, schema[0], f"{path}[{index}]")
        elif isinstance(schema, tuple):
            if value not in schema:
                reason = data.GONE_IN_3.get(path) if self.major == 3 else None
                self.found.error(path, "{!r} is none of {}{}".format(value, ", ".join(schema), "; " + reason if reason else ""))
        elif not _FITS[schema](value):
            self.found.error(path, f"must be {_WANTED[schema]}")

    def _section(self, value, schema, path):
        if not isinstance(value, dict):
            hint = f": write {{enabled: {str(value).lower()}}}; as it stands the registry panics at start"
            self.found.error(path, "must be a map" + (hint if "enabled" in schema else ""))
            return
        for key, member in value.items():
            place = f"{path}.{key}" if path else key
            if key in schema:
                since = data.SINCE.get(place)
                if since and self.number < since:
                    self.found.error(place, f"is read from {_dotted(since)} on; {self.version} ignores it")
                else:
                    self.walk(member, schema[key], place)
            elif self.major == 3 and place in data.GONE_IN_3:
                self.found.error(place, data.GONE_IN_3[place])
            else:
                self.found.error(place, self._unknown(key, schema, place, path))

    def _unknown(self, key, schema, place, path):
        other = 5 - self.major
        if _at(data.SCHEMA[other], place) is not None:
            return "is read by {} only; {} ignores it".format("3.x" if other == 3 else "2.8", self.version)
        close = difflib.get_close_matches(str(key).lower(), schema, n=1)
        if close:
            return f"unknown key, the registry would ignore it; did you mean {close[0]}?"
        elsewhere = [found for found in _places(data.SCHEMA[self.major], "") if found.rsplit(".", 1)[-1] == key]
        elsewhere.sort(key=lambda found: (not found.startswith(path + "."), len(found)))
        if elsewhere:
            return f"unknown key, the registry would ignore it; did you mean {elsewhere[0]}?"
        return "unknown key, the registry would ignore it; known here: {}".format(", ".join(sorted(schema)))


def _dotted(number):
    return ".".join(str(part) for part in number)


def _at(schema, place):
    for key in place.split("."):
        if not isinstance(schema, dict) or key not in schema:
            return None
        schema = schema[key]
    return schema


def _places(schema, path):
    for key, member in schema.items() if isinstance(schema, dict) else ():
        place = f"{path}.{key}" if path else key
        yield place
        yield from _places(member, place)


def _is(value, *kinds):
    """Whether a value is of one of the kinds; True and False are no numbers here."""
    return isinstance(value, kinds) and not isinstance(value, bool)


_FITS = {
    "str": lambda value: _is(value, str, int, float),
    "int": lambda value: _is(value, int),
    "bool": lambda value: isinstance(value, bool),
    "duration": lambda value: bool(_DURATION.match(value)) if isinstance(value, str) else _is(value, int) and value == 0,
    "strings": lambda value: isinstance(value, list) and all(_is(member, str, int) for member in value),
    "headers": lambda value: isinstance(value, dict) and all(_FITS["strings"](member) for member in value.values()),
    "map": lambda value: isinstance(value, dict),
}


def _check_storage(config, number, found):
    names, storage = drivers(config), config.get("storage") or {}
    if len(names) != 1:
        known = sorted(set(data.SCHEMA[3 if number[0] >= 3 else 2]["storage"]) - set(data.STORAGE_OPTIONS))
        found.error("storage", "needs exactly one driver, has {}; drivers: {}".format(" and ".join(names) or "none", ", ".join(known)))
        return
    parameters = storage[names[0]] or {}
    if names[0] == "inmemory":
        found.warn("storage.inmemory", "every image is lost when the registry stops")
    if names[0] == "filesystem" and parameters.get("maxthreads", 100) < 25:
        found.error("storage.filesystem.maxthreads", "must be 25 or more")
    if names[0] in ("s3", "s3aws"):
        _check_s3(parameters, "storage." + names[0], number, found)
    purging = (storage.get("maintenance") or {}).get("uploadpurging")
    missing = sorted({"enabled", "age", "interval", "dryrun"} - set(purging)) if purging else []
    if missing:
        found.error(
            "storage.maintenance.uploadpurging", "needs all four keys, {} missing; the registry panics without".format(", ".join(missing))
        )
    cache, deletes = (storage.get("cache") or {}).get("blobdescriptor"), (storage.get("delete") or {}).get("enabled")
    if cache == "redis":
        redis = config.get("redis") or {}
        if not (redis.get("addr") or redis.get("addrs")):
            found.error(
                "storage.cache.blobdescriptor", "redis is named, but there is no redis.%s" % ("addrs" if number[0] >= 3 else "addr")
            )
        name, fixed = data.CVE_REDIS_DELETE
        if deletes and number < fixed:
            found.cve(
                "storage.cache",
                name,
                f"with a redis cache a deleted blob stays readable before {_dotted(fixed)}; disable storage.delete or the cache",
            )
    name, fixed = data.CVE_TAG_DELETE
    if not deletes and (3, 0, 0) <= number < fixed:
        found.warn("storage.delete", f"tags can be deleted all the same before {_dotted(fixed)} ({name})")


def _check_s3(parameters, path, number, found):
    if not parameters.get("bucket"):
        found.error(path + ".bucket", "is missing")
    if not parameters.get("region"):
        # A store of one's own has no region, yet requests are signed with one.
        found.error(path + ".region", "is missing; with a regionendpoint any name will do, such as us-east-1")
    if bool(parameters.get("accesskey")) != bool(parameters.get("secretkey")):
        found.error(path, "accesskey and secretkey go together")
    if parameters.get("chunksize", 5242880) < 5242880:
        found.error(path + ".chunksize", "must be 5242880 (5 MiB) or more")
    if number[0] >= 3 and parameters.get("regionendpoint") and "forcepathstyle" not in parameters:
        found.warn(path + ".forcepathstyle", "3.x addresses the bucket as a host name unless this is true")
    if parameters.get("skipverify"):
        found.warn(path + ".skipverify", "the store's certificate is not verified")


def _check_http(config, found):
    http = config.get("http") or {}
    tls = http.get("tls") or {}
    if http.get("net", "tcp") == "tcp" and not _address(str(http.get("addr", ":5000"))):
        found.error("http.addr", "must be address:port, such as :5000 or 192.0.2.7:5000")
    if bool(tls.get("certificate")) != bool(tls.get("key")):
        found.error("http.tls", "certificate and key go together")
    if tls.get("certificate") and (tls.get("letsencrypt") or {}).get("cachefile"):
        found.error("http.tls", "certificate and letsencrypt.cachefile exclude each other")
    if tls.get("minimumtls") in ("tls1.0", "tls1.1"):
        found.warn("http.tls.minimumtls", "{} is broken, and 3.x does not start with it".format(tls["minimumtls"]))
    debug = (http.get("debug") or {}).get("addr")
    if debug:
        parsed = _address(str(debug))
        if not parsed:
            found.error("http.debug.addr", "must be address:port, such as 127.0.0.1:5001")
        elif not _loopback(parsed[0]):
            found.warn("http.debug.addr", f"profiling and metrics answer without a password on {debug}")


def _check_rest(config, number, found):
    auth = config.get("auth") or {}
    if len(auth) > 1:
        found.error("auth", "needs exactly one method, has {}".format(" and ".join(auth)))
    if "silly" in auth:
        found.error("auth.silly", "lets everybody in who sends any header; it is for the registry's own tests")
    for method, keys in (("htpasswd", ("realm", "path")), ("token", ("realm", "service", "issuer"))):
        missing = [key for key in keys if method in auth and not (auth[method] or {}).get(key)]
        if missing:
            found.error("auth." + method, "{} missing".format(", ".join(missing)))
    token = auth.get("token")
    if token and not token.get("rootcertbundle") and not (number[0] >= 3 and token.get("jwks")):
        found.error("auth.token", "rootcertbundle%s missing" % (" or jwks" if number[0] >= 3 else ""))
    for index, endpoint in enumerate((config.get("notifications") or {}).get("endpoints") or []):
        if not endpoint.get("name") or not endpoint.get("url"):
            found.error(f"notifications.endpoints[{index}]", "name and url are needed")
    proxy = config.get("proxy") or {}
    if proxy:
        if not proxy.get("remoteurl"):
            found.error("proxy.remoteurl", "is missing")
        name, fixed = data.CVE_PROXY_CREDENTIALS
        if (proxy.get("username") or proxy.get("password")) and number < fixed:
            found.warn("proxy", f"before {_dotted(fixed)} the upstream can have the credentials sent elsewhere ({name})")
        name, fixed = data.CVE_PROXY_DIGEST
        if number < fixed:
            found.warn("proxy", f"before {_dotted(fixed)} a substituted manifest can be cached ({name})")


def _address(text):
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        return None
    return host.strip("[]"), int(port)


def _loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
