# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to this collection: may change in any release.
"""What a registry tells of itself, part by part."""

from __future__ import annotations

import re

from ansible_collections.dockyard.trusted_registry.plugins.module_utils import _api_certificates as certificate
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_errors import ApiError
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._api_plan import HIDDEN, without_userinfo
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_crons import GC_ACTIONS
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_gc import freed, past
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_jobs import ended, log_lines, seconds_of, state, utc
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_schedule import moment
from ansible_collections.dockyard.trusted_registry.plugins.module_utils._dtr_storage import ADDRESS, is_secret

HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=TLS)(?=[A-Z])")
CERTIFICATES = ("webTLSCert", "webTLSCA", "webTLSClientCA")
RUNS = 5                    # garbage collections told of


# Reads

def scanner(client):
    """responses.NautilusStatus, None while scanning is switched off."""
    try:
        return client.get("imagescan", "status")
    except ApiError as error:
        if error.code == "SCANNING_NOT_ENABLED":
            return None
        raise


def collections(client):
    """[(job, lines of its log)] of the last garbage collections, the newest first."""
    jobs = past(client)[0][:RUNS]
    return list(zip(jobs, client.http.each(lambda job: log_of(client, job), jobs)))


def log_of(client, job):
    """The log of a job that ended; [] for another, and when old logs were removed."""
    try:
        return log_lines(client, job) if ended(job) else []
    except ApiError as error:
        if error.status == 404:
            return []
        raise


READS = {
    "info": lambda client: client.basic_info(),
    "settings": lambda client: client.settings(),
    "status": lambda client: client.get("meta", "cluster_status"),
    "storage": lambda client: client.get(*ADDRESS),
    "features": lambda client: client.get("meta", "features"),
    "scanner": scanner,
    "collections": collections,
    "crons": lambda client: client.get("crons")["crons"] or [],
    "workers": lambda client: client.get("workers")["workers"] or [],
    "alerts": lambda client: client.get("meta", "alerts") or [],
}


# Parts: pure functions of answers

def snake_name(name):
    """A name like those of the modules' options: webTLSClientCA becomes web_tls_client_ca."""
    return HUMPS.sub("_", name).lower()


def snake(record):
    """The record with such names."""
    return {snake_name(name): value for name, value in record.items()}


def without_secrets(tree):
    """A copy in which values of settings that hold secrets, and credentials within addresses, are hidden."""
    if isinstance(tree, dict):
        return {name: HIDDEN if is_secret(name) and value and not isinstance(value, dict) else without_secrets(value)
                for name, value in tree.items()}
    if isinstance(tree, list):
        return [without_secrets(value) for value in tree]
    return without_userinfo(tree) if isinstance(tree, str) else tree


def settings(record):
    """Settings by the names of dtr_settings; certificates are public, the private key is never answered."""
    shown = {name: value for name, value in record.items() if name not in ("replicaSettings", "webTLSKey")}
    return snake({name: without_userinfo(value) if isinstance(value, str) else value for name, value in shown.items()})


def replicas(status, record):
    """What is known of each replica; one that has settings but no health is not healthy."""
    nodes = record["replicaSettings"] or {}
    found = []
    for name in sorted({*status["replica_health"], *nodes}):
        node = nodes.get(name, {})
        health = status["replica_health"].get(name)
        found.append({
            "id": name, "node": node.get("node"), "http_port": node.get("HTTPPort"), "https_port": node.get("HTTPSPort"),
            "health": health, "healthy": health == "OK",
            "read_only": status["replica_readonly"].get(name), "seen_at": status["replica_timestamp"].get(name),
        })
    return found


def issues(status):
    """What the metadata store complains of; the documents show it in two places."""
    return status["rethink_system_tables"].get("current_issues") or status.get("current_issues") or []


def garbage_collection(runs, crons, status):
    """Schedule, lock and last runs."""
    cron = next((cron for cron in crons if cron["action"] in GC_ACTIONS), None)
    return {
        "schedule": cron and {
            "action": cron["action"], "schedule": cron["schedule"], "deadline": cron["deadline"], "next_run": cron["nextRun"]},
        "lock_holder": status["gc_lock_holder"],
        "runs": [{
            "job_id": job["id"], "action": job["action"], "state": state(job), "scheduled_at": job["scheduledAt"],
            "last_updated": job["lastUpdated"], "seconds": seconds_of(job), "freed": freed(lines)} for job, lines in runs],
    }


def scanning(features, status, now=None):
    """Whether images are scanned, and how old the database is; status: responses.NautilusStatus or None; now: RFC 3339, for tests."""
    found = {
        "licensed": features["scanningLicensed"], "enabled": features["scanningEnabled"], "db_version": features["db_version"],
        "db_updated_at": None, "db_age_days": None, "last_update_failed": None, "scanner_version": None, "state": None}
    if status:
        updated = None if status["db_updated_at"].startswith("0001-") else status["db_updated_at"]
        found.update(
            db_version=status["db_version"], db_updated_at=updated, last_update_failed=status["lastDBUpdateFailed"],
            db_age_days=updated and (moment(now or utc()) - moment(updated)).days,
            scanner_version=status["scanner_version"], state=status["state"])
    return found


def certificates(record):
    """Each certificate in the settings, with the setting it stands in."""
    certificate.need_cryptography()
    return [
        {"setting": snake_name(name), **certificate.facts(pem)}
        for name in CERTIFICATES for pem in certificate.split(record.get(name) or "")]


def workers(records):
    """Job runners by the names of this collection."""
    return [snake(record) for record in records]


PARTS = {
    "version": (("info",), lambda info: info["CurrentVersion"]),
    "replicas": (("status", "settings"), replicas),
    "issues": (("status",), issues),
    "settings": (("settings",), settings),
    "storage": (("storage",), without_secrets),
    "gc": (("collections", "crons", "status"), garbage_collection),
    "features": (("features",), snake),
    "scanning": (("features", "scanner"), scanning),
    "certificates": (("settings",), certificates),
    "workers": (("workers",), workers),
    "alerts": (("alerts",), list),
}
