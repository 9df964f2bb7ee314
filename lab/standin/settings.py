# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of DTR (DTR 2.7 API), and those of its storage (DTR release notes 2.6.6)."""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from . import duration
from .answers import Answer
from .errors import Refused
from .server import operation
from .tls import certificates_of, public_pem

HOST = re.compile(r"^(?=.{1,253}(:|$))[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:\d{1,5})?$")
AGES = ("jobHistoryMaxAge", "repoEventHistoryMaxAge")
COUNTS = ("jobHistoryToKeep", "repoEventHistoryToKeep", "scanningDeadline")
DEFAULTS = {
    "sso": False,
    "createRepositoryOnPush": False,
    "httpProxy": "",
    "httpsProxy": "",
    "noProxy": "",
    "disableUpgrades": False,
    "reportAnalytics": True,
    "anonymizeAnalytics": False,
    "disableBackupWarning": False,
    "logProtocol": "internal",
    "logHost": "",
    "logLevel": "INFO",
    "webTLSClientCA": "",
    "clientCertAuthEnabled": False,
    "scanningEnabled": False,
    "scanningSyncOnline": False,
    "scanningDeadline": 0,
    "scanningEnableAutoRecheck": False,
    "jobHistoryCompactionEnabled": False,
    "jobHistoryToKeep": 0,
    "jobHistoryMaxAge": "",
    "repoEventHistoryCompactionEnabled": False,
    "repoEventHistoryToKeep": 0,
    "repoEventHistoryMaxAge": "",
    "storageVolume": "",
    "nfsHost": "",
    "nfsPath": "",
    "readOnlyRegistry": False,
    "disablePersistentCookies": False,
}
STORAGE = {"storage": {"filesystem": {"rootdirectory": "/storage"}}}


def invalid(message: str) -> Refused:
    return Refused(400, "INVALID_SETTINGS", message)


def check_values(form: dict) -> None:
    if "dtrHost" in form and not HOST.match(form["dtrHost"]):
        raise invalid(f"dtrHost is {form['dtrHost']!r}, has to be a host name with or without a port, and nothing else.")
    for name in AGES:
        try:
            if form.get(name):
                duration.parse(form[name])
        except ValueError as error:
            raise invalid(f"{name}: {error}.") from None
    for name in COUNTS:
        if form.get(name, 0) < 0:
            raise invalid(f"{name} is {form[name]}, has to be 0 or more.")


def certificates(name: str, pem: str) -> list[x509.Certificate]:
    try:
        return certificates_of(pem)
    except ValueError:
        raise invalid(f"{name} is not a certificate in PEM.") from None


def check_pair(certificate: str, key: str) -> None:
    leaf = certificates("webTLSCert", certificate)[0]
    try:
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError):
        raise invalid("webTLSKey is not an unencrypted private key in PEM.") from None
    if public_pem(private.public_key()) != public_pem(leaf.public_key()):
        raise invalid("webTLSKey is not the key of webTLSCert.")


class Settings:
    """`values`: the settings in force, all of `responses.Settings`. The private key is kept by the listener only."""

    def __init__(self, standin):
        self.standin, self.store = standin, standin.store

    async def start(self) -> None:
        """In a new installation the defaults; always the certificate that the listener has."""
        kept = self.store.get("settings", "dtr") or {**DEFAULTS, "dtrHost": self.standin.dtr_name, "webTLSCA": self.standin.authority.pem}
        served = self.standin.listeners["dtr"].certificate_file.read_text()
        self.store.put("settings", "dtr", {**kept, "webTLSCert": served, "replicaID": self.standin.options.replica_id})
        self._take_client_certificates()

    @property
    def values(self) -> dict:
        return self.store.get("settings", "dtr")

    @property
    def shown(self) -> dict:
        replicas = {
            name: {"HTTPPort": replica["http_port"], "HTTPSPort": replica["https_port"], "node": replica["node"]}
            for name, replica in self.standin.replicas().items()
        }
        return {**self.values, "replicaSettings": replicas}

    def check(self, form: dict) -> None:
        check_values(form)
        for name in ("webTLSCA", "webTLSClientCA"):
            if form.get(name):
                certificates(name, form[name])
        if form.get("webTLSKey") or form.get("webTLSCert", self.values["webTLSCert"]) != self.values["webTLSCert"]:
            current = self.standin.listeners["dtr"].key_file.read_text()
            check_pair(form.get("webTLSCert") or self.values["webTLSCert"], form.get("webTLSKey") or current)

    def apply(self, form: dict) -> None:
        """What was left out, and empty certificates and keys, stay."""
        before = self.values
        changed = {name: value for name, value in form.items() if value or name not in ("webTLSCert", "webTLSKey", "webTLSCA")}
        key = changed.pop("webTLSKey", "")
        after = self.store.put("settings", "dtr", {**before, **changed})
        if key or after["webTLSCert"] != before["webTLSCert"]:
            listener = self.standin.listeners["dtr"]
            listener.install(after["webTLSCert"], key or listener.key_file.read_text())
        self._take_client_certificates()
        self.standin.hooks.fire("SETTINGS_CHANGED", before=before, after=after)

    def _take_client_certificates(self) -> None:
        authorities = self.values["webTLSClientCA"]
        if self.values["clientCertAuthEnabled"] and authorities:
            self.standin.listeners["dtr"].accept_clients_of(authorities)
        else:
            self.standin.listeners["dtr"].accept_no_clients()

    # Storage

    @property
    def storage(self) -> dict:
        return self.store.get("settings", "registry") or STORAGE

    def set_storage(self, form: dict) -> None:
        """Another backend erases all tags unless `keep_metadata` says that the data moved along (DTR docs: storage backend migration)."""
        backend = {name: value for name, value in form.items() if name != "keep_metadata"}
        if backend.get("storage") != self.storage["storage"] and not form.get("keep_metadata"):
            self.standin.tags.forget_all()
        self.store.put("settings", "registry", backend)


@operation("GET", "/api/v0/meta/settings", auth="admin")
def get_settings(standin, call):
    return standin.settings.shown


@operation("POST", "/api/v0/meta/settings", auth="admin")
def update_settings(standin, call):
    """202 without a body; takes effect a moment later."""
    standin.settings.check(call.body)
    if standin.options.settings_delay:
        standin.later(standin.options.settings_delay, standin.settings.apply, call.body)
    else:
        standin.settings.apply(call.body)
    return Answer(202)


@operation("GET", "/api/v0/admin/settings/registry", auth="admin")
def get_storage(standin, call):
    return standin.settings.storage


@operation("PUT", "/api/v0/admin/settings/registry", auth="admin")
def set_storage(standin, call):
    standin.settings.set_storage(call.body)
    return Answer(202)
