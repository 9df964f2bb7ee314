# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UCP's configuration and license over HTTP."""

from __future__ import annotations

import base64
import binascii
import copy
import json
import uuid

from . import ucp_config_schema as schema
from .answers import Answer
from .errors import Refused
from .server import operation

CONFIG = "config"
LICENSE = "license"
NO_LICENSE = {"key_id": "", "private_key": "", "authorization": ""}


class Config:
    """The configuration as one document; what is put takes its place as a whole (UCP docs, configuration file)."""

    def __init__(self, ucp):
        self.ucp, self.standin, self.store = ucp, ucp.standin, ucp.standin.store

    def seed(self) -> None:
        if not self.store.get(CONFIG, "toml"):
            self.store.put(CONFIG, "toml", schema.initial())

    @property
    def document(self) -> dict:
        return self.store.get(CONFIG, "toml")

    def replace(self, document: dict) -> None:
        """A change of `store_token_per_session` ends all sessions (UCP docs, configuration file)."""
        if wrong := schema.problems(document):
            raise Refused(400, "INVALID_CONFIG", f"invalid configuration: {'; '.join(wrong)}")
        before, after = (doc.get("auth", {}).get("sessions", {}).get("store_token_per_session", False) for doc in (self.document, document))
        self.store.put(CONFIG, "toml", document)
        if before != after:
            self.ucp.sessions.close_all()

    def change(self, section: str, **values) -> None:
        document = copy.deepcopy(self.document)
        document.setdefault(section, {}).update(values)
        self.replace(document)

    def add_registry(self, host: str, ca_bundle: str) -> None:
        """The registration of a DTR: what was known of that address is replaced."""
        others = [entry for entry in self.document.get("registries", []) if entry["host_address"] != host]
        entry = {"host_address": host, "service_id": str(uuid.uuid4()), **({"ca_bundle": ca_bundle} if ca_bundle else {})}
        self.replace({**copy.deepcopy(self.document), "registries": [*others, entry]})


class License:
    """The license file as uploaded. Endpoint and shapes are field observations, the documents know the web page only."""

    def __init__(self, ucp):
        self.store = ucp.standin.store

    @property
    def document(self) -> dict:
        return self.store.get(LICENSE, "ucp") or NO_LICENSE

    def replace(self, document: dict) -> None:
        if missing := [name for name in NO_LICENSE if not isinstance(document.get(name), str) or not document[name]]:
            raise Refused(400, "INVALID_LICENSE", f"invalid license: {', '.join(missing)} missing")
        if not license_terms(document):
            raise Refused(400, "INVALID_LICENSE", "invalid license: the authorization cannot be read")
        self.store.put(LICENSE, "ucp", document)


def license_terms(document: dict) -> dict:
    """What the license's authorization says (base64 of a JSON signature whose payload is base64 again); {} when it cannot be read."""
    try:
        signed = json.loads(base64.b64decode(document["authorization"] + "==", altchars=b"-_"))
        terms = json.loads(base64.b64decode(signed["payload"] + "==", altchars=b"-_"))
    except (binascii.Error, KeyError, TypeError, ValueError):
        return {}
    return terms if isinstance(terms, dict) else {}


@operation("GET", "/api/ucp/config-toml", auth="admin", product="ucp")
def get_config(standin, call):
    return Answer(200, schema.dump(standin.ucp.config.document), {"Content-Type": "application/toml"})


@operation("PUT", "/api/ucp/config-toml", auth="admin", product="ucp")
async def put_config(standin, call):
    document, wrong = schema.parse(await call.request.text())
    if wrong:
        raise Refused(400, "INVALID_CONFIG", f"invalid configuration: {'; '.join(wrong)}")
    standin.ucp.config.replace(document)
    return {"message": "Successfully updated the configuration"}


@operation("GET", "/api/ucp/config/logging", auth="admin", product="ucp")
def get_logging(standin, call):
    document = standin.ucp.config.document
    audit = document.get("audit_log_configuration", {})
    return {
        "logLevel": document.get("log_configuration", {}).get("level", ""),
        "auditLevel": audit.get("level", ""),
        "supportDumpIncludeAuditLogs": audit.get("support_dump_include_audit_logs", False),
    }


@operation("PUT", "/api/ucp/config/logging", auth="admin", product="ucp")
def put_logging(standin, call):
    body, audit = call.body, {}
    if "auditLevel" in body:
        audit["level"] = body["auditLevel"]
    if "supportDumpIncludeAuditLogs" in body:
        audit["support_dump_include_audit_logs"] = body["supportDumpIncludeAuditLogs"]
    if body.get("logLevel"):
        standin.ucp.config.change("log_configuration", level=body["logLevel"])
    standin.ucp.config.change("audit_log_configuration", **audit)
    return Answer(200)


@operation("POST", "/api/config/trustedregistry_", auth="admin", product="ucp")
def add_trusted_registry(standin, call):
    standin.ucp.config.add_registry(call.body["hostAddress"], call.body.get("caBundle", ""))
    return Answer(200)


@operation("GET", "/api/config/license", auth="admin", product="ucp")
def get_license(standin, call):
    auto_refresh = standin.ucp.config.document.get("license_configuration", {}).get("auto_refresh", True)
    return {"auto_refresh": auto_refresh, "license_config": standin.ucp.license.document}


@operation("POST", "/api/config/license", auth="admin", product="ucp")
def put_license(standin, call):
    standin.ucp.license.replace(call.body["license_config"])
    standin.ucp.config.change("license_configuration", auto_refresh=call.body["auto_refresh"])
    return {"message": "Successfully updated the license"}
