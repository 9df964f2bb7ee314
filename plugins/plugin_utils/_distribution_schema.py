# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.

"""What CNCF Distribution reads from config.yml, per major version, as data.

A leaf is a type name; a dictionary is a section; a list holds the schema of its members; a tuple lists the permitted
words; ANY accepts whatever stands there.
"""

from __future__ import annotations

ANY = "any"
_STR, _INT, _BOOL, _TIME, _STRINGS, _MAP = "str", "int", "bool", "duration", "strings", "map"
_LEVEL = ("error", "warn", "info", "debug")

_LOG = {
    "accesslog": {"disabled": _BOOL},
    "level": _LEVEL,
    "formatter": ("text", "json", "logstash"),
    "fields": _MAP,
    "hooks": [
        {
            "disabled": _BOOL,
            "type": _STR,
            "levels": _STRINGS,
            "options": {
                "smtp": {"addr": _STR, "username": _STR, "password": _STR, "insecure": _BOOL},
                "from": _STR,
                "to": _STRINGS,
            },
        }
    ],
}
_FILESYSTEM = {"rootdirectory": _STR, "maxthreads": _INT}
_S3 = {
    "accesskey": _STR,
    "secretkey": _STR,
    "region": _STR,
    "regionendpoint": _STR,
    "bucket": _STR,
    "encrypt": _BOOL,
    "keyid": _STR,
    "secure": _BOOL,
    "skipverify": _BOOL,
    "v4auth": _BOOL,
    "chunksize": _INT,
    "multipartcopychunksize": _INT,
    "multipartcopymaxconcurrency": _INT,
    "multipartcopythresholdsize": _INT,
    "rootdirectory": _STR,
    "storageclass": _STR,
    "useragent": _STR,
    "objectacl": _STR,
}
_S3_3 = dict(
    _S3,
    forcepathstyle=_BOOL,
    usedualstack=_BOOL,
    accelerate=_BOOL,
    usefipsendpoint=_BOOL,
    loglevel=ANY,
)
_GCS = {
    "bucket": _STR,
    "keyfile": _STR,
    "credentials": _MAP,
    "rootdirectory": _STR,
    "chunksize": _INT,
    "maxconcurrency": _INT,
}
_AZURE = {"accountname": _STR, "accountkey": _STR, "container": _STR, "realm": _STR}
_STORAGE = {
    "delete": {"enabled": _BOOL},
    "redirect": {"disable": _BOOL},
    "cache": {"blobdescriptor": ("inmemory", "redis"), "layerinfo": ("inmemory", "redis")},
    "maintenance": {
        "uploadpurging": {"enabled": _BOOL, "age": _TIME, "interval": _TIME, "dryrun": _BOOL},
        "readonly": {"enabled": _BOOL},
    },
    "filesystem": _FILESYSTEM,
    "inmemory": _MAP,
    "gcs": _GCS,
}
_HTTP = {
    "addr": _STR,
    "net": ("tcp", "unix"),
    "host": _STR,
    "prefix": _STR,
    "secret": _STR,
    "relativeurls": _BOOL,
    "draintimeout": _TIME,
    "headers": "headers",
    "debug": {"addr": _STR, "prometheus": {"enabled": _BOOL, "path": _STR}},
    "http2": {"disabled": _BOOL},
}
_TLS = {
    "certificate": _STR,
    "key": _STR,
    "clientcas": _STRINGS,
    "ciphersuites": _STRINGS,
    "minimumtls": ("tls1.0", "tls1.1", "tls1.2", "tls1.3"),
    "letsencrypt": {"cachefile": _STR, "email": _STR, "hosts": _STRINGS},
}
_TOKEN = {"realm": _STR, "service": _STR, "issuer": _STR, "rootcertbundle": _STR, "autoredirect": _BOOL}
_AUTH = {"htpasswd": {"realm": _STR, "path": _STR}, "silly": {"realm": _STR, "service": _STR}, "token": _TOKEN}
_MIDDLEWARE = [{"name": _STR, "disabled": _BOOL, "options": _MAP}]
_NOTIFICATIONS = {
    "events": {"includereferences": _BOOL},
    "endpoints": [
        {
            "name": _STR,
            "disabled": _BOOL,
            "url": _STR,
            "headers": "headers",
            "timeout": _TIME,
            "threshold": _INT,
            "backoff": _TIME,
            "ignoredmediatypes": _STRINGS,
            "ignore": {"mediatypes": _STRINGS, "actions": _STRINGS},
        }
    ],
}
_CHECK = {"interval": _TIME, "threshold": _INT}
_HEALTH = {
    "storagedriver": dict(_CHECK, enabled=_BOOL),
    "file": [dict(_CHECK, file=_STR)],
    "http": [dict(_CHECK, uri=_STR, headers="headers", statuscode=_INT, timeout=_TIME)],
    "tcp": [dict(_CHECK, addr=_STR, timeout=_TIME)],
}
_PROXY = {"remoteurl": _STR, "username": _STR, "password": _STR}
_MANIFESTS = {"urls": {"allow": _STRINGS, "deny": _STRINGS}}
_REDIS_TIMES = {"dialtimeout": _TIME, "readtimeout": _TIME, "writetimeout": _TIME}
_COMMON = {
    "version": ANY,
    "loglevel": _LEVEL,
    "middleware": {"registry": _MIDDLEWARE, "repository": _MIDDLEWARE, "storage": _MIDDLEWARE},
    "notifications": _NOTIFICATIONS,
    "health": _HEALTH,
    "catalog": {"maxentries": _INT},
    "policy": {"repository": {"classes": _STRINGS}},
}

SCHEMA = {
    2: dict(
        _COMMON,
        log=_LOG,
        storage=dict(
            _STORAGE,
            azure=_AZURE,
            s3=_S3,
            s3aws=_S3,
            swift=_MAP,
            oss=_MAP,
        ),
        auth=_AUTH,
        reporting={
            "bugsnag": {"apikey": _STR, "releasestage": _STR, "endpoint": _STR},
            "newrelic": {"licensekey": _STR, "name": _STR, "verbose": _BOOL},
        },
        http=dict(_HTTP, tls=_TLS),
        redis=dict(
            _REDIS_TIMES,
            addr=_STR,
            password=_STR,
            db=_INT,
            pool={"maxidle": _INT, "maxactive": _INT, "idletimeout": _TIME},
        ),
        proxy=_PROXY,
        compatibility={"schema1": {"signingkeyfile": _STR, "enabled": _BOOL}},
        validation={"enabled": _BOOL, "disabled": _BOOL, "manifests": _MANIFESTS},
    ),
    3: dict(
        _COMMON,
        log=dict(_LOG, reportcaller=_BOOL),
        storage=dict(
            _STORAGE,
            azure=dict(
                _AZURE,
                rootdirectory=_STR,
                credentials=_MAP,
                max_retries=_INT,
                retry_delay=_TIME,
            ),
            s3=_S3_3,
            s3aws=_S3_3,
            cache=dict(_STORAGE["cache"], blobdescriptorsize=_INT),
            tag={"concurrencylimit": _INT},
        ),
        auth=dict(
            _AUTH,
            token=dict(_TOKEN, autoredirectpath=_STR, signingalgorithms=_STRINGS, jwks=_STR),
        ),
        http=dict(
            _HTTP,
            h2c={"enabled": _BOOL},
            tls=dict(
                _TLS,
                minimumtls=("tls1.2", "tls1.3"),
                clientauth=(
                    "request-client-cert",
                    "require-any-client-cert",
                    "verify-client-cert-if-given",
                    "require-and-verify-client-cert",
                ),
                letsencrypt=dict(_TLS["letsencrypt"], directoryurl=_STR),
            ),
        ),
        redis=dict(
            _REDIS_TIMES,
            addrs=_STRINGS,
            clientname=_STR,
            db=_INT,
            protocol=_INT,
            username=_STR,
            password=_STR,
            sentinelusername=_STR,
            sentinelpassword=_STR,
            mastername=_STR,
            maxretries=_INT,
            minretrybackoff=_TIME,
            maxretrybackoff=_TIME,
            contexttimeoutenabled=_BOOL,
            poolfifo=_BOOL,
            poolsize=_INT,
            pooltimeout=_TIME,
            minidleconns=_INT,
            maxidleconns=_INT,
            maxactiveconns=_INT,
            connmaxidletime=_TIME,
            connmaxlifetime=_TIME,
            maxredirects=_INT,
            readonly=_BOOL,
            routebylatency=_BOOL,
            routerandomly=_BOOL,
            disableidentity=_BOOL,
            identitysuffix=_STR,
            unstableresp3=_BOOL,
            tls={"certificate": _STR, "key": _STR, "rootcas": _STRINGS, "clientcas": _STRINGS},
        ),
        proxy=dict(
            _PROXY,
            ttl=_TIME,
            cachewritetimeout=_TIME,
            remotenamespace=_STR,
            exec={"command": _STR, "lifetime": _TIME},
        ),
        validation={
            "enabled": _BOOL,
            "disabled": _BOOL,
            "manifests": dict(
                _MANIFESTS,
                indexes={"platforms": ANY, "platformlist": [{"architecture": _STR, "os": _STR}]},
            ),
        },
        tags={"maxtags": _INT},
    ),
}

# Words under `storage` that are not drivers.
STORAGE_OPTIONS = ("cache", "delete", "maintenance", "redirect", "tag")

# Keys that came with a later minor version than the major's first: older ones ignore them without a word.
SINCE = {
    "tags": (3, 1, 0),
    "storage.s3.usefipsendpoint": (3, 1, 0),
}

# Keys and values that were valid in 2.8: what to say about them on 3.x.
GONE_IN_3 = {
    "storage.swift": "the swift driver is gone in 3.x; move the store to s3, azure, gcs or filesystem first",
    "storage.oss": "the oss driver is gone in 3.x; use the S3-compatible endpoint of that service with the s3 driver",
    "reporting": "reporting to bugsnag and newrelic is gone in 3.x; remove the section",
    "compatibility": "schema1 manifests cannot be read by 3.x; remove the section",
    "redis.addr": "3.x reads redis.addrs, a list: addrs: [host:port]",
    "redis.pool": "3.x has no redis.pool; maxidle became maxidleconns, maxactive became poolsize, idletimeout became connmaxidletime",
    "http.tls.minimumtls": "3.x accepts tls1.2 and tls1.3 only and does not start with less",
}

# A vulnerability, what makes a configuration open to it, and the release that closes it.
CVE_REDIS_DELETE = ("CVE-2026-35172", (3, 1, 0))
CVE_PROXY_CREDENTIALS = ("CVE-2026-33540", (3, 1, 0))
CVE_TAG_DELETE = ("CVE-2026-41888", (3, 1, 1))
CVE_PROXY_DIGEST = ("CVE-2026-85747", (3, 1, 2))
