# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not belong to one thing: health, features, cluster status, search, caches, user settings."""

from __future__ import annotations

import uuid

from .answers import Answer
from .errors import Refused, not_authorized
from .repositories import without_long_description
from .server import operation

AUTHENTICATION = {"password": "Password", "token": "Token", "certificate": "TLSClientCertificate"}


class Misc:
    """`problem`: what is wrong with this replica, as `/_ping` names it (registry, garant, rethinkdb or notary); empty when it is well."""

    def __init__(self, standin):
        self.standin = standin
        self.problem = ""
        # What is licensed and switched on at installation; tests change it.
        self.features = {
            "scanningLicensed": True, "promotionLicensed": True, "mirroringLicensed": True, "metadataStoreOptedIn": True,
            "onlineGCEnabled": True,
        }


def _health(standin, call):
    problem = standin.misc.problem
    return Answer(503 if problem else 200, {"Error": problem, "Healthy": not problem})


operation("GET", "/_ping", auth="none")(_health)
operation("GET", "/health", auth="none")(_health)


@operation("GET", "/nginx_status", auth="none")
def nginx_status(standin, call):
    """The layout of nginx's own page; not documented for DTR."""
    served = standin.record.served
    counts = f" {served} {served} {served} \n"
    return Answer(200, f"Active connections: 1 \nserver accepts handled requests\n{counts}Reading: 0 Writing: 1 Waiting: 0 \n")


@operation("GET", "/ca", auth="none")
def ca(standin, call):
    return Answer(200, standin.settings.values["webTLSCA"], {"Content-Type": "application/x-pem-file"})


@operation("GET", "/basic_info")
def basic_info(standin, call):
    """DTR docs: client certificate authentication."""
    account = standin.accounts.demand(call.caller.name)
    return {
        "CurrentVersion": standin.options.version,
        "User": {field: account[field] for field in ("name", "id", "fullName", "isOrg", "isAdmin", "isActive", "isImported")},
        "IsAdmin": call.caller.is_admin,
        "AuthnMethod": AUTHENTICATION[call.caller.via],
    }


@operation("GET", "/api/v0/accounts/language")
def language(standin, call):
    return {"language": "en"}


@operation("GET", "/api/v0/meta/features")
def features(standin, call):
    return {
        **standin.misc.features,
        "scanningEnabled": standin.settings.values["scanningEnabled"],
        "db_version": standin.scanning.db_version,
        "ucpHost": standin.ucp_name,
    }


@operation("GET", "/api/v0/meta/alerts", auth="admin")
def alerts(standin, call):
    if standin.settings.values["disableBackupWarning"]:
        return []
    return [{"message": "There is no recent backup of this installation.", "id": "backup", "class": "warning", "img": "", "url": ""}]


@operation("GET", "/api/v0/meta/cluster_status", auth="admin")
def cluster_status(standin, call):
    """The shape of RethinkDB's system tables as in the DTR docs, monitoring."""
    replicas = standin.replicas()
    servers = [{"id": name, "name": f"dtr_rethinkdb_{name}", "network": {"cluster_port": 29015, "reql_port": 28015}} for name in replicas]
    problems = [replica["health"] for replica in replicas.values() if replica["health"] != "OK"]
    issues = [{"critical": True, "type": "server", "description": problem} for problem in problems]
    return {
        "rethink_system_tables": {"cluster_config": [], "current_issues": issues, "db_config": [], "server_status": servers},
        "replica_health": {name: replica["health"] for name, replica in replicas.items()},
        "replica_timestamp": {name: replica["time"] for name, replica in replicas.items()},
        "replica_readonly": {name: standin.registry.read_only for name in replicas},
        "gc_lock_holder": standin.gc.lock_holder,
    }


# Search

def _matching(standin, caller, text: str, namespace: str | None) -> list[dict]:
    prefix = f"{namespace}/" if namespace else ""
    repositories = standin.repositories.visible(caller, prefix)
    return [entry for entry in repositories if text in f"{entry['namespace']}/{entry['name']}"]


@operation("GET", "/api/v0/index/autocomplete")
def autocomplete(standin, call):
    query = call.query
    limit = int(query["limit"]) if query["limit"] else None
    answer = {}
    if query["includeRepositories"]:
        found = _matching(standin, call.caller, query["query"], query["namespace"])[:limit]
        answer["repositoryResults"] = [without_long_description(repository) for repository in found]
    if query["includeAccounts"]:
        accounts = [account for account in standin.store.all("account") if query["query"] in account["name"]][:limit]
        answer["accountResults"] = [standin.accounts.shown(account) for account in accounts]
    return answer


@operation("GET", "/api/v0/index/dockersearch", auth="none")
def docker_search(standin, call):
    results = [
        {
            "name": f"{repository['namespace']}/{repository['name']}", "description": repository["shortDescription"], "is_official": False,
            "is_trusted": False, "star_count": 0,
        }
        for repository in _matching(standin, call.caller, call.query["q"], None)
    ]
    return {"num_results": len(results), "query": call.query["q"], "results": results}


# Content caches and who uses which

@operation("GET", "/api/v0/content_caches")
def list_caches(standin, call):
    return standin.store.all("cache")


@operation("POST", "/api/v0/content_caches", auth="admin")
def create_cache(standin, call):
    form = call.body
    if not form["name"] or not form["host"].startswith(("http://", "https://")):
        raise Refused(400, "INVALID_CONTENT_CACHE", "A content cache needs a name and a host that is a URL.")
    if any(cache["name"] == form["name"] for cache in standin.store.all("cache")):
        raise Refused(400, "INVALID_CONTENT_CACHE", f"There is a content cache {form['name']} already.")
    cache = {"id": str(uuid.uuid4()), **form}
    return Answer(201, standin.store.put("cache", cache["id"], cache))


@operation("GET", "/api/v0/content_caches/{contentcacheuuid}")
def get_cache(standin, call):
    cache = standin.store.get("cache", call.path["contentcacheuuid"])
    if not cache:
        raise Refused(404, "NO_SUCH_CONTENT_CACHE", f"There is no content cache {call.path['contentcacheuuid']}.")
    return cache


@operation("DELETE", "/api/v0/content_caches/{contentcacheuuid}", auth="admin")
def delete_cache(standin, call):
    standin.store.delete("cache", call.path["contentcacheuuid"])


def _user(standin, call) -> dict:
    user = standin.accounts.user(call.path["username"])
    if not call.caller.is_admin and call.caller.name != user["name"]:
        raise not_authorized(f"This is for administrators and {user['name']}.")
    return user


@operation("GET", "/api/v0/accounts/{username}/settings")
def get_user_settings(standin, call):
    """Spelled with a capital here and with a small letter in the update (DTR 2.7 API)."""
    kept = standin.store.get("user_settings", _user(standin, call)["name"]) or {"contentCacheUUID": ""}
    return {"ContentCacheUUID": kept["contentCacheUUID"]}


@operation("PATCH", "/api/v0/accounts/{username}/settings")
def update_user_settings(standin, call):
    user = _user(standin, call)
    chosen = call.body.get("contentCacheUUID")
    if chosen and not standin.store.get("cache", chosen):
        raise Refused(400, "INVALID_USER_SETTINGS", f"There is no content cache {chosen}.")
    if chosen is not None:
        standin.store.put("user_settings", user["name"], {"contentCacheUUID": chosen})
    return Answer(200)
